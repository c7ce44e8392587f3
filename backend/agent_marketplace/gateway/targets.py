"""From a model's name to all the ways to reach it: offers x credentials, with the price the caller would pay."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from agent_marketplace.catalog import AIModel, MarketplaceRegistry, Offer
from agent_marketplace.errors import NotFound
from agent_marketplace.gateway.plan import Credential, Group, Skipped, Target, Why
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.ledger import Price
from agent_marketplace.ledger.pricing import FEES
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.usage import TOKEN_RATES

_MOST_GROUPS = 5_000
_ZERO = Price(input=0, output=0)


def marked_up(price: Price | None, markup: Decimal | None) -> Price | None:
    """The list price times the operator's mark-up, each rate rounded up to a whole nano-dollar per million units."""
    if price is None or markup is None:
        return price

    def raised(part: Any, names: Sequence[str]) -> dict[str, int]:
        return {n: -int(-(Decimal(v) * markup) // 1) for n in names if (v := getattr(part, n)) is not None}

    tiers = tuple(msgspec.structs.replace(t, **raised(t, TOKEN_RATES)) for t in price.tiers)
    return msgspec.structs.replace(price, **raised(price, (*TOKEN_RATES, *FEES)), tiers=tiers)


def _words_alone_priced(model: AIModel, price: Price) -> bool:
    """Whether a model makes pictures, speech or films, and the list has the price of its words alone: the others cost up to twenty
    times as much a token, and for films there is no class."""
    made = model.output_modalities
    return not price.free and (
        ("image" in made and price.image_output is None and not price.per_image)
        or ("audio" in made and price.audio_output is None)
        or "video" in made
    )


class Targets:
    """Builds the plan's groups. Groups are kept until the catalogue or what can be called changes."""

    def __init__(
        self,
        registry: MarketplaceRegistry,
        endpoints: EndpointTable,
        markup: Decimal,
        unheard: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """unheard: why a name can't be called that is a server's which has not said yet what it has."""
        self._unheard = unheard
        self._registry = registry
        self._endpoints = endpoints
        self._markup = None if markup == 1 else markup
        self._groups: dict[tuple[str, Why, frozenset[str], bool], Group] = {}
        self._revision: object = None

    def mark_up(self, markup: Decimal) -> None:
        """From here on prices are list prices times this; calls that are admitted keep theirs."""
        self._markup = None if markup == 1 else markup
        self._groups = {}

    def resolve(self, name: str) -> AIModel:
        """Our model for any of its names. Raises NotFound with the nearest names."""
        model = self._registry.resolve(name)
        if model is None and (words := self._unheard(name)) is not None:
            raise NotFound(f"{name[:100]}: {words}", code="no_endpoints")
        if model is None:
            near = self._registry.nearest(name)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise NotFound(
                f"Model not found: {name[:100]}{hint}", code="model_not_found", extra={"nearest": near}
            )
        return model

    def callable_by(self, model: AIModel, own_keys: frozenset[str]) -> bool:
        """Whether a caller who saved keys at these providers can call a model: on the operator's account or an own one."""
        return model.is_available or any(
            offer.provider in own_keys
            and (endpoint := self._endpoints.get(offer.provider)) is not None
            and endpoint.byok
            for offer in self._registry.offers(model.id)
        )

    def group(self, name: str, why: Why, own_keys: frozenset[str], wishes: Preferences) -> Group:
        """Every offer of a model, once per credential that may pay for it; an offer that the name pins goes first.

        Raises NotFound.
        """
        if self._registry.revision is not self._revision or len(self._groups) > _MOST_GROUPS:
            self._groups, self._revision = {}, self._registry.revision
        place = (name, why, own_keys, wishes.byok == "never")
        group = self._groups.get(place)
        if group is None:
            group = self._groups[place] = self._make(name, why, own_keys, wishes)
        return group

    def _make(self, name: str, why: Why, own_keys: frozenset[str], wishes: Preferences) -> Group:
        model, pinned = self.resolve(name), self._registry.resolve_offer(name)
        targets: list[Target] = []
        for offer in self._registry.offers(model.id):
            first = (
                offer.id == pinned.id
                if pinned is not None
                else offer.provider == (model.maker or model.provider)
            )
            targets += self._targets(model, offer, own_keys, wishes, first=first)
        unheard = self._unheard(name) if all(t.provider != "ollama" for t in targets) else None
        first_words = (
            (Skipped(model=model.id, provider="ollama", code="unavailable", reason=unheard),)
            if unheard
            else ()
        )
        return Group(
            model=model.id,
            why=why,
            targets=tuple(t for t in targets if t.unavailable is None),
            unavailable=first_words
            + tuple(
                Skipped(model=t.model, provider=t.provider, code="unavailable", reason=t.unavailable)
                for t in targets
                if t.unavailable is not None
            ),
        )

    def _targets(
        self, model: AIModel, offer: Offer, own_keys: frozenset[str], wishes: Preferences, *, first: bool
    ) -> list[Target]:
        endpoint = self._endpoints.get(offer.provider)
        if endpoint is None:
            return [self._target(model, offer, "none", f"{offer.provider} is not served here", first=first)]
        found = []
        if offer.provider in own_keys and endpoint.byok and wishes.byok != "never":
            found.append(self._target(model, offer, "byok", None, first=first))
        if self._endpoints.configured(offer.provider):
            found.append(
                self._target(model, offer, "operator", self._registry.unavailable_reason(offer), first=first)
            )
        if not found:
            words = self._registry.unavailable_reason(offer) or f"no key for {offer.provider} is configured"
            found.append(self._target(model, offer, "none", words, first=first))
        return found

    def _target(
        self, model: AIModel, offer: Offer, credential: Credential, unavailable: str | None, *, first: bool
    ) -> Target:
        price, endpoint = offer.price, self._endpoints.get(offer.provider)
        reasons, thinks = "reasoning" in offer.supported_parameters, "reasoning" in model.capabilities
        if credential == "byok":
            payable: Price | None = _ZERO
        elif price is not None and _words_alone_priced(model, price):
            payable = None
        else:
            payable = marked_up(price, self._markup)
        return Target(
            model=model.id,
            provider=offer.provider,
            upstream_id=offer.upstream_id,
            credential=credential,
            price=payable,
            list_price=price,
            price_version=offer.price_version,
            context=offer.context,
            max_output=offer.max_output,
            max_input=offer.max_input,
            modalities=frozenset(offer.input_modalities),
            supported=frozenset(offer.supported_parameters),
            maker=first,
            reasons=reasons,
            thinks=thinks,
            thinks_apart=endpoint is not None and endpoint.thinking_apart and (reasons or thinks),
            unavailable=unavailable,
        )

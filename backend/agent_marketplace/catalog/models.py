"""What a card and an offer are. Money: prices are int nano-dollars per million units; dates are ISO 8601 text."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from agent_marketplace.ledger.money import dollars
from agent_marketplace.ledger.pricing import FEES, Price, PriceTier
from agent_marketplace.usage import TOKEN_RATES

PREMIUM_OUTPUT = 30 * 10**9
"""Output price (nano-dollars per million tokens) from which a model is `premium`."""

TIERS = ("free", "paid", "premium")


class Evidence(msgspec.Struct, frozen=True):
    """One public result of a model: what was measured, the score in its own unit, who says so and when."""

    label: str
    score: float
    source: str
    as_of: str


class Stats(msgspec.Struct, frozen=True):
    """This installation's own experience with a model. Times in seconds, throughput in tokens a second, uptime 0..1."""

    use_count: int = 0
    rating: Decimal | None = None
    rating_count: int = 0
    samples: int = 0
    first_token_p50: float | None = None
    first_token_p95: float | None = None
    throughput_p50: float | None = None
    uptime: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Percentiles with their sample size."""
        return {
            "samples": self.samples,
            "first_token_seconds": {"p50": self.first_token_p50, "p95": self.first_token_p95},
            "tokens_per_second": {"p50": self.throughput_p50},
            "uptime": self.uptime,
        }


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model at one provider. `price` None: nobody knows the price, so only a user's own key may call it.

    `price_version` names this exact price (date and hash of its figures); `price_disputed`: sources disagree by more than
    a factor of three and the dearer figure was taken. context: total tokens; max_input, max_output: tokens.
    """

    id: str
    model_id: str
    provider: str
    upstream_id: str
    price: Price | None = None
    price_version: str = ""
    price_disputed: bool = False
    context: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    supported_parameters: tuple[str, ...] = ()
    source: str = ""
    as_of: str = ""
    retires_on: str | None = None

    @property
    def is_free(self) -> bool:
        """True if nothing is charged for any class of usage."""
        return self.price is not None and self.price.free

    def to_dict(self, unavailable_reason: str | None = None) -> dict[str, Any]:
        """The `Offer` of docs/api.md."""
        return {
            "id": self.id,
            "model_id": self.model_id,
            "provider": self.provider,
            "upstream_id": self.upstream_id,
            "prices": prices_dict(self.price),
            "price_version": self.price_version,
            "price_disputed": self.price_disputed,
            "context": self.context,
            "max_input": self.max_input,
            "max_output": self.max_output,
            "input_modalities": list(self.input_modalities),
            "output_modalities": list(self.output_modalities),
            "supported_parameters": list(self.supported_parameters),
            "source": self.source,
            "as_of": self.as_of,
            "retires_on": self.retires_on,
            "is_available": unavailable_reason is None,
            "unavailable_reason": unavailable_reason,
        }


class AIModel(msgspec.Struct, frozen=True, kw_only=True):
    """One card: the guide's eleven fields, then ours. Made by the registry from a snapshot's model and its best offer.

    cost_per_1k: dollars per 1,000 tokens, three parts input to one part output; None if the price is unknown.
    """

    id: str
    name: str
    provider: str
    model_id: str
    pricing_tier: str
    cost_per_1k: Decimal | None
    context_window: int
    capabilities: tuple[str, ...]
    rating: Decimal | None = None
    use_count: int = 0
    is_available: bool = False
    unavailable_reason: str | None = None
    description: str = ""
    maker: str = ""
    family: str = ""
    price: Price | None = None
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    supported_parameters: tuple[str, ...] = ()
    offers_count: int = 0
    providers: tuple[str, ...] = ()
    rating_count: int = 0
    released_on: str | None = None
    retires_on: str | None = None
    retired: bool = False
    successor: str | None = None
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sources: Mapping[str, str] = {}
    evidence: tuple[Evidence, ...] = ()
    stats: Stats = Stats()
    runs_here: bool = False

    @property
    def is_priced(self) -> bool:
        """Whether the best offer has a known price."""
        return self.price is not None

    def to_dict(self) -> dict[str, Any]:
        """The `Model` of docs/api.md: prices are decimal strings in dollars per million, cost_per_1k an exact number."""
        return {
            "id": self.id,
            "name": self.name,
            "provider": self.provider,
            "model_id": self.model_id,
            "pricing_tier": self.pricing_tier,
            "cost_per_1k": self.cost_per_1k,
            "context_window": self.context_window,
            "capabilities": list(self.capabilities),
            "rating": self.rating,
            "use_count": self.use_count,
            "is_available": self.is_available,
            "unavailable_reason": self.unavailable_reason,
            "description": self.description,
            "maker": self.maker,
            "family": self.family,
            "prices": prices_dict(self.price),
            "max_input": self.max_input,
            "max_output": self.max_output,
            "input_modalities": list(self.input_modalities),
            "output_modalities": list(self.output_modalities),
            "supported_parameters": list(self.supported_parameters),
            "offers_count": self.offers_count,
            "providers": list(self.providers),
            "runs_here": self.runs_here,
            "rating_count": self.rating_count,
            "released_on": self.released_on,
            "retires_on": self.retires_on,
            "retired": self.retired,
            "successor": self.successor,
            "aliases": list(self.aliases),
            "tags": list(self.tags),
            "sources": dict(self.sources),
            "evidence": [msgspec.to_builtins(e) for e in self.evidence],
            "stats": self.stats.to_dict(),
        }


def _text(nano: int) -> str:
    return f"{dollars(nano):f}"


def prices_dict(price: Price | None) -> dict[str, Any] | None:
    """Dollars per million units as decimal strings; classes that are not offered are left out."""
    if price is None:
        return None
    out: dict[str, Any] = {k: _text(v) for k in TOKEN_RATES if (v := getattr(price, k)) is not None}
    out |= {k: _text(v) for k in FEES if (v := getattr(price, k))}
    if price.tiers:
        out["tiers"] = [_tier_dict(t) for t in price.tiers]
    return out


def _tier_dict(tier: PriceTier) -> dict[str, Any]:
    fields: dict[str, Any] = {k: _text(v) for k in TOKEN_RATES if (v := getattr(tier, k)) is not None}
    return {"above_input_tokens": tier.above_input_tokens, **fields}


def tier_of(price: Price | None) -> str:
    """free: costs nothing here; premium: output from $30 per million tokens; else, and if unknown, paid."""
    if price is None:
        return "paid"
    if price.free:
        return "free"
    return "premium" if price.output >= PREMIUM_OUTPUT else "paid"


def cost_per_1k(price: Price | None) -> Decimal | None:
    """Dollars per 1,000 tokens at three parts input to one part output; exact."""
    if price is None:
        return None
    blend = Decimal(3 * price.input + price.output).scaleb(-12) / 4
    return blend.normalize() if blend else Decimal(0)

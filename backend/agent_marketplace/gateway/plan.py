"""PURE: wishes, targets and health in; an ordered list of attempts with reasons out. No I/O, no clock, no randomness."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from agent_marketplace.catalog import fees
from agent_marketplace.gateway.needs import Needs, missing
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.ledger import Price
from agent_marketplace.recommend.question import Choice

Credential = Literal["operator", "byok", "none"]
Why = Literal["requested", "other_endpoint", "listed_fallback", "free_fallback", "auto"]

_CONTEXT_MARGIN = 64


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach one model: an offer with the credential that would pay for it.

    price: what the caller pays, nano-dollars per million units (on the caller's own key: the plan's fee); None = unpriced.
    list_price: the provider's price; max_output, max_input, context: tokens, None = not known. reasons: it may be told to; thinks:
    the model is known as one that reasons; thinks_apart: that may be billed on top of the length it is told, as much again.
    """

    model: str
    provider: str
    upstream_id: str
    credential: Credential
    price: Price | None
    list_price: Price | None = None
    price_version: str = ""
    context: int | None = None
    max_output: int | None = None
    max_input: int | None = None
    modalities: frozenset[str] = frozenset({"text"})
    supported: frozenset[str] = frozenset()
    maker: bool = False
    reasons: bool = False
    thinks: bool = False
    thinks_apart: bool = False
    unavailable: str | None = None

    @property
    def free(self) -> bool:
        return self.price is not None and self.price.free


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A target in its place in the order, with the reason it stands there."""

    target: Target
    why: Why


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A target that was left out, and why, in words and with a code (peers' `excluded_by`)."""

    model: str
    provider: str
    code: str
    reason: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts in order and what was left out.

    chosen: what `auto` picked first
    """

    attempts: tuple[Attempt, ...]
    skipped: tuple[Skipped, ...]
    chosen: Choice | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """All targets of one model that the caller named, or that stands in for it; `unavailable`: those nobody can call now."""

    model: str
    why: Why
    targets: tuple[Target, ...]
    unavailable: tuple[Skipped, ...] = ()


Measured = Callable[[Target], tuple[float, float]]
"""Median milliseconds to the first token and tokens per second of a target; (inf, 0) where nothing is known."""


Refused = Callable[[Target], tuple[str, str] | None]
"""(code, words) where a target can't be sent this call at all."""


def compile_plan(
    groups: Sequence[Group],
    needs: Needs,
    wishes: Preferences,
    *,
    open_breaker: Callable[[Target], bool],
    measured: Measured,
    unfit: Callable[[Target], str | None] = lambda _target: None,
    refused: Refused = lambda _target: None,
) -> Plan:
    """Orders every usable target. Within a model: the caller's order, healthy first, own key first, then the sort.

    unfit: why a target can't be told the call, by its rules.
    """
    attempts: list[Attempt] = []
    skipped: list[Skipped] = []
    for group in groups:
        skipped += group.unavailable
        usable = []
        for target in group.targets:
            refusal = _refusal(target, needs, wishes) or refused(target)
            if refusal is None and (words := unfit(target)) is not None:
                refusal = ("unsupported", f"{target.model} at {target.provider}: {words}")
            if refusal is None:
                usable.append(target)
            else:
                skipped.append(
                    Skipped(model=target.model, provider=target.provider, code=refusal[0], reason=refusal[1])
                )
        if len(usable) > 1:
            usable.sort(key=lambda t: _rank(t, wishes, open_breaker, measured))
        first_of_model = True
        for target in usable:
            if group.why == "requested" and not first_of_model:
                if not wishes.allow_fallbacks or wishes.fallback is False:
                    skipped.append(
                        Skipped(
                            model=target.model,
                            provider=target.provider,
                            code="fallbacks_off",
                            reason="fallbacks are off",
                        )
                    )
                    continue
                attempts.append(Attempt(target=target, why="other_endpoint"))
            else:
                attempts.append(Attempt(target=target, why=group.why))
            first_of_model = False
    return Plan(attempts=tuple(attempts), skipped=tuple(skipped))


def _rank(
    target: Target, wishes: Preferences, open_breaker: Callable[[Target], bool], measured: Measured
) -> tuple[float | int | str, ...]:
    listed = wishes.order.index(target.provider) if target.provider in wishes.order else len(wishes.order)
    own_key_first = 0 if target.credential == "byok" and wishes.byok != "never" else 1
    price = blended(target.list_price or target.price)
    if wishes.sort == "price":
        sort: tuple[float | int, ...] = (price,)
    elif wishes.sort == "latency":
        sort = (measured(target)[0], price)
    elif wishes.sort == "throughput":
        sort = (-measured(target)[1], price)
    else:
        sort = (0 if target.maker else 1, price)
    return (int(open_breaker(target)), listed, own_key_first, *sort, target.provider, target.upstream_id)


def most_input(context: int) -> int:
    """By our own count: above it a call is refused here."""
    return context + _CONTEXT_MARGIN + context // 4


def blended(price: Price | None) -> int:
    """A price for sorting: three parts input to one part output, nano-dollars per million tokens; unpriced sorts last."""
    return (3 * price.input + price.output) // 4 if price is not None else 1 << 62


def _refusal(target: Target, needs: Needs, wishes: Preferences) -> tuple[str, str] | None:
    if wishes.only and target.provider not in wishes.only:
        return "provider_only", "not in provider.only"
    if target.provider in wishes.ignore:
        return "provider_ignore", "in provider.ignore"
    if wishes.byok == "only" and target.credential == "operator":
        return "byok_only", f"byok is only, and you saved no key for {target.provider}"
    lacking = missing(needs, target.supported, target.modalities)
    if lacking is not None:
        return "unsupported", f"{target.model} at {target.provider}: {lacking}"
    if wishes.require_parameters and target.supported and not needs.parameters <= target.supported:
        return "require_parameters", f"does not take {', '.join(sorted(needs.parameters - target.supported))}"
    if target.context is not None and needs.input_tokens > most_input(target.context):
        # Our count is an estimate: only a clear excess is refused here, the provider has the last word on the rest.
        return (
            "context_length_exceeded",
            f"about {needs.input_tokens} input tokens; it takes {target.context}",
        )
    if target.price is None:
        made = "nobody lists one for the pictures, speech or films that it makes"
        nobody = "nobody lists one" if target.list_price is None else made
        why = fees.why_unpriced(target.provider, target.upstream_id) or nobody
        return "unpriced_model", f"no price is known for {target.model} at {target.provider}: {why}"
    return _over_price(target, wishes)


def _over_price(target: Target, wishes: Preferences) -> tuple[str, str] | None:
    price = target.price
    if price is None:
        return None
    if wishes.max_price_input is not None and price.input > wishes.max_price_input:
        return "max_price", "its input price is above provider.max_price"
    if wishes.max_price_output is not None and price.output > wishes.max_price_output:
        return "max_price", "its output price is above provider.max_price"
    return None

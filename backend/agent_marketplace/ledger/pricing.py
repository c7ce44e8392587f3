"""The only place that prices. Integers throughout; the whole sum is rounded once, half up.

Formula: nano = round_half_up(sum(units x price per million) / 10^6 + per request + images x per image).
A class of usage for which a price names nothing costs what its nearest class costs (cache and audio/image input as input,
reasoning and audio/image output as output): a provider that reports an unpriced class must not make the answer free.
Which class is nearest says `usage.CLASSES`; a test holds that the fields of `Price` and `PriceTier` are its rates.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter

import msgspec

from agent_marketplace.usage import CLASSES, PIECE_RATES, TOKEN_RATES, Usage, UsageClass, counts

MILLION = 1_000_000
MAX_PER_MILLION = (
    10_000 * 10**9
)  # $10,000 per 1M tokens; the dearest list price of 2026 is $600 (o1-pro, output)
MAX_PER_PIECE = 1_000 * 10**9  # $1,000 a request or image
MAX_UNITS = 10**9  # per class and call: no context window is within two orders of magnitude


class PriceTier(msgspec.Struct, frozen=True, kw_only=True):
    """Above `above_input_tokens` these prices (nano-dollars per million) replace the base for all tokens; None = keep."""

    above_input_tokens: int
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """Nano-dollars per MILLION units; None = the price list names nothing. per_request, per_image: nano-dollars a piece."""

    input: int
    output: int
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    per_request: int = 0
    per_image: int = 0
    tiers: tuple[PriceTier, ...] = ()

    @property
    def free(self) -> bool:
        """True where nothing can cost anything."""
        if self.input or self.output:  # asked about every target of every call
            return False
        return not any(rate for _, rate in _rates(self)) and not any(fee for _, fee in _fees(self))


def validate_price(price: Price) -> Price:
    """Returns the price. Raises ValueError on anything but integers from 0 to the ceiling, or unsorted tiers."""
    for name, rate in _rates(price):
        _check(name, rate, MAX_PER_MILLION)
    for name, fee in _fees(price):
        _check(name, fee, MAX_PER_PIECE)
    above = [tier.above_input_tokens for tier in price.tiers]
    if above != sorted(set(above)) or any(a <= 0 for a in above):
        raise ValueError("price tiers must have rising thresholds above 0")
    return price


def price_usage(price: Price, usage: Usage) -> int:
    """What this usage costs, nano-dollars. Raises ValueError if a unit is negative or absurd."""
    units = counts(usage)
    if min(units) < 0 or max(units) > MAX_UNITS:
        raise ValueError(f"usage reports an impossible count: {usage}")
    if usage.reasoning > usage.output:
        raise ValueError("usage reports more reasoning than output")
    p = _at_tier(price, usage.prompt_tokens) if price.tiers else price
    # The classes of nearly every call stand here by name: this runs on the hot path.
    total = usage.input * p.input + (usage.output - usage.reasoning) * p.output + p.per_request * MILLION
    total += usage.reasoning * _or(p.reasoning, p.output) + usage.cache_read * _or(p.cache_read, p.input)
    rare = _rare_units(usage)
    if any(rare):
        total += sum(n * _scaled(p, c) for n, c in zip(rare, _RARE, strict=True) if n)
    return (total + MILLION // 2) // MILLION


def rate_of(price: Price, name: str) -> int:
    """Nano-dollars per million tokens (or a piece) of a class, its nearest class's where the list names none."""
    row = _BY_NAME[name]
    rate: int | None = getattr(price, row.rate)
    return rate if rate is not None else rate_of(price, row.falls_back_to or "input")


_BY_NAME = {c.name: c for c in CLASSES}
_RARE = tuple(c for c in CLASSES if c.name not in ("input", "cache_read", "output", "reasoning"))
_rare_units = attrgetter(*(c.name for c in _RARE))


def _scaled(price: Price, row: UsageClass) -> int:
    rate = rate_of(price, row.name)
    return rate * MILLION if row.kind == "piece" else rate


class Load(msgspec.Struct, frozen=True):
    """Tokens of which it is not known yet in which of these classes they will be billed."""

    tokens: int
    classes: tuple[str, ...]


class Worst(msgspec.Struct, frozen=True):
    """The most a call can cost, by the length of its answer: a straight line.

    fixed: everything but the answer, nano-dollars times 10^6.
    rate: the answer's, nano-dollars per million tokens.
    """

    fixed: int
    rate: int

    def amount(self, output_tokens: int) -> int:
        """The most an answer of this length can cost, nano-dollars, rounded up."""
        return -(-(self.fixed + self.rate * output_tokens) // MILLION)

    def affordable(self, nano: int) -> int | None:
        """The longest answer that this amount pays for; negative where it does not pay for the rest; None = any."""
        left = nano * MILLION - self.fixed
        if left < 0:
            return -1
        return left // self.rate if self.rate else None


def worst_case(price: Price, inputs: Sequence[Load], outputs: tuple[str, ...], *, extra_output: int) -> Worst:
    """The most a call can cost: every load at its dearest class, at the base price or at any tier that so much input reaches.

    outputs: the classes the answer can be billed in; extra_output: tokens that are billed as output besides the answer.
    """
    reached = [price]
    if price.tiers:
        prompt = sum(load.tokens for load in inputs)
        reached += [
            _at_tier(price, t.above_input_tokens + 1) for t in price.tiers if t.above_input_tokens < prompt
        ]
    fixed = rate = 0
    for p in reached:
        rate = max(rate, _dearest(p, outputs))
    for load in inputs:
        fixed += load.tokens * max([_dearest(p, load.classes) for p in reached])
    return Worst(fixed=fixed + rate * extra_output + price.per_request * MILLION, rate=rate)


@lru_cache(
    maxsize=4096
)  # a few sets of classes for each offer in use; asked about every target of every call
def _dearest(price: Price, classes: tuple[str, ...]) -> int:
    return max(rate_of(price, name) for name in classes)


def _at_tier(price: Price, prompt_tokens: int) -> Price:
    tier = None
    for candidate in price.tiers:
        if prompt_tokens > candidate.above_input_tokens:
            tier = candidate
    if tier is None:
        return price
    changed = {
        name: value for name in tier.__struct_fields__[1:] if (value := getattr(tier, name)) is not None
    }
    return msgspec.structs.replace(price, **changed)


def _or(rate: int | None, otherwise: int) -> int:
    return otherwise if rate is None else rate


def _rates(price: Price) -> Iterator[tuple[str, int]]:
    for part in (price, *price.tiers):
        for name in TOKEN_RATES:
            rate = getattr(part, name)
            if rate is not None:
                yield name, rate


FEES = ("per_request", *PIECE_RATES)
"""The fields of `Price` that are nano-dollars a piece."""


def _fees(price: Price) -> Iterator[tuple[str, int]]:
    return ((name, getattr(price, name)) for name in FEES)


def _check(name: str, value: object, ceiling: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ceiling:
        raise ValueError(f"price of {name} is {value!r}: not an integer from 0 to {ceiling} nano-dollars")

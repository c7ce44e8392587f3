"""The only place that prices. Integers throughout; the whole sum is rounded once, half up.

Formula: nano = round_half_up(sum(units x price per million) / 10^6 + per request + images x per image).
A class of usage for which a price names nothing costs what its nearest class costs (cache and audio/image input as input,
reasoning and audio/image output as output): a provider that reports an unpriced class must not make the answer free.
Which class is nearest says `usage.CLASSES`, which the fields of `Price` and `PriceTier` are checked against.
"""

from collections.abc import Iterator
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
    row: UsageClass | None = _BY_NAME[name]
    while row is not None:
        rate: int | None = getattr(price, row.rate)
        if rate is not None:
            return rate
        row = _BY_NAME.get(row.falls_back_to or "")
    raise AssertionError("every class ends at one that a price must name")


_BY_NAME = {c.name: c for c in CLASSES}
_RARE = tuple(c for c in CLASSES if c.name not in ("input", "cache_read", "output", "reasoning"))
_rare_units = attrgetter(*(c.name for c in _RARE))


def _scaled(price: Price, row: UsageClass) -> int:
    rate = rate_of(price, row.name)
    return rate * MILLION if row.kind == "piece" else rate


def worst_case(
    price: Price,
    input_tokens: int,
    max_output_tokens: int,
    *,
    cached: bool = False,
    audio: bool = False,
    images: int = 0,
) -> int:
    """The most a call can cost, nano-dollars: `price_usage` of its dearest reading.

    cached: the call asks for the provider's prompt cache; audio: it carries or wants audio; images: how many it wants.
    """
    i, o = input_tokens, max_output_tokens
    inputs = [Usage(input=i)]
    outputs = [Usage(output=o, images=images)]
    if price.reasoning is not None or any(
        tier.reasoning is not None for tier in price.tiers
    ):  # else it costs what other output costs
        outputs.append(Usage(output=o, reasoning=o, images=images))
    if cached:
        inputs += [Usage(cache_write_5m=i), Usage(cache_write_1h=i)]
    if audio:
        inputs.append(Usage(audio_input=i))
        outputs.append(Usage(audio_output=o, images=images))
    if images:
        outputs.append(Usage(image_output=o, images=images))
    return max(price_usage(price, _both(an_input, an_output)) for an_input in inputs for an_output in outputs)


def _both(i: Usage, o: Usage) -> Usage:
    return msgspec.structs.replace(
        i,
        output=o.output,
        reasoning=o.reasoning,
        audio_output=o.audio_output,
        image_output=o.image_output,
        images=o.images,
    )


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


if set(Price.__struct_fields__) != {*TOKEN_RATES, *FEES, "tiers"} or set(PriceTier.__struct_fields__) != {
    "above_input_tokens",
    *TOKEN_RATES,
}:
    raise AssertionError("a class of usage and the prices differ: usage.CLASSES says each once")

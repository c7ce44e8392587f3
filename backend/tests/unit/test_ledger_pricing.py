"""Prices: exact, rounded once, never negative, never free by accident. The oracle works with fractions of its own."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import (
    Load,
    Money,
    Price,
    PriceTier,
    Worst,
    dollars,
    nano,
    price_usage,
    validate_price,
    worst_case,
)
from agent_marketplace.ledger.plans import PLANS, plan_named
from agent_marketplace.ledger.pricing import FEES, MILLION, rate_of
from agent_marketplace.usage import COUNTS, INPUTS, TOKEN_RATES, Usage

RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning",
         "audio_input", "audio_output", "image_input", "image_output")  # fmt: skip
rates = st.integers(0, 10_000 * 10**9)
maybe = st.none() | rates
units = st.integers(0, 2_000_000)
tiers = st.builds(PriceTier, above_input_tokens=st.integers(1, 2_000_000), **dict.fromkeys(RATES, maybe))
prices = st.builds(
    Price,
    input=rates,
    output=rates,
    **dict.fromkeys(RATES[2:], maybe),
    per_request=st.integers(0, 10**9),
    per_image=st.integers(0, 10**9),
    tiers=st.lists(tiers, max_size=3, unique_by=lambda t: t.above_input_tokens).map(
        lambda ts: tuple(sorted(ts, key=lambda t: t.above_input_tokens))
    ),
)


@st.composite
def usages(draw):
    names = [n for n in RATES if n != "reasoning"]
    values = {name: draw(units) for name in names}
    return Usage(**values, reasoning=draw(st.integers(0, values["output"])), images=draw(st.integers(0, 20)))


def oracle(price, usage):
    """Dollars as fractions, from the price list's own words: $ per 1M tokens, then one rounding to 10^-9 dollars."""
    listed = {name: getattr(price, name) for name in RATES}
    for tier in price.tiers:
        if usage.prompt_tokens > tier.above_input_tokens:
            listed = {
                name: getattr(tier, name) if getattr(tier, name) is not None else getattr(price, name)
                for name in RATES
            }
    per_token = {
        name: None if rate is None else Fraction(rate, 10**9) / 10**6 for name, rate in listed.items()
    }

    def rate(*names):
        return next(per_token[name] for name in names if per_token[name] is not None)

    cost = [
        usage.input * rate("input"),
        usage.cache_read * rate("cache_read", "input"),
        usage.cache_write_5m * rate("cache_write_5m", "input"),
        usage.cache_write_1h * rate("cache_write_1h", "cache_write_5m", "input"),
        (usage.output - usage.reasoning) * rate("output"),
        usage.reasoning * rate("reasoning", "output"),
        usage.audio_input * rate("audio_input", "input"),
        usage.audio_output * rate("audio_output", "output"),
        usage.image_input * rate("image_input", "input"),
        usage.image_output * rate("image_output", "output"),
        Fraction(price.per_request, 10**9),
        usage.images * Fraction(price.per_image, 10**9),
    ]
    exact = sum(cost) * 10**9
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


@given(prices, usages())
def test_a_charge_never_differs_from_exact_fractions(price, usage):
    assert price_usage(price, usage) == oracle(price, usage)


@st.composite
def calls(draw):
    """Loads as the gateway sizes them, the classes of the answer, and one usage that a provider may report of them."""
    usage: dict[str, int] = {}
    loads = []
    for _ in range(draw(st.integers(0, 3))):
        load = Load(draw(units), tuple(draw(st.sets(st.sampled_from(INPUTS), min_size=1))))
        loads.append(load)
        left = draw(st.integers(0, load.tokens))
        for name in load.classes:
            share = draw(st.integers(0, left))
            usage[name] = usage.get(name, 0) + share
            left -= share
    outputs = ("output", *draw(st.sets(st.sampled_from(("audio_output", "image_output")))))
    length = left = draw(units)
    for name in outputs:
        usage[name] = draw(st.integers(0, left))
        left -= usage[name]
    if draw(st.booleans()):
        outputs = (*outputs, "reasoning")
        usage["reasoning"] = draw(st.integers(0, usage["output"]))
    return loads, outputs, length, Usage(**usage)


@given(prices, calls(), st.integers(0, 1000))
def test_whatever_a_provider_reports_within_the_loads_is_covered(price, call, extra):
    loads, outputs, length, reported = call
    if any(p.reasoning is not None for p in (price, *price.tiers)) and reported.reasoning == 0:
        outputs = (*outputs, "reasoning")
    worst = worst_case(price, loads, outputs, extra_output=extra)
    held = worst.amount(length)
    assert price_usage(price, reported) <= held
    assert worst.amount(0) <= held
    affordable = worst.affordable(held)
    assert affordable is None or affordable >= length
    assert worst.amount(min(length, affordable if affordable is not None else length)) <= held
    assert worst.fixed == 0 or worst.affordable(worst.amount(0) - 1) == -1


@given(prices, st.sets(st.sampled_from(INPUTS), min_size=1), units)
def test_a_kept_rate_is_the_rate_of_that_price(price, classes, tokens):
    """Rates are kept between calls: two prices that differ anywhere must not share one."""
    load = Load(tokens, tuple(classes))
    want = max(rate_of(price, name) for name in load.classes)
    if not price.tiers:
        worst = worst_case(price, [load], ("output",), extra_output=0)
        assert worst.fixed == tokens * want + price.per_request * MILLION
        assert worst.rate == price.output
    dearer = msgspec.structs.replace(price, **dict.fromkeys(RATES, 10**13))
    assert worst_case(dearer, [load], ("output",), extra_output=0).fixed >= tokens * 10**13
    assert worst_case(price, [load], ("output",), extra_output=0).fixed >= tokens * want


def test_a_load_costs_only_what_the_call_asked_for():
    price = Price(input=10**9, output=10**9, audio_input=10**11, cache_write_1h=2 * 10**9, per_request=7)
    for name, rate in (("input", 1), ("cache_write_1h", 2), ("audio_input", 100), ("cache_write_5m", 1)):
        worst = worst_case(price, [Load(1_000_000, ("input", name))], ("output",), extra_output=0)
        assert worst.amount(0) == rate * 10**9 + 7
    assert worst_case(price, [], ("output",), extra_output=1_000_000).amount(0) == 10**9 + 7


def test_a_tier_that_so_much_input_reaches_is_held_for_and_one_beyond_is_not():
    price = Price(input=1, output=1, tiers=(PriceTier(above_input_tokens=100, input=5, output=9),))
    assert worst_case(price, [Load(100, ("input",))], ("output",), extra_output=0) == Worst(100, 1)
    assert worst_case(price, [Load(101, ("input",))], ("output",), extra_output=0) == Worst(505, 9)


def test_the_prices_name_every_class_of_usage_and_no_other():
    assert set(Price.__struct_fields__) == {*TOKEN_RATES, *FEES, "tiers"}
    assert set(PriceTier.__struct_fields__) == {"above_input_tokens", *TOKEN_RATES}
    assert {*COUNTS, "estimated"} == set(Usage.__struct_fields__)


def test_half_a_nano_rounds_up_once_not_per_class():
    price = Price(input=250_000, output=250_000)
    assert price_usage(price, Usage(input=1, output=1)) == 1
    assert price_usage(price, Usage(input=1)) == 0


@pytest.mark.parametrize("name", [*RATES, "images"])
def test_negative_or_absurd_usage_cannot_pay_a_user_out(name):
    for units_ in (-1, 10**12):
        with pytest.raises(ValueError, match="reports"):
            price_usage(Price(input=1, output=1), Usage(**{name: units_}))


def test_more_reasoning_than_output_cannot_make_output_negative():
    with pytest.raises(ValueError, match="reasoning"):
        price_usage(Price(input=1, output=1), Usage(output=1, reasoning=2))


@pytest.mark.parametrize("bad", [-1, True, 1.5, float("nan"), float("inf"), "1", 10_000 * 10**9 + 1])
def test_no_bad_price_gets_into_the_price_list(bad):
    for price in (
        Price(input=bad, output=1),
        Price(input=1, output=1, cache_read=bad),
        Price(input=1, output=1, tiers=(PriceTier(above_input_tokens=10, output=bad),)),
        Price(input=1, output=1, per_request=bad if bad != 10_000 * 10**9 + 1 else 10**13),
    ):
        with pytest.raises(ValueError, match="price of"):
            validate_price(price)


@pytest.mark.parametrize("above", [(10, 10), (20, 10), (0,), (-5,)])
def test_ambiguous_tiers_are_refused(above):
    with pytest.raises(ValueError, match="thresholds"):
        validate_price(Price(input=1, output=1, tiers=tuple(PriceTier(above_input_tokens=a) for a in above)))


@given(prices)
def test_a_price_is_free_only_if_nothing_can_cost(price):
    price = validate_price(price)
    if price.free:
        usage = Usage(**dict.fromkeys((*RATES, "images"), 1_000_000))
        assert price_usage(price, usage) == 0


def test_the_free_price_is_recognised():
    assert Price(input=0, output=0, cache_read=0).free
    assert not Price(input=0, output=0, per_image=1).free


@given(st.integers(-(10**18), 10**18))
def test_money_prints_and_parses_exactly(amount):
    money = Money(amount)
    assert Money.of(str(money)) == Money.of(money.decimal) == money
    assert "E" not in str(money)
    assert nano(dollars(amount)) == amount


@pytest.mark.parametrize(
    ("given_", "want"),
    [(0.1, 10**8), (0.1 + 0.2, None), (5, 5 * 10**9), ("1e-9", 1), (Decimal("-0.5"), -5 * 10**8)],
)
def test_floats_become_money_only_through_their_text(given_, want):
    if want is None:
        with pytest.raises(ValueError, match="places"):
            Money.of(given_)
    else:
        assert Money.of(given_).nano == want


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "NaN",
        "Infinity",
        float("nan"),
        float("inf"),
        "1e30",
        True,
        None,
        "0.0000000001",
        [1],
        "\uff11",
        "1\u0663",
    ],
)
def test_what_is_no_amount_is_never_money(bad):
    with pytest.raises(ValueError, match=r".+"):
        Money.of(bad)


def test_money_adds_up():
    assert Money(5) + Money(-7) == -Money(2) == Money(1) - Money(3)
    assert Money(1) < Money(2)
    assert str(Money(-12_500_000)) == "-0.0125"


def test_an_unknown_plan_is_named_not_guessed():
    assert plan_named("pro") in PLANS
    with pytest.raises(BadRequest, match="enterprise"):
        plan_named("platinum")

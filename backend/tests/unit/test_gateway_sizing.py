"""A hold that is too small lets a wallet spend what it does not have; one that is too big refuses calls for nothing."""

import msgspec
import pytest
from msgspec.structs import replace

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway import billing, sizing
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Attempt, Plan, Target
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.ledger import Balance, Price, price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Message, OpaquePart, TextPart
from agent_marketplace.wires.shared.bounds import TextSize
from agent_marketplace.wires.shared.forms import Forms

CHEAP = Price(input=10**9, output=4 * 10**9)  # $1 and $4 per million tokens
DEAR = Price(input=10**10, output=4 * 10**10)


def target(name: str = "m", price: Price | None = CHEAP, **fields) -> Target:
    return Target(
        model=name,
        provider="p",
        upstream_id=name,
        credential="operator",
        price=price,
        price_version=name,
        **fields,
    )


def plan(*targets: Target, why="requested") -> Plan:
    return Plan(attempts=tuple(Attempt(target=t, why=why) for t in targets), skipped=())


def asked(
    *, cap: int | None = None, stream=False, choices=1, tokens=1000, max_cost=None, usual=None, lowers=False
) -> Asked:
    call = Call(model="m", messages=(Message("user", (TextPart("hello"),)),), max_tokens=cap, stream=stream)
    needs = Needs(input_tokens=tokens, output_tokens=cap, stream=stream, choices=choices)
    forms = Forms(text=TextSize(size=tokens, words=tokens, words_openai=tokens))
    return Asked(
        call=call, needs=needs, input_tokens=tokens, forms=forms, max_cost=max_cost, usual=usual or {}, lowers=lowers,
    )  # fmt: skip


@pytest.mark.parametrize("cap", [None, 1, 500, 100_000])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("choices", [1, 3])
def test_what_is_held_covers_every_attempt_at_the_length_its_provider_is_given(cap, stream, choices) -> None:
    call = asked(cap=cap, stream=stream, choices=choices)
    attempts = (target("a"), target("b", DEAR, max_output=4096), target("c", reasons=True))
    taken = sizing.fit(call, plan(*attempts))
    hold = sizing.held(taken)
    for each in attempts:
        length = sizing.output_cap(call, hold, each)
        if length is None:
            assert stream
            assert cap is None, "a length that was asked for is always passed on"
            length = sizing.covered(call, hold, each) // choices
        assert sizing.bound(call, each, length * choices) <= hold.amount_nano


def test_a_budget_drops_the_dear_attempts_before_it_shortens_the_answer() -> None:
    call, cheap, dear = asked(cap=1000), target("cheap"), target("dear", DEAR)
    budget = sizing.bound(call, cheap, 1000)
    taken = sizing.within(call, plan(dear, cheap), budget, "too dear")
    assert taken is not None
    assert [a.target.model for a in taken.plan.attempts] == ["cheap"]
    assert (taken.amount, taken.short) == (budget, False)
    assert [(s.model, s.code, s.reason) for s in taken.plan.skipped] == [("dear", "unaffordable", "too dear")]


def test_an_answer_without_a_length_shrinks_to_the_budget_and_one_with_a_length_is_refused() -> None:
    budget = sizing.bound(asked(), target(), 100)
    taken = sizing.within(asked(), plan(target()), budget, "")
    assert taken is not None
    assert (taken.short, taken.amount) == (True, budget)
    hold = sizing.held(taken)
    assert sizing.output_cap(asked(), hold, target()) == 100
    assert sizing.within(asked(cap=4000), plan(target()), budget, "") is None


@pytest.mark.parametrize("choices", [1, 3])
@pytest.mark.parametrize("stream", [False, True])
def test_a_length_that_may_be_lowered_becomes_what_the_budget_buys_and_never_less_than_1024(choices, stream):
    call = asked(cap=32_000, lowers=True, choices=choices, stream=stream)
    least = sizing.bound(call, target(), 1024 * choices)
    assert sizing.within(call, plan(target()), least - 1, "") is None
    for budget in (least, sizing.bound(call, target(), 5000 * choices)):
        taken = sizing.within(call, plan(target()), budget, "")
        assert taken is not None
        hold = sizing.held(taken)
        length = sizing.lowered(call, hold, target())
        assert length == sizing.output_cap(call, hold, target()) == (1024 if budget == least else 5000)
        assert sizing.bound(call, target(), length * choices) <= hold.amount_nano <= budget
    enough = sizing.within(call, plan(target()), sizing.bound(call, target(), 32_000 * choices), "")
    assert enough is not None
    assert sizing.lowered(call, sizing.held(enough), target()) is None


def test_a_model_that_gives_less_than_was_asked_for_is_not_said_to_be_short_of_money():
    call, small, big = asked(cap=32_000, lowers=True), target("a", max_output=1500), target("b")
    taken = sizing.within(call, plan(big, small), sizing.bound(call, big, 2000), "")
    assert taken is not None
    assert [a.target.model for a in taken.plan.attempts] == ["a"], "what is paid in full goes first"
    assert sizing.lowered(call, sizing.held(taken), small) is None


def test_a_free_stand_in_alone_is_not_what_was_asked_for() -> None:
    paid, free = target("paid"), target("free", Price(input=0, output=0))
    both = Plan(
        attempts=(Attempt(target=paid, why="requested"), Attempt(target=free, why="free_fallback")),
        skipped=(),
    )
    assert sizing.within(asked(cap=1000), both, 0, "") is None


def test_max_cost_bounds_the_hold_each_slice_and_the_length_the_provider_is_given() -> None:
    ceiling = sizing.bound(asked(), target(), 2000)
    call = asked(stream=True, max_cost=ceiling)
    hold = sizing.held(sizing.fit(call, plan(target())))
    assert hold.amount_nano <= ceiling
    assert sizing.output_cap(call, hold, target()) == 2000
    running = Held(amount_nano=hold.amount_nano, short=False, price_version="m", tokens=1024)
    assert sizing.slice_amount(call, running, target(), 976) == ceiling
    with pytest.raises(PaymentRequired) as refused:
        sizing.slice_amount(call, running, target(), 977)
    assert refused.value.code == "max_cost_exceeded"


def test_a_call_that_max_cost_can_not_pay_says_what_it_would_take() -> None:
    call = asked(cap=1000, max_cost=1)
    with pytest.raises(PaymentRequired) as refused:
        sizing.fit(call, plan(target("dear", DEAR), target("cheap")))
    need = refused.value.extra["required"]
    enough = asked(cap=1000, max_cost=int(need.scaleb(9)))
    assert [
        a.target.model for a in sizing.fit(enough, plan(target("dear", DEAR), target("cheap"))).plan.attempts
    ] == ["cheap"]


def test_affordable_is_the_very_last_token_that_the_money_buys() -> None:
    call, nano = asked(), 10**7
    most = sizing.affordable_tokens(call, target(), nano)
    assert sizing.bound(call, target(), most) <= nano < sizing.bound(call, target(), most + 1)
    assert sizing.affordable_tokens(call, target(), 1) == 0, "not even the input is paid"


def test_usual_answers_of_a_model_are_held_for_but_never_beyond_what_it_can_give() -> None:
    long = asked(stream=True, usual={"m": 9000})
    assert sizing.wanted_tokens(long, target()) == 9000
    assert sizing.wanted_tokens(long, target(max_output=2048)) == 2048
    assert sizing.wanted_tokens(asked(usual={"m": 9000}), target()) == 36_000, (
        "a plain answer can't be extended"
    )


def test_a_refused_key_is_told_apart_from_an_empty_wallet() -> None:
    balance = Balance(balance=50, held=20)
    of_wallet = sizing.not_covered(asked(cap=10), plan(target()), balance, 30, by_cap=None, free="tiny")
    of_key = sizing.not_covered(
        asked(cap=10),
        plan(target()),
        balance,
        5,
        by_cap=PaymentRequired("The cap is reached", extra={"cap": 1}),
        free=None,
    )
    assert (of_wallet.extra["scope"], of_wallet.extra["free_alternative"]) == ("wallet", "tiny")
    assert (of_key.extra["scope"], of_key.extra["cap"]) == ("key", 1)
    assert of_key.message.startswith("The cap is reached: the most this call can cost is held")


def test_an_unpriced_target_costs_nothing_to_hold_and_a_free_one_is_not_capped() -> None:
    unpriced, free = target(price=None), target(price=Price(input=0, output=0))
    assert (sizing.bound(asked(), unpriced, 10), sizing.estimate(asked(), unpriced, 10)) == (0, 0)
    hold = Held(amount_nano=0, short=False, price_version="")
    assert sizing.output_cap(asked(cap=5), hold, free) is None
    assert sizing.slice_amount(asked(), hold, unpriced, 10) == 0


def test_thinking_that_may_be_billed_on_top_of_a_length_is_held_for_where_it_is_tolerated() -> None:
    """The charge of the most that is tolerated is what is held; where nothing is tolerated, nothing is held for it."""
    for apart, choices in ((True, 1), (True, 3), (False, 1), (False, 3)):
        offer = target(thinks_apart=apart)
        given = asked(cap=100, choices=choices)
        length = sizing.wanted_tokens(given, offer)
        claimed = Usage(input=0, output=9_000, reasoning=8_000)
        charged = billing.within_the_asked(claimed, 100, choices, thinks_apart=apart)
        assert charged.output == (200 if apart else 100) * choices + billing.END_MARKS * choices
        assert price_usage(CHEAP, charged) <= sizing.bound(given, offer, length)


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ({}, {"thinking_budget": 60_000}),
        ({"reasoning_max_tokens": 60_000}, {}),
        ({}, {"thinking": {"type": "enabled", "budget_tokens": 60_000}}),
    ],
)
def test_a_budget_for_thinking_beside_a_short_answer_is_held_for_where_it_counts_apart(fields, extra) -> None:
    """Sixteen tokens of answer and sixty thousand of thinking: at the operator's cost, for who asks for them."""
    plain = asked(cap=16, choices=2)
    given = replace(plain, call=replace(plain.call, extra=extra, **fields))
    offer = target(thinks_apart=True)
    claimed = Usage(input=0, output=2 * 60_016, reasoning=2 * 60_000)
    budget = sizing.thinking_budget(given.call)
    charged = billing.within_the_asked(claimed, 16, 2, thinks_apart=True, budget=budget)
    assert charged == claimed
    assert price_usage(CHEAP, charged) <= sizing.bound(given, offer, sizing.wanted_tokens(given, offer))
    assert sizing.bound(given, target(), 32) == sizing.bound(plain, target(), 32)


def test_a_window_that_must_be_asked_for_is_held_for_once_it_is() -> None:
    pdf = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    claude = Target(
        model="claude-sonnet-4-5", provider="anthropic", upstream_id="claude-sonnet-4-5", credential="operator",
        price=Price(input=3_000_000_000, output=15_000_000_000), context=1_000_000, max_input=200_000,
    )  # fmt: skip
    given = Asked(
        call=Call(model="claude-sonnet-4-5", messages=(Message("user", (OpaquePart("document", pdf),)),)),
        needs=Needs(output_tokens=1), input_tokens=1, forms=Forms(unsized=("document",)),
    )  # fmt: skip
    offer = ("anthropic", "claude-sonnet-4-5")
    held = {
        "as it is": sizing.bound(given, claude, 0),
        "beta": sizing.bound(msgspec.structs.replace(given, long_context=True), claude, 0),
        "broken": sizing.bound(msgspec.structs.replace(given, broken=frozenset({offer})), claude, 0),
    }
    marks = billing.END_MARKS * 15_000
    assert held == {
        "as it is": 600_000_000 + marks,
        "beta": 3_000_000_000 + marks,
        "broken": 3_000_000_000 + marks,
    }


def test_a_small_wallet_is_told_what_of_its_call_is_held_for_so_largely() -> None:
    call = asked(cap=10, max_cost=1)
    film = replace(call, forms=replace(call.forms, unsized=("application/pdf",)))
    for given, told in ((call, False), (film, True)):
        of_wallet = sizing.not_covered(
            given, plan(target()), Balance(balance=1, held=0), 1, by_cap=None, free=None
        )
        of_ceiling = sizing.above_max_cost(given, plan(target()), 1)
        assert ("application/pdf" in of_wallet.message) is ("application/pdf" in of_ceiling.message) is told

"""PURE: how much money a call needs. Values in, values out: no ledger, no clock, no server.

Two numbers of one call at one target for one length of answer: `estimate`, which is shown, and `bound`, which is held.
Everything else here follows from the bound: what of a plan a budget pays (`whole`, `within`), how long an answer the
provider may be asked for (`output_cap`), what a stream's next slice costs (`slice_amount`), and the words of a 402.
Money in nano-dollars, lengths in tokens of all choices (`n`) together unless a name says otherwise.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway import billing, loads
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Attempt, Plan, Skipped, Target
from agent_marketplace.ledger import Balance, Worst, dollars, price_usage, worst_case
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call
from agent_marketplace.wires.shared.forms import Forms

LEAST_OUTPUT_TOKENS = 16
LEAST_LOWERED_TOKENS = 1024
_MOST_OUTPUT_TOKENS = 1_000_000
_USUAL_OUTPUT_TOKENS = 1024
_UNSEEN_OUTPUT_TOKENS = 32_768
"""Of a stream that may think unseen, without a length of its own: it can't be bought as it comes."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is sized.

    call: as it was parsed
    needs: what was read off it
    input_tokens: our count of its input, for the estimate
    forms: everything that a provider can bill for reading it, for the bound
    max_cost: the caller's ceiling, nano-dollars; None = none
    broken: offers (provider, name there) that billed more than their bound for such calls: held for at their largest input
    long_context: the whole window is asked for, of which some models else take a part
    usual: output tokens that a model's answers usually have at most, by model id; absent = not known
    lowers: a length that can't be held may become what the balance buys, from LEAST_LOWERED_TOKENS of each choice on
    """

    call: Call
    needs: Needs
    input_tokens: int
    forms: Forms
    max_cost: int | None = None
    broken: frozenset[tuple[str, str]] = frozenset()
    long_context: bool = False
    usual: Mapping[str, int] = {}
    lowers: bool = False


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with the amount that covers each of its attempts.

    short: the answer's length is what the amount buys, not what is wanted
    """

    plan: Plan
    dearest: Target
    amount: int
    short: bool = False


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as taken, or as extended.

    short: it covers less than what is wanted, so the provider is told how long its answer may be
    tokens: output tokens that are covered at the attempt that answers; 0 before it does
    """

    amount_nano: int
    short: bool
    price_version: str
    tokens: int = 0


def estimate(asked: Asked, target: Target, output_tokens: int) -> int:
    """What an answer of this length will probably cost, nano-dollars."""
    if target.price is None:
        return 0
    return price_usage(target.price, Usage(input=asked.input_tokens, output=output_tokens))


def bound(asked: Asked, target: Target, output_tokens: int) -> int:
    """The most an answer of this length can cost, nano-dollars: whatever this provider may bill for this call, at the dearest
    class that each part of it can reach."""
    worst = _worst(asked, target)
    return worst.amount(output_tokens) if worst is not None else 0


def _worst(asked: Asked, target: Target) -> Worst | None:
    """The bound as a line over the answer's length; None where nothing is charged."""
    price = target.price
    if price is None or price.free:
        return None
    forms = asked.forms
    if broken := (target.provider, target.upstream_id) in asked.broken:
        forms = msgspec.structs.replace(forms, unsized=("a bound that failed",))
    worst = worst_case(
        price,
        loads.inputs(forms, target, price, long_context=broken or asked.long_context),
        loads.output_classes(forms, target, price),
        extra_output=loads.predicted(forms, target) + billing.END_MARKS * asked.needs.choices,
    )
    if not target.thinks_apart:
        return worst
    # As `billing.within_the_asked` charges: thinking up to the length of the answer, or to the budget for it, on top of it.
    budget = thinking_budget(asked.call) * asked.needs.choices
    return msgspec.structs.replace(worst, rate=2 * worst.rate, fixed=worst.fixed + worst.rate * budget)


def thinking_budget(call: Call) -> int:
    """Tokens of thinking that the caller asked for in so many words; 0 = none were named."""
    thinking = call.extra.get("thinking")
    named = (
        call.reasoning_max_tokens,
        call.extra.get("thinking_budget"),
        thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None,
    )
    return min(_MOST_OUTPUT_TOKENS, max((0, *(n for n in named if isinstance(n, int)))))


def affordable_tokens(asked: Asked, target: Target, nano: int) -> int:
    """The longest answer that `nano` buys after the input; 0 if not even the input."""
    worst = _worst(asked, target)
    tokens = worst.affordable(nano) if worst is not None else None
    return _MOST_OUTPUT_TOKENS if tokens is None else min(max(0, tokens), _MOST_OUTPUT_TOKENS)


def wanted_tokens(asked: Asked, target: Target) -> int:
    """Output to hold for: the caller's cap, else this model's usual long answer (more where it can't be extended)."""
    needs = asked.needs
    if needs.output_tokens is not None:
        return min(needs.output_tokens, target.max_output or _MOST_OUTPUT_TOKENS) * needs.choices
    usual = max(_USUAL_OUTPUT_TOKENS, asked.usual.get(target.model, 0))
    if target.reasons:
        usual *= 4
    if not sliced(asked, target):
        usual = max(4 * usual, _UNSEEN_OUTPUT_TOKENS) if needs.stream else 4 * usual
    return min(usual, target.max_output or usual) * needs.choices


def sliced(asked: Asked, target: Target) -> bool:
    """Whether the answer is bought slice by slice as it comes: a stream whose length its caller left open, and of which all that
    is billed can be read. Of every other one the provider is told the length."""
    needs = asked.needs
    if not needs.stream or needs.output_tokens is not None or needs.choices > 1 or asked.forms.speaks:
        return False
    if target.price is not None and target.price.image_output is not None:
        return False
    return not _may_think(asked.call, target)


def _may_think(call: Call, target: Target) -> bool:
    """Whether thinking may be billed that is not, or only in part, shown. Claude does not think unless it is asked to."""
    if not (target.reasons or target.thinks) or call.reasoning_effort == "none":
        return False
    asked_to = call.reasoning_effort is not None or call.reasoning_max_tokens is not None or call.adaptive
    return asked_to or "claude" not in target.model


def fit(asked: Asked, plan: Plan) -> Fit:
    """The whole plan, or what of it `max_cost` allows. Raises PaymentRequired (max_cost_exceeded) where that is nothing."""
    everything, ceiling = whole(asked, plan), asked.max_cost
    if ceiling is None or everything.amount <= ceiling:
        return everything
    allowed = within(asked, plan, ceiling, "costs more than max_cost")
    if allowed is None:
        raise above_max_cost(asked, plan, ceiling)
    return allowed


def whole(asked: Asked, plan: Plan) -> Fit:
    """All of the plan, for answers as long as they may get."""
    costs = [(_full(asked, a.target), -i) for i, a in enumerate(plan.attempts)]
    amount, place = max(costs)
    return Fit(plan=plan, dearest=plan.attempts[-place].target, amount=amount)


def within(asked: Asked, plan: Plan, budget: int, why_not: str) -> Fit | None:
    """What of the plan `budget` pays in full; else, where no length was asked for or it may be lowered, what it buys a
    shorter answer of.

    None where it pays nothing that was asked for. why_not: the words for attempts that are left out.
    """
    full = _kept(plan, lambda t: _full(asked, t) <= budget, why_not)
    if full is not None:
        return whole(asked, full)
    given = asked.needs.output_tokens is not None
    if given and not asked.lowers:
        return None
    least = (LEAST_LOWERED_TOKENS if given else LEAST_OUTPUT_TOKENS) * asked.needs.choices
    short = _kept(plan, lambda t: bound(asked, t, least) <= budget, why_not)
    if short is None:
        return None
    costs = []
    for i, attempt in enumerate(short.attempts):
        tokens = _bought(asked, attempt.target, budget)
        costs.append((bound(asked, attempt.target, tokens), -i))
    amount, place = max(costs)
    return Fit(plan=short, dearest=short.attempts[-place].target, amount=amount, short=True)


def held(taken: Fit) -> Held:
    """The hold that was taken for a fit."""
    return Held(
        amount_nano=taken.amount,
        price_version=taken.dearest.price_version,
        short=taken.short,
    )


def capped(asked: Asked, hold: Held, target: Target) -> bool:
    """Whether the provider is told how long its answer may be: what the hold covers, and never extended."""
    return hold.short or not sliced(asked, target)


def covered(asked: Asked, hold: Held, target: Target) -> int:
    """Output tokens that the hold covers at a target."""
    if not hold.short:  # then every attempt of the plan is covered: nothing to price again
        return wanted_tokens(asked, target)
    return _bought(asked, target, hold.amount_nano)


def output_cap(asked: Asked, hold: Held, target: Target) -> int | None:
    """`max_tokens` of each choice for the provider; None = its own limit (the stream is watched and extended)."""
    if target.free or target.price is None:
        return None
    choices = asked.needs.choices
    if capped(asked, hold, target):
        tokens = covered(asked, hold, target)
    elif asked.max_cost is not None:
        tokens = affordable_tokens(asked, target, asked.max_cost)
        tokens = min(tokens, (target.max_output or tokens) * choices)
    else:
        return None
    return max(1, tokens // choices)


def lowered(asked: Asked, hold: Held, target: Target) -> int | None:
    """The length of each choice that the balance buys in place of the one that was asked for; None where it buys that one."""
    if not hold.short or asked.needs.output_tokens is None:
        return None
    tokens = covered(asked, hold, target)
    return None if tokens >= wanted_tokens(asked, target) else tokens // asked.needs.choices


def slice_amount(asked: Asked, hold: Held, target: Target, tokens: int) -> int:
    """What the hold has to come to for `tokens` more. Raises PaymentRequired where `max_cost` forbids it."""
    amount = max(bound(asked, target, hold.tokens + tokens), hold.amount_nano)
    if asked.max_cost is not None and amount > asked.max_cost:
        raise PaymentRequired("max_cost is reached: the answer was stopped here", code="max_cost_exceeded")
    return amount


def above_max_cost(asked: Asked, plan: Plan, ceiling: int) -> PaymentRequired:
    """The 402 of a call whose cheapest target costs more than the caller allows."""
    target = _cheapest(asked, plan)
    given = asked.needs.output_tokens is not None
    least = _full(asked, target) if given else bound(asked, target, LEAST_OUTPUT_TOKENS)
    affordable = affordable_tokens(asked, target, ceiling) if target.price is not None else 0
    return PaymentRequired(
        f"The most this can cost is ${dollars(least):f}, above max_cost ${dollars(ceiling):f}: a bound for the worst case"
        + _of_unknown_size(asked),
        code="max_cost_exceeded",
        extra={"required": dollars(least), "max_affordable_tokens": affordable},
    )


def not_covered(
    asked: Asked,
    plan: Plan,
    balance: Balance,
    available: int,
    *,
    by_cap: PaymentRequired | None,
    free: str | None,
) -> PaymentRequired:
    """The 402 of a wallet, or of a key's cap, that does not cover the cheapest target.

    available: what a new hold may take, nano-dollars; by_cap: the ledger's refusal where the key's cap is what refused;
    free: a free model that could answer, the way out.
    """
    target = _cheapest(asked, plan)
    length = wanted_tokens(asked, target)
    extra: dict[str, Any] = {
        "required": dollars(_full(asked, target)),
        "balance": dollars(balance.balance),
        "held": dollars(balance.held),
        "available": dollars(available),
        "max_affordable_tokens": affordable_tokens(asked, target, available) if target.price else 0,
        "free_alternative": free,
        "scope": "wallet",
    }
    most = f"the most this call can cost is held before it is sent, ${extra['required']:f}"
    most += f" for an answer of up to {length:,} tokens" if length else ""
    words = (
        f"Insufficient balance: {most}; "
        f"${extra['available']:f} is left (balance ${extra['balance']:f}, held for other calls ${extra['held']:f})"
    )
    if by_cap is not None:
        extra |= {"scope": "key", "cap": by_cap.extra["cap"]}
        words = f"{by_cap.message}: {most}; ${extra['available']:f} is left"
    return PaymentRequired(words + _of_unknown_size(asked), code="payment_required", extra=extra)


def _of_unknown_size(asked: Asked) -> str:
    """What makes a hold so large, and the way out."""
    if not asked.forms.unsized:
        return ""
    return (
        f". The size of this can't be known before it is read: {', '.join(asked.forms.unsized[:3])}. So the most that the model reads"
        " is held for it: send its text, or ask a model with a smaller window"
    )


def least(asked: Asked, plan: Plan) -> int:
    """What has to be there for one attempt at least to be paid in full."""
    return _full(asked, _cheapest(asked, plan))


def _full(asked: Asked, target: Target) -> int:
    return bound(asked, target, wanted_tokens(asked, target))


def _bought(asked: Asked, target: Target, nano: int) -> int:
    """Output tokens that `nano` buys at a target, at most what is wanted of it."""
    wanted = wanted_tokens(asked, target)
    if target.price is None or bound(asked, target, wanted) <= nano:
        return wanted
    return affordable_tokens(asked, target, nano)


def _kept(plan: Plan, payable: Callable[[Target], bool], why_not: str) -> Plan | None:
    """The plan without the attempts that can't be paid; None if none is left that was asked for."""
    kept = tuple(a for a in plan.attempts if payable(a.target))
    if not set(kept).intersection(_asked_for(plan)):
        return None
    dropped = tuple(
        Skipped(model=a.target.model, provider=a.target.provider, code="unaffordable", reason=why_not)
        for a in plan.attempts
        if a not in kept
    )
    return msgspec.structs.replace(plan, attempts=kept, skipped=plan.skipped + dropped)


def _asked_for(plan: Plan) -> list[Attempt]:
    """The attempts without the free models that only stand in for a failure."""
    first = plan.attempts[0].target.model
    return [a for a in plan.attempts if a.why != "free_fallback" or a.target.model == first]


def _cheapest(asked: Asked, plan: Plan) -> Target:
    return min((a.target for a in _asked_for(plan)), key=lambda t: _full(asked, t))

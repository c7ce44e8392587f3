"""Sizing and taking the hold: enough for the dearest attempt, never more than the wallet, and the 402 that says the way out."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Attempt, Plan, Skipped, Target
from agent_marketplace.ledger import Balance, Price, dollars, worst_case

if TYPE_CHECKING:
    from agent_marketplace.gateway.flight import Flight

LEAST_OUTPUT_TOKENS = 16
_MOST_OUTPUT_TOKENS = 1_000_000
_USUAL_OUTPUT_TOKENS = 1024
_MARGIN = 6  # the offline counter is within 15 % of real usage on English and code
_LEAST_MARGIN = 8


class Sized(msgspec.Struct, kw_only=True):
    """A hold as taken. short: it covers less than what is wanted; capped: whether the upstream is told how long its answer may be;
    tokens: output tokens of all choices that are covered at the attempt that answers (set by `cover`)."""

    amount_nano: int
    needs: Needs
    short: bool
    capped: bool
    price_version: str
    tokens: int = 0


def cost_of(target: Target, input_tokens: int, output_tokens: int) -> int:
    """The most this target can cost, nano-dollars."""
    return worst_case(target.price, input_tokens, output_tokens) if target.price is not None else 0


def with_margin(input_tokens: int) -> int:
    """The most input that a provider is expected to count where we count `input_tokens`."""
    return input_tokens + input_tokens // _MARGIN + _LEAST_MARGIN


def held_input(flight: "Flight") -> int:
    """Input tokens to hold for: our estimate with its margin, so that a provider's own count does not outrun the hold."""
    return with_margin(flight.input_tokens)


def affordable_tokens(price: Price, input_tokens: int, nano: int) -> int:
    """The most output tokens that `nano` buys after the input; 0 if not even the input. Exact, by bisection on the price."""
    if worst_case(price, input_tokens, 0) > nano:
        return 0
    low, high = 0, _MOST_OUTPUT_TOKENS
    while low < high:
        middle = (low + high + 1) // 2
        if worst_case(price, input_tokens, middle) <= nano:
            low = middle
        else:
            high = middle - 1
    return low


def wanted_tokens(flight: "Flight", needs: Needs, target: Target) -> int:
    """Output tokens to hold for: the caller's cap, else this model's usual long answer (more where an answer can't be extended)."""
    if needs.output_tokens is not None:
        return min(needs.output_tokens, target.max_output or _MOST_OUTPUT_TOKENS) * needs.choices
    usual = max(_USUAL_OUTPUT_TOKENS, flight.router.usual_output(target.model))
    if target.reasons:
        usual *= 4
    if not needs.stream:
        usual *= 4
    return min(usual, target.max_output or usual) * needs.choices


class _Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with the amount that covers each of its attempts. short: the answer's length is what the amount buys."""

    plan: Plan
    dearest: Target
    amount: int
    short: bool = False


async def hold(flight: "Flight", needs: Needs) -> Sized:
    """Takes the hold for the plan's dearest attempt. Raises PaymentRequired with the fields of design 2.

    Attempts that the wallet or the caller's ceiling can't pay are dropped from the plan as long as one is left that they can.
    """
    router, request = flight.router, flight.request
    fit, ceiling = _whole(flight, needs, flight.plan), flight.wishes.max_cost
    if ceiling is not None and fit.amount > ceiling:
        fit = _within(flight, needs, ceiling, "costs more than max_cost") or _above_ceiling(
            flight, needs, ceiling
        )
    for _ in range(3):
        flight.plan = fit.plan
        try:
            await router.ledger.hold(
                request.request_id, request.user_id, fit.amount, price_version=fit.dearest.price_version,
                key_id=request.key_id, meta={"model": fit.dearest.model, "provider": fit.dearest.provider},
            )  # fmt: skip
            return Sized(
                amount_nano=fit.amount, needs=needs, price_version=fit.dearest.price_version, short=fit.short,
                capped=fit.short or needs.output_tokens is not None or not needs.stream,
            )  # fmt: skip
        except PaymentRequired as error:
            refused, balance = error, await router.ledger.balance(request.user_id)
        available = _available(refused, balance)
        if fit.amount <= available:
            continue  # something was released meanwhile
        smaller = _within(flight, needs, available, "costs more than the balance covers")
        if smaller is None:
            break
        fit = smaller
    raise _refusal(flight, needs, refused, balance)


def _available(refused: PaymentRequired, balance: Balance) -> int:
    """What a new hold may take, nano-dollars: of the wallet, or of the key's cap where that is what refused."""
    if refused.extra.get("scope") != "key":
        return balance.available
    return min(balance.available, int(Decimal(refused.extra["available"]).scaleb(9)))


def output_cap(flight: "Flight", sized: Sized, target: Target) -> int | None:
    """`max_tokens` of each choice for the upstream; None = the provider's own limit (the stream is watched and extended)."""
    if target.free or target.price is None:
        return None
    if sized.capped:
        tokens = _covered(flight, sized, target)
    elif flight.wishes.max_cost is not None:
        tokens = affordable_tokens(target.price, held_input(flight), flight.wishes.max_cost)
        tokens = min(tokens, (target.max_output or tokens) * sized.needs.choices)
    else:
        return None
    return max(1, tokens // sized.needs.choices)


def cover(flight: "Flight", sized: Sized, target: Target) -> int:
    """Output tokens of all choices that the hold covers at the attempt that answers."""
    sized.tokens = _covered(flight, sized, target)
    return sized.tokens


async def extend(flight: "Flight", target: Target, tokens: int) -> int:
    """Buys the next slice of output tokens for a running stream. Raises PaymentRequired where wallet or ceiling don't allow it."""
    sized, ceiling = flight.hold, flight.wishes.max_cost
    if target.price is None or sized is None:
        return tokens
    covered = sized.tokens + tokens
    amount = max(cost_of(target, held_input(flight), covered), sized.amount_nano)
    if ceiling is not None and amount > ceiling:
        raise PaymentRequired("max_cost is reached: the answer was stopped here", code="max_cost_exceeded")
    if amount > sized.amount_nano:
        if not await flight.router.ledger.extend(flight.request.request_id, amount - sized.amount_nano):
            raise PaymentRequired("The balance is used up: the answer was stopped here")
        sized.amount_nano = amount
    sized.tokens = covered
    return tokens


def _whole(flight: "Flight", needs: Needs, plan: Plan) -> _Fit:
    """All of the plan, for answers as long as they may get."""
    costs = [(_full_cost(flight, needs, a.target), -i) for i, a in enumerate(plan.attempts)]
    amount, place = max(costs)
    return _Fit(plan=plan, dearest=plan.attempts[-place].target, amount=amount)


def _within(flight: "Flight", needs: Needs, bound: int, why_not: str) -> _Fit | None:
    """What of the plan `bound` pays in full; else, where no length was asked for, what it buys a shorter answer of; or None."""
    full = _kept(flight.plan, lambda t: _full_cost(flight, needs, t) <= bound, why_not)
    if full is not None:
        return _whole(flight, needs, full)
    least = LEAST_OUTPUT_TOKENS * needs.choices
    short = _kept(flight.plan, lambda t: cost_of(t, held_input(flight), least) <= bound, why_not)
    if short is None or needs.output_tokens is not None:
        return None
    costs = []
    for i, attempt in enumerate(short.attempts):
        tokens = _bought(flight, needs, attempt.target, bound)
        costs.append((cost_of(attempt.target, held_input(flight), tokens), -i))
    amount, place = max(costs)
    return _Fit(plan=short, dearest=short.attempts[-place].target, amount=amount, short=True)


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
    return Plan(attempts=kept, skipped=plan.skipped + dropped)


def _asked_for(plan: Plan) -> list[Attempt]:
    """The attempts without the free models that only stand in for a failure."""
    first = plan.attempts[0].target.model
    return [a for a in plan.attempts if a.why != "free_fallback" or a.target.model == first]


def _full_cost(flight: "Flight", needs: Needs, target: Target) -> int:
    return cost_of(target, held_input(flight), wanted_tokens(flight, needs, target))


def _covered(flight: "Flight", sized: Sized, target: Target) -> int:
    if not sized.short:  # then every attempt of the plan is covered: nothing to price again
        return wanted_tokens(flight, sized.needs, target)
    return _bought(flight, sized.needs, target, sized.amount_nano)


def _bought(flight: "Flight", needs: Needs, target: Target, nano: int) -> int:
    """Output tokens of all choices that `nano` buys at a target, at most what is wanted of it."""
    wanted = wanted_tokens(flight, needs, target)
    if target.price is None or cost_of(target, held_input(flight), wanted) <= nano:
        return wanted
    return affordable_tokens(target.price, held_input(flight), nano)


def _cheapest(flight: "Flight", needs: Needs) -> Target:
    return min((a.target for a in _asked_for(flight.plan)), key=lambda t: _full_cost(flight, needs, t))


def _above_ceiling(flight: "Flight", needs: Needs, ceiling: int) -> NoReturn:
    target = _cheapest(flight, needs)
    given = needs.output_tokens is not None
    least = (
        _full_cost(flight, needs, target)
        if given
        else cost_of(target, held_input(flight), LEAST_OUTPUT_TOKENS)
    )
    affordable = (
        affordable_tokens(target.price, held_input(flight), ceiling) if target.price is not None else 0
    )
    raise PaymentRequired(
        f"This may cost ${dollars(least)}, above max_cost ${dollars(ceiling)}",
        code="max_cost_exceeded",
        extra={"required": dollars(least), "max_affordable_tokens": affordable},
    )


def _refusal(flight: "Flight", needs: Needs, refused: PaymentRequired, balance: Balance) -> PaymentRequired:
    target = _cheapest(flight, needs)
    of_key, available = refused.extra.get("scope") == "key", _available(refused, balance)
    extra: dict[str, Any] = {
        "required": dollars(_full_cost(flight, needs, target)),
        "balance": dollars(balance.balance),
        "held": dollars(balance.held),
        "available": dollars(available),
        "max_affordable_tokens": affordable_tokens(target.price, held_input(flight), available)
        if target.price
        else 0,
        "free_alternative": flight.router.free_alternative(flight.request.call),
        "scope": "key" if of_key else "wallet",
    }
    return PaymentRequired(
        refused.message if of_key else "Insufficient balance", code="payment_required", extra=extra
    )

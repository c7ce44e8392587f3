"""Sizing and taking the hold: enough for the dearest attempt, never more than the wallet, and the 402 that says the way out."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Plan, Target
from agent_marketplace.ledger import Balance, Price, dollars, worst_case

if TYPE_CHECKING:
    from agent_marketplace.gateway.flight import Flight

HOLD_TTL_S = 120
LEAST_OUTPUT_TOKENS = 16
_MOST_OUTPUT_TOKENS = 1_000_000
_USUAL_OUTPUT_TOKENS = 1024
_MARGIN = 6  # the offline counter is within 15 % of real usage on English and code
_LEAST_MARGIN = 8


class Sized(msgspec.Struct, kw_only=True):
    """A hold as taken. tokens: output tokens of all choices that it covers at the dearest attempt; capped: whether the
    upstream is told so."""

    amount_nano: int
    tokens: int
    capped: bool
    input_tokens: int
    choices: int
    price_version: str

    def output_cap(self, target: Target) -> int | None:
        """`max_tokens` of each choice for the upstream; None = the provider's own limit (the stream is watched and extended)."""
        if target.free or not self.capped:
            return None
        return max(1, self.tokens // self.choices)


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


async def hold(flight: "Flight", needs: Needs) -> Sized:
    """Takes the hold for the plan's dearest attempt. Raises PaymentRequired with the fields of design 2.

    Attempts that the wallet can't pay are dropped from the plan as long as one is left that it can.
    """
    router, request = flight.router, flight.request
    balance: Balance | None = None
    dearest, amount = _dearest(flight, needs)
    capped = needs.output_tokens is None and not needs.stream
    tokens = wanted_tokens(flight, needs, dearest)
    ceiling = flight.wishes.max_cost
    if ceiling is not None and amount > ceiling:
        tokens, amount = _under_ceiling(flight, needs, dearest, ceiling)
        capped = True
    for _ in range(3):
        try:
            await router.ledger.hold(
                request.request_id, request.user_id, amount, price_version=dearest.price_version, ttl_s=HOLD_TTL_S,
                key_id=request.key_id, meta={"model": dearest.model, "provider": dearest.provider},
            )  # fmt: skip
            return Sized(
                amount_nano=amount, tokens=tokens, capped=capped or needs.output_tokens is not None,
                input_tokens=flight.input_tokens, choices=needs.choices, price_version=dearest.price_version,
            )  # fmt: skip
        except PaymentRequired as refused:
            balance = await router.ledger.balance(request.user_id)
            available = _available(refused, balance)
            if amount <= available:
                continue  # something was released meanwhile
            cheaper = _payable(flight, needs, available)
            if cheaper is not None:
                flight.plan = cheaper
                dearest, amount = _dearest(flight, needs)
                tokens = wanted_tokens(flight, needs, dearest)
                continue
            if needs.output_tokens is None and dearest.price is not None:
                tokens = affordable_tokens(dearest.price, held_input(flight), available)
                if tokens >= LEAST_OUTPUT_TOKENS * needs.choices:
                    amount, capped = cost_of(dearest, held_input(flight), tokens), True
                    continue
            raise _refusal(flight, refused, dearest, amount, balance) from None
    raise _refusal(flight, None, dearest, amount, balance)


def _available(refused: PaymentRequired, balance: Balance) -> int:
    """What a new hold may take, nano-dollars: of the wallet, or of the key's cap where that is what refused."""
    if refused.extra.get("scope") != "key":
        return balance.available
    return min(balance.available, int(Decimal(refused.extra["available"]).scaleb(9)))


async def extend(flight: "Flight", target: Target, tokens: int) -> int:
    """Buys the next slice of output tokens for a running stream; 0 when neither the wallet nor the caller's ceiling allows it."""
    sized = flight.hold
    if target.price is None or sized is None:
        return tokens
    covered = sized.tokens + tokens
    more = cost_of(target, held_input(flight), covered) - sized.amount_nano
    if flight.wishes.max_cost is not None and sized.amount_nano + more > flight.wishes.max_cost:
        return 0
    if more > 0:
        if not await flight.router.ledger.extend(flight.request.request_id, more):
            return 0
        sized.amount_nano += more
    sized.tokens = covered
    return tokens


def _dearest(flight: "Flight", needs: Needs) -> tuple[Target, int]:
    costs = [
        (cost_of(a.target, held_input(flight), wanted_tokens(flight, needs, a.target)), i)
        for i, a in enumerate(flight.plan.attempts)
    ]
    amount, index = max(costs, key=lambda c: (c[0], -c[1]))
    return flight.plan.attempts[index].target, amount


def _payable(flight: "Flight", needs: Needs, available: int) -> Plan | None:
    """The plan without the attempts that cost more than `available`; None if that changes nothing or leaves none that was asked for."""
    payable = tuple(
        a
        for a in flight.plan.attempts
        if cost_of(a.target, held_input(flight), wanted_tokens(flight, needs, a.target)) <= available or a.target.free
    )
    first = flight.plan.attempts[0].target.model
    if len(payable) == len(flight.plan.attempts) or not any(
        a.target.model == first or a.why in ("listed_fallback", "auto") for a in payable
    ):
        return None
    return Plan(attempts=payable, skipped=flight.plan.skipped)


def _under_ceiling(flight: "Flight", needs: Needs, dearest: Target, ceiling: int) -> tuple[int, int]:
    if dearest.price is None:
        return 0, 0
    tokens = affordable_tokens(dearest.price, held_input(flight), ceiling)
    if needs.output_tokens is not None or tokens < LEAST_OUTPUT_TOKENS:
        least = cost_of(dearest, held_input(flight), needs.output_tokens or LEAST_OUTPUT_TOKENS)
        raise PaymentRequired(
            f"This may cost ${dollars(least)}, above max_cost ${dollars(ceiling)}",
            code="max_cost_exceeded",
            extra={"required": dollars(least), "max_affordable_tokens": tokens},
        )
    return tokens, cost_of(dearest, held_input(flight), tokens)


def _refusal(
    flight: "Flight", refused: PaymentRequired | None, target: Target, amount: int, balance: Balance | None
) -> PaymentRequired:
    if refused is not None and refused.code not in ("payment_required", "insufficient_balance"):
        return refused
    of_key = refused is not None and refused.extra.get("scope") == "key"
    available = _available(refused, balance) if refused is not None and balance is not None else 0
    extra: dict[str, Any] = {
        "required": dollars(amount),
        "balance": dollars(balance.balance if balance else 0),
        "held": dollars(balance.held if balance else 0),
        "available": dollars(available),
        "max_affordable_tokens": affordable_tokens(target.price, held_input(flight), available) if target.price else 0,
        "free_alternative": flight.router.free_alternative(flight.request.call),
        "scope": "key" if of_key else "wallet",
    }
    words = refused.message if refused is not None and of_key else "Insufficient balance"
    return PaymentRequired(words, code="payment_required", extra=extra)

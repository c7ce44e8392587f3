"""PURE: how a call that is over goes into the books: its settlement, from the record and from how it ended."""

import dataclasses
from collections.abc import Callable

import msgspec

from agent_marketplace.gateway import billing, loads, receipts, sizing
from agent_marketplace.gateway.plan import Target
from agent_marketplace.gateway.record import Record
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.gateway.stopping import Outcome, Stopped
from agent_marketplace.ledger import KeptReply, Receipt, Settlement, price_usage
from agent_marketplace.ledger.types import Status
from agent_marketplace.usage import Usage


def reported_usage(record: Record, stopped: Stopped) -> Usage | None:
    """What an answer used, as far as its caller answers for it; None = nothing (docs/billing.md has the table)."""
    upstream = record.upstream
    if upstream is None:
        return None
    return billing.billable(
        upstream.meter,
        stopped,
        record.input_tokens,
        context=upstream.attempt.target.context,
        choices=record.choices,
        cap=upstream.prepared.cap,
    )


def charged_usage(record: Record, reported: Usage | None) -> Usage | None:
    """What of it is charged for: no output beyond what the provider was asked for."""
    upstream = record.upstream
    if upstream is None or reported is None:
        return None
    apart = upstream.attempt.target.thinks_apart
    cap, budget = _most_output(record, reported), sizing.thinking_budget(record.request.call) if apart else 0
    return billing.within_the_asked(reported, cap, record.choices, thinks_apart=apart, budget=budget)


def _most_output(record: Record, reported: Usage) -> int | None:
    """Output tokens of each choice that the caller answers for; None = any number.

    Of an answer that was bought slice by slice: what was bought, or what was delivered if that was more.
    """
    upstream, asked, hold = record.upstream, record.asked, record.hold
    if upstream is None or asked is None or hold is None or upstream.attempt.target.free:
        return upstream.prepared.cap if upstream is not None else None
    target = upstream.attempt.target
    if sizing.capped(asked, hold, target) or reported.completion_tokens <= hold.tokens:
        return upstream.prepared.cap
    return max(hold.tokens, upstream.meter.most_tokens(loads.family(target)))


def answered(record: Record, outcome: Outcome, reported: Usage | None, now: float) -> Settlement:
    """The settlement of an answer, whole or partial; `record.usage` is what is charged for.

    reported: what the operator owes for; now: as `receipts.detail_of`
    """
    if record.upstream is None:
        raise AssertionError("settlement follows an answer")
    target, usage = record.upstream.attempt.target, record.usage
    charge, list_cost = _costs(target, usage) if usage is not None else (0, 0)
    owed = list_cost
    if reported is not None and usage is not None and reported != usage:
        # A claim beyond what was asked for is the operator's to argue about: it is not charged, and not absorbed either.
        _, owed = _costs(target, reported)
        charge = min(charge, record.hold.amount_nano) if record.hold is not None else charge
    cut: Status = "partial" if usage is not None else "failed"
    ends: dict[Stopped, Status] = {Stopped.FINISHED: "ok", Stopped.CLIENT: "cancelled"}
    cost = (owed or 0) if target.credential == "operator" else 0
    return msgspec.structs.replace(
        _settlement(record, target, ends.get(outcome.stopped, cut), now),
        charge_nano=charge,
        usage=usage or Usage(),
        provider_cost_nano=cost + receipts.unconfirmed_cost(record),
        list_cost_nano=list_cost,
    )


def unanswered(record: Record, status: Status, now: float) -> Settlement:
    """The settlement of a call that nobody answered. `record.usage` is what is charged for: nothing, or the input of the one
    try that was under way when its caller left. The row says at which target the call ended."""
    target, usage = record.plan.attempts[0].target, record.usage
    last = record.log[-1] if record.log else None
    if last is not None:
        targets = (a.target for a in record.plan.attempts)
        target = next((t for t in targets if (t.model, t.provider) == (last.model, last.provider)), target)
    settlement = _settlement(record, target, status, now)
    if usage is None:
        return settlement
    charge, list_cost = _costs(target, usage)
    owed = (list_cost or 0) if target.credential == "operator" else 0
    return msgspec.structs.replace(
        settlement,
        charge_nano=charge,
        usage=usage,
        list_cost_nano=list_cost,
        provider_cost_nano=owed + receipts.unconfirmed_cost(record, but=last),
    )


def kept_reply(record: Record, render: Callable[[Record], bytes]) -> KeptReply | None:
    """What an idempotency key's repeats get, stored together with the charge; the caller gets the very same bytes.

    render: makes the body of a record that has its receipt
    """
    once, upstream = record.request.once, record.upstream
    if once is None or upstream is None or upstream.reply is None:
        return None

    def sealed(receipt: Receipt) -> str:
        # Inside the transaction, which may yet fail: the call's own record has this receipt only once it is durable.
        return once.seal(render(dataclasses.replace(record, receipt=receipt)).decode())

    return KeptReply(once.scope, once.key, sealed)


def left_before(record: Record, seen: Usage | None, rule: str) -> Usage | None:
    """What a caller pays who left before anything was delivered; None = nothing.

    seen: the last report of usage of the try that was under way; rule: what closing its connection does to its bill.
    Only a try whose request went out whole is billed; earlier ones that failed stay the operator's.
    """
    last = record.log[-1] if record.log else None
    if last is None or not last.sent or last.status not in ("abandoned", "ok") or rule == "stops":
        return None
    return billing.input_of(seen, record.input_tokens)


def bound_failed(record: Record, asked: Asked, hold: Held, settlement: Settlement) -> bool:
    """Whether a cost above the hold is the bound's fault: not where an answer without a cap went on after the wallet's end."""
    if record.upstream is None or settlement.charge_nano <= hold.amount_nano:
        return False
    target = record.upstream.attempt.target
    if sizing.capped(asked, hold, target):
        return True
    return settlement.charge_nano > sizing.bound(asked, target, settlement.usage.completion_tokens)


def progress(record: Record) -> int | None:
    """What is to be charged if this process dies now, nano-dollars; None = nothing was delivered yet."""
    upstream = record.upstream
    if upstream is None or not upstream.meter.characters or upstream.attempt.target.price is None:
        return None
    delivered = upstream.meter.running_tokens() * record.choices
    cost = price_usage(upstream.attempt.target.price, Usage(input=record.input_tokens, output=delivered))
    return cost if record.hold is None else min(cost, record.hold.amount_nano)


def _settlement(record: Record, target: Target, status: Status, now: float) -> Settlement:
    return Settlement(
        request_id=record.request.request_id,
        user_id=record.request.user_id,
        charge_nano=0,
        usage=Usage(),
        provider=target.provider,
        model=target.model,
        status=status,
        provider_cost_nano=receipts.unconfirmed_cost(record),
        list_cost_nano=0,
        price_version=record.hold.price_version if record.hold else "",
        detail=receipts.detail_of(record, target, now),
        held_nano=record.hold.amount_nano if record.hold else None,
        key_id=record.request.key_id,
    )


def _costs(target: Target, usage: Usage) -> tuple[int, int | None]:
    """(what the caller pays, list price) in nano-dollars; None = no list price is known."""
    charge = price_usage(target.price, usage) if target.price is not None else 0
    if target.list_price is target.price:  # without a mark-up the two are one
        return charge, charge if target.price is not None else None
    return charge, price_usage(target.list_price, usage) if target.list_price is not None else None

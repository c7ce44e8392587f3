"""PURE: how a call that is over goes into the books: its settlement, from the record and from how it ended."""

import msgspec

from agent_marketplace.gateway import billing, receipts
from agent_marketplace.gateway.plan import Target
from agent_marketplace.gateway.record import Record
from agent_marketplace.gateway.stopping import Outcome, Stopped
from agent_marketplace.ledger import Settlement, price_usage
from agent_marketplace.ledger.types import Status
from agent_marketplace.usage import Usage


def charged_usage(record: Record, stopped: Stopped) -> Usage | None:
    """What an answer is charged for; None = nothing (docs/billing.md has the table)."""
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


def answered(record: Record, outcome: Outcome, now: float) -> Settlement:
    """The settlement of an answer, whole or partial; `record.usage` is what is charged for. now: as `receipts.detail_of`."""
    if record.upstream is None:
        raise AssertionError("settlement follows an answer")
    target, usage = record.upstream.attempt.target, record.usage
    charge, list_cost = _costs(target, usage) if usage is not None else (0, 0)
    cut: Status = "partial" if usage is not None else "failed"
    ends: dict[Stopped, Status] = {Stopped.FINISHED: "ok", Stopped.CLIENT: "cancelled"}
    owed = (list_cost or 0) if target.credential == "operator" else 0
    return msgspec.structs.replace(
        _settlement(record, target, ends.get(outcome.stopped, cut), now),
        charge_nano=charge,
        usage=usage or Usage(),
        provider_cost_nano=owed + receipts.unconfirmed_cost(record),
        list_cost_nano=list_cost,
    )


def unanswered(record: Record, status: Status, now: float) -> Settlement:
    """The settlement of a call that nobody answered: nothing is charged, and the row says at which target it ended."""
    target = record.plan.attempts[0].target
    if record.log:
        tried = (record.log[-1].model, record.log[-1].provider)
        targets = (a.target for a in record.plan.attempts)
        target = next((t for t in targets if (t.model, t.provider) == tried), target)
    return _settlement(record, target, status, now)


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

"""PURE: what a client is told of a call: money, errors, the fields beside its answer. From the record, in values."""

from typing import Any

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway import sizing
from agent_marketplace.gateway.plan import Attempt, Target
from agent_marketplace.gateway.record import Record
from agent_marketplace.ledger import dollars, price_usage
from agent_marketplace.wires import notes
from agent_marketplace.wires.base import Finish, Shape


def shape(record: Record, target: Target) -> Shape:
    """Ids and names for the answer."""
    call = record.request.call
    return Shape(
        id=record.request.request_id,
        model=target.model,
        created=record.created,
        include_usage=call.include_usage,
        provider=target.provider,
        echo=call.echo,
        tools=call.tools,
    )


def headers(record: Record) -> dict[str, str]:
    """Headers of a good answer: where its receipt is, and whether that has notes."""
    found = {"x-generation-id": record.request.request_id, "x-request-id": record.request.request_id}
    if record.upstream is not None and (told := record.upstream.prepared.call.told()):
        found[notes.HEADER] = notes.header(told)
    if (length := lowered(record)) is not None:
        found[notes.LENGTH_HEADER] = str(length)
    return found


def lowered(record: Record) -> int | None:
    """`max_tokens` of the answer where the balance bought less than was asked for; None where it did not."""
    if record.upstream is None or record.asked is None or record.hold is None:
        return None
    return sizing.lowered(record.asked, record.hold, record.upstream.attempt.target)


def timings(record: Record, now: float) -> dict[str, int | None]:
    """Milliseconds since the request began; now: seconds of `time.monotonic`."""
    first = record.upstream.meter.first_at if record.upstream else None
    return {
        "first_token_ms": round((first - record.began) * 1000) if first is not None else None,
        "total_ms": round((now - record.began) * 1000),
    }


def fallback(record: Record) -> dict[str, str] | None:
    """`{from, to, reason}` if another model answered than the one asked for."""
    return moved(record, record.upstream.attempt) if record.upstream is not None else None


def moved(record: Record, attempt: Attempt) -> dict[str, str] | None:
    """As `fallback`, for an attempt under way."""
    if attempt.why in ("requested", "other_endpoint"):
        return None
    asked = record.plan.attempts[0].target.model if attempt.why == "auto" else record.asked_model
    if attempt.target.model == asked:
        return None
    others = (e for e in record.log if e.model != attempt.target.model)
    failed = next((e for e in others if e.status in ("failed", "not_tried")), None)
    left_out = next((s.reason for s in record.plan.skipped if s.model == asked), "not available")
    reason = record.moved_because or (failed.error if failed is not None else left_out)
    return {"from": asked, "to": attempt.target.model, "reason": reason}


def money(record: Record) -> dict[str, Any]:
    """Cost fields, once the receipt is there."""
    if record.receipt is None:
        return {}
    balance = record.receipt.balance_nano
    fields: dict[str, Any] = {
        "cost": dollars(record.receipt.charged_nano),
        "balance_remaining": dollars(balance) if balance is not None else None,
    }
    if balance is None:  # the database is away: it is charged when it is back
        fields["settlement"] = "pending"
    if (other := fallback(record)) is not None:
        fields["fallback"] = other
    return fields


def beside(record: Record, now: float) -> dict[str, Any]:
    """Fields beside the answer: money, and for our own API everything the receipt needs to be understood."""
    fields = money(record)
    if record.request.agents and record.receipt is not None:
        list_cost, upstream = None, record.upstream
        if upstream is not None and record.usage is not None:
            listed = upstream.attempt.target.list_price
            list_cost = dollars(price_usage(listed, record.usage)) if listed is not None else None
        fields |= {
            "request_id": record.request.request_id,
            "timings": timings(record, now),
            "list_cost": list_cost,
            **record.request.detail,
        }
    return fields


def error(record: Record, failed: MarketplaceError) -> MarketplaceError:
    """The error as the end of a stream, on our own API with what was charged."""
    extra = {**failed.extra, **(money(record) if record.request.agents else {})}
    return MarketplaceError(
        failed.message, code=failed.code, status=failed.status, retry_after=failed.retry_after, extra=extra
    )


# -- the last event of a stream ----------------------------------------------------------------------------------------


def last_event(record: Record, now: float) -> bytes:
    """The end of a whole stream, with what it cost."""
    upstream = record.upstream
    if upstream is None or (pipe := upstream.prepared.pipe) is None:
        raise AssertionError("a stream has a pipe")
    return pipe.end(upstream.meter.finish or Finish.STOP, record.usage, beside(record, now))


def stopped_event(record: Record, now: float) -> bytes:
    """The end of a stream whose caller asked to stop and still listens, also before its first token."""
    pipe = record.upstream.prepared.pipe if record.upstream else None
    extra = beside(record, now) | {"finish_reason": "stopped"}
    if pipe is not None:
        return pipe.end(Finish.STOP, record.usage, extra)
    encoder = record.request.mouth.encoder(shape(record, record.plan.attempts[0].target))
    return encoder.start() + encoder.end(Finish.STOP, None, extra)


def error_event(record: Record, failed: MarketplaceError) -> bytes:
    """The error as the end of a stream, with what was charged."""
    shown, request_id = error(record, failed), record.request.request_id
    pipe = record.upstream.prepared.pipe if record.upstream else None
    if pipe is not None:
        return pipe.error(shown, request_id)
    encoder = record.request.mouth.encoder(shape(record, record.plan.attempts[0].target))
    return encoder.error(shown, request_id)

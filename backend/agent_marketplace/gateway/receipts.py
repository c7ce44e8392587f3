"""What a receipt says beside the money: attempts, what was left out, timings, fallback. No prompts, no answers, no secrets."""

from typing import TYPE_CHECKING, Any

import msgspec

from agent_marketplace.gateway.dispatch import receipt_attempts
from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger import KeptReply, Receipt, price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires import notes

if TYPE_CHECKING:
    from agent_marketplace.gateway.flight import Flight

_MOST_SKIPPED = 20


def detail_of(flight: "Flight", target: Target) -> dict[str, Any]:
    """The receipt's JSON object for a flight that ends at `target`."""
    upstream = flight.upstream
    meter = upstream.meter if upstream else None
    told = upstream.prepared.call.told() if upstream else ()
    detail: dict[str, Any] = {
        "attempts": receipt_attempts(flight.log),
        "skipped": [msgspec.to_builtins(s) for s in flight.plan.skipped if s.code != "unavailable"][
            :_MOST_SKIPPED
        ],
        "requested_model": flight.requested_model,
        "credential": target.credential,
        "stream": flight.request.call.stream,
        "finish_reason": str(meter.finish) if meter and meter.finish else None,
        "malformed_events": meter.malformed if meter else 0,
        "timings": flight.timings(),
        "input_estimate": flight.input_tokens,
        "dropped_parameters": [note.field for note in told if note.act == "left_out"],
        "notes": [msgspec.to_builtins(note) for note in told],
        **flight.request.detail,
    }
    if (moved := flight.fallback()) is not None:
        detail["fallback"] = moved
    if flight.error is not None:
        # A provider's words may repeat the prompt: they are for the caller, not for the record.
        own = "provider" not in flight.error.extra
        detail["error"] = {
            "code": flight.error.code,
            **({"words": flight.error.message[:300]} if own else {}),
        }
    return detail


def headers_of(flight: "Flight") -> dict[str, str]:
    """Headers of a good answer: where its receipt is, and whether that has notes."""
    headers = {"x-generation-id": flight.request.request_id, "x-request-id": flight.request.request_id}
    if flight.upstream is not None and (told := flight.upstream.prepared.call.told()):
        headers[notes.HEADER] = notes.header(told)
    return headers


def kept_reply(flight: "Flight") -> KeptReply | None:
    """What an idempotency key's repeats get, stored together with the charge; the caller gets the very same."""
    once, upstream = flight.request.once, flight.upstream
    if once is None or upstream is None or upstream.reply is None:
        return None

    def render(receipt: Receipt) -> str:
        flight.body = flight.router.render(flight, upstream, receipt)
        return once.seal(flight.body.decode())

    return KeptReply(once.scope, once.key, render)


def unconfirmed_cost(flight: "Flight") -> int:
    """Nano-dollars that the operator may owe for tries without an answer: their input at list price."""
    total = 0
    for entry in flight.log:
        if not entry.may_be_billed or entry.credential != "operator":
            continue
        for attempt in flight.plan.attempts:
            target = attempt.target
            if (target.model, target.provider) == (
                entry.model,
                entry.provider,
            ) and target.list_price is not None:
                total += price_usage(target.list_price, Usage(input=flight.input_tokens))
                break
    return total

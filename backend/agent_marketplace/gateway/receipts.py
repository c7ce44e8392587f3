"""PURE: what a receipt says beside the money: attempts, what was left out, timings, fallback. No prompts, no answers, no secrets."""

from typing import Any

import msgspec

from agent_marketplace.gateway import told
from agent_marketplace.gateway.plan import Skipped, Target
from agent_marketplace.gateway.record import AttemptLog, Record
from agent_marketplace.ledger import price_usage
from agent_marketplace.usage import Usage

_MOST_SKIPPED = 20


def detail_of(record: Record, target: Target, now: float) -> dict[str, Any]:
    """The receipt's JSON object for a call that ends at `target`; now: seconds of `time.monotonic`."""
    upstream = record.upstream
    meter = upstream.meter if upstream else None
    notes = upstream.prepared.call.told() if upstream else ()
    skipped: list[Skipped] = []
    if record.plan.skipped:
        skipped = [s for s in record.plan.skipped if s.code != "unavailable"][:_MOST_SKIPPED]
    detail: dict[str, Any] = {
        "attempts": msgspec.to_builtins(record.log),
        "skipped": msgspec.to_builtins(skipped),
        "requested_model": record.request.call.model,
        "credential": target.credential,
        "stream": record.request.call.stream,
        "finish_reason": str(meter.finish) if meter and meter.finish else None,
        "malformed_events": meter.malformed if meter else 0,
        "timings": told.timings(record, now),
        "input_estimate": record.input_tokens,
        "dropped_parameters": [note.field for note in notes if note.act == "left_out"] if notes else [],
        "notes": msgspec.to_builtins(notes) if notes else [],
        **record.request.detail,
    }
    if (moved := told.fallback(record)) is not None:
        detail["fallback"] = moved
    if record.error is not None:
        # A provider's words may repeat the prompt: they are for the caller, not for the record.
        own = "provider" not in record.error.extra
        detail["error"] = {
            "code": record.error.code,
            **({"words": record.error.message[:300]} if own else {}),
        }
    return detail


def unconfirmed_cost(record: Record, but: AttemptLog | None = None) -> int:
    """Nano-dollars that the operator may owe for tries without an answer: their input at list price.

    but: a try that is accounted for elsewhere
    """
    total = 0
    for entry in record.log:
        if entry is but or not entry.may_be_billed or entry.credential != "operator":
            continue
        for attempt in record.plan.attempts:
            target = attempt.target
            if (target.model, target.provider) == (
                entry.model,
                entry.provider,
            ) and target.list_price is not None:
                total += price_usage(target.list_price, Usage(input=record.input_tokens))
                break
    return total

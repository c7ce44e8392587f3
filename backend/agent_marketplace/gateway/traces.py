"""The trace of a call that is over, from its record: one span with its plan, hold, attempts and settlement.

Names are those of OpenTelemetry's semantic conventions for generative AI where there are such; `marketplace.*` are ours.
"""

import asyncio
import time
from collections.abc import Callable

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway import told
from agent_marketplace.gateway.record import AttemptLog, Record
from agent_marketplace.net.traces import Attribute, Span, Tracer

_CHAT = "chat"
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ lists these; other providers go by their own name.
_PROVIDERS = {"google": "gcp.gemini", "xai": "x_ai", "mistral": "mistral_ai"}


def span_of(record: Record, known: str | None, error: str, *, now: float, epoch_ns: int) -> Span:
    """The call's span.

    known: the catalogue's id of the model that was asked for, `auto`, or None where it is the caller's own text
    error: a stable code; "" where it worked
    now: seconds of `time.monotonic`; epoch_ns: what that clock's zero is in nanoseconds since the epoch
    """

    def at(monotonic: float) -> int:
        return epoch_ns + round(monotonic * 1e9)

    parts: list[Span] = []
    asked = 0.0
    for name, began, ended in record.stages:
        if name == "settle":
            parts += _attempts(record, max(asked, record.began), began, at)
        parts.append(Span(name, at(began), at(ended), _of_stage(record, name)))
        asked = ended
    model = None if known == "auto" else known
    attributes = _attributes(record, known or "", now)
    name = f"{_CHAT} {model}" if model is not None else _CHAT
    return Span(name, at(record.began), at(now), attributes, "server", error, parts)


def leave(tracer: Tracer, record: Record, known: str | None, error: str) -> None:
    """Sends the span of a call that is over just now. known, error: as `span_of`."""
    now = time.monotonic()
    epoch_ns = time.time_ns() - round(now * 1e9)
    span = span_of(record, known, error, now=now, epoch_ns=epoch_ns)
    tracer.record(span, record.request.traceparent)


def code(left: BaseException | None, record: Record) -> str:
    """How a call ended, as a stable code; left: what its flight raised."""
    if left is None:
        return record.error.code if record.error is not None else ""
    if isinstance(left, MarketplaceError):
        return left.code
    return "cancelled" if isinstance(left, asyncio.CancelledError) else type(left).__name__


def _of_stage(record: Record, name: str) -> dict[str, Attribute]:
    if name == "plan":
        return {"marketplace.attempts": len(record.plan.attempts)}
    if name == "hold" and record.hold is not None:
        return {"marketplace.held_nano": record.hold.amount_nano}
    if name == "settle" and record.receipt is not None:
        return {"marketplace.charged_nano": record.receipt.charged_nano}
    return {}


def _attempts(record: Record, after: float, over: float, at: Callable[[float], int]) -> list[Span]:
    """The tries; the one that answered lasts until its answer was over."""
    spans = []
    for entry in record.log:
        began = max(record.began + entry.started / 1000, after)  # the log is in whole milliseconds
        ended = max(over if entry.status == "ok" else record.began + entry.ended / 1000, began)
        span = Span(f"{_CHAT} {entry.model}", at(began), at(ended), _try(entry), "client", entry.code)
        spans.append(span)
    return spans


def _attributes(record: Record, model: str, now: float) -> dict[str, Attribute]:
    call, upstream, usage = record.request.call, record.upstream, record.usage
    found: dict[str, Attribute | None] = {
        "gen_ai.operation.name": _CHAT,
        "gen_ai.request.model": model or None,
        "gen_ai.request.max_tokens": call.max_tokens or None,
        "marketplace.request_id": record.request.request_id,
        "marketplace.wire": call.wire,
        "marketplace.stream": call.stream,
        "marketplace.input_tokens_estimate": record.input_tokens,
    }
    if upstream is not None:
        target, finish = upstream.attempt.target, upstream.meter.finish
        found |= {
            "gen_ai.provider.name": _PROVIDERS.get(target.provider, target.provider),
            "gen_ai.response.id": record.request.request_id,
            "gen_ai.response.model": target.model,
            "gen_ai.response.finish_reasons": [str(finish)] if finish else None,
            "marketplace.credential": target.credential,
            "marketplace.first_token_ms": told.timings(record, now)["first_token_ms"],
        }
    if usage is not None:
        found |= {
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
            "marketplace.usage_estimated": usage.estimated,
        }
    if record.receipt is not None:
        found["marketplace.charged_nano"] = record.receipt.charged_nano
    return {name: value for name, value in found.items() if value is not None}


def _try(entry: AttemptLog) -> dict[str, Attribute]:
    return {
        "gen_ai.request.model": entry.model,
        "gen_ai.provider.name": _PROVIDERS.get(entry.provider, entry.provider),
        "marketplace.why": entry.why,
        "marketplace.credential": entry.credential,
        "marketplace.attempt_status": entry.status,
    }

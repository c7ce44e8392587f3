"""OpenTelemetry traces, on only where OTEL_EXPORTER_OTLP_ENDPOINT is set: finished calls as spans, sent by OTLP over HTTP.

The SDK reads its other standard variables itself (OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, ...).
Spans are made when a call is over, so that nothing happens on its way. A full queue or an absent collector drops spans,
never a call. No span holds a prompt, an answer, a key or an address of a person.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agent_marketplace import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger(__name__)
Attribute = str | int | float | bool | Sequence[str]

_SEND_S = 3.0  # a collector that is away must not hold up a server's end for long
_QUEUE = 8192


@dataclass(slots=True)
class Span:
    """A piece of work that is over. began, ended: ns since the epoch; error: a stable code, "" where it worked."""

    name: str
    began: int
    ended: int
    attributes: Mapping[str, Attribute]
    kind: Literal["server", "client", "internal"] = "internal"
    error: str = ""
    children: list["Span"] = field(default_factory=list)


class Tracer:
    """Sends spans in the background. One per serving process; `close` it at the end."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("agent_marketplace", __version__)

    def record(self, span: Span, traceparent: str | None = None) -> None:
        """Hands over a finished span with its children; traceparent: the caller's W3C header, whose trace it joins."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {"traceparent": traceparent} if traceparent else {}
        self._emit(span, TraceContextTextMapPropagator().extract(carrier))

    def close(self) -> None:
        """Sends what waits, for a few seconds at most. Blocking."""
        self._provider.force_flush(int(_SEND_S * 1000))
        self._provider.shutdown()

    def _emit(self, span: Span, context: "Context") -> None:
        from opentelemetry import trace

        kind = trace.SpanKind[span.kind.upper()]
        made = self._tracer.start_span(span.name, context, kind, dict(span.attributes), start_time=span.began)
        if span.error:
            made.set_attribute("error.type", span.error)
            made.set_status(trace.Status(trace.StatusCode.ERROR))
        inner = trace.set_span_in_context(made, context)
        for child in span.children:
            self._emit(child, inner)
        made.end(span.ended)


def open_tracer(endpoint: str | None) -> Tracer | None:
    """A tracer if an endpoint is set and the SDK is installed and not switched off; else None. Starts a thread."""
    if endpoint is None or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return None
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but traces need: pip install 'ai-agent-marketplace[otel]'"
        )
        return None
    named = {
        SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or "agent-marketplace",
        SERVICE_VERSION: __version__,
    }
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_SEND_S), max_queue_size=_QUEUE))
    log.info("traces go to %s", endpoint)
    return Tracer(provider)

"""A flight that leaves a trace: one span per call with its plan, hold, attempts and settlement, made once the call is over.

Names are those of OpenTelemetry's semantic conventions for generative AI where there are such; `marketplace.*` are ours.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway import needs
from agent_marketplace.gateway.dispatch import AttemptLog
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.request import GatewayRequest, Sink
from agent_marketplace.gateway.sizing import Held
from agent_marketplace.ledger import Receipt
from agent_marketplace.net.traces import Attribute, Span, Tracer

if TYPE_CHECKING:
    from agent_marketplace.gateway.ai_api_router import APIRouter

_CHAT = "chat"
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ lists these; other providers go by their own name.
_PROVIDERS = {"google": "gcp.gemini", "xai": "x_ai", "mistral": "mistral_ai"}


class TracedFlight(Flight):
    """As `Flight`; the router makes it where there is a tracer."""

    def __init__(self, router: "APIRouter", request: GatewayRequest, tracer: Tracer) -> None:
        super().__init__(router, request)
        self._tracer = tracer
        self._epoch = time.time_ns() - round(self.began * 1e9)
        self._parts: list[Span] = []
        self._recorded = False

    async def open(self) -> None:
        """As `Flight.open`; a call that is refused here leaves its trace too."""
        try:
            await super().open()
        except BaseException as left:  # whatever ends a call, its trace says so
            self._record(_code(left))
            raise

    async def plain(self) -> bytes:
        """As `Flight.plain`."""
        try:
            answer = await super().plain()
        except BaseException as left:  # whatever ends a call, its trace says so
            self._record(_code(left))
            raise
        self._record("")
        return answer

    async def stream(self, sink: Sink) -> None:
        """As `Flight.stream`."""
        try:
            await super().stream(sink)
        except BaseException as left:  # whatever ends a call, its trace says so
            self._record(_code(left))
            raise
        self._record(self.error.code if self.error is not None else "")

    async def abandon(self) -> None:
        """As `Flight.abandon`."""
        await super().abandon()
        self._record("abandoned")

    async def _hold(self, wants: needs.Needs) -> Held:
        began = time.monotonic()
        self._part("plan", self.began, began, {"marketplace.attempts": len(self.plan.attempts)})
        try:
            return await super()._hold(wants)
        finally:
            held: dict[str, Attribute] = (
                {"marketplace.held_nano": self.hold.amount_nano} if self.hold is not None else {}
            )
            self._part("hold", began, time.monotonic(), held)

    async def _post(self, *given: Any, **named: Any) -> Receipt:
        began = time.monotonic()
        self._attempts(began)
        receipt = await super()._post(*given, **named)
        self._part("settle", began, time.monotonic(), {"marketplace.charged_nano": receipt.charged_nano})
        return receipt

    def _attempts(self, over: float) -> None:
        """The tries as spans, once; the one that answered lasts until its answer was over."""
        if any(part.kind == "client" for part in self._parts):
            return
        after = (self._parts[-1].ended - self._epoch) / 1e9 if self._parts else self.began
        for entry in self.log:
            began = max(self.began + entry.started / 1000, after)  # the log is in whole milliseconds
            ended = max(over if entry.status == "ok" else self.began + entry.ended / 1000, began)
            span = self._part(f"{_CHAT} {entry.model}", began, ended, _try(entry))
            span.kind, span.error = "client", entry.code

    def _part(self, name: str, began: float, ended: float, attributes: dict[str, Attribute]) -> Span:
        span = Span(name, self._at(began), self._at(ended), attributes)
        self._parts.append(span)
        return span

    def _at(self, monotonic: float) -> int:
        return self._epoch + round(monotonic * 1e9)

    def _record(self, error: str) -> None:
        if self._recorded:
            return
        self._recorded = True
        # A model's name is the caller's text until the catalogue knows it.
        known = self.router.registry.resolve(self.requested_model)
        name = f"{_CHAT} {known.id}" if known is not None else _CHAT
        attributes = self._attributes(
            known.id if known is not None else "auto" if self.requested_model == "auto" else ""
        )
        root = Span(
            name, self._at(self.began), self._at(time.monotonic()), attributes, "server", error, self._parts
        )
        self._tracer.record(root, self.request.traceparent)

    def _attributes(self, model: str) -> dict[str, Attribute]:
        call, upstream, usage = self.request.call, self.upstream, self.usage
        found: dict[str, Attribute | None] = {
            "gen_ai.operation.name": _CHAT,
            "gen_ai.request.model": model or None,
            "gen_ai.request.max_tokens": call.max_tokens or None,
            "marketplace.request_id": self.request.request_id,
            "marketplace.wire": call.wire,
            "marketplace.stream": call.stream,
            "marketplace.input_tokens_estimate": self.input_tokens,
        }
        if upstream is not None:
            target, finish = upstream.attempt.target, upstream.meter.finish
            found |= {
                "gen_ai.provider.name": _PROVIDERS.get(target.provider, target.provider),
                "gen_ai.response.id": self.request.request_id,
                "gen_ai.response.model": target.model,
                "gen_ai.response.finish_reasons": [str(finish)] if finish else None,
                "marketplace.credential": target.credential,
                "marketplace.first_token_ms": self.timings()["first_token_ms"],
            }
        if usage is not None:
            found |= {
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
                "marketplace.usage_estimated": usage.estimated,
            }
        if self.receipt is not None:
            found["marketplace.charged_nano"] = self.receipt.charged_nano
        return {name: value for name, value in found.items() if value is not None}


def _try(entry: AttemptLog) -> dict[str, Attribute]:
    return {
        "gen_ai.request.model": entry.model,
        "gen_ai.provider.name": _PROVIDERS.get(entry.provider, entry.provider),
        "marketplace.why": entry.why,
        "marketplace.credential": entry.credential,
        "marketplace.attempt_status": entry.status,
    }


def _code(left: BaseException) -> str:
    if isinstance(left, MarketplaceError):
        return left.code
    return "cancelled" if isinstance(left, asyncio.CancelledError) else type(left).__name__

"""One request on its way: admit -> plan -> hold -> dispatch -> relay -> settle. However it ends, it ends in one usage row.

The database is never waited for while tokens flow (but for a stream's next slice), and the charge is durable before the
terminal event leaves.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from agent_marketplace.errors import MarketplaceError, PaymentRequired, Unavailable
from agent_marketplace.gateway import admit, billing, estimates, needs
from agent_marketplace.gateway.dispatch import AttemptLog, Dispatch, Upstream, receipt_attempts
from agent_marketplace.gateway.plan import Plan, Target
from agent_marketplace.gateway.preferences import Preferences, parse
from agent_marketplace.gateway.pulse import Pulse
from agent_marketplace.gateway.relay import Allowance, Outcome, Stopped, relay, settled_despite_cancel, shutdown_error
from agent_marketplace.ledger import Receipt, Settlement, dollars, price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Finish, Shape, StreamEncoder

if TYPE_CHECKING:
    from agent_marketplace.gateway.ai_api_router import APIRouter


class Mouth(Protocol):
    """The client's side of a wire: what of a `Codec` faces our clients."""

    content_type_stream: str

    def encoder(self, shape: Shape) -> StreamEncoder: ...

    def render_reply(self, reply: Any, shape: Shape, extra: Any) -> bytes: ...

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes: ...

    def keep_alive(self) -> bytes: ...


class Sink(Protocol):
    """Where a stream goes. `begin` is called once, before the first byte; a sink that is gone raises CancelledError."""

    async def begin(self, headers: dict[str, str]) -> None: ...

    async def send(self, data: bytes) -> None: ...


@dataclass(slots=True, kw_only=True)
class GatewayRequest:
    """What a route hands over. raw: the client's body where it may be spliced (OpenAI wire); detail: goes on the receipt;
    on_done(text, fields): called after settlement with what was answered (conversations)."""

    request_id: str
    user_id: str
    mouth: Mouth
    call: Call
    key_id: str | None = None
    raw: bytes | None = None
    agents: bool = False
    keep_text: bool = False
    detail: dict[str, Any] = field(default_factory=dict)
    on_done: Callable[["Flight", Usage | None], Awaitable[dict[str, Any]]] | None = None


class Flight:
    """State of one request. `plain` or `stream` is called once."""

    def __init__(self, router: "APIRouter", request: GatewayRequest) -> None:
        self.router = router
        self.request = request
        self.began = time.monotonic()
        self.created = router.clock.now_ms() // 1000
        self.wishes: Preferences = parse(request.call.routing)
        self.stopped_by = Stopped.SERVER
        self.input_tokens = 0
        self.hold: admit.Sized | None = None
        self.requested_model = request.call.model
        self.log: list[AttemptLog] = []
        self.upstream: Upstream | None = None
        self.receipt: Receipt | None = None
        self.usage: Usage | None = None
        self.begun = False
        self.polite = False
        self.error: MarketplaceError | None = None
        self._pulse: Pulse | None = None

    # -- stages ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Admission, plan and hold. Raises the caller's error; nothing is held then."""
        if self.router.drain.draining:
            raise Unavailable("The server is shutting down", retry_after=5)
        call = self.request.call
        self.input_tokens = self.router.count_tokens(call)
        wants = needs.read(call, self.input_tokens)
        chosen: dict[str, str] = {}
        self.plan: Plan = await self.router.plan_for(
            self.request.user_id, call, wants, self.wishes, free_fallback=self.request.agents, chosen=chosen
        )
        if chosen:
            self.request.detail["auto"] = chosen
        self.hold = await self._hold(wants)
        self._pulse = Pulse(None, self._heartbeat)

    async def plain(self) -> bytes:
        """The whole answer, charged for. Raises the caller's error (voided or charged by the rule)."""
        try:
            upstream = await self._dispatch(stream=False)
            if upstream.reply is None:
                raise AssertionError("a plain answer has a reply")
            await settled_despite_cancel(self._settle(Outcome(Stopped.FINISHED)))
            return self._render(upstream)
        except asyncio.CancelledError:
            await settled_despite_cancel(self._give_up("cancelled", None))
            raise
        except MarketplaceError as error:
            await settled_despite_cancel(self._give_up("failed", error))
            raise
        except BaseException:  # our own fault: the hold must not outlive the request
            await settled_despite_cancel(self._give_up("failed", None))
            raise
        finally:
            self._stop_pulse()

    def note_estimate(self) -> None:
        """Puts the estimate on the receipt, to be compared with the charge."""
        noted = estimates.note(self.router, self.request.call, self.plan.attempts[0].target, self.input_tokens)
        if noted is not None:
            self.request.detail["estimate"] = noted

    async def abandon(self) -> None:
        """Ends an opened flight that never took off: nothing is charged, the hold is released."""
        self._stop_pulse()
        await settled_despite_cancel(self._give_up("failed", None))

    async def stream(self, sink: Sink) -> None:
        """Relays into the sink. Raises the caller's error only while nothing has been sent; afterwards errors are in-band."""
        guarded = _Guarded(self, sink)
        self._stop_pulse()
        self._pulse = Pulse(guarded.keep_alive, self._heartbeat)
        try:
            upstream = await self._dispatch(stream=True)
            outcome = await relay(upstream, guarded.send, self._allowance(upstream.attempt.target))
        except asyncio.CancelledError:
            await self._cancelled(guarded)
            raise
        except MarketplaceError as error:
            await settled_despite_cancel(self._give_up("failed", error))
            if not self.begun:
                raise
            await guarded.send(self.error_bytes(error))
            return
        except BaseException:  # our own fault: the hold must not outlive the request
            await settled_despite_cancel(self._give_up("failed", None))
            raise
        finally:
            self._stop_pulse()
        await settled_despite_cancel(self._settle(outcome))
        await guarded.send(self._terminal(upstream, outcome))

    async def _hold(self, wants: needs.Needs) -> admit.Sized:
        try:
            return await admit.hold(self, wants)
        except PaymentRequired as refused:
            free = self.router.free_plan(self.request.call, wants, self.wishes) if self.wishes.on_empty_free else None
            if free is None or refused.code == "max_cost_exceeded":
                raise
            self.plan = free
            return await admit.hold(self, wants)

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _dispatch(self, *, stream: bool) -> Upstream:
        dispatch = Dispatch(
            client=self.router.client,
            health=self.router.health,
            plan=self.plan,
            stream=stream,
            prepare=self._prepare,
            keep_text=self.request.keep_text,
            log=self.log,
            began=self.began,
        )
        self.upstream = await dispatch.run()
        return self.upstream

    async def _prepare(self, target: Target) -> Any:
        if self.hold is None:
            raise AssertionError("dispatch comes after the hold")
        return await self.router.prepare(self, target, self.hold.output_cap(target))

    def _allowance(self, target: Target) -> Allowance:
        if self.hold is None:
            raise AssertionError("relay comes after the hold")
        sized = self.hold

        async def extend(tokens: int) -> int:
            return await admit.extend(self, target, tokens)

        return Allowance(tokens=sized.covered_tokens(target), extend=extend)

    async def _heartbeat(self) -> None:
        await self.router.ledger.heartbeat(self.request.request_id)

    async def _cancelled(self, guarded: "_Guarded") -> None:
        """The client left, or the server's grace is over: charge what was delivered; tell whoever still listens."""
        if self.upstream is None:
            await settled_despite_cancel(self._give_up("cancelled", None))
            if self.polite:
                await guarded.last_words(self._stopped_bytes())
            return
        self.upstream.response.cancel()
        error = shutdown_error() if self.stopped_by is Stopped.SERVER else None
        await settled_despite_cancel(self._settle(Outcome(self.stopped_by, error)))
        if error is not None and self.begun:
            await guarded.last_words(self.error_bytes(error))
        elif self.polite:
            await guarded.last_words(self._stopped_bytes())

    async def _settle(self, outcome: Outcome) -> None:
        upstream = self.upstream
        if upstream is None or self.hold is None:
            raise AssertionError("settlement follows an answer")
        target, meter = upstream.attempt.target, upstream.meter
        self.usage = billing.billable(meter, outcome.stopped, self.input_tokens)
        charge = cost = 0
        list_cost: int | None = 0
        if self.usage is not None:
            charge = price_usage(target.price, self.usage) if target.price is not None else 0
            list_cost = price_usage(target.list_price, self.usage) if target.list_price is not None else None
            cost = list_cost or 0 if target.credential == "operator" else 0
        if outcome.stopped is Stopped.FINISHED:
            status = "ok"
        elif outcome.stopped is Stopped.CLIENT:
            status = "cancelled"
        else:
            status = "partial" if self.usage is not None else "failed"
        self.receipt = await self._post(
            target,
            charge=charge,
            cost=cost,
            list_cost=list_cost,
            status=status,
            usage=self.usage or Usage(),
            error=outcome.error,
        )
        self.router.observe(self, ok=outcome.stopped is not Stopped.PROVIDER)
        if self.request.on_done is not None:
            self.request.detail |= await self.request.on_done(self, self.usage)

    async def _give_up(self, status: str, error: MarketplaceError | None) -> None:
        """No answer: nothing is charged, the hold is released, and a usage row says why."""
        if self.hold is None or self.receipt is not None:
            return
        target = self.plan.attempts[0].target
        if self.log:
            last = self.log[-1]
            target = next((a.target for a in self.plan.attempts if a.target.provider == last.provider), target)
        self.receipt = await self._post(target, charge=0, cost=0, list_cost=0, status=status, usage=Usage(), error=error)
        if self.request.on_done is not None:
            self.request.detail |= await self.request.on_done(self, None)

    async def _post(
        self, target: Target, *, charge: int, cost: int, list_cost: int | None, status: Any, usage: Usage,
        error: MarketplaceError | None,
    ) -> Receipt:  # fmt: skip
        upstream, hold = self.upstream, self.hold
        meter = upstream.meter if upstream else None
        detail: dict[str, Any] = {
            "attempts": receipt_attempts(self.log),
            "skipped": [msgspec.to_builtins(s) for s in self.plan.skipped[:20]],
            "requested_model": self.requested_model,
            "credential": target.credential,
            "stream": self.request.call.stream,
            "finish_reason": str(meter.finish) if meter and meter.finish else None,
            "malformed_events": meter.malformed if meter else 0,
            "timings": self.timings(),
            "input_estimate": self.input_tokens,
            "dropped_parameters": list(upstream.prepared.call.dropped) if upstream else [],
            **self.request.detail,
        }
        if (moved := self.fallback()) is not None:
            detail["fallback"] = moved
        self.error = error
        if error is not None:
            detail["error"] = {"code": error.code, "words": error.message[:300]}
        return await self.router.ledger.settle(
            Settlement(
                request_id=self.request.request_id,
                user_id=self.request.user_id,
                charge_nano=charge,
                usage=usage,
                provider=target.provider,
                model=target.model,
                status=status,
                provider_cost_nano=cost,
                list_cost_nano=list_cost,
                price_version=hold.price_version if hold else "",
                detail=detail,
            )
        )

    # -- what the client is told ------------------------------------------------------------------------------------

    def fallback(self) -> dict[str, str] | None:
        """`{from, to, reason}` if another model answered than the one asked for."""
        if self.upstream is None or not self.plan.attempts:
            return None
        target = self.upstream.attempt.target
        first = self.plan.attempts[0].target
        if target.model == self.router.canonical(self.requested_model) or self.upstream.attempt.why == "auto":
            return None
        failed = next((entry for entry in self.log if entry.status == "failed"), None)
        why = failed.error if failed else (self.plan.skipped[0].reason if self.plan.skipped else "not available")
        return {"from": first.model if failed else self.requested_model, "to": target.model, "reason": why}

    def timings(self) -> dict[str, int | None]:
        """Milliseconds since the request began."""
        first = self.upstream.meter.first_at if self.upstream else None
        return {
            "first_token_ms": round((first - self.began) * 1000) if first is not None else None,
            "total_ms": round((time.monotonic() - self.began) * 1000),
        }

    def shape(self, target: Target) -> Shape:
        """Ids and names for the answer."""
        return Shape(
            id=self.request.request_id,
            model=target.model,
            created=self.created,
            include_usage=self.request.call.include_usage,
            provider=target.provider,
        )

    def money(self) -> dict[str, Any]:
        """Cost fields, once the receipt is there."""
        if self.receipt is None:
            return {}
        fields: dict[str, Any] = {
            "cost": dollars(self.receipt.charged_nano),
            "balance_remaining": dollars(self.receipt.balance_nano),
        }
        if (moved := self.fallback()) is not None:
            fields["fallback"] = moved
        return fields

    def headers(self) -> dict[str, str]:
        """Headers of a good answer."""
        return {"x-generation-id": self.request.request_id, "x-request-id": self.request.request_id}

    def _render(self, upstream: Upstream) -> bytes:
        return self.router.render(self, upstream)

    def _terminal(self, upstream: Upstream, outcome: Outcome) -> bytes:
        if outcome.error is not None:
            return self.error_bytes(outcome.error)
        pipe = upstream.prepared.pipe
        if pipe is None:
            raise AssertionError("a stream has a pipe")
        return pipe.end(upstream.meter.finish or Finish.STOP, self.usage, self.extra())

    def extra(self) -> dict[str, Any]:
        """Fields beside the answer: money, and for our own API everything the receipt needs to be understood."""
        fields = self.money()
        if self.request.agents and self.receipt is not None:
            list_cost = None
            if self.upstream is not None and self.usage is not None and self.upstream.attempt.target.list_price is not None:
                list_cost = dollars(price_usage(self.upstream.attempt.target.list_price, self.usage))
            fields |= {
                "request_id": self.request.request_id,
                "timings": self.timings(),
                "list_cost": list_cost,
                **self.request.detail,
            }
        return fields

    def error_bytes(self, error: MarketplaceError) -> bytes:
        """The error as the end of this stream, with what was charged."""
        told = MarketplaceError(
            error.message, code=error.code, status=error.status, retry_after=error.retry_after,
            extra={**error.extra, **(self.money() if self.request.agents else {})},
        )  # fmt: skip
        pipe = self.upstream.prepared.pipe if self.upstream else None
        if pipe is not None:
            return pipe.error(told, self.request.request_id)
        target = self.plan.attempts[0].target
        return self.request.mouth.encoder(self.shape(target)).error(told, self.request.request_id)

    def _stop_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None

    def client_left(self, *, polite: bool = False) -> None:
        """Say this before cancelling the flight's task: the client is gone, or (polite) asked to stop and still listens."""
        self.stopped_by = Stopped.CLIENT
        self.polite = polite

    def _stopped_bytes(self) -> bytes:
        pipe = self.upstream.prepared.pipe if self.upstream else None
        extra = self.extra() | {"finish_reason": "stopped"}
        if pipe is not None:
            return pipe.end(Finish.STOP, self.usage, extra)
        encoder = self.request.mouth.encoder(self.shape(self.plan.attempts[0].target))
        return encoder.start() + encoder.end(Finish.STOP, None, extra)

    def touched(self) -> None:
        """Bytes just went to the client."""
        if self._pulse is not None:
            self._pulse.touch()


class _Guarded:
    """A sink that begins by itself and keeps the pulse quiet."""

    def __init__(self, flight: Flight, sink: Sink) -> None:
        self._flight = flight
        self._sink = sink

    async def send(self, data: bytes) -> None:
        if not self._flight.begun:
            self._flight.begun = True
            await self._sink.begin(self._flight.headers())
        await self._sink.send(data)
        self._flight.touched()

    async def keep_alive(self) -> None:
        await self.send(self._flight.request.mouth.keep_alive())

    async def last_words(self, data: bytes) -> None:
        """For a stream that is being torn down: at most a second, and never an error of its own."""
        try:
            async with asyncio.timeout(1):
                await self.send(data)
        except (TimeoutError, OSError, asyncio.CancelledError):
            return

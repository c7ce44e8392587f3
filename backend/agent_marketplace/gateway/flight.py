"""One request on its way: admit -> plan -> hold -> dispatch -> relay -> settle. However it ends, it ends in one usage row.

The database is never waited for while tokens flow (but for a stream's next slice), and the charge is durable before the
terminal event leaves.
"""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, cast

import msgspec

from agent_marketplace.errors import MarketplaceError, PaymentRequired, ProviderFailure, Unauthorized
from agent_marketplace.gateway import billing, estimates, needs, receipts, sizing
from agent_marketplace.gateway.dispatch import AttemptLog, Dispatch, Prepared, Upstream
from agent_marketplace.gateway.holding import Holding
from agent_marketplace.gateway.plan import Attempt, Plan, Target
from agent_marketplace.gateway.preferences import Preferences, parse
from agent_marketplace.gateway.pulse import Pulse
from agent_marketplace.gateway.relay import Allowance, relay, release
from agent_marketplace.gateway.request import GatewayRequest, GuardedSink, Sink
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.gateway.stopping import (
    Outcome,
    Stopped,
    StopSwitch,
    forgive_cancel,
    settled_despite_cancel,
    shutdown_error,
)
from agent_marketplace.ledger import KeptReply, Receipt, Settlement, dollars, price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Finish, Shape

if TYPE_CHECKING:
    from agent_marketplace.gateway.ai_api_router import APIRouter

log = logging.getLogger(__name__)
_OVERRUN = 16  # characters a token may stand for, in our rough count of tokens: runs of blanks reach dozens
_LEAST_OVERRUN = 8192


class Flight:
    """State of one request. `plain` or `stream` is called once."""

    def __init__(self, router: "APIRouter", request: GatewayRequest) -> None:
        self.router = router
        self.request = request
        self.began = time.monotonic()
        self.created = router.clock.now_ms() // 1000
        self.wishes: Preferences = parse(request.call.routing)
        self.input_tokens = 0
        self.asked: Asked | None = None
        self.hold: Held | None = None
        self._holding = Holding(
            router.ledger, router.running, request.request_id, request.user_id, request.key_id
        )
        self.requested_model = request.call.model
        self.log: list[AttemptLog] = []
        self.upstream: Upstream | None = None
        self.receipt: Receipt | None = None
        self.usage: Usage | None = None
        self.body: bytes | None = None  # of a plain answer that was stored with its charge
        self.begun = False
        self.error: MarketplaceError | None = None
        self._pulse: Pulse | None = None
        self._switch = StopSwitch()
        self._closed = False
        self._moved_because = ""

    async def open(self) -> None:
        """Admission, plan and hold. Raises the caller's error; nothing is held then."""
        if (refusal := self.router.drain.refusal()) is not None:
            raise refusal
        call = self.request.call
        self.input_tokens = await self.router.count_tokens(call)
        wants = needs.read(call, self.input_tokens)
        chosen: dict[str, str] = {}
        self.plan: Plan = await self.router.plan_for(
            self.request.user_id, call, wants, self.wishes, free_fallback=self.request.agents, chosen=chosen
        )
        if chosen:
            self.request.detail["auto"] = chosen
        self.hold = await self._hold(wants)
        self._pulse = Pulse(
            self.router.rhythm, self._heartbeat, beat_every_s=self._holding.beat_every(self.router.rhythm)
        )

    async def plain(self) -> bytes:
        """The whole answer, charged for. Raises the caller's error, CancelledError where the caller left."""
        try:
            try:
                self._switch.arm()
                upstream = await self._dispatch(stream=False)
                self._switch.disarm()
            except asyncio.CancelledError:
                await self._never_answered()
                raise
            except MarketplaceError as error:
                await settled_despite_cancel(self._give_up("failed", error))
                raise
            await self._settle_through(Outcome(Stopped.FINISHED))
            return self.body if self.body is not None else self.router.render(self, upstream, self.receipt)
        except BaseException:  # whatever it was, the hold must not outlive the request
            await settled_despite_cancel(self._give_up("failed", None))
            raise
        finally:
            self._stop_pulse()

    async def stream(self, sink: Sink) -> None:
        """Relays into the sink. Raises the caller's error only while nothing has been sent, CancelledError where the caller
        left; everything else is in-band."""
        guarded = GuardedSink(self, sink)
        self._stop_pulse()
        self._pulse = Pulse(
            self.router.rhythm,
            self._heartbeat,
            beat_every_s=self._holding.beat_every(self.router.rhythm),
            keep_alive=guarded.keep_alive,
            check=self._check_caller if self.request.still_valid is not None else None,
        )
        try:
            last = await self._to_the_end(guarded)
            self._stop_pulse()
            await guarded.send(last)
            if self.upstream is not None:
                await release(self.upstream, self.router.rhythm.rest_s)
        except BaseException:  # whatever it was, neither hold nor connection must outlive the request
            await settled_despite_cancel(self._give_up("failed", None))
            raise
        finally:
            self._stop_pulse()
            if self.upstream is not None:
                self.upstream.response.cancel()

    async def _to_the_end(self, guarded: GuardedSink) -> bytes:
        """Dispatch, relay, settlement; returns the stream's last event. Raises as `stream`."""
        try:
            self._switch.arm()
            upstream = await self._dispatch(stream=True)
            outcome = await relay(
                upstream,
                guarded.send,
                self._allowance(upstream.attempt.target),
                tail_s=self.router.rhythm.tail_s,
                choices=self._choices,
            )
            self._switch.disarm()
        except asyncio.CancelledError:
            if self.upstream is None:
                await self._never_answered(begun=self.begun)
                why = self._switch.why
                return self._stopped_bytes() if why is None else self.error_bytes(why)
            upstream, outcome = self.upstream, self._switch.outcome(draining=self.router.drain.draining)
            upstream.response.cancel()
            await settled_despite_cancel(self._settle(outcome))
            if self._switch.left(outcome.stopped):
                raise
            forgive_cancel()
            return self._stopped_bytes() if outcome.error is None else self.error_bytes(outcome.error)
        except MarketplaceError as error:
            await settled_despite_cancel(self._give_up("failed", error))
            if not self.begun:
                raise
            return self.error_bytes(error)
        try:
            await self._settle_through(outcome)
        except MarketplaceError as error:
            # The database did not confirm: the sweeper ends the hold, nothing is shown as paid.
            return self.error_bytes(error)
        return self._terminal(upstream, outcome)

    def note_estimate(self) -> None:
        """Puts the estimate on the receipt, to be compared with the charge."""
        target = self.plan.attempts[0].target
        if self.asked is None:
            raise AssertionError("an estimate follows admission")
        noted = estimates.note(self.router, self.asked, target)
        if noted is not None:
            self.request.detail["estimate"] = noted

    async def abandon(self) -> None:
        """Ends an opened flight that never took off: nothing is charged, the hold is released."""
        self._stop_pulse()
        await settled_despite_cancel(self._give_up("failed", None))

    def client_left(self, *, polite: bool = False) -> None:
        """The client hung up, or (polite) asked to stop and still listens. Without effect once the answer is whole."""
        self._switch.stop(Stopped.CLIENT, None, polite=polite)

    def shut_down(self) -> None:
        """The server's grace is over, and no task of the server's carries this flight."""
        self._switch.stop(Stopped.SERVER, shutdown_error())

    async def _never_answered(self, *, begun: bool = False) -> None:
        """Cancelled before an answer: nothing is charged. Raises for who left, and the error while it can be a status."""
        outcome = self._switch.outcome(draining=self.router.drain.draining)
        status = "cancelled" if outcome.stopped is Stopped.CLIENT else "failed"
        await settled_despite_cancel(self._give_up(status, outcome.error))
        if self._switch.left(outcome.stopped):
            raise asyncio.CancelledError
        forgive_cancel()
        if outcome.error is not None and not begun:
            raise outcome.error

    async def _check_caller(self) -> None:
        """Ends a stream whose caller's session or key has been revoked meanwhile."""
        if self.request.still_valid is None:
            return
        try:
            await self.request.still_valid()
        except Unauthorized as error:
            told = Unauthorized(f"{error.message}; the answer was stopped here", code=error.code)
            self._switch.stop(Stopped.SERVER, told)

    @property
    def _choices(self) -> int:
        return self.asked.needs.choices if self.asked is not None else 1

    async def _hold(self, wants: needs.Needs) -> Held:
        try:
            return await self._take(wants)
        except PaymentRequired as refused:
            free = None
            if self.wishes.on_empty_free:
                free = self.router.free_plan(self.request.call, wants, self.wishes)
            if free is None or refused.code == "max_cost_exceeded":
                raise
            self.plan = free
            self._moved_because = "the balance does not cover the model that was asked for"
            return await self._take(wants)

    async def _take(self, wants: needs.Needs) -> Held:
        call, usual = self.request.call, {}
        if wants.output_tokens is None:
            models = {a.target.model for a in self.plan.attempts}
            usual = {model: self.router.usual_output(model) for model in models}
        asked = self.asked = Asked(
            call=call, needs=wants, input_tokens=self.input_tokens, max_cost=self.wishes.max_cost, usual=usual
        )
        self.plan, held = await self._holding.take(
            asked, self.plan, lambda: self.router.free_alternative(call)
        )
        return held

    async def _dispatch(self, *, stream: bool) -> Upstream:
        dispatch = Dispatch(
            client=self.router.client,
            health=self.router.health,
            plan=self.plan,
            stream=stream,
            prepare=self._prepare,
            user_id=self.request.user_id,
            tokens=self.input_tokens,
            sleep=self.router.sleep,
            log=self.log,
            began=self.began,
            provider_failed=bool(self._moved_because),
        )
        self.upstream = await dispatch.run()
        return self.upstream

    async def _prepare(self, attempt: Attempt) -> Prepared:
        if self.hold is None or self.asked is None:
            raise AssertionError("dispatch comes after the hold")
        cap = sizing.output_cap(self.asked, self.hold, attempt.target)
        return await self.router.prepare(self, attempt, cap)

    def _allowance(self, target: Target) -> Allowance:
        asked = self.asked
        if self.hold is None or asked is None:
            raise AssertionError("relay comes after the hold")
        if target.free:
            return Allowance(1 << 60, extend=None)
        tokens = sizing.covered(asked, self.hold, target)
        if self.hold.capped:
            # The provider was told where to stop: our rough count must not cut a paid answer, only one that never ends.
            overrun = ProviderFailure(f"{target.provider} went on past the length it was given")
            return Allowance(max(tokens * _OVERRUN, _LEAST_OVERRUN), extend=None, overrun=overrun)

        held = msgspec.structs.replace(self.hold, tokens=tokens)

        async def extend(more: int) -> int:
            nonlocal held
            self.hold = held = await self._holding.extend(asked, held, target, more)
            return more

        return Allowance(tokens, extend=extend)

    async def _heartbeat(self) -> None:
        """Keeps the hold alive, with what is to be charged if this process dies now."""
        upstream, progress = self.upstream, None
        if upstream is not None and upstream.meter.characters and upstream.attempt.target.price is not None:
            delivered = upstream.meter.running_tokens() * self._choices
            usage = Usage(input=self.input_tokens, output=delivered)
            progress = price_usage(upstream.attempt.target.price, usage)
            if self.hold is not None:
                progress = min(progress, self.hold.amount_nano)
        await self._holding.beat(progress)

    async def _settle_through(self, outcome: Outcome) -> None:
        """Settles; a shutdown in between must not cost the client the answer that was paid for."""
        try:
            await settled_despite_cancel(self._settle(outcome))
        except asyncio.CancelledError:
            if self.receipt is None or not self.router.drain.draining:
                raise
            forgive_cancel()

    async def _settle(self, outcome: Outcome) -> None:
        if (upstream := self.upstream) is None or self.hold is None:
            raise AssertionError("settlement follows an answer")
        target = upstream.attempt.target
        self.usage = billing.billable(
            upstream.meter, outcome.stopped, self.input_tokens, context=target.context, choices=self._choices,
            cap=upstream.prepared.cap,
        )  # fmt: skip
        charge, list_cost = 0, cast("int | None", 0)
        if self.usage is not None:
            charge = price_usage(target.price, self.usage) if target.price is not None else 0
            if target.list_price is not target.price:  # without a mark-up the two are one
                listed = target.list_price
                list_cost = price_usage(listed, self.usage) if listed is not None else None
            else:
                list_cost = charge if target.price is not None else None
        cut = "partial" if self.usage is not None else "failed"
        status = {Stopped.FINISHED: "ok", Stopped.CLIENT: "cancelled"}.get(outcome.stopped, cut)
        if outcome.stopped is not Stopped.FINISHED:
            self.request.detail["abort"] = self.router.abort_rule(target.provider)
        self.receipt = await self._post(
            target,
            charge=charge,
            cost=(list_cost or 0) if target.credential == "operator" else 0,
            list_cost=list_cost,
            status=status,
            usage=self.usage or Usage(),
            error=outcome.error,
            kept=receipts.kept_reply(self),
        )
        self.router.observe(self, ok=outcome.stopped is not Stopped.PROVIDER)
        await self._tell_the_route(self.usage)

    async def _give_up(self, status: str, error: MarketplaceError | None) -> None:
        """No answer: nothing is charged, the hold is released, and a usage row says why."""
        if self.hold is None or self.receipt is not None or self._closed:
            return
        self._closed = True
        target = self.plan.attempts[0].target
        if self.log:
            tried = (self.log[-1].model, self.log[-1].provider)
            targets = (a.target for a in self.plan.attempts)
            target = next((t for t in targets if (t.model, t.provider) == tried), target)
        nothing = Usage()
        self.receipt = await self._post(
            target, charge=0, cost=0, list_cost=0, status=status, usage=nothing, error=error
        )
        await self._tell_the_route(None)

    async def _tell_the_route(self, usage: Usage | None) -> None:
        if self.request.on_done is None:
            return
        try:
            self.request.detail |= await self.request.on_done(self, usage)
        except Exception:  # the answer is paid for: a history that can't be written must not take it away
            log.exception("%s was settled, but its route could not keep it", self.request.request_id)

    async def _post(
        self, target: Target, *, charge: int, cost: int, list_cost: int | None, status: Any, usage: Usage,
        error: MarketplaceError | None, kept: KeptReply | None = None,
    ) -> Receipt:  # fmt: skip
        self.error = error
        return await self._holding.settle(
            Settlement(
                request_id=self.request.request_id,
                user_id=self.request.user_id,
                charge_nano=charge,
                usage=usage,
                provider=target.provider,
                model=target.model,
                status=status,
                provider_cost_nano=cost + receipts.unconfirmed_cost(self),
                list_cost_nano=list_cost,
                price_version=self.hold.price_version if self.hold else "",
                detail=receipts.detail_of(self, target),
                kept=kept,
            )
        )

    def fallback(self) -> dict[str, str] | None:
        """`{from, to, reason}` if another model answered than the one asked for."""
        return self.moved(self.upstream.attempt) if self.upstream is not None else None

    def moved(self, attempt: Attempt) -> dict[str, str] | None:
        """As `fallback`, for an attempt under way."""
        if attempt.why in ("requested", "other_endpoint"):
            return None
        asked = self.router.canonical(self.requested_model)
        if attempt.why == "auto":
            asked = self.plan.attempts[0].target.model
        if attempt.target.model == asked:
            return None
        others = (e for e in self.log if e.model != attempt.target.model)
        failed = next((e for e in others if e.status in ("failed", "not_tried")), None)
        left_out = next((s.reason for s in self.plan.skipped if s.model == asked), "not available")
        reason = self._moved_because or (failed.error if failed is not None else left_out)
        return {"from": asked, "to": attempt.target.model, "reason": reason}

    def timings(self) -> dict[str, int | None]:
        """Milliseconds since the request began."""
        first = self.upstream.meter.first_at if self.upstream else None
        return {
            "first_token_ms": round((first - self.began) * 1000) if first is not None else None,
            "total_ms": round((time.monotonic() - self.began) * 1000),
        }

    def shape(self, target: Target) -> Shape:
        """Ids and names for the answer."""
        return self.request.shape(target.model, target.provider, self.created)

    def money(self, receipt: Receipt | None) -> dict[str, Any]:
        """Cost fields, once the receipt is there."""
        if receipt is None:
            return {}
        fields: dict[str, Any] = {
            "cost": dollars(receipt.charged_nano),
            "balance_remaining": dollars(receipt.balance_nano),
        }
        if (moved := self.fallback()) is not None:
            fields["fallback"] = moved
        return fields

    def headers(self) -> dict[str, str]:
        """Headers of a good answer."""
        return receipts.headers_of(self)

    def _terminal(self, upstream: Upstream, outcome: Outcome) -> bytes:
        if outcome.error is not None:
            return self.error_bytes(outcome.error)
        pipe = upstream.prepared.pipe
        if pipe is None:
            raise AssertionError("a stream has a pipe")
        return pipe.end(upstream.meter.finish or Finish.STOP, self.usage, self.beside(self.receipt))

    def beside(self, receipt: Receipt | None) -> dict[str, Any]:
        """Fields beside the answer: money, and for our own API everything the receipt needs to be understood."""
        fields = self.money(receipt)
        if self.request.agents and receipt is not None:
            list_cost = None
            if (
                self.upstream is not None
                and self.usage is not None
                and self.upstream.attempt.target.list_price is not None
            ):
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
        if error.status >= 500:
            log.warning("failed %s in its stream: %s", self.request.request_id, error.code)
        told = MarketplaceError(
            error.message, code=error.code, status=error.status, retry_after=error.retry_after,
            extra={**error.extra, **(self.money(self.receipt) if self.request.agents else {})},
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

    def _stopped_bytes(self) -> bytes:
        pipe = self.upstream.prepared.pipe if self.upstream else None
        extra = self.beside(self.receipt) | {"finish_reason": "stopped"}
        if pipe is not None:
            return pipe.end(Finish.STOP, self.usage, extra)
        encoder = self.request.mouth.encoder(self.shape(self.plan.attempts[0].target))
        return encoder.start() + encoder.end(Finish.STOP, None, extra)

    def touched(self) -> None:
        """Bytes just went to the client."""
        if self._pulse is not None:
            self._pulse.touch()

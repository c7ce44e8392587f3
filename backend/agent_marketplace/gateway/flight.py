"""One request on its way: admit -> plan -> hold -> dispatch -> relay -> settle. However it ends, it ends in one usage row.

The flight alone writes the call's record; every stage gets values from it and gives values back. The database is never waited
for while tokens flow (but for a stream's next slice), and the charge is durable before the terminal event leaves.
"""

import asyncio
import logging
import time

import msgspec

from agent_marketplace.errors import MarketplaceError, Unauthorized
from agent_marketplace.gateway import admission, loads, observing, settling, sizing, told, traces
from agent_marketplace.gateway.dispatch import Dispatch
from agent_marketplace.gateway.holding import Holding
from agent_marketplace.gateway.parts import Job, Parts
from agent_marketplace.gateway.plan import Attempt, Target
from agent_marketplace.gateway.preferences import parse
from agent_marketplace.gateway.pulse import Pulse
from agent_marketplace.gateway.record import GatewayRequest, Prepared, Record, Upstream
from agent_marketplace.gateway.relay import Allowance, relay, release
from agent_marketplace.gateway.sinks import GuardedSink, Sink
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.gateway.stopping import (
    LastStage,
    Outcome,
    Stopped,
    StopSwitch,
    forgive_cancel,
    settled_despite_cancel,
    shutdown_error,
)
from agent_marketplace.ledger import Settlement
from agent_marketplace.ledger.types import Status
from agent_marketplace.usage import Usage

log = logging.getLogger(__name__)
_LEFT = "stopped before the first word: {provider} bills the input of a request that it has received, and so do we"


class Flight:
    """One request: `open`, then `plain` or `stream` once, or `abandon`."""

    def __init__(self, parts: Parts, request: GatewayRequest, job: Job) -> None:
        self.parts = parts
        self.record = Record(
            request=request,
            wishes=parse(request.call.routing),
            began=time.monotonic(),
            created=parts.clock.now_ms() // 1000,
            asked_model=parts.planner.canonical(request.call.model),
        )
        self._job = job
        self._holding = Holding(
            parts.ledger, parts.running, request.request_id, request.user_id, request.key_id
        )
        self._switch = StopSwitch()
        self._pulse: Pulse | None = None
        self._dispatched: Dispatch | None = None
        self._heard_out = False
        self._closed = False
        self._traced = False

    async def open(self) -> None:
        """Admission, plan and hold. Raises the caller's error; nothing is held then."""
        try:
            if (refusal := self.parts.drain.refusal()) is not None:
                raise refusal
            await self._plan()
            await self._hold()
            self._pulse = self._new_pulse()
        except BaseException as left:  # from the moment that money is held, nothing may leave it behind
            try:
                await settled_despite_cancel(self._give_up("failed", None))
            finally:
                self._trace(traces.code(left, self.record))
            raise

    async def plain(self) -> bytes:
        """The whole answer, charged for. Raises the caller's error, CancelledError where the caller left."""
        with LastStage(self._over):
            try:
                await self._answer()
                body = self.record.body
                return body if body is not None else self._render()
            except BaseException:  # whatever it was, the hold must not outlive the request
                await settled_despite_cancel(self._give_up("failed", None))
                raise

    async def stream(self, sink: Sink) -> None:
        """Relays into the sink. Raises the caller's error only while nothing has been sent, CancelledError where the caller
        left; everything else is in-band."""
        request = self.record.request
        guarded = GuardedSink(
            sink, headers=self.headers, silence=request.mouth.keep_alive(), sent=self._touched
        )
        self._stop_pulse()
        self._pulse = self._new_pulse(guarded)
        with LastStage(self._over):
            try:
                last = await self._to_the_end(guarded)
                # The charge is durable: from here on neither silence is filled nor the caller asked about, so that nothing
                # is written after the last event.
                self._stop_pulse()
                await guarded.send(last)
                if self.record.upstream is not None:
                    await release(self.record.upstream, self.parts.rhythm.rest_s)
            except BaseException:  # whatever it was, neither hold nor connection must outlive the request
                await settled_despite_cancel(self._give_up("failed", None))
                raise
            finally:
                if self.record.upstream is not None:
                    self.record.upstream.response.cancel()

    async def abandon(self) -> None:
        """Ends an opened flight that never took off: nothing is charged, the hold is released."""
        self._stop_pulse()
        await settled_despite_cancel(self._give_up("failed", None))
        self._trace("abandoned")

    def headers(self) -> dict[str, str]:
        """Headers of a good answer."""
        return told.headers(self.record)

    def client_left(self, *, polite: bool = False) -> None:
        """The client hung up, or (polite) asked to stop and still listens. Without effect once the answer is whole."""
        within_s = 0.0 if polite else self._patience()
        self._switch.stop(Stopped.CLIENT, None, polite=polite, within_s=within_s)

    def shut_down(self) -> None:
        """The server's grace is over, and no task of the server's carries this flight."""
        self._switch.stop(Stopped.SERVER, shutdown_error())
        self._switch.hurry()

    # -- admit, plan, hold --------------------------------------------------------------------------------------------

    async def _plan(self) -> None:
        record, request = self.record, self.record.request
        planned = await admission.planned(self.parts, request, record.wishes, self._job)
        record.asked, record.plan = planned.asked, planned.plan
        if planned.call is not request.call:  # the client's bytes lack its effort: they can't be passed on
            request.call, request.raw = planned.call, None
        request.detail |= planned.detail
        record.stages.append(("plan", record.began, record.began))

    async def _hold(self) -> None:
        record, began = self.record, time.monotonic()
        if record.asked is None:
            raise AssertionError("a hold follows the plan")
        try:
            record.asked, record.plan, record.hold, record.moved_because = await admission.held(
                self.parts, self._holding, record.asked, record.plan, record.wishes
            )
        finally:
            record.stages.append(("hold", began, time.monotonic()))

    # -- dispatch, relay ----------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        """A plain answer: dispatched and settled. Raises as `plain`."""
        try:
            self._switch.arm()
            await self._dispatch(stream=False)
            self._check_left()
            # Disarmed before anything else is awaited: a caller who leaves from here on has an answer to pay for, and a
            # cancellation in the middle of the settlement would only delay it.
            self._switch.disarm()
        except asyncio.CancelledError:
            await self._never_answered(begun=False)
            raise
        except MarketplaceError as error:
            await settled_despite_cancel(self._give_up("failed", error))
            raise
        await self._settle_through(Outcome(Stopped.FINISHED))

    async def _to_the_end(self, guarded: GuardedSink) -> bytes:
        """Dispatch, relay, settlement; returns the stream's last event. Raises as `stream`."""
        record = self.record
        try:
            self._switch.arm()
            upstream = await self._dispatch(stream=True)
            self._check_left()
            outcome = await relay(
                upstream,
                guarded.send,
                self._allowance(upstream.attempt.target),
                tail_s=self.parts.rhythm.tail_s,
                choices=record.choices,
            )
            self._switch.disarm()
        except asyncio.CancelledError:
            if record.upstream is None or self._heard_out:
                await self._never_answered(begun=guarded.begun)
                return self._stopped_event(self._switch.why)
            outcome = self._switch.outcome(draining=self.parts.drain.draining)
            # First the provider is told to stop, then the books are closed: each token in between would be paid for.
            record.upstream.response.cancel()
            await settled_despite_cancel(self._settle(outcome))
            if self._switch.left(outcome.stopped):
                raise
            forgive_cancel()
            return self._stopped_event(outcome.error)
        except MarketplaceError as error:
            await settled_despite_cancel(self._give_up("failed", error))
            if not guarded.begun:
                raise
            return self.error_bytes(error)
        try:
            await self._settle_through(outcome)
        except MarketplaceError as error:
            # The database did not confirm: the sweeper ends the hold, nothing is shown as paid.
            return self.error_bytes(error)
        return self._last_event(outcome.error)

    async def _dispatch(self, *, stream: bool) -> Upstream:
        record, parts = self.record, self.parts
        dispatch = self._dispatched = Dispatch(
            client=parts.client,
            health=parts.health,
            plan=record.plan,
            stream=stream,
            prepare=self._prepare,
            user_id=record.request.user_id,
            tokens=record.input_tokens,
            sleep=parts.sleep,
            log=record.log,
            began=record.began,
            provider_failed=bool(record.moved_because),
            halted=lambda: self._switch.by is not None,
            failed=lambda target, kind: observing.unanswered(target, kind, parts.health, parts.catalog),
        )
        upstream = record.upstream = await dispatch.run()
        return upstream

    def _patience(self) -> float:
        """Seconds for which the try under way is heard out after its caller has left: what it has cost is then known."""
        last = self.record.log[-1] if self.record.log else None
        if self.record.upstream is not None or last is None or last.status != "running" or not last.sent:
            return 0.0
        if last.credential != "operator" or self.parts.preparer.abort_rule(last.provider) == "stops":
            return 0.0
        return self.parts.rhythm.leave_s

    def _check_left(self) -> None:
        """An answer that came while its caller was being waited for no longer has one: it ends as if it had not come."""
        if self._switch.by is not None:
            self._heard_out = True
            raise asyncio.CancelledError

    async def _prepare(self, attempt: Attempt) -> Prepared:
        asked, hold = self._sized()
        cap = sizing.output_cap(asked, hold, attempt.target)
        return await self._job.prepare(self.parts, self.record, attempt, cap)

    def _allowance(self, target: Target) -> Allowance:
        asked, hold = self._sized()
        if target.free:
            return Allowance(1 << 60, extend=None)
        tokens = sizing.covered(asked, hold, target)
        if sizing.capped(asked, hold, target):
            return Allowance.to_the_cap(tokens, target.provider)
        self.record.hold = msgspec.structs.replace(hold, tokens=tokens)

        async def extend(more: int) -> int:
            asked, hold = self._sized()
            self.record.hold = await self._holding.extend(asked, hold, target, more)
            return more

        return Allowance(tokens, extend=extend, family=loads.family(target))

    def _sized(self) -> tuple[Asked, Held]:
        if self.record.asked is None or self.record.hold is None:
            raise AssertionError("this comes after the hold")
        return self.record.asked, self.record.hold

    # -- the pulse ----------------------------------------------------------------------------------------------------

    def _new_pulse(self, guarded: GuardedSink | None = None) -> Pulse:
        rhythm = self.parts.rhythm
        checked = guarded is not None and self.record.request.still_valid is not None
        return Pulse(
            rhythm,
            self._heartbeat,
            beat_every_s=self._holding.beat_every(rhythm),
            keep_alive=guarded.keep_alive if guarded is not None else None,
            check=self._check_caller if checked else None,
            checked=self.record.request.known_valid,
        )

    def _stop_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None

    def _touched(self) -> None:
        if self._pulse is not None:
            self._pulse.touch()

    async def _heartbeat(self) -> None:
        """Keeps the hold alive, with what is to be charged if this process dies now."""
        await self._holding.beat(settling.progress(self.record))

    async def _check_caller(self) -> None:
        """Ends a stream whose caller's session or key has been revoked meanwhile."""
        if self.record.request.still_valid is None:
            return
        try:
            await self.record.request.still_valid()
        except Unauthorized as error:
            words = f"{error.message}; the answer was stopped here"
            self._switch.stop(Stopped.SERVER, Unauthorized(words, code=error.code))

    # -- settle -------------------------------------------------------------------------------------------------------

    async def _never_answered(self, *, begun: bool) -> None:
        """Cancelled before an answer. A caller who left pays for what the provider bills of the one try under way; the server's
        own stops are the operator's. Raises for who left, and the error while it can be a status."""
        record, outcome = self.record, self._switch.outcome(draining=self.parts.drain.draining)
        status: Status = "cancelled" if outcome.stopped is Stopped.CLIENT else "failed"
        upstream, seen = record.upstream, self._dispatched.seen if self._dispatched is not None else None
        if upstream is not None:
            upstream.response.cancel()
            seen = upstream.meter
        usage: Usage | None = None
        if outcome.stopped is Stopped.CLIENT and record.log:
            rule = self.parts.preparer.abort_rule(record.log[-1].provider)
            record.request.detail["abort"] = rule
            usage = settling.left_before(record, seen.usage if seen is not None else None, rule)
            if usage is not None:
                record.request.detail["left"] = _LEFT.format(provider=record.log[-1].provider)
        await settled_despite_cancel(self._give_up(status, outcome.error, usage))
        if self._switch.left(outcome.stopped):
            raise asyncio.CancelledError
        forgive_cancel()
        if outcome.error is not None and not begun:
            raise outcome.error

    async def _settle_through(self, outcome: Outcome) -> None:
        """Settles; a shutdown in between must not cost the client the answer that was paid for."""
        try:
            await settled_despite_cancel(self._settle(outcome))
        except asyncio.CancelledError:
            if self.record.receipt is None or not self.parts.drain.draining:
                raise
            forgive_cancel()

    async def _settle(self, outcome: Outcome) -> None:
        record, began = self.record, time.monotonic()
        if (upstream := record.upstream) is None:
            raise AssertionError("settlement follows an answer")
        if outcome.stopped is not Stopped.FINISHED:
            rule = self.parts.preparer.abort_rule(upstream.attempt.target.provider)
            record.request.detail["abort"] = rule
        record.error = outcome.error
        reported = settling.reported_usage(record, outcome.stopped)
        record.usage = settling.charged_usage(record, reported)
        if reported is not None and reported != record.usage:
            record.request.detail["claimed_output_tokens"] = reported.completion_tokens
        settlement = settling.answered(record, outcome, reported, began)
        asked, hold = self._sized()
        target = upstream.attempt.target
        bought = settlement.charge_nano > hold.amount_nano and not sizing.capped(asked, hold, target)
        if bought and record.usage is not None:
            tokens, cost = record.usage.completion_tokens, settlement.charge_nano
            record.hold = await self._holding.stretch(asked, hold, target, tokens, cost)
        if record.request.once is not None:
            kept = settling.kept_reply(record, self._kept)
            settlement = msgspec.structs.replace(settlement, kept=kept)
        await self._post(settlement, began)
        ok = outcome.stopped is not Stopped.PROVIDER
        observing.observe(record, self.parts.health, self.parts.catalog, ok=ok, now=time.monotonic())
        if upstream.prepared.family:
            await self.parts.preparer.remember(record, whole=outcome.stopped is Stopped.FINISHED)
        if record.request.on_done is not None:
            await self._tell_the_route(record.usage)

    async def _give_up(
        self, status: Status, error: MarketplaceError | None, usage: Usage | None = None
    ) -> None:
        """No answer: the hold is released, and a usage row says why. Once, and only if money is held.

        usage: what a caller pays who left before it
        """
        record, began = self.record, time.monotonic()
        if record.hold is None or record.receipt is not None or self._closed:
            return
        self._closed = True
        record.error, record.usage = error, usage
        await self._post(settling.unanswered(record, status, began), began)
        await self._tell_the_route(usage)

    async def _post(self, settlement: Settlement, began: float) -> None:
        try:
            receipt = self.record.receipt = await self._holding.settle(settlement)
        finally:
            self.record.stages.append(("settle", began, time.monotonic()))
        if receipt.absorbed_nano and not receipt.replayed:
            await self._absorbed(settlement, receipt.absorbed_nano)

    async def _absorbed(self, settlement: Settlement, nano: int) -> None:
        """The provider billed more than was held: an alarm, and the hole is closed where its bound, not the wallet, failed."""
        record, bounds, (asked, hold) = self.record, self.parts.bounds, self._sized()
        bounds.absorbed(settlement.user_id, nano)
        target = record.upstream.attempt.target if record.upstream is not None else None
        if target is not None and settling.bound_failed(record, asked, hold, settlement):
            await bounds.failed(
                settlement.request_id, asked.call, target,
                held_nano=hold.amount_nano, cost_nano=settlement.charge_nano,
            )  # fmt: skip

    async def _tell_the_route(self, usage: Usage | None) -> None:
        request = self.record.request
        if request.on_done is None:
            return
        try:
            request.detail |= await request.on_done(self.record, usage)
        except Exception:  # the answer is paid for: a history that can't be written must not take it away
            log.exception("%s was settled, but its route could not keep it", request.request_id)

    def _kept(self, shown: Record) -> bytes:
        body = self.record.body = self._job.render(self.parts, shown, time.monotonic())
        return body

    # -- the last event -----------------------------------------------------------------------------------------------

    def _render(self) -> bytes:
        return self._job.render(self.parts, self.record, time.monotonic())

    def _last_event(self, error: MarketplaceError | None) -> bytes:
        if error is not None:
            return self.error_bytes(error)
        return told.last_event(self.record, time.monotonic())

    def _stopped_event(self, why: MarketplaceError | None) -> bytes:
        if why is not None:
            return self.error_bytes(why)
        return told.stopped_event(self.record, time.monotonic())

    def error_bytes(self, error: MarketplaceError) -> bytes:
        """The error as the end of this stream, with what was charged."""
        if error.status >= 500:
            log.warning("failed %s in its stream: %s", self.record.request.request_id, error.code)
        return told.error_event(self.record, error)

    # -- the trace ----------------------------------------------------------------------------------------------------

    def _over(self, left: BaseException | None) -> None:
        """Stops the pulse and leaves the call's trace, once, however the call ends."""
        self._stop_pulse()
        self._trace(traces.code(left, self.record))
        self._dispatched = (
            None  # it knows the flight: one that is over goes at once, and no collector has to find it
        )

    def _trace(self, code: str) -> None:
        if self.parts.tracer is not None and not self._traced:
            self._traced = True
            known = self.parts.planner.known(self.record.request.call.model)
            traces.leave(self.parts.tracer, self.record, known, code)

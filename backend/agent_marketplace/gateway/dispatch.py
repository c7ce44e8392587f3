"""Tries the plan's attempts until one decides: a first event of a stream, or a whole plain reply. After it, never another attempt.

Retries are bounded in count and time; `Retry-After` is honoured where waiting is worth it; pauses are jittered so that
callers who failed together do not come back together.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.failures import SUMMARY, TABLE, Policy, told
from agent_marketplace.gateway.health import Health, Lane, lane_of
from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.pipes import decisive, first_error
from agent_marketplace.gateway.plan import Attempt, Plan, Target
from agent_marketplace.gateway.record import AttemptLog, Prepared, Reads, Upstream
from agent_marketplace.gateway.scrub import scrubbed
from agent_marketplace.net.errors import (
    AddressRefused,
    Busy,
    ConnectFailed,
    FirstByteTimeout,
    IdleTimeout,
    NetError,
    TlsFailed,
    TotalTimeout,
)
from agent_marketplace.net.http import OutboundClient, OutboundResponse
from agent_marketplace.wires.base import (
    Done,
    Event,
    FailureClass,
    Finish,
    Finished,
    ImagePart,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    UpstreamFailure,
    UsageSeen,
)

_MAX_WAIT_S = 10.0
_MAX_TRIES = 8
_LATEST_S = 180.0
_AFTER_A_WAIT_S = 60.0  # whoever is waited for in vain must not be the last who is asked
_BODY_LIMIT = 64 * 1024 * 1024
_ERROR_LIMIT = 64 * 1024
_WHOLE_IS_A_CHUNK = ("openai", "gemini")  # some servers answer whole whatever they are asked for
_NONE = UpstreamFailure(FailureClass.SERVER, "")


@dataclass(slots=True)
class Dispatch:
    """One request's dispatching. `prepare` may raise UpstreamFailure (the target cannot say it) or MarketplaceError (stop).

    halted: whether no new try may begin (the caller has left); seen: what the try under way has said so far.
    user_id: whose own keys are meant; tokens: about how much input the call has; waited: seconds spent in pauses;
    provider_failed: a free model may stand in now; failed: told of every try that failed.
    latest_s: after so many seconds no new try begins.
    """

    client: OutboundClient
    health: Health
    plan: Plan
    stream: bool
    prepare: Callable[[Attempt], Awaitable[Prepared]]
    user_id: str = ""
    tokens: int = 0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    began: float = field(default_factory=time.monotonic)
    log: list[AttemptLog] = field(default_factory=list)
    failure: UpstreamFailure | None = None
    failed_target: Target | None = None
    waited: float = 0.0
    provider_failed: bool = False
    halted: Callable[[], bool] = lambda: False
    failed: Callable[[Target, FailureClass], None] = lambda _target, _kind: None
    seen: Meter | None = None
    latest_s: float = _LATEST_S

    async def run(self) -> Upstream:
        """The first attempt that decides. Raises the caller's error (never a 500) when none is left."""
        context_needed = 0
        attempts = list(self.plan.attempts)
        while attempts and len(self.log) < _MAX_TRIES and time.monotonic() - self.began < self.latest_s:
            attempt = attempts.pop(0)
            target = attempt.target
            if context_needed and (target.context or 0) <= context_needed:
                continue
            if attempt.why == "free_fallback" and not self.provider_failed:
                continue
            others = any(not context_needed or (a.target.context or 0) > context_needed for a in attempts)
            upstream, failure = await self._tries(attempt, others=others)
            if upstream is not None:
                return upstream
            self.failure, self.failed_target = failure, target
            policy = TABLE[failure.kind]
            self.provider_failed |= policy.status not in (400, 413)
            if policy.larger:
                context_needed = max(context_needed, target.context or 1)
            elif failure.kind is FailureClass.CONTENT:
                break
            elif not policy.other:
                attempts = [a for a in attempts if a.why == "listed_fallback"]
        raise self._last_error()

    async def _tries(self, attempt: Attempt, *, others: bool) -> tuple[Upstream | None, UpstreamFailure]:
        """One target with its retries: the upstream, or the last failure."""
        tries = 0
        lane = lane_of(attempt.target, self.user_id, self.tokens)
        asked = max(0.0, self.health.asked_to_wait(lane))
        if asked and (others or self.waited + asked > _MAX_WAIT_S):
            return None, self._not_tried(attempt, asked)
        if asked:
            self.waited += asked
            await self.sleep(asked + random.uniform(0, 0.1))  # noqa: S311
        patient = self.health.available(lane)
        while True:
            tries += 1
            try:
                return await self._try(attempt, lane), _NONE
            except UpstreamFailure as failure:
                pause = _pause(failure, TABLE[failure.kind], tries, others=others)
                if (
                    not patient
                    or pause is None
                    or self.waited + pause > _MAX_WAIT_S
                    or len(self.log) >= _MAX_TRIES
                ):
                    return None, failure
                self.waited += pause
            await self.sleep(pause)

    def _not_tried(self, attempt: Attempt, wait: float) -> UpstreamFailure:
        """What a call before its provider's own Retry-After would be."""
        target, at, kind = attempt.target, self._elapsed_ms(), FailureClass.RATE_LIMITED
        words = f"{target.provider} asked for no calls for another {math.ceil(wait)} s"
        self.log.append(
            AttemptLog(
                model=target.model, provider=target.provider, why=attempt.why, credential=target.credential, started=at,
                ended=at, status="not_tried", error=words, code=kind.value,
            )
        )  # fmt: skip
        return UpstreamFailure(kind, words, retry_after=wait)

    def _last_error(self) -> MarketplaceError:
        if self.failure is None or self.failed_target is None:
            raise AssertionError("a plan without attempts is refused before dispatch")
        return told(
            self.failure, self.failed_target.provider, own_key=self.failed_target.credential == "byok"
        )

    async def _try(self, attempt: Attempt, lane: Lane) -> Upstream:
        if self.halted():
            raise asyncio.CancelledError
        target = attempt.target
        entry = AttemptLog(
            model=target.model, provider=target.provider, why=attempt.why, credential=target.credential,
            started=self._elapsed_ms(),
        )  # fmt: skip
        self.log.append(entry)
        self.health.attempt(lane)
        try:
            prepared = await self.prepare(attempt)
            upstream = await self._send(attempt, prepared)
        except UpstreamFailure as failure:
            self.health.failure(lane, failure)
            self.failed(target, failure.kind)
            entry.status, entry.code = "failed", failure.kind.value
            entry.error = f"{target.provider} {SUMMARY[failure.kind]}"
            entry.may_be_billed = failure.kind is FailureClass.TIMEOUT
            raise
        except BaseException as left:  # cancelled or refused by ourselves: no verdict on the endpoint
            self.health.abandoned(lane)
            entry.status = "abandoned"
            entry.may_be_billed = entry.sent and isinstance(left, asyncio.CancelledError)
            raise
        finally:
            entry.ended = self._elapsed_ms()
        self.health.success(lane)
        entry.status = "ok"
        return upstream

    async def _send(self, attempt: Attempt, prepared: Prepared) -> Upstream:
        self.seen = None
        self.latest_s = max(self.latest_s, prepared.request.timeouts.opening_s + _AFTER_A_WAIT_S)
        try:
            response = await self.client.send(prepared.request)
        except NetError as error:
            raise _net_failure(error, attempt.target.provider) from error
        done = False
        try:
            if response.status != 200:
                raise await _status_failure(prepared.codec, response)
            if self.stream:
                upstream = await self._first_event(attempt, prepared, response)
            else:
                upstream = await self._whole(attempt, prepared, response)
            done = True
            return upstream
        except UpstreamFailure as failure:
            raise scrubbed(failure, prepared.request.headers) from None
        except NetError as error:
            raise _net_failure(error, attempt.target.provider) from error
        finally:
            if not done:
                response.cancel()

    async def _whole(self, attempt: Attempt, prepared: Prepared, response: OutboundResponse) -> Upstream:
        body = await response.read(_BODY_LIMIT)
        reply = prepared.codec.parse_reply(body)
        if reply.finish in (None, Finish.ERROR):
            raise UpstreamFailure(
                FailureClass.SERVER, f"{attempt.target.provider} gave an answer without a finish reason"
            )
        meter = Meter()
        meter.finish, meter.native, meter.done = reply.finish, reply.native_finish, True
        meter.see(_events(reply))
        return Upstream(attempt, prepared, response, meter, reply=reply, body=body)

    async def _first_event(
        self, attempt: Attempt, prepared: Prepared, response: OutboundResponse
    ) -> Upstream:
        pipe = prepared.pipe
        if pipe is None:
            raise AssertionError("a stream has a pipe")
        provider = attempt.target.provider
        meter = self.seen = Meter()
        chunks = aiter(response.chunks())
        early: list[bytes] = []
        # A whole object instead of events: an error, most likely, and it says which. Not where lines of JSON are the stream.
        suspect = prepared.codec.content_type_stream == "text/event-stream"
        async for data in chunks:
            if suspect and (start := data.lstrip()):
                suspect = False
                if start.startswith((b"{", b"[")):
                    body = await _rest_of(data, chunks)
                    prepared.codec.parse_reply(body)
                    if prepared.wire not in _WHOLE_IS_A_CHUNK:
                        raise UpstreamFailure(FailureClass.SERVER, f"{provider} did not stream")
                    data = b"data: %b\n\ndata: [DONE]\n\n" % b" ".join(body.splitlines())
            if _first(pipe.feed(data), meter, early, provider):
                response.begun()
                return Upstream(attempt, prepared, response, meter, early=b"".join(early), rest=chunks)
        if _first(pipe.close(), meter, early, provider):
            return Upstream(attempt, prepared, response, meter, early=b"".join(early))
        raise UpstreamFailure(FailureClass.SERVER, f"{provider} ended the stream before it began")

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)


async def _rest_of(first: bytes, chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray(first)
    async for data in chunks:
        body += data
        if len(body) > _BODY_LIMIT:
            break
    return bytes(body)


def _pause(failure: UpstreamFailure, policy: Policy, tries: int, *, others: bool) -> float | None:
    """Seconds to wait before the same endpoint is tried again; None = do not."""
    if tries > policy.same:
        return None
    if failure.retry_after is not None:
        return (
            None
            if others or failure.retry_after > _MAX_WAIT_S
            else failure.retry_after + random.uniform(0, 0.1)  # noqa: S311
        )
    if failure.kind is FailureClass.RATE_LIMITED:
        return None if others else random.uniform(0.5, 1.5)  # noqa: S311
    return random.uniform(0.05, 0.25)  # noqa: S311


def _first(fed: tuple[bytes, list[Event]], meter: Meter, early: list[bytes], provider: str) -> bool:
    """Takes what a pipe made of some bytes; True once it decides. Raises UpstreamFailure for an error before any content."""
    out, events = fed
    early.append(out)
    if (error := first_error(events)) is not None:
        raise _in_stream(error.error)
    meter.see(events)
    if not decisive(events):
        return False
    if (
        not meter.characters
        and meter.finish in (None, Finish.ERROR)
        and any(isinstance(e, Done | Finished) for e in events)
    ):
        raise UpstreamFailure(FailureClass.SERVER, f"{provider} ended the stream before it began")
    return True


def _events(reply: Reply) -> list[Event]:
    """A whole answer as the meter counts it."""
    events: list[Event] = []
    for number, part in enumerate(reply.parts):
        if isinstance(part, TextPart):
            events.append(TextDelta(part.text))
        elif isinstance(part, ImagePart):
            events.append(part)
        elif isinstance(part, ReasoningPart):
            events.append(ReasoningDelta(part.text, part.signature))
        elif isinstance(part, ToolCallPart):
            events.append(ToolCallDelta(number, part.id, part.name, part.arguments, part.signature))
    return events if reply.usage is None else [*events, UsageSeen(reply.usage)]


def _net_failure(error: NetError, provider: str) -> UpstreamFailure:
    if isinstance(error, FirstByteTimeout | IdleTimeout | TotalTimeout):
        return UpstreamFailure(FailureClass.TIMEOUT, f"{provider} did not answer in time")
    if isinstance(error, Busy):
        words = f"all connections to {provider} are in use: try again in a second"
        return UpstreamFailure(FailureClass.BUSY, words, retry_after=1)
    if isinstance(error, ConnectFailed | TlsFailed):
        return UpstreamFailure(FailureClass.SERVER, f"{provider} can't be reached")
    if isinstance(error, AddressRefused):
        return UpstreamFailure(FailureClass.NOT_FOUND, f"the address set for {provider} is not allowed")
    return UpstreamFailure(FailureClass.SERVER, f"the connection to {provider} broke")


async def _status_failure(codec: Reads, response: OutboundResponse) -> UpstreamFailure:
    try:
        body = await response.read(_ERROR_LIMIT)
    except NetError:
        body = b""
    return codec.classify_error(response.status, response.headers, body)


_BY_CODE: Mapping[str, FailureClass] = {kind.value: kind for kind in FailureClass}


def _in_stream(error: MarketplaceError) -> UpstreamFailure:
    """An error event before any content counts as the attempt's failure."""
    kind = _BY_CODE.get(error.code, FailureClass.SERVER)
    return UpstreamFailure(kind, error.message, retry_after=error.retry_after)

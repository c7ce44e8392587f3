"""Bytes through: from the deciding event to the end, with usage read off, holds extended and both hang-ups heard.

The terminal event is never relayed: it is made anew after the charge is durable.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from agent_marketplace.errors import MarketplaceError, PaymentRequired, ProviderFailure
from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.pipes import Pipe
from agent_marketplace.gateway.record import Upstream
from agent_marketplace.gateway.scrub import scrub
from agent_marketplace.gateway.stopping import Outcome, Stopped
from agent_marketplace.net.errors import FirstByteTimeout, IdleTimeout, NetError, TotalTimeout
from agent_marketplace.wires.base import Finish
from agent_marketplace.wires.shared.bounds import Family

Send = Callable[[bytes], Awaitable[None]]
_SLICE_TOKENS = 1024
_NEARLY = 64  # tokens: so near its end the next slice is bought
_OVERRUN = 16  # characters a token may stand for, in our rough count of tokens: runs of blanks reach dozens
_LEAST_OVERRUN = 8192
_REST_BYTES = 65_536


@dataclass(slots=True)
class Allowance:
    """Output tokens that may still come. `extend(tokens)` buys a slice and says how many it bought, or raises PaymentRequired.

    overrun: what a crossing means where nothing can be bought (the provider goes on past the cap it was given).
    family: whose vocabulary counts, where slices are bought: for the most tokens that what came can be, never our estimate.
    """

    tokens: int
    extend: Callable[[int], Awaitable[int]] | None
    overrun: MarketplaceError | None = None
    family: Family = "closed"
    _most: int = 0
    _at: int = 0

    @classmethod
    def to_the_cap(cls, tokens: int, provider: str) -> "Allowance":
        """Of a provider that was told where to stop: our rough count must not cut a paid answer, only one that never ends."""
        overrun = ProviderFailure(f"{provider} went on past the length it was given")
        return cls(max(tokens * _OVERRUN, _LEAST_OVERRUN), extend=None, overrun=overrun)

    async def cover(self, meter: Meter, choices: int) -> Outcome | None:
        """None while the output that came is paid for; else how the answer ends."""
        if self.extend is None:
            if meter.running_tokens() * choices < self.tokens:
                return None
            return Outcome(Stopped.PROVIDER, self.overrun)
        if meter.size - self._at < self.tokens - self._most - _NEARLY:  # no token is less than a byte
            return None
        self._most, self._at = meter.most_tokens(self.family), meter.size
        if self._most < self.tokens - _NEARLY:
            return None
        try:
            self.tokens += await self.extend(max(0, self._most - self.tokens) + _SLICE_TOKENS)
        except PaymentRequired as refused:
            return Outcome(Stopped.WALLET, refused)
        return None


async def relay(
    upstream: Upstream, send: Send, allowance: Allowance, *, tail_s: float, choices: int = 1
) -> Outcome:
    """Relays to the end. The caller hangs up afterwards (`release`), also when this is cancelled.

    tail_s: what may follow a finish reason (usage, the end mark) is waited for so long.
    """
    pipe = upstream.prepared.pipe
    if pipe is None:
        raise AssertionError("a stream has a pipe")
    try:
        if upstream.early:
            await send(upstream.early)
            upstream.early = b""
        if upstream.rest is not None and not _over(upstream):
            end = await _rest(upstream, upstream.rest, pipe, send, allowance, tail_s=tail_s, choices=choices)
            if end is not None:
                return end
    except NetError as error:
        if not _finished(upstream, choices):
            return Outcome(Stopped.PROVIDER, _cut(error, upstream.attempt.target.provider))
    return verdict(upstream, choices)


async def _rest(
    upstream: Upstream, chunks: AsyncIterator[bytes], pipe: Pipe, send: Send, allowance: Allowance, *, tail_s: float,
    choices: int,
) -> Outcome | None:  # fmt: skip
    """Everything after the deciding event; an outcome only where it was cut off here. Raises NetError."""
    meter = upstream.meter
    tail = _tail(upstream, tail_s, choices)
    try:
        async for data in chunks:
            out, events = pipe.feed(data)
            meter.see(events)
            if out:
                await send(out)
            if _over(upstream):
                return None
            if (end := await allowance.cover(meter, choices)) is not None:
                return end
            tail = tail or _tail(upstream, tail_s, choices)
        out, events = pipe.close()
        meter.see(events)
        if out:
            await send(out)
        return None
    finally:
        if tail is not None:
            tail.cancel()


def _tail(upstream: Upstream, tail_s: float, choices: int) -> asyncio.TimerHandle | None:
    """The end of the wait for what may follow a finish reason; None while there is none."""
    meter = upstream.meter
    if not meter.done and (meter.finish is None or choices > 1):
        return None
    return asyncio.get_running_loop().call_later(tail_s, upstream.response.cancel)


def _over(upstream: Upstream) -> bool:
    """Nothing more is expected: after an end mark only usage that has not come yet (some providers send it last)."""
    meter = upstream.meter
    return meter.error is not None or (meter.done and meter.usage is not None)


def _finished(upstream: Upstream, choices: int) -> bool:
    meter = upstream.meter
    # With several choices the first one's finish says nothing of the others: then only the end mark counts.
    return meter.finish not in (None, Finish.ERROR) and meter.error is None and (choices == 1 or meter.done)


def verdict(upstream: Upstream, choices: int) -> Outcome:
    """Success only where a finish reason was seen (or what stands for one: see `Meter`)."""
    meter, provider = upstream.meter, upstream.attempt.target.provider
    if _finished(upstream, choices):
        return Outcome(Stopped.FINISHED)
    if meter.error is not None:
        return Outcome(
            Stopped.PROVIDER,
            ProviderFailure(
                scrub(meter.error.message, upstream.prepared.request.headers) or f"{provider} failed",
                status=502,
                code=meter.error.code,
                extra={"provider": provider},
                retry_after=meter.error.retry_after,
            ),
        )
    return Outcome(
        Stopped.PROVIDER, ProviderFailure(f"{provider} cut the answer short", extra={"provider": provider})
    )


def _cut(error: NetError, provider: str) -> MarketplaceError:
    if isinstance(error, IdleTimeout | FirstByteTimeout | TotalTimeout):
        return ProviderFailure(
            f"{provider} stopped answering", status=504, code="timeout", extra={"provider": provider}
        )
    return ProviderFailure(f"{provider} cut the answer short", extra={"provider": provider})


async def release(upstream: Upstream, rest_s: float) -> None:
    """Lets go of the connection: after an end mark its last bytes are read so that it can be used again, else it is closed."""
    response, rest = upstream.response, upstream.rest
    upstream.rest = None
    if rest is None or not upstream.meter.done:
        response.cancel()
        await _close(rest)
        return
    timer = asyncio.get_running_loop().call_later(rest_s, response.cancel)
    size = 0
    try:
        async for data in rest:
            size += len(data)
            if size > _REST_BYTES:
                break
    except NetError:
        pass  # the answer was whole: only the connection is lost
    finally:
        timer.cancel()
        response.cancel()
        await _close(rest)


async def _close(rest: AsyncIterator[bytes] | None) -> None:
    close = getattr(rest, "aclose", None)  # generators have it; an iterator of its own has nothing to close
    if close is not None:
        await close()

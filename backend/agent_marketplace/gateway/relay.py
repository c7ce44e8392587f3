"""Bytes through: from the deciding event to the end, with usage read off, holds extended, silence filled and both hang-ups heard.

The terminal event is never relayed: it is made anew after the charge is durable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from agent_marketplace.errors import MarketplaceError, PaymentRequired, ProviderFailure, Unavailable
from agent_marketplace.gateway.dispatch import Upstream
from agent_marketplace.net.errors import FirstByteTimeout, IdleTimeout, NetError, TotalTimeout

Send = Callable[[bytes], Awaitable[None]]
_SLICE_TOKENS = 1024


class Stopped(StrEnum):
    """Who ended the answer."""

    FINISHED = "finished"
    CLIENT = "client"
    PROVIDER = "provider"
    WALLET = "wallet"
    SERVER = "server"


@dataclass(slots=True)
class Outcome:
    """How a stream ended. error is None only when a finish reason was seen."""

    stopped: Stopped
    error: MarketplaceError | None = None
    bytes_sent: int = 0


@dataclass(slots=True)
class Allowance:
    """Output tokens that the hold still covers. `extend(tokens)` buys a slice and says how many tokens it bought (0: can't)."""

    tokens: int
    extend: Callable[[int], Awaitable[int]]

    async def cover(self, used: int) -> bool:
        """True while `used` output tokens are paid for."""
        if used < self.tokens:
            return True
        self.tokens += await self.extend(max(_SLICE_TOKENS, used - self.tokens + _SLICE_TOKENS))
        return used < self.tokens


async def relay(upstream: Upstream, send: Send, allowance: Allowance) -> Outcome:
    """Relays to the end. Cancellation (the client left, or shutdown) is the caller's to catch; the upstream is closed here."""
    meter, pipe = upstream.meter, upstream.prepared.pipe
    if pipe is None:
        raise AssertionError("a stream has a pipe")
    outcome = Outcome(Stopped.FINISHED)
    try:
        if upstream.early:
            await send(upstream.early)
            upstream.early = b""
        if upstream.rest is not None:
            async for data in upstream.rest:
                out, events = pipe.feed(data)
                meter.see(events)
                if out:
                    await send(out)
                if meter.error is not None or meter.done:
                    break
                if not await allowance.cover(meter.output_tokens()):
                    outcome.stopped = Stopped.WALLET
                    outcome.error = PaymentRequired("The balance is used up: the answer was stopped here")
                    return outcome
            if not meter.done:
                out, events = pipe.close()
                meter.see(events)
                if out:
                    await send(out)
    except NetError as error:
        if meter.finish is None:
            outcome.stopped, outcome.error = Stopped.PROVIDER, _cut(error, upstream.attempt.target.provider)
            return outcome
    finally:
        upstream.response.cancel()
    return _verdict(upstream, outcome)


def _verdict(upstream: Upstream, outcome: Outcome) -> Outcome:
    meter, provider = upstream.meter, upstream.attempt.target.provider
    if meter.error is not None:
        outcome.stopped = Stopped.PROVIDER
        outcome.error = ProviderFailure(meter.error.message, status=502, code=meter.error.code, extra={"provider": provider})
    elif meter.finish is None:
        outcome.stopped = Stopped.PROVIDER
        outcome.error = ProviderFailure(
            f"{provider} cut the answer short", code="provider_unavailable", extra={"provider": provider}
        )
    return outcome


def _cut(error: NetError, provider: str) -> MarketplaceError:
    if isinstance(error, IdleTimeout | FirstByteTimeout | TotalTimeout):
        return ProviderFailure(f"{provider} stopped answering", status=504, code="timeout", extra={"provider": provider})
    return ProviderFailure(f"{provider} cut the answer short", code="provider_unavailable", extra={"provider": provider})


def shutdown_error() -> MarketplaceError:
    """What a stream is told when the server's grace is over."""
    return Unavailable("The server is shutting down; the answer was stopped here", code="temporarily_unavailable")


async def settled_despite_cancel(work: Awaitable[object]) -> None:
    """Awaits `work` to its end even if this task is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled

"""A stream as plain text pieces, for callers inside the process (the guide's `handle_streaming`)."""

import asyncio
from collections.abc import AsyncIterator

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.text import TextMouth


class _QueueSink:
    def __init__(self, queue: "asyncio.Queue[bytes | None]") -> None:
        self._queue = queue

    async def begin(self, _headers: dict[str, str]) -> None:
        return

    async def send(self, data: bytes) -> None:
        if data:
            await self._queue.put(data)


async def text_pieces(flight: Flight, mouth: TextMouth) -> AsyncIterator[str]:
    """Pieces of text as they come. Raises the flight's error; leaving early cancels it."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=64)

    async def run() -> None:
        try:
            await flight.stream(_QueueSink(queue))
        except MarketplaceError as error:
            mouth.failed = error
        await queue.put(None)

    task = asyncio.create_task(run())
    try:
        while (piece := await queue.get()) is not None:
            yield piece.decode()
        if mouth.failed is not None:
            raise mouth.failed
    finally:
        if not task.done():
            flight.client_left()
            task.cancel()  # it may wait for room in the queue after the flight's own end
        await asyncio.gather(task, return_exceptions=True)

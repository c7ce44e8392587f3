"""A stream as plain text pieces, for callers inside the process (the guide's `handle_streaming`)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Event, Finish, Reply, Shape, TextDelta

if TYPE_CHECKING:
    from agent_marketplace.gateway.flight import Flight


class TextMouth:
    """A wire of bare text: what is written is what the model said."""

    content_type_stream = "text/plain"

    def __init__(self) -> None:
        self.failed: MarketplaceError | None = None

    def encoder(self, _shape: Shape) -> "TextMouth":
        return self

    def start(self) -> bytes:
        return b""

    def feed(self, events: Sequence[Event]) -> bytes:
        return "".join(e.text for e in events if isinstance(e, TextDelta)).encode()

    def end(self, _finish: Finish, _usage: Usage | None, _extra: Mapping[str, Any]) -> bytes:
        return b""

    def error(self, error: MarketplaceError, _request_id: str) -> bytes:
        self.failed = error
        return b""

    def keep_alive(self) -> bytes:
        return b""

    def render_reply(self, reply: Reply, _shape: Shape, _extra: Mapping[str, Any]) -> bytes:
        return reply.text.encode()

    def render_error(self, error: MarketplaceError, _request_id: str) -> bytes:
        return error.message.encode()


class _QueueSink:
    def __init__(self, queue: "asyncio.Queue[bytes | None]") -> None:
        self._queue = queue

    async def begin(self, _headers: dict[str, str]) -> None:
        return

    async def send(self, data: bytes) -> None:
        if data:
            await self._queue.put(data)


async def text_pieces(flight: "Flight", mouth: TextMouth) -> AsyncIterator[str]:
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

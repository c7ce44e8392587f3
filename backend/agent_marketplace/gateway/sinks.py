"""Where a stream goes."""

from collections.abc import Callable
from typing import Protocol


class Sink(Protocol):
    """`begin` is called once, before the first byte."""

    async def begin(self, headers: dict[str, str]) -> None: ...

    async def send(self, data: bytes) -> None: ...


class GuardedSink:
    """A sink that begins by itself at the first byte and says when bytes went out.

    headers: asked for at the first byte; keep_alive: what fills silence; sent: called after each piece
    """

    def __init__(
        self, sink: Sink, *, headers: Callable[[], dict[str, str]], silence: bytes, sent: Callable[[], None]
    ) -> None:
        self.begun = False
        self._sink = sink
        self._headers = headers
        self._silence = silence
        self._sent = sent

    async def send(self, data: bytes) -> None:
        if not self.begun:
            self.begun = True
            await self._sink.begin(self._headers())
        await self._sink.send(data)
        self._sent()

    async def keep_alive(self) -> None:
        await self.send(self._silence)

"""The one switch between serving and stopping: the server sets it, readiness and admission read it, streams watch it."""

import asyncio
from collections.abc import Callable

from agent_marketplace.errors import Unavailable


class Drain:
    """Shared by the server and the app, used from the event loop only."""

    def __init__(self) -> None:
        self._draining = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._active = 0
        self._at_end: list[Callable[[], None]] = []

    @property
    def draining(self) -> bool:
        """True from the first stop signal on: readiness is false and new calls are refused with 503."""
        return self._draining.is_set()

    def refusal(self) -> Unavailable | None:
        """What new calls are told once the drain has begun; None before."""
        return Unavailable("The server is shutting down", retry_after=5) if self.draining else None

    @property
    def active(self) -> int:
        """Calls between admission and settlement."""
        return self._active

    def start(self) -> None:
        """Stops admission. May be called more than once."""
        self._draining.set()

    def at_end(self, work: Callable[[], None]) -> None:
        """Has `work` called when the grace is over: for calls that no server task carries."""
        self._at_end.append(work)

    def end(self) -> None:
        """The grace is over."""
        for work in self._at_end:
            work()

    async def started(self) -> None:
        """Returns once draining has begun."""
        await self._draining.wait()

    async def idle(self) -> None:
        """Returns once no call is active."""
        await self._idle.wait()

    def call(self) -> "Drain":
        """`with drain.call():` counts one call as active until it is settled."""
        return self

    def __enter__(self) -> None:
        self._active += 1
        self._idle.clear()

    def __exit__(self, *_: object) -> None:
        self._active -= 1
        if self._active == 0:
            self._idle.set()

"""Connections by where they lead: bounded in number, most recently used first, none kept idle for long."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agent_marketplace.net.errors import ConnectFailed


class Pooled(Protocol):
    """What the pool needs to know of a connection."""

    def usable(self, idle_s: float) -> bool:
        """Whether a request may still be written to it after idle_s seconds of rest."""
        ...

    def abort(self) -> None:
        """Closes the socket at once."""
        ...


Key = tuple[str, str, int, str]  # scheme, host (the name that TLS proved), port, vetted address
C = TypeVar("C", bound=Pooled)


@dataclass(slots=True)
class _Place(Generic[C]):
    busy: int = 0
    idle: list[tuple[float, C]] = field(default_factory=list)
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Pool(Generic[C]):
    """per_host: the most connections to one key, busy ones included; keep_s: the longest rest of an idle one, in seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, per_host: int, keep_s: float) -> None:
        self._loop = loop
        self._per_host = per_host
        self._keep_s = keep_s
        self._places: dict[Key, _Place[C]] = {}
        self.open: set[C] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def enter(self, key: Key, timeout_s: float) -> C | None:
        """An idle connection, or None where the caller is to open one. Each `enter` is paired with one `leave`.

        Raises ConnectFailed where all of the key's connections stay busy for timeout_s seconds.
        """
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        if place.busy >= self._per_host:
            await self._turn(key, place, timeout_s)
        else:
            place.busy += 1
        now = self._loop.time()
        while place.idle:
            since, connection = place.idle.pop()
            if now - since < self._keep_s and connection.usable(now - since):
                return connection
            connection.abort()
        return None

    def leave(self, key: Key, connection: C | None) -> None:
        """The exchange is over; the connection is kept if one is given."""
        place = self._places[key]
        if connection is not None:
            place.idle.append((self._loop.time(), connection))
            if self._sweeping is None:
                self._sweeping = self._loop.call_later(self._keep_s, self._sweep)
        self._pass_on(key, place)

    def forget(self, key: Key, connection: C) -> None:
        """An idle connection has ended by itself."""
        place = self._places.get(key)
        if place is not None:
            place.idle = [(since, kept) for since, kept in place.idle if kept is not connection]
            if not place.busy and not place.idle:
                del self._places[key]

    def close(self) -> None:
        """Closes all connections."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        self._keep_s = 0.0
        for connection in list(self.open):
            connection.abort()

    async def _turn(self, key: Key, place: _Place[C], timeout_s: float) -> None:
        waiter = self._loop.create_future()
        place.waiting.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except (TimeoutError, asyncio.CancelledError) as e:
            if (
                waiter.done() and not waiter.cancelled()
            ):  # the turn came in the same moment: it must not be lost
                self._pass_on(key, place)
            if isinstance(e, TimeoutError):
                raise ConnectFailed("all connections to the provider are busy") from None
            raise

    def _pass_on(self, key: Key, place: _Place[C]) -> None:
        """Gives a place in the count to whoever has waited longest, or back."""
        while place.waiting:
            waiter = place.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        place.busy -= 1
        if not place.busy and not place.idle:
            del self._places[key]

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._loop.time()
        for place in list(self._places.values()):
            for since, connection in list(place.idle):
                if now - since >= self._keep_s:
                    connection.abort()
        if any(place.idle for place in self._places.values()):
            self._sweeping = self._loop.call_later(self._keep_s / 2, self._sweep)

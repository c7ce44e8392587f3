"""Connections by where they lead: bounded in number, shared fairly, most recently used first, none kept idle for long.

The last eighth of the places goes to owners who have less than their share, so that whoever takes all he can get leaves room for
the next; a place that comes free goes to the waiting owner who has the fewest.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agent_marketplace.net.errors import Busy

log = logging.getLogger(__name__)
_WAIT_S = 1.0
_TOLD_EVERY_S = 10.0


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
    owners: Counter[str] = field(default_factory=Counter)
    idle: list[tuple[float, C]] = field(default_factory=list)
    waiting: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """Of all places: connections in use, callers who wait for one, and callers who waited in vain since the start."""

    busy: int = 0
    waiting: int = 0
    refused: int = 0


class Pool(Generic[C]):
    """per_host: the most connections to one key, busy ones included; keep_s: the longest rest of an idle one, in seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, per_host: int, keep_s: float) -> None:
        self._loop = loop
        self._per_host = per_host
        self._keep_s = keep_s
        self._places: dict[Key, _Place[C]] = {}
        self.counts = Counts()
        self._told_at = -_TOLD_EVERY_S
        self.open: set[C] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def enter(self, key: Key, timeout_s: float, owner: str = "") -> C | None:
        """An idle connection, or None where the caller is to open one. Each `enter` is paired with one `leave`.

        Raises Busy where there is no place for this owner within timeout_s seconds, a second at most.
        """
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        if self._has_room(place, owner):
            self._take(place, owner)
        else:
            await self._turn(key, place, owner, min(timeout_s, _WAIT_S))
        now = self._loop.time()
        while place.idle:
            since, connection = place.idle.pop()
            if now - since < self._keep_s and connection.usable(now - since):
                return connection
            connection.abort()
        return None

    def leave(self, key: Key, connection: C | None, owner: str = "") -> None:
        """The exchange is over; the connection is kept if one is given."""
        place = self._places[key]
        if connection is not None:
            place.idle.append((self._loop.time(), connection))
            if self._sweeping is None:
                self._sweeping = self._loop.call_later(self._keep_s, self._sweep)
        self._pass_on(key, place, owner)

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

    def _has_room(self, place: _Place[C], owner: str) -> bool:
        free = self._per_host - place.busy
        if free <= 0 or free > self._per_host // 8:
            return free > 0
        owners = len(place.owners) + (owner not in place.owners)
        return place.owners[owner] < self._per_host // (owners + 1)

    def _take(self, place: _Place[C], owner: str) -> None:
        place.busy += 1
        place.owners[owner] += 1
        self.counts.busy += 1

    async def _turn(self, key: Key, place: _Place[C], owner: str, timeout_s: float) -> None:
        waiter = self._loop.create_future()
        place.waiting.append((owner, waiter))
        self.counts.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except (TimeoutError, asyncio.CancelledError) as e:
            if (owner, waiter) in place.waiting:
                place.waiting.remove((owner, waiter))
            else:  # the turn came in the same moment: it must not be lost
                self._pass_on(key, place, owner)
            if isinstance(e, TimeoutError):
                self._tell(key)
                raise Busy("all connections to the provider are busy") from None
            raise
        finally:
            self.counts.waiting -= 1

    def _tell(self, key: Key) -> None:
        self.counts.refused += 1
        if self._loop.time() - self._told_at >= _TOLD_EVERY_S:
            self._told_at = self._loop.time()
            log.warning(
                "all %d connections to %s are busy: %d calls refused since the start (MARKETPLACE_PROVIDER_CONNECTIONS)",
                self._per_host, key[1], self.counts.refused,
            )  # fmt: skip

    def _pass_on(self, key: Key, place: _Place[C], owner: str) -> None:
        """A place has come free: it goes to the waiting owner who has the fewest, the first come of those, or back."""
        place.busy -= 1
        self.counts.busy -= 1
        place.owners[owner] -= 1
        if not place.owners[owner]:
            del place.owners[owner]
        while entitled := [w for w in place.waiting if not w[1].done() and self._has_room(place, w[0])]:
            chosen = min(entitled, key=lambda w: place.owners[w[0]])
            place.waiting.remove(chosen)
            self._take(place, chosen[0])
            chosen[1].set_result(None)
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

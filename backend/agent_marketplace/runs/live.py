"""What one process knows of the runs that it drives: their events since it took them, who listens, how to stop them.

Events are numbered in epochs: each worker that takes a run begins a new million, so that a listener who has heard events which
died with a worker misses none of the next one's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.wires.base import Event

EPOCH = 1_000_000
DETACHED_S = 120.0
"""For how long a chat answer goes on without a listener."""
_KEEP_ALIVE_S = 10.0


class Stoppable(Protocol):
    """A flight, as far as it can be stopped."""

    def client_left(self, *, polite: bool = False) -> None: ...

    def shut_down(self) -> None: ...


class ToolBegan(msgspec.Struct, frozen=True):
    """A call of a tool begins: for wires that have no form for calls on our side."""

    name: str


Shown = Event | ToolBegan
Watcher = Callable[[Sequence[Shown]], None]


class Live:
    """A run under way; `events` are whole SSE events, the first of them number `base`. Also the sink of a chat answer's flight.

    kept: whether its events may be stored; abandoned: what is done when nobody has listened for a while, None = nothing.
    stopping: its end is asked for; leaving: the server stops; lost: another worker has taken it
    """

    def __init__(self, run_id: str, user_id: str, epoch: int) -> None:
        self.id = run_id
        self.user_id = user_id
        self.base = epoch * EPOCH
        self.events: list[bytes] = []
        self.finished = False
        self.failed: MarketplaceError | None = None
        self.listeners = 0
        self.stopping = False
        self.lost = False
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.flight: Stoppable | None = None
        self.leaving = False
        self.kept = True
        self.abandoned: Callable[[Live], None] | None = None
        self.watchers: list[Watcher] = []
        self.headers: dict[str, str] = {"x-run-id": run_id}
        self._saved = 0
        self._staged: list[bytes] = []
        self._news = asyncio.Event()

    # -- the sink of a flight ------------------------------------------------------------------------------------------

    async def begin(self, headers: dict[str, str]) -> None:
        self.headers |= headers

    async def send(self, data: bytes) -> None:
        """Takes whole events; comments are for connections, not for the record."""
        for event in data.split(b"\n\n"):
            if event and not event.startswith(b":"):
                self.events.append(event + b"\n\n")
        self.tell()

    # -- a run's own events --------------------------------------------------------------------------------------------

    def emit(self, kind: str, fields: Mapping[str, Any]) -> None:
        """One event more."""
        self.stage(kind, fields)
        self.publish()

    def stage(self, kind: str, fields: Mapping[str, Any]) -> None:
        """An event that is told once what it says is durable (`publish`)."""
        number = self.base + len(self.events) + len(self._staged)
        body = json.encode({"type": kind, **fields})
        self._staged.append(b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), body))

    def publish(self) -> None:
        """Tells what was staged."""
        self.events += self._staged
        self._staged = []
        self.tell()

    def show(self, events: Sequence[Shown]) -> None:
        """What a wire's client is to see."""
        for watcher in self.watchers:
            watcher(events)

    def unsaved(self) -> tuple[int, str] | None:
        """(first number, events as one text) of what is not in the database yet; they then count as saved."""
        waiting = self.events[self._saved :] + self._staged
        if not waiting:
            return None
        first, text = self.base + self._saved, b"".join(waiting).decode()
        self._saved += len(waiting)
        return first, text

    def tell(self) -> None:
        """Wakes every listener."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def wait(self) -> None:
        """Returns at the next event or the end."""
        await self._news.wait()

    async def over(self) -> None:
        """Returns once this worker has left the run: it has ended, waits, or was taken over."""
        while not self.finished:
            await self.wait()

    def stop(self) -> bool:
        """Asks for the end, also of a model's answer under way; False where it had ended."""
        if self.finished:
            return False
        self.stopping = True
        if self.flight is not None:
            self.flight.client_left(polite=True)
        return True

    def client_left(self) -> None:
        """Whom the run was for has left."""
        self.stop()

    def leave(self) -> None:
        """The server's grace is over: what is under way ends, the run is left to another worker."""
        self.leaving = True
        if self.flight is not None:
            self.flight.shut_down()

    def end(self) -> None:
        """This worker has left the run."""
        self.finished = True
        self.flight = None
        if self.timer is not None:
            self.timer.cancel()
        self.tell()


class Listener:
    """One connection that listens to a run: `with` it, and ask for `next` until it is None.

    kept: (number of the first, events) from before this worker took the run; after: the last number that was heard;
    heard: called with 1 and -1
    """

    def __init__(
        self,
        live: Live,
        after: int,
        heard: Callable[[Live, int], None],
        kept: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        self._live = live
        self._place = max(0, after + 1 - live.base)
        self._heard = heard
        self._first = b"".join(event for number, event in kept if after < number < live.base)

    def __enter__(self) -> Self:
        self._heard(self._live, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._heard(self._live, -1)

    async def next(self) -> bytes | None:
        """The events since the last call, a keep-alive after ten seconds without one, None at the end."""
        if self._first:
            first, self._first = self._first, b""
            return first
        live = self._live
        while self._place >= len(live.events):
            if live.finished:
                return None
            try:
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    await live.wait()
            except TimeoutError:
                return b": keep-alive\n\n"
        data = b"".join(live.events[self._place :])
        self._place = len(live.events)
        return data


def parted(batches: Sequence[tuple[int, str]]) -> list[tuple[int, bytes]]:
    """(number, event) of stored batches."""
    found: list[tuple[int, bytes]] = []
    for first, text in batches:
        pieces = [piece for piece in text.encode().split(b"\n\n") if piece]
        found += [(first + i, piece + b"\n\n") for i, piece in enumerate(pieces)]
    return found

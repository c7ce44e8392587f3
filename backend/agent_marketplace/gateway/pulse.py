"""One timer a request: fills silence with keep-alives, and keeps the hold from expiring, without a task or a timer per chunk."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_SILENCE_S = 10.0
_BEAT_S = 30.0


class Pulse:
    """Ticks every ten seconds until `stop`. `touch` says that bytes just went to the client."""

    def __init__(self, keep_alive: Callable[[], Awaitable[None]] | None, heartbeat: Callable[[], Awaitable[None]]) -> None:
        self._keep_alive = keep_alive
        self._heartbeat = heartbeat
        self._loop = asyncio.get_running_loop()
        self._touched = time.monotonic()
        self._beaten = self._touched
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(_SILENCE_S, self._tick)

    def touch(self) -> None:
        self._touched = time.monotonic()

    def stop(self) -> None:
        """Ends the ticking; whatever is under way is cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks:
            task.cancel()

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._beaten >= _BEAT_S:
            self._beaten = now
            self._spawn(self._heartbeat)
        silent = now - self._touched
        if self._keep_alive is not None and silent >= _SILENCE_S:
            self._touched = now
            silent = 0.0
            self._spawn(self._keep_alive)
        self._timer = self._loop.call_later(_SILENCE_S - silent if silent < _SILENCE_S else _SILENCE_S, self._tick)

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        async def quietly() -> None:
            await work()

        task = self._loop.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a failed beat is not the request's failure: settlement reports the database's own

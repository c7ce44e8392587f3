"""One timer a request: fills silence, keeps the hold alive, asks whether the caller may still listen. Nothing per chunk."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds. silence_s: a keep-alive after so long without bytes; beat_s: between heartbeats of a hold; check_s: between
    questions whether a stream's caller is still who he was; tail_s: for what may follow a finish reason; rest_s: for the
    connection's last bytes after an end mark."""

    silence_s: float = 10.0
    beat_s: float = 30.0
    check_s: float = 0.8
    tail_s: float = 5.0
    rest_s: float = 0.25


class Pulse:
    """Ticks until `stop`. `touch` says that bytes just went to the client."""

    def __init__(
        self, rhythm: Rhythm, heartbeat: Work, *, keep_alive: Work | None = None, check: Work | None = None
    ) -> None:
        self._rhythm = rhythm
        self._heartbeat = heartbeat
        self._keep_alive = keep_alive
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._touched = self._beaten = time.monotonic()
        self._tasks: dict[Work, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(self._wait(0.0), self._tick)

    def touch(self) -> None:
        self._touched = time.monotonic()

    def stop(self) -> None:
        """Ends the ticking; whatever is under way is cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks.values():
            task.cancel()

    def _wait(self, silent: float) -> float:
        wait = self._rhythm.beat_s
        if self._check is not None:
            wait = min(wait, self._rhythm.check_s)
        if self._keep_alive is not None:
            wait = min(wait, max(self._rhythm.silence_s - silent, 0.01))
        return wait

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._beaten >= self._rhythm.beat_s:
            self._beaten = now
            self._spawn(self._heartbeat)
        if self._check is not None:
            self._spawn(self._check)
        silent = now - self._touched
        if self._keep_alive is not None and silent >= self._rhythm.silence_s:
            self._touched, silent = now, 0.0
            self._spawn(self._keep_alive)
        self._timer = self._loop.call_later(self._wait(silent), self._tick)

    def _spawn(self, work: Work) -> None:
        if work in self._tasks:
            return  # the last one has not come back: a slow reader, or a busy database

        async def quietly() -> None:
            await work()

        task = self._tasks[work] = self._loop.create_task(quietly())
        task.add_done_callback(lambda done: self._done(work, done))

    def _done(self, work: Work, task: asyncio.Task[None]) -> None:
        self._tasks.pop(work, None)
        if not task.cancelled():
            task.exception()  # a failed beat is not the request's failure: settlement reports the database's own

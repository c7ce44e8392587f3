"""One timer a request: keeps the hold alive, fills silence, asks whether the caller may still listen. Nothing per chunk.

Each of the three has a deadline of its own. A tick does what is due and sleeps until the nearest deadline, so that a timer
that fires early waits only for the rest, and a loop that stalled does at once what it is late for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

Work = Callable[[], Awaitable[None]]

BEATS_A_LIFE = 3
"""Heartbeats in the life of a hold: two may be late or lost before it expires."""

_EARLY_S = 0.005  # timers may fire this much before their time (uvloop: up to 0.9 ms): close enough to be due
_SOONEST_S = 0.01


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Durations in seconds.

    silence_s: a keep-alive after so long without bytes
    beat_s: between heartbeats of a hold, where that is less than its life asks for (tests)
    check_s: between questions whether a stream's caller may still listen
    tail_s: for what may follow a finish reason
    rest_s: for the connection's last bytes after an end mark
    leave_s: a try whose caller has left is heard out for so long, where its provider bills it all the same
    """

    silence_s: float = 10.0
    beat_s: float = 3600.0
    check_s: float = 0.8
    tail_s: float = 5.0
    rest_s: float = 0.25
    leave_s: float = 10.0

    def beat_every(self, hold_life_s: float) -> float:
        """Seconds between heartbeats of a hold that outlives its last one by `hold_life_s`."""
        return min(self.beat_s, hold_life_s / BEATS_A_LIFE)


class Timer(Protocol):
    """What `Pulse` needs of an event loop's timer."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]
"""Calls a function after so many seconds: `loop.call_later`."""


@dataclass(slots=True)
class _Job:
    """One thing that is done again and again.

    every_s: at most so many seconds apart
    due: when it is next, seconds of the pulse's clock
    again_s: after a failure it is tried again after so long; None = at its usual time
    needless: whether there is nothing to do this time, which costs no task
    """

    work: Work
    every_s: float
    due: float
    again_s: float | None = None
    needless: Callable[[], bool] | None = None
    task: asyncio.Task[None] | None = None


class Pulse:
    """Ticks until `stop`. `touch` says that bytes just went to the client.

    beat_every_s: between heartbeats; checked: whether `check` would find nothing new just now; now, later: the clock (seconds)
    and the loop's timer, for tests.
    """

    def __init__(
        self,
        rhythm: Rhythm,
        heartbeat: Work,
        *,
        beat_every_s: float,
        keep_alive: Work | None = None,
        check: Work | None = None,
        checked: Callable[[], bool] | None = None,
        now: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self._now = now
        self._later: Later = later or asyncio.get_running_loop().call_later
        began = now()
        # A beat that fails is tried again soon: the next one may be the last before the hold expires.
        beat = _Job(heartbeat, beat_every_s, began + beat_every_s, again_s=beat_every_s / 8)
        self._silence: _Job | None = None
        self._jobs = [beat]
        if check is not None:
            self._jobs.append(_Job(check, rhythm.check_s, began + rhythm.check_s, needless=checked))
        if keep_alive is not None:
            self._silence = _Job(keep_alive, rhythm.silence_s, began + rhythm.silence_s)
            self._jobs.append(self._silence)
        self._stopped = False
        self._timer: Timer | None = None
        self._sleep()

    def touch(self) -> None:
        if self._silence is not None:
            self._silence.due = self._now() + self._silence.every_s

    def stop(self) -> None:
        """Ends the ticking; whatever is under way is cancelled."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for job in self._jobs:
            if job.task is not None:
                job.task.cancel()

    def _sleep(self) -> None:
        """Until the nearest deadline, counted from now: not a whole interval from whenever the last timer fired."""
        nearest = self._jobs[0].due
        for job in self._jobs[1:]:
            nearest = min(nearest, job.due)
        self._timer = self._later(max(nearest - self._now(), _SOONEST_S), self._tick)

    def _tick(self) -> None:
        now = self._now()
        for job in self._jobs:
            if now + _EARLY_S >= job.due:
                job.due = now + job.every_s
                if job.needless is None or not job.needless():
                    self._begin(job)
        self._sleep()

    def _begin(self, job: _Job) -> None:
        if job.task is not None:
            return  # the last one has not come back: a slow reader, or a busy database

        async def quietly() -> None:
            await job.work()

        job.task = asyncio.get_running_loop().create_task(quietly())
        job.task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: _Job, task: asyncio.Task[None]) -> None:
        job.task = None
        # A failed beat is not the request's failure: settlement reports the database's own.
        failed = not task.cancelled() and task.exception() is not None
        if failed and job.again_s is not None and not self._stopped:
            job.due = min(job.due, self._now() + job.again_s)
            if self._timer is not None:
                self._timer.cancel()
            self._sleep()

"""Answers that outlive their connection: a run goes on for two minutes without a listener, and is replayed from any event.

Only `/api/v1/agents/chat` with `resumable: true` makes runs. Everything is in memory of this process, and bounded.
"""

import asyncio
import re
from typing import Self

from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError, NotFound, RateLimited
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.net.drain import Drain

DETACHED_S = 120.0
_KEEP_ALIVE_S = 10.0
_MOST_OF_A_USER = 16
_ID = re.compile(r"^run_[0-9a-z]{8,64}$")


class Run:
    """One running or just finished answer; `events` is its whole stream, event n at place n."""

    def __init__(self, run_id: str, user_id: str, flight: Flight) -> None:
        self.id = run_id
        self.user_id = user_id
        self.flight = flight
        self.events: list[bytes] = []
        self.finished = False
        self.failed: MarketplaceError | None = None
        self.listeners = 0
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()

    async def begin(self, _headers: dict[str, str]) -> None:
        return

    async def send(self, data: bytes) -> None:
        """Takes whole events; comments are for connections, not for the record."""
        for event in data.split(b"\n\n"):
            if event and not event.startswith(b":"):
                self.events.append(event + b"\n\n")
        self.tell()

    def tell(self) -> None:
        """Wakes every listener."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def wait(self) -> None:
        """Returns at the next event or the end."""
        await self._news.wait()


class Listener:
    """One connection that listens to a run: `with` it, and ask for `next` until it is None."""

    def __init__(self, runs: "Runs", run: Run, after: int) -> None:
        self._runs = runs
        self._run = run
        self._place = max(0, after + 1)

    def __enter__(self) -> Self:
        self._runs.heard(self._run, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self._runs.heard(self._run, -1)

    async def next(self) -> bytes | None:
        """The events since the last call, a keep-alive after ten seconds without one, None at the end."""
        run = self._run
        while self._place >= len(run.events):
            if run.finished:
                return None
            try:
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    await run.wait()
            except TimeoutError:
                return b": keep-alive\n\n"
        data = b"".join(run.events[self._place :])
        self._place = len(run.events)
        return data


class Runs:
    """All runs of this process."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._drains: set[Drain] = set()

    def start(self, run_id: str, user_id: str, flight: Flight) -> Run:
        """Sets an opened flight going on its own. Raises as `check`; the flight is then the caller's to abandon."""
        self.check(run_id, user_id)
        loop, drain = asyncio.get_running_loop(), flight.parts.drain
        if drain not in self._drains:
            self._drains.add(drain)
            drain.at_end(self._shut_down)
        run = Run(run_id, user_id, flight)
        self._runs[run_id] = run
        run.task = loop.create_task(self._fly(run))
        run.timer = loop.call_later(DETACHED_S, self._abandon, run)
        return run

    def check(self, run_id: str, user_id: str) -> None:
        """Whether this id may be started. Raises BadRequest (id), Conflict (id in use), RateLimited (too many)."""
        if not _ID.match(run_id):
            raise BadRequest("run_id must be run_ and 8 to 64 small letters or digits")
        if run_id in self._runs:
            raise Conflict("This run_id is in use")
        if sum(r.user_id == user_id and not r.finished for r in self._runs.values()) >= _MOST_OF_A_USER:
            raise RateLimited("Too many answers are running at once", retry_after=5)

    def get(self, run_id: str, user_id: str) -> Run:
        """Raises NotFound, also for another user's run."""
        run = self._runs.get(run_id)
        if run is None or run.user_id != user_id:
            raise NotFound("No such run")
        return run

    def stop(self, run_id: str, user_id: str) -> bool:
        """Stops a run at once, also before its first token; its stream ends with `done`. False = it had ended."""
        run = self.get(run_id, user_id)
        if run.finished or run.task is None:
            return False
        run.flight.client_left(polite=True)
        return True

    async def first(self, run: Run, *, wait_s: float = _KEEP_ALIVE_S) -> None:
        """Returns once there is something to send, or after ten seconds. Raises the run's error if it failed before."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while not run.events and not run.finished and (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await run.wait()
            except TimeoutError:
                break
        if run.failed is not None and not run.events:
            raise run.failed

    def listen(self, run: Run, after: int = -1) -> "Listener":
        """A listener for the events after number `after`. The run is ended when nobody listens for two minutes."""
        return Listener(self, run, after)

    def heard(self, run: Run, change: int) -> None:
        """One listener more or less."""
        run.listeners += change
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        if run.listeners == 0 and not run.finished:
            run.timer = asyncio.get_running_loop().call_later(DETACHED_S, self._abandon, run)

    async def close(self) -> None:
        """Ends and settles every run (shutdown)."""
        tasks = [run.task for run in self._runs.values() if run.task is not None and not run.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _shut_down(self) -> None:
        for run in self._runs.values():
            if not run.finished:
                run.flight.shut_down()

    def _abandon(self, run: Run) -> None:
        if run.listeners == 0 and run.task is not None and not run.finished:
            run.flight.client_left(polite=True)

    async def _fly(self, run: Run) -> None:
        try:
            with run.flight.parts.drain.call():
                await run.flight.stream(run)
        except MarketplaceError as error:
            run.failed = error
            if run.listeners:
                await run.send(run.flight.error_bytes(error))
        finally:
            run.finished = True
            if run.timer is not None:
                run.timer.cancel()
            run.tell()
            asyncio.get_running_loop().call_later(DETACHED_S, self._runs.pop, run.id, None)

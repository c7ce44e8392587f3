"""Who ended an answer, and how work that must be finished outlives a cancelled task."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_marketplace.errors import MarketplaceError, Unavailable


class Stopped(StrEnum):
    """Who ended the answer."""

    FINISHED = "finished"
    CLIENT = "client"
    PROVIDER = "provider"
    WALLET = "wallet"
    SERVER = "server"


@dataclass(slots=True)
class Outcome:
    """How an answer ended.

    error: None where a finish reason was seen, or where the client left
    """

    stopped: Stopped
    error: MarketplaceError | None = None


class StopSwitch:
    """Stops one call from outside: the first reason given counts, later ones are ignored.

    by: who asked first, None while nobody did
    why: what the client is told; None where it was the client
    polite: the client asked to stop and still listens
    """

    __slots__ = ("_task", "_timer", "by", "polite", "why")

    def __init__(self) -> None:
        self.by: Stopped | None = None
        self.why: MarketplaceError | None = None
        self.polite = False
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """From here on `stop` cancels the current task. Raises CancelledError if somebody stopped the call before."""
        if self.by is not None:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()

    def disarm(self) -> None:
        """The answer is whole: what is left is paperwork, and a stop no longer touches it."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop(
        self, by: Stopped, why: MarketplaceError | None, *, polite: bool = False, within_s: float = 0.0
    ) -> None:
        """Asks the call to end; without effect where it was asked before, or once it is disarmed.

        within_s: the try under way is heard out for so long before the task is cancelled
        """
        if self.by is not None:
            return
        self.by, self.why, self.polite = by, why, polite
        task = self._task
        if task is None:
            return
        if within_s:
            self._timer = asyncio.get_running_loop().call_later(within_s, task.cancel)
        else:
            task.cancel()

    def hurry(self) -> None:
        """Whoever is being heard out is given up: the server's grace is over."""
        if self._timer is not None and self._task is not None:
            self._task.cancel()

    def outcome(self, *, draining: bool) -> Outcome:
        """Whose cancellation just arrived. Disarms.

        One that nobody asked for through `stop` is the server's while it drains (the web server cancels its tasks at the
        end of the grace), and otherwise that of whoever waits for the call.
        """
        self.disarm()
        if self.by is None and draining:
            self.by, self.why = Stopped.SERVER, shutdown_error()
        return Outcome(self.by or Stopped.CLIENT, self.why)

    def left(self, stopped: Stopped) -> bool:
        """Whether nobody listens any more, so that the cancellation goes on to whoever waits."""
        return stopped is Stopped.CLIENT and not self.polite


def shutdown_error() -> MarketplaceError:
    """What a call is told when the server's grace is over."""
    return Unavailable("The server is shutting down; the answer was stopped here", retry_after=5)


class LastStage:
    """Says how its body was left: what was raised, or None."""

    __slots__ = ("_over",)

    def __init__(self, over: Callable[[BaseException | None], None]) -> None:
        self._over = over

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, left: BaseException | None, _trace: object) -> None:
        self._over(left)


async def settled_despite_cancel(work: Awaitable[object]) -> None:
    """Awaits `work` to its end even if this task is cancelled meanwhile; the cancellation is raised afterwards.

    A settlement that is dropped half-way would leave its money held until the hold expires, so that it runs in a task of
    its own, which no cancellation of the caller's reaches.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():  # the work itself was cancelled: not ours to swallow
                raise
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


def forgive_cancel() -> None:
    """The cancellation was ours to act upon: the task goes on as if it had not been.

    Without this the next `asyncio.timeout` or `TaskGroup` of the same task would take it for its own.
    """
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()

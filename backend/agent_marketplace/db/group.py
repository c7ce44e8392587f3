"""The writer thread: takes all that waits, runs it in one transaction, commits once, answers everybody.

Callers wait in a queue only while the previous group commits, so there is no fixed window: an idle writer commits a lone
write at once, a busy one commits hundreds together. All answers of a group reach an event loop in one wake-up.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future as SyncFuture
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from agent_marketplace.errors import MarketplaceError, Unavailable

T = TypeVar("T")
J = TypeVar("J", contravariant=True)
BatchHandler = Callable[[Any, Sequence[J]], list[T | Exception]]

MAX_GROUP = 512
log = logging.getLogger(__name__)


class CommitUnknown(Unavailable):
    """The commit failed: the write may or may not have happened. Repeat only what is idempotent."""


class _BatchFailed(Exception):
    """A handler raised: one bad job must not fail the others, so the group is rolled back and taken apart."""


class _Job(Generic[T]):
    """One waiting write: its work, its caller, and in the end its outcome."""

    __slots__ = ("durable", "error", "fn", "future", "handler", "loop", "payload", "undo", "value")

    def __init__(
        self,
        future: "asyncio.Future[T] | SyncFuture[T]",
        loop: asyncio.AbstractEventLoop | None,
        durable: bool,
        *,
        fn: Callable[[sa.Connection], T] | None = None,
        handler: BatchHandler[Any, T] | None = None,
        payload: object = None,
        undo: Callable[[T], None] | None = None,
    ) -> None:
        self.future = future
        self.loop = loop
        self.durable = durable
        self.fn = fn
        self.handler = handler
        self.payload = payload
        self.undo = undo
        self.value: T | None = None
        self.error: BaseException | None = None


class GroupWriter:
    """One thread, one connection, group commit. Threads start with the first write; `close` drains the queue."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._queue: deque[_Job[Any]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connection: sa.Connection | None = None
        self._level = ""

    @property
    def waiting(self) -> int:
        """How many writes are not begun."""
        return len(self._queue)

    async def submit(self, fn: Callable[[sa.Connection], T], *, durable: bool) -> T:
        """Runs `fn(connection)` in a savepoint of the next group."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(future, loop, durable, fn=fn))
        return await future

    async def submit_batched(
        self,
        handler: BatchHandler[Any, T],
        payload: object,
        *,
        durable: bool,
        undo: Callable[[T], None] | None = None,
    ) -> T:
        """Adds `payload` to what `handler` gets in the next group. `undo(value)` is called if the caller left meanwhile."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(future, loop, durable, handler=handler, payload=payload, undo=undo))
        return await future

    def submit_sync(self, fn: Callable[[sa.Connection], T], *, durable: bool) -> T:
        """`submit` for a thread that may block."""
        future: SyncFuture[T] = SyncFuture()
        self._put(_Job(future, None, durable, fn=fn))
        return future.result()

    def close(self) -> None:
        """Waits until the queue is empty, then ends the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _put(self, job: _Job[Any]) -> None:
        with self._wake:
            if self._closed:
                raise Unavailable("The database is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="db-writer", daemon=True)
                self._thread.start()
            self._queue.append(job)
            if len(self._queue) == 1:
                self._wake.notify()

    def _run(self) -> None:
        while group := self._next_group():
            self._settle(group)
            _answer(group)
        self._disconnect()

    def _settle(self, group: list[_Job[Any]]) -> None:
        """Gives every job of the group its outcome."""
        try:
            self._commit(group)
        except _BatchFailed as e:
            if len(group) == 1:
                cause = e.__cause__
                group[0].error = cause if isinstance(cause, MarketplaceError) else _unavailable(e)
                return
            log.warning("a group of %d writes is run one by one after %s", len(group), cause_of(e))
            for job in group:
                job.error = None
                self._settle([job])
        except Exception as e:  # noqa: BLE001  whatever broke the group, its callers must be answered
            self._disconnect()
            log.warning("a group of %d writes failed: %s", len(group), cause_of(e))
            for job in group:
                job.error = e if isinstance(e, Unavailable) else _unavailable(e)

    def _next_group(self) -> list[_Job[Any]]:
        with self._wake:
            while not self._queue and not self._closed:
                self._wake.wait()
            size = min(len(self._queue), MAX_GROUP)
            return [self._queue.popleft() for _ in range(size)]

    def _commit(self, group: list[_Job[Any]]) -> None:
        connection = self._connect()
        durable = any(job.durable for job in group)
        if self._sqlite:
            self._set_level(connection, "FULL" if durable else "NORMAL")
        transaction = connection.begin() if any(job.fn for job in group) else self._begin_plain(connection)
        try:
            if not self._sqlite and not durable:
                _driver(connection).execute("SET LOCAL synchronous_commit = off")
            _run_batches(_driver(connection), group)
            for job in group:
                if job.fn is not None:
                    _run_one(connection, job)
        except BaseException:  # whatever it was, a cancellation too, nothing of the group may stay
            transaction.rollback()
            raise
        try:
            transaction.commit()
        except Exception as e:  # whatever the driver says, the outcome is not known
            raise CommitUnknown("The database did not confirm the write; try again", retry_after=1) from e

    def _begin_plain(self, connection: sa.Connection) -> Any:
        """Begins without SQLAlchemy, whose share of a small group's time would be half."""
        driver = _driver(connection)
        if self._sqlite:
            driver.execute("BEGIN IMMEDIATE")
        return driver

    def _set_level(self, connection: sa.Connection, level: str) -> None:
        # Outside any transaction: SQLite ignores the pragma inside one.
        if level != self._level:
            _driver(connection).execute(f"PRAGMA synchronous={level}")  # sql: one of our own two words
            self._level = level

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._level = ""
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()


def cause_of(error: BaseException) -> str:
    """What the driver said, without statement and values."""
    while error.__cause__ is not None:
        error = error.__cause__
    told = getattr(error, "orig", None) or error
    return f"{type(told).__name__}: {' '.join(str(told).split())[:200]}"


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _unavailable(e: Exception) -> Unavailable:
    error = Unavailable("The database is not available; try again", retry_after=1)
    error.__cause__ = e
    return error


def _run_one(connection: sa.Connection, job: _Job[Any]) -> None:
    assert job.fn is not None
    savepoint = connection.begin_nested()
    try:
        job.value = job.fn(connection)
        savepoint.commit()
    except Exception as e:  # noqa: BLE001  belongs to this caller; the others of the group go on
        away = isinstance(e, sa.exc.OperationalError | sa.exc.InterfaceError)
        job.error = _unavailable(e) if away else e
        savepoint.rollback()


def _run_batches(driver: Any, group: list[_Job[Any]]) -> None:
    batches: dict[BatchHandler[Any, Any], list[_Job[Any]]] = {}
    for job in group:
        if job.handler is not None:
            batches.setdefault(job.handler, []).append(job)
    for handler, jobs in batches.items():
        try:
            outcomes = handler(driver, [job.payload for job in jobs])
        except Exception as e:  # whatever broke the batch, its jobs are tried one by one
            raise _BatchFailed from e
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, Exception):
                job.error = outcome
            else:
                job.value = outcome


def _answer(group: list[_Job[Any]]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in group:
        if job.loop is None:
            _resolve(job)
        else:
            loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, jobs)
        except RuntimeError:  # the loop is closed: its callers are gone, their writes stand
            log.warning("%d callers left before their writes were committed", len(jobs))


def _resolve_all(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        _resolve(job)


def _resolve(job: _Job[Any]) -> None:
    if job.future.cancelled():
        if job.undo is not None and job.error is None and job.value is not None:
            job.undo(job.value)
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.value)

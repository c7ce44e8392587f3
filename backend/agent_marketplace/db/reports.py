"""Long reads (usage, activity, exports): a few threads of their own, so that nobody's pages hold up calls or readiness.

Each has a limit of time and ends with its caller. One caller's run one after the other, so that nobody waits for all that another
asked for and no more than one core is one caller's; who asks for too much at once is told to wait instead of being queued for ever.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from agent_marketplace.db.engine import REPORTERS, Database
from agent_marketplace.errors import RateLimited, Unavailable

T = TypeVar("T")
LIMIT_S = 10.0
_WAITING = 32
_OF_ONE = 8
_STEPS = 20_000  # of SQLite's machine between two looks at the clock: about 2 ms


class _Stop:
    """Ends the statement that runs on a connection, from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._driver: Any = None
        self.asked = False
        self.late = False

    def now(self) -> None:
        """The caller has gone."""
        with self._lock:
            self.asked = True
            driver = self._driver
        if driver is not None and hasattr(driver, "cancel_safe"):
            threading.Thread(target=self._cancel, daemon=True).start()

    def attach(self, driver: Any) -> None:
        """driver: whose statements run from now on; None = they have ended."""
        with self._lock:  # no cancellation may reach who has the connection next
            self._driver = driver
            if driver is None:
                self._ended.set()

    def _cancel(self) -> None:
        """Asks again until it has ended: a request that comes between two statements is lost."""
        pause_s = 0.02
        while not self._ended.wait(pause_s):
            with self._lock:
                if self._driver is None:
                    return
                try:
                    self._driver.cancel_safe(timeout=2)
                except Exception:  # noqa: BLE001, S110  the next request, or the limit of time, ends it
                    pass
            pause_s = min(2 * pause_s, 1.0)

    def check(self, due: float) -> int:
        """What SQLite asks now and then: 1 ends the statement."""
        self.late = self.late or time.monotonic() > due
        return int(self.asked or self.late)


class Reports:
    """`read` as `Database.read` does, but bounded. limit_s: for each read; who: of one caller, at most eight at once."""

    def __init__(self, database: Database, *, limit_s: float = LIMIT_S) -> None:
        self._database = database
        self._limit_s = limit_s
        self._pool = ThreadPoolExecutor(REPORTERS, thread_name_prefix="db-report")
        self._open: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}

    async def read(self, fn: Callable[[sa.Connection], T], *, who: str = "") -> T:
        """Raises Unavailable (too many, or it took too long: code `query_timeout`), RateLimited (too many of one)."""
        if self._open[who] >= _OF_ONE:
            raise RateLimited("Too many reports of yours at once; wait for them", retry_after=1)
        if self._open.total() >= _WAITING:
            raise Unavailable("Too many reports at once; try again", retry_after=1)
        self._open[who] += 1
        turn = self._turns.setdefault(who, asyncio.Lock())
        try:
            await turn.acquire()
        except asyncio.CancelledError:
            self._closed(who)
            raise
        stop = _Stop()
        loop = asyncio.get_running_loop()

        def over() -> None:
            turn.release()
            self._closed(who)

        try:
            running: Future[T] = self._pool.submit(self._run, fn, stop)
        except RuntimeError:  # it is closed
            over()
            raise
        running.add_done_callback(lambda _: _tell(loop, over))
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            stop.now()
            raise

    def close(self) -> None:
        """Waits for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _closed(self, who: str) -> None:
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who], self._turns[who]

    def _run(self, fn: Callable[[sa.Connection], T], stop: _Stop) -> T:
        return self._database.read_sync(lambda connection: self._bounded(connection, fn, stop))

    def _bounded(self, connection: sa.Connection, fn: Callable[[sa.Connection], T], stop: _Stop) -> T:
        try:
            with _limited(connection, self._limit_s, stop):
                return fn(connection)
        except sa.exc.OperationalError as error:
            if not (stop.asked or stop.late or getattr(error.orig, "sqlstate", None) == "57014"):
                raise
            raise Unavailable(
                f"This took longer than {self._limit_s:g} s: ask for a shorter time, or for less at once",
                code="query_timeout",
                retry_after=1,
            ) from error


@contextmanager
def _limited(connection: sa.Connection, limit_s: float, stop: _Stop) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    due = time.monotonic() + limit_s
    if connection.dialect.name == "sqlite":
        driver.set_progress_handler(lambda: stop.check(due), _STEPS)
    else:
        connection.execute(
            sa.select(
                sa.func.set_config("statement_timeout", str(round(limit_s * 1000)), True),
                sa.func.set_config("max_parallel_workers_per_gather", "0", True),  # one core each, as here
            )
        )
    stop.attach(driver)
    try:
        if stop.asked:
            raise Unavailable("Its caller has gone", code="query_timeout")
        yield
    finally:
        stop.attach(None)
        if connection.dialect.name == "sqlite":
            driver.set_progress_handler(None, 0)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)

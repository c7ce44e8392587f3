"""The one way to the database: SQLAlchemy Core in threads for readers, one writer thread that commits in groups.

A write is a function `fn(connection) -> value`, run as one transaction; it may run twice (after a deadlock, or when its
group has to be taken apart), so it has no effects outside the database. On SQLite all writes of a process go through one
writer thread, each in its own savepoint, and one commit makes the whole group durable before any caller is answered; the
next group starts as soon as that commit ended. On PostgreSQL only batched jobs share the writer; other writes run in
threads of their own. `durable=True` waits for the disk (SQLite `synchronous=FULL`, PostgreSQL `synchronous_commit=on`);
`durable=False` needs atomicity only (`NORMAL`, `off`). An exception rolls back just that write and is raised to its caller.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from agent_marketplace.db.base import metadata
from agent_marketplace.db.group import BatchHandler, GroupWriter, cause_of
from agent_marketplace.db.health import RESTORE
from agent_marketplace.errors import Unavailable
from agent_marketplace.settings import SettingsError

T = TypeVar("T")
log = logging.getLogger(__name__)
Work = Callable[[sa.Connection], T]

READERS = 8
WRITERS = 8
REPORTERS = 2
RETRIES = 5
BUSY_TIMEOUT_MS = 10_000
_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_LOCK_TIMEOUT = "5s"  # a lock that somebody forgot must not hold every call until it is given back
_RETRYABLE = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected


class Database:
    """Owns the engine, the reader threads and the writer. Create with `Database.open(url)`, end with `close()`."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._writers = ThreadPoolExecutor(
            WRITERS, thread_name_prefix="db-write"
        )  # apart: a write that waits blocks no reader
        self._writer = GroupWriter(engine)
        self.damage: str | None = None

    @classmethod
    def open(cls, url: str) -> "Database":
        """Opens `sqlite:///file` or `postgresql+psycopg://...`; connects on first use. Raises SettingsError (no driver)."""
        if url.startswith("sqlite"):
            engine = sa.create_engine(
                url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": 512}
            )
            event.listen(engine, "connect", _sqlite_connect)
            event.listen(engine, "begin", _sqlite_begin)
        else:
            try:
                engine = sa.create_engine(
                    url, pool_size=READERS + 1, max_overflow=WRITERS + REPORTERS, pool_pre_ping=True
                )
            except ModuleNotFoundError:
                raise SettingsError(
                    "PostgreSQL needs its driver: pip install 'ai-agent-marketplace[postgres]'"
                ) from None
            event.listen(engine, "connect", _postgres_connect)
        return cls(engine)

    def create_all(self) -> None:
        """Makes every table (tests; the server runs the migrations instead)."""
        import agent_marketplace.db.tables  # noqa: F401  registers the tables

        metadata.create_all(self.engine)

    async def read(self, fn: Work[T]) -> T:
        """Runs `fn(connection)` in a reader thread on one consistent snapshot; never waits for writers."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_sync, fn)

    def stop_writing(self, damage: str) -> None:
        """The file is damaged: from here on every write is refused with these words. Reads are answered as far as they can be."""
        if self.damage is None:
            log.error("%s", damage)
            self.damage = damage

    async def write(self, fn: Work[T], *, durable: bool = True) -> T:
        """Runs `fn(connection)` as one transaction and returns once it is committed. Raises Unavailable if it can't be."""
        self._refuse_if_damaged()
        if self.dialect == "sqlite":
            return await self._writer.submit(fn, durable=durable)
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._write_here, fn, durable)

    async def write_batched(
        self,
        handler: BatchHandler[Any, T],
        job: object,
        *,
        durable: bool = True,
        undo: Callable[[T], None] | None = None,
    ) -> T:
        """Hands `job` to `handler(driver_connection, jobs)` together with all others that wait; one answer each.

        undo(value): called in the event loop if the write is committed after its caller was cancelled.
        """
        self._refuse_if_damaged()
        return await self._writer.submit_batched(handler, job, durable=durable, undo=undo)

    def read_sync(self, fn: Work[T]) -> T:
        """`read` for callers without an event loop."""
        options: dict[str, Any] = {"reader": True}
        if self.dialect != "sqlite":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with self.engine.connect().execution_options(**options) as connection:
                return fn(connection)
        except _AWAY as e:
            raise _away(e) from e
        except sa.exc.DatabaseError as e:
            if getattr(e.orig, "sqlite_errorname", "").startswith(_DAMAGED):
                self.stop_writing(f"The database is damaged ({e.orig}): {RESTORE}")
                raise Unavailable("The database is damaged; its operator has been told") from e
            raise

    def _refuse_if_damaged(self) -> None:
        if self.damage is not None:
            raise Unavailable("The database is damaged; its operator has been told")

    def write_sync(self, fn: Work[T], *, durable: bool = True) -> T:
        """`write` for callers without an event loop (the CLI, also beside a running server)."""
        if self.dialect == "sqlite":
            return self._writer.submit_sync(fn, durable=durable)
        return self._write_here(fn, durable)

    def connections(self) -> dict[str, int]:
        """How many connections of the pool are `in_use` and `idle`; empty where there is no such pool."""
        pool = self.engine.pool
        return (
            {"in_use": pool.checkedout(), "idle": pool.checkedin()}
            if isinstance(pool, sa.pool.QueuePool)
            else {}
        )

    @property
    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return self._writer.waiting

    def sizes(self) -> dict[str, int]:
        """Bytes of the `file` and its write-ahead log (`wal`); empty where they are not of this machine."""
        if self.dialect != "sqlite" or not (name := self.engine.url.database):
            return {}
        parts = {"file": Path(name), "wal": Path(f"{name}-wal")}
        return {part: path.stat().st_size for part, path in parts.items() if path.exists()}

    def close(self) -> None:
        """Finishes what was handed in, then ends all threads and connections."""
        self._writer.close()
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()

    def _write_here(self, fn: Work[T], durable: bool) -> T:
        for attempt in range(RETRIES):
            try:
                with self.engine.begin() as connection:
                    if not durable:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    return fn(connection)
            except _AWAY as e:
                if (
                    not isinstance(e, sa.exc.DBAPIError)
                    or getattr(e.orig, "sqlstate", None) not in _RETRYABLE
                ):
                    raise _away(e) from e
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  jitter, not a secret
        raise Unavailable("The database is too busy; try again", retry_after=1)


def _away(e: Exception) -> Unavailable:
    log.warning("the database did not answer: %s", cause_of(e))
    return Unavailable("The database is not available; try again", retry_after=1)


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin in `_sqlite_begin`, not behind our back
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=4000",  # pages: fewer, larger checkpoints halve what a busy writer spends on them
    ):
        connection.execute(f"PRAGMA {pragma}")  # sql: the constants above; a pragma takes no parameters


def _postgres_connect(connection: Any, _record: Any) -> None:
    connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")  # sql: the constant above
    connection.commit()


def _sqlite_begin(connection: sa.Connection) -> None:
    reader = connection.get_execution_options().get("reader", False)
    connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")

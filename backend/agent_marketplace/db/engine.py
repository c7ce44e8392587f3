"""The one way to the database: SQLAlchemy Core in threads for readers, one writer thread that commits in groups.

A write is a function `fn(connection) -> value`. On SQLite all writes of a process run one after the other in the
writer thread, each in its own savepoint, and one commit makes a whole group durable before any caller is answered.
`durable=True` waits for the disk (`synchronous=FULL`); `durable=False` needs atomicity only (`NORMAL`).
An exception rolls back just that write and is raised to its caller.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from agent_marketplace.db.base import metadata

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


class Database:
    """Owns the engine, the reader threads and the writer. Create with `Database.open(url)`, end with `close()`."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._readers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="db-read")
        self._lock = threading.Lock()

    @classmethod
    def open(cls, url: str) -> "Database":
        engine = sa.create_engine(url, connect_args={"timeout": 10} if url.startswith("sqlite") else {})
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_pragmas)
        return cls(engine)

    def create_all(self) -> None:
        """Makes every table (tests; the server runs the migrations instead)."""
        import agent_marketplace.db.tables  # noqa: F401  registers the tables

        metadata.create_all(self.engine)

    async def read(self, fn: Work[T]) -> T:
        """Runs `fn(connection)` in a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_sync, fn)

    async def write(self, fn: Work[T], *, durable: bool = True) -> T:
        """Runs `fn(connection)` as one transaction and returns once it is committed."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.write_sync, fn)

    def read_sync(self, fn: Work[T]) -> T:
        with self.engine.connect() as connection:
            return fn(connection)

    def write_sync(self, fn: Work[T]) -> T:
        with self._lock, self.engine.begin() as connection:
            return fn(connection)

    def close(self) -> None:
        self._readers.shutdown(wait=True)
        self.engine.dispose()


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

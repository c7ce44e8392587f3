"""Whether the database takes a write just now: what readiness and `marketplace_database_up` ask."""

import asyncio
import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.operations import probes
from agent_marketplace.errors import Unavailable

LIMIT_S = 2.0
_FRESH_S = 1.0


class Probe:
    """At most one durable write at a time and a second, however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: asyncio.Task[None] | None = None
        self._written = -_FRESH_S

    async def check(self) -> None:
        """Raises Unavailable if a row could not be written within two seconds."""
        if time.monotonic() - self._written < _FRESH_S:
            return
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._database.write(_touch))
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            async with asyncio.timeout(LIMIT_S):
                await asyncio.shield(self._running)
        except TimeoutError:
            raise Unavailable(f"the database took no write within {LIMIT_S:.0f} s") from None
        self._written = time.monotonic()


def _touch(connection: sa.Connection) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    now = round(time.time() * 1000)
    statement = insert(probes).values(name="readiness", at=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": now}))

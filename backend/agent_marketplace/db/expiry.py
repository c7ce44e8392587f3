"""Deleting what is over, however much that is, without holding up who writes: a few hundred rows a transaction."""

import asyncio
from functools import partial
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.engine import Database

_FOUND = 20_000  # keys that are kept in memory
_BATCH = 500
_PAUSE_S = 0.01  # between two transactions: what waits for the writer goes first


async def expire(database: Database, table: sa.Table, over: sa.ColumnElement[bool]) -> int:
    """Deletes the rows of `table` that are `over`. Returns how many. Raises Unavailable."""
    columns = list(table.primary_key.columns)
    key, query, total = sa.tuple_(*columns), sa.select(*columns).where(over).limit(_FOUND), 0

    def find(connection: sa.Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(query)]

    def delete(connection: sa.Connection, some: list[tuple[Any, ...]]) -> int:
        return connection.execute(sa.delete(table).where(key.in_(some), over)).rowcount

    while True:
        found = await database.read(find)
        for start in range(0, len(found), _BATCH):
            some = found[start : start + _BATCH]
            total += await database.write(partial(delete, some=some), durable=False)
            await asyncio.sleep(_PAUSE_S)
        if len(found) < _FOUND:
            return total

"""The SQL of kept thinking. Every statement names the user, but for the housekeeping's."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.reasoning import kept_reasoning as table


def put(connection: sa.Connection, user_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Writes rows; one of the same key is replaced."""
    keys = [row["call_key"] for row in rows]
    connection.execute(sa.delete(table).where(table.c.user_id == user_id, table.c.call_key.in_(keys)))
    connection.execute(sa.insert(table), [{"user_id": user_id, **row} for row in rows])


def get(connection: sa.Connection, user_id: str, keys: Sequence[str], now: int) -> dict[str, bytes]:
    """What is kept under the keys and has not expired. now: ms."""
    query = sa.select(table.c.call_key, table.c.sealed).where(
        table.c.user_id == user_id, table.c.call_key.in_(keys), table.c.expires_at > now
    )
    return {key: bytes(sealed) for key, sealed in connection.execute(query)}


def trim(connection: sa.Connection, user_id: str, *, most_rows: int, most_bytes: int) -> None:
    """Deletes a user's oldest rows beyond the bounds."""
    query = sa.select(table.c.call_key, table.c.size).where(table.c.user_id == user_id)
    newest = connection.execute(query.order_by(table.c.created_at.desc(), table.c.call_key)).all()
    total, beyond = 0, []
    for number, (key, size) in enumerate(newest, 1):
        total += size
        if number > most_rows or total > most_bytes:
            beyond.append(key)
    if beyond:
        connection.execute(sa.delete(table).where(table.c.user_id == user_id, table.c.call_key.in_(beyond)))


def delete_expired(connection: sa.Connection, now: int) -> int:
    """Rows deleted. now: ms."""
    return connection.execute(sa.delete(table).where(table.c.expires_at <= now)).rowcount


def erase_user(connection: sa.Connection, user_id: str) -> None:
    connection.execute(sa.delete(table).where(table.c.user_id == user_id))

"""The SQL of tool servers."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.accounts import users
from agent_marketplace.db.tables.tool_servers import tool_pins as pins
from agent_marketplace.db.tables.tool_servers import tool_servers as servers
from agent_marketplace.errors import NotFound


class ServerRow(msgspec.Struct, kw_only=True):
    """A server's row."""

    server_id: str
    user_id: str
    name: str
    url: str
    header: str
    secret_sealed: bytes | None
    revision: str
    problem: str
    created_at: int
    checked_at: int | None
    stopped_at: int | None = None


class PinRow(msgspec.Struct, kw_only=True):
    """A tool of a server: as it was last listed, and as it was approved."""

    server_id: str
    tool: str
    seen_sha256: str
    seen: str
    pin_sha256: str
    policy: str
    read_only: int
    approved_at: int | None


def add(connection: sa.Connection, row: ServerRow) -> bool:
    """False: the user has a server of this name."""
    taken = sa.select(servers.c.server_id).where(servers.c.user_id == row.user_id, servers.c.name == row.name)
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(sa.insert(servers), msgspec.structs.asdict(row))
    return True


def of_user(connection: sa.Connection, user_id: str) -> list[ServerRow]:
    """A user's servers by name."""
    rows = connection.execute(sa.select(servers).where(servers.c.user_id == user_id).order_by(servers.c.name))
    return [ServerRow(**row._mapping) for row in rows]


def find(connection: sa.Connection, server_id: str, owners: Sequence[str]) -> ServerRow:
    """Raises NotFound, also for a server of somebody else."""
    query = sa.select(servers).where(servers.c.server_id == server_id, servers.c.user_id.in_(owners))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("No such tool server")
    return ServerRow(**row._mapping)


def lock(connection: sa.Connection, server_id: str) -> None:
    """Nobody else changes the server or its tools until the transaction ends."""
    connection.execute(
        sa.select(servers.c.server_id).where(servers.c.server_id == server_id).with_for_update()
    )


def is_administrator(connection: sa.Connection, user_id: str) -> bool:
    """Whether an account operates this installation."""
    query = sa.select(users.c.role).where(users.c.user_id == user_id, users.c.suspended_at.is_(None))
    return connection.scalar(query) == "admin"


def every(connection: sa.Connection, words: str, after: str | None, limit: int) -> list[ServerRow]:
    """Servers of everybody whose address, name or id fits, by id. after: only ids behind this one."""
    fits = servers.c.url.contains(words, autoescape=True) | servers.c.name.contains(words, autoescape=True)
    query = sa.select(servers).where(fits | (servers.c.server_id == words))
    if after is not None:
        query = query.where(servers.c.server_id > after)
    rows = connection.execute(query.order_by(servers.c.server_id).limit(limit))
    return [ServerRow(**row._mapping) for row in rows]


def stopped(connection: sa.Connection, server_id: str) -> bool:
    """Also where it is gone."""
    query = sa.select(servers.c.stopped_at).where(servers.c.server_id == server_id)
    row = connection.execute(query).one_or_none()
    return row is None or row.stopped_at is not None


def stop(connection: sa.Connection, server_id: str, at: int | None) -> ServerRow | None:
    """Sets the kill switch, or lifts it (None). Returns the row as it was before, None where there is none."""
    row = connection.execute(sa.select(servers).where(servers.c.server_id == server_id)).one_or_none()
    if row is not None:
        change(connection, server_id, stopped_at=at)
    return None if row is None else ServerRow(**row._mapping)


def change(connection: sa.Connection, server_id: str, **values: Any) -> None:
    connection.execute(sa.update(servers).where(servers.c.server_id == server_id).values(**values))


def pins_of(connection: sa.Connection, server_id: str) -> list[PinRow]:
    """A server's tools by name."""
    rows = connection.execute(sa.select(pins).where(pins.c.server_id == server_id).order_by(pins.c.tool))
    return [PinRow(**row._mapping) for row in rows]


def put_pins(connection: sa.Connection, server_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """All tools of a server."""
    connection.execute(sa.delete(pins).where(pins.c.server_id == server_id))
    if rows:
        connection.execute(sa.insert(pins), [dict(row) for row in rows])


def delete(connection: sa.Connection, server_id: str, user_id: str) -> bool:
    """With its tools; False if there was none."""
    gone = connection.execute(
        sa.delete(servers).where(servers.c.server_id == server_id, servers.c.user_id == user_id)
    )
    if gone.rowcount:
        connection.execute(sa.delete(pins).where(pins.c.server_id == server_id))
    return gone.rowcount == 1


def erase_user(connection: sa.Connection, user_id: str) -> None:
    """Everything of a user."""
    mine = sa.select(servers.c.server_id).where(servers.c.user_id == user_id)
    connection.execute(sa.delete(pins).where(pins.c.server_id.in_(mine)))
    connection.execute(sa.delete(servers).where(servers.c.user_id == user_id))

"""The SQL of the gateway: bounds that did not hold."""

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.gateway import broken_bounds


class BrokenBound(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that billed more than was held for a kind of call.

    provider, upstream_id: the offer; shape: the kind of call
    request_id: the call that showed it, held_nano what was held for it, cost_nano what it cost, nano-dollars
    broken_at: ms since the epoch
    """

    provider: str
    upstream_id: str
    shape: str
    request_id: str
    held_nano: int
    cost_nano: int
    broken_at: int


def broken(connection: sa.Connection) -> list[BrokenBound]:
    """All of them, the oldest first."""
    order = (broken_bounds.c.broken_at, broken_bounds.c.request_id)
    rows = connection.execute(sa.select(broken_bounds).order_by(*order)).mappings()
    return [BrokenBound(**row) for row in rows]


def add(connection: sa.Connection, bound: BrokenBound) -> None:
    """Remembers it; the first call that showed it stays."""
    key = _of(bound.provider, bound.upstream_id, bound.shape)
    if connection.execute(sa.select(broken_bounds.c.shape).where(*key)).first() is None:
        connection.execute(sa.insert(broken_bounds).values(msgspec.structs.asdict(bound)))


def clear(connection: sa.Connection, provider: str, upstream_id: str, shape: str | None) -> int:
    """Forgets those of an offer (shape None: all). Returns how many."""
    return connection.execute(sa.delete(broken_bounds).where(*_of(provider, upstream_id, shape))).rowcount


def _of(provider: str, upstream_id: str, shape: str | None) -> list[sa.ColumnElement[bool]]:
    found = [broken_bounds.c.provider == provider, broken_bounds.c.upstream_id == upstream_id]
    return found if shape is None else [*found, broken_bounds.c.shape == shape]

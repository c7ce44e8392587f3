"""The SQL of mail: the outbox, wishes, and what the watch looks for."""

from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.accounts import marketplace_keys, users
from agent_marketplace.db.tables.ledger import accounts, key_budgets
from agent_marketplace.db.tables.mail import links, outbox, wishes


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One mail. state: waiting, sent, failed, shown (there is no mail: its link is for the administrator). Times in ms."""

    id: str
    kind: str
    user_id: str
    recipient: str
    facts: str
    link_id: str | None
    state: str
    attempts: int
    due_at: int
    words: str
    created_at: int
    closed_at: int | None
    link_ends_at: int | None = None
    link_used_at: int | None = None


class Low(NamedTuple):
    """Somebody whose balance has crossed what they wished to be told of, nano-dollars; armed: it went below."""

    user_id: str
    wanted: int
    balance: int
    armed: int


class Capped(NamedTuple):
    """A key whose cap is nearly or wholly spent, nano-dollars; window: its start, ms."""

    key_id: str
    user_id: str
    name: str
    limit: int
    spent: int
    period: str
    window: int


_ADDRESS = sa.func.coalesce(users.c.email, outbox.c.recipient).label("recipient")
_COLUMNS = [
    _ADDRESS if name == "recipient" else outbox.c[name] for name in Row.__struct_fields__ if name in outbox.c
]
_ROWS = sa.select(
    *_COLUMNS, links.c.expires_at.label("link_ends_at"), links.c.used_at.label("link_used_at")
).select_from(
    outbox.outerjoin(users, users.c.user_id == outbox.c.user_id).outerjoin(
        links, links.c.id == outbox.c.link_id
    )
)


def add(connection: sa.Connection, values: dict[str, Any]) -> None:
    """A new row of the outbox."""
    connection.execute(sa.insert(outbox).values(values))


def said_before(connection: sa.Connection, once: str) -> bool:
    """Whether there is a row with this `once`."""
    return connection.execute(sa.select(outbox.c.id).where(outbox.c.once == once)).first() is not None


def claim(connection: sa.Connection, now: int, lease_until: int) -> Row | None:
    """The row that has waited longest becomes the caller's until then; None = nothing is due."""
    due = sa.select(outbox.c.id).where(outbox.c.state == "waiting", outbox.c.due_at <= now)
    found = connection.scalar(due.order_by(outbox.c.due_at).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    taken = {"due_at": lease_until, "attempts": outbox.c.attempts + 1}
    connection.execute(sa.update(outbox).where(outbox.c.id == found).values(taken))
    return row(connection, found)


def row(connection: sa.Connection, mail_id: str) -> Row | None:
    """One of them."""
    found = connection.execute(_ROWS.where(outbox.c.id == mail_id)).one_or_none()
    return None if found is None else Row(**found._mapping)


def change(connection: sa.Connection, mail_id: str, values: dict[str, Any]) -> bool:
    """Writes some columns. False: it is gone."""
    return connection.execute(sa.update(outbox).where(outbox.c.id == mail_id).values(values)).rowcount == 1


def find(connection: sa.Connection, before: str | None, limit: int) -> list[Row]:
    """Newest first; before: only those made before this one."""
    query = _ROWS if before is None else _ROWS.where(outbox.c.id < before)
    return [
        Row(**found._mapping) for found in connection.execute(query.order_by(outbox.c.id.desc()).limit(limit))
    ]


def counts(connection: sa.Connection) -> dict[str, int]:
    """Rows by state."""
    query = sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def forget(connection: sa.Connection, before: int) -> None:
    """Mail that ended before then, but what is told once; links that ended before then, but the used ones that confirm."""
    old = sa.and_(outbox.c.state != "waiting", outbox.c.created_at < before, outbox.c.once.is_(None))
    connection.execute(sa.delete(outbox).where(old))
    used = sa.and_(links.c.kind == "confirm", links.c.used_at.is_not(None))
    connection.execute(sa.delete(links).where(links.c.expires_at < before, sa.not_(used)))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    """Everything about somebody whose account is deleted."""
    for table in (outbox, links, wishes):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))


def low_wish(connection: sa.Connection, user_id: str) -> int | None:
    """At which balance they wish to be told, nano-dollars."""
    return connection.scalar(sa.select(wishes.c.low_nano).where(wishes.c.user_id == user_id))


def set_low_wish(connection: sa.Connection, user_id: str, low_nano: int | None) -> None:
    """Replaces it, armed."""
    connection.execute(sa.delete(wishes).where(wishes.c.user_id == user_id))
    if low_nano is not None:
        connection.execute(sa.insert(wishes).values(user_id=user_id, low_nano=low_nano, low_armed=1))


def crossed(connection: sa.Connection, limit: int) -> list[Low]:
    """Those to be told, and those to be armed again."""
    balance = accounts.c.balance_nano - accounts.c.restricted_nano
    below = sa.and_(wishes.c.low_armed == 1, balance < wishes.c.low_nano)
    above = sa.and_(wishes.c.low_armed == 0, balance >= wishes.c.low_nano)
    query = (
        sa.select(wishes.c.user_id, wishes.c.low_nano, balance, wishes.c.low_armed)
        .join(accounts, accounts.c.name == sa.literal("user:") + wishes.c.user_id)
        .where(sa.or_(below, above))
    )
    return [Low(*found) for found in connection.execute(query.limit(limit))]


def arm(connection: sa.Connection, user_id: str, armed: int) -> bool:
    """False: somebody else has done so."""
    where = (wishes.c.user_id == user_id, wishes.c.low_armed == 1 - armed)
    return connection.execute(sa.update(wishes).where(*where).values(low_armed=armed)).rowcount == 1


def capped(connection: sa.Connection, limit: int) -> list[Capped]:
    """Live keys that have spent 95 % of their cap in its window and whose owners were not told."""
    b, k = key_budgets, marketplace_keys
    once = sa.literal("cap:") + b.c.key_id + sa.literal(":") + sa.cast(b.c.window_start, sa.String)
    query = (
        sa.select(b.c.key_id, k.c.user_id, k.c.name, b.c.limit_nano, b.c.spent_nano, b.c.period, b.c.window_start)
        .join(k, k.c.key_id == b.c.key_id)
        .where(
            b.c.limit_nano > 0,
            b.c.spent_nano >= b.c.limit_nano - b.c.limit_nano // 20,
            k.c.revoked_at.is_(None),
            ~sa.exists().where(outbox.c.once == once),
        )
    )  # fmt: skip
    return [Capped(*found) for found in connection.execute(query.limit(limit))]

"""The SQL of the administrators' room: the audit log, and finding people."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.db.tables.accounts import trusted_accounts, users
from agent_marketplace.db.tables.admin import admin_audit as t
from agent_marketplace.db.tables.admin import operator_settings as chosen
from agent_marketplace.db.tables.ledger import accounts
from agent_marketplace.ledger import acts
from agent_marketplace.ledger.postings import user_account

_LOCK = 7_202_611_220_003  # PostgreSQL: one act at a time takes the next number


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act. at: ms; actor: a user id, or `command line`; before, after: what changed, without any secret."""

    id: int
    at: int
    actor: str
    act: str
    object: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    request_id: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a list. Money in nano-dollars, times in ms."""

    user_id: str
    email: str
    role: str
    tier: str
    balance_nano: int
    held_nano: int
    promo_nano: int
    created_at: int
    suspended_at: int | None
    trusted_at: int | None


def record(
    connection: sa.Connection,
    key: bytes,
    at: int,
    actor: str,
    act: str,
    object_: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str,
    request_id: str,
) -> int:
    """Adds a line inside the act's transaction, under the key of `ledger.acts`. Returns its number."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    last, previous = acts.newest(connection)
    number = last + 1
    texts = (json.encode(dict(before)).decode(), json.encode(dict(after)).decode())
    values = (number, at, actor, act, object_, *texts, reason[:500], request_id)
    names = ("id", "at", "actor", "act", "object", "before", "after", "reason", "request_id")
    connection.execute(
        sa.insert(t).values(
            **dict(zip(names, values, strict=True)), hash=acts.line_hash(key, previous, values)
        )
    )
    return number


def audit(
    connection: sa.Connection, where: Mapping[str, str], cursor: int | None, limit: int
) -> list[AuditLine]:
    """Newest first. where: actor, act, object; cursor: only older ones than this number."""
    query = sa.select(t).where(*(t.c[name] == value for name, value in where.items()))
    if cursor is not None:
        query = query.where(t.c.id < cursor)
    return [_line(row) for row in connection.execute(query.order_by(t.c.id.desc()).limit(limit))]


def whole_audit(connection: sa.Connection) -> list[AuditLine]:
    """Oldest first."""
    return [_line(row) for row in connection.execute(sa.select(t).order_by(t.c.id))]


def person(connection: sa.Connection, user_id: str) -> Found | None:
    """One account; None where there is none."""
    found = _found(connection, _people().where(users.c.user_id == user_id))
    return found[0] if found else None


def people(connection: sa.Connection, words: str, after: str | None, limit: int) -> list[Found]:
    """Accounts whose address contains `words`, or whose id it is, by address. after: only addresses behind this one.

    The addresses are looked through first, by themselves: their index has all that this needs, and money is read for a page only.
    """
    pick = sa.select(users.c.user_id).order_by(users.c.email).limit(limit)
    if words:
        by_id = connection.scalar(sa.select(users.c.user_id).where(users.c.user_id == words))
        if by_id is not None:
            return [] if after is not None else _found(connection, _people().where(users.c.user_id == words))
        pick = pick.where(users.c.email.contains(words.lower(), autoescape=True))
    if after is not None:
        pick = pick.where(users.c.email > after)
    chosen = list(connection.execute(pick).scalars())
    return _found(connection, _people().where(users.c.user_id.in_(chosen)))


def _people() -> sa.Select[Any]:
    name = sa.literal(user_account("")) + users.c.user_id
    money = (accounts.c.balance_nano, accounts.c.held_nano, accounts.c.promo_nano)
    return (
        sa.select(users, *money, trusted_accounts.c.trusted_at)
        .join(accounts, accounts.c.name == name)
        .outerjoin(trusted_accounts, trusted_accounts.c.user_id == users.c.user_id)
        .order_by(users.c.email)
    )


def _found(connection: sa.Connection, query: sa.Select[Any]) -> list[Found]:
    names = Found.__struct_fields__
    return [Found(**{name: row._mapping[name] for name in names}) for row in connection.execute(query)]


def choices(connection: sa.Connection) -> dict[str, str]:
    """{name: value} of what administrators chose."""
    return {row.name: row.value for row in connection.execute(sa.select(chosen.c.name, chosen.c.value))}


def choose(connection: sa.Connection, name: str, value: str | None, now: int) -> None:
    """Writes a choice; None takes it back."""
    connection.execute(sa.delete(chosen).where(chosen.c.name == name))
    if value is not None:
        connection.execute(sa.insert(chosen).values(name=name, value=value, changed_at=now))


def set_trusted(connection: sa.Connection, user_id: str, at: int | None) -> bool:
    """Marks an account as trusted since `at` (ms); None takes the mark away. Returns whether it had it."""
    had = (
        connection.execute(sa.delete(trusted_accounts).where(trusted_accounts.c.user_id == user_id)).rowcount
        > 0
    )
    if at is not None:
        connection.execute(sa.insert(trusted_accounts).values(user_id=user_id, trusted_at=at))
    return had


def role_of(connection: sa.Connection, user_id: str) -> str | None:
    """None where there is no such account."""
    role: str | None = connection.scalar(sa.select(users.c.role).where(users.c.user_id == user_id))
    return role


def suspend(connection: sa.Connection, user_id: str, at: int | None) -> str | None:
    """Suspends a plain user's account, or lets it in again (None). Returns its role, None where there is none."""
    role = role_of(connection, user_id)
    if role == "user":
        connection.execute(sa.update(users).where(users.c.user_id == user_id).values(suspended_at=at))
    return role


def _line(row: sa.Row[Any]) -> AuditLine:
    values = dict(row._mapping)
    return AuditLine(
        **{name: values[name] for name in AuditLine.__struct_fields__ if name not in ("before", "after")},
        before=json.decode(row.before),
        after=json.decode(row.after),
    )

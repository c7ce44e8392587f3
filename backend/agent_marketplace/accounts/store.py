"""The SQL of accounts. Every statement on a user's rows names the user."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from agent_marketplace.accounts.principal import Role
from agent_marketplace.db.tables.accounts import (
    device_grants,
    invites,
    marketplace_keys,
    sessions,
    sign_up_marks,
    trusted_accounts,
    users,
)
from agent_marketplace.db.tables.mail import links as account_links
from agent_marketplace.errors import Forbidden

MAX_SESSIONS = 1_000  # of one user at a time


@dataclass(frozen=True, slots=True)
class UserRow:
    """One account; times in ms since the epoch."""

    user_id: str
    email: str
    role: Role
    tier: str
    tier_expires_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One signed-in session; times in ms since the epoch."""

    session_id: str
    user_id: str
    address_digest: str
    created_at: int
    expires_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One marketplace key without its digest; times in ms since the epoch, scopes separated by spaces."""

    key_id: str
    user_id: str
    name: str
    prefix: str
    scopes: str
    cap_nano: int | None
    cap_period: str | None
    time_zone: str | None
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    max_in_flight: int | None = None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One sign-in by device code; times in ms since the epoch. From `name` on: the key as it was approved."""

    device_digest: str
    user_digest: str
    client: str
    wanted: str
    address_digest: str
    state: str
    interval_s: int
    polled_at: int | None
    created_at: int
    expires_at: int
    user_id: str | None = None
    name: str | None = None
    scopes: str | None = None
    cap_nano: int | None = None
    cap_period: str | None = None
    time_zone: str | None = None
    expires_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link; times in ms since the epoch."""

    id: str
    user_id: str
    kind: str
    made_by: str
    created_at: int
    expires_at: int
    used_at: int | None


_USER = [users.c[name] for name in UserRow.__slots__]
_KEY = [marketplace_keys.c[name] for name in KeyRow.__slots__]


def add_user(connection: sa.Connection, row: UserRow, password_hash: str) -> None:
    """Raises IntegrityError if the address is taken."""
    values = {name: getattr(row, name) for name in row.__slots__}
    connection.execute(sa.insert(users).values(**values, password_hash=password_hash))


def user(connection: sa.Connection, user_id: str) -> UserRow | None:
    return _user(connection, users.c.user_id == user_id)


def user_by_email(connection: sa.Connection, email: str) -> UserRow | None:
    return _user(connection, users.c.email == email)


def all_users(connection: sa.Connection, limit: int) -> list[UserRow]:
    query = sa.select(*_USER).order_by(users.c.created_at, users.c.user_id).limit(limit)
    return [UserRow(**row._mapping) for row in connection.execute(query)]


def password_hash(connection: sa.Connection, user_id: str) -> str | None:
    return connection.scalar(sa.select(users.c.password_hash).where(users.c.user_id == user_id))


def credentials(
    connection: sa.Connection, email: str, address_digest: str, now: int
) -> tuple[UserRow | None, str | None, bool]:
    """(user, password hash, whether the account has had a session from this device in the last days)."""
    row = connection.execute(sa.select(*_USER, users.c.password_hash).where(users.c.email == email)).first()
    user_id = row.user_id if row else ""
    seen = sa.select(sa.literal(1)).where(
        sessions.c.user_id == user_id,
        sessions.c.address_digest == address_digest,
        sessions.c.expires_at > now,
    )
    known = connection.execute(seen.limit(1)).first() is not None
    if row is None:
        return None, None, known
    return UserRow(*row[:-1]), row.password_hash, known


def replace_password(connection: sa.Connection, user_id: str, old_hash: str | None, new_hash: str) -> bool:
    """False if the hash is no longer `old_hash` (None: whatever it is)."""
    where = [users.c.user_id == user_id] + (
        [users.c.password_hash == old_hash] if old_hash is not None else []
    )
    return connection.execute(sa.update(users).where(*where).values(password_hash=new_hash)).rowcount == 1


def set_tier(connection: sa.Connection, user_id: str, tier: str, expires_at: int | None) -> bool:
    done = connection.execute(
        sa.update(users).where(users.c.user_id == user_id).values(tier=tier, tier_expires_at=expires_at)
    )
    return done.rowcount == 1


def set_role(connection: sa.Connection, user_id: str, role: Role) -> bool:
    return (
        connection.execute(sa.update(users).where(users.c.user_id == user_id).values(role=role)).rowcount == 1
    )


def lock_user(connection: sa.Connection, user_id: str) -> None:
    """Makes parallel transactions on this account wait (SQLite's writers do anyway)."""
    connection.execute(sa.select(users.c.user_id).where(users.c.user_id == user_id).with_for_update())


def lock_mark(connection: sa.Connection, mark: str) -> None:
    """Makes parallel transactions on this mark wait."""
    connection.execute(sa.select(sign_up_marks.c.mark).where(sign_up_marks.c.mark == mark).with_for_update())


def others(connection: sa.Connection, user_id: str) -> tuple[int, int]:
    """(users, administrators) besides this one."""
    admins = sa.func.count().filter(users.c.role == "admin")
    row = connection.execute(sa.select(sa.func.count(), admins).where(users.c.user_id != user_id)).one()
    return row[0], row[1]


def mark_once(connection: sa.Connection, mark: str, user_id: str, now: int) -> bool:
    """True for the one caller that sets the mark first; a parallel transaction waits for the other's outcome."""
    done = connection.execute(
        sa.text(
            "INSERT INTO sign_up_marks (mark, user_id, at) VALUES (:mark, :user_id, :at) ON CONFLICT DO NOTHING"
        ),
        {"mark": mark, "user_id": user_id, "at": now},
    )
    return done.rowcount == 1


def clear_mark(connection: sa.Connection, mark: str) -> None:
    connection.execute(sa.delete(sign_up_marks).where(sign_up_marks.c.mark == mark))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    for table in (sessions, marketplace_keys, device_grants, trusted_accounts, users):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))
    connection.execute(sa.update(invites).where(invites.c.created_by == user_id).values(created_by=None))
    connection.execute(sa.update(invites).where(invites.c.used_by == user_id).values(used_by=None))


def add_session(connection: sa.Connection, row: SessionRow, now: int) -> None:
    """Also forgets the user's sessions that have ended by themselves, and the oldest beyond MAX_SESSIONS. Raises Forbidden
    (the account is suspended)."""
    suspended = sa.select(users.c.suspended_at).where(users.c.user_id == row.user_id)
    if connection.scalar(suspended) is not None:
        raise Forbidden("This account is suspended: ask the operator", code="account_suspended")
    mine = sessions.c.user_id == row.user_id
    newest_first = (sessions.c.created_at.desc(), sessions.c.session_id.desc())
    too_many = sa.select(sessions.c.session_id).where(mine).order_by(*newest_first).offset(MAX_SESSIONS - 1)
    connection.execute(sa.delete(sessions).where(mine, sessions.c.expires_at <= now))
    connection.execute(sa.delete(sessions).where(mine, sessions.c.session_id.in_(too_many)))
    connection.execute(sa.insert(sessions).values({name: getattr(row, name) for name in row.__slots__}))


def sessions_of(connection: sa.Connection, user_id: str, now: int) -> list[SessionRow]:
    table = sessions
    live = (table.c.user_id == user_id, table.c.revoked_at.is_(None), table.c.expires_at > now)
    query = sa.select(table).where(*live).order_by(table.c.created_at.desc(), table.c.session_id.desc())
    return [SessionRow(**row._mapping) for row in connection.execute(query)]


def revoke_session(connection: sa.Connection, user_id: str, session_id: str, now: int) -> bool:
    table = sessions
    mine = (table.c.user_id == user_id, table.c.session_id == session_id, table.c.revoked_at.is_(None))
    return connection.execute(sa.update(table).where(*mine).values(revoked_at=now)).rowcount == 1


def revoke_sessions(connection: sa.Connection, user_id: str, now: int, *, but: str | None = None) -> int:
    """How many were alive; `but` goes on."""
    table = sessions
    live = [table.c.user_id == user_id, table.c.revoked_at.is_(None), table.c.expires_at > now]
    if but is not None:
        live.append(table.c.session_id != but)
    return connection.execute(sa.update(table).where(*live).values(revoked_at=now)).rowcount


def session_user(connection: sa.Connection, user_id: str, session_id: str, now: int) -> UserRow | None:
    """The user, if this session is theirs and alive."""
    alive = (
        sessions.c.session_id == session_id,
        sessions.c.user_id == user_id,
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > now,
        users.c.suspended_at.is_(None),
    )
    row = connection.execute(
        sa.select(*_USER).join(sessions, sessions.c.user_id == users.c.user_id).where(*alive)
    ).first()
    return UserRow(*row) if row else None


def add_key(connection: sa.Connection, row: KeyRow, digest: str) -> None:
    values = {name: getattr(row, name) for name in row.__slots__}
    connection.execute(sa.insert(marketplace_keys).values(**values, digest=digest))


def keys_of(connection: sa.Connection, user_id: str) -> list[KeyRow]:
    table = marketplace_keys
    query = sa.select(*_KEY).where(table.c.user_id == user_id, table.c.revoked_at.is_(None))
    return [
        KeyRow(*row)
        for row in connection.execute(query.order_by(table.c.created_at.desc(), table.c.key_id.desc()))
    ]


def revoke_key(connection: sa.Connection, user_id: str, key_id: str, now: int) -> bool:
    table = marketplace_keys
    mine = (table.c.user_id == user_id, table.c.key_id == key_id, table.c.revoked_at.is_(None))
    return connection.execute(sa.update(table).where(*mine).values(revoked_at=now)).rowcount == 1


def key_user(connection: sa.Connection, digest: str, now: int) -> tuple[UserRow, KeyRow, str] | None:
    """(owner, key, stored digest) of a key that is alive."""
    table = marketplace_keys
    alive = (
        table.c.digest == digest,
        table.c.revoked_at.is_(None),
        sa.or_(table.c.expires_at.is_(None), table.c.expires_at > now),
        users.c.suspended_at.is_(None),
    )
    query = sa.select(*_USER, *_KEY, table.c.digest).select_from(
        table.join(users, users.c.user_id == table.c.user_id)
    )
    row = connection.execute(query.where(*alive)).first()
    if row is None:
        return None
    width = len(_USER)
    return UserRow(*row[:width]), KeyRow(*row[width:-1]), row[-1]


def touch_key(connection: sa.Connection, key_id: str, now: int) -> None:
    table = marketplace_keys
    connection.execute(sa.update(table).where(table.c.key_id == key_id).values(last_used_at=now))


def add_invite(
    connection: sa.Connection, digest: str, created_by: str | None, now: int, expires_at: int
) -> None:
    connection.execute(
        sa.insert(invites).values(digest=digest, created_by=created_by, created_at=now, expires_at=expires_at)
    )


def use_invite(connection: sa.Connection, digest: str, user_id: str, now: int) -> bool:
    """True once per invite."""
    unused = (
        invites.c.digest == digest,
        invites.c.used_by.is_(None),
        invites.c.used_at.is_(None),
        invites.c.expires_at > now,
    )
    return (
        connection.execute(sa.update(invites).where(*unused).values(used_by=user_id, used_at=now)).rowcount
        == 1
    )


def add_grant(connection: sa.Connection, row: GrantRow) -> None:
    connection.execute(sa.insert(device_grants).values({name: getattr(row, name) for name in row.__slots__}))


def grants_alive(connection: sa.Connection, now: int) -> int:
    return (
        connection.scalar(
            sa.select(sa.func.count()).select_from(device_grants).where(device_grants.c.expires_at > now)
        )
        or 0
    )


def grant_by_device(connection: sa.Connection, digest: str) -> GrantRow | None:
    return _grant(connection, device_grants.c.device_digest == digest)


def grant_by_user_code(connection: sa.Connection, digest: str, now: int) -> GrantRow | None:
    """One that waits for an answer."""
    table = device_grants
    return _grant(
        connection, table.c.user_digest == digest, table.c.state == "pending", table.c.expires_at > now
    )


def set_grant(connection: sa.Connection, device_digest: str, before: str, **values: Any) -> bool:
    """False if its state is no longer `before`."""
    table = device_grants
    where = (table.c.device_digest == device_digest, table.c.state == before)
    return connection.execute(sa.update(table).where(*where).values(**values)).rowcount == 1


def forget_grants(connection: sa.Connection, before: int) -> None:
    """Those that expired before that moment."""
    connection.execute(sa.delete(device_grants).where(device_grants.c.expires_at < before))


def drop_grants_of(connection: sa.Connection, user_id: str) -> None:
    """A user's approvals that no program has fetched yet."""
    table = device_grants
    connection.execute(sa.delete(table).where(table.c.user_id == user_id, table.c.state == "approved"))


def add_link(connection: sa.Connection, row: LinkRow) -> None:
    """A new one."""
    connection.execute(sa.insert(account_links).values({name: getattr(row, name) for name in row.__slots__}))


def link(connection: sa.Connection, link_id: str) -> LinkRow | None:
    """One of them."""
    found = connection.execute(sa.select(account_links).where(account_links.c.id == link_id)).one_or_none()
    return None if found is None else LinkRow(**found._mapping)


def links_of(connection: sa.Connection, user_id: str, kind: str) -> list[LinkRow]:
    """All of one kind."""
    query = sa.select(account_links).where(account_links.c.user_id == user_id, account_links.c.kind == kind)
    return [LinkRow(**found._mapping) for found in connection.execute(query)]


def use_link(connection: sa.Connection, link_id: str, now: int) -> bool:
    """True for the one caller that uses it."""
    where = (account_links.c.id == link_id, account_links.c.used_at.is_(None))
    return connection.execute(sa.update(account_links).where(*where).values(used_at=now)).rowcount == 1


def end_links(connection: sa.Connection, user_id: str, kind: str, now: int) -> None:
    """Those that could still be used can't be any more."""
    where = (
        account_links.c.user_id == user_id,
        account_links.c.kind == kind,
        account_links.c.used_at.is_(None),
    )
    connection.execute(
        sa.update(account_links).where(*where, account_links.c.expires_at > now).values(expires_at=now)
    )


def _grant(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> GrantRow | None:
    row = connection.execute(sa.select(device_grants).where(*where)).first()
    return GrantRow(**row._mapping) if row else None


def _user(connection: sa.Connection, where: sa.ColumnElement[bool]) -> UserRow | None:
    row: Any = connection.execute(sa.select(*_USER).where(where)).first()
    return UserRow(*row) if row else None

"""The vault's SQL. Every statement on a user's rows names the user."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.ledger import accounts
from agent_marketplace.db.tables.operations import secret_checks as checks
from agent_marketplace.db.tables.vault import vault_secrets, vault_user_keys

TABLES: tuple[sa.Table, ...] = (vault_secrets, vault_user_keys)


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One stored provider key; times in ms since the epoch."""

    row_id: str
    user_id: str
    provider: str
    version: int
    key_id: str
    sealed: str
    masked: str
    status: str
    created_at: int
    last_tested_at: int | None


@dataclass(frozen=True, slots=True)
class UserKeyRow:
    """One wrapped data key of a user."""

    row_id: str
    user_id: str
    version: int
    key_id: str
    sealed: str
    created_at: int


@dataclass(frozen=True, slots=True)
class WrappedRow:
    """What a re-wrap needs of a row of either table. purpose: the provider, or `text` for a user's data key."""

    row_id: str
    user_id: str
    purpose: str
    version: int
    sealed: str


def secrets_of(connection: sa.Connection, user_id: str) -> list[SecretRow]:
    rows = connection.execute(
        sa.select(vault_secrets).where(vault_secrets.c.user_id == user_id).order_by(vault_secrets.c.provider)
    )
    return [SecretRow(**row._mapping) for row in rows]


def replace_secret(connection: sa.Connection, row: SecretRow) -> None:
    """Puts the row in the place of the user's earlier key for this provider."""
    delete_secret(connection, row.user_id, row.provider)
    connection.execute(sa.insert(vault_secrets).values(_values(row)))


def delete_secret(connection: sa.Connection, user_id: str, provider: str) -> bool:
    table = vault_secrets
    done = connection.execute(
        sa.delete(table).where(table.c.user_id == user_id, table.c.provider == provider)
    )
    return done.rowcount > 0


def set_status(connection: sa.Connection, user_id: str, provider: str, status: str, at: int) -> bool:
    table = vault_secrets
    done = connection.execute(
        sa.update(table)
        .where(table.c.user_id == user_id, table.c.provider == provider)
        .values(status=status, last_tested_at=at)
    )
    return done.rowcount > 0


def user_keys(connection: sa.Connection, user_id: str) -> list[UserKeyRow]:
    """Newest last."""
    table = vault_user_keys
    rows = connection.execute(sa.select(table).where(table.c.user_id == user_id).order_by(table.c.version))
    return [UserKeyRow(**row._mapping) for row in rows]


def insert_user_key(connection: sa.Connection, row: UserKeyRow) -> None:
    """Raises IntegrityError if another process made this version first."""
    connection.execute(sa.insert(vault_user_keys).values(_values(row)))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    for table in TABLES:
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))


def not_under(
    connection: sa.Connection, table: sa.Table, key_id: str, after: str, limit: int
) -> list[WrappedRow]:
    """Rows wrapped by another key than `key_id`, by row id, from `after` on."""
    purpose = table.c.provider if "provider" in table.c else sa.literal("text")
    columns = (table.c.row_id, table.c.user_id, purpose.label("purpose"), table.c.version, table.c.sealed)
    query = sa.select(*columns).where(table.c.key_id != key_id, table.c.row_id > after)
    rows = connection.execute(query.order_by(table.c.row_id).limit(limit))
    return [WrappedRow(**row._mapping) for row in rows]


def swap_wrapping(
    connection: sa.Connection, table: sa.Table, row: WrappedRow, sealed: str, key_id: str
) -> bool:
    """Stores a re-wrapped envelope unless the row changed meanwhile."""
    done = connection.execute(
        sa.update(table)
        .where(table.c.row_id == row.row_id, table.c.sealed == row.sealed)
        .values(sealed=sealed, key_id=key_id)
    )
    return done.rowcount == 1


def counts_by_key(connection: sa.Connection) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table in TABLES:
        for key_id, rows in connection.execute(
            sa.select(table.c.key_id, sa.func.count()).group_by(table.c.key_id)
        ):
            counts[key_id] = counts.get(key_id, 0) + rows
    return counts


def _values(row: SecretRow | UserKeyRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def secret_checks(connection: sa.Connection) -> dict[str, str]:
    """{name of a secret: its check value}."""
    rows = connection.execute(sa.select(checks.c.name, checks.c.value))
    return {row.name: row.value for row in rows}


def keep_secret_check(connection: sa.Connection, name: str, value: str, now_ms: int) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(checks).values(name=name, value=value, made_at=now_ms)
    changed = {"value": value, "made_at": now_ms}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


def has_users(connection: sa.Connection) -> bool:
    """Whether anybody ever had an account here."""
    return connection.execute(sa.select(accounts.c.id).limit(1)).first() is not None

"""The SQL of alerts."""

from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.alerts.rules import State
from agent_marketplace.db.tables.alerts import notices, rules, targets

_LOCK = 7_202_611_220_011  # PostgreSQL: one node looks at a time


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where alerts are told: see `db.tables.alerts`."""

    id: str
    kind: str
    shown: str
    address_sealed: bytes
    failures: int = 0
    words: str = ""
    disabled_at: int | None = None
    created_at: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is on its way to a target."""

    id: str
    target_id: str
    body: str
    attempts: int
    due_at: int


def lock(connection: sa.Connection) -> None:
    """Looks and acts wait for each other."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def states(connection: sa.Connection) -> dict[str, State]:
    """All rules that were looked at or set."""
    return {row.name: State(**row._mapping) for row in connection.execute(sa.select(rules))}


def put_state(connection: sa.Connection, state: State) -> None:
    """Replaces a rule's row."""
    connection.execute(sa.delete(rules).where(rules.c.name == state.name))
    values = {name: getattr(state, name) for name in State.__struct_fields__}
    connection.execute(sa.insert(rules).values(values))


def all_targets(connection: sa.Connection) -> list[Target]:
    """Oldest first."""
    return [Target(**row._mapping) for row in connection.execute(sa.select(targets).order_by(targets.c.id))]


def target(connection: sa.Connection, target_id: str) -> Target | None:
    """One of them."""
    row = connection.execute(sa.select(targets).where(targets.c.id == target_id)).one_or_none()
    return None if row is None else Target(**row._mapping)


def add_target(connection: sa.Connection, made: Target) -> None:
    """A new one."""
    values = {name: getattr(made, name) for name in Target.__struct_fields__}
    connection.execute(sa.insert(targets).values(values))


def change_target(connection: sa.Connection, target_id: str, values: dict[str, Any]) -> None:
    """Writes some columns."""
    connection.execute(sa.update(targets).where(targets.c.id == target_id).values(values))


def remove_target(connection: sa.Connection, target_id: str) -> None:
    """With what is on its way to it."""
    connection.execute(sa.delete(targets).where(targets.c.id == target_id))
    drop_notices(connection, target_id)


def add_notice(connection: sa.Connection, made: Notice) -> None:
    """Something to tell."""
    values = {name: getattr(made, name) for name in Notice.__struct_fields__}
    connection.execute(sa.insert(notices).values(values))


def claim_notice(connection: sa.Connection, now: int, lease_until: int) -> tuple[Notice, Target] | None:
    """What is due becomes the caller's until then; None = nothing is."""
    due = sa.select(notices).where(notices.c.due_at <= now).order_by(notices.c.due_at).limit(1)
    row = connection.execute(due.with_for_update(skip_locked=True)).one_or_none()
    if row is None or (found := target(connection, row.target_id)) is None:
        return None
    taken = {"due_at": lease_until, "attempts": row.attempts + 1}
    connection.execute(sa.update(notices).where(notices.c.id == row.id).values(taken))
    return Notice(**(dict(row._mapping) | taken)), found


def delay_notice(connection: sa.Connection, notice_id: str, due_at: int) -> None:
    """It is tried again then."""
    connection.execute(sa.update(notices).where(notices.c.id == notice_id).values(due_at=due_at))


def end_notice(connection: sa.Connection, notice_id: str) -> None:
    """It was told."""
    connection.execute(sa.delete(notices).where(notices.c.id == notice_id))


def drop_notices(connection: sa.Connection, target_id: str) -> None:
    """Nothing is on its way to this target any more."""
    connection.execute(sa.delete(notices).where(notices.c.target_id == target_id))

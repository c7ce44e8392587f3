"""The SQL of outcomes. No column of these tables holds what a user wrote or an agent answered."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.listings import agent_outcomes as t


def begin(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A run has begun; once."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(t).values(values).on_conflict_do_nothing())


def locked(connection: sa.Connection, run_id: str) -> sa.Row[Any] | None:
    """A run's row, locked until the transaction ends."""
    return connection.execute(sa.select(t).where(t.c.run_id == run_id).with_for_update()).one_or_none()


def change(connection: sa.Connection, run_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(t).where(t.c.run_id == run_id).values(**values))

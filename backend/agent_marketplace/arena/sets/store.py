"""The SQL of evaluations."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.evaluations import evaluation_items as i
from agent_marketplace.db.tables.evaluations import evaluation_results as r
from agent_marketplace.db.tables.evaluations import evaluations as t

Row = sa.Row[Any]


def count(connection: sa.Connection, user_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(t).where(t.c.user_id == user_id)
    return int(connection.execute(query).scalar_one())


def add(connection: sa.Connection, head: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(sa.insert(t).values(**head))
    connection.execute(sa.insert(i), [dict(item) for item in items])


def head(connection: sa.Connection, user_id: str, evaluation_id: str) -> Row | None:
    query = sa.select(t).where(t.c.evaluation_id == evaluation_id, t.c.user_id == user_id)
    return connection.execute(query).one_or_none()


def heads(connection: sa.Connection, user_id: str) -> Sequence[Row]:
    """Newest first."""
    query = sa.select(t).where(t.c.user_id == user_id).order_by(t.c.created_at.desc(), t.c.evaluation_id)
    return connection.execute(query).all()


def items(connection: sa.Connection, evaluation_id: str, after: int, upto: int) -> Sequence[Row]:
    """Items after number `after`, up to number `upto`, in order."""
    query = sa.select(i).where(i.c.evaluation_id == evaluation_id, i.c.n > after, i.c.n <= upto)
    return connection.execute(query.order_by(i.c.n)).all()


def results(connection: sa.Connection, evaluation_id: str, after: int, upto: int) -> Sequence[Row]:
    """Results of the items after number `after`, up to number `upto`, in order."""
    query = sa.select(r).where(r.c.evaluation_id == evaluation_id, r.c.n > after, r.c.n <= upto)
    return connection.execute(query.order_by(r.c.n, r.c.place)).all()


def had(connection: sa.Connection, evaluation_id: str) -> frozenset[tuple[int, int]]:
    """(number of the item, place of the model) of every result."""
    query = sa.select(r.c.n, r.c.place).where(r.c.evaluation_id == evaluation_id)
    return frozenset((row.n, row.place) for row in connection.execute(query))


def sums(connection: sa.Connection, evaluation_id: str) -> dict[int, tuple[int, int, int]]:
    """Place of a model -> (answers, failed ones, nano-dollars)."""
    failed = sa.func.sum(sa.case((r.c.status == "ok", 0), else_=1))
    query = sa.select(r.c.place, sa.func.count(), failed, sa.func.sum(r.c.cost_nano))
    rows = connection.execute(query.where(r.c.evaluation_id == evaluation_id).group_by(r.c.place))
    return {place: (int(answers), int(bad), int(nano)) for place, answers, bad, nano in rows}


def add_results(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(r), [dict(row) for row in rows])


def change_running(
    connection: sa.Connection, user_id: str, evaluation_id: str, values: Mapping[str, Any]
) -> bool:
    """Returns whether it was running."""
    running = (t.c.evaluation_id == evaluation_id, t.c.user_id == user_id, t.c.state == "running")
    return connection.execute(sa.update(t).where(*running).values(**values)).rowcount == 1


def restart(
    connection: sa.Connection, user_id: str, evaluation_id: str, before: int, values: Mapping[str, Any]
) -> bool:
    """Changes one that does not run, or that nobody has worked on since `before` (ms). Returns whether it was such."""
    still = sa.or_(t.c.state != "running", t.c.beat_at < before)
    mine = (t.c.evaluation_id == evaluation_id, t.c.user_id == user_id, still)
    return connection.execute(sa.update(t).where(*mine).values(**values)).rowcount == 1


def delete(connection: sa.Connection, evaluation_id: str) -> None:
    for table in (t, i, r):
        connection.execute(sa.delete(table).where(table.c.evaluation_id == evaluation_id))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    for table in (t, i, r):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))

"""The SQL of comparisons. Usage rows are read from the ledger's table, never written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from agent_marketplace.arena.ballots import Ballot, Shown
from agent_marketplace.arena.types import WAITS_MS
from agent_marketplace.db.tables.arena import comparison_answers as answers
from agent_marketplace.db.tables.arena import comparisons as t
from agent_marketplace.db.tables.ledger import usage_records

Row = sa.Row[Any]


def add(connection: sa.Connection, head: Mapping[str, Any], sides: Iterable[Mapping[str, Any]]) -> None:
    """A comparison with its answers."""
    connection.execute(sa.insert(t).values(**head))
    connection.execute(sa.insert(answers), [dict(side) for side in sides])


def head(connection: sa.Connection, user_id: str, comparison_id: str, *, lock: bool = False) -> Row | None:
    """lock: nobody votes, reveals or changes an answer before the transaction ends."""
    query = sa.select(t).where(t.c.comparison_id == comparison_id, t.c.user_id == user_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def heads(
    connection: sa.Connection, user_id: str, before: Sequence[int | str] | None, limit: int
) -> list[Row]:
    """Newest first. before: (created_at, id) of the last one shown."""
    query = sa.select(t).where(t.c.user_id == user_id)
    if before is not None:
        query = query.where(sa.tuple_(t.c.created_at, t.c.comparison_id) < sa.tuple_(*before))
    order = (t.c.created_at.desc(), t.c.comparison_id.desc())
    return list(connection.execute(query.order_by(*order).limit(limit)))


def sides(connection: sa.Connection, comparison_ids: Sequence[str]) -> dict[str, list[Row]]:
    """Answers by comparison, in the order of their sides."""
    query = sa.select(answers).where(answers.c.comparison_id.in_(comparison_ids)).order_by(answers.c.side)
    found: dict[str, list[Row]] = {}
    for row in connection.execute(query):
        found.setdefault(row.comparison_id, []).append(row)
    return found


def change(connection: sa.Connection, comparison_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(t).where(t.c.comparison_id == comparison_id).values(**values))


def keep_costs(connection: sa.Connection, comparison_id: str) -> None:
    """Notes what the answers cost: their usage rows may move to the archive."""
    u = usage_records.c
    for into, of in ((answers.c.charge_nano, u.charge_nano), (answers.c.list_cost_nano, u.list_cost_nano)):
        cost = sa.select(of).where(u.request_id == answers.c.request_id).scalar_subquery()
        mine = answers.c.comparison_id == comparison_id
        connection.execute(sa.update(answers).where(mine).values({into: cost}))


def change_side(
    connection: sa.Connection, comparison_id: str, side: str, run_id: str, values: Mapping[str, Any]
) -> bool:
    """Changes a side while this run is its own. Returns whether it was."""
    mine = (answers.c.comparison_id == comparison_id, answers.c.side == side, answers.c.run_id == run_id)
    return connection.execute(sa.update(answers).where(*mine).values(**values)).rowcount == 1


def delete(connection: sa.Connection, user_id: str, comparison_id: str) -> bool:
    mine = sa.delete(t).where(t.c.comparison_id == comparison_id, t.c.user_id == user_id)
    if connection.execute(mine).rowcount == 0:
        return False
    connection.execute(sa.delete(answers).where(answers.c.comparison_id == comparison_id))
    return True


def erase_user(connection: sa.Connection, user_id: str) -> None:
    for table in (t, answers):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))


def stored(connection: sa.Connection, user_id: str) -> int:
    """Bytes that a user's comparisons take."""
    asked = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(t.c.prompt_sealed)), 0)).where(
        t.c.user_id == user_id
    )
    said = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(answers.c.content_sealed)), 0)).where(
        answers.c.user_id == user_id
    )
    return int(connection.execute(asked).scalar_one()) + int(connection.execute(said).scalar_one())


def lost(connection: sa.Connection, request_ids: Sequence[str]) -> frozenset[str]:
    """Those of these requests that ended together with the process that worked on them."""
    u = usage_records.c
    query = sa.select(u.request_id).where(u.request_id.in_(request_ids), u.status == "lost")
    return frozenset(row[0] for row in connection.execute(query))


def veiled(connection: sa.Connection, user_id: str, now: int) -> frozenset[str]:
    """Requests whose model is not to be told yet."""
    query = (
        sa.select(answers.c.request_id)
        .join(t, t.c.comparison_id == answers.c.comparison_id)
        .where(
            t.c.user_id == user_id,
            t.c.created_at > now - WAITS_MS,
            t.c.blind.is_(sa.true()),
            t.c.revealed_at.is_(None),
        )
    )
    return frozenset(row[0] for row in connection.execute(query))


def ballots(connection: sa.Connection, since: int) -> list[Ballot]:
    """Blind votes since `since` (ms), oldest first, with their whole answers; none where an answer told whose it is.

    What an archived answer cost is what was kept at the vote.
    """
    u = usage_records.c
    charge = sa.func.coalesce(u.charge_nano, answers.c.charge_nano).label("charge_nano")
    list_cost = sa.func.coalesce(u.list_cost_nano, answers.c.list_cost_nano).label("list_cost_nano")
    query = (
        sa.select(
            t.c.comparison_id, t.c.user_id, t.c.voted_at, t.c.task, t.c.vote, answers.c.side, answers.c.model, answers.c.asked,
            answers.c.characters, charge, list_cost,
        )
        .join(answers, answers.c.comparison_id == t.c.comparison_id)
        .outerjoin(usage_records, u.request_id == answers.c.request_id)
        .where(
            t.c.voted_at >= since,
            t.c.blind.is_(sa.true()),
            t.c.named.is_(sa.false()),
            answers.c.status == "ok",
            answers.c.characters > 0,
            charge.is_not(None),
        )
        .order_by(t.c.voted_at, t.c.comparison_id, answers.c.side)
    )  # fmt: skip
    found: dict[str, tuple[Any, list[Shown]]] = {}
    for row in connection.execute(query):
        shown = Shown(
            side=row.side, model=row.model, by_name=row.asked == row.model, charge_nano=row.charge_nano,
            list_nano=row.list_cost_nano, characters=row.characters,
        )  # fmt: skip
        found.setdefault(row.comparison_id, (row, []))[1].append(shown)
    return [
        Ballot(user_id=row.user_id, at=row.voted_at, task=row.task, vote=row.vote, answers=tuple(shown))
        for row, shown in found.values()
    ]

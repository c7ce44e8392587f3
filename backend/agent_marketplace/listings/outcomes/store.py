"""The SQL of outcomes. No column of these tables holds what a user asked or an agent answered."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.earnings import fees
from agent_marketplace.db.tables.ledger import accounts, lots
from agent_marketplace.db.tables.listings import agent_outcomes as t
from agent_marketplace.db.tables.listings import agent_ratings as ratings
from agent_marketplace.db.tables.listings import agent_reports as reports
from agent_marketplace.db.tables.listings import offered_agents as agents
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.ledger.postings import user_account
from agent_marketplace.listings.outcomes.types import Report, Review
from agent_marketplace.listings.store import kin_of


def begin(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A run has begun; once."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(t).values(values).on_conflict_do_nothing())


def locked(connection: sa.Connection, run_id: str) -> sa.Row[Any] | None:
    """A run's row, locked until the transaction ends."""
    return connection.execute(sa.select(t).where(t.c.run_id == run_id).with_for_update()).one_or_none()


def change(connection: sa.Connection, run_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(t).where(t.c.run_id == run_id).values(**values))


def recent(connection: sa.Connection, agent_id: str, since: int, limit: int) -> list[sa.Row[Any]]:
    """(delivered, cost, took_ms) of the last ended runs by others, the newest first."""
    cost = (t.c.model_nano + t.c.fee_nano).label("cost")
    query = (
        sa.select(t.c.delivered, cost, t.c.took_ms)
        .where(t.c.agent_id == agent_id, t.c.own == 0, t.c.ended_at >= since)
        .order_by(t.c.ended_at.desc())
        .limit(limit)
    )
    return list(connection.execute(query))


def by_day(connection: sa.Connection, agent_id: str, since: int, users: int) -> dict[int, tuple[int, int]]:
    """{days since the epoch (UTC): (runs by others, delivered ones)} of days on which so many users ran it."""
    day = (t.c.ended_at // DAY_MS).label("day")
    query = (
        sa.select(day, sa.func.count(), sa.func.sum(t.c.delivered))
        .where(t.c.agent_id == agent_id, t.c.own == 0, t.c.ended_at >= since)
        .group_by(day)
        .having(sa.func.count(sa.distinct(t.c.payer_id)) >= users)
        .order_by(day)
    )
    return {int(number): (int(runs), int(good)) for number, runs, good in connection.execute(query)}


def errors(connection: sa.Connection, agent_id: str, since: int, users: int) -> dict[str, int]:
    """{class of error: runs by others that ended so}; classes that fewer users met are `other`."""
    query = (
        sa.select(t.c.error_class, sa.func.count(), sa.func.count(sa.distinct(t.c.payer_id)))
        .where(t.c.agent_id == agent_id, t.c.own == 0, t.c.delivered == 0, t.c.ended_at >= since)
        .group_by(t.c.error_class)
        .order_by(t.c.error_class)
    )
    found: dict[str, int] = {}
    for name, runs, met in connection.execute(query):
        shown = (name or "unknown") if met >= users else "other"
        found[shown] = found.get(shown, 0) + int(runs)
    return found


def costs(connection: sa.Connection, agent_id: str, version: int, limit: int) -> list[int]:
    """What the last delivered runs of a version by others cost in all."""
    query = (
        sa.select((t.c.model_nano + t.c.fee_nano).label("cost"))
        .where(t.c.agent_id == agent_id, t.c.version == version, t.c.own == 0, t.c.delivered == 1)
        .where(t.c.ended_at.is_not(None))
        .order_by(t.c.ended_at.desc())
        .limit(limit)
    )
    return [int(row.cost) for row in connection.execute(query)]


def sums(
    connection: sa.Connection, since: int, agent_ids: Sequence[str] | None = None
) -> dict[str, sa.Row[Any]]:
    """{agent: (runs, delivered, payers)} of ended runs by others since then."""
    query = (
        sa.select(
            t.c.agent_id,
            sa.func.count().label("runs"),
            sa.func.sum(t.c.delivered).label("delivered"),
            sa.func.count(sa.distinct(t.c.payer_id)).label("payers"),
        )
        .where(t.c.own == 0, t.c.ended_at >= since)
        .group_by(t.c.agent_id)
    )
    if agent_ids is not None:
        query = query.where(t.c.agent_id.in_(agent_ids))
    return {row.agent_id: row for row in connection.execute(query)}


def refunds(connection: sa.Connection, agent_id: str, since: int) -> tuple[int, int, int]:
    """(fees, refunded fees, the author's part of those that were not refunded) since then."""
    given_back = sa.case((fees.c.refunded_at.is_not(None), 1), else_=0)
    kept = sa.case((fees.c.refunded_at.is_(None), fees.c.author_nano), else_=0)
    query = (
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(given_back), 0),
            sa.func.coalesce(sa.func.sum(kept), 0),
        )
        .select_from(fees)
        .join(t, t.c.run_id == fees.c.fee_id)
        .where(t.c.agent_id == agent_id, fees.c.at >= since)
    )
    count, back, kept_nano = connection.execute(query).one()
    return int(count), int(back), int(kept_nano)


def stars(connection: sa.Connection, agent_ids: Sequence[str] | None = None) -> dict[str, list[int]]:
    """{agent: the stars that it was given, but for those of runs that were refunded}."""
    query = _standing(sa.select(ratings.c.agent_id, ratings.c.stars)).order_by(
        ratings.c.agent_id, ratings.c.at
    )
    if agent_ids is not None:
        query = query.where(ratings.c.agent_id.in_(agent_ids))
    found: dict[str, list[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.agent_id, []).append(row.stars)
    return found


def reviews(connection: sa.Connection, agent_id: str, limit: int) -> list[Review]:
    """Ratings with words, newest first, without names."""
    r = ratings.c
    query = _standing(sa.select(r.stars, r.words, r.version, r.at)).where(
        r.agent_id == agent_id, r.words != ""
    )
    return [Review(**row._mapping) for row in connection.execute(query.order_by(r.at.desc()).limit(limit))]


def rate(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """One rating a user and agent: the last counts."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    changed = {name: value for name, value in values.items() if name not in ("agent_id", "user_id")}
    statement = insert(ratings).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["agent_id", "user_id"], set_=changed))


def refunded(connection: sa.Connection, run_id: str) -> bool:
    """Whether a run's fee was given back."""
    query = sa.select(fees.c.refunded_at).where(fees.c.fee_id == run_id)
    return connection.execute(query).scalar_one_or_none() is not None


def has_paid(connection: sa.Connection, user_id: str) -> bool:
    """Whether this user ever gave money for credit here."""
    came_in = ("order", "transfer", "grant", "code", "opening")
    query = (
        sa.select(lots.c.seq)
        .join(accounts, accounts.c.id == lots.c.account_id)
        .where(accounts.c.name == user_account(user_id), lots.c.paid == 1, lots.c.source.in_(came_in))
    )
    return connection.execute(query.limit(1)).first() is not None


def report(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new report, unless this user has one open about this agent."""
    r = reports.c
    same = sa.select(r.report_id).where(
        r.agent_id == values["agent_id"], r.user_id == values["user_id"], r.closed_at.is_(None)
    )
    if connection.execute(same).first() is None:
        connection.execute(sa.insert(reports).values(values))


def open_reports(connection: sa.Connection, limit: int) -> list[Report]:
    """Reports that wait, oldest first."""
    columns = [reports.c[name] for name in Report.__struct_fields__]
    query = sa.select(*columns).where(reports.c.closed_at.is_(None)).order_by(reports.c.at).limit(limit)
    return [Report(**row._mapping) for row in connection.execute(query)]


def close_report(connection: sa.Connection, report_id: str, now: int) -> bool:
    """False: no such open report."""
    r = reports.c
    statement = (
        sa.update(reports).where(r.report_id == report_id, r.closed_at.is_(None)).values(closed_at=now)
    )
    return connection.execute(statement).rowcount == 1


def erase_user(connection: sa.Connection, user_id: str) -> None:
    """What a user said of agents."""
    for table in (ratings, reports):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))


def _standing(query: sa.Select[Any]) -> sa.Select[Any]:
    """Of ratings, without those of runs whose fee was given back, and of accounts that pay with what the author pays with."""
    kin = kin_of(ratings.c.user_id, agents.c.user_id)
    joined = query.outerjoin(fees, fees.c.fee_id == ratings.c.run_id)
    return joined.join(agents, agents.c.agent_id == ratings.c.agent_id).where(
        fees.c.refunded_at.is_(None), ~kin
    )

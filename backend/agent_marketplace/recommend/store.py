"""The SQL of learning: answer signals are ours; usage, money and stars are read from their owners' tables, never written."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.catalog import ratings
from agent_marketplace.db.tables.ledger import accounts, transactions, usage_records
from agent_marketplace.db.tables.recommend import answer_signals
from agent_marketplace.recommend.calibration import Noted
from agent_marketplace.recommend.learning import SIGNALS, Vote

_DELIVERED = ("ok", "partial")
_THUMBS = ("thumb_up", "thumb_down")
OUTPUT_ROWS = 50_000
ESTIMATE_ROWS = 10_000
CALLS_PER_USER = 20
"""Calls of one user that count for a trend in one period: a flood by one account is no trend."""


def model_of(connection: sa.Connection, user_id: str, request_id: str) -> str | None:
    """The model that answered this user's request, or None if it isn't theirs."""
    query = sa.select(usage_records.c.model).where(
        usage_records.c.request_id == request_id, usage_records.c.user_id == user_id
    )
    return connection.execute(query).scalar()


def put_signal(
    connection: sa.Connection, user_id: str, request_id: str, model: str, kind: str, now: int
) -> None:
    """Notes a signal once per answer and kind; a thumb replaces the opposite thumb."""
    if kind in _THUMBS:
        clear_thumbs(connection, user_id, request_id)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"request_id": request_id, "kind": kind, "user_id": user_id, "model": model, "at": now}
    connection.execute(insert(answer_signals).values(values).on_conflict_do_nothing())


def clear_thumbs(connection: sa.Connection, user_id: str, request_id: str) -> None:
    table = answer_signals
    mine = (table.c.request_id == request_id, table.c.user_id == user_id, table.c.kind.in_(_THUMBS))
    connection.execute(sa.delete(table).where(*mine))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    connection.execute(sa.delete(answer_signals).where(answer_signals.c.user_id == user_id))


def votes(connection: sa.Connection, since: int) -> list[Vote]:
    """Stars and signals since `since` (ms), each with what its user paid for the model out of money that is no sign-up credit."""
    paid = _paid(connection)
    stars = connection.execute(
        sa.select(ratings.c.user_id, ratings.c.model_id, ratings.c.stars, ratings.c.updated_at).where(
            ratings.c.updated_at >= since
        )
    )
    table = answer_signals
    signals = connection.execute(
        sa.select(table.c.user_id, table.c.model, table.c.kind, table.c.at).where(table.c.at >= since)
    )
    found = [
        Vote(
            user_id=user,
            model=model,
            kind="stars",
            stars=float(value),
            at=at,
            paid_nano=paid.get((user, model), 0),
        )
        for user, model, value, at in stars
    ]
    found += [
        Vote(
            user_id=user,
            model=model,
            kind=kind,
            stars=SIGNALS[kind],
            at=at,
            paid_nano=paid.get((user, model), 0),
        )
        for user, model, kind, at in signals
        if kind in SIGNALS
    ]
    return found


class _Detail(msgspec.Struct, frozen=True):
    """What is read of a receipt's detail."""

    estimate: Noted | None = None
    credential: str | None = None


def estimates(connection: sa.Connection, user_id: str, since: int) -> list[tuple[Noted, int]]:
    """Estimate and charge (nano) of a user's whole answers since `since` (ms), the newest 10,000; own keys left out."""
    table = usage_records
    query = (
        sa.select(table.c.detail, table.c.charge_nano)
        .where(table.c.user_id == user_id, table.c.created_at >= since, table.c.status == "ok")
        .order_by(table.c.created_at.desc())
        .limit(ESTIMATE_ROWS)
    )
    decoder = msgspec.json.Decoder(_Detail)
    read = [(decoder.decode(detail), charge) for detail, charge in connection.execute(query)]
    return [(d.estimate, charge) for d, charge in read if d.estimate is not None and d.credential != "byok"]


def _paid(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """(user, model) -> nano-dollars spent on it, scaled down where more was spent than ever paid in (sign-up credit)."""
    table = usage_records
    query = sa.select(table.c.user_id, table.c.model, sa.func.sum(table.c.charge_nano)).where(
        table.c.charge_nano > 0
    )
    spent = [
        (user, model, int(nano))
        for user, model, nano in connection.execute(query.group_by(table.c.user_id, table.c.model))
    ]
    totals: dict[str, int] = {}
    for user, _, nano in spent:
        totals[user] = totals.get(user, 0) + nano
    incoming = (transactions.c.amount_nano > 0, transactions.c.kind != "signup")
    join = transactions.join(accounts, accounts.c.id == transactions.c.owner_id)
    sums = sa.select(accounts.c.name, sa.func.sum(transactions.c.amount_nano)).select_from(join)
    own = {
        name: int(nano) for name, nano in connection.execute(sums.where(*incoming).group_by(accounts.c.name))
    }
    funded = {user: min(own.get(f"user:{user}", 0), total) for user, total in totals.items()}
    return {(user, model): nano * funded[user] // totals[user] for user, model, nano in spent}


def outputs(connection: sa.Connection, since: int) -> dict[str, list[int]]:
    """Output tokens of delivered calls since `since` (ms) per model, the newest 50,000 calls."""
    table = usage_records
    query = (
        sa.select(table.c.model, table.c.output)
        .where(table.c.created_at >= since, table.c.status == "ok", table.c.output > 0)
        .order_by(table.c.created_at.desc())
        .limit(OUTPUT_ROWS)
    )
    found: dict[str, list[int]] = {}
    for model, output in connection.execute(query):
        found.setdefault(model, []).append(output)
    return found


def calls(connection: sa.Connection, start: int, end: int) -> dict[str, int]:
    """Delivered calls per model in [start, end) (ms), at most CALLS_PER_USER of each user."""
    table = usage_records
    query = (
        sa.select(table.c.model, table.c.user_id, sa.func.count())
        .where(table.c.created_at >= start, table.c.created_at < end, table.c.status.in_(_DELIVERED))
        .group_by(table.c.model, table.c.user_id)
    )
    found: dict[str, int] = {}
    for model, _, count in connection.execute(query):
        found[model] = found.get(model, 0) + min(count, CALLS_PER_USER)
    return found

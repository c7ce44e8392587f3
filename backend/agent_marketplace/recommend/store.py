"""The SQL of learning: answer signals are ours; usage, money and stars are read from their owners' tables, never written."""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.accounts import trusted_accounts, users
from agent_marketplace.db.tables.catalog import ratings
from agent_marketplace.db.tables.ledger import accounts, transactions, usage_records
from agent_marketplace.db.tables.recommend import answer_signals
from agent_marketplace.recommend.calibration import Noted
from agent_marketplace.recommend.learning import SIGNALS, Answer, Vote

_DELIVERED = ("ok", "partial")
_THUMBS = ("thumb_up", "thumb_down")
OUTPUT_ROWS = 20_000
ESTIMATE_ROWS = 10_000


class Voices(msgspec.Struct, frozen=True):
    """Who is heard. paid: (user, model) -> nano-dollars that are no sign-up credit; funded: users who paid anything in.

    trusted: accounts that an administrator vouches for; everybody: all are (where sign-up is closed).
    """

    paid: Mapping[tuple[str, str], int] = {}
    funded: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    everybody: bool = False

    def trusts(self, user: str) -> bool:
        """Whether a user's own keys, local and free calls count as payment."""
        return self.everybody or user in self.trusted


def voices(connection: sa.Connection, *, everybody: bool = False) -> Voices:
    """Read once per refresh. Administrators are trusted."""
    marked = connection.execute(sa.select(trusted_accounts.c.user_id))
    admins = connection.execute(sa.select(users.c.user_id).where(users.c.role == "admin"))
    paid, funded = _paid(connection)
    trusted = frozenset(row[0] for found in (marked, admins) for row in found)
    return Voices(paid, funded, trusted, everybody)


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
    set_trusted(connection, user_id, None)


def set_trusted(connection: sa.Connection, user_id: str, at: int | None) -> None:
    """Marks an account as trusted since `at` (ms); None takes the mark away."""
    connection.execute(sa.delete(trusted_accounts).where(trusted_accounts.c.user_id == user_id))
    if at is not None:
        connection.execute(sa.insert(trusted_accounts).values(user_id=user_id, trusted_at=at))


def is_trusted(connection: sa.Connection, user_id: str) -> bool:
    """Whether an administrator vouches for the account, or it is an administrator's."""
    marked = sa.select(trusted_accounts.c.user_id).where(trusted_accounts.c.user_id == user_id)
    admin = sa.select(users.c.user_id).where(users.c.user_id == user_id, users.c.role == "admin")
    return connection.execute(marked.union(admin)).first() is not None


def answered(connection: sa.Connection, user_id: str, model: str, *, free_too: bool) -> bool:
    """Whether a user had an answer of a model; free_too: one that cost nothing is enough."""
    table = usage_records
    query = sa.select(table.c.request_id).where(
        table.c.user_id == user_id, table.c.model == model, table.c.status.in_(_DELIVERED)
    )
    if not free_too:
        query = query.where(table.c.charge_nano > 0)
    return connection.execute(query.limit(1)).first() is not None


def votes(connection: sa.Connection, since: int, heard: Voices) -> list[Vote]:
    """Stars and signals since `since` (ms), each with what its user paid for the model out of money that is no sign-up credit."""
    paid = heard.paid
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
            trusted=heard.trusts(user),
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
            trusted=heard.trusts(user),
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


def _paid(connection: sa.Connection) -> tuple[dict[tuple[str, str], int], frozenset[str]]:
    """(user, model) -> nano-dollars spent on it, scaled down where more was spent than ever paid in (sign-up credit).

    Beside it the users who paid anything in.
    """
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
    shares = {(user, model): nano * funded[user] // totals[user] for user, model, nano in spent}
    return shares, frozenset(user for user, nano in funded.items() if nano > 0)


class _Asked(msgspec.Struct, frozen=True):
    task: str = ""
    effort: str = ""


class _AnswerDetail(msgspec.Struct, frozen=True):
    """What is read of a receipt's detail for lengths."""

    estimate: _Asked | None = None
    credential: str | None = None


def answers(connection: sa.Connection, since: int, voices: Voices) -> list[Answer]:
    """Whole answers since `since` (ms) whose estimate says what was asked, the newest OUTPUT_ROWS first."""
    table = usage_records
    query = (
        sa.select(table.c.user_id, table.c.model, table.c.output, table.c.charge_nano, table.c.detail)
        .where(table.c.created_at >= since, table.c.status == "ok", table.c.output > 0)
        .order_by(table.c.created_at.desc())
        .limit(OUTPUT_ROWS)
    )
    decoder = msgspec.json.Decoder(_AnswerDetail)
    found = []
    for user, model, output, charge, detail in connection.execute(query):
        asked = decoder.decode(detail).estimate
        if asked is None or not asked.task:
            continue
        trusted = voices.trusts(user)
        found.append(
            Answer(
                user_id=user, model=model, task=asked.task, effort=asked.effort, output=output, trusted=trusted,
                voice=trusted or (charge > 0 and user in voices.funded),
            )
        )  # fmt: skip
    return found


def calls(connection: sa.Connection, start: int, end: int, voices: Voices) -> list[tuple[str, str, int]]:
    """(user, model, delivered calls) in [start, end) (ms) of those with a voice: paid calls, or any of a trusted account."""
    table = usage_records
    paid = sa.func.sum(sa.case((table.c.charge_nano > 0, 1), else_=0))
    query = (
        sa.select(table.c.user_id, table.c.model, sa.func.count(), paid)
        .where(table.c.created_at >= start, table.c.created_at < end, table.c.status.in_(_DELIVERED))
        .group_by(table.c.user_id, table.c.model)
    )
    found = []
    for user, model, every, charged in connection.execute(query):
        counting = every if voices.trusts(user) else int(charged) if user in voices.funded else 0
        if counting:
            found.append((user, model, counting))
    return found

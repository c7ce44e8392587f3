"""The SQL of learning: answer signals are ours; usage, money and stars are read from their owners' tables, never written."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.accounts import trusted_accounts, users
from agent_marketplace.db.tables.catalog import ratings
from agent_marketplace.db.tables.ledger import accounts, transactions, usage_records
from agent_marketplace.db.tables.recommend import answer_signals
from agent_marketplace.db.tables.usage_log import usage_rollups
from agent_marketplace.ledger.returns import GIVEN_BACK
from agent_marketplace.recommend.calibration import Noted
from agent_marketplace.recommend.learning import SIGNALS, Vote

_DELIVERED = ("ok", "partial")
PAID_IN = ("topup", "credit", "earnings", "reversal", "payout")
"""Kinds of transactions by which money comes from outside, and goes back there."""
_THUMBS = ("thumb_up", "thumb_down")
OUTPUT_ROWS = 20_000
ESTIMATE_ROWS = 10_000
BLOCK = 256
_OWNERS = 100
_ROWS = 5_000


class Voices(Protocol):
    """Who is heard."""

    def paid(self, user: str, model: str) -> int:
        """Nano-dollars that a user paid for a model and that are no sign-up credit."""

    def trusts(self, user: str) -> bool:
        """Whether a user's own keys, local and free calls count as payment."""


class Payment(msgspec.Struct, frozen=True):
    """Money of one wallet: spent on a model (given back: below zero), or paid in (`model` empty)."""

    owner: int
    model: str
    nano: int


class Call(msgspec.Struct, frozen=True):
    """One delivered call; paid: it cost its user something; at: ms."""

    request_id: str
    user: str
    model: str
    at: int
    paid: bool


class Said(msgspec.Struct, frozen=True, order=True):
    """One whole answer, ordered by age; task is empty where its estimate says nothing of what was asked."""

    at: int
    request_id: str
    user: str
    model: str
    output: int
    paid: bool
    task: str
    effort: str


def trusted(connection: sa.Connection) -> frozenset[str]:
    """Accounts that an administrator vouches for; administrators are trusted."""
    marked = connection.execute(sa.select(trusted_accounts.c.user_id))
    admins = connection.execute(sa.select(users.c.user_id).where(users.c.role == "admin"))
    return frozenset(row[0] for found in (marked, admins) for row in found)


def model_of(connection: sa.Connection, user_id: str, request_id: str) -> str | None:
    """The model that answered this user's request, or None if it isn't theirs."""
    query = sa.select(usage_records.c.model).where(
        usage_records.c.request_id == request_id, usage_records.c.user_id == user_id
    )
    return connection.execute(query).scalar()


def put_signal(
    connection: sa.Connection,
    user_id: str,
    request_id: str,
    model: str,
    kind: str,
    now: int,
    reason: str = "",
) -> None:
    """Notes a signal once per answer and kind; a thumb replaces the opposite thumb."""
    if kind in _THUMBS:
        clear_thumbs(connection, user_id, request_id)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {
        "request_id": request_id,
        "kind": kind,
        "user_id": user_id,
        "model": model,
        "at": now,
        "reason": reason,
    }
    connection.execute(insert(answer_signals).values(values).on_conflict_do_nothing())


def thumb_of(connection: sa.Connection, user_id: str, request_id: str) -> tuple[str, str] | None:
    """(kind, reason) of the thumb that a user gave an answer."""
    t = answer_signals.c
    query = sa.select(t.kind, t.reason).where(
        t.request_id == request_id, t.user_id == user_id, t.kind.in_(_THUMBS)
    )
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1] or "")


def clear_thumbs(connection: sa.Connection, user_id: str, request_id: str) -> None:
    table = answer_signals
    mine = (table.c.request_id == request_id, table.c.user_id == user_id, table.c.kind.in_(_THUMBS))
    connection.execute(sa.delete(table).where(*mine))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    connection.execute(sa.delete(answer_signals).where(answer_signals.c.user_id == user_id))


def is_trusted(connection: sa.Connection, user_id: str) -> bool:
    """Whether an administrator vouches for the account, or it is an administrator's."""
    marked = sa.select(trusted_accounts.c.user_id).where(trusted_accounts.c.user_id == user_id)
    admin = sa.select(users.c.user_id).where(users.c.user_id == user_id, users.c.role == "admin")
    return connection.execute(marked.union(admin)).first() is not None


def answered(connection: sa.Connection, user_id: str, model: str, *, free_too: bool) -> bool:
    """Whether a user had an answer of a model, archived or not; free_too: one that cost nothing is enough."""
    for table in (usage_records, usage_rollups):
        query = sa.select(table.c.user_id).where(
            table.c.user_id == user_id, table.c.model == model, table.c.status.in_(_DELIVERED)
        )
        if not free_too:
            query = query.where(table.c.charge_nano > 0)
        if connection.execute(query.limit(1)).first() is not None:
            return True
    return False


def votes(connection: sa.Connection, since: int, heard: Voices) -> list[Vote]:
    """Stars and signals since `since` (ms), each with what its user paid for the model out of money that is no sign-up credit."""
    stars = connection.execute(
        sa.select(ratings.c.user_id, ratings.c.model_id, ratings.c.stars, ratings.c.updated_at).where(
            ratings.c.updated_at >= since
        )
    )
    table = answer_signals
    signals = connection.execute(
        sa.select(table.c.user_id, table.c.model, table.c.kind, table.c.at, table.c.reason).where(
            table.c.at >= since
        )
    )
    found = [
        Vote(
            user_id=user,
            model=model,
            kind="stars",
            stars=float(value),
            at=at,
            paid_nano=heard.paid(user, model),
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
            paid_nano=heard.paid(user, model),
            trusted=heard.trusts(user),
            reason=reason or "",
        )
        for user, model, kind, at, reason in signals
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


def blocks(connection: sa.Connection) -> dict[int, int]:
    """Block of BLOCK wallets -> the sum of their sequence numbers: grows when one of them moves. One pass inside the database."""
    block = accounts.c.id // BLOCK
    query = sa.select(block, sa.func.sum(accounts.c.seq)).group_by(block)
    return {int(number): int(total) for number, total in connection.execute(query)}


def wallets(connection: sa.Connection, block: int) -> list[tuple[int, str, int]]:
    """(id, name, sequence number) of the wallets of a block."""
    query = sa.select(accounts.c.id, accounts.c.name, accounts.c.seq).where(
        accounts.c.id >= block * BLOCK, accounts.c.id < (block + 1) * BLOCK
    )
    return [(int(number), name, int(seq)) for number, name, seq in connection.execute(query)]


def payments(connection: sa.Connection, after: Mapping[int, int] | None = None) -> Iterator[Payment]:
    """What was spent and paid in: sums of everything, or the single transactions above (wallet -> sequence number).

    What is spent says its model in its memo; a lost request that another model answers after all is counted with both, each with
    what was posted for it. An answer whose price was given back was not paid for. Paid in is what somebody gave money for, less
    what went back: no sign-up credit, no gift, no promotional code.
    """
    t = transactions.c
    # Of both signs: a lost request that is settled after all may get money back, and what an answer cost may be given back.
    spent = t.kind.in_(("usage", GIVEN_BACK))
    incoming = t.kind.in_(PAID_IN)
    paid = t.amount_nano - sa.case((spent, 0), else_=sa.func.coalesce(t.promo_nano, 0))
    first = transactions.alias()
    of_answer = (
        sa.select(sa.func.max(first.c.memo))
        .where(first.c.owner_id == t.owner_id, first.c.request_id == t.request_id, first.c.kind == "usage")
        .scalar_subquery()
    )
    model = sa.case(
        (t.kind == "usage", t.memo), (t.kind == GIVEN_BACK, sa.func.coalesce(of_answer, "?")), else_=""
    )
    if after is None:
        each = sa.select(t.owner_id, model.label("model"), paid.label("nano")).where(sa.or_(spent, incoming))
        one = each.subquery().c
        query = sa.select(one.owner_id, one.model, sa.func.sum(one.nano))
        yield from _payments(connection, query.group_by(one.owner_id, one.model))
        return
    owners = list(after.items())
    for start in range(0, len(owners), _OWNERS):
        new = (sa.and_(t.owner_id == o, t.seq > seq) for o, seq in owners[start : start + _OWNERS])
        query = sa.select(t.owner_id, model, paid).where(sa.or_(*new), sa.or_(spent, incoming))
        yield from _payments(connection, query)


def _payments(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Payment]:
    for owner, model, nano in connection.execute(query):
        yield Payment(int(owner), model, -int(nano) if model else int(nano))


class _Asked(msgspec.Struct, frozen=True):
    task: str = ""
    effort: str = ""


class _AnswerDetail(msgspec.Struct, frozen=True):
    """What is read of a receipt's detail for lengths."""

    estimate: _Asked | None = None


def answers(connection: sa.Connection, since: int) -> list[Said]:
    """Whole answers since `since` (ms), the newest OUTPUT_ROWS."""
    u = usage_records.c
    query = (
        sa.select(u.created_at, u.request_id, u.user_id, u.model, u.output, u.charge_nano, u.detail)
        .where(u.created_at >= since, u.status == "ok", u.output > 0)
        .order_by(u.created_at.desc(), u.request_id.desc())
        .limit(OUTPUT_ROWS)
    )
    decoder = msgspec.json.Decoder(_AnswerDetail)
    found = []
    for at, request_id, user, model, output, charge, detail in connection.execute(query):
        asked = decoder.decode(detail).estimate or _Asked()
        found.append(Said(at, request_id, user, model, output, charge > 0, asked.task, asked.effort))
    return found


def calls(connection: sa.Connection, since: int) -> Iterator[Call]:
    """Delivered calls since `since` (ms)."""
    u = usage_records.c
    query = sa.select(u.request_id, u.user_id, u.model, u.created_at, u.charge_nano > 0).where(
        u.created_at >= since, u.status.in_(_DELIVERED)
    )
    for request_id, user, model, at, paid in connection.execute(query.execution_options(yield_per=_ROWS)):
        yield Call(request_id, user, model, at, bool(paid))

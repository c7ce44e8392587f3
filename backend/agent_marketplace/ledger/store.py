"""What is read from the ledger: wallets, statements, usage, receipts, caps. Never the basis of a decision about money."""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.db.segments import Missing, Segments, listed
from agent_marketplace.db.tables.ledger import (
    accounts,
    holds,
    key_budgets,
    lots,
    shared,
    transactions,
    usage_records,
)
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ledger.book import ACCOUNT, LOT, USAGE_CLASSES
from agent_marketplace.ledger.holds import Budget, window_end
from agent_marketplace.ledger.journal import Entry
from agent_marketplace.ledger.lots import ALWAYS, Lot, Lots
from agent_marketplace.ledger.postings import Account, user_account
from agent_marketplace.ledger.topups import balance_of
from agent_marketplace.ledger.types import (
    Balance,
    KeySpend,
    OpenHold,
    StatementEntry,
    StatementPage,
    Totals,
    UsageRecord,
)
from agent_marketplace.usage import Usage

MAX_PAGE = 200
log = logging.getLogger(__name__)
_WALLET = tuple(accounts.c[name] for name in ACCOUNT)


def balance(connection: sa.Connection, user_id: str, now: int) -> Balance:
    """A wallet, without credit that is over. Raises NotFound."""
    account = _account(connection, user_id)
    if account.lots_due_at > now:
        return balance_of(account)
    promo, paid = _lots(connection, account).expire(now, account.held)
    whole = balance_of(account)
    return msgspec.structs.replace(whole, balance=whole.balance - promo - paid, promo=whole.promo - promo)


def lots_of(connection: sa.Connection, user_id: str, now: int) -> Lots:
    """What a wallet consists of, without what is over. Raises NotFound."""
    account = _account(connection, user_id)
    found = _lots(connection, account)
    found.expire(now, account.held)
    return found


def due(connection: sa.Connection, now: int, after: int, limit: int) -> list[tuple[int, str]]:
    """(id, user) of accounts above the id `after` some of whose credit is over, in order of their ids; those whose lots are read at
    every posting end theirs then."""
    rows = connection.execute(
        sa.select(accounts.c.id, accounts.c.name)
        .where(accounts.c.lots_due_at > ALWAYS, accounts.c.lots_due_at <= now, accounts.c.id > after)
        .order_by(accounts.c.id)
        .limit(limit)
    )
    return [(row.id, row.name.removeprefix(user_account(""))) for row in rows]


def _account(connection: sa.Connection, user_id: str) -> Account:
    row = connection.execute(
        sa.select(*_WALLET).where(accounts.c.name == user_account(user_id))
    ).one_or_none()
    if row is None:
        raise NotFound("No such account")
    return Account(*row)


def _lots(connection: sa.Connection, account: Account) -> Lots:
    rows = connection.execute(
        sa.select(*(lots.c[name] for name in LOT)).where(
            lots.c.account_id == account.id, lots.c.left_nano > 0
        )
    )
    return Lots(account, [Lot(*row) for row in rows])


def totals(connection: sa.Connection) -> Totals:
    """Open holds and rolled-up shared accounts."""
    count, held = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(holds.c.amount_nano), 0)).where(
            holds.c.state == "open"
        )
    ).one()
    sums = {row.account: int(row.balance_nano) for row in connection.execute(sa.select(shared))}
    return Totals(open_holds=count, held_nano=int(held), shared=sums)


def statement(connection: sa.Connection, user_id: str, cursor: str | None, limit: int) -> StatementPage:
    """Postings of a wallet, newest first. Raises NotFound, BadRequest (cursor)."""
    size = max(1, min(limit, MAX_PAGE))
    owner = connection.execute(
        sa.select(accounts.c.id).where(accounts.c.name == user_account(user_id))
    ).scalar_one_or_none()
    if owner is None:
        raise NotFound("No such account")
    query = sa.select(transactions).where(transactions.c.owner_id == owner, transactions.c.amount_nano != 0)
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            raise BadRequest("This cursor is not one of ours")
        query = query.where(transactions.c.seq < int(cursor))
    rows = connection.execute(query.order_by(transactions.c.seq.desc()).limit(size + 1)).all()
    entries = [
        StatementEntry(
            id=row.seq,
            at=row.at,
            kind=row.kind,
            amount_nano=row.amount_nano,
            balance_after_nano=row.balance_after_nano,
            request_id=row.request_id,
            memo=row.memo,
        )
        for row in rows[:size]
    ]
    return StatementPage(entries=entries, next_cursor=str(entries[-1].id) if len(rows) > size else None)


def running(connection: sa.Connection, user_id: str) -> list[OpenHold]:
    """A user's calls in flight, oldest first."""
    h = holds.c
    query = (
        sa.select(h.request_id, h.model, h.provider, h.key_id, h.created_at, h.amount_nano)
        .join(accounts, accounts.c.id == h.account_id)
        .where(h.state == "open", accounts.c.name == user_account(user_id))
        .order_by(h.created_at, h.request_id)
    )
    return [OpenHold(*row) for row in connection.execute(query)]


def in_flight(connection: sa.Connection) -> dict[str, int]:
    """{provider: open holds} of everybody."""
    h = holds.c
    query = sa.select(h.provider, sa.func.count()).where(h.state == "open").group_by(h.provider)
    return {str(provider): int(count) for provider, count in connection.execute(query)}


def receipt(
    connection: sa.Connection, request_id: str, user_id: str, segments: Segments | None = None
) -> UsageRecord:
    """One usage row of this user, archived or not. Raises NotFound."""
    query = sa.select(usage_records).where(
        usage_records.c.request_id == request_id, usage_records.c.user_id == user_id
    )
    row = connection.execute(query).one_or_none()
    if row is None and segments is not None:
        row = _archived(connection, query, segments)
    if row is None:
        raise NotFound("No such request")
    return _record(row)


def _archived(connection: sa.Connection, query: sa.Select[Any], segments: Segments) -> sa.Row[Any] | None:
    newest_first = reversed(listed(connection))
    for segment in segments.each(newest_first, lambda missing: log.warning("%s", missing)):
        row = segment.execute(query).one_or_none()
        if row is not None:
            return row
    return None  # or in a file that is not there


def archived_of(
    connection: sa.Connection, entries: Sequence[Entry], segments: Segments | None
) -> frozenset[str]:
    """Those of a few kept settlements that are in an archive: they were posted before. Where one is not at hand, those that cost
    nothing count as in it, for no posting says that they are not."""
    names = {entry.request_id for entry in entries}
    here = sa.select(holds.c.request_id).where(holds.c.request_id.in_(names))
    names -= set(connection.scalars(here))
    if not names or segments is None:
        return frozenset()
    found: set[str] = set()
    query = sa.select(usage_records.c.request_id).where(usage_records.c.request_id.in_(names))

    def missing(problem: Missing) -> None:
        log.warning("%s: kept settlements of calls that cost nothing are let go of", problem)
        found.update(e.request_id for e in entries if not (e.charge_nano or e.provider_cost_nano))

    for segment in segments.each(listed(connection), missing):
        found.update(segment.scalars(query))
    return frozenset(found & names)


def records(connection: sa.Connection, user_id: str) -> list[UsageRecord]:
    """All usage rows of a user, oldest first (for the export of one's data)."""
    rows = connection.execute(
        sa.select(usage_records)
        .where(usage_records.c.user_id == user_id)
        .order_by(usage_records.c.created_at)
    )
    return [_record(row) for row in rows]


def key_spend(connection: sa.Connection, key_ids: Sequence[str], now_ms: int) -> dict[str, KeySpend]:
    """Spend of keys in their current windows; keys without a cap are absent."""
    found = {}
    t = key_budgets.c
    columns = (t.key_id, t.period, t.timezone, t.limit_nano, t.window_start, t.spent_nano, t.held_nano)
    for row in connection.execute(sa.select(*columns).where(t.key_id.in_(key_ids))):
        budget = Budget(*row)
        budget.roll(now_ms)
        found[budget.key_id] = KeySpend(
            period=budget.period,
            limit_nano=budget.limit_nano,
            spent_nano=budget.spent_nano,
            held_nano=budget.held_nano,
            resets_at=window_end(budget.period, budget.timezone, budget.window_start),
        )
    return found


def _record(row: sa.Row[Any]) -> UsageRecord:
    values = row._mapping
    units = {name: values[name] for name in USAGE_CLASSES}
    units["estimated"] = bool(units["estimated"])
    return UsageRecord(
        request_id=row.request_id,
        user_id=row.user_id,
        key_id=row.key_id,
        model=row.model,
        provider=row.provider,
        status=row.status,
        usage=Usage(**units),
        charge_nano=row.charge_nano,
        absorbed_nano=row.absorbed_nano,
        provider_cost_nano=row.provider_cost_nano,
        list_cost_nano=row.list_cost_nano,
        hold_nano=row.hold_nano,
        price_version=row.price_version,
        detail=json.decode(row.detail),
        created_at=row.created_at,
        promo_nano=row.promo_nano,
    )


def absorbed_since(connection: sa.Connection, since_ms: int) -> dict[str, int]:
    """{user: nano-dollars absorbed since then}, from the index of such rows."""
    rows = connection.execute(
        sa.select(usage_records.c.user_id, sa.func.sum(usage_records.c.absorbed_nano).label("nano"))
        .where(usage_records.c.absorbed_nano > 0, usage_records.c.created_at >= since_ms)
        .group_by(usage_records.c.user_id)
    )
    return {row.user_id: int(row.nano) for row in rows}

"""`ledger verify`, request by request: hold, usage row and postings of each are one story, and nobody has edited it."""

import hmac
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import holds, postings, transactions, usage_records
from agent_marketplace.ledger.audit import Audit
from agent_marketplace.ledger.book import HOLD, USAGE
from agent_marketplace.ledger.postings import ABSORBED, user_account
from agent_marketplace.ledger.returns import GIVEN_BACK
from agent_marketplace.ledger.seals import seal, seal_key
from agent_marketplace.ledger.verify_archives import with_archived

_HOLD_AT = {name: i for i, name in enumerate(HOLD)}
_USAGE_AT = {name: i for i, name in enumerate(USAGE)}
_USER, _CREATED = _USAGE_AT["user_id"], _USAGE_AT["created_at"]
_CHARGE, _ABSORBED, _PROMO = (_USAGE_AT[name] for name in ("charge_nano", "absorbed_nano", "promo_nano"))


def check_requests(audit: Audit) -> None:
    """Walks holds (with their usage rows) and postings in step, both ordered by request, so that none of them is kept."""
    key = seal_key(audit.secret)
    posted = _posted(audit)
    have = next(posted, None)
    unsealed, sealed_from = 0, 1 << 62  # the newest without a seal, the oldest with one, ms
    for hold, usage, sealed in with_archived(audit, _ended_and_open(audit)):
        audit.counts["holds"] += 1
        request_id = hold[0]
        while have is not None and have[0] < request_id:
            audit.wrong(f"request {have[0]}: has postings, but no hold")
            have = next(posted, None)
        sums = _NOTHING
        if have is not None and have[0] == request_id:
            sums, have = have[1], next(posted, None)
        _request(audit, hold, usage, sums)
        if usage is None:
            continue
        audit.counts["usage_records"] += 1
        if sealed is None:
            unsealed = max(unsealed, usage[_CREATED])
        else:
            sealed_from = min(sealed_from, usage[_CREATED])
            if not hmac.compare_digest(sealed, seal(key, usage, hold)):
                audit.wrong(f"request {request_id}: its hold or usage row was edited (the seal does not fit)")
    while have is not None:
        audit.wrong(f"request {have[0]}: has postings, but no hold")
        have = next(posted, None)
    if unsealed >= sealed_from:
        audit.wrong("a usage row has no seal, but older ones have")
    _orphans(audit)


def _ended_and_open(audit: Audit) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...] | None, str | None]]:
    """(hold, usage row or None, seal or None) of each request, in the order of the ids' bytes."""
    h, u = holds.c, usage_records.c
    columns = (*(h[name] for name in HOLD), *(u[name] for name in USAGE), u.seal)
    query = sa.select(*columns).outerjoin(usage_records, u.request_id == h.request_id)
    for row in audit.rows(query.order_by(_bytes(audit, h.request_id))):
        usage = row[len(HOLD) : -1]
        yield row[: len(HOLD)], None if usage[0] is None else usage, row[-1]


class _Sums(NamedTuple):
    """What a request's postings sum to, nano-dollars; times: how often its charge was given back."""

    charged: int
    absorbed: int
    promo: int
    given: int
    times: int


_NOTHING = _Sums(0, 0, 0, 0, 0)


def _posted(audit: Audit) -> Iterator[tuple[str, _Sums]]:
    """Each request's sums, in the same order."""
    t, p = transactions.c, postings.c
    leg = sa.and_(p.owner_id == t.owner_id, p.seq == t.seq, p.account == ABSORBED)
    request_id = _bytes(audit, t.request_id)
    back = t.kind == GIVEN_BACK
    query = (
        sa.select(
            t.request_id,
            _sum(-t.amount_nano, ~back),
            _sum(-p.amount_nano, ~back),
            _sum(-t.promo_nano, ~back),
            _sum(t.amount_nano, back),
            _sum(sa.literal(1), back),
        )
        .select_from(transactions.outerjoin(postings, leg))
        .where(t.request_id.is_not(None))
        .group_by(t.request_id)
        .order_by(request_id)
    )
    for name, *sums in audit.rows(query):
        yield name, _Sums(*sums)


def _sum(value: sa.ColumnElement[Any], where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(sa.case((where, value), else_=0)), 0), sa.BigInteger)


def _bytes(audit: Audit, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column in the order of its bytes, as Python compares it; SQLite's own order is that."""
    return column.collate("C") if audit.connection.dialect.name == "postgresql" else column


def _request(audit: Audit, hold: tuple[Any, ...], usage: tuple[Any, ...] | None, posted: _Sums) -> None:
    name, state = f"request {hold[0]}", hold[_HOLD_AT["state"]]
    if state == "open":
        if usage is not None or any(posted):
            audit.wrong(f"{name}: open, but it has a usage row or postings")
        return
    if usage is None:
        audit.wrong(f"{name}: {state}, but it has no usage row")
        return
    charged = hold[_HOLD_AT["charged_nano"]]
    held = (charged, hold[_HOLD_AT["absorbed_nano"]])
    if held != posted[:2] or (usage[_CHARGE], usage[_ABSORBED], usage[_PROMO] or 0) != posted[:3]:
        audit.wrong(f"{name}: hold, usage row and postings disagree")
    if posted.times > 1:
        audit.wrong(f"{name}: was given back twice")
    elif posted.times and posted.given != charged:
        audit.wrong(f"{name}: what was given back is not what it cost")
    owner = audit.names.get(hold[_HOLD_AT["account_id"]])
    if owner != user_account(usage[_USER]):
        audit.wrong(f"{name}: its usage row is {usage[_USER]}'s, its hold {owner}'s")


def _orphans(audit: Audit) -> None:
    u = usage_records.c
    orphans = sa.select(u.request_id).where(~sa.exists().where(holds.c.request_id == u.request_id))
    for row in audit.rows(orphans):
        audit.counts["usage_records"] += 1
        audit.wrong(f"request {row[0]}: has a usage row, but no hold")

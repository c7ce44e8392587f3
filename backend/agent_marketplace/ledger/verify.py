"""`ledger verify`: recomputes everything from the postings and names every disagreement.

Checked: postings of each transaction sum to zero; sequences have no gap; chains and signed checkpoints hold; stored balances
and roll-ups = recomputed; held = sum of open holds; available >= 0 unless a top-up was reversed; each ended request has one
usage row that agrees with its postings; key caps hold what their open holds hold; the roll-ups of usage are the sums of its rows.
"""

import hmac
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import (
    accounts,
    checkpoints,
    holds,
    key_budgets,
    postings,
    shared,
    transactions,
    usage_records,
)
from agent_marketplace.ledger.housekeeping import sign
from agent_marketplace.ledger.postings import ABSORBED, chain_hash
from agent_marketplace.ledger.types import VerifyReport
from agent_marketplace.usage_log.store import disagreements

MAX_PROBLEMS = 100
_FETCH = 5_000
Tell = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """For who does not want to know how far it is."""


class _Chain:
    """One owner's chain while it is walked."""

    __slots__ = ("balance", "head", "reversed", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.balance = 0
        self.head = ""
        self.reversed = False


class _Audit:
    """One run: what was counted, summed and found wrong."""

    def __init__(self, connection: sa.Connection, secret: bytes, tell: Tell) -> None:
        self.connection = connection
        self.secret = secret
        self.tell = tell
        self.read = self.to_read = 0
        self.problems: list[str] = []
        self.chains: dict[int, _Chain] = {}
        self.hashes: dict[tuple[int, int], str] = {}
        self.rolled: dict[int, int] = {}
        self.shared: dict[str, int] = {}
        self.requests: dict[str, list[int]] = {}  # request id -> [charged, absorbed] by the postings
        self.counts = dict.fromkeys(
            ("accounts", "transactions", "postings", "holds", "usage_records", "checkpoints"), 0
        )

    def wrong(self, words: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(words)


def verify(connection: sa.Connection, secret: bytes, tell: Tell = silent) -> VerifyReport:
    """Recomputes everything on this connection's snapshot; secret: the key of the checkpoints' signatures; tell: rows read, of
    how many."""
    audit = _Audit(connection, secret, tell)
    audit.to_read = sum(
        next(_rows(audit, sa.select(sa.func.count()).select_from(t)))[0]
        for t in (transactions, postings, holds)
    )
    audit.read = 0
    _checkpoint_rows(audit)
    _walk(audit)
    _accounts(audit)
    _shared(audit)
    _checkpoint_heads(audit)
    _requests(audit)
    _key_budgets(audit)
    for words in disagreements(connection, MAX_PROBLEMS):
        audit.wrong(f"{words}; `agent-marketplace usage rebuild` makes the roll-ups anew")
    return VerifyReport(**audit.counts, problems=audit.problems)


def _rows(audit: _Audit, query: sa.Select[Any]) -> Iterator[Any]:
    # The driver's own cursor and tuples: SQLAlchemy's rows would take half of the time of a large audit.
    compiled = query.compile(audit.connection, compile_kwargs={"literal_binds": True})
    cursor = audit.connection.connection.cursor()
    try:
        cursor.execute(str(compiled))
        while rows := cursor.fetchmany(_FETCH):
            audit.read += len(rows)
            audit.tell(min(audit.read, audit.to_read), audit.to_read)
            yield from rows
    finally:
        cursor.close()


def _checkpoint_rows(audit: _Audit) -> None:
    previous = ""
    expected = 1
    for number, at, heads, signature in _rows(audit, sa.select(checkpoints).order_by(checkpoints.c.id)):
        audit.counts["checkpoints"] += 1
        if number != expected or not hmac.compare_digest(
            signature, sign(audit.secret, previous, number, at, heads)
        ):
            audit.wrong(f"checkpoint {number}: signature does not fit")
        expected, previous = number + 1, signature
        try:
            parsed = msgspec.json.decode(heads, type=list[tuple[int, int, str]])
        except msgspec.DecodeError:
            audit.wrong(f"checkpoint {number}: unreadable")
            continue
        for owner, seq, head in parsed:
            audit.hashes[owner, seq] = head


def _walk(audit: _Audit) -> None:
    """Walks all transactions and, in step, their counter-postings: both ordered by owner and sequence number."""
    for row in _rows(audit, sa.select(accounts.c.id, accounts.c.rolled_seq)):
        audit.rolled[row[0]] = row[1]
    order = (postings.c.owner_id, postings.c.seq, postings.c.account)
    legs = _rows(audit, sa.select(*order, postings.c.amount_nano).order_by(*order))
    leg = next(legs, None)
    query = sa.select(transactions).order_by(transactions.c.owner_id, transactions.c.seq)
    for row in _rows(audit, query):
        key = (row[0], row[1])
        counter = []
        while leg is not None and (leg[0], leg[1]) <= key:
            if (leg[0], leg[1]) == key:
                counter.append((leg[2], leg[3]))
            else:
                audit.wrong(f"posting on {leg[2]} belongs to no transaction ({leg[0]}/{leg[1]})")
            audit.counts["postings"] += 1
            leg = next(legs, None)
        _transaction(audit, row, counter)
    while leg is not None:
        audit.wrong(f"posting on {leg[2]} belongs to no transaction ({leg[0]}/{leg[1]})")
        leg = next(legs, None)


def _transaction(audit: _Audit, row: Any, counter: list[tuple[str, int]]) -> None:
    owner, seq, _, kind, request_id, _, amount, balance_after, stored = row
    name = f"transaction {owner}/{seq}"
    audit.counts["transactions"] += 1
    audit.counts["postings"] += 1
    chain = audit.chains.get(owner)
    if chain is None:
        chain = audit.chains[owner] = _Chain()
    if seq != chain.seq + 1:
        audit.wrong(f"{name}: a gap after {chain.seq}")
    chain.seq = seq
    chain.balance += amount
    if balance_after != chain.balance:
        audit.wrong(f"{name}: balance after is {balance_after}, recomputed {chain.balance}")
    if stored != chain_hash(chain.head, tuple(row[:8]), tuple(sorted(counter))):
        audit.wrong(f"{name}: hash does not fit")
    chain.head = stored
    signed = audit.hashes.get((owner, seq))
    if signed is not None and signed != stored:
        audit.wrong(f"{name}: differs from its signed checkpoint")
    if kind == "reversal":
        chain.reversed = True
    total = amount
    for account, value in counter:
        total += value
        if seq <= audit.rolled.get(owner, 0):
            audit.shared[account] = audit.shared.get(account, 0) + value
    if total:
        audit.wrong(f"{name}: postings sum to {total}, not 0")
    if request_id is not None:
        sums = audit.requests.setdefault(request_id, [0, 0])
        sums[0] -= amount
        sums[1] -= sum(value for account, value in counter if account == ABSORBED)


def _accounts(audit: _Audit) -> None:
    open_holds = sa.select(holds.c.account_id, sa.func.sum(holds.c.amount_nano)).where(
        holds.c.state == "open"
    )
    held = {row[0]: int(row[1]) for row in _rows(audit, open_holds.group_by(holds.c.account_id))}
    columns = (
        accounts.c.id,
        accounts.c.name,
        accounts.c.balance_nano,
        accounts.c.held_nano,
        accounts.c.restricted_nano,
        accounts.c.seq,
        accounts.c.head,
    )
    known = set()
    for id_, name, balance, held_nano, restricted, seq, head in _rows(audit, sa.select(*columns)):
        audit.counts["accounts"] += 1
        known.add(id_)
        chain = audit.chains.get(id_) or _Chain()
        if balance != chain.balance:
            audit.wrong(f"{name}: balance is {balance}, recomputed {chain.balance}")
        if (seq, head) != (chain.seq, chain.head):
            audit.wrong(f"{name}: its head is {seq}, its chain ends at {chain.seq}")
        if held_nano != held.pop(id_, 0):
            audit.wrong(f"{name}: held is {held_nano}, not the sum of its open holds")
        if balance - held_nano - restricted < 0 and not chain.reversed:
            audit.wrong(f"{name}: available is {balance - held_nano - restricted}")
    for id_ in sorted((set(audit.chains) | set(held)) - known):
        audit.wrong(f"account {id_}: missing, but it has transactions or holds")


def _shared(audit: _Audit) -> None:
    stored = {row[0]: row[1] for row in _rows(audit, sa.select(shared))}
    for account in sorted(stored.keys() | audit.shared.keys()):
        have, want = stored.get(account, 0), audit.shared.get(account, 0)
        if have != want:
            audit.wrong(f"{account}: rolled-up balance is {have}, recomputed {want}")


def _checkpoint_heads(audit: _Audit) -> None:
    for owner, seq in audit.hashes:
        if owner not in audit.chains or audit.chains[owner].seq < seq:
            audit.wrong(f"transaction {owner}/{seq}: signed in a checkpoint, but missing")


def _requests(audit: _Audit) -> None:
    u = usage_records.c
    query = sa.select(
        holds.c.request_id,
        holds.c.state,
        holds.c.charged_nano,
        holds.c.absorbed_nano,
        u.charge_nano,
        u.absorbed_nano,
    ).outerjoin(usage_records, u.request_id == holds.c.request_id)
    for request_id, state, charged, absorbed, usage_charge, usage_absorbed in _rows(audit, query):
        audit.counts["holds"] += 1
        posted = audit.requests.pop(request_id, [0, 0])
        if state == "open":
            if usage_charge is not None or posted != [0, 0]:
                audit.wrong(f"request {request_id}: open, but it has a usage row or postings")
        elif usage_charge is None:
            audit.wrong(f"request {request_id}: {state}, but it has no usage row")
        elif [charged, absorbed] != posted or [usage_charge, usage_absorbed] != posted:
            audit.wrong(f"request {request_id}: hold, usage row and postings disagree")
    for request_id in audit.requests:
        audit.wrong(f"request {request_id}: has postings, but no hold")
    orphans = sa.select(u.request_id).where(~sa.exists().where(holds.c.request_id == u.request_id))
    for row in _rows(audit, orphans):
        audit.wrong(f"request {row[0]}: has a usage row, but no hold")
    audit.counts["usage_records"] = next(_rows(audit, sa.select(sa.func.count()).select_from(usage_records)))[
        0
    ]


def _key_budgets(audit: _Audit) -> None:
    open_holds = sa.select(holds.c.key_id, sa.func.sum(holds.c.amount_nano)).where(
        holds.c.state == "open", holds.c.key_id.is_not(None)
    )
    held = {row[0]: int(row[1]) for row in _rows(audit, open_holds.group_by(holds.c.key_id))}
    for key_id, held_nano in _rows(audit, sa.select(key_budgets.c.key_id, key_budgets.c.held_nano)):
        if held_nano != held.get(key_id, 0):
            audit.wrong(f"key {key_id}: held is {held_nano}, not the sum of its open holds")

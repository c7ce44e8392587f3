"""`ledger verify`: recomputes everything from the postings and names every disagreement.

Checked: postings of each transaction sum to zero; sequences have no gap; chains and signed checkpoints hold; stored balances
and roll-ups = recomputed; held = sum of open holds; available >= 0 unless a top-up was reversed; each ended request has one
usage row that agrees with its postings; key caps hold what their open holds hold; the roll-ups of usage are the sums of its rows;
lots = what was credited and = the balance; payments are what was credited for them (`ledger.paid`); authors' pending
earnings, the platform's fees and payouts = their rows.
"""

import hmac
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.tables.earnings import fees, payouts
from agent_marketplace.db.tables.ledger import (
    accounts,
    checkpoints,
    holds,
    key_budgets,
    lots,
    postings,
    shared,
    transactions,
    usage_records,
)
from agent_marketplace.ledger.earnings import AGENT_FEES, WORLD_PAYOUT, fee_request, pending_account
from agent_marketplace.ledger.housekeeping import sign
from agent_marketplace.ledger.paid import disagreements as unpaid
from agent_marketplace.ledger.postings import ABSORBED, chain_hash
from agent_marketplace.ledger.returns import GIVEN_BACK
from agent_marketplace.ledger.types import VerifyReport
from agent_marketplace.ledger.writer import AGENT_FEE
from agent_marketplace.usage_log.store import disagreements

MAX_PROBLEMS = 100
_FETCH = 5_000
Tell = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """For who does not want to know how far it is."""


class _Chain:
    """One owner's chain while it is walked."""

    __slots__ = ("at_lots", "balance", "head", "promo", "reversed", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.balance = 0
        self.promo = 0  # since there are lots
        self.at_lots = (0, 0)  # balance and promo up to where lots were last apportioned
        self.head = ""
        self.reversed = False


class _Lots:
    """Lots by account, and by the transaction that brought them."""

    def __init__(self) -> None:
        self.left: dict[int, list[int]] = {}  # account -> [promotional, paid, frozen]
        self.opening: dict[int, int] = {}  # account -> promotional credit from before there were lots
        self.brought: dict[tuple[int, int], int] = {}


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
        self.lots_seq: dict[int, int] = {}
        self.lots = _Lots()
        self.shared: dict[str, int] = {}
        self.given: dict[str, int] = {}  # request id -> what was given back of it
        self.disputed: set[int] = set()  # accounts with paid credit that is frozen
        self.earned: dict[str, int] = {}  # accounts of authors' fees and payouts, of all postings
        self.requests: dict[str, list[int]] = {}  # request id -> [charged, absorbed, promo] by the postings
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
        for t in (transactions, postings, holds, lots)
    )
    audit.read = 0
    _checkpoint_rows(audit)
    _lots(audit)
    _walk(audit)
    _accounts(audit)
    _shared(audit)
    _earnings(audit)
    _checkpoint_heads(audit)
    _requests(audit)
    _key_budgets(audit)
    for words in disagreements(connection, MAX_PROBLEMS):
        audit.wrong(f"{words}; `agent-marketplace usage rebuild` makes the roll-ups anew")
    for words in unpaid(connection):
        audit.wrong(words)
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
    for row in _rows(audit, sa.select(accounts.c.id, accounts.c.rolled_seq, accounts.c.lots_seq)):
        audit.rolled[row[0]], audit.lots_seq[row[0]] = row[1], row[2]
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
    owner, seq, _, kind, request_id, _, amount, balance_after, stored, promo = row
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
    _moved_lots(audit, name, chain, row)
    if balance_after != chain.balance:
        audit.wrong(f"{name}: balance after is {balance_after}, recomputed {chain.balance}")
    fields = tuple(row[:8]) if promo is None else (*row[:8], promo)
    if stored != chain_hash(chain.head, fields, tuple(sorted(counter))):
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
        if account.startswith("earnings:") or account in (AGENT_FEES, WORLD_PAYOUT):
            audit.earned[account] = audit.earned.get(account, 0) + value
        if seq <= audit.rolled.get(owner, 0):
            audit.shared[account] = audit.shared.get(account, 0) + value
    if total:
        audit.wrong(f"{name}: postings sum to {total}, not 0")
    if request_id is not None:
        _of_request(audit, request_id, kind, amount, promo or 0, counter)


def _of_request(
    audit: _Audit, request_id: str, kind: str, amount: int, promo: int, counter: list[tuple[str, int]]
) -> None:
    if kind != GIVEN_BACK:
        sums = audit.requests.setdefault(request_id, [0, 0, 0])
        sums[0] -= amount
        sums[1] -= sum(value for account, value in counter if account == ABSORBED)
        sums[2] -= promo
        return
    if request_id in audit.given:
        audit.wrong(f"request {request_id}: was given back twice")
    audit.given[request_id] = amount


def _moved_lots(audit: _Audit, name: str, chain: _Chain, row: Any) -> None:
    owner, seq, amount, promo = row[0], row[1], row[6], row[9]
    chain.promo += promo or 0
    if seq <= audit.lots_seq.get(owner, 0):
        chain.at_lots = (chain.balance, chain.promo)
    if promo is not None and max(amount, 0) != audit.lots.brought.pop((owner, seq), 0):
        audit.wrong(f"{name}: its lots are not what it brought")


def _lots(audit: _Audit) -> None:
    found = audit.lots
    columns = (
        lots.c.account_id,
        lots.c.seq,
        lots.c.paid,
        lots.c.source,
        lots.c.nano,
        lots.c.left_nano,
        lots.c.frozen,
    )
    for account, seq, paid, source, nano, left, frozen in _rows(audit, sa.select(*columns)):
        found.left.setdefault(account, [0, 0, 0])[2 if frozen else paid] += left
        if frozen and paid:
            audit.disputed.add(account)
        if source != "opening":
            found.brought[account, seq] = found.brought.get((account, seq), 0) + nano
        elif not paid and not frozen:
            found.opening[account] = nano


def _account_lots(audit: _Audit, id_: int, name: str, restricted: int, promo: int, chain: _Chain) -> None:
    """Lots are what the balance was when they were last apportioned."""
    opening = audit.lots.opening.get(id_, 0)
    left = audit.lots.left.pop(id_, [0, 0, 0])
    if promo != chain.promo + opening:
        audit.wrong(f"{name}: its promotional part is {promo}, recomputed {chain.promo + opening}")
    balance, then = chain.at_lots[0], chain.at_lots[1] + opening
    want = [then, max(balance - restricted - then, 0), restricted]
    if left != want:
        audit.wrong(f"{name}: its lots hold {left} (promotional, paid, frozen), its balance {want}")


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
        accounts.c.promo_nano,
    )
    known = set()
    for id_, name, balance, held_nano, restricted, seq, head, promo in _rows(audit, sa.select(*columns)):
        audit.counts["accounts"] += 1
        known.add(id_)
        chain = audit.chains.get(id_) or _Chain()
        if balance != chain.balance:
            audit.wrong(f"{name}: balance is {balance}, recomputed {chain.balance}")
        if (seq, head) != (chain.seq, chain.head):
            audit.wrong(f"{name}: its head is {seq}, its chain ends at {chain.seq}")
        if held_nano != held.pop(id_, 0):
            audit.wrong(f"{name}: held is {held_nano}, not the sum of its open holds")
        if balance - held_nano - restricted < 0 and not (chain.reversed or id_ in audit.disputed):
            audit.wrong(f"{name}: available is {balance - held_nano - restricted}")
        _account_lots(audit, id_, name, restricted, promo, chain)
    for id_ in sorted((set(audit.chains) | set(held) | set(audit.lots.left)) - known):
        audit.wrong(f"account {id_}: missing, but it has transactions, holds or lots")
    for id_, seq in sorted(audit.lots.brought):
        audit.wrong(f"transaction {id_}/{seq}: missing, but it has lots")


def _shared(audit: _Audit) -> None:
    stored = {row[0]: row[1] for row in _rows(audit, sa.select(shared))}
    for account in sorted(stored.keys() | audit.shared.keys()):
        have, want = stored.get(account, 0), audit.shared.get(account, 0)
        if have != want:
            audit.wrong(f"{account}: rolled-up balance is {have}, recomputed {want}")


def _earnings(audit: _Audit) -> None:
    f = fees.c
    want = {AGENT_FEES: 0, WORLD_PAYOUT: 0}
    query = sa.select(f.fee_id, f.author_id, f.fee_nano, f.author_nano, f.swept_at, f.refunded_at)
    taken: dict[str, int] = {}
    for fee_id, author_id, fee, share, swept_at, refunded_at in _rows(audit, query):
        account = pending_account(author_id)
        want[account] = want.get(account, 0) + (share if swept_at is None else 0)
        if not fee:
            continue  # takes back what was swept
        want[AGENT_FEES] += fee - share if refunded_at is None else 0
        taken[fee_request(fee_id)] = fee
    want[WORLD_PAYOUT] = sum(row[0] for row in _rows(audit, sa.select(payouts.c.amount_nano)))
    for account in sorted(want.keys() | audit.earned.keys()):
        if (have := audit.earned.get(account, 0)) != want.get(account, 0):
            audit.wrong(f"{account}: postings sum to {have}, its rows to {want.get(account, 0)}")
    held = sa.select(holds.c.request_id, holds.c.charged_nano).where(holds.c.price_version == AGENT_FEE)
    charged = {row[0]: row[1] for row in _rows(audit, held) if row[1]}
    for request_id in sorted(charged.keys() | taken.keys()):
        if charged.get(request_id) != taken.get(request_id):
            audit.wrong(f"request {request_id}: its fee is not what was posted")


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
        u.promo_nano,
    ).outerjoin(usage_records, u.request_id == holds.c.request_id)
    for request_id, state, charged, absorbed, usage_charge, usage_absorbed, promo in _rows(audit, query):
        audit.counts["holds"] += 1
        posted = audit.requests.pop(request_id, [0, 0, 0])
        if state == "open":
            if usage_charge is not None or any(posted):
                audit.wrong(f"request {request_id}: open, but it has a usage row or postings")
        elif usage_charge is None:
            audit.wrong(f"request {request_id}: {state}, but it has no usage row")
        elif [charged, absorbed] != posted[:2] or [usage_charge, usage_absorbed, promo or 0] != posted:
            audit.wrong(f"request {request_id}: hold, usage row and postings disagree")
        elif audit.given.pop(request_id, charged) != charged:
            audit.wrong(f"request {request_id}: what was given back is not what it cost")
    for request_id in audit.given:
        audit.wrong(f"request {request_id}: was given back, but it was not charged")
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

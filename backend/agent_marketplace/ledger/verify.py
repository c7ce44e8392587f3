"""`ledger verify`: recomputes everything from the postings and names every disagreement.

Checked: postings of each transaction sum to zero; sequences have no gap; chains and signed checkpoints hold; stored balances
and roll-ups = recomputed; held = sum of open holds; available >= 0 unless a top-up was reversed; each ended request has one
usage row that agrees with its postings; key caps hold what their open holds hold; the roll-ups of usage are the sums of its rows;
lots = what was credited and = the balance; payments are what was credited for them (`ledger.paid`); authors' pending
earnings, the platform's fees and payouts = their rows; the administrators' log is as it was written (`ledger.acts`).
"""

import hmac
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.db.segments import Segments
from agent_marketplace.db.tables.ledger import (
    accounts,
    checkpoints,
    holds,
    key_budgets,
    lots,
    postings,
    shared,
    transactions,
)
from agent_marketplace.ledger import acts
from agent_marketplace.ledger.audit import MAX_PROBLEMS, Audit, Chain, Tell, silent
from agent_marketplace.ledger.housekeeping import heads_of, sign
from agent_marketplace.ledger.lots import due
from agent_marketplace.ledger.paid import disagreements as unpaid
from agent_marketplace.ledger.postings import row_hash
from agent_marketplace.ledger.types import VerifyReport
from agent_marketplace.ledger.verify_archives import check_archives
from agent_marketplace.ledger.verify_earnings import EARNED, check_earnings
from agent_marketplace.ledger.verify_requests import check_requests
from agent_marketplace.usage_log.proof.store import disagreements


def verify(
    connection: sa.Connection, secret: bytes, tell: Tell = silent, segments: Segments | None = None
) -> VerifyReport:
    """Recomputes everything on this connection's snapshot; secret: the key of the checkpoints' signatures; tell: rows read, of
    how many; segments: where archived requests are."""
    audit = Audit(connection, secret, tell, segments)
    audit.to_read = sum(
        next(audit.rows(sa.select(sa.func.count()).select_from(t)))[0]
        for t in (transactions, postings, holds, lots)
    )
    audit.read = 0
    check_archives(audit)
    _checkpoint_rows(audit)
    _lots(audit)
    _walk(audit)
    _accounts(audit)
    _shared(audit)
    check_earnings(audit)
    _checkpoint_heads(audit)
    check_requests(audit)
    _key_budgets(audit)
    for words in disagreements(connection, MAX_PROBLEMS, segments):
        audit.wrong(f"{words}; `agent-marketplace usage rebuild` makes the roll-ups anew")
    for words in (*unpaid(connection), *acts.problems(connection, secret, audit.acts)):
        audit.wrong(words)
    return VerifyReport(**audit.counts, problems=audit.problems)


def _checkpoint_rows(audit: Audit) -> None:
    previous = ""
    expected = 1
    for number, at, heads, signature in audit.rows(sa.select(checkpoints).order_by(checkpoints.c.id)):
        audit.counts["checkpoints"] += 1
        if number != expected or not hmac.compare_digest(
            signature, sign(audit.secret, previous, number, at, heads)
        ):
            audit.wrong(f"checkpoint {number}: signature does not fit")
        expected, previous = number + 1, signature
        try:
            parsed = heads_of(heads)
        except msgspec.DecodeError:
            audit.wrong(f"checkpoint {number}: unreadable")
            continue
        for owner, seq, head, _ in parsed:
            if owner == acts.OWNER:
                audit.acts.add(seq, head)
                continue
            audit.hashes[owner, seq] = head
            audit.signed[owner] = seq


def _walk(audit: Audit) -> None:
    """Walks all transactions and, in step, their counter-postings: both ordered by owner and sequence number."""
    columns = (accounts.c.id, accounts.c.name, accounts.c.rolled_seq, accounts.c.lots_seq)
    for id_, name, rolled, lots_seq in audit.rows(sa.select(*columns)):
        audit.names[id_], audit.rolled[id_], audit.lots_seq[id_] = name, rolled, lots_seq
    order = (postings.c.owner_id, postings.c.seq, postings.c.account)
    legs = audit.rows(sa.select(*order, postings.c.amount_nano).order_by(*order))
    leg = next(legs, None)
    query = sa.select(transactions).order_by(transactions.c.owner_id, transactions.c.seq)
    for row in audit.rows(query):
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


def _transaction(audit: Audit, row: Any, counter: list[tuple[str, int]]) -> None:
    owner, seq, _, kind, _, _, amount, balance_after, stored, _ = row
    name = f"transaction {owner}/{seq}"
    audit.counts["transactions"] += 1
    audit.counts["postings"] += 1
    chain = audit.chains.get(owner)
    if chain is None:
        chain = audit.chains[owner] = Chain()
    if seq != chain.seq + 1:
        audit.wrong(f"{name}: a gap after {chain.seq}")
    chain.seq = seq
    chain.balance += amount
    _moved_lots(audit, name, chain, row)
    if balance_after != chain.balance:
        audit.wrong(f"{name}: balance after is {balance_after}, recomputed {chain.balance}")
    if stored != row_hash(chain.head, row, tuple(sorted(counter))):
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
        if account.startswith("earnings:") or account in EARNED:
            audit.earned[account] = audit.earned.get(account, 0) + value
        if seq <= audit.rolled.get(owner, 0):
            audit.shared[account] = audit.shared.get(account, 0) + value
    if total:
        audit.wrong(f"{name}: postings sum to {total}, not 0")


def _moved_lots(audit: Audit, name: str, chain: Chain, row: Any) -> None:
    owner, seq, amount, promo = row[0], row[1], row[6], row[9]
    chain.promo += promo or 0
    if seq <= audit.lots_seq.get(owner, 0):
        chain.at_lots = (chain.balance, chain.promo)
    if promo is not None and max(amount, 0) != audit.lots.brought.pop((owner, seq), 0):
        audit.wrong(f"{name}: its lots are not what it brought")


def _lots(audit: Audit) -> None:
    found = audit.lots
    columns = (
        lots.c.account_id,
        lots.c.seq,
        lots.c.paid,
        lots.c.source,
        lots.c.nano,
        lots.c.left_nano,
        lots.c.frozen,
        lots.c.priority,
        lots.c.expires_at,
    )
    for account, seq, paid, source, nano, left, frozen, priority, expires_at in audit.rows(
        sa.select(*columns)
    ):
        found.left.setdefault(account, [0, 0, 0])[2 if frozen else paid] += left
        if frozen and paid:
            audit.disputed.add(account)
        if source != "opening":
            found.brought[account, seq] = found.brought.get((account, seq), 0) + nano
        elif not paid and not frozen:
            found.opening[account] = nano
        if left and not frozen:
            found.free.setdefault(account, []).append((priority, expires_at, paid, seq))


def _account_lots(audit: Audit, id_: int, name: str, restricted: int, promo: int, chain: Chain) -> None:
    """Lots are what the balance was when they were last apportioned."""
    opening = audit.lots.opening.get(id_, 0)
    left = audit.lots.left.pop(id_, [0, 0, 0])
    if promo != chain.promo + opening:
        audit.wrong(f"{name}: its promotional part is {promo}, recomputed {chain.promo + opening}")
    balance, then = chain.at_lots[0], chain.at_lots[1] + opening
    want = [then, max(balance - restricted - then, 0), restricted]
    if left != want:
        audit.wrong(f"{name}: its lots hold {left} (promotional, paid, frozen), its balance {want}")


def _accounts(audit: Audit) -> None:
    open_holds = sa.select(holds.c.account_id, sa.func.sum(holds.c.amount_nano)).where(
        holds.c.state == "open"
    )
    held = {row[0]: int(row[1]) for row in audit.rows(open_holds.group_by(holds.c.account_id))}
    columns = (
        accounts.c.id,
        accounts.c.name,
        accounts.c.balance_nano,
        accounts.c.held_nano,
        accounts.c.restricted_nano,
        accounts.c.seq,
        accounts.c.head,
        accounts.c.promo_nano,
        accounts.c.lots_due_at,
    )
    known = set()
    for id_, name, balance, held_nano, restricted, seq, head, promo, due_at in audit.rows(
        sa.select(*columns)
    ):
        audit.counts["accounts"] += 1
        known.add(id_)
        chain = audit.chains.get(id_) or Chain()
        if balance != chain.balance:
            audit.wrong(f"{name}: balance is {balance}, recomputed {chain.balance}")
        if (seq, head) != (chain.seq, chain.head):
            audit.wrong(f"{name}: its head is {seq}, its chain ends at {chain.seq}")
        if held_nano != held.pop(id_, 0):
            audit.wrong(f"{name}: held is {held_nano}, not the sum of its open holds")
        if balance - held_nano - restricted < 0 and not (chain.reversed or id_ in audit.disputed):
            audit.wrong(f"{name}: available is {balance - held_nano - restricted}")
        if audit.rolled[id_] != audit.signed.get(id_, 0):
            audit.wrong(
                f"{name}: rolled up to {audit.rolled[id_]}, but signed up to {audit.signed.get(id_, 0)}"
            )
        if due_at != due(audit.lots.free.pop(id_, [])):
            audit.wrong(f"{name}: its lots are due at another time than is said")
        _account_lots(audit, id_, name, restricted, promo, chain)
    for id_ in sorted((set(audit.chains) | set(held) | set(audit.lots.left)) - known):
        audit.wrong(f"account {id_}: missing, but it has transactions, holds or lots")
    for id_, seq in sorted(audit.lots.brought):
        audit.wrong(f"transaction {id_}/{seq}: missing, but it has lots")


def _shared(audit: Audit) -> None:
    stored = {row[0]: row[1] for row in audit.rows(sa.select(shared))}
    for account in sorted(stored.keys() | audit.shared.keys()):
        have, want = stored.get(account, 0), audit.shared.get(account, 0)
        if have != want:
            audit.wrong(f"{account}: rolled-up balance is {have}, recomputed {want}")


def _checkpoint_heads(audit: Audit) -> None:
    for owner, seq in audit.hashes:
        if owner not in audit.chains or audit.chains[owner].seq < seq:
            audit.wrong(f"transaction {owner}/{seq}: signed in a checkpoint, but missing")


def _key_budgets(audit: Audit) -> None:
    open_holds = sa.select(holds.c.key_id, sa.func.sum(holds.c.amount_nano)).where(
        holds.c.state == "open", holds.c.key_id.is_not(None)
    )
    held = {row[0]: int(row[1]) for row in audit.rows(open_holds.group_by(holds.c.key_id))}
    for key_id, held_nano in audit.rows(sa.select(key_budgets.c.key_id, key_budgets.c.held_nano)):
        if held_nano != held.get(key_id, 0):
            audit.wrong(f"key {key_id}: held is {held_nano}, not the sum of its open holds")

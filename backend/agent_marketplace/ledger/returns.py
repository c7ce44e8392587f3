"""Money back: what of a payment is unused, taking it out again, freezing it, and giving back what an answer cost."""

import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import postings, transactions
from agent_marketplace.errors import BadRequest, Conflict
from agent_marketplace.ledger import earnings
from agent_marketplace.ledger.book import Book
from agent_marketplace.ledger.holds import HoldRow
from agent_marketplace.ledger.lots import NEVER, Lots, Terms
from agent_marketplace.ledger.postings import (
    ABSORBED,
    REVENUE,
    WORLD_TOPUP,
    Account,
    provider_account,
)
from agent_marketplace.ledger.writer import AGENT_FEE, Writer, check_amount

GIVEN_BACK = "giveback"


def _unused(account: Account, lots: Lots, reference: str) -> int:
    left = sum(lot.left for lot in lots.all if lot.paid and not lot.frozen and lot.reference == reference)
    return max(min(left, account.available), 0)


def _opened(writer: Writer, connection: sa.Connection, user_id: str) -> tuple[Book, Account]:
    """A wallet, locked, with its lots. Raises NotFound."""
    book = writer.book(connection)
    book.load(users=[user_id])
    account = book.account(user_id)
    book.open_lots([account])
    return book, account


def unused_in(writer: Writer, connection: sa.Connection, user_id: str, reference: str) -> int:
    """What of a payment nothing was spent of and no open hold needs, nano-dollars. Locks the wallet. Raises NotFound."""
    book, account = _opened(writer, connection, user_id)
    book.flush()
    return 0 if account.lots is None else _unused(account, account.lots, reference)


def take_back_in(
    writer: Writer,
    connection: sa.Connection,
    user_id: str,
    amount_nano: int,
    reference: str,
    memo: str,
    *,
    unused: bool,
) -> int:
    """Takes a payment's money out of the wallet: first what is left of its own lots (frozen ones too), then other paid lots, then
    promotional ones, then into debt. unused: only what is unused of it. Returns the posting's number. Raises BadRequest."""
    check_amount(amount_nano)
    book, account = _opened(writer, connection, user_id)
    if unused and account.lots is not None and amount_nano > _unused(account, account.lots, reference):
        raise BadRequest("More than is unused of this payment", code="not_unused")
    book.post(account, {WORLD_TOPUP: amount_nano}, "reversal", memo=memo, back=True, first=reference)
    book.flush()
    return account.seq


def put_back_in(
    writer: Writer,
    connection: sa.Connection,
    user_id: str,
    amount_nano: int,
    reference: str,
    memo: str,
    source: str,
) -> int:
    """What was taken back comes in again, as what it was. Returns the posting's number."""
    book, account = _opened(writer, connection, user_id)
    gains = [(amount_nano, Terms(paid=True, source=source, reference=reference))]
    book.post(account, {WORLD_TOPUP: -amount_nano}, "topup", memo=memo, gains=gains)
    book.flush()
    return account.seq


def freeze_in(
    writer: Writer, connection: sa.Connection, user_id: str, reference: str, *, frozen: bool
) -> int:
    """Freezes what is left of a payment, or thaws it: it stays in the balance and pays for nothing. Returns how much that is."""
    book, account = _opened(writer, connection, user_id)
    moved = 0 if account.lots is None else account.lots.freeze(reference, frozen=frozen)
    book.flush()
    return moved


def give_back_in(writer: Writer, connection: sa.Connection, user_id: str, request_id: str, memo: str) -> int:
    """Reverses what an answer was charged, once: each account gets back what it had of it, but for what its provider bills all the
    same, which is the platform's. What was paid comes back paid, the rest promotional. Returns nano-dollars. Raises
    NotFound, Conflict (given back before, not settled), BadRequest (it cost nothing)."""
    book = writer.book(connection)
    book.load(users=[user_id], requests=[request_id])
    hold, account = book.hold(request_id), book.account(user_id)
    if book.account_of(hold) is not account:
        raise BadRequest("This answer is another account's")
    if hold.state != "settled":
        raise Conflict("This call has not been settled")
    if not hold.charged_nano:
        raise BadRequest("This answer cost nothing", code="no_charge")
    if hold.price_version == AGENT_FEE:
        if not earnings.refund_in(writer, connection, earnings.run_of(request_id), memo):
            raise Conflict("What this run cost was given back before")
        return hold.charged_nano
    legs = _legs(connection, account, request_id)
    legs[REVENUE] = -hold.charged_nano - sum(legs.values())
    book.open_lots([account])
    gains = _gains(hold, book.promo_of(request_id))
    book.post(account, legs, GIVEN_BACK, request_id=request_id, memo=memo, gains=gains)
    book.flush()
    return hold.charged_nano


def _gains(hold: HoldRow, promo: int) -> list[tuple[int, Terms]]:
    parts = ((hold.charged_nano - promo, True), (promo, False))
    return [
        (part, Terms(paid=paid, source="refund", reference=hold.request_id, expires_at=NEVER))
        for part, paid in parts
        if part
    ]


def _legs(connection: sa.Connection, account: Account, request_id: str) -> dict[str, int]:
    """What the call's postings gave to others than its provider and the platform, turned round. Raises Conflict."""
    t = transactions.c
    mine = sa.and_(t.owner_id == account.id, t.request_id == request_id)
    if connection.execute(sa.select(t.seq).where(mine, t.kind == GIVEN_BACK)).first() is not None:
        raise Conflict("What this answer cost was given back before")
    query = sa.select(postings.c.account, postings.c.amount_nano).join(
        transactions, sa.and_(t.owner_id == postings.c.owner_id, t.seq == postings.c.seq)
    )
    legs: dict[str, int] = {}
    for row in connection.execute(query.where(mine)):
        if row.account not in (REVENUE, ABSORBED) and not row.account.startswith(provider_account("")):
            legs[row.account] = legs.get(row.account, 0) - row.amount_nano
    return legs

"""Authors' fees: held and taken from money that somebody paid for, shared, kept back 14 days, paid out, and taken back.

A fee is posted on its payer's chain to the shared accounts `earnings:<author>:pending` and `platform:agent_fees`: no author's
own account is locked while runs end. `sweep` moves what is 14 days old to the author's account, on the author's chain. A refund
takes the author's part from what is pending first, and only then from the author's account, which may go into debt.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.earnings import fees, payouts
from agent_marketplace.db.tables.ledger import accounts, holds
from agent_marketplace.errors import BadRequest, Conflict, NotFound, PaymentRequired
from agent_marketplace.ledger import store
from agent_marketplace.ledger.book import Book
from agent_marketplace.ledger.holds import split_charge
from agent_marketplace.ledger.lots import DAY_MS, Lot, Terms
from agent_marketplace.ledger.money import dollars
from agent_marketplace.ledger.postings import Account, user_account
from agent_marketplace.ledger.types import Earned, Fee, Payout, Settlement
from agent_marketplace.ledger.writer import AGENT_FEE, MakeHold, Writer, check_amount, release, usage_row
from agent_marketplace.usage import Usage

PENDING_MS = 14 * DAY_MS
AGENT_FEES = "platform:agent_fees"
WORLD_PAYOUT = "world:payout"
EARNED = "earnings"  # the source of lots that were earned, and their reference
HOLD_TTL_S = 26 * 3600  # a run that waits for its user is over after 24 hours
LONGEST_RUN_ID = 76
SWEPT_AT_ONCE = 200  # authors a round


def pending_account(author_id: str) -> str:
    """The shared account of what an author has earned and may still be refunded."""
    return f"earnings:{author_id}:pending"


def fee_request(run_id: str) -> str:
    """The request id under which a run's fee is held and posted."""
    return f"fee_{run_id}"


def run_of(request_id: str) -> str:
    """The run whose fee was posted under this request id."""
    return request_id.removeprefix("fee_")


def hold_in(
    writer: Writer,
    connection: sa.Connection,
    run_id: str,
    user_id: str,
    most_nano: int,
    key_id: str | None,
    name: str,
) -> None:
    """Keeps the most that a run's fee can be, of money that was paid for. Once per run. Raises PaymentRequired
    (`needs_topup`, or as `Ledger.hold`), NotFound, BadRequest. name: the agent's, for receipts."""
    if len(run_id) > LONGEST_RUN_ID:
        raise BadRequest(f"run_id may have at most {LONGEST_RUN_ID} characters where the agent has a fee")
    book, request = writer.book(connection), fee_request(run_id)
    book.load(users=[user_id], requests=[request], keys=[] if key_id is None else [key_id])
    if request in book.holds:
        return
    account = book.account(user_id)
    if most_nano > (left := paid_left(account) - _kept_for_fees(connection, account)):
        raise PaymentRequired(
            "An agent's fee is paid from money that was topped up, not from free credit",
            code="needs_topup",
            extra={"required": dollars(most_nano), "available": dollars(max(left, 0)), "scope": "wallet"},
        )
    job = MakeHold(
        request, user_id, most_nano, AGENT_FEE, HOLD_TTL_S, key_id, {"model": name, "provider": "agents"}
    )
    job.apply(book, writer.owner)
    book.flush()


def post_in(writer: Writer, connection: sa.Connection, fee: Fee) -> int:
    """Ends a run's fee: takes what is owed, at most what was held and what paid money is there, and shares it. Once per run.

    Returns what was posted, nano-dollars. Raises NotFound (no hold), BadRequest.
    """
    check_amount(fee.amount_nano)
    book, request = writer.book(connection), fee_request(fee.run_id)
    book.load(requests=[request])
    hold = book.hold(request)
    if hold.state in ("settled", "voided"):
        return hold.charged_nano
    account, again = book.account_of(hold), hold.state == "expired"
    release(book, hold)
    owed = min(fee.amount_nano, paid_left(account)) if fee.amount_nano else 0
    taken = max(split_charge(hold, owed, account, book.budget(hold.key_id))[0], 0)
    share = taken * fee.author_bp // 10_000
    book.open_lots([account])
    book.post(
        account,
        {pending_account(fee.author_id): share, AGENT_FEES: taken - share},
        "agent fee",
        request_id=request,
        memo=hold.model,
        back=True,  # paid lots first
    )
    book.spend(hold, taken)
    hold.charged_nano, hold.state = taken, "settled" if taken else "voided"
    book.changed(hold)
    ended = Settlement(
        request_id=request,
        user_id=account.user_id,
        charge_nano=taken,
        usage=Usage(),
        provider="agents",
        model=hold.model,
        status="ok" if taken else "cancelled",
        provider_cost_nano=share,
        detail={
            "run_id": fee.run_id,
            "agent_fee": {"owed": dollars(fee.amount_nano), "author": dollars(share)},
        },
    )
    book.add_usage(hold, usage_row(book, hold, ended, 0), again=again)
    book.expire(account)
    book.flush()
    if taken:
        values = {"fee_id": fee.run_id, "author_id": fee.author_id, "payer_id": account.user_id, "fee_nano": taken,
                  "author_nano": share, "at": book.now, "due_at": book.now + PENDING_MS}  # fmt: skip
        connection.execute(sa.insert(fees).values(values))
    return taken


def refund_in(writer: Writer, connection: sa.Connection, run_id: str, reason: str) -> int:
    """Gives a run's fee back, from both who shared it; the author's part from what is pending first. Once per run.

    Returns the fee, nano-dollars; 0: it was given back before. Raises NotFound (no such fee).
    """
    query = sa.select(fees).where(fees.c.fee_id == run_id)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("No fee was posted for this run")
    if row.refunded_at is not None:
        return 0
    pending = _pending(connection, row.author_id)
    book = writer.book(connection)
    book.load(users=[row.payer_id, row.author_id])
    from_account = _from_account(book, row, pending) if row.swept_at is not None else 0
    payer = book.account(row.payer_id)
    book.open_lots([payer])
    terms = Terms(paid=True, source="refund", reference=run_id[:80])
    amounts = {pending_account(row.author_id): -row.author_nano, AGENT_FEES: row.author_nano - row.fee_nano}
    book.post(payer, amounts, "refund", memo=f"{run_id}: {reason}", gains=[(row.fee_nano, terms)])
    book.flush()
    changed = {"refunded_at": book.now}
    if row.swept_at is None:
        changed["swept_at"] = book.now  # nothing of it waits any more
    elif (offset := row.author_nano - from_account) > 0:
        connection.execute(
            sa.insert(fees).values(
                fee_id=f"{run_id}:back", author_id=row.author_id, payer_id=row.payer_id, fee_nano=0, author_nano=-offset,
                at=book.now, due_at=book.now,
            )
        )  # fmt: skip
    connection.execute(sa.update(fees).where(fees.c.fee_id == run_id).values(changed))
    return int(row.fee_nano)


def claw_back_in(writer: Writer, connection: sa.Connection, payer_id: str, since: int, reason: str) -> int:
    """A payment that fees came from was taken back by its bank: what the payer's account owes comes from those fees that are still
    pending, the last first, each whole. since: ms. Returns how much came back, nano-dollars."""
    query = (
        sa.select(fees.c.fee_id)
        .where(fees.c.payer_id == payer_id, fees.c.at >= since, fees.c.fee_nano > 0)
        .where(fees.c.refunded_at.is_(None), fees.c.swept_at.is_(None))
        .order_by(fees.c.at.desc(), fees.c.fee_id)
    )
    names, back = [row.fee_id for row in connection.execute(query)], 0
    for name in names:
        if store.balance(connection, payer_id, writer.book(connection).now).balance >= 0:
            break
        back += refund_in(writer, connection, name, reason)
    return back


def _from_account(book: Book, row: sa.Row[Any], pending: int) -> int:
    """Takes from the author's account what is not pending. Returns how much; 0 where there is no account."""
    rest = row.author_nano - min(row.author_nano, max(pending, 0))
    try:
        author = book.account(row.author_id)
    except NotFound:  # who is gone owes nothing: it stays with what is pending
        return 0
    if rest:
        book.open_lots([author])
        book.post(author, {pending_account(row.author_id): rest}, "reversal", memo=row.fee_id, back=True)
    return int(rest)


def due_authors(connection: sa.Connection, now: int, limit: int) -> list[str]:
    """Authors something of whose earnings is 14 days old, and more than what was taken back meanwhile."""
    query = (
        sa.select(fees.c.author_id)
        .where(fees.c.swept_at.is_(None), fees.c.due_at <= now)
        .where(sa.exists().where(accounts.c.name == sa.literal(user_account("")) + fees.c.author_id))
        .group_by(fees.c.author_id)
        .having(sa.func.sum(fees.c.author_nano) > 0)
        .order_by(fees.c.author_id)
        .limit(limit)
    )
    return [row.author_id for row in connection.execute(query)]


def sweep_in(writer: Writer, connection: sa.Connection, author_id: str) -> int:
    """Moves what is 14 days old to the author's account. Returns how much, nano-dollars."""
    book = writer.book(connection)
    due = (fees.c.author_id == author_id, fees.c.swept_at.is_(None), fees.c.due_at <= book.now)
    rows = connection.execute(
        sa.select(fees.c.fee_id, fees.c.author_nano).where(*due).with_for_update()
    ).all()
    total = sum(int(row.author_nano) for row in rows)
    if total <= 0:
        return 0
    book.load(users=[author_id])
    author = book.account(author_id)
    book.open_lots([author])
    gains = [(total, Terms(paid=True, source=EARNED, reference=EARNED))]
    book.post(author, {pending_account(author_id): -total}, "earnings", memo=f"{len(rows)} runs", gains=gains)
    book.flush()
    names = [row.fee_id for row in rows]
    connection.execute(sa.update(fees).where(fees.c.fee_id.in_(names)).values(swept_at=book.now))
    return total


def payout_in(
    writer: Writer, connection: sa.Connection, author_id: str, amount_nano: int, reference: str, by: str
) -> bool:
    """Records that earnings were paid out, once per reference: False = it was before.

    Raises NotFound, BadRequest, Conflict (more than was earned and is there; a reference of another payout).
    """
    check_amount(amount_nano)
    if not amount_nano or not reference.strip():
        raise BadRequest("A payout has an amount and the reference of its transfer")
    book = writer.book(connection)
    book.load(users=[author_id])
    author = book.account(author_id)
    before = connection.execute(sa.select(payouts).where(payouts.c.reference == reference)).one_or_none()
    if before is not None:
        if (before.author_id, before.amount_nano) != (author_id, amount_nano):
            raise Conflict("This reference is another payout's")
        return False
    book.open_lots([author])
    earned = _earned(author.lots.all if author.lots is not None else ())
    if amount_nano > min(earned, author.available):
        raise Conflict("This is more than was earned and is there")
    book.post(author, {WORLD_PAYOUT: amount_nano}, "payout", memo=reference, back=True, first=EARNED)
    book.flush()
    values = {
        "reference": reference,
        "author_id": author_id,
        "amount_nano": amount_nano,
        "by": by,
        "at": book.now,
    }
    connection.execute(sa.insert(payouts).values(values))
    return True


def earned_in(connection: sa.Connection, author_id: str, now: int) -> Earned:
    """What stands where, of one author; a read. Raises NotFound (no such account)."""
    wallet, lots = store.balance(connection, author_id, now), store.lots_of(connection, author_id, now).all
    waiting = sa.select(sa.func.coalesce(sa.func.sum(fees.c.author_nano), 0))
    pending = connection.execute(waiting.where(fees.c.author_id == author_id, fees.c.swept_at.is_(None)))
    paid_out = sa.select(sa.func.coalesce(sa.func.sum(payouts.c.amount_nano), 0))
    return Earned(
        pending_nano=int(pending.scalar_one()),
        payable_nano=max(min(_earned(lots), wallet.available), 0),
        paid_out_nano=int(connection.execute(paid_out.where(payouts.c.author_id == author_id)).scalar_one()),
    )


def paid_out(connection: sa.Connection, limit: int) -> list[Payout]:
    """What was paid out, newest first."""
    rows = connection.execute(
        sa.select(payouts).order_by(payouts.c.at.desc(), payouts.c.reference).limit(limit)
    )
    return [Payout(**row._mapping) for row in rows]


def paid_left(account: Account) -> int:
    """What of a wallet somebody gave money for; at least 0."""
    return max(account.balance - account.restricted - account.promo, 0)


def _earned(lots: Iterable[Lot]) -> int:
    return sum(lot.left for lot in lots if lot.source == EARNED and not lot.frozen)


def _kept_for_fees(connection: sa.Connection, account: Account) -> int:
    """What open holds keep of a wallet for fees of runs that have not ended."""
    open_ = (holds.c.account_id == account.id, holds.c.state == "open", holds.c.price_version == AGENT_FEE)
    query = sa.select(sa.func.coalesce(sa.func.sum(holds.c.amount_nano), 0)).where(*open_)
    return int(connection.execute(query).scalar_one())


def _pending(connection: sa.Connection, author_id: str) -> int:
    """What an author's pending account stands at; locks its rows."""
    query = sa.select(fees.c.author_nano).where(fees.c.author_id == author_id, fees.c.swept_at.is_(None))
    return sum(int(row.author_nano) for row in connection.execute(query.with_for_update()))

"""Wallets and caps from the cold side: opening, credit, top-ups and their reversal, plan charges, key budgets."""

from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.ledger import accounts, key_budgets, signup_credit_days
from agent_marketplace.errors import BadRequest, Conflict
from agent_marketplace.ledger.holds import window_start, zone
from agent_marketplace.ledger.idempotency import abandon_in, begin_in, digest, finish_in, once_in
from agent_marketplace.ledger.lots import NEVER, Terms
from agent_marketplace.ledger.money import MAX_NANO
from agent_marketplace.ledger.postings import REVENUE, WORLD_CREDIT, WORLD_TOPUP, Account, user_account
from agent_marketplace.ledger.types import Balance, Period
from agent_marketplace.ledger.writer import Writer, check_amount

Kind = Literal["signup", "credit", "topup", "reversal", "refund"]
_SOURCES: dict[str, str] = {
    "signup": WORLD_CREDIT, "credit": WORLD_CREDIT, "topup": WORLD_TOPUP, "reversal": WORLD_TOPUP, "refund": REVENUE,
}  # fmt: skip
_TERMS = {
    "signup": Terms(paid=False, source="signup"),
    "credit": Terms(paid=True, source="grant"),
    "topup": Terms(paid=True, source="order"),
    "refund": Terms(paid=True, source="refund"),
}


def day_of(now_ms: int) -> str:
    """The UTC day, YYYY-MM-DD."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()


def open_account_in(
    writer: Writer, connection: sa.Connection, user_id: str, credit_nano: int, kind: str, *, spendable: bool
) -> None:
    """Opens a wallet with its first credit. Raises Conflict, BadRequest."""
    check_amount(credit_nano)
    book = writer.book(connection)
    made = connection.execute(
        _insert(connection, accounts)
        .values(
            name=user_account(user_id),
            balance_nano=0,
            held_nano=0,
            restricted_nano=0,
            seq=0,
            head="",
            rolled_seq=0,
            lots_due_at=NEVER,
            created_at=book.now,
        )
        .on_conflict_do_nothing()
        .returning(accounts.c.id)
    )
    if made.one_or_none() is None:
        raise Conflict("This account exists already")
    if not credit_nano:
        return
    if kind == "signup":
        _count_signup_credit(connection, day_of(book.now), credit_nano)
    book.load(users=[user_id])
    account = book.account(user_id)
    book.open_lots([account])
    terms = _TERMS["signup"] if spendable else msgspec.structs.replace(_TERMS["signup"], frozen=True)
    terms = terms if kind == "signup" else _TERMS[kind]
    book.post(account, {_source(kind): -credit_nano}, kind, gains=[(credit_nano, terms)])
    book.flush()


def signup_credit_left_in(connection: sa.Connection, day: str, daily_nano: int) -> int:
    """What of `daily_nano` is left on `day`; at least 0. Locks the day's row until the transaction ends."""
    _count_signup_credit(connection, day, 0)
    given = connection.execute(
        sa.select(signup_credit_days.c.granted_nano).where(signup_credit_days.c.day == day)
    ).scalar_one()
    return max(daily_nano - int(given), 0)


def grant_in(
    writer: Writer,
    connection: sa.Connection,
    user_id: str,
    amount_nano: int,
    kind: str,
    key: str | None,
    memo: str,
    terms: Terms | None = None,
) -> Balance:
    """Moves money into a wallet (a reversal: out of it, even into debt). Raises as `Ledger.grant`."""
    source = _source(kind)
    reversal = kind == "reversal"
    check_amount(-amount_nano if reversal else amount_nano)
    book = writer.book(connection)
    book.load(users=[user_id])
    account = book.account(user_id)
    if abs(account.balance + amount_nano) > MAX_NANO:
        raise BadRequest("The balance would be out of range")
    if terms is not None and (reversal or terms.expires_at <= book.now):
        raise BadRequest("A reversal has no terms" if reversal else "This credit would be over at once")
    gains = [] if reversal else [(amount_nano, terms or _TERMS[kind])]

    def effect() -> None:
        if kind == "signup":
            _count_signup_credit(connection, day_of(book.now), amount_nano)
        book.open_lots([account])
        book.post(account, {source: -amount_nano}, kind, memo=memo, gains=gains, back=reversal)
        book.flush()

    same = (amount_nano, kind, memo) if terms is None else (amount_nano, kind, memo, terms)
    once_in(connection, f"grant:{user_id}", key, digest(*same), book.now, effect)
    return balance_of(account)


def balance_of(account: Account) -> Balance:
    """The wallet as it stands in a transaction."""
    return Balance(
        balance=account.balance, held=account.held, restricted=account.restricted, promo=account.promo
    )


def charge_in(
    writer: Writer,
    connection: sa.Connection,
    user_id: str,
    amount_nano: int,
    kind: str,
    key: str | None,
    memo: str,
) -> bool:
    """Takes money out of a wallet if it is there; False = too poor. Raises NotFound, BadRequest, IdempotencyMismatch."""
    check_amount(amount_nano)
    book = writer.book(connection)
    book.load(users=[user_id])
    account = book.account(user_id)

    scope = f"charge:{user_id}"
    if (
        key is not None
        and begin_in(connection, scope, key, digest(amount_nano, kind, memo), book.now) is not None
    ):
        return True
    if amount_nano > max(account.available, 0):
        if key is not None:
            abandon_in(connection, scope, key)  # nothing happened: the same key may try again after a top-up
        return False
    book.post(account, {REVENUE: amount_nano}, kind, memo=memo)
    book.flush()
    if key is not None:
        finish_in(connection, scope, key, True)
    return True


def open_key_budget_in(
    connection: sa.Connection, key_id: str, period: Period, limit_nano: int | None, timezone: str, now_ms: int
) -> None:
    """Caps a key. Raises BadRequest."""
    if period not in get_args(Period):
        raise BadRequest(f"A cap's period is one of {', '.join(get_args(Period))}")
    if limit_nano is not None:
        check_amount(limit_nano)
    zone(timezone)
    connection.execute(
        sa.insert(key_budgets).values(
            key_id=key_id,
            period=period,
            timezone=timezone,
            limit_nano=limit_nano,
            window_start=window_start(period, timezone, now_ms),
            spent_nano=0,
            held_nano=0,
        )
    )


def _source(kind: str) -> str:
    if kind not in _SOURCES:
        raise BadRequest(f"Unknown kind of credit: {kind[:40]}")
    return _SOURCES[kind]


def _insert(connection: sa.Connection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _count_signup_credit(connection: sa.Connection, day: str, amount: int) -> None:
    statement = _insert(connection, signup_credit_days).values(day=day, granted_nano=amount)
    total = signup_credit_days.c.granted_nano + amount
    connection.execute(statement.on_conflict_do_update(index_elements=["day"], set_={"granted_nano": total}))

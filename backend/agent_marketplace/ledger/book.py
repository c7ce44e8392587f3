"""The unit of work: loads and locks what a transaction needs, lets decisions change it in memory, writes it back at once.

Rows are locked before they are read (SQLite: `BEGIN IMMEDIATE`; PostgreSQL: `FOR UPDATE`, accounts in id order, then caps),
and an account or a cap is written back only if what is posted, spent and held still is what the decision saw.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger.holds import Budget, HoldRow
from agent_marketplace.ledger.lots import Lot, Lots, Terms, debt_of
from agent_marketplace.ledger.postings import (
    EXPIRED,
    WORLD_CREDIT,
    Account,
    Transaction,
    post,
    user_account,
)
from agent_marketplace.ledger.seals import seal
from agent_marketplace.ledger.sql import Row, Sql
from agent_marketplace.usage import COUNTS

ACCOUNT = (
    "id",
    "name",
    "balance_nano",
    "held_nano",
    "restricted_nano",
    "seq",
    "head",
    "promo_nano",
    "lots_due_at",
)
_ACCOUNT_UPDATE = (
    "id",
    "balance_nano",
    "held_nano",
    "balance_nano",
    "held_nano",
    "seq",
    "head",
    "promo_nano",
)  # 3 must match
_ACCOUNT_LOTS = ("id", "restricted_nano", "lots_seq", "lots_due_at")
LOT = (
    "account_id",
    "seq",
    "paid",
    "source",
    "nano",
    "left_nano",
    "priority",
    "expires_at",
    "frozen",
    "created_at",
    "reference",
)
_LOT_UPDATE = ("account_id", "seq", "paid", "left_nano", "frozen")
HOLD = tuple(field.name for field in fields(HoldRow))
_HOLD_UPDATE = (
    "request_id", "amount_nano", "state", "progress_nano", "charged_nano", "absorbed_nano", "expires_at",
)  # fmt: skip
_BUDGET = tuple(field.name for field in fields(Budget))
_BUDGET_UPDATE = (
    "key_id",
    "spent_nano",
    "held_nano",
    "window_start",
    "spent_nano",
    "held_nano",
)  # 3 must match
_TRANSACTION = tuple(name for name in Transaction.__struct_fields__ if name != "counter")
_POSTING = ("owner_id", "seq", "account", "amount_nano")
_hold_row, _hold_update = attrgetter(*HOLD), attrgetter(*_HOLD_UPDATE)
_lot_row = attrgetter(*(field.name for field in fields(Lot)))
_budget_update, _transaction_row = attrgetter(*_BUDGET_UPDATE[3:]), attrgetter(*_TRANSACTION)
USAGE_CLASSES = (*COUNTS, "estimated")
USAGE = (
    "request_id", "user_id", "key_id", "model", "provider", "status", *USAGE_CLASSES, "charge_nano", "absorbed_nano",
    "provider_cost_nano", "list_cost_nano", "hold_nano", "price_version", "detail", "created_at",
    "promo_nano",
)  # fmt: skip
USAGE_SEALED = (*USAGE, "seal")


class StaleBook(RuntimeError):
    """An account or a cap changed while it was locked: a bug or a foreign hand. The transaction is rolled back."""


class Book:
    """Accounts, holds and caps of one transaction. now: ms. `load` what is needed, change it, `flush` once."""

    def __init__(self, driver: Any, dialect: str, now: int, seal_key: bytes = b"") -> None:
        self._sql = Sql(driver, dialect)
        self._seal_key = seal_key
        self.now = now
        self._by_name: dict[str, Account] = {}
        self._by_id: dict[int, Account] = {}
        self.holds: dict[str, HoldRow] = {}
        self.budgets: dict[str, Budget] = {}
        self._read_budgets: dict[str, tuple[int, int]] = {}  # (spent, held) as they were locked
        self._changed_accounts: dict[int, Account] = {}
        self._changed_holds: dict[str, HoldRow] = {}
        self._changed_budgets: dict[str, Budget] = {}
        self._new_holds: dict[str, HoldRow] = {}
        self._transactions: list[Transaction] = []
        self._usage: list[Row] = []
        self._usage_again: dict[str, Row] = {}
        self._replies: list[Row] = []
        self._opened: dict[int, Lots] = {}

    @classmethod
    def on(cls, connection: sa.Connection, now: int, seal_key: bytes = b"") -> "Book":
        """A book inside a transaction of SQLAlchemy's."""
        return cls(connection.connection.driver_connection, connection.dialect.name, now, seal_key)

    def load(
        self, *, users: Iterable[str] = (), requests: Iterable[str] = (), keys: Iterable[str] = ()
    ) -> None:
        """Locks and reads the wallets of `users`, the holds of `requests` with their wallets, and all caps concerned."""
        names = [user_account(user_id) for user_id in dict.fromkeys(users)]
        ids = list(dict.fromkeys(requests))
        holds = self._sql.select("ledger_holds", HOLD, "request_id", ids)
        accounts = self._sql.select("ledger_accounts", ACCOUNT, "name", names)
        known = {int(row[0]) for row in accounts}
        wanted = {int(row[1]) for row in holds}
        if self._sql.sqlite:
            accounts += self._sql.select("ledger_accounts", ACCOUNT, "id", sorted(wanted - known))
        else:  # now that the ids are known: lock in their order, then read what the locks guard
            accounts = self._sql.select("ledger_accounts", ACCOUNT, "id", sorted(wanted | known), lock=True)
        due = []
        for row in accounts:
            if row[0] in self._by_id:
                continue  # locked before, perhaps changed since
            account = Account(*row)
            self._by_id[account.id] = self._by_name[account.name] = account
            if account.lots_due_at <= self.now:
                due.append(account)
        if due:
            self.open_lots(due)
        key_ids = sorted({*keys, *(row[2] for row in holds if row[2] is not None)})
        for row in self._sql.select("key_budgets", _BUDGET, "key_id", key_ids, lock=True):
            budget = self.budgets[row[0]] = Budget(*row)
            self._read_budgets[budget.key_id] = (budget.spent_nano, budget.held_nano)
        if not self._sql.sqlite:
            holds = self._sql.select("ledger_holds", HOLD, "request_id", ids)
        for row in holds:
            self.holds[row[0]] = HoldRow(*row)

    def open_lots(self, accounts: Iterable[Account]) -> None:
        """Reads the lots of accounts that are loaded, and ends what is over of them. From here on they move with the balance."""
        closed = {account.id: account for account in accounts if account.lots is None}
        rows: dict[int, list[Lot]] = {id_: [] for id_ in closed}
        for row in self._sql.select("ledger_lots", LOT, "account_id", sorted(closed), also="left_nano > 0"):
            rows[row[0]].append(Lot(*row))
        for id_, account in closed.items():
            account.lots = self._opened[id_] = Lots(account, rows[id_])
            self.expire(account)

    def expire(self, account: Account) -> None:
        """Ends credit that is over, as far as no open hold keeps it. Nothing where its lots need not be read now."""
        if account.lots is None:
            return
        promo, paid = account.lots.expire(self.now, account.held)
        if promo or paid:
            self._record(account, {WORLD_CREDIT: promo, EXPIRED: paid}, "expiry", -promo)

    def promo_of(self, request_id: str) -> int:
        """What of a request's charge was promotional; 0 where it is not known."""
        found = self._sql.select("usage_records", ("promo_nano",), "request_id", [request_id])
        return (found[0][0] or 0) if found else 0

    def charged_of(self, account: Account, request_id: str) -> int | None:
        """What the postings of its account say that a request was charged, nano-dollars; None = it has none. They outlive its hold,
        which may be archived."""
        where: dict[str, str | int] = {"owner_id": account.id, "request_id": request_id, "kind": "usage"}
        found = self._sql.find("ledger_transactions", ("amount_nano",), where)
        return -sum(row[0] for row in found) if found else None

    def account(self, user_id: str) -> Account:
        """A user's wallet. Raises NotFound."""
        account = self._by_name.get(user_account(user_id))
        if account is None:
            raise NotFound("No such account")
        return account

    def account_of(self, hold: HoldRow) -> Account:
        """The wallet that a hold keeps money of."""
        return self._by_id[hold.account_id]

    def hold(self, request_id: str) -> HoldRow:
        """A hold. Raises NotFound."""
        hold = self.holds.get(request_id)
        if hold is None:
            raise NotFound("No such request")
        return hold

    def budget(self, key_id: str | None) -> Budget | None:
        """A key's cap in its current window; None = no key or no cap."""
        budget = None if key_id is None else self.budgets.get(key_id)
        if budget is not None:
            budget.roll(self.now)
        return budget

    def add_hold(self, hold: HoldRow) -> None:
        """A new hold row; its money is kept with `keep`."""
        self.holds[hold.request_id] = self._new_holds[hold.request_id] = hold

    def keep(self, hold: HoldRow, amount: int) -> None:
        """Moves `amount` nano-dollars between available and held (negative: back again), of wallet and cap."""
        account = self.account_of(hold)
        account.held += amount
        self._changed_accounts[account.id] = account
        budget = self.budget(hold.key_id)
        if budget is not None:
            budget.held_nano += amount
            self._changed_budgets[budget.key_id] = budget

    def spend(self, hold: HoldRow, amount: int) -> None:
        """Counts `amount` nano-dollars against the key's cap."""
        budget = self.budget(hold.key_id)
        if budget is not None:
            budget.spent_nano += amount
            self._changed_budgets[budget.key_id] = budget

    def changed(self, hold: HoldRow) -> None:
        """Marks a hold for writing."""
        if hold.request_id not in self._new_holds:
            self._changed_holds[hold.request_id] = hold

    def post(
        self,
        account: Account,
        amounts: dict[str, int],
        kind: str,
        *,
        request_id: str | None = None,
        memo: str = "",
        gains: Sequence[tuple[int, Terms]] = (),
        back: bool = False,
        first: str = "",
    ) -> int:
        """Posts a transaction: shared account -> nano-dollars, the wallet takes the other side. Returns what of that is promotional.

        gains: what the wallet gains, lot by lot (its lots are open). back, first: see `Lots.take`.
        """
        if not any(amounts.values()):
            return 0
        amount, lots = -sum(amounts.values()), account.lots
        if lots is None:
            promo = -min(max(-amount, 0), account.promo)
        elif amount <= 0:
            promo = -lots.take(-amount, back=back, first=first)
        else:
            promo, debt = 0, debt_of(account)
            for part, terms in gains:
                promo += lots.add(account.seq + 1, self.now, part, terms, debt)
                debt = max(debt - part, 0)
        self._record(account, amounts, kind, promo, request_id=request_id, memo=memo)
        return promo

    def _record(
        self,
        account: Account,
        amounts: dict[str, int],
        kind: str,
        promo: int,
        *,
        request_id: str | None = None,
        memo: str = "",
    ) -> None:
        self._transactions.append(
            post(account, amounts, at=self.now, kind=kind, promo=promo, request_id=request_id, memo=memo)
        )
        self._changed_accounts[account.id] = account

    def add_usage(self, hold: HoldRow, row: Row, *, again: bool) -> None:
        """The one usage row of a request (columns `USAGE`), whose hold has come to its end; again: it replaces the row of a lost
        request."""
        sealed = (*row, seal(self._seal_key, row, _hold_row(hold)))
        if again:
            self._usage_again[row[0]] = sealed
        else:
            self._usage.append(sealed)

    def keep_reply(self, scope: str, key: str, reply: str) -> None:
        """Stores what repeats of a running idempotency key get (as `ledger.idempotency.finish_in`)."""
        self._replies.append((scope, key, json.encode(reply).decode()))

    def flush(self) -> None:
        """Writes everything. Raises StaleBook, or the driver's error; either way the transaction must be rolled back."""
        self._update_if_unchanged(
            "ledger_accounts",
            _ACCOUNT_UPDATE,
            [
                (a.id, a.read_balance, a.read_held, a.balance, a.held, a.seq, a.head, a.promo)
                for a in self._changed_accounts.values()
            ],
        )
        self._update_if_unchanged(
            "key_budgets",
            _BUDGET_UPDATE,
            [
                (key_id, *self._read_budgets[key_id], *_budget_update(budget))
                for key_id, budget in self._changed_budgets.items()
            ],
        )
        if self._opened:
            self._flush_lots()
        sql, posted = self._sql, self._transactions
        sql.insert("ledger_holds", HOLD, [_hold_row(hold) for hold in self._new_holds.values()])
        sql.update(
            "ledger_holds", _HOLD_UPDATE, [_hold_update(h) for h in self._changed_holds.values()], keys=1
        )
        sql.insert("ledger_transactions", _TRANSACTION, [_transaction_row(t) for t in posted])
        legs = [(t.owner_id, t.seq, account, amount) for t in posted for account, amount in t.counter]
        sql.insert("ledger_postings", _POSTING, legs)
        sql.insert("usage_records", USAGE_SEALED, self._usage)
        sql.insert("usage_records", USAGE_SEALED, list(self._usage_again.values()), replace_on="request_id")
        sql.update("idempotency_keys", ("scope", "key", "result"), self._replies, keys=2)

    def _flush_lots(self) -> None:
        rows = [
            (a.id, a.restricted, a.seq, a.lots.due_at) for a in self._by_id.values() if a.lots is not None
        ]
        self._sql.update("ledger_accounts", _ACCOUNT_LOTS, rows, keys=1)
        for lots in self._opened.values():
            old = [(x.account_id, x.seq, x.paid, x.left, x.frozen) for x in lots.all if x not in lots.new]
            self._sql.update("ledger_lots", _LOT_UPDATE, old, keys=3)
            self._sql.insert("ledger_lots", LOT, [_lot_row(lot) for lot in lots.new])

    def _update_if_unchanged(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
        """Updates rows whose key and what was read of them (the first three columns) still are the same."""
        if rows and self._sql.update(table, columns, rows, keys=3) != len(rows):
            raise StaleBook(f"{table} was changed behind its lock")

"""The unit of work: loads and locks what a transaction needs, lets decisions change it in memory, writes it back at once.

Rows are locked before they are read (SQLite: `BEGIN IMMEDIATE`; PostgreSQL: `FOR UPDATE`, accounts in id order, then caps),
and an account or a cap is written back only if what is posted, spent and held still is what the decision saw.
"""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger.holds import Budget, HoldRow
from agent_marketplace.ledger.postings import Account, Transaction, post, user_account
from agent_marketplace.ledger.sql import Row, Sql
from agent_marketplace.usage import COUNTS

_ACCOUNT = ("id", "name", "balance_nano", "held_nano", "restricted_nano", "seq", "head")
_ACCOUNT_UPDATE = (
    "id",
    "balance_nano",
    "held_nano",
    "balance_nano",
    "held_nano",
    "seq",
    "head",
)  # 3 must match
_HOLD = tuple(field.name for field in fields(HoldRow))
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
_hold_row, _hold_update = attrgetter(*_HOLD), attrgetter(*_HOLD_UPDATE)
_budget_update, _transaction_row = attrgetter(*_BUDGET_UPDATE[3:]), attrgetter(*_TRANSACTION)
USAGE_CLASSES = (*COUNTS, "estimated")
USAGE = (
    "request_id", "user_id", "key_id", "model", "provider", "status", *USAGE_CLASSES, "charge_nano", "absorbed_nano",
    "provider_cost_nano", "list_cost_nano", "hold_nano", "price_version", "detail", "created_at",
)  # fmt: skip


class StaleBook(RuntimeError):
    """An account or a cap changed while it was locked: a bug or a foreign hand. The transaction is rolled back."""


class Book:
    """Accounts, holds and caps of one transaction. now: ms. `load` what is needed, change it, `flush` once."""

    def __init__(self, driver: Any, dialect: str, now: int) -> None:
        self._sql = Sql(driver, dialect)
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

    @classmethod
    def on(cls, connection: sa.Connection, now: int) -> "Book":
        """A book inside a transaction of SQLAlchemy's."""
        return cls(connection.connection.driver_connection, connection.dialect.name, now)

    def load(
        self, *, users: Iterable[str] = (), requests: Iterable[str] = (), keys: Iterable[str] = ()
    ) -> None:
        """Locks and reads the wallets of `users`, the holds of `requests` with their wallets, and all caps concerned."""
        names = [user_account(user_id) for user_id in dict.fromkeys(users)]
        ids = list(dict.fromkeys(requests))
        holds = self._sql.select("ledger_holds", _HOLD, "request_id", ids)
        accounts = self._sql.select("ledger_accounts", _ACCOUNT, "name", names)
        known = {int(row[0]) for row in accounts}
        wanted = {int(row[1]) for row in holds}
        if self._sql.sqlite:
            accounts += self._sql.select("ledger_accounts", _ACCOUNT, "id", sorted(wanted - known))
        else:  # now that the ids are known: lock in their order, then read what the locks guard
            accounts = self._sql.select("ledger_accounts", _ACCOUNT, "id", sorted(wanted | known), lock=True)
        for row in accounts:
            account = Account(*row)
            self._by_id[account.id] = self._by_name[account.name] = account
        key_ids = sorted({*keys, *(row[2] for row in holds if row[2] is not None)})
        for row in self._sql.select("key_budgets", _BUDGET, "key_id", key_ids, lock=True):
            budget = self.budgets[row[0]] = Budget(*row)
            self._read_budgets[budget.key_id] = (budget.spent_nano, budget.held_nano)
        if not self._sql.sqlite:
            holds = self._sql.select("ledger_holds", _HOLD, "request_id", ids)
        for row in holds:
            self.holds[row[0]] = HoldRow(*row)

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
    ) -> None:
        """Posts a transaction: shared account -> nano-dollars, the wallet takes the other side."""
        if any(amounts.values()):
            self._transactions.append(
                post(account, amounts, at=self.now, kind=kind, request_id=request_id, memo=memo)
            )
            self._changed_accounts[account.id] = account

    def add_usage(self, row: Row, *, again: bool) -> None:
        """The one usage row of a request (columns `USAGE`); again: it replaces the row of a lost request."""
        if again:
            self._usage_again[row[0]] = row
        else:
            self._usage.append(row)

    def keep_reply(self, scope: str, key: str, reply: str) -> None:
        """Stores what repeats of a running idempotency key get (as `ledger.idempotency.finish_in`)."""
        self._replies.append((scope, key, json.encode(reply).decode()))

    def flush(self) -> None:
        """Writes everything. Raises StaleBook, or the driver's error; either way the transaction must be rolled back."""
        self._update_if_unchanged(
            "ledger_accounts",
            _ACCOUNT_UPDATE,
            [
                (a.id, a.read_balance, a.read_held, a.balance, a.held, a.seq, a.head)
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
        sql, posted = self._sql, self._transactions
        sql.insert("ledger_holds", _HOLD, [_hold_row(hold) for hold in self._new_holds.values()])
        sql.update(
            "ledger_holds", _HOLD_UPDATE, [_hold_update(h) for h in self._changed_holds.values()], keys=1
        )
        sql.insert("ledger_transactions", _TRANSACTION, [_transaction_row(t) for t in posted])
        legs = [(t.owner_id, t.seq, account, amount) for t in posted for account, amount in t.counter]
        sql.insert("ledger_postings", _POSTING, legs)
        sql.insert("usage_records", USAGE, self._usage)
        sql.insert("usage_records", USAGE, list(self._usage_again.values()), replace_on="request_id")
        sql.update("idempotency_keys", ("scope", "key", "result"), self._replies, keys=2)

    def _update_if_unchanged(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
        """Updates rows whose key and what was read of them (the first three columns) still are the same."""
        if rows and self._sql.update(table, columns, rows, keys=3) != len(rows):
            raise StaleBook(f"{table} was changed behind its lock")

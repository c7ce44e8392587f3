"""Double entry: accounts, transactions, and the hash chain that ties each transaction to the one before it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from agent_marketplace.ledger.lots import Lots

WORLD_TOPUP = "world:topup"
WORLD_CREDIT = "world:credit"
REVENUE = "platform:revenue"
ABSORBED = "platform:absorbed"
EXPIRED = "platform:expired"
MAX_MEMO = 500


def user_account(user_id: str) -> str:
    """The name of a user's account."""
    return f"user:{user_id}"


def provider_account(name: str) -> str:
    """The name of the account that sums what the operator owes a provider."""
    return f"provider:{name}"


class Account:
    """A user's account, as locked by the current transaction. Money in nano-dollars."""

    __slots__ = (
        "balance", "head", "held", "id", "lots", "lots_due_at", "name", "promo", "read_balance", "read_held", "restricted", "seq",
    )  # fmt: skip

    def __init__(
        self,
        id_: int,
        name: str,
        balance: int,
        held: int,
        restricted: int,
        seq: int,
        head: str,
        promo: int,
        lots_due_at: int,
    ) -> None:
        self.id = id_
        self.name = name
        self.balance = self.read_balance = balance
        self.held = self.read_held = held
        self.restricted = restricted
        self.seq = seq
        self.head = head
        self.promo = promo
        self.lots_due_at = lots_due_at
        self.lots: Lots | None = None  # read only where it matters

    @property
    def available(self) -> int:
        """What a new hold may take: never what is frozen."""
        return self.balance - self.held - self.restricted

    @property
    def user_id(self) -> str:
        """The user whose account it is."""
        return self.name.removeprefix("user:")


class Transaction(msgspec.Struct, frozen=True):
    """One movement on `owner_id`'s account and its counter-postings on shared accounts; all amounts sum to zero."""

    owner_id: int
    seq: int
    at: int
    kind: str
    request_id: str | None
    memo: str
    amount_nano: int
    balance_after_nano: int
    hash: str
    promo_nano: int
    counter: tuple[tuple[str, int], ...]


def chain_hash(previous: str, fields: tuple[object, ...], counter: tuple[tuple[str, int], ...]) -> str:
    """SHA-256 (hex) over the previous hash, a transaction's columns in table order (where `promo_nano` is known, it comes last)
    and its sorted counter-postings."""
    return hashlib.sha256(msgspec.json.encode((previous, fields, counter))).hexdigest()


def row_hash(previous: str, row: Sequence[Any], counter: tuple[tuple[str, int], ...]) -> str:
    """`chain_hash` of a transaction as it is stored (columns in table order); counter: sorted."""
    return chain_hash(previous, tuple(row[:8]) if row[9] is None else (*row[:8], row[9]), counter)


def post(
    account: Account,
    amounts: Mapping[str, int],
    *,
    at: int,
    kind: str,
    promo: int,
    request_id: str | None = None,
    memo: str = "",
) -> Transaction:
    """Moves the account by minus the sum of `amounts` (shared account -> nano-dollars), its promotional part by `promo`, and
    chains the transaction."""
    counter = tuple(sorted((name, amount) for name, amount in amounts.items() if amount))
    amount = -sum(value for _, value in counter)
    account.seq += 1
    account.balance += amount
    account.promo += promo
    memo = memo[:MAX_MEMO]
    fields = (account.id, account.seq, at, kind, request_id, memo, amount, account.balance)
    account.head = chain_hash(account.head, (*fields, promo), counter)
    return Transaction(*fields, account.head, promo, counter)

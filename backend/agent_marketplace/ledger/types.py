"""What goes into and comes out of the ledger. Money in nano-dollars, times in ms since the epoch."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from agent_marketplace.usage import Usage

Status = Literal["ok", "partial", "failed", "cancelled", "lost"]
HoldState = Literal["open", "settled", "voided", "expired"]
Period = Literal["total", "day", "week", "month"]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An open hold, and the wallet as it stands with it."""

    request_id: str
    amount_nano: int
    expires_at: int
    balance_nano: int
    held_nano: int


class KeptReply(msgspec.Struct, frozen=True):
    """The reply that repeats of an idempotency key will get. render: makes it from the receipt, inside the transaction: it may
    run twice and in another thread, so it has no effects."""

    scope: str
    key: str
    render: Callable[["Receipt"], str]


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended. charge_nano: the user's cost; provider_cost_nano: what the operator owes the provider.

    list_cost_nano: the list price, where it differs from the charge (own keys); None = unknown. status: one of `Status`.
    detail: the receipt's JSON object (attempts, timings, fallback, estimate): no prompts, no answers, no secrets.
    kept: the reply that is stored together with the charge, so that no crash can part them.
    held_nano, key_id: what was held, and for whose key: with them a settlement is posted even if a crash of the database took
    the hold, which is not made durable before the answer begins; held_nano None: then it is NotFound.
    """

    request_id: str
    user_id: str
    charge_nano: int
    usage: Usage
    provider: str
    model: str
    status: Status
    provider_cost_nano: int = 0
    list_cost_nano: int | None = None
    price_version: str = ""
    detail: dict[str, Any] = {}
    kept: KeptReply | None = None
    held_nano: int | None = None
    key_id: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted. charged + absorbed = the settlement's cost; balance: after it, with all later holds still in it.

    balance_nano None: the database is away, nothing is posted yet; the settlement is kept and will be (charged: at most).
    """

    request_id: str
    status: str
    charged_nano: int
    absorbed_nano: int
    balance_nano: int | None
    held_nano: int
    replayed: bool = False


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet: posted balance, what open holds keep of it, and of it what is frozen and what was not paid for."""

    balance: int
    held: int
    restricted: int = 0
    promo: int = 0

    @property
    def available(self) -> int:
        """Posted minus held minus restricted."""
        return self.balance - self.held - self.restricted

    @property
    def paid(self) -> int:
        """What somebody gave money for and is not spent; never less than 0."""
        return max(self.balance - self.restricted - self.promo, 0)


class StatementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One posting on a user's account; id is the account's sequence number."""

    id: int
    at: int
    kind: str
    amount_nano: int
    balance_after_nano: int
    request_id: str | None
    memo: str


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. next_cursor: pass it for the older entries; None = this is the end."""

    entries: list[StatementEntry]
    next_cursor: str | None


class OpenHold(msgspec.Struct, frozen=True):
    """A call in flight, as its hold says. since: ms."""

    request_id: str
    model: str
    provider: str
    key_id: str | None
    since: int
    held_nano: int


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The one row of a finished request. promo_nano: of the charge, from credit that nobody paid for; None = before lots."""

    request_id: str
    user_id: str
    key_id: str | None
    model: str
    provider: str
    status: str
    usage: Usage
    charge_nano: int
    absorbed_nano: int
    provider_cost_nano: int
    list_cost_nano: int | None
    hold_nano: int
    price_version: str
    detail: dict[str, Any]
    created_at: int
    promo_nano: int | None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Open holds, and {shared account: nano-dollars} as of the last roll-up (every few minutes)."""

    open_holds: int
    held_nano: int
    shared: dict[str, int]


class KeySpend(msgspec.Struct, frozen=True, kw_only=True):
    """A marketplace key's cap in its current window. resets_at: None for `total`; limit_nano None = no cap."""

    period: Period
    limit_nano: int | None
    spent_nano: int
    held_nano: int
    resets_at: int | None


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What a run owes its agent's author. author_bp: the author's share, basis points."""

    run_id: str
    author_id: str
    amount_nano: int
    author_bp: int


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """An author's earnings: kept back, payable now, and paid out so far."""

    pending_nano: int
    payable_nano: int
    paid_out_nano: int


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """Earnings that were paid out. by: the administrator; at: ms."""

    reference: str
    author_id: str
    amount_nano: int
    by: str
    at: int


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger verify` recomputed, and every disagreement in words."""

    accounts: int
    transactions: int
    postings: int
    holds: int
    usage_records: int
    checkpoints: int
    problems: list[str]

    @property
    def ok(self) -> bool:
        """True if nothing disagrees."""
        return not self.problems

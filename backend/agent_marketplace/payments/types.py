"""What payments are made of. Money of credit in nano-dollars, of charges in the smallest unit of their currency; times in ms."""

from typing import Any, Literal

import msgspec

Method = Literal["transfer", "webhook", "stripe", "auto", "code"]
State = Literal["pending", "paid", "cancelled", "failed"]
CENT = 10_000_000  # nano-dollars
CURRENCY = "USD"
BY_CARD = ("stripe", "auto")  # methods whose money a processor of cards has


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `payment_orders`: see there."""

    id: str
    user_id: str
    method: Method
    state: State
    credit_nano: int
    currency: str
    minor: int
    paid: int = 1
    ends_at: int | None = None
    external_id: str | None = None
    attempt: str | None = None
    session: str | None = None
    batch_id: str | None = None
    receipt: int | None = None
    returned_nano: int = 0
    disputed: int = 0
    words: str = ""
    created_at: int
    closed_at: int | None = None
    source: str | None = None

    @property
    def reference(self) -> str:
        """What a person writes on a transfer: the order's last ten characters."""
        return self.id[-10:].upper()


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody outside says was paid. body: what they sent, for the administrator; payer: what was paid with, in their own
    words (a card's fingerprint)."""

    method: Method
    order_id: str
    external_id: str
    currency: str
    minor: int
    account: str | None = None
    body: str = ""
    payer: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of it: `credited`, `repeated` (it was before), `refused` (why says what does not match)."""

    result: Literal["credited", "repeated", "refused"]
    order_id: str
    why: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `payment_events`."""

    id: int
    at: int
    method: str
    external_id: str
    order_id: str
    outcome: str
    why: str
    body: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of codes; redeemed: how many are."""

    id: str
    name: str
    credit_nano: int
    paid: int
    codes: int
    per_account: int
    expires_at: int | None
    credit_days: int | None
    made_by: str
    created_at: int
    revoked_at: int | None
    one_buyer: int | None = None
    redeemed: int = 0


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `payment_returns`: a refund or a chargeback (money out of the wallet), or what came back of one (into it)."""

    id: str
    order_id: str
    user_id: str
    kind: Literal["refund", "chargeback", "reinstated"]
    state: Literal["asked", "done", "failed"]
    nano: int
    minor: int
    seq: int
    external_id: str | None = None
    actor: str
    words: str
    created_at: int
    closed_at: int | None = None


Why = Literal["wrong", "empty", "other_model", "not_asked", "failed"]


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `answer_disputes`."""

    request_id: str
    user_id: str
    why: Why
    words: str
    state: Literal["open", "granted", "refused"]
    rule: str
    nano: int
    decided_by: str
    reason: str
    created_at: int
    closed_at: int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `auto_recharges`: see there."""

    user_id: str
    state: Literal["waiting", "on", "off", "leaving"]
    threshold_nano: int
    amount_nano: int
    monthly_nano: int
    customer: str | None = None
    card: str | None = None
    card_words: str = ""
    session: str | None = None
    consented_at: int
    words: str = ""
    told_month: str = ""
    next_at: int = 0
    changed_at: int


def columns(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as its row."""
    return {name: getattr(value, name) for name in value.__struct_fields__}

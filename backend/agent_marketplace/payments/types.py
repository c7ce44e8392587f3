"""What payments are made of. Money of credit in nano-dollars, of charges in the smallest unit of their currency; times in ms."""

from typing import Any, Literal

import msgspec

Method = Literal["transfer", "webhook", "stripe", "code"]
State = Literal["pending", "paid", "cancelled", "failed"]
CENT = 10_000_000  # nano-dollars
CURRENCY = "USD"


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

    @property
    def reference(self) -> str:
        """What a person writes on a transfer: the order's last ten characters."""
        return self.id[-10:].upper()


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody outside says was paid. body: what they sent, for the administrator."""

    method: Method
    order_id: str
    external_id: str
    currency: str
    minor: int
    account: str | None = None
    body: str = ""


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
    redeemed: int = 0


def columns(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as its row."""
    return {name: getattr(value, name) for name in value.__struct_fields__}

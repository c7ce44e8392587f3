"""What a processor of card payments is asked, and what it says. Values only: `stripe_checkout` speaks to Stripe."""

from typing import Literal, Protocol

import msgspec

from agent_marketplace.payments.types import Order, Return

# Stripe keeps a key of idempotency for a day: what is older is looked for before it is made
KEY_LIVES_MS = 20 * 3_600_000


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to pay at the processor's page. minor: in the currency's smallest unit; payment: its id once there is one;
    payer: the card's fingerprint, where there is one; saves: it saves a card and takes no money; card, customer: what it saved,
    once it did; site: the address of the server that made it, empty where that is not said."""

    id: str
    url: str | None
    state: Literal["open", "complete", "expired"]
    paid: bool
    order_id: str
    account: str
    currency: str
    minor: int
    payment: str | None
    payer: str = ""
    site: str = ""
    saves: bool = False
    customer: str | None = None
    card: "Card | None" = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A saved card as the processor names it. words: for its owner, without its number."""

    id: str
    words: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What became of charging a saved card. waiting: nobody knows yet; words: why it failed; payer: the card's fingerprint."""

    id: str
    order_id: str
    account: str
    state: Literal["paid", "waiting", "failed"]
    currency: str
    minor: int
    words: str = ""
    payer: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A bank's dispute of a payment as it stands now. minor: what the bank has of it at present; moved: whether it ever took
    something; open: it has not decided."""

    id: str
    payment: str
    minor: int
    moved: bool
    open: bool

    @property
    def freezes(self) -> bool:
        """What is left of its payment waits: the bank has taken, or may take, more than it gave back."""
        return self.open and (self.minor > 0 or not self.moved)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it stands now. order_id: ours, or empty; refunded: minor units that went back in all, by whomever;
    failed: it did not arrive and will not."""

    order_id: str
    refunded: int
    failed: bool = False


class LostRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that did not arrive. ours: our return's id, empty if it was made at the processor's own console."""

    payment: str
    minor: int
    ours: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A signed event: which object it is about. It proves nothing but that somebody should look."""

    id: str
    kind: str
    about: Literal["session", "case", "payment", "charge", "refund", "other"]
    object_id: str


class Refused(Exception):
    """The processor will not do this, now or later; its words are for the operator."""


class Processor(Protocol):
    """All calls raise Unavailable where the processor can't be asked, Refused where it refuses."""

    async def open(self, order: Order, back: str) -> Session:
        """The session of this order, the same one however often it is asked for."""
        ...

    async def session(self, session_id: str) -> Session:
        """As it is now."""
        ...

    async def refund(self, found: Return, payment: str) -> str:
        """Pays back, once per return. Returns the refund's id."""
        ...

    async def send_back(self, payment: str, order_id: str) -> None:
        """Pays back all of a payment that is nobody's, once per order. Refused: it went back before."""
        ...

    async def find_refund(self, found: Return, payment: str) -> str | None:
        """The refund of this return, if there is one: keys of idempotency are forgotten after a day. Refused: it failed."""
        ...

    async def refund_failed(self, refund_id: str) -> LostRefund | None:
        """A refund that did not arrive; None = it did."""
        ...

    async def payment(self, payment: str) -> Payment:
        """As it is now."""
        ...

    async def customer(self, key: str, account: str) -> str:
        """A new customer, the same one for the same key. Returns its id."""
        ...

    async def save_card(self, customer: str, key: str, account: str, back: str) -> Session:
        """A page where this customer saves a card for charges without them; the same one for the same key."""
        ...

    async def charge(self, order: Order, customer: str, card: str) -> Charge:
        """Charges a saved card, once per order."""
        ...

    async def charged(self, payment: str) -> Charge:
        """As it is now."""
        ...

    async def give_up(self, payment: str) -> Charge:
        """Ends a charge that was never finished: nobody pays it any more. Refused: it may still arrive, or has."""
        ...

    async def find_charge(self, customer: str, order_id: str) -> Charge | None:
        """The charge of this order, if there is one: keys of idempotency are forgotten after a day."""
        ...

    async def forget(self, customer: str) -> None:
        """Deletes a customer with their cards; one that is gone already is no fault."""
        ...

    async def case(self, case_id: str) -> Case:
        """As it is now."""
        ...

    async def cases(self, payment: str) -> list[Case]:
        """All disputes of a payment as they are now, the oldest first."""
        ...

    def told(self, header: str, body: bytes) -> Told:
        """What an event says. Raises Unauthorized unless it is signed, and lately."""
        ...

"""The hot jobs (hold, extend, heartbeat, settle, void) and the handler that runs a whole group of them on one book.

Every `apply` decides first and raises before it changes anything, so one refused job leaves the group's book intact.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.clock import Clock
from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError, NotFound
from agent_marketplace.ledger.book import Book
from agent_marketplace.ledger.holds import HoldRow, admit, split_charge
from agent_marketplace.ledger.lots import Terms
from agent_marketplace.ledger.money import MAX_NANO
from agent_marketplace.ledger.postings import ABSORBED, REVENUE, Account, provider_account
from agent_marketplace.ledger.seals import seal_key
from agent_marketplace.ledger.types import Hold, HoldState, Receipt, Settlement, Status
from agent_marketplace.usage import Usage, counts

AGENT_FEE = "agent-fee"  # the price version of holds that `ledger.earnings` makes and ends


def check_amount(amount_nano: int) -> None:
    """Raises BadRequest unless it is an integer from 0 to a billion dollars."""
    if isinstance(amount_nano, bool) or not isinstance(amount_nano, int) or not 0 <= amount_nano <= MAX_NANO:
        raise BadRequest("The amount is out of range")


class MakeHold(msgspec.Struct, frozen=True):
    """Admission: keeps money for a request."""

    request_id: str
    user_id: str
    amount: int
    price_version: str
    ttl_s: float
    key_id: str | None
    meta: dict[str, str]

    def apply(self, book: Book, owner: str) -> Hold:
        """Raises PaymentRequired, NotFound, Conflict, BadRequest."""
        check_amount(self.amount)
        account = book.account(self.user_id)
        if self.request_id in book.holds:
            raise Conflict("This request id was used before")
        admit(account, book.budget(self.key_id), self.amount)
        hold = HoldRow(
            request_id=self.request_id,
            account_id=account.id,
            key_id=self.key_id,
            amount_nano=self.amount,
            price_version=self.price_version,
            owner=owner,
            state="open",
            progress_nano=0,
            charged_nano=0,
            absorbed_nano=0,
            model=self.meta.get("model", ""),
            provider=self.meta.get("provider", ""),
            created_at=book.now,
            expires_at=book.now + round(self.ttl_s * 1000),
        )
        book.add_hold(hold)
        book.keep(hold, self.amount)
        return Hold(
            request_id=self.request_id,
            amount_nano=self.amount,
            expires_at=hold.expires_at,
            balance_nano=account.balance,
            held_nano=account.held,
        )


class Extend(msgspec.Struct, frozen=True):
    """A stream's next slice."""

    request_id: str
    amount: int

    def apply(self, book: Book, owner: str) -> bool:  # noqa: ARG002  the jobs' common signature
        """False = no longer open. Raises PaymentRequired, NotFound, BadRequest."""
        check_amount(self.amount)
        hold = book.hold(self.request_id)
        if hold.state != "open":
            return False
        admit(book.account_of(hold), book.budget(hold.key_id), self.amount)
        book.keep(hold, self.amount)
        hold.amount_nano += self.amount
        book.changed(hold)
        return True


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life, and what is owed so far."""

    request_id: str
    ttl_s: float
    progress: int | None

    def apply(self, book: Book, owner: str) -> bool:  # noqa: ARG002  the jobs' common signature
        """False = no longer open. Raises NotFound, BadRequest."""
        hold = book.hold(self.request_id)
        if hold.state != "open":
            return False
        if self.progress is not None:
            check_amount(self.progress)
            hold.progress_nano = self.progress
        hold.expires_at = max(hold.expires_at, book.now + round(self.ttl_s * 1000))
        book.changed(hold)
        return True


class Settle(msgspec.Struct, frozen=True):
    """The end of a request that may cost something."""

    settlement: Settlement

    @property
    def request_id(self) -> str:
        """The request it ends."""
        return self.settlement.request_id

    def apply(self, book: Book, owner: str) -> Receipt:
        """Raises NotFound, Conflict, BadRequest."""
        check_amount(self.settlement.charge_nano)
        check_amount(self.settlement.provider_cost_nano)
        if self.request_id not in book.holds and self.settlement.held_nano is not None:
            account = book.account(self.settlement.user_id)
            if (charged := book.charged_of(account, self.request_id)) is not None:
                return self._archived(account, charged)
            book.add_hold(self._lost_hold(book, owner, self.settlement.held_nano))
        hold = book.hold(self.request_id)
        if book.account_of(hold).user_id != self.settlement.user_id:
            raise NotFound("No such request")
        if hold.state == "settled":
            return _receipt(book, hold, self.settlement.status, replayed=True)
        if hold.state == "voided":
            raise Conflict("This request was voided")
        receipt = close(book, hold, self.settlement, "settled")
        if (kept := self.settlement.kept) is not None:
            book.keep_reply(kept.scope, kept.key, kept.render(receipt))
        return receipt

    def _archived(self, account: Account, charged: int) -> Receipt:
        """It was posted so long ago that its hold is in an archive."""
        return Receipt(
            request_id=self.request_id,
            status=self.settlement.status,
            charged_nano=charged,
            absorbed_nano=max(self.settlement.charge_nano - charged, 0),
            balance_nano=account.balance,
            held_nano=account.held,
            replayed=True,
        )

    def _lost_hold(self, book: Book, owner: str, amount: int) -> HoldRow:
        """The hold that a crash of the database took, as if it had expired: its money is no longer kept."""
        check_amount(amount)
        s = self.settlement
        return HoldRow(
            request_id=s.request_id,
            account_id=book.account(s.user_id).id,
            key_id=s.key_id,
            amount_nano=amount,
            price_version=s.price_version,
            owner=owner,
            state="expired",
            progress_nano=0,
            charged_nano=0,
            absorbed_nano=0,
            model=s.model,
            provider=s.provider,
            created_at=book.now,
            expires_at=book.now,
        )


class Void(msgspec.Struct, frozen=True):
    """The end of a request that costs its user nothing."""

    request_id: str
    reason: str
    status: Status

    def apply(self, book: Book, owner: str) -> Receipt:  # noqa: ARG002  the jobs' common signature
        """Raises NotFound. A settled request stays settled."""
        hold = book.hold(self.request_id)
        if hold.state in ("settled", "voided"):
            return _receipt(book, hold, self.status, replayed=True)
        settlement = Settlement(
            request_id=self.request_id,
            user_id=book.account_of(hold).user_id,
            charge_nano=0,
            usage=Usage(),
            provider=hold.provider,
            model=hold.model,
            status=self.status,
            detail={"reason": self.reason},
        )
        return close(book, hold, settlement, "voided")


Job = MakeHold | Extend | Heartbeat | Settle | Void


class Writer:
    """Runs groups of jobs. dialect: `sqlite` or `postgresql`; owner: this process, on the holds it makes; secret: the seals' key
    comes from it."""

    def __init__(self, dialect: str, clock: Clock, owner: str, secret: bytes = b"") -> None:
        self._dialect = dialect
        self._clock = clock
        self._seal_key = seal_key(secret)
        self.owner = owner

    def run(self, driver: Any, jobs: Sequence[Job]) -> list[Any]:
        """One outcome a job: its value, or the error for its caller alone."""
        book = Book(driver, self._dialect, self._clock.now_ms(), self._seal_key)
        users = [job.user_id for job in jobs if isinstance(job, MakeHold)]
        keys = [job.key_id for job in jobs if isinstance(job, MakeHold) and job.key_id is not None]
        book.load(users=users, requests=[job.request_id for job in jobs], keys=keys)
        lost = [
            job.settlement for job in jobs if isinstance(job, Settle) and job.request_id not in book.holds
        ]
        if lost:
            book.load(users=[s.user_id for s in lost], keys=[s.key_id for s in lost if s.key_id is not None])
        outcomes: list[Any] = []
        for job in jobs:
            try:
                outcomes.append(job.apply(book, self.owner))
            except MarketplaceError as e:
                outcomes.append(e)
        book.flush()
        return outcomes

    def book(self, connection: sa.Connection) -> Book:
        """A book for the cold side, inside the caller's transaction."""
        return Book.on(connection, self._clock.now_ms(), self._seal_key)


def close(book: Book, hold: HoldRow, s: Settlement, state: HoldState) -> Receipt:
    """Ends an open or expired hold: releases, posts, writes the usage row."""
    account = book.account_of(hold)
    again = hold.state == "expired"
    release(book, hold)
    paid, absorbed = split_charge(hold, s.charge_nano, account, book.budget(hold.key_id))
    promo = book.promo_of(hold.request_id) if again else 0
    cost = s.provider_cost_nano
    counter = {ABSORBED: -absorbed, REVENUE: paid + absorbed - cost}
    if cost:
        counter[provider_account(s.provider)] = cost
    gains = _given_back(book, hold, account, -paid, promo) if paid < 0 else ()
    promo -= book.post(account, counter, "usage", request_id=hold.request_id, memo=s.model, gains=gains)
    book.expire(account)  # what the hold had kept of it
    book.spend(hold, paid)
    hold.charged_nano += paid
    hold.absorbed_nano += absorbed
    hold.state = state
    book.changed(hold)
    book.add_usage(hold, usage_row(book, hold, s, promo), again=again)
    return _receipt(book, hold, s.status, replayed=False)


def release(book: Book, hold: HoldRow) -> None:
    """Stops keeping what an open hold keeps; an expired one keeps nothing."""
    if hold.state == "open":
        book.keep(hold, -hold.amount_nano)


def _given_back(
    book: Book, hold: HoldRow, account: Account, amount: int, promo: int
) -> list[tuple[int, Terms]]:
    """An expired hold was charged more than its answer cost: what was paid comes back first, then what was promotional."""
    book.open_lots([account])
    paid = min(amount, hold.charged_nano - promo)
    parts = ((paid, True), (amount - paid, False))
    return [
        (part, Terms(paid=kind, source="refund", reference=hold.request_id)) for part, kind in parts if part
    ]


def _receipt(book: Book, hold: HoldRow, status: str, *, replayed: bool) -> Receipt:
    account = book.account_of(hold)
    return Receipt(
        request_id=hold.request_id,
        status=status,
        charged_nano=hold.charged_nano,
        absorbed_nano=hold.absorbed_nano,
        balance_nano=account.balance,
        held_nano=account.held,
        replayed=replayed,
    )


def usage_row(book: Book, hold: HoldRow, s: Settlement, promo: int) -> tuple[Any, ...]:
    """The usage row of a request that ends (columns `book.USAGE`). promo: of the charge."""
    units = (*counts(s.usage), int(s.usage.estimated))
    return (
        hold.request_id, s.user_id, hold.key_id, s.model, s.provider, s.status, *units, hold.charged_nano, hold.absorbed_nano,
        s.provider_cost_nano, s.list_cost_nano, hold.amount_nano, s.price_version or hold.price_version,
        json.encode(s.detail).decode(), book.now, promo,
    )  # fmt: skip

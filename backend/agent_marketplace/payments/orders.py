"""Orders: made before anything is asked of anybody outside, credited once, in one transaction with their lot.

What is said to have been paid must fit the order in every part: method, currency, amount, account, state. What does not fit is
refused, and the administrator sees it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import NEVER, Ledger, Terms, digest, once_in
from agent_marketplace.mail import Mail
from agent_marketplace.payments import signing, store, told
from agent_marketplace.payments.types import BY_CARD, CENT, CURRENCY, Event, Method, Order, Outcome, Said
from agent_marketplace.settings import PaymentSettings

MOST_PENDING = 20
GONE = "the account was deleted"  # all else fits
_KEPT = 4_000  # characters of what a processor sent
_SOURCES = {"transfer": "transfer", "code": "code"}


class Orders:
    """Orders of all methods."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        admin: Admin,
        settings: Callable[[], PaymentSettings],
        clock: Clock,
        mail: Mail,
    ) -> None:
        self._mail = mail
        self._db = db
        self._ledger = ledger
        self._admin = admin
        self._settings = settings
        self._clock = clock

    async def make(self, user_id: str, method: Method, amount_nano: int, *, attempt: str) -> Order:
        """An order for so much credit, once per attempt. Raises BadRequest (amount, method), Conflict."""
        least, most = self._settings().least_nano, self._settings().most_nano
        if method not in self._settings().methods:
            raise BadRequest("This server does not take payments that way")
        if not least <= amount_nano <= most or amount_nano % CENT:
            raise BadRequest(f"The amount is from ${least // 10**9} to ${most // 10**9}, in whole cents")
        order = Order(
            id=new_id("ord"), user_id=user_id, method=method, state="pending", credit_nano=amount_nano, currency=CURRENCY,
            minor=amount_nano // CENT, attempt=attempt, created_at=self._clock.now_ms(),
        )  # fmt: skip

        def work(connection: sa.Connection) -> Order:
            store.lock_wallet(connection, user_id)
            before = store.order_of_attempt(connection, user_id, attempt)
            if before is None:
                if store.count_pending(connection, user_id) >= MOST_PENDING:
                    raise Conflict("Too many orders wait to be paid: cancel some")
                store.add_order(connection, order)
                return order
            if (before.method, before.credit_nano) != (method, amount_nano):
                raise Conflict("This attempt was for another amount")
            return before

        return await self._db.write(work)

    async def cancel(self, user_id: str, order_id: str) -> Order:
        """Gives up an order that nobody has paid. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Order:
            order = self.of(connection, user_id, order_id, lock=True)
            _not_at_a_processor(order)
            return self.close_in(connection, order, "cancelled", "cancelled by its owner")

        return await self._db.write(work)

    def close_in(self, connection: sa.Connection, order: Order, state: str, words: str) -> Order:
        """Ends a pending order without credit. Raises Conflict."""
        if order.state == "paid":
            raise Conflict("This order is paid")
        if order.state != "pending":
            return order
        values = {"state": state, "words": words[:500], "closed_at": self._clock.now_ms()}
        store.change_order(connection, order.id, values)
        return msgspec.structs.replace(order, **values)

    def of(self, connection: sa.Connection, user_id: str | None, order_id: str, *, lock: bool) -> Order:
        """An order of this user (None: of anybody). Raises NotFound."""
        order = store.order(connection, order_id, lock=lock)
        if order is None or user_id not in (None, order.user_id):
            raise NotFound("No such order")
        return order

    async def get(self, user_id: str | None, order_id: str) -> Order:
        """`of` on its own."""
        return await self._db.read(lambda c: self.of(c, user_id, order_id, lock=False))

    async def find(self, where: Mapping[str, str], before: str | None, limit: int) -> list[Order]:
        """Newest first. where: user_id, state, method; before: only those made before this order."""
        return await self._db.read(lambda c: store.find_orders(c, where, before, limit))

    async def events(self, where: Mapping[str, str], before: int | None, limit: int) -> list[Event]:
        """What processors said, newest first. where: outcome, order_id."""
        return await self._db.read(lambda c: store.find_events(c, where, before, limit))

    async def emails(self, user_ids: Iterable[str]) -> dict[str, str]:
        """The addresses of those that are still there."""
        return await self._db.read(lambda c: store.emails(c, user_ids))

    async def notice(self, header: str, body: bytes) -> Outcome:
        """The signed webhook. A repeat is answered with the first result. Raises NotFound (no secret is set), Unauthorized,
        BadRequest, IdempotencyMismatch (this payment was something else before), Unavailable (say it again)."""
        if (secret := self._settings().secret) is None:
            raise NotFound("This server takes no payment notices")
        if len(body) > signing.MAX_BODY:
            raise BadRequest("The notice is too long")
        signing.check(secret, header, body, self._clock.now_ms())
        said = signing.read(body)
        return await self._db.write(lambda c: self.settle_in(c, said))

    async def received(
        self, by: Actor, order_id: str, minor: int, currency: str, *, reference: str, reason: str
    ) -> Outcome:
        """An administrator says that a transfer has arrived, as the bank names it. Raises NotFound, Conflict (what
        does not fit), IdempotencyMismatch (this transfer was booked for another order)."""

        def work(connection: sa.Connection) -> Outcome:
            order = self.of(connection, None, order_id, lock=True)
            said = Said(
                method="transfer", order_id=order.id, external_id=reference, currency=currency, minor=minor
            )
            outcome = self.settle_in(connection, said)
            if outcome.result == "refused":  # a typing error must not stay with this reference
                raise Conflict(f"Not credited: {outcome.why}", code="payment_refused")
            if order.state == "pending":
                after = {"state": "paid", "reference": reference, "amount": minor, "currency": currency}
                self._admin.record_in(
                    connection, by, "transfer", order.id, {"state": order.state}, after, reason
                )
            return outcome

        return await self._db.write(work)

    async def refuse(self, by: Actor, order_id: str, *, reason: str) -> Order:
        """An administrator ends an order that will not be paid. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Order:
            order = self.of(connection, None, order_id, lock=True)
            _not_at_a_processor(order)
            closed = self.close_in(connection, order, "cancelled", reason)
            self._admin.record_in(
                connection,
                by,
                "cancel order",
                order_id,
                {"state": order.state},
                {"state": closed.state},
                reason,
            )
            return closed

        return await self._db.write(work)

    def settle_in(self, connection: sa.Connection, said: Said) -> Outcome:
        """Credits what was paid, once per payment and once per order, or says why not."""

        def effect() -> Any:
            outcome = self._settle(connection, said)
            self.note_in(connection, said, outcome)
            return msgspec.to_builtins(outcome)

        same = digest(said.order_id, said.currency, said.minor, said.account or "")
        scope = f"payment:{said.method}"
        first = once_in(connection, scope, said.external_id, same, self._clock.now_ms(), effect)
        return msgspec.convert(first, Outcome)

    def note_in(self, connection: sa.Connection, said: Said, outcome: Outcome) -> None:
        """Keeps what was said, and what became of it."""
        store.add_event(
            connection,
            {
                "at": self._clock.now_ms(),
                "method": said.method,
                "external_id": said.external_id,
                "order_id": said.order_id[:40],
                "outcome": outcome.result,
                "why": outcome.why,
                "body": said.body[:_KEPT],
            },
        )

    def _settle(self, connection: sa.Connection, said: Said) -> Outcome:
        order = store.order(connection, said.order_id, lock=True)
        if order is None:
            return Outcome("refused", said.order_id, "there is no such order")
        if order.state == "paid" and order.external_id == said.external_id:
            return Outcome("repeated", order.id)
        for right, words in (
            (order.method == said.method, f"the order is paid by {order.method}, not by {said.method}"),
            (
                order.currency == said.currency,
                f"the order is in {order.currency}, not in {said.currency[:3]}",
            ),
            (order.minor == said.minor, f"the order is for {order.minor}, not for {said.minor}"),
            (said.account in (None, order.user_id), "the order belongs to another account"),
            (_may_be_credited(order), f"the order is {order.state}"),
            (store.is_user(connection, order.user_id), GONE),
        ):
            if not right:
                return Outcome("refused", order.id, words)
        source = source_of("stripe" if said.method in BY_CARD else said.method, said.payer)
        self.credit_in(
            connection, msgspec.structs.replace(order, external_id=said.external_id, source=source)
        )
        return Outcome("credited", order.id)

    def credit_in(self, connection: sa.Connection, order: Order, memo: str = "") -> None:
        """Posts the credit of an order that is locked and not paid (or new): one posting, one lot, one number of a receipt."""
        receipt = store.next_receipt(connection) if order.minor else None
        store.change_order(
            connection,
            order.id,
            {
                "state": "paid",
                "external_id": order.external_id,
                "closed_at": self._clock.now_ms(),
                "receipt": receipt,
                "source": order.source,
                "words": "",
            },
        )
        self._ledger.grant_in(
            connection,
            order.user_id,
            order.credit_nano,
            kind="topup" if order.paid else "credit",
            memo=memo or f"order {order.id}",
            terms=Terms(
                paid=bool(order.paid),
                source=_SOURCES.get(order.method, "order"),
                expires_at=NEVER if order.ends_at is None else order.ends_at,
                reference=order.id,
            ),
        )
        if receipt is not None:
            told.receipt_in(connection, self._mail, order, receipt, self._settings().issuer)


def source_of(kind: str, name: str) -> str | None:
    """What was paid with, as a fingerprint that says nothing to who reads it; None where that is not known."""
    return digest(kind, name) if name else None


def _may_be_credited(order: Order) -> bool:
    """Of cards the processor itself was asked: it has the money, whatever we had closed the order as. What others say of a closed
    order a person looks at."""
    return order.state == "pending" or (order.method in BY_CARD and order.state != "paid")


def _not_at_a_processor(order: Order) -> None:
    """Whoever has its page open could still pay it. Raises Conflict."""
    if order.method == "auto" and order.state == "pending":
        raise Conflict("The saved card is being charged: what becomes of it shows by itself")
    if order.method == "stripe" and order.state == "pending":
        raise Conflict("This order ends by itself within an hour, when its page to pay at closes")

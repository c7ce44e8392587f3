"""Orders paid at a processor's page. Each step is committed before the next call, and every call can be repeated.

Events only say where to look: what counts is what the processor answers when it is asked. So their order, number and age do not
matter, and an event that never comes is made up for by the sweep.
"""

import logging

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Unavailable
from agent_marketplace.payments import store
from agent_marketplace.payments.orders import GONE, Orders
from agent_marketplace.payments.processor import (
    KEY_LIVES_MS,
    Case,
    LostRefund,
    Processor,
    Refused,
    Session,
    Told,
)
from agent_marketplace.payments.recharge import Recharge
from agent_marketplace.payments.returns import Returns
from agent_marketplace.payments.types import BY_CARD, CENT, Order, Outcome, Return, Said

log = logging.getLogger(__name__)
ASK_AFTER_MS = 600_000
_AT_ONCE = 50
ACTOR = "stripe"


class Checkout:
    """Orders of the method `stripe`. site: the public address, to come back to."""

    def __init__(
        self,
        db: Database,
        orders: Orders,
        returns: Returns,
        recharge: Recharge,
        processor: Processor,
        site: str | None,
        clock: Clock,
    ) -> None:
        self._db = db
        self._orders = orders
        self._returns = returns
        self._recharge = recharge
        self._processor = processor
        self._back = f"{site or ''}/account"
        self._clock = clock
        self._behind = ""  # where the last round of the sweep ended

    async def start(self, order: Order) -> str | None:
        """The page to pay a committed order at; None = it is not open any more. Raises Unavailable: the order stays, ask again."""
        if order.state != "pending":
            return None
        try:
            if order.session is None:
                session = await self._processor.open(order, self._back)
            else:
                session = await self._processor.session(order.session)
        except Refused as error:
            await self._close(order.id, "failed", str(error))
            raise Unavailable("The payment processor refused this order") from error
        if order.session is None:
            await self._db.write(lambda c: store.change_order(c, order.id, {"session": session.id}))
        return session.url if session.state == "open" else None

    async def event(self, header: str, body: bytes) -> None:
        """Looks where an event says. Raises Unauthorized; Unavailable and whatever else went wrong: it is to be sent again."""
        told = self._processor.told(header, body)
        try:
            if told.object_id:
                await self._heard(told)
        except Refused as error:  # another shop of the same account, or its other mode
            log.info("event %s is about nothing of ours: %s", told.id, error)

    async def _heard(self, told: Told) -> None:
        if told.about == "session":
            await self.look(told.object_id)
        elif told.about == "charge":
            await self._recharge.look(told.object_id)
        elif told.about == "case":
            case = await self._processor.case(told.object_id)
            await self._disputed(case.payment, case)
        elif told.about == "payment" and told.kind.startswith("charge.refund"):
            await self._refunded(told.object_id)
        elif told.about == "refund":
            lost = await self._processor.refund_failed(told.object_id)
            if lost is not None:
                await self._came_back(lost, told.object_id)

    async def _came_back(self, lost: LostRefund, refund_id: str) -> None:
        """A refund did not arrive. What a bank has taken of the same payment meanwhile is not the payer's for all that."""
        if lost.ours:
            await self._close_return(lost.ours, sent=False, reference=refund_id, words="it did not arrive")
        else:
            await self._db.write(lambda c: self._lost(c, lost, refund_id))
        await self._disputed(lost.payment)

    async def look(self, session_id: str) -> Outcome | None:
        """Asks the processor about a session and does what follows: credit, an end, or nothing yet."""
        session = await self._processor.session(session_id)
        if await self._elsewhere(session):
            return None
        if session.saves:
            await self._recharge.saved(session)
            return None
        if session.paid and session.payment is not None:
            outcome = await self._db.write(lambda c: self._paid(c, session))
            if outcome.why == GONE:
                await self._send_back(session.payment, session.order_id)
                await self._close(session.order_id, "failed", GONE)
            return outcome
        if session.state == "expired":
            await self._close(session.order_id, "cancelled", "the page to pay at was left")
        elif (
            session.state == "complete"
            and session.payment is not None
            and await self._failed(session.payment)
        ):
            await self._close(session.order_id, "failed", "the payment did not arrive")
        return None

    async def _elsewhere(self, session: Session) -> bool:
        """Another shop or server of the same Stripe account made this page: its payments are not refused here, they are not ours."""
        if session.saves or session.site == self._back:
            return False
        return await self._db.read(lambda c: store.order(c, session.order_id)) is None

    async def _send_back(self, payment: str, order_id: str) -> None:
        """Its account was deleted while the page to pay at was open: there is no wallet. Raises Unavailable: say it again."""
        try:
            await self._processor.send_back(payment, order_id)
        except Refused as error:  # told of again, a day later: it is back already
            log.warning("order %s of a deleted account is not paid back: %s", order_id, error)

    async def _failed(self, payment: str) -> bool:
        """Only asked of a page that is over: on an open one a declined card is followed by another."""
        return (await self._processor.payment(payment)).failed

    async def refund(self, found: Return) -> Return:
        """Pays back a refund that has left the wallet. Where the processor can't be asked it stays asked, and the sweep goes on."""
        order = await self._orders.get(None, found.order_id)
        if order.method not in BY_CARD or order.external_id is None:
            return found
        try:
            reference = None
            if found.created_at < self._clock.now_ms() - KEY_LIVES_MS:
                reference = await self._processor.find_refund(found, order.external_id)
            reference = reference or await self._processor.refund(found, order.external_id)
        except Refused as error:
            return await self._close_return(found.id, sent=False, reference=None, words=str(error))
        except Unavailable:
            return found
        return await self._close_return(found.id, sent=True, reference=reference, words="")

    async def sweep(self, at_once: int = _AT_ONCE) -> int:
        """Asks about orders and refunds that have waited for ten minutes, so many a round: what waits for days (a slow method) keeps
        nobody from their turn. Returns how many were asked about."""
        before = self._clock.now_ms() - ASK_AFTER_MS
        behind = self._behind
        pending = await self._db.read(lambda c: store.pending_since(c, "stripe", before, behind, at_once))
        self._behind = pending[-1].id if len(pending) == at_once else ""
        waiting = await self._db.read(lambda c: store.refunds_waiting(c, BY_CARD, before, at_once))
        for order in pending:
            await self._again(order)
        for found in waiting:
            await self.refund(found)
        return len(pending) + len(waiting)

    async def _again(self, order: Order) -> None:
        try:
            if order.session is None:  # the process died between the order and its session
                await self.start(order)
            else:
                await self.look(order.session)
        except (Unavailable, Refused) as error:
            log.warning("order %s can't be asked about: %s", order.id, error)

    def _paid(self, connection: sa.Connection, session: Session) -> Outcome:
        shown = msgspec.json.encode(msgspec.structs.replace(session, payer="")).decode()
        said = Said(
            method="stripe", order_id=session.order_id, external_id=session.payment or "", currency=session.currency,
            minor=session.minor, account=session.account, body=shown, payer=session.payer,
        )  # fmt: skip
        order = store.order(connection, session.order_id, lock=True)
        if order is not None and order.session not in (None, session.id):
            outcome = Outcome("refused", order.id, "the order has another session")
            self._orders.note_in(connection, said, outcome)
            return outcome
        return self._orders.settle_in(connection, said)

    async def _disputed(self, payment: str, told: Case | None = None) -> None:
        """Books what banks have of a payment at present, over all its disputes, and freezes the rest while one is open. told: the
        one that was told of; it counts alone where the list can't be had."""
        try:
            cases = await self._processor.cases(payment) if payment else []
        except Refused:
            cases = [] if told is None else [told]
        if not cases:
            return
        await self._credited(payment)
        await self._end_refunds(payment)

        def work(connection: sa.Connection) -> None:
            order = self._order_of(connection, payment)
            if order is None or order.state != "paid":
                return
            if any(case.minor for case in cases):  # nobody charges the card of a payer who takes it back
                self._recharge.stop_in(connection, order.user_id, "a bank disputes a payment of yours")
            for case in cases:
                if case.minor and self._returns.waiting_in(connection, order):
                    raise Unavailable("A refund of this payment is on its way: say it again")
                self._returns.case_in(connection, order, case.id, case.minor, ACTOR)
                order = self._orders.of(connection, None, order.id, lock=True)
            frozen = any(case.freezes for case in cases)
            if bool(order.disputed) != frozen:
                self._returns.freeze_in(connection, order, frozen=frozen)

        await self._db.write(work)

    async def _credited(self, payment: str) -> int:
        """What comes later may be told of first: the payment itself is looked at before it. Returns what was refunded."""
        found = await self._processor.payment(payment)
        if found.order_id:
            order = await self._db.read(lambda c: store.order(c, found.order_id))
            if order is not None and order.method == "auto":
                await self._recharge.look(payment)
            elif order is not None and order.state != "paid" and order.session is not None:
                await self.look(order.session)
        return found.refunded

    async def _end_refunds(self, payment: str) -> None:
        """Whether a refund went out is known before its bank takes the rest: one that is refused later would be left in the wallet."""

        def asked(connection: sa.Connection) -> list[Return]:
            order = self._order_of(connection, payment)
            return [] if order is None else self._returns.waiting_in(connection, order)

        for found in await self._db.write(asked):
            await self.refund(found)

    def _lost(self, connection: sa.Connection, lost: LostRefund, refund_id: str) -> None:
        if (order := self._order_of(connection, lost.payment)) is not None:
            self._returns.lost_in(connection, order, lost.minor, refund_id, ACTOR)

    async def _refunded(self, payment: str) -> None:
        """A refund made at the processor's own console: the difference to what left the wallet leaves it too."""
        total = await self._credited(payment)

        def work(connection: sa.Connection) -> None:
            order = self._order_of(connection, payment)
            if order is not None:
                self._returns.refunded_in(connection, order, total * CENT, ACTOR)

        await self._db.write(work)

    def _order_of(self, connection: sa.Connection, payment: str) -> Order | None:
        """Locked; None where the payment is none of ours."""
        found = [
            order
            for method in BY_CARD
            for order in store.find_orders(connection, {"method": method, "external_id": payment}, None, 1)
        ]
        return self._orders.of(connection, None, found[0].id, lock=True) if found else None

    async def _close(self, order_id: str, state: str, words: str) -> None:
        def work(connection: sa.Connection) -> None:
            order = store.order(connection, order_id, lock=True)
            if order is not None and order.state == "pending" and order.method == "stripe":
                self._orders.close_in(connection, order, state, words)

        await self._db.write(work)

    async def _close_return(self, return_id: str, *, sent: bool, reference: str | None, words: str) -> Return:
        def work(connection: sa.Connection) -> Return:
            return self._returns.close_in(
                connection, return_id, sent=sent, reference=reference, words=words, actor=ACTOR
            )

        return await self._db.write(work)

"""Money that goes back: refunds of what is unused, and chargebacks.

It leaves the wallet in the transaction that asks for it, so that nobody spends it while it is on its way. What a payment brought
can go back once: an order knows what has, and a bank that disputes what was refunded gets the difference only.
"""

import logging
from collections.abc import Callable, Mapping

import msgspec
import sqlalchemy as sa

from agent_marketplace.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.mail import Mail
from agent_marketplace.payments import store, told
from agent_marketplace.payments.orders import Orders
from agent_marketplace.payments.types import CENT, Order, Return
from agent_marketplace.settings import PaymentSettings

log = logging.getLogger(__name__)
_ALL = 1_000_000
_AGAIN = " · "  # behind the name of a bank's case that moved money more than once: the number of the move


class Returns:
    """Refunds and chargebacks."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        admin: Admin,
        orders: Orders,
        settings: Callable[[], PaymentSettings],
        clock: Clock,
        mail: Mail,
    ) -> None:
        self._mail = mail
        self._db = db
        self._ledger = ledger
        self._admin = admin
        self._orders = orders
        self._settings = settings
        self._clock = clock

    async def refundable(self, user_id: str, order_id: str) -> int:
        """What could be asked back now, nano-dollars in whole cents. Raises NotFound."""

        def work(connection: sa.Connection) -> int:
            return self._refundable(connection, self._orders.of(connection, user_id, order_id, lock=True))

        return await self._db.write(work)

    async def ask(self, user_id: str, order_id: str) -> Return:
        """The unused part of a payment leaves the wallet, to be paid back. Raises NotFound, BadRequest (nothing can go back)."""

        def work(connection: sa.Connection) -> Return:
            order = self._orders.of(connection, user_id, order_id, lock=True)
            amount = self._refundable(connection, order)
            if not amount:
                raise BadRequest("Nothing of this payment can be paid back", code="not_refundable")
            return self._take_in(
                connection, order, amount, kind="refund", state="asked", actor=user_id, unused=True
            )

        return await self._db.write(work)

    async def find(self, where: Mapping[str, str], before: str | None, limit: int) -> list[Return]:
        """Newest first. where: order_id, user_id, state, kind."""
        return await self._db.read(lambda c: store.find_returns(c, where, before, limit))

    async def close(
        self, by: Actor, return_id: str, *, sent: bool, reference: str | None, reason: str
    ) -> Return:
        """An administrator has paid a refund back, or can't: then it is in the wallet again. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Return:
            found = self.close_in(
                connection, return_id, sent=sent, reference=reference, words=reason, actor=by.name
            )
            after = {"state": found.state, "reference": reference}
            self._admin.record_in(connection, by, "refund", return_id, {"state": "asked"}, after, reason)
            return found

        return await self._db.write(work)

    def close_in(
        self,
        connection: sa.Connection,
        return_id: str,
        *,
        sent: bool,
        reference: str | None,
        words: str,
        actor: str,
    ) -> Return:
        """`close` without the audit log. Repeats change nothing. Raises NotFound, Conflict (it ended otherwise)."""
        found, order = self._locked(connection, return_id)
        state = "done" if sent else "failed"
        if found.state == state:
            return found
        if (
            found.state == "failed"
        ):  # it is in the wallet again; one that was sent may come back from the bank
            raise Conflict("This refund failed: it is in the wallet again")
        same = {"kind": "refund", "external_id": reference or found.external_id or ""}
        if any(other.id != return_id for other in store.find_returns(connection, same, None, 2)):
            raise Conflict("Another refund has this reference")
        values = {
            "state": state,
            "external_id": reference or found.external_id,
            "closed_at": self._clock.now_ms(),
            "words": words[:500],
        }
        store.change_return(connection, return_id, values)
        if not sent:
            self._put_back(connection, order, found.nano, actor, f"refund of order {order.id} failed", None)
        closed = msgspec.structs.replace(found, **values)
        told.refund_in(connection, self._mail, closed)
        return closed

    def refunded_in(self, connection: sa.Connection, order: Order, total_nano: int, actor: str) -> None:
        """So much of a locked order was refunded in all, perhaps not by us: what of it is still in the wallet leaves it."""
        before = store.find_returns(connection, {"kind": "refund", "order_id": order.id}, None, _ALL)
        ours = sum(found.nano for found in before if found.state != "failed") - self._came_back(
            connection, order
        )
        amount = min(total_nano - ours, order.credit_nano - order.returned_nano)
        if amount > 0:
            self._take_in(connection, order, amount, kind="refund", state="done", actor=actor, unused=False)

    def lost_in(
        self, connection: sa.Connection, order: Order, minor: int, refund_id: str, actor: str
    ) -> None:
        """A refund made at the processor's console did not arrive: what left the wallet for it is there again, once per refund."""
        if store.find_returns(connection, {"kind": "reinstated", "external_id": refund_id}, None, 1):
            return
        by_hand = {"kind": "refund", "order_id": order.id, "actor": actor, "state": "done"}
        left = sum(
            f.nano for f in store.find_returns(connection, by_hand, None, _ALL) if f.external_id is None
        )
        amount = min(minor * CENT, left - self._came_back(connection, order))
        if amount > 0:
            memo = f"refund of order {order.id} failed"
            self._put_back(connection, order, amount, actor, memo, refund_id)

    def _came_back(self, connection: sa.Connection, order: Order) -> int:
        """What came back of refunds made at the processor's console, nano-dollars."""
        found = store.find_returns(connection, {"order_id": order.id}, None, _ALL)
        cases = {_case_of(f) for f in found if f.kind == "chargeback"}
        return sum(f.nano for f in found if f.kind == "reinstated" and _case_of(f) not in {None, *cases})

    def waiting_in(self, connection: sa.Connection, order: Order) -> list[Return]:
        """Refunds of an order that have left the wallet, and of which nobody knows yet whether they arrive."""
        where = {"order_id": order.id, "kind": "refund", "state": "asked"}
        return store.find_returns(connection, where, None, _ALL)

    async def charge_back(
        self, by: Actor, order_id: str, minor: int, *, reference: str, reason: str
    ) -> Return | None:
        """A bank took a payment back, or part of it, as its case is named. None = all of it had gone back before. Raises NotFound,
        Conflict, BadRequest."""

        def work(connection: sa.Connection) -> Return | None:
            order = self._orders.of(connection, None, order_id, lock=True)
            taken = self.charge_back_in(connection, order, minor, reference, by.name)
            after = {"taken": 0 if taken is None else taken.minor, "case": reference}
            self._admin.record_in(
                connection,
                by,
                "chargeback",
                order_id,
                {"returned": order.returned_nano // CENT},
                after,
                reason,
            )
            return taken

        return await self._db.write(work)

    def charge_back_in(
        self, connection: sa.Connection, order: Order, minor: int, case: str, actor: str
    ) -> Return | None:
        """Takes back what of a locked order's payment had not gone back, once per case; debt where it is spent. Raises
        Conflict (not paid here, a refund waits)."""
        if order.state != "paid" or not order.minor:
            raise Conflict("This order was not paid here")
        before = store.find_returns(connection, {"kind": "chargeback", "external_id": case}, None, 1)
        if before:
            if before[0].order_id != order.id:
                raise Conflict("This case is another order's")
            return before[0]
        if self.waiting_in(
            connection, order
        ):  # were it to fail later, the payer would have what the bank took
            raise Conflict("A refund of this order waits: say first what became of it", code="refund_waits")
        return self._charge_in(connection, order, minor * CENT, case, actor)

    def case_in(self, connection: sa.Connection, order: Order, case: str, minor: int, actor: str) -> None:
        """Books a bank's case of a locked, paid order as it stands now: minor is what the bank has of the payment at present. A case
        may take, give back (all or a part), and take again; what had gone back to the payer otherwise is not taken twice."""
        rows = [
            found
            for found in store.find_returns(connection, {"order_id": order.id}, None, _ALL)
            if found.kind != "refund" and _case_of(found) == case
        ]
        has = sum(-found.nano if found.kind == "reinstated" else found.nano for found in rows)
        name = case if not rows else f"{case}{_AGAIN}{len(rows) + 1}"
        if minor * CENT > has:
            self._charge_in(connection, order, minor * CENT - has, name, actor)
        elif minor * CENT < has:
            memo = f"dispute of order {order.id} won"
            self.freeze_in(connection, order, frozen=False)
            self._put_back(connection, order, has - minor * CENT, actor, memo, name)

    def _charge_in(
        self, connection: sa.Connection, order: Order, nano: int, case: str, actor: str
    ) -> Return | None:
        amount = min(nano, order.credit_nano - order.returned_nano)
        if amount <= 0:
            return None
        taken = self._take_in(
            connection, order, amount, kind="chargeback", state="done", actor=actor, unused=False, case=case
        )
        since = order.closed_at or order.created_at
        self._ledger.claw_back_in(connection, order.user_id, since, f"chargeback of order {order.id}")
        owed = self._ledger.balance_in(connection, order.user_id).available
        if owed < 0:
            log.error("chargeback of order %s: its account owes %d nano-dollars", order.id, -owed)
        return taken

    async def reinstate(self, by: Actor, order_id: str, *, reference: str, reason: str) -> Return:
        """A bank gave back what it had taken in this case. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Return:
            order = self._orders.of(connection, None, order_id, lock=True)
            back = self.reinstate_in(connection, order, reference, by.name)
            self._admin.record_in(
                connection, by, "reinstate", order_id, {}, {"case": reference, "back": back.minor}, reason
            )
            return back

        return await self._db.write(work)

    def reinstate_in(self, connection: sa.Connection, order: Order, case: str, actor: str) -> Return:
        """`reinstate` of a locked order, once per case, and thaws what was frozen. Raises NotFound (no such case)."""
        again = store.find_returns(connection, {"kind": "reinstated", "external_id": case}, None, 1)
        if again:
            return again[0]
        taken = store.find_returns(
            connection, {"kind": "chargeback", "external_id": case, "order_id": order.id}, None, 1
        )
        if not taken:
            raise NotFound("No such case of this order")
        self.freeze_in(connection, order, frozen=False)
        return self._put_back(
            connection, order, taken[0].nano, actor, f"dispute of order {order.id} won", case
        )

    def freeze_in(self, connection: sa.Connection, order: Order, *, frozen: bool) -> None:
        """What is left of a disputed payment pays for nothing until the bank has decided."""
        if order.state == "paid":
            self._ledger.freeze_in(connection, order.user_id, order.id, frozen=frozen)
            store.change_order(connection, order.id, {"disputed": int(frozen)})

    def _refundable(self, connection: sa.Connection, order: Order) -> int:
        since = self._clock.now_ms() - self._settings().refund_days * DAY_MS
        if order.state != "paid" or not order.minor or order.disputed or (order.closed_at or 0) < since:
            return 0
        unused = self._ledger.unused_in(connection, order.user_id, order.id)
        return min(unused, order.credit_nano - order.returned_nano) // CENT * CENT

    def _take_in(
        self, connection: sa.Connection, order: Order, amount: int, *, kind: str, state: str, actor: str, unused: bool,
        case: str | None = None,
    ) -> Return:  # fmt: skip
        seq = self._ledger.take_back_in(
            connection, order.user_id, amount, order.id, f"{kind} of order {order.id}", unused=unused
        )
        now = self._clock.now_ms()
        return self._add(connection, order, amount, {
            "kind": kind, "state": state, "seq": seq, "actor": actor, "external_id": case,
            "closed_at": None if state == "asked" else now,
        }, order.returned_nano + amount)  # fmt: skip

    def _put_back(
        self, connection: sa.Connection, order: Order, amount: int, actor: str, memo: str, case: str | None
    ) -> Return:
        source = "transfer" if order.method == "transfer" else "order"
        seq = self._ledger.put_back_in(connection, order.user_id, amount, order.id, memo, source)
        return self._add(connection, order, amount, {
            "kind": "reinstated", "state": "done", "seq": seq, "actor": actor, "external_id": case,
            "closed_at": self._clock.now_ms(),
        }, order.returned_nano - amount)  # fmt: skip

    def _add(
        self,
        connection: sa.Connection,
        order: Order,
        amount: int,
        values: Mapping[str, object],
        returned: int,
    ) -> Return:
        row = {
            "id": new_id("ret"), "order_id": order.id, "user_id": order.user_id, "nano": amount, "minor": amount // CENT,
            "words": "", "created_at": self._clock.now_ms(), **values,
        }  # fmt: skip
        found = msgspec.convert(row, Return)
        store.add_return(connection, found)
        store.change_order(connection, order.id, {"returned_nano": returned})
        return found

    def _locked(self, connection: sa.Connection, return_id: str) -> tuple[Return, Order]:
        """A refund as it is once its order is locked. Raises NotFound."""
        for last in (False, True):
            found = store.find_returns(connection, {"id": return_id, "kind": "refund"}, None, 1)
            if not found:
                raise NotFound("No such refund")
            if not last:
                order = self._orders.of(connection, None, found[0].order_id, lock=True)
        return found[0], order


def _case_of(found: Return) -> str | None:
    """The bank's case that a row is of."""
    return None if found.external_id is None else found.external_id.partition(_AGAIN)[0]

"""Automatic recharge: a saved card is charged when a balance falls below what its owner wished. Never in a request's way.

Off until its owner agrees to an amount, a limit a month and a card; one charge at a time, at least ten minutes apart; the first one
that fails ends it until its owner switches it on again. Each charge is an order, committed before the card is charged, credited as
every other order is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound, Unavailable
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import Ledger
from agent_marketplace.mail import Mail
from agent_marketplace.payments import store, told
from agent_marketplace.payments.orders import Orders
from agent_marketplace.payments.processor import KEY_LIVES_MS, Charge, Processor, Refused, Session
from agent_marketplace.payments.types import CENT, CURRENCY, Order, Plan, Said
from agent_marketplace.settings import PaymentSettings

log = logging.getLogger(__name__)
APART_MS = 600_000
_ASK_AFTER_MS = 600_000
_PAGE_OVER_MS = 25 * 3_600_000  # its page to save a card closes after a day
_AT_ONCE = 10


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner agreed to, nano-dollars: below what, how much, and at most how much in a calendar month (UTC)."""

    threshold: int
    amount: int
    monthly: int


class Recharge:
    """Automatic recharges. site: the public address, to come back to."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        orders: Orders,
        processor: Processor,
        settings: Callable[[], PaymentSettings],
        clock: Clock,
        mail: Mail,
        site: str | None,
    ) -> None:
        self._db = db
        self._ledger = ledger
        self._orders = orders
        self._processor = processor
        self._settings = settings
        self._clock = clock
        self._mail = mail
        self._back = f"{site or ''}/account"

    async def plan(self, user_id: str) -> tuple[Plan | None, int]:
        """(how they are recharged, what of this month's limit is used, nano-dollars)"""
        since = month_start(self._clock.now_ms())
        return await self._db.read(
            lambda c: (store.plan(c, user_id), store.recharged_since(c, user_id, since))
        )

    async def turn_on(self, user_id: str, wish: Wish, *, new_card: bool) -> tuple[Plan, str | None]:
        """Their consent to these amounts. With a saved card it is on from now; else, or with new_card, it waits for the page that is
        returned, where one is saved. Raises BadRequest, Unavailable."""
        if not self._settings().recharge:
            raise BadRequest("This server charges no saved cards", code="no_recharge")
        self._check(wish)
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> Plan:
            before = store.plan(connection, user_id, lock=True)
            card = None if before is None or new_card else before.card
            known = {} if before is None else {
                name: getattr(before, name) for name in ("customer", "card", "card_words", "next_at", "told_month")
            }  # fmt: skip
            made = Plan(
                user_id=user_id, state="waiting" if card is None else "on", threshold_nano=wish.threshold, amount_nano=wish.amount,
                monthly_nano=wish.monthly, consented_at=now, changed_at=now, **known,
            )  # fmt: skip
            store.put_plan(connection, made)
            return made

        plan = await self._db.write(work)
        return (plan, None) if plan.state == "on" else await self._page(plan)

    async def _page(self, plan: Plan) -> tuple[Plan, str | None]:
        """The page where the card is saved. What is asked of the processor is committed before the next call."""
        key = new_id("key")
        try:
            if plan.customer is None:
                customer = await self._processor.customer(f"customer-{key}", plan.user_id)
                plan = await self._change(plan, customer=customer)
            page = await self._save(plan, f"card-{key}")
        except Refused as error:
            raise Unavailable("The payment processor refused to save a card") from error
        return await self._change(plan, session=page.id), page.url

    async def _save(self, plan: Plan, key: str) -> Session:
        """A page for the plan's customer. One that was deleted at the processor's console is made anew. Raises Refused."""
        assert plan.customer is not None  # just made
        try:
            return await self._processor.save_card(plan.customer, key, plan.user_id, self._back)
        except Refused:
            customer = await self._processor.customer(f"customer-of-{key}", plan.user_id)
            plan = await self._change(plan, customer=customer)
            return await self._processor.save_card(customer, f"{key}-anew", plan.user_id, self._back)

    async def _change(self, plan: Plan, **values: str) -> Plan:
        def work(connection: sa.Connection) -> Plan:
            now = store.plan(connection, plan.user_id, lock=True)
            if now is None or now.consented_at != plan.consented_at:
                raise Conflict("This was changed meanwhile: look again")
            changed = msgspec.structs.replace(now, **values)
            store.put_plan(connection, changed)
            return changed

        return await self._db.write(work)

    async def turn_off(self, user_id: str) -> Plan:
        """No charge begins from now on; the card stays saved. Raises NotFound."""

        def work(connection: sa.Connection) -> Plan:
            plan = store.plan(connection, user_id, lock=True)
            if plan is None:
                raise NotFound("Nothing is recharged automatically")
            return self._off_in(connection, plan, "", mail=False)

        return await self._db.write(work)

    async def forget_card(self, user_id: str) -> None:
        """The card is deleted here, and at the processor within a minute. Raises Conflict (it is being charged)."""

        def work(connection: sa.Connection) -> None:
            store.plan(connection, user_id, lock=True)
            if store.recharge_on_its_way(connection, user_id):
                raise Conflict("A payment is on its way: try again in a few minutes")
            store.drop_plan(connection, user_id)

        await self._db.write(work)

    async def saved(self, session: Session) -> None:
        """A page to save a card, as the processor has it: it counts for the plan that waits for this very page, once."""

        def work(connection: sa.Connection) -> None:
            plan = store.plan(connection, session.account, lock=True)
            if plan is None or (plan.state, plan.session, plan.customer) != (
                "waiting",
                session.id,
                session.customer,
            ):
                return
            now = self._clock.now_ms()
            if session.card is not None:
                state, words = {"state": "on", "card": session.card.id, "card_words": session.card.words}, ""
            elif session.state == "expired" or plan.changed_at < now - _PAGE_OVER_MS:
                state, words = {"state": "off"}, "no card was saved"
            else:
                return
            store.put_plan(
                connection, msgspec.structs.replace(plan, **state, session=None, words=words, changed_at=now)
            )

        await self._db.write(work)

    async def beat(self) -> int:
        """The housekeeper's round: charges cards of balances that are low. Returns how many were tried."""
        if not self._settings().recharge:
            return 0
        now = self._clock.now_ms()
        due = await self._db.read(lambda c: store.recharges_due(c, now, _AT_ONCE))
        made = [await self._db.write(partial(self._order_in, user_id=user)) for user in due]
        orders = [order for order in made if order is not None]
        await asyncio.gather(*(self._try(order) for order in orders))
        return len(orders)

    def _order_in(self, connection: sa.Connection, user_id: str) -> Order | None:
        """The order of a charge that is due, under the locks of its plan and its wallet."""
        plan = store.plan(connection, user_id, lock=True)
        store.lock_wallet(connection, user_id)
        now = self._clock.now_ms()
        if plan is None or not store.recharges_due(connection, now, 1, user_id):
            return None
        used = store.recharged_since(connection, user_id, month_start(now))
        if used + plan.amount_nano > plan.monthly_nano:
            self._limit_in(connection, plan, now)
            return None
        order = Order(
            id=new_id("ord"), user_id=user_id, method="auto", state="pending", credit_nano=plan.amount_nano, currency=CURRENCY,
            minor=plan.amount_nano // CENT, created_at=now,
        )  # fmt: skip
        store.add_order(connection, order)
        store.put_plan(connection, msgspec.structs.replace(plan, next_at=now + APART_MS))
        return order

    def _limit_in(self, connection: sa.Connection, plan: Plan, now: int) -> None:
        """This month's limit does not allow another: told once a month, looked at again an hour later."""
        month = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m")
        if plan.told_month != month:
            told.recharge_in(connection, self._mail, plan, "limit", "")
        changed = msgspec.structs.replace(plan, told_month=month, next_at=now + 3_600_000)
        store.put_plan(connection, changed)

    async def _try(self, order: Order) -> None:
        """Charges the card; where nobody can say what became of it, the order stays and the sweep asks again."""
        plan = await self._db.write(lambda c: self._still_agreed_in(c, order.id))
        if plan is None or plan.customer is None or plan.card is None:
            return
        try:
            await self._ended(await self._processor.charge(order, plan.customer, plan.card))
        except Refused as error:
            await self._db.write(partial(self._failed_in, order_id=order.id, words=str(error)))
        except Unavailable as error:
            log.warning("order %s: the saved card can't be charged now: %s", order.id, error.message)

    def _still_agreed_in(self, connection: sa.Connection, order_id: str) -> Plan | None:
        """The plan of an order that nobody has charged yet. None: its owner has switched it off or agreed to other amounts meanwhile,
        the operator has, a bank disputes, or the account is suspended or gone; then the order is over."""
        order = store.order(connection, order_id, lock=True)
        if order is None or order.state != "pending":
            return None
        plan = store.plan(connection, order.user_id, lock=True)
        used = store.recharged_since(connection, order.user_id, month_start(order.created_at))
        if (
            plan is not None
            and (plan.state, plan.amount_nano) == ("on", order.credit_nano)
            and used <= plan.monthly_nano
            and store.may_be_charged(connection, order.user_id)
            and self._settings().recharge
        ):
            return plan
        self._orders.close_in(connection, order, "cancelled", "switched off before it was charged")
        return None

    async def look(self, payment: str) -> None:
        """Asks the processor about a charge of a saved card and does what follows."""
        await self._ended(await self._processor.charged(payment))

    async def _ended(self, charge: Charge) -> None:
        def work(connection: sa.Connection) -> None:
            order = store.order(connection, charge.order_id, lock=True)
            if order is None or order.method != "auto":  # a payment at a page: its session tells
                return
            if charge.state == "failed":
                self._failed_in(connection, order.id, charge.words)
            elif charge.state == "waiting":
                if order.session is None:
                    store.change_order(connection, order.id, {"session": charge.id})
            else:
                self._orders.settle_in(connection, _said(charge))

        await self._db.write(work)

    def _failed_in(self, connection: sa.Connection, order_id: str, words: str) -> None:
        order = store.order(connection, order_id, lock=True)
        if order is not None and order.state == "pending":
            self._orders.close_in(connection, order, "failed", words)
            plan = store.plan(connection, order.user_id, lock=True)
            if plan is not None:
                self._off_in(connection, plan, f"the card was refused: {words}", mail=True)

    def stop_in(self, connection: sa.Connection, user_id: str, words: str) -> None:
        """Ends it for a reason that its owner is told."""
        plan = store.plan(connection, user_id, lock=True)
        if plan is not None and plan.state in ("on", "waiting"):
            self._off_in(connection, plan, words, mail=True)

    def _off_in(self, connection: sa.Connection, plan: Plan, words: str, *, mail: bool) -> Plan:
        """plan: as it is, under its lock."""
        off = msgspec.structs.replace(
            plan, state="off", session=None, words=words[:300], changed_at=self._clock.now_ms()
        )
        store.put_plan(connection, off)
        if mail:
            told.recharge_in(connection, self._mail, off, "stopped", words)
        return off

    async def sweep(self) -> None:
        """Every minute: charges and pages of which nothing was heard for ten minutes, and customers that are to be deleted."""
        now = self._clock.now_ms()
        before = now - _ASK_AFTER_MS
        pending = await self._db.read(lambda c: store.pending_since(c, "auto", before, "", 50))
        waiting = await self._db.read(lambda c: store.plans_in(c, "waiting", before, 50))
        leaving = await self._db.read(lambda c: store.plans_in(c, "leaving", now, 50))
        for order in pending:
            await self._quietly(self._again(order))
        for plan in waiting:
            await self._quietly(self._page_again(plan))
        for plan in leaving:
            await self._quietly(self._gone(plan))

    async def _quietly(self, asked: Awaitable[None]) -> None:
        try:
            await asked
        except (Unavailable, Refused) as error:
            log.warning("a saved card can't be asked about: %s", error)

    async def _again(self, order: Order) -> None:
        """A charge that is known is looked at; one that nobody has heard of is made with the same key, which makes it once."""
        if order.session is not None:
            known = await self._processor.charged(order.session)
            if known.state == "waiting" and order.created_at < self._clock.now_ms() - KEY_LIVES_MS:
                known = await self._processor.give_up(order.session)  # else no other one ever begins
            await self._ended(known)
            return
        plan = (await self.plan(order.user_id))[0]
        customer = None if plan is None else plan.customer
        charge = None if customer is None else await self._processor.find_charge(customer, order.id)
        if charge is not None:
            await self._ended(charge)
        elif order.created_at > self._clock.now_ms() - KEY_LIVES_MS and plan is not None:
            await self._try(order)
        else:
            await self._db.write(lambda c: self._failed_in(c, order.id, "it was not charged"))

    async def _page_again(self, plan: Plan) -> None:
        if plan.session is not None:
            await self.saved(await self._processor.session(plan.session))
        else:  # the process died before there was a page

            def work(connection: sa.Connection) -> None:
                if (
                    store.plan(connection, plan.user_id, lock=True) == plan
                ):  # else its owner has begun anew meanwhile
                    self._off_in(connection, plan, "no card was saved", mail=False)

            await self._db.write(work)

    async def _gone(self, plan: Plan) -> None:
        if plan.customer is not None:
            await self._processor.forget(plan.customer)
        await self._db.write(lambda c: store.delete_plan(c, plan.user_id))

    def _check(self, wish: Wish) -> None:
        least, most = self._settings().least_nano, self._settings().most_nano
        if not least <= wish.amount <= most or wish.amount % CENT:
            raise BadRequest(f"The amount is from ${least // 10**9} to ${most // 10**9}, in whole cents")
        if not 0 < wish.threshold <= most:
            raise BadRequest(f"It recharges below an amount from above $0 to ${most // 10**9}")
        if wish.monthly < wish.amount:
            raise BadRequest("The limit a month is at least one recharge")


def month_start(now_ms: int) -> int:
    """The beginning of the calendar month (UTC), ms."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return int(datetime(now.year, now.month, 1, tzinfo=UTC).timestamp()) * 1000


def _said(charge: Charge) -> Said:
    shown = msgspec.json.encode(msgspec.structs.replace(charge, payer="")).decode()
    return Said(
        method="auto", order_id=charge.order_id, external_id=charge.id, currency=charge.currency, minor=charge.minor,
        account=charge.account, body=shown, payer=charge.payer,
    )  # fmt: skip

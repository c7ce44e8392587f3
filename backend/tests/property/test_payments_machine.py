"""Any order of orders, payments, events (late, twice, never), refunds, disputes, charges, codes, ends and crashes, on both databases:
no order credits twice, nothing is lost, lots are the balance after every step."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.payments.recharge import Wish
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.examples import run_machine
from tests.fakes.paying import BOSS, Desk, opened
from tests.fakes.stripe import StripeError

pytest.importorskip("stripe")
which = st.integers(0, 99)


class Machine(RuleBasedStateMachine):
    def __init__(self, database, runner) -> None:
        super().__init__()
        self.run = runner.run
        with database.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.shop: Desk = opened(database, ManualClock())
        self.count = 0
        self.orders: list[Any] = []
        self.codes: list[str] = []
        self.given = 0  # nano-dollars by codes
        self.spent = 0

    def tried(self, call):
        """What the room refuses is no fault of its; anything else is."""
        try:
            return self.run(call)
        except MarketplaceError:
            return None

    def one(self, found, number):
        return found[number % len(found)] if found else None

    def of(self, kind):
        return [x for x in self.shop.stripe.objects.values() if x["object"] == kind]

    @rule(dollars=st.integers(5, 40), method=st.sampled_from(["stripe", "stripe", "webhook", "transfer"]))
    def order(self, dollars, method):
        self.count += 1
        made = self.run(
            self.shop.payments.orders.make("ann", method, dollars * DOLLAR, attempt=f"attempt-{self.count}")
        )
        self.orders.append(made)
        if method == "stripe":
            self.tried(self.shop.payments.checkout.start(made))

    @rule(n=which, later=st.booleans())
    def pay(self, n, later):
        session = self.one(
            [s for s in self.of("checkout.session") if (s["mode"], s["status"]) == ("payment", "open")], n
        )
        if session is not None:
            self.shop.stripe.pay(session["id"], later=later)

    @rule(n=which)
    def decline(self, n):
        session = self.one(
            [s for s in self.of("checkout.session") if (s["mode"], s["status"]) == ("payment", "open")], n
        )
        if session is not None:
            self.shop.stripe.decline(session["id"])

    @rule(n=which)
    def clear(self, n):
        waiting = [
            s
            for s in self.of("checkout.session")
            if (s["status"], s["payment_status"]) == ("complete", "unpaid")
        ]
        if (session := self.one(waiting, n)) is not None:
            self.shop.stripe.clear(session["id"])

    @rule(
        monthly=st.integers(20, 90),
        card=st.sampled_from(["good", "good", "slow", "declined"]),
        new_card=st.booleans(),
    )
    def recharge_on(self, monthly, card, new_card):
        wish = Wish(threshold=10 * DOLLAR, amount=20 * DOLLAR, monthly=monthly * DOLLAR)
        made = self.tried(self.shop.payments.recharge.turn_on("ann", wish, new_card=new_card))
        if made is not None and made[1] is not None:
            self.shop.stripe.save(made[1].rsplit("/", 1)[-1], card)

    @rule(forget=st.booleans())
    def recharge_off(self, forget):
        room = self.shop.payments.recharge
        self.tried(room.forget_card("ann") if forget else room.turn_off("ann"))

    @rule(minutes=st.integers(0, 70))
    def recharge(self, minutes):
        self.shop.clock.advance(minutes * 60)
        self.tried(self.shop.payments.beat())

    @rule(n=which, arrives=st.booleans())
    def slow_charge(self, n, arrives):
        stripe = self.shop.stripe
        if (payment := self.one([p for p in self.of("payment_intent") if p.get("customer")], n)) is not None:
            (stripe.clear_charge if arrives else stripe.bounce_charge)(payment["id"])

    @rule(n=which)
    def bounce(self, n):
        waiting = [
            s for s in self.of("checkout.session") if s["payment_status"] == "unpaid" and s["payment_intent"]
        ]
        if (session := self.one(waiting, n)) is not None:
            self.shop.stripe.bounce(session["id"])

    @rule(n=which)
    def leave(self, n):
        if (
            session := self.one([s for s in self.of("checkout.session") if s["mode"] == "payment"], n)
        ) is not None:
            self.shop.stripe.expire(session["id"])

    @rule(n=which, times=st.integers(1, 3))
    def event(self, n, times):
        if (event := self.one(self.shop.stripe.outbox, n)) is not None:
            for _ in range(times):
                self.tried(self.shop.payments.checkout.event(*self.shop.stripe.signed(event)))

    @rule(n=which, times=st.integers(1, 2), wrong=st.booleans())
    def notice(self, n, times, wrong):
        order = self.one([o for o in self.orders if o.method == "webhook"], n)
        if order is not None:
            for _ in range(times):
                more = {"amount": order.minor + 1, "id": f"bad-{order.id}"} if wrong else {"id": order.id}
                self.tried(self.shop.payments.orders.notice(*self.shop.notice(order, **more)))

    @rule(n=which)
    def arrive(self, n):
        if (order := self.one([o for o in self.orders if o.method == "transfer"], n)) is not None:
            said = {"reference": f"bank-{order.id}", "reason": "statement"}
            self.tried(self.shop.payments.orders.received(BOSS, order.id, order.minor, "USD", **said))

    @rule(n=which)
    def cancel(self, n):
        if (order := self.one(self.orders, n)) is not None:
            self.tried(self.shop.payments.orders.cancel("ann", order.id))

    @rule(n=which)
    def refund(self, n):
        if (order := self.one(self.orders, n)) is not None:
            asked = self.tried(self.shop.payments.returns.ask("ann", order.id))
            if asked is not None:
                self.tried(self.shop.payments.checkout.refund(asked))

    @rule(n=which, cents=st.integers(1, 700))
    def refund_at_stripes_console(self, n, cents):
        if (payment := self.one([p for p in self.of("payment_intent") if p["latest_charge"]], n)) is not None:
            try:
                self.shop.stripe.refund_by_hand(payment["id"], cents)
            except StripeError:
                return

    @rule(n=which)
    def refund_comes_back(self, n):
        if (refund := self.one(self.of("refund"), n)) is not None:
            self.shop.stripe.fail_refund(refund["id"])

    @rule(n=which, sent=st.booleans())
    def pay_out(self, n, sent):
        waiting = self.run(self.shop.payments.returns.find({"state": "asked"}, None, 99))
        mine = [r for r in waiting if r.order_id in {o.id for o in self.orders if o.method != "stripe"}]
        if (found := self.one(mine, n)) is not None:
            reference = f"out-{found.id}" if sent else None
            self.tried(
                self.shop.payments.returns.close(BOSS, found.id, sent=sent, reference=reference, reason="r")
            )

    @rule(n=which, whole=st.booleans())
    def dispute(self, n, whole):
        undisputed = [
            p
            for p in self.of("payment_intent")
            if p["latest_charge"]
            and not any(self.shop.stripe.objects[p["latest_charge"]].get(w) for w in ("disputed", "failed"))
        ]
        if (payment := self.one(undisputed, n)) is not None:
            charge = self.shop.stripe.objects[payment["latest_charge"]]
            self.shop.stripe.dispute(payment["id"], cents=charge["amount"] if whole else None)

    @rule(n=which, won=st.booleans(), part=st.integers(1, 3))
    def decide(self, n, won, part):
        if (case := self.one(self.of("dispute"), n)) is not None:
            self.shop.stripe.decide(case["id"], won=won, cents=case["amount"] // part)

    @rule(n=which)
    def taken_again(self, n):
        won = [c for c in self.of("dispute") if c["status"] == "won"]
        if (case := self.one(won, n)) is not None:
            back = case["amount"] + sum(t["amount"] for t in case["balance_transactions"])
            self.shop.stripe.withdraw(case["id"], back)

    @rule(cents=st.integers(1, 1500), keep=st.booleans())
    def spend(self, cents, keep):
        self.count += 1
        name, amount = f"r{self.count}", cents * DOLLAR // 100
        if self.tried(self.shop.ledger.hold(name, "ann", amount, price_version="v", ttl_s=10**7)) is None:
            return
        self.run(self.shop.ledger.settle(settlement(name, amount)))
        self.spent += amount
        if not keep:
            self.run(self.shop.payments.disputes.open("ann", name, "wrong", ""))
            self.run(self.shop.payments.disputes.decide(BOSS, name, grant=True, reason="right"))
            self.spent -= amount

    @rule()
    def code(self):
        made = self.run(
            self.shop.payments.codes.make(
                BOSS, "x", 1, 5 * DOLLAR, paid=True, per_account=0, days=1, credit_days=None, reason="r"
            )
        )
        self.codes += made[1]

    @rule(n=which)
    def redeem(self, n):
        if (code := self.one(self.codes, n)) is not None:
            self.tried(self.shop.payments.codes.redeem("ann", code))

    @rule(away=st.integers(0, 2), lost=st.integers(0, 2))
    def outage(self, away, lost):
        self.shop.stripe.away, self.shop.stripe.lost = away, lost

    @rule(hours=st.integers(0, 30))
    def wait(self, hours):
        self.shop.clock.advance(hours * 3600 + 601)
        self.tried(self.shop.payments.sweep())

    @invariant()
    def the_books_agree_and_nothing_counts_twice(self):
        assert self.shop.problems() == []
        orders = self.run(self.shop.payments.orders.find({"user_id": "ann"}, None, 1000))
        credited = sum(o.credit_nano for o in orders if o.state == "paid")
        returned = sum(o.returned_nano for o in orders)
        assert self.run(self.shop.ledger.balance("ann")).balance == credited - returned - self.spent
        paid = {
            s["client_reference_id"]: s["amount_total"]
            for s in self.of("checkout.session")
            if s["payment_status"] == "paid"
        } | {
            p["metadata"]["order"]: p["amount_received"] for p in self.of("payment_intent") if p.get("amount_received")
        }  # fmt: skip
        for order in orders:
            if order.method in ("stripe", "auto") and order.state == "paid":
                assert paid[order.id] == order.minor
        on_its_way = [o for o in orders if (o.method, o.state) == ("auto", "pending")]
        assert len(on_its_way) <= 1
        charges = [p["metadata"]["order"] for p in self.of("payment_intent") if p.get("customer")]
        assert len(charges) == len(set(charges))

    def teardown(self):
        """In the end all events arrive, twice and backwards: what Stripe was paid and kept is what was credited and kept."""
        self.shop.stripe.away = self.shop.stripe.lost = 0
        for event in [*self.shop.stripe.outbox[::-1], *self.shop.stripe.outbox]:
            self.run(self.shop.payments.checkout.event(*self.shop.stripe.signed(event)))
        self.shop.clock.advance(601)
        self.run(self.shop.payments.sweep())
        self.the_books_agree_and_nothing_counts_twice()
        orders = {o.id: o for o in self.run(self.shop.payments.orders.find({}, None, 1000))}
        for session in self.of("checkout.session"):
            if session["mode"] == "payment":
                self.kept(
                    orders[session["client_reference_id"]],
                    session["payment_status"] == "paid",
                    session["payment_intent"],
                )
        for payment in self.of("payment_intent"):
            if payment.get("customer"):
                self.kept(
                    orders[payment["metadata"]["order"]], payment["status"] == "succeeded", payment["id"]
                )

    def kept(self, order, was_paid, payment_id):
        assert (order.state == "paid") == was_paid
        if was_paid:
            charge = self.shop.stripe.objects[self.shop.stripe.objects[payment_id]["latest_charge"]]
            cases = [c for c in self.of("dispute") if c["payment_intent"] == payment_id]
            taken = -sum(t["amount"] for c in cases for t in c["balance_transactions"])
            left = min(charge["amount_refunded"] + taken, order.minor)
            assert order.returned_nano == left * DOLLAR // 100


def test_no_order_credits_twice_and_nothing_is_lost(database):
    run_machine(lambda runner: Machine(database, runner), database, sqlite=15, postgresql=4, steps=40)

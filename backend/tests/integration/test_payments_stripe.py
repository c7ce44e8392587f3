"""Cards: a payment is credited once however Stripe's events come, and never for less, for another, or on a forged word."""

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.errors import Conflict, Unauthorized, Unavailable
from agent_marketplace.payments import Order, store
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.paying import BOSS, Desk, desk

pytest.importorskip("stripe")


@pytest.fixture
def shop(database: Database) -> Iterator[Desk]:
    with desk(database) as found:
        yield found


async def ordered(shop: Desk, attempt: str = "attempt-1") -> tuple[Order, str]:
    """(the order, its session)"""
    order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt=attempt)
    url = await shop.payments.checkout.start(order)
    assert url is not None
    return order, url.rsplit("/", 1)[-1]


async def deliver(shop: Desk, *numbers: int) -> None:
    for number in numbers or range(len(shop.stripe.outbox)):
        await shop.payments.checkout.event(*shop.stripe.signed(shop.stripe.outbox[number]))


async def balance(shop: Desk) -> int:
    return (await shop.ledger.balance("ann")).balance


def test_a_paid_session_is_credited_once_however_often_it_is_told(shop: Desk) -> None:
    async def story() -> None:
        order, session = await ordered(shop)
        shop.stripe.pay(session)
        await asyncio.gather(*(deliver(shop) for _ in range(4)), shop.payments.checkout.look(session))
        assert await balance(shop) == 20 * DOLLAR
        assert (await shop.payments.orders.get("ann", order.id)).receipt == 1

    asyncio.run(story())


def test_accounts_that_pay_with_one_card_are_known_to_and_the_card_is_not(shop: Desk) -> None:
    async def story() -> None:
        found = []
        for attempt, card in (("a1", "fp_one"), ("a2", "fp_one"), ("a3", "fp_two"), ("a4", "")):
            order, session = await ordered(shop, f"attempt-{attempt}")
            shop.stripe.pay(session, card=card)
            await shop.payments.checkout.look(session)
            found.append((await shop.payments.orders.get("ann", order.id)).source)
        assert found[0] == found[1] != found[2]
        assert found[3] is None
        assert not any("fp_" in (one or "") for one in found)
        noted = await shop.payments.orders.events({}, None, 10)
        assert noted
        assert not any("fp_" in event.body for event in noted)

    asyncio.run(story())


def test_a_forged_an_old_and_a_tampered_event_are_nothing(shop: Desk) -> None:
    async def story() -> None:
        _, session = await ordered(shop)
        shop.stripe.pay(session)
        (event,) = shop.stripe.outbox
        header, body = shop.stripe.signed(event)
        for forged in (
            shop.stripe.signed(event, secret=""),
            shop.stripe.signed(event, secret="whsec_other"),
            shop.stripe.signed(event, age_s=400),
            (header, body.replace(b"2000", b"9000")),
            ("", body),
        ):
            with pytest.raises(Unauthorized):
                await shop.payments.checkout.event(*forged)
        assert await balance(shop) == 0

    asyncio.run(story())


def test_a_signed_event_that_lies_credits_nothing(shop: Desk) -> None:
    """What counts is what Stripe says when it is asked."""

    async def story() -> None:
        _, session = await ordered(shop)
        shop.stripe.pay(session, later=True)
        (event,) = shop.stripe.outbox
        event["data"]["object"]["payment_status"] = "paid"
        await deliver(shop)
        assert await balance(shop) == 0
        shop.stripe.clear(session)
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR

    asyncio.run(story())


@pytest.mark.parametrize(
    "wrong", [{"amount_total": 1}, {"currency": "idr"}, {"metadata": {"account": "bob"}}, {"id": "cs_other"}]
)
def test_what_was_paid_must_fit_the_order(shop: Desk, wrong: dict[str, object]) -> None:
    async def story() -> None:
        _, session = await ordered(shop)
        shop.stripe.pay(session)
        shop.stripe.objects[session] |= wrong
        await deliver(shop)
        assert await balance(shop) == 0
        assert len(await shop.payments.orders.events({"outcome": "refused"}, None, 10)) == 1

    asyncio.run(story())


def test_an_order_whose_session_answer_was_lost_finds_the_same_session(shop: Desk) -> None:
    async def story() -> None:
        order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt="attempt-1")
        shop.stripe.lost = 1
        with pytest.raises(Unavailable):
            await shop.payments.checkout.start(order)
        url = await shop.payments.checkout.start(order)
        sessions = [x for x in shop.stripe.objects.values() if x["object"] == "checkout.session"]
        assert [x["url"] for x in sessions] == [url]

    asyncio.run(story())


def test_the_sweep_finds_what_no_event_told_of(shop: Desk) -> None:
    async def story() -> None:
        _, paid = await ordered(shop)
        left, other = await ordered(shop, "attempt-2")
        shop.stripe.pay(paid)
        shop.stripe.expire(other)
        await shop.payments.sweep()
        assert await balance(shop) == 0  # not before ten minutes
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert await balance(shop) == 20 * DOLLAR
        assert (await shop.payments.orders.get("ann", left.id)).state == "cancelled"

    asyncio.run(story())


def test_an_event_that_could_not_be_booked_is_told_again_and_counts(shop: Desk) -> None:
    async def story() -> None:
        order, session = await ordered(shop)
        shop.stripe.pay(session)
        shop.stripe.away = 1
        with pytest.raises(Unavailable):  # a 503, so that Stripe repeats
            await deliver(shop)
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR
        with pytest.raises(Conflict):
            await shop.payments.orders.cancel("ann", order.id)

    asyncio.run(story())


def test_an_order_with_an_open_page_is_not_cancelled_beside_it(shop: Desk) -> None:
    async def story() -> None:
        order, _ = await ordered(shop)
        with pytest.raises(Conflict):
            await shop.payments.orders.cancel("ann", order.id)

    asyncio.run(story())


def test_a_refund_is_paid_back_once_though_its_answer_was_lost(shop: Desk) -> None:
    """sub2api#5187: without an idempotency key a second real refund went out."""

    async def story() -> None:
        order, session = await ordered(shop)
        shop.stripe.pay(session)
        await deliver(shop)
        asked = await shop.payments.returns.ask("ann", order.id)
        shop.stripe.lost = 1
        assert (await shop.payments.checkout.refund(asked)).state == "asked"
        shop.clock.advance(601)
        await shop.payments.sweep()
        await deliver(shop)  # charge.refunded tells of our own: nothing more leaves
        assert (await shop.payments.returns.find({"order_id": order.id}, None, 10))[0].state == "done"
        assert (shop.stripe.paid_out, await balance(shop)) == (2000, 0)

    asyncio.run(story())


@pytest.mark.parametrize("arrives", [True, False])
def test_a_refund_whose_answer_was_lost_a_day_ago_is_not_sent_again(shop: Desk, arrives: bool) -> None:
    """Stripe has forgotten its key of idempotency by then; there is enough left of the payment to send it twice."""

    async def story() -> None:
        order, session = await ordered(shop)
        shop.stripe.pay(session)
        await deliver(shop)
        await shop.ledger.hold("r1", "ann", 15 * DOLLAR, price_version="v")
        await shop.ledger.settle(settlement("r1", 15 * DOLLAR))
        asked = await shop.payments.returns.ask("ann", order.id)
        shop.stripe.lost = 1
        assert (await shop.payments.checkout.refund(asked)).state == "asked"
        refunds = [x for x in shop.stripe.objects.values() if x["object"] == "refund"]
        if not arrives:
            shop.stripe.fail_refund(refunds[0]["id"])
        shop.clock.advance(25 * 3600)
        await shop.payments.sweep()
        (found,) = await shop.payments.returns.find({"order_id": order.id, "kind": "refund"}, None, 10)
        assert (found.state, shop.stripe.paid_out) == (("done", 500) if arrives else ("failed", 0))
        assert await balance(shop) == (0 if arrives else 5 * DOLLAR)

    asyncio.run(story())


def test_a_refund_that_stripe_refuses_or_that_fails_later_is_in_the_wallet_again(shop: Desk) -> None:
    async def story() -> None:
        order, session = await ordered(shop)
        payment = shop.stripe.pay(session)
        await deliver(shop)
        asked = await shop.payments.returns.ask("ann", order.id)
        shop.stripe.refund_by_hand(payment, 1)
        assert (await shop.payments.checkout.refund(asked)).state == "failed"
        await deliver(shop)  # the cent by hand leaves too
        assert await balance(shop) == 20 * DOLLAR - DOLLAR // 100
        again = await shop.payments.checkout.refund(await shop.payments.returns.ask("ann", order.id))
        assert (again.state, again.minor) == ("done", 1999)
        shop.stripe.fail_refund(again.external_id or "")
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR - DOLLAR // 100

    asyncio.run(story())


@pytest.mark.parametrize("order_of_events", [(0, 1, 2), (2, 1, 0), (1, 2, 2, 0, 1), (2,)])
def test_a_dispute_takes_once_in_any_order_and_a_won_one_comes_back(
    shop: Desk, order_of_events: tuple[int, ...]
) -> None:
    async def story() -> None:
        order, session = await ordered(shop)
        payment = shop.stripe.pay(session)
        case = shop.stripe.dispute(payment)
        await deliver(shop, *order_of_events)  # the payment itself may be told of last
        assert await balance(shop) == 0
        assert (await shop.payments.orders.get("ann", order.id)).disputed == 1
        shop.stripe.decide(case, won=True)
        await deliver(shop)
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR
        assert (await shop.ledger.balance("ann")).available == 20 * DOLLAR
        assert (await shop.payments.orders.get("ann", order.id)).disputed == 0

    asyncio.run(story())


def test_an_inquiry_moves_nothing_and_a_lost_dispute_of_spent_money_is_owed(shop: Desk) -> None:
    async def story() -> None:
        _, session = await ordered(shop)
        payment = shop.stripe.pay(session)
        await deliver(shop)
        await shop.ledger.hold("r1", "ann", 15 * DOLLAR, price_version="v")
        await shop.ledger.settle(settlement("r1", 15 * DOLLAR))
        shop.stripe.dispute(payment, inquiry=True)
        await deliver(shop)
        assert await balance(shop) == 5 * DOLLAR
        case = shop.stripe.dispute(payment)
        shop.stripe.decide(case, won=False)
        await deliver(shop)
        assert await balance(shop) == -15 * DOLLAR

    asyncio.run(story())


@pytest.mark.parametrize("cents", [500, 2000])
def test_a_refund_that_waits_when_the_bank_disputes_leaves_no_money_behind(shop: Desk, cents: int) -> None:
    """The bank takes all of it, Stripe then refuses the refund: what comes back into the wallet is not the payer's any more."""

    async def story() -> None:
        order, session = await ordered(shop)
        payment = shop.stripe.pay(session)
        await deliver(shop)
        if cents < 2000:
            await shop.ledger.hold("r1", "ann", 15 * DOLLAR, price_version="v")
            await shop.ledger.settle(settlement("r1", 15 * DOLLAR))
        asked = await shop.payments.returns.ask("ann", order.id)
        shop.stripe.away = 1
        assert (await shop.payments.checkout.refund(asked)).state == "asked"
        shop.stripe.dispute(payment)
        await deliver(shop)
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert (await shop.payments.orders.get("ann", order.id)).returned_nano == 20 * DOLLAR
        assert await balance(shop) == (cents - 2000) * DOLLAR // 100
        assert shop.stripe.paid_out == 0

    asyncio.run(story())


def test_a_slow_payment_that_never_arrives_ends_its_order(shop: Desk) -> None:
    """Else it is asked about for ever, and fifty of them keep the sweep from all later ones."""

    async def story() -> None:
        order, session = await ordered(shop)
        shop.stripe.pay(session, later=True)
        await deliver(shop)
        assert (await shop.payments.orders.get("ann", order.id)).state == "pending"
        shop.stripe.bounce(session)
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert (await shop.payments.orders.get("ann", order.id)).state == "failed"
        assert await balance(shop) == 0

    asyncio.run(story())


def test_a_second_card_on_the_same_page_is_not_paid_for_nothing(shop: Desk) -> None:
    """The first one was declined, the payer looks for another, and the sweep asks meanwhile."""

    async def story() -> None:
        order, session = await ordered(shop)
        left, other = await ordered(shop, "attempt-2")
        shop.stripe.decline(session)
        shop.stripe.decline(other)
        shop.clock.advance(601)
        await shop.payments.sweep()
        await deliver(shop)
        assert (await shop.payments.orders.get("ann", order.id)).state == "pending"
        shop.stripe.pay(session)
        shop.stripe.expire(other)
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR
        assert (await shop.payments.orders.get("ann", left.id)).state == "cancelled"

    asyncio.run(story())


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_money_for_an_order_that_was_closed_is_credited_once(shop: Desk, state: str) -> None:
    async def story() -> None:
        order, session = await ordered(shop)
        shop.database.write_sync(
            lambda c: shop.payments.orders.close_in(c, order, state, "it did not arrive")
        )
        shop.stripe.pay(session)
        await deliver(shop)
        await deliver(shop)
        found = await shop.payments.orders.get("ann", order.id)
        assert (found.state, found.words, await balance(shop)) == ("paid", "", 20 * DOLLAR)

    asyncio.run(story())


def test_who_pays_after_deleting_the_account_gets_the_money_back_once(shop: Desk) -> None:
    """Its page to pay at was still open. There is no wallet any more."""

    async def story() -> None:
        _, session = await ordered(shop)

        def leave(connection: sa.Connection) -> None:
            store.cancel_pending(connection, "ann")
            connection.execute(sa.delete(users))

        shop.database.write_sync(leave)
        shop.stripe.pay(session)
        await deliver(shop)
        shop.clock.advance(25 * 3600)
        await deliver(shop)
        assert (shop.stripe.paid_out, await balance(shop)) == (2000, 0)
        assert [e.why for e in await shop.payments.orders.events({}, None, 9)] == ["the account was deleted"]

    asyncio.run(story())


def test_orders_that_wait_for_days_do_not_keep_the_sweep_from_others(shop: Desk) -> None:
    async def story() -> None:
        slow = [await ordered(shop, f"attempt-{number}") for number in range(15)]
        for _, session in slow:
            shop.stripe.pay(session, later=True)
        shop.clock.advance(60)
        _, session = await ordered(shop, "the last")
        shop.stripe.pay(session)
        shop.clock.advance(601)
        for _ in range(2):
            await shop.payments.checkout.sweep(at_once=10)
        assert await balance(shop) == 20 * DOLLAR

    asyncio.run(story())


def test_what_is_not_ours_at_stripe_is_no_fault(shop: Desk) -> None:
    """Another shop of the same Stripe account: its events are heard, and answered with 200 so that they end."""

    async def story() -> None:
        stripe = shop.stripe
        charge = stripe._new(
            "charge", "ch", amount=100, amount_refunded=0, disputed=False, payment_intent=None
        )
        case = stripe._new(
            "dispute", "dp", payment_intent=None, amount=100, balance_transactions=[{"amount": -100}], status="needs_response"
        )  # fmt: skip
        stripe._event("charge.refunded", charge)
        stripe._event("charge.dispute.created", case)
        stripe._event("checkout.session.completed", {"id": "cs_of_test_mode", "object": "checkout.session"})
        await deliver(shop)
        assert await balance(shop) == 0

    asyncio.run(story())


def test_a_refund_by_hand_that_fails_is_in_the_wallet_again_once(shop: Desk) -> None:
    async def story() -> None:
        _, session = await ordered(shop)
        payment = shop.stripe.pay(session)
        made = shop.stripe.refund_by_hand(payment, 700)
        await deliver(shop)
        assert await balance(shop) == 13 * DOLLAR
        shop.stripe.fail_refund(made["id"])
        await deliver(shop)
        await deliver(shop)
        assert await balance(shop) == 20 * DOLLAR

    asyncio.run(story())


def test_a_bank_says_nothing_while_a_refund_of_the_same_payment_waits(shop: Desk) -> None:
    """By hand: whoever books a chargeback first says what became of the refund, or the payer has both."""

    async def story() -> None:
        order = await shop.payments.orders.make("ann", "transfer", 20 * DOLLAR, attempt="attempt-1")
        await shop.payments.orders.received(BOSS, order.id, 2000, "USD", reference="b", reason="r")
        asked = await shop.payments.returns.ask("ann", order.id)
        with pytest.raises(Conflict):
            await shop.payments.returns.charge_back(BOSS, order.id, 2000, reference="c", reason="r")
        await shop.payments.returns.close(BOSS, asked.id, sent=False, reference=None, reason="r")
        await shop.payments.returns.charge_back(BOSS, order.id, 2000, reference="c", reason="r")
        assert await balance(shop) == 0

    asyncio.run(story())

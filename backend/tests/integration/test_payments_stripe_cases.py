"""Cards: banks give back a part, take again, take more than was left; refunds fail weeks later; other servers share the account.

After every story the books agree (`desk`), and what is in the wallet is what the operator still has of the payment.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.errors import Unauthorized
from agent_marketplace.payments import Order, store
from agent_marketplace.payments.recharge import Wish
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.paying import Desk, desk

pytest.importorskip("stripe")


@pytest.fixture
def shop(database: Database) -> Iterator[Desk]:
    with desk(database) as found:
        yield found


async def paid(shop: Desk, attempt: str = "attempt-1") -> tuple[Order, str]:
    """(an order of $20 that is credited, its payment)"""
    order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt=attempt)
    url = await shop.payments.checkout.start(order)
    assert url is not None
    payment = shop.stripe.pay(url.rsplit("/", 1)[-1])
    await deliver(shop)
    return order, payment


async def deliver(shop: Desk) -> None:
    """Every event so far, the oldest and the newest of them twice."""
    for event in [*shop.stripe.outbox, shop.stripe.outbox[0]]:
        await shop.payments.checkout.event(*shop.stripe.signed(event))


async def cents(shop: Desk) -> tuple[int, int]:
    """(the balance, what of it can be spent)"""
    found = await shop.ledger.balance("ann")
    return found.balance * 100 // DOLLAR, found.available * 100 // DOLLAR


async def spend(shop: Desk, dollars: int) -> None:
    await shop.ledger.hold("r1", "ann", dollars * DOLLAR, price_version="v")
    await shop.ledger.settle(settlement("r1", dollars * DOLLAR))


def test_a_dispute_that_is_won_in_part_brings_that_part_back(shop: Desk) -> None:
    async def story() -> None:
        _, payment = await paid(shop)
        case = shop.stripe.dispute(payment)
        await deliver(shop)
        shop.stripe.decide(case, won=True, cents=500)
        await deliver(shop)
        assert await cents(shop) == (500, 500)

    asyncio.run(story())


def test_a_bank_that_takes_again_after_it_gave_back_has_the_money(shop: Desk) -> None:
    async def story() -> None:
        order, payment = await paid(shop)
        case = shop.stripe.dispute(payment)
        await deliver(shop)
        shop.stripe.decide(case, won=True)
        await deliver(shop)
        assert await cents(shop) == (2000, 2000)
        shop.stripe.withdraw(case, 800)
        await deliver(shop)
        assert await cents(shop) == (1200, 0)  # the rest waits for the bank
        shop.stripe.decide(case, won=False)
        await deliver(shop)
        assert await cents(shop) == (1200, 1200)
        shop.stripe.objects[case]["status"] = "needs_response"
        shop.stripe.decide(case, won=True, cents=800)
        await deliver(shop)
        assert await cents(shop) == (2000, 2000)
        kinds = [r.kind for r in await shop.payments.returns.find({"order_id": order.id}, None, 9)]
        assert sorted(kinds) == ["chargeback", "chargeback", "reinstated", "reinstated"]

    asyncio.run(story())


def test_what_moved_in_another_currency_counts_by_its_share(shop: Desk) -> None:
    """Operators whose account at Stripe is not in dollars."""

    async def story() -> None:
        _, payment = await paid(shop)
        found = shop.stripe.objects[shop.stripe.dispute(payment)] | {"currency": "usd"}
        for moves, left in (([-1840], 0), ([-1840, 460], 500), ([-1840, 1840], 2000)):
            found["balance_transactions"] = [{"amount": amount, "currency": "eur"} for amount in moves]
            shop.stripe.objects[found["id"]] = found
            await deliver(shop)
            assert (await cents(shop))[0] == left

    asyncio.run(story())


def test_one_of_two_disputes_that_ends_does_not_free_what_the_other_may_take(shop: Desk) -> None:
    async def story() -> None:
        _, payment = await paid(shop)
        one, other = (shop.stripe.dispute(payment, cents=amount) for amount in (500, 700))
        await deliver(shop)
        assert await cents(shop) == (800, 0)
        shop.stripe.decide(one, won=False)
        await deliver(shop)
        assert await cents(shop) == (800, 0)
        shop.stripe.decide(other, won=True)
        await deliver(shop)
        assert await cents(shop) == (1500, 1500)

    asyncio.run(story())


@pytest.mark.parametrize("ours", [True, False])
def test_a_refund_that_fails_after_the_bank_took_all_gives_the_payer_nothing(shop: Desk, ours: bool) -> None:
    """Else the payer has the payment back and its credit as well."""

    async def story() -> None:
        order, payment = await paid(shop)
        await spend(shop, 15)
        if ours:
            sent = await shop.payments.checkout.refund(await shop.payments.returns.ask("ann", order.id))
            refund = sent.external_id or ""
        else:
            refund = shop.stripe.refund_by_hand(payment, 500)["id"]
        await deliver(shop)
        assert await cents(shop) == (0, 0)
        shop.stripe.dispute(payment, cents=2000)
        await deliver(shop)
        assert (await cents(shop))[0] == -1500
        shop.stripe.fail_refund(refund)
        await deliver(shop)
        assert (await cents(shop))[0] == -1500

    asyncio.run(story())


def test_money_that_moves_after_its_account_was_deleted_stays_in_the_books(shop: Desk) -> None:
    async def story() -> None:
        _, payment = await paid(shop)

        def leave(connection: sa.Connection) -> None:
            store.cancel_pending(connection, "ann")
            connection.execute(sa.delete(users))

        shop.database.write_sync(leave)
        refund = shop.stripe.refund_by_hand(payment, 300)
        case = shop.stripe.dispute(payment)
        await deliver(shop)
        assert (await cents(shop))[0] == 0
        shop.stripe.decide(case, won=True)
        shop.stripe.fail_refund(refund["id"])
        await deliver(shop)
        assert (await cents(shop))[0] == 2000

    asyncio.run(story())


def test_who_pays_after_deleting_the_account_is_paid_back_though_no_event_comes(shop: Desk) -> None:
    """An operator whose address for events is wrong, or not set up yet."""

    async def story() -> None:
        sessions = []
        for attempt in ("attempt-1", "attempt-2"):
            order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt=attempt)
            sessions.append((await shop.payments.checkout.start(order) or "").rsplit("/", 1)[-1])

        def leave(connection: sa.Connection) -> None:
            store.cancel_pending(connection, "ann")
            connection.execute(sa.delete(users))

        shop.database.write_sync(leave)
        shop.stripe.pay(sessions[0])
        shop.stripe.expire(sessions[1])
        for _ in range(2):
            shop.clock.advance(601)
            await shop.payments.sweep()
        states = [o.state for o in await shop.payments.orders.find({}, None, 9)]
        assert (shop.stripe.paid_out, sorted(states)) == (2000, ["cancelled", "failed"])
        assert await cents(shop) == (0, 0)

    asyncio.run(story())


def test_a_list_of_disputes_that_can_not_be_had_leaves_the_one_that_was_told_of(
    shop: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        _, payment = await paid(shop)
        monkeypatch.setattr("tests.fakes.stripe._LISTS", {})
        shop.stripe.dispute(payment)
        await deliver(shop)
        assert await cents(shop) == (0, 0)

    asyncio.run(story())


ODD: list[Any] = [
    {"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error", "related_object": {}},
    {"id": "evt_1", "type": "x.y", "api_version": "2099-01-01.later", "data": {"object": {}}},
    {"id": "evt_1", "type": "balance.available", "data": {"object": {"object": "balance"}}},
    {"id": "evt_1", "type": "charge.refunded", "data": {"object": {"object": "charge", "payment_intent": {"id": "pi"}}}},
    {"id": "evt_1", "type": "charge.refunded", "data": {}},
    {"id": "evt_1", "type": "charge.refunded", "data": {"object": []}},
    {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"object": "checkout.session", "id": "../x"}}},
    {"object": "event"}, [], "words", None, 7,
]  # fmt: skip


def test_signed_events_of_shapes_that_are_not_known_are_heard_and_end(sqlite_database: Database) -> None:
    """A 500 would have Stripe repeat them for three days, and then switch the address off."""
    with desk(sqlite_database) as shop:

        async def story() -> None:
            for body in ODD:
                await shop.payments.checkout.event(*shop.stripe.signed(body))
            header, body = shop.stripe.signed(ODD[0])
            forged = [shop.stripe.signed(ODD[0], secret=secret)[0] for secret in ("", "whsec_other")]
            for wrong in (*forged, f"{header[:-1]}\u00e9", "t=,v1=", "v1", f"t={'9' * 30},v1=a"):
                with pytest.raises(Unauthorized):
                    await shop.payments.checkout.event(wrong, body)

        asyncio.run(story())


@pytest.mark.parametrize(
    "meant", [{}, {"order": "ord_x", "account": "eve", "site": "https://other.test/account"}]
)
def test_payments_of_another_server_of_the_same_stripe_account_do_not_wait_for_our_operator(
    sqlite_database: Database, meant: dict[str, str]
) -> None:
    with desk(sqlite_database) as shop:

        async def story() -> None:
            order, _ = await paid(shop)
            copy = dict(next(x for x in shop.stripe.objects.values() if x["object"] == "checkout.session"))
            for site in (meant, {"site": "https://m.test/account", "account": "eve", "order": "ord_x"}):
                copy |= {
                    "id": "cs_of_theirs",
                    "metadata": site,
                    "client_reference_id": "ord_x",
                    "payment_intent": "",
                }
                copy["payment_intent"] = shop.stripe._attempt(copy)["id"]
                shop.stripe.objects["cs_of_theirs"] = copy
                shop.stripe._event("checkout.session.completed", copy)
                await deliver(shop)
                lost = len(await shop.payments.orders.events({"outcome": "refused"}, None, 9))
                assert lost == (site is not meant)  # one of ours that is not in our books is told of
            assert (await shop.payments.orders.get("ann", order.id)).state == "paid"

        asyncio.run(story())


def test_a_customer_that_was_deleted_at_stripe_can_save_a_card_again(sqlite_database: Database) -> None:
    wish = Wish(threshold=5 * DOLLAR, amount=20 * DOLLAR, monthly=100 * DOLLAR)
    with desk(sqlite_database) as shop:

        async def save() -> None:
            _, url = await shop.payments.recharge.turn_on("ann", wish, new_card=True)
            assert url is not None
            shop.stripe.save(url.rsplit("/", 1)[-1])
            await deliver(shop)

        async def story() -> None:
            await save()
            plan, _ = await shop.payments.recharge.plan("ann")
            assert plan is not None
            shop.stripe.objects.pop(plan.customer or "")
            await shop.payments.beat()
            plan, _ = await shop.payments.recharge.plan("ann")
            assert plan is not None
            assert plan.state == "off"
            await save()
            shop.clock.advance(700)
            await shop.payments.beat()
            assert await cents(shop) == (2000, 2000)

        asyncio.run(story())


def test_a_page_is_found_again_although_what_is_asked_for_has_changed_since(
    sqlite_database: Database,
) -> None:
    """A newer version asks for pages with other words: Stripe refuses those under the same key of idempotency."""
    with desk(sqlite_database) as shop:

        async def story() -> None:
            order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt="attempt-1")
            url = await shop.payments.checkout.start(order)
            shop.payments.checkout._back = "https://moved.test/account"
            again = await shop.payments.orders.get("ann", order.id)
            assert await shop.payments.checkout.start(again) == url
            assert (await shop.payments.orders.get("ann", order.id)).state == "pending"

        asyncio.run(story())

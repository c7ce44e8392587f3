"""A saved card is charged only as its owner agreed: once each time, never past the month's limit, never again after a refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.errors import BadRequest, Conflict
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.payments import store
from agent_marketplace.payments.recharge import Wish, month_start
from agent_marketplace.payments.types import Order
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.paying import Desk, add_user, desk

pytest.importorskip("stripe")
WISH = Wish(threshold=5 * DOLLAR, amount=20 * DOLLAR, monthly=50 * DOLLAR)


@pytest.fixture
def shop(database: Database) -> Iterator[Desk]:
    with desk(database) as found:
        yield found


async def agreed(shop: Desk, card: str = "good", wish: Wish = WISH) -> str:
    """Ann agrees and saves a card. Returns its page."""
    plan, url = await shop.payments.recharge.turn_on("ann", wish, new_card=False)
    assert plan.state == "waiting"
    assert url is not None
    session = url.rsplit("/", 1)[-1]
    shop.stripe.save(session, card, "the card of ann")
    await deliver(shop)
    return session


async def deliver(shop: Desk, times: int = 1) -> None:
    for event in shop.stripe.outbox * times:
        await shop.payments.checkout.event(*shop.stripe.signed(event))


async def orders(shop: Desk) -> list[Order]:
    return await shop.payments.orders.find({"method": "auto"}, None, 100)


async def state(shop: Desk) -> tuple[str, str]:
    plan = (await shop.payments.recharge.plan("ann"))[0]
    assert plan is not None
    return plan.state, plan.words


async def balance(shop: Desk) -> int:
    return (await shop.ledger.balance("ann")).balance


async def spend(shop: Desk, name: str, amount: int) -> None:
    await shop.ledger.hold(name, "ann", amount, price_version="v")
    await shop.ledger.settle(settlement(name, amount))


def charges(shop: Desk) -> int:
    return sum(x["object"] == "payment_intent" for x in shop.stripe.objects.values())


def test_nothing_is_charged_before_a_card_was_saved_for_it(shop: Desk) -> None:
    async def story() -> None:
        plan, url = await shop.payments.recharge.turn_on("ann", WISH, new_card=False)
        await shop.payments.beat()
        assert (charges(shop), plan.card) == (0, None)
        assert url is not None
        shop.stripe.save(url.rsplit("/", 1)[-1], fingerprint="the card of ann")
        await deliver(shop, 2)
        assert await state(shop) == ("on", "")
        await asyncio.gather(*(shop.payments.beat() for _ in range(4)))
        assert (charges(shop), await balance(shop)) == (1, 20 * DOLLAR)
        await deliver(shop, 3)
        assert await balance(shop) == 20 * DOLLAR
        assert [order.receipt for order in await orders(shop)] == [1]
        at_the_page = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt="attempt-1")
        url = await shop.payments.checkout.start(at_the_page)
        shop.stripe.pay(str(url).rsplit("/", 1)[-1], card="the card of ann")
        await deliver(shop)
        found = await shop.payments.orders.find({"user_id": "ann"}, None, 10)
        assert len({order.source for order in found}) == 1  # one card, however it paid

    asyncio.run(story())


def test_another_account_s_page_saves_no_card_here(shop: Desk) -> None:
    async def story() -> None:
        _, url = await shop.payments.recharge.turn_on("ann", WISH, new_card=False)
        assert url is not None
        session = url.rsplit("/", 1)[-1]
        shop.stripe.save(session)
        shop.stripe.objects[session]["customer"] = "cus_of_bob"
        await deliver(shop)
        assert (await state(shop))[0] == "waiting"

    asyncio.run(story())


def test_charges_are_ten_minutes_apart_and_end_at_the_month_s_limit(shop: Desk) -> None:
    """claude-code#68773: 29 charges, $661."""

    async def story() -> None:
        shop.clock.advance((month_start(shop.clock.now_ms()) + 40 * DAY_MS - shop.clock.now_ms()) / 1000)
        await agreed(shop)
        for number in range(30):
            await shop.payments.beat()
            if await balance(shop) > 0:
                await spend(shop, f"r{number}", 20 * DOLLAR)
            if number == 10:
                assert len(await orders(shop)) == 1
                shop.clock.advance(601)
            if number == 12:
                shop.clock.advance(3601)
        assert [o.credit_nano for o in await orders(shop)] == [20 * DOLLAR] * 2  # a third would pass $50
        assert await state(shop) == ("on", "")
        shop.clock.advance(31 * 86_400)
        await shop.payments.beat()
        assert len(await orders(shop)) == 3
        await shop.mail.deliver()
        subjects = shop.post.subjects
        assert subjects.count("Automatic recharge: this month's limit is reached") == 1
        assert sum(s.startswith("Receipt no.") for s in subjects) == 3

    asyncio.run(story())


@pytest.mark.parametrize("card", ["declined", "asks", "asks at once"])
def test_the_first_refusal_ends_it_and_nothing_but_its_owner_brings_it_back(shop: Desk, card: str) -> None:
    async def story() -> None:
        await agreed(shop, card)
        await shop.payments.beat()
        await deliver(shop, 2)
        now, words = await state(shop)
        assert now == "off"
        assert "refused" in words
        order = await shop.payments.orders.make("ann", "stripe", 20 * DOLLAR, attempt="attempt-1")
        url = await shop.payments.checkout.start(order)
        shop.stripe.pay(str(url).rsplit("/", 1)[-1])
        await deliver(shop)
        await spend(shop, "r1", 20 * DOLLAR)
        for _ in range(3):
            shop.clock.advance(3601)
            await shop.payments.beat()
            await shop.payments.sweep()
        assert [o.state for o in await orders(shop)] == ["failed"]
        await shop.mail.deliver()
        assert shop.post.subjects.count("Automatic recharge is off") == 1
        plan, url = await shop.payments.recharge.turn_on("ann", WISH, new_card=False)
        assert (plan.state, url) == ("on", None)  # the card is still there

    asyncio.run(story())


@pytest.mark.parametrize("away", ["lost", "away"])
def test_a_charge_whose_answer_was_lost_is_made_and_credited_once(shop: Desk, away: str) -> None:
    async def story() -> None:
        await agreed(shop)
        setattr(shop.stripe, away, 1)
        await shop.payments.beat()
        assert await balance(shop) == 0
        shop.clock.advance(601)
        await shop.payments.beat()  # one at a time
        await shop.payments.sweep()
        await deliver(shop, 2)
        assert (charges(shop), await balance(shop)) == (1, 20 * DOLLAR)

    asyncio.run(story())


async def switched_off(shop: Desk) -> None:
    await shop.payments.recharge.turn_off("ann")


async def disputed(shop: Desk) -> None:
    await shop.database.write(lambda c: shop.payments.recharge.stop_in(c, "ann", "a bank disputes"))


async def suspended(shop: Desk) -> None:
    await shop.database.write(lambda c: c.execute(sa.update(users).values(suspended_at=1)))


async def lowered(shop: Desk) -> None:
    wish = Wish(threshold=5 * DOLLAR, amount=10 * DOLLAR, monthly=10 * DOLLAR)
    await shop.payments.recharge.turn_on("ann", wish, new_card=False)


@pytest.mark.parametrize("ended", [switched_off, disputed, suspended, lowered])
def test_a_card_is_not_charged_after_it_was_switched_off(
    shop: Desk, ended: Callable[[Desk], Awaitable[None]]
) -> None:
    """Stripe was away when the order was made; the sweep tries again ten minutes later."""

    async def story() -> None:
        await agreed(shop)
        shop.stripe.away = 1
        await shop.payments.beat()
        await ended(shop)
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert (charges(shop), [o.state for o in await orders(shop)]) == (0, ["cancelled"])

    asyncio.run(story())


def test_nothing_is_charged_while_the_operator_has_switched_it_off(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop)
        room, on = shop.payments, shop.payments.settings
        room.settings = replace(on, recharge=False)
        await room.beat()
        with pytest.raises(BadRequest):
            await room.recharge.turn_on("ann", WISH, new_card=False)
        assert await orders(shop) == []
        room.settings = on
        order = await shop.database.write(lambda c: room.recharge._order_in(c, "ann"))
        assert order is not None
        room.settings = replace(on, recharge=False)  # between the order and its charge
        await room.recharge._try(order)
        assert [o.state for o in await orders(shop)] == ["cancelled"]
        assert await balance(shop) == 0
        room.settings = on
        shop.clock.advance(601)
        await room.beat()
        assert await balance(shop) == 20 * DOLLAR

    asyncio.run(story())


def test_a_charge_that_was_made_before_it_was_switched_off_is_credited(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop)
        shop.stripe.lost = 1
        await shop.payments.beat()
        await shop.payments.recharge.turn_off("ann")
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert (charges(shop), await balance(shop)) == (1, 20 * DOLLAR)

    asyncio.run(story())


def test_an_account_is_not_deleted_while_its_card_is_being_charged(shop: Desk) -> None:
    """Its money would come for nobody, without a trace."""

    async def story() -> None:
        await agreed(shop)
        shop.stripe.lost = 1
        await shop.payments.beat()
        with pytest.raises(Conflict):
            await shop.database.write(lambda c: store.cancel_pending(c, "ann"))
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert await balance(shop) == 20 * DOLLAR
        await shop.database.write(lambda c: store.cancel_pending(c, "ann"))
        assert (await shop.payments.recharge.plan("ann"))[0] is None

    asyncio.run(story())


def test_ten_charges_that_nobody_answers_keep_no_one_else_waiting(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop)
        plan = (await shop.payments.recharge.plan("ann"))[0]
        assert plan is not None
        for number in range(10):
            name = f"user{number}"
            add_user(shop.database, shop.ledger, name)
            of = msgspec.structs.replace(plan, user_id=name, next_at=-1)
            stuck = Order(
                id=f"ord_{number}", user_id=name, method="auto", state="pending", credit_nano=20 * DOLLAR, currency="USD",
                minor=2000, session="pi_slow", created_at=1,
            )  # fmt: skip
            await shop.database.write(
                lambda c, of=of, stuck=stuck: (store.put_plan(c, of), store.add_order(c, stuck))
            )
        await shop.payments.beat()
        assert await balance(shop) == 20 * DOLLAR

    asyncio.run(story())


def test_after_a_day_a_charge_is_looked_for_and_not_made_again(shop: Desk) -> None:
    """Stripe forgets keys of idempotency after a day."""

    async def story() -> None:
        await agreed(shop)
        shop.stripe.lost = 1
        await shop.payments.beat()
        shop.clock.advance(25 * 3600)
        await shop.payments.sweep()
        assert (charges(shop), await balance(shop)) == (1, 20 * DOLLAR)

    asyncio.run(story())


def test_a_charge_that_nobody_made_in_a_day_is_over(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop)
        shop.stripe.away = 1
        await shop.payments.beat()
        shop.clock.advance(25 * 3600)
        await shop.payments.sweep()
        assert (charges(shop), (await state(shop))[0]) == (0, "off")
        assert [o.state for o in await orders(shop)] == ["failed"]

    asyncio.run(story())


@pytest.mark.parametrize("arrives", [True, False])
def test_a_slow_charge_keeps_the_next_one_back_until_it_is_known(shop: Desk, arrives: bool) -> None:
    async def story() -> None:
        await agreed(shop, "slow")
        await shop.payments.beat()
        shop.clock.advance(7200)
        await shop.payments.beat()
        (payment,) = [x["id"] for x in shop.stripe.objects.values() if x["object"] == "payment_intent"]
        (shop.stripe.clear_charge if arrives else shop.stripe.bounce_charge)(payment)
        await shop.payments.sweep()
        assert await balance(shop) == (20 * DOLLAR if arrives else 0)
        assert (await state(shop))[0] == ("on" if arrives else "off")

    asyncio.run(story())


@pytest.mark.parametrize("seen", ["requires_confirmation", "requires_payment_method"])
def test_a_charge_that_is_seen_half_made_is_not_given_up(shop: Desk, seen: str) -> None:
    """Stripe tells of a payment when it is made, before its card has been asked."""

    async def story() -> None:
        await agreed(shop, seen)
        shop.stripe.lost = 1
        await shop.payments.beat()
        await deliver(shop)
        assert ([o.state for o in await orders(shop)], await state(shop)) == (["pending"], ("on", ""))
        (payment,) = [x["id"] for x in shop.stripe.objects.values() if x["object"] == "payment_intent"]
        shop.stripe.clear_charge(payment)
        await deliver(shop)
        assert (await balance(shop), await state(shop)) == (20 * DOLLAR, ("on", ""))

    asyncio.run(story())


@pytest.mark.parametrize("seen", ["requires_confirmation", "slow"])
def test_a_charge_that_is_never_finished_does_not_hold_its_account_for_ever(shop: Desk, seen: str) -> None:
    """No other charge could begin, and the account could not be deleted. One that may still arrive is waited for."""

    async def story() -> None:
        await agreed(shop, seen)
        await shop.payments.beat()
        shop.clock.advance(21 * 3600)
        await shop.payments.sweep()
        (payment,) = [x for x in shop.stripe.objects.values() if x["object"] == "payment_intent"]
        now = (payment["status"], (await orders(shop))[0].state, (await state(shop))[0])
        assert now == (("processing", "pending", "on") if seen == "slow" else ("canceled", "failed", "off"))

    asyncio.run(story())


def test_a_bank_s_dispute_ends_it_and_takes_the_charge_back(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop)
        await shop.payments.beat()
        (order,) = await orders(shop)
        case = shop.stripe.dispute(order.external_id or "")
        await deliver(shop)
        assert (await balance(shop), (await state(shop))[0]) == (0, "off")
        shop.stripe.decide(case, won=True)
        await deliver(shop)
        assert (await balance(shop), (await state(shop))[0]) == (20 * DOLLAR, "off")
        asked = await shop.payments.returns.ask("ann", order.id)
        shop.stripe.objects[shop.stripe.objects[order.external_id or ""]["latest_charge"]]["disputed"] = False
        assert (await shop.payments.checkout.refund(asked)).state == "done"

    asyncio.run(story())


def test_a_forgotten_card_is_deleted_at_stripe_too(shop: Desk) -> None:
    async def story() -> None:
        await agreed(shop, "slow")
        await shop.payments.beat()
        with pytest.raises(Conflict):  # it is being charged
            await shop.payments.recharge.forget_card("ann")
        (payment,) = [x["id"] for x in shop.stripe.objects.values() if x["object"] == "payment_intent"]
        shop.stripe.clear_charge(payment)
        await deliver(shop)
        await shop.payments.recharge.forget_card("ann")
        shop.stripe.away = 1
        await shop.payments.sweep()
        await shop.payments.sweep()
        assert not [x for x in shop.stripe.objects.values() if x["object"] == "customer"]
        assert await shop.payments.recharge.plan("ann") == (None, 20 * DOLLAR)

    asyncio.run(story())


@pytest.mark.parametrize(
    "wrong",
    [
        Wish(threshold=5 * DOLLAR, amount=20 * DOLLAR, monthly=19 * DOLLAR),
        Wish(threshold=0, amount=20 * DOLLAR, monthly=50 * DOLLAR),
        Wish(threshold=5 * DOLLAR, amount=20 * DOLLAR + 1, monthly=50 * DOLLAR),
        Wish(threshold=5 * DOLLAR, amount=2000 * DOLLAR, monthly=5000 * DOLLAR),
    ],
)
def test_a_recharge_without_bounds_is_refused(shop: Desk, wrong: Wish) -> None:
    with pytest.raises(BadRequest):
        asyncio.run(shop.payments.recharge.turn_on("ann", wrong, new_card=False))


def test_a_page_that_was_left_leaves_nothing_on(shop: Desk) -> None:
    async def story() -> None:
        _, url = await shop.payments.recharge.turn_on("ann", WISH, new_card=False)
        assert url is not None
        shop.stripe.expire(url.rsplit("/", 1)[-1])
        shop.clock.advance(601)
        await shop.payments.sweep()
        assert await state(shop) == ("off", "no card was saved")

    asyncio.run(story())


def test_a_plan_that_was_begun_anew_is_not_ended_for_the_page_that_its_first_try_never_got(
    shop: Desk,
) -> None:
    async def story() -> None:
        recharge = shop.payments.recharge
        await recharge.turn_on("ann", WISH, new_card=False)
        begun, _ = await recharge.plan("ann")
        assert begun is not None
        stale = msgspec.structs.replace(
            begun, session=None
        )  # as the sweep had read it before there was a page
        await recharge._page_again(stale)
        assert await state(shop) == ("waiting", "")
        await recharge.forget_card("ann")
        await recharge._page_again(stale)

    asyncio.run(story())

"""Money comes in once, as it was ordered, whoever says it however often; what does not fit is refused and stays visible."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.admin import store as audit
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import (
    BadRequest,
    Conflict,
    IdempotencyMismatch,
    MarketplaceError,
    NotFound,
    Unauthorized,
)
from agent_marketplace.ledger import Ledger
from agent_marketplace.payments import Order, store
from agent_marketplace.payments.codes import hash_of
from agent_marketplace.settings import PaymentSettings
from tests.fakes.books import DOLLAR
from tests.fakes.paying import BOSS, SETTINGS, Desk, add_user, desk


@pytest.fixture
def shop(database: Database) -> Iterator[Desk]:
    with desk(database) as found:
        yield found


async def ordered(
    shop: Desk, method: Any = "webhook", dollars: int = 20, attempt: str = "attempt-1"
) -> Order:
    return await shop.payments.orders.make("ann", method, dollars * DOLLAR, attempt=attempt)


async def balance(shop: Desk) -> int:
    return (await shop.ledger.balance("ann")).balance


async def batch_of(shop: Desk, count: int = 1, **changed: Any) -> list[str]:
    terms: dict[str, Any] = {
        "paid": True,
        "per_account": 0,
        "days": None,
        "credit_days": None,
        "reason": "sale",
    }
    return (await shop.payments.codes.make(BOSS, "spring", count, 5 * DOLLAR, **(terms | changed)))[1]


def test_a_notice_said_many_times_at_once_credits_once_and_answers_as_the_first(shop: Desk) -> None:
    async def story() -> None:
        order = await ordered(shop)
        said = [shop.payments.orders.notice(*shop.notice(order)) for _ in range(8)]
        said += [shop.payments.orders.notice(*shop.notice(order, id="pay_2")) for _ in range(4)]
        results = [outcome.result for outcome in await asyncio.gather(*said)]
        assert sorted(set(results)) == [
            "credited",
            "refused",
        ]  # two payments of one order: a person has to look
        assert await balance(shop) == 20 * DOLLAR
        (lot,) = await shop.ledger.lots("ann")
        assert (lot.paid, lot.reference) == (1, order.id)
        refused = await shop.payments.orders.events({"outcome": "refused"}, None, 10)
        assert [event.why for event in refused] == ["the order is paid"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"amount": 1}, "is for 2000, not for 1"),
        ({"currency": "IDR"}, "is in USD, not in IDR"),
        ({"account": "bob"}, "belongs to another account"),
        ({"order": "ord_none"}, "no such order"),
    ],
)
def test_what_does_not_fit_the_order_is_refused_for_good_and_shown(
    shop: Desk, changed: dict[str, Any], why: str
) -> None:
    async def story() -> None:
        order = await ordered(shop)
        for _ in range(2):
            outcome = await shop.payments.orders.notice(*shop.notice(order, **changed))
            assert outcome.result == "refused"
            assert why in outcome.why
        with pytest.raises(IdempotencyMismatch):  # the same payment can't become another one
            await shop.payments.orders.notice(*shop.notice(order))
        assert await balance(shop) == 0
        (event,) = await shop.payments.orders.events({"outcome": "refused"}, None, 10)
        assert why in event.why

    asyncio.run(story())


def test_a_forged_an_old_and_an_unsigned_notice_leave_nothing(shop: Desk) -> None:
    async def story() -> None:
        order = await ordered(shop)
        good, body = shop.notice(order)
        notices = [
            shop.notice(order, key="x" * 32),
            shop.notice(order, age_s=301),
            shop.notice(order, age_s=-301),
            (good, body + b" "),
            ("", body),
        ]
        for header, text in notices:
            with pytest.raises(Unauthorized):
                await shop.payments.orders.notice(header, text)
        assert await balance(shop) == 0
        assert await shop.payments.orders.events({}, None, 10) == []

    asyncio.run(story())


def test_a_transfer_order_is_not_paid_by_a_processors_notice(shop: Desk) -> None:
    """CVE-2026-41432: an order of one method was paid with a forged notice of another."""

    async def story() -> None:
        order = await ordered(shop, "transfer")
        assert (await shop.payments.orders.notice(*shop.notice(order))).result == "refused"
        assert await balance(shop) == 0

    asyncio.run(story())


def test_without_a_secret_there_is_no_webhook(database: Database) -> None:
    with desk(database, PaymentSettings(transfer="IBAN")) as shop:
        order = asyncio.run(ordered(shop, "transfer"))
        with pytest.raises(NotFound):
            asyncio.run(shop.payments.orders.notice(*shop.notice(order, key="")))
        with pytest.raises(BadRequest):
            asyncio.run(ordered(shop, "webhook", attempt="attempt-2"))


def test_one_attempt_makes_one_order_though_it_is_sent_twice(shop: Desk) -> None:
    async def story() -> None:
        made = await asyncio.gather(*(ordered(shop) for _ in range(5)))
        assert len({order.id for order in made}) == 1
        with pytest.raises(Conflict):
            await ordered(shop, dollars=30)
        for dollars in (1, 1001):
            with pytest.raises(BadRequest):
                await ordered(shop, dollars=dollars, attempt="attempt-2")

    asyncio.run(story())


def test_an_order_is_either_cancelled_or_paid(shop: Desk) -> None:
    async def story() -> None:
        order = await ordered(shop)
        both = [
            shop.payments.orders.cancel("ann", order.id),
            shop.payments.orders.notice(*shop.notice(order)),
        ]
        await asyncio.gather(*both, return_exceptions=True)
        state = (await shop.payments.orders.get("ann", order.id)).state
        assert (state, await balance(shop)) in [("paid", 20 * DOLLAR), ("cancelled", 0)]
        with pytest.raises(NotFound):
            await shop.payments.orders.cancel("bob", order.id)

    asyncio.run(story())


def test_a_transfer_is_booked_once_and_a_typing_error_can_be_mended(shop: Desk) -> None:
    async def story() -> None:
        first, second = await ordered(shop, "transfer"), await ordered(shop, "transfer", attempt="attempt-2")
        arrived = shop.payments.orders.received
        with pytest.raises(Conflict, match="not for 200"):
            await arrived(BOSS, first.id, 200, "USD", reference="bank-1", reason="statement 7")
        for _ in range(2):
            await arrived(BOSS, first.id, 2000, "USD", reference="bank-1", reason="statement 7")
        with pytest.raises(IdempotencyMismatch):
            await arrived(BOSS, second.id, 2000, "USD", reference="bank-1", reason="statement 7")
        assert await balance(shop) == 20 * DOLLAR
        lines = shop.database.read_sync(audit.whole_audit)
        assert [(line.act, line.object) for line in lines] == [("transfer", first.id)]

    asyncio.run(story())


def test_receipts_have_no_gaps_though_orders_are_paid_at_once(shop: Desk) -> None:
    async def story() -> None:
        orders = [await ordered(shop, attempt=f"attempt-{n}") for n in range(5)]
        said = [shop.payments.orders.notice(*shop.notice(o, id=o.id)) for o in orders]
        await asyncio.gather(*said)
        found = await shop.payments.orders.find({"user_id": "ann"}, None, 10)
        assert sorted(order.receipt or 0 for order in found) == [1, 2, 3, 4, 5]

    asyncio.run(story())


def test_a_code_is_good_once_and_only_its_hash_is_kept(shop: Desk) -> None:
    add_user(shop.database, shop.ledger, "bob")

    async def story() -> None:
        (code,) = await batch_of(shop, credit_days=30)
        tries = [shop.payments.codes.redeem(who, code) for who in ("ann", "bob") * 4]
        done = await asyncio.gather(*tries, return_exceptions=True)
        orders = {order.id for order in done if isinstance(order, Order)}
        assert len(orders) == 1
        assert all(isinstance(x, Order) or getattr(x, "code", "") == "unknown_code" for x in done)
        assert sum([(await shop.ledger.balance(who)).balance for who in ("ann", "bob")]) == 5 * DOLLAR
        stored = shop.database.read_sync(lambda c: c.execute(sa.text("SELECT * FROM redeem_codes")).all())
        assert code not in repr(stored)

    asyncio.run(story())


def test_typing_is_forgiven(shop: Desk) -> None:
    assert hash_of("ol1a-0000-0000-0000") == hash_of(" 011A 0000 0000 0000")


def test_codes_that_are_over_revoked_or_too_many_pay_nothing(shop: Desk) -> None:
    async def story() -> None:
        limited = await batch_of(shop, 3, per_account=1)
        results = await asyncio.gather(
            *(shop.payments.codes.redeem("ann", code) for code in limited), return_exceptions=True
        )
        assert sum(isinstance(x, Conflict) for x in results) == 2
        (old,) = await batch_of(shop, days=1)
        shop.clock.advance(86_400)
        await batch_of(shop)
        newest = (await shop.payments.codes.batches())[0]
        (revoked,) = await batch_of(shop)
        await shop.payments.codes.revoke(BOSS, (await shop.payments.codes.batches())[0].id, reason="lost")
        assert newest.redeemed == 0
        for code in (old, revoked, "0000-0000-0000-0000", "\ud800"):
            with pytest.raises(NotFound):
                await shop.payments.codes.redeem("ann", code)
        assert await balance(shop) == 5 * DOLLAR

    asyncio.run(story())


def test_a_gifts_credit_is_not_paid_money_and_ends_when_it_was_said(shop: Desk) -> None:
    async def story() -> None:
        (code,) = await batch_of(shop, paid=False, credit_days=2)
        await shop.payments.codes.redeem("ann", code)
        wallet = await shop.ledger.balance("ann")
        assert (wallet.promo, wallet.paid) == (5 * DOLLAR, 0)
        shop.clock.advance(2 * 86_400)
        assert await balance(shop) == 0

    asyncio.run(story())


def test_a_crash_between_the_order_and_its_credit_leaves_neither_half(
    shop: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        order = await ordered(shop)
        (code,) = await batch_of(shop)

        def crash(*_: object, **__: object) -> None:
            raise MarketplaceError("the process died here")

        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "grant_in", crash)
            with pytest.raises(MarketplaceError):
                await shop.payments.orders.notice(*shop.notice(order))
            with pytest.raises(MarketplaceError):
                await shop.payments.codes.redeem("ann", code)
        assert (await shop.payments.orders.get("ann", order.id)).state == "pending"
        assert (await shop.payments.orders.notice(*shop.notice(order))).result == "credited"
        await shop.payments.codes.redeem("ann", code)
        assert await balance(shop) == 25 * DOLLAR

    asyncio.run(story())


def test_who_has_left_is_credited_nothing(shop: Desk) -> None:
    async def story() -> None:
        order = await ordered(shop)
        shop.database.write_sync(lambda c: c.execute(sa.text("DELETE FROM users")))
        outcome = await shop.payments.orders.notice(*shop.notice(order))
        assert (outcome.result, outcome.why) == ("refused", "the account was deleted")
        shop.database.write_sync(lambda c: store.cancel_pending(c, "ann"))
        assert (await shop.payments.orders.get(None, order.id)).state == "cancelled"

    asyncio.run(story())


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE payment_orders SET credit_nano = credit_nano + 1",
        "UPDATE payment_orders SET state = 'pending'",
        "UPDATE payment_orders SET receipt = 2",
        "UPDATE payment_orders SET user_id = 'bob'",
        "DELETE FROM payment_orders",
        "UPDATE payment_orders SET minor = minor + 1",
        "UPDATE payment_orders SET ends_at = 1799999999999",
        "UPDATE payment_orders SET minor = minor + 1, state = 'failed', receipt = NULL",
    ],
)
def test_verify_finds_a_payment_that_is_not_in_the_books(database: Database, edit: str) -> None:
    with desk(database, SETTINGS) as shop:

        async def story() -> None:
            order = await ordered(shop)
            await shop.payments.orders.notice(*shop.notice(order))

        asyncio.run(story())
        before = database.read_sync(
            lambda c: c.execute(sa.text("SELECT * FROM payment_orders")).one()._mapping
        )
        database.write_sync(lambda c: c.execute(sa.text(edit)))
        assert shop.problems()
        database.write_sync(lambda c: c.execute(sa.text("DELETE FROM payment_orders")))
        database.write_sync(lambda c: store.add_order(c, Order(**before)))


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_verify_finds_an_order_that_would_credit_more_than_is_paid_for_it(shop: Desk, state: str) -> None:
    asyncio.run(ordered(shop))
    edit = "UPDATE payment_orders SET credit_nano = 10 * credit_nano, state = :state"
    shop.database.write_sync(lambda c: c.execute(sa.text(edit), {"state": state}))
    assert ["what is asked for it is not what it credits" in words for words in shop.problems()] == [True]
    mend = "UPDATE payment_orders SET credit_nano = credit_nano / 10, state = 'pending'"
    shop.database.write_sync(lambda c: c.execute(sa.text(mend)))


def test_codes_that_one_customer_bought_have_one_origin_and_others_none(shop: Desk) -> None:
    async def story() -> None:
        add_user(shop.database, shop.ledger, "bob")
        sources = []
        for bought in (True, False):
            for user, code in zip(("ann", "bob"), await batch_of(shop, 2, one_buyer=bought), strict=True):
                sources.append((await shop.payments.codes.redeem(user, code)).source)
        assert sources[0] == sources[1] is not None
        assert sources[2:] == [None, None]

    asyncio.run(story())


def test_a_notice_may_say_what_was_paid_with(shop: Desk) -> None:
    async def story() -> None:
        found = []
        for attempt in ("a1", "a2"):
            order = await shop.payments.orders.make("ann", "webhook", 5 * DOLLAR, attempt=attempt)
            await shop.payments.orders.notice(*shop.notice(order, id=attempt, payer="iban-7"))
            found.append((await shop.payments.orders.get("ann", order.id)).source)
        assert found[0] == found[1] is not None
        assert found[0] != "iban-7"

    asyncio.run(story())

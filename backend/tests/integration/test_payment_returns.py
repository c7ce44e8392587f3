"""Money goes back once, as what it was, to whom it belongs; and an answer's charge is reversed once."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound, PaymentRequired
from agent_marketplace.ledger import Fee, Terms
from agent_marketplace.payments import Order, Return, store
from agent_marketplace.usage import Usage
from tests.fakes.books import DOLLAR, settlement, shared_balances
from tests.fakes.paying import BOSS, Desk, add_user, desk


@pytest.fixture
def shop(database: Database) -> Iterator[Desk]:
    with desk(database) as found:
        yield found


async def bought(shop: Desk, dollars: int = 20, attempt: str = "attempt-1") -> Order:
    order = await shop.payments.orders.make("ann", "webhook", dollars * DOLLAR, attempt=attempt)
    await shop.payments.orders.notice(*shop.notice(order, id=attempt))
    return order


async def call(shop: Desk, name: str, charge: int, **more: Any) -> None:
    await shop.ledger.hold(name, "ann", charge, price_version="v")
    await shop.ledger.settle(settlement(name, charge, **more))


async def wallet(shop: Desk) -> tuple[int, int]:
    found = await shop.ledger.balance("ann")
    return found.balance, found.available


def test_only_what_is_unused_of_that_payment_goes_back_and_once(shop: Desk) -> None:
    async def story() -> None:
        order = await bought(shop)
        await call(shop, "r1", 4 * DOLLAR + 1)
        await shop.ledger.hold("r2", "ann", DOLLAR, price_version="v")  # an open call may need it
        asked = await asyncio.gather(
            *(shop.payments.returns.ask("ann", order.id) for _ in range(4)), return_exceptions=True
        )
        (given,) = [found for found in asked if isinstance(found, Return)]
        assert given.minor == 1499  # whole cents
        assert (await wallet(shop))[1] == 10 * DOLLAR // 1000 - 1
        with pytest.raises(NotFound):
            await shop.payments.returns.ask("bob", order.id)

    asyncio.run(story())


def test_gifts_codes_and_old_payments_are_not_paid_back(shop: Desk) -> None:
    async def story() -> None:
        await shop.ledger.grant("ann", 5 * DOLLAR, kind="credit", terms=Terms(paid=False, source="grant"))
        (code,) = (
            await shop.payments.codes.make(
                BOSS, "x", 1, 5 * DOLLAR, paid=True, per_account=0, days=None, credit_days=None, reason="r"
            )
        )[1]
        by_code, old = await shop.payments.codes.redeem("ann", code), await bought(shop)
        shop.clock.advance(14 * 86_400 + 1)
        for order in (by_code, old):
            with pytest.raises(BadRequest):
                await shop.payments.returns.ask("ann", order.id)

    asyncio.run(story())


def test_a_refund_that_fails_is_in_the_wallet_again_once(shop: Desk) -> None:
    async def story() -> None:
        order = await bought(shop)
        given = await shop.payments.returns.ask("ann", order.id)
        assert await wallet(shop) == (0, 0)
        close = shop.payments.returns.close
        for _ in range(2):
            await close(BOSS, given.id, sent=False, reference=None, reason="account closed")
        with pytest.raises(Conflict):
            await close(BOSS, given.id, sent=True, reference="b1", reason="again")
        assert await wallet(shop) == (20 * DOLLAR, 20 * DOLLAR)
        again = await shop.payments.returns.ask("ann", order.id)
        await close(BOSS, again.id, sent=True, reference="b1", reason="paid")
        assert (await shop.payments.orders.get("ann", order.id)).returned_nano == 20 * DOLLAR

    asyncio.run(story())


def test_a_chargeback_after_a_refund_takes_the_difference_and_the_same_case_nothing(shop: Desk) -> None:
    """fountain#1131: refund and dispute of one charge took twice."""

    async def story() -> None:
        order = await bought(shop)
        await call(shop, "r1", 15 * DOLLAR)
        asked = await shop.payments.returns.ask("ann", order.id)  # 5 unused
        await shop.payments.returns.close(BOSS, asked.id, sent=True, reference="out-1", reason="sent")
        back = shop.payments.returns.charge_back
        both = [back(BOSS, order.id, 2000, reference="case-1", reason="bank") for _ in range(3)]
        assert {found.minor for found in await asyncio.gather(*both) if found} == {1500}
        assert await back(BOSS, order.id, 2000, reference="case-2", reason="bank") is None
        assert await wallet(shop) == (-15 * DOLLAR, -15 * DOLLAR)  # spent: it is owed
        with pytest.raises(PaymentRequired):
            await shop.ledger.hold("r2", "ann", 1, price_version="v")
        await bought(shop, 20, "attempt-2")  # the next credit pays the debt first
        assert await wallet(shop) == (5 * DOLLAR, 5 * DOLLAR)

    asyncio.run(story())


def test_a_chargeback_takes_its_own_lot_first_and_a_won_one_comes_back(shop: Desk) -> None:
    async def story() -> None:
        first, second = await bought(shop), await bought(shop, 30, "attempt-2")
        await call(shop, "r1", 5 * DOLLAR)
        await shop.payments.returns.charge_back(BOSS, second.id, 3000, reference="case-1", reason="bank")
        assert [(x.reference, x.left) for x in await shop.ledger.lots("ann") if x.left] == [
            (first.id, 15 * DOLLAR)
        ]
        with pytest.raises(NotFound):
            await shop.payments.returns.reinstate(BOSS, first.id, reference="case-1", reason="won")
        for _ in range(2):
            await shop.payments.returns.reinstate(BOSS, second.id, reference="case-1", reason="won")
        assert await wallet(shop) == (45 * DOLLAR, 45 * DOLLAR)

    asyncio.run(story())


@pytest.mark.parametrize("swept", [False, True], ids=["pending", "swept"])
def test_an_author_does_not_keep_pending_fees_of_a_payment_that_its_bank_took_back(
    shop: Desk, swept: bool
) -> None:
    """A stolen card tops up, pays an agent of the thief's friend, and is charged back."""

    async def story() -> None:
        add_user(shop.database, shop.ledger, "bob")
        order = await bought(shop)
        for run, fee in (("early", DOLLAR), ("late", 12 * DOLLAR)):
            await shop.database.write(
                lambda c, r=run, f=fee: shop.ledger.hold_fee_in(
                    c, r, "ann", f, key_id=None, name="agent/bob/x@1"
                )
            )
            owed = Fee(run_id=run, author_id="bob", amount_nano=fee, author_bp=8_000)
            await shop.database.write(lambda c, o=owed: shop.ledger.post_fee_in(c, o))
        if swept:
            shop.clock.advance(14 * 86_400 + 1)
            await shop.ledger.sweep_earnings()
        back = shop.payments.returns.charge_back
        for _ in range(2):
            await back(BOSS, order.id, 2000, reference="case-1", reason="bank")
        earned = await shop.database.read(lambda c: shop.ledger.earned_in(c, "bob"))
        if swept:
            assert (await wallet(shop), earned.pending_nano) == ((-13 * DOLLAR, -13 * DOLLAR), 0)
            assert earned.payable_nano == 13 * DOLLAR * 8 // 10
        else:  # what is owed comes from the last fee, then from the one before
            assert (await wallet(shop), earned.pending_nano) == ((0, 0), 0)

    asyncio.run(story())


def test_disputed_credit_is_frozen_not_gone_and_pays_its_own_chargeback(shop: Desk) -> None:
    async def story() -> None:
        order = await bought(shop)
        await shop.ledger.hold("r1", "ann", 8 * DOLLAR, price_version="v")

        def freeze(c: sa.Connection, frozen: bool) -> None:
            shop.payments.returns.freeze_in(
                c, shop.payments.orders.of(c, None, order.id, lock=True), frozen=frozen
            )

        shop.database.write_sync(lambda c: freeze(c, True))
        assert await wallet(shop) == (20 * DOLLAR, -8 * DOLLAR)
        with pytest.raises(BadRequest):
            await shop.payments.returns.ask("ann", order.id)
        shop.database.write_sync(lambda c: freeze(c, False))
        await shop.ledger.settle(settlement("r1", 8 * DOLLAR))
        shop.database.write_sync(lambda c: freeze(c, True))
        await shop.payments.returns.charge_back(BOSS, order.id, 2000, reference="case-1", reason="bank")
        assert await wallet(shop) == (-8 * DOLLAR, -8 * DOLLAR)

    asyncio.run(story())


def test_an_answers_charge_is_reversed_once_and_its_parts_stay_what_they_were(shop: Desk) -> None:
    async def story() -> None:
        await shop.ledger.grant("ann", 2 * DOLLAR, kind="credit", terms=Terms(paid=False, source="grant"))
        await bought(shop)
        await call(shop, "r1", 5 * DOLLAR, provider_cost_nano=4 * DOLLAR)
        opened = [shop.payments.disputes.open("ann", "r1", "wrong", "not true") for _ in range(3)]
        assert {d.state for d in await asyncio.gather(*opened)} == {"open"}
        decide = shop.payments.disputes.decide
        await asyncio.gather(*(decide(BOSS, "r1", grant=True, reason="right") for _ in range(3)))
        with pytest.raises(Conflict):
            await decide(BOSS, "r1", grant=False, reason="no")
        found = await shop.ledger.balance("ann")
        assert (found.paid, found.promo) == (20 * DOLLAR, 2 * DOLLAR)
        shared = shop.database.read_sync(shared_balances)
        assert (shared["provider:openai"], shared["platform:revenue"]) == (4 * DOLLAR, -4 * DOLLAR)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"usage": Usage(input=10), "detail": {"finish_reason": "stop"}}, "no output"),
        ({"usage": Usage(input=10), "detail": {}}, ""),  # an embedding has no output
        ({"status": "partial", "detail": {"error": {"code": "provider_unavailable"}}}, "provider failed"),
        ({"status": "partial", "detail": {"error": {"code": "payment_required", "words": "x"}}}, ""),
        ({"detail": {"requested_model": "alias/gpt-4o"}}, "other model"),
        ({"detail": {"requested_model": "alias/gpt-4o-mini"}}, ""),
        ({"detail": {"requested_model": "gpt-4o", "fallback": {"from": "gpt-4o"}}}, ""),
        ({"detail": {"requested_model": "auto", "auto": {}}}, ""),
        ({"status": "cancelled", "usage": Usage(input=10), "detail": {"finish_reason": "stop"}}, ""),
    ],
)
def test_written_rules_give_back_at_once_and_nothing_else(
    shop: Desk, more: dict[str, Any], rule: str
) -> None:
    async def story() -> None:
        await bought(shop)
        await call(shop, "r1", DOLLAR, **more)
        dispute = await shop.payments.disputes.open("ann", "r1", "empty", "")
        assert (dispute.rule, dispute.state) == (rule, "granted" if rule else "open")
        assert (await wallet(shop))[0] == (20 if rule else 19) * DOLLAR

    asyncio.run(story())


@pytest.mark.parametrize(
    "edit", ["UPDATE answer_disputes SET nano = nano + 1", "UPDATE answer_disputes SET state = 'granted'"]
)
def test_verify_finds_a_dispute_that_gave_back_other_than_it_says(shop: Desk, edit: str) -> None:
    async def story() -> None:
        await bought(shop)
        await call(shop, "r1", DOLLAR)
        await shop.payments.disputes.open("ann", "r1", "wrong", "")
        if "nano" in edit:
            await shop.payments.disputes.decide(BOSS, "r1", grant=True, reason="right")

    asyncio.run(story())
    with shop.database.engine.begin() as connection:
        before = connection.execute(sa.text("SELECT nano, state FROM answer_disputes")).one()
    shop.database.write_sync(lambda c: c.execute(sa.text(edit)))
    assert [words[:13] for words in shop.problems()] == ["dispute of r1"]
    mend = sa.text("UPDATE answer_disputes SET nano = :nano, state = :state")
    shop.database.write_sync(lambda c: c.execute(mend, dict(before._mapping)))


def test_free_old_and_others_answers_are_not_disputed(shop: Desk) -> None:
    add_user(shop.database, shop.ledger, "bob")

    async def story() -> None:
        await bought(shop)
        await call(shop, "free", 0)
        await call(shop, "r1", DOLLAR)
        with pytest.raises(BadRequest):
            await shop.payments.disputes.open("ann", "free", "wrong", "")
        with pytest.raises(NotFound):
            await shop.payments.disputes.open("bob", "r1", "wrong", "")
        shop.clock.advance(31 * 86_400)
        with pytest.raises(BadRequest):
            await shop.payments.disputes.open("ann", "r1", "wrong", "")

    asyncio.run(story())


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE payment_returns SET nano = nano - 1",
        "UPDATE payment_returns SET seq = 99",
        "UPDATE payment_orders SET returned_nano = 0",
        "DELETE FROM payment_returns",
    ],
)
def test_verify_finds_a_return_that_is_not_in_the_books(database: Database, edit: str) -> None:
    with desk(database) as shop:

        async def story() -> None:
            order = await bought(shop)
            await shop.payments.returns.ask("ann", order.id)

        asyncio.run(story())
        before = {t: database.read_sync(lambda c, t=t: [dict(r._mapping) for r in c.execute(sa.text(f"SELECT * FROM {t}"))])
                  for t in ("payment_returns", "payment_orders")}  # fmt: skip
        database.write_sync(lambda c: c.execute(sa.text(edit)))
        assert shop.problems()
        (row,), (order,) = before["payment_returns"], before["payment_orders"]

        def mend(c: sa.Connection) -> None:
            c.execute(sa.text("DELETE FROM payment_returns"))
            store.add_return(c, Return(**row))
            store.change_order(c, order["id"], {"returned_nano": order["returned_nano"]})

        database.write_sync(mend)

"""Sign-up credit that may not be spent (MARKETPLACE_SIGNUP_CREDIT_USE=free): farmed accounts can't run up the operator's bill."""

import asyncio

import pytest

from agent_marketplace.clock import ManualClock
from agent_marketplace.errors import PaymentRequired
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.usage import Usage
from tests.fakes.home import PASSWORD, at_home

pytestmark = pytest.mark.both_databases

DOLLAR = 10**9


@pytest.fixture
def ledger(database):
    ledger = Ledger(database, ManualClock(), secret=b"secret", owner="this-process")
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR, spendable=False))
    yield ledger
    assert database.read_sync(ledger.verify_sync).problems == []


def settlement(request_id, charge):
    return Settlement(
        request_id=request_id, user_id="ann", charge_nano=charge, usage=Usage(input=1), provider="openai", model="m",
        status="ok", provider_cost_nano=charge,
    )  # fmt: skip


def test_restricted_sign_up_credit_pays_for_nothing_and_the_402_says_what_is_available(ledger):
    async def story():
        with pytest.raises(PaymentRequired) as refused:
            await ledger.hold("r1", "ann", 1, price_version="v")
        assert refused.value.extra["balance"] == 5
        assert refused.value.extra["available"] == 0
        assert await ledger.charge("ann", DOLLAR, kind="plan") is False
        assert (await ledger.hold("free", "ann", 0, price_version="v")).amount_nano == 0
        await ledger.void("free", "done")

    asyncio.run(story())


def test_only_paid_in_money_is_spent_however_many_call_at_once(ledger):
    async def story():
        await ledger.grant("ann", 3 * DOLLAR, kind="topup")
        calls = [ledger.hold(f"r{i}", "ann", DOLLAR, price_version="v") for i in range(20)]
        made = await asyncio.gather(*calls, return_exceptions=True)
        admitted = [f"r{i}" for i, hold in enumerate(made) if not isinstance(hold, Exception)]
        assert len(admitted) == 3
        for request_id in admitted:
            await ledger.settle(settlement(request_id, DOLLAR))
        wallet = await ledger.balance("ann")
        assert (wallet.balance, wallet.restricted, wallet.available) == (5 * DOLLAR, 5 * DOLLAR, 0)

    asyncio.run(story())


def test_a_cost_above_the_hold_is_absorbed_and_not_taken_from_restricted_credit(ledger):
    async def story():
        await ledger.grant("ann", DOLLAR, kind="topup")
        await ledger.hold("r1", "ann", DOLLAR, price_version="v")
        receipt = await ledger.settle(settlement("r1", 3 * DOLLAR))
        assert (receipt.charged_nano, receipt.absorbed_nano) == (DOLLAR, 2 * DOLLAR)
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR

    asyncio.run(story())


@pytest.mark.parametrize(("use", "available"), [("all", 5 * DOLLAR), ("free", 0)])
def test_the_setting_decides_what_a_new_account_may_spend(tmp_path, use, available):
    async def test(home):
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        wallet = await home.ledger.balance(user.user_id)
        assert (wallet.balance, wallet.available) == (5 * DOLLAR, available)

    at_home(tmp_path, test, signup_credit_use=use)


def test_a_hold_never_outlives_its_process_by_more_than_the_setting(database):
    clock = ManualClock()
    ledger = Ledger(database, clock, secret=b"s", owner="dead", hold_ttl_s=50)
    sweeper = Ledger(database, clock, secret=b"s", owner="other")

    async def story():
        database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=DOLLAR))
        await ledger.hold("r1", "ann", DOLLAR, price_version="v", ttl_s=3600)
        clock.advance(49)
        assert await sweeper.sweep() == 0
        await ledger.heartbeat("r1", 3600)
        clock.advance(49)
        assert await sweeper.sweep() == 0
        clock.advance(2)
        assert await sweeper.sweep() == 1
        assert (await ledger.balance("ann")).available == DOLLAR

    asyncio.run(story())

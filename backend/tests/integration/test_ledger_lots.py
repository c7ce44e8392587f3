"""Lots: what was paid for is known at once, credit that is over pays for nothing, and money back stays what it was."""

import asyncio

import pytest

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, PaymentRequired
from agent_marketplace.ledger import Ledger, Terms
from tests.fakes.books import DOLLAR, settlement

HOUR = 3600


def gift(clock: ManualClock, hours: float, **more: int) -> Terms:
    ends = clock.now_ms() + round(hours * HOUR * 1000)
    return Terms(paid=False, source="grant", expires_at=ends, **more)


async def call(ledger: Ledger, name: str, charge: int, hold: int | None = None) -> None:
    await ledger.hold(name, "ann", hold or charge, price_version="v")
    await ledger.settle(settlement(name, charge))


def test_each_charge_knows_its_paid_part_at_once_and_sign_up_credit_goes_first(ledger: Ledger) -> None:
    async def story() -> None:
        await ledger.grant("ann", 10 * DOLLAR, kind="topup")
        await call(ledger, "r1", 4 * DOLLAR)
        await call(ledger, "r2", 4 * DOLLAR)
        parts = [(await ledger.receipt(name, "ann")).promo_nano for name in ("r1", "r2")]
        assert parts == [4 * DOLLAR, DOLLAR]
        wallet = await ledger.balance("ann")
        assert (wallet.balance, wallet.promo, wallet.paid) == (7 * DOLLAR, 0, 7 * DOLLAR)
        left = [(lot.source, lot.left) for lot in await ledger.lots("ann")]
        assert left == [("signup", 0), ("order", 7 * DOLLAR)]

    asyncio.run(story())


def test_credit_that_is_over_is_never_spent_though_no_sweep_ran(ledger: Ledger, clock: ManualClock) -> None:
    async def story() -> None:
        await ledger.grant("ann", 3 * DOLLAR, kind="credit", terms=gift(clock, 1))
        await ledger.hold("early", "ann", DOLLAR, price_version="v", ttl_s=10 * HOUR)
        clock.advance(HOUR)
        assert (await ledger.balance("ann")).available == 5 * DOLLAR  # a dollar is the open hold's
        with pytest.raises(PaymentRequired):
            await ledger.hold("late", "ann", 6 * DOLLAR, price_version="v")
        # In one group: what the hold lets go of is over before the next one is admitted.
        both = [ledger.void("early", "why"), ledger.hold("same", "ann", 6 * DOLLAR, price_version="v")]
        ended, refused = await asyncio.gather(*both, return_exceptions=True)
        assert not isinstance(ended, BaseException)
        assert isinstance(refused, PaymentRequired)
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR
        kinds = [(e.kind, e.amount_nano) for e in (await ledger.statement("ann")).entries]
        assert kinds[:2] == [("expiry", -DOLLAR), ("expiry", -2 * DOLLAR)]

    asyncio.run(story())


def test_paid_credit_that_ends_soon_is_spent_before_a_gift_without_an_end(
    ledger: Ledger, clock: ManualClock
) -> None:
    async def story() -> None:
        soon = Terms(paid=True, source="code", expires_at=clock.now_ms() + HOUR * 1000)
        await ledger.grant("ann", 2 * DOLLAR, kind="topup", terms=soon)
        await call(ledger, "r1", 3 * DOLLAR)
        assert (await ledger.receipt("r1", "ann")).promo_nano == DOLLAR
        assert [(lot.source, lot.left) for lot in await ledger.lots("ann") if lot.left] == [
            ("signup", 4 * DOLLAR)
        ]

    asyncio.run(story())


def test_an_idle_accounts_credit_ends_in_the_sweep(
    ledger: Ledger, clock: ManualClock, database: Database
) -> None:
    async def story() -> None:
        await ledger.grant("ann", DOLLAR, kind="topup", terms=Terms(
            paid=True, source="order", expires_at=clock.now_ms() + 1000, priority=200))  # fmt: skip
        clock.advance(2)
        await ledger.sweep()
        assert (await ledger.statement("ann")).entries[0].kind == "expiry"
        assert (await ledger.balance("ann")).balance == 5 * DOLLAR

    asyncio.run(story())


def test_what_a_lost_call_was_charged_too_much_comes_back_as_what_it_was(
    ledger: Ledger, clock: ManualClock
) -> None:
    async def story() -> None:
        await ledger.grant("ann", 5 * DOLLAR, kind="topup")
        await ledger.hold("r1", "ann", 8 * DOLLAR, price_version="v", ttl_s=60)
        await ledger.heartbeat("r1", 60, progress_nano=7 * DOLLAR)
        clock.advance(61)
        assert await ledger.sweep() == 1
        await ledger.settle(settlement("r1", 4 * DOLLAR))  # 2 paid and 5 promotional dollars had been taken
        wallet = await ledger.balance("ann")
        assert (wallet.paid, wallet.promo) == (5 * DOLLAR, DOLLAR)
        assert (await ledger.receipt("r1", "ann")).promo_nano == 4 * DOLLAR

    asyncio.run(story())


def test_credit_that_would_be_over_at_once_is_refused(ledger: Ledger, clock: ManualClock) -> None:
    with pytest.raises(BadRequest):
        asyncio.run(ledger.grant("ann", DOLLAR, kind="credit", terms=gift(clock, 0)))
    with pytest.raises(BadRequest):
        asyncio.run(ledger.grant("ann", -DOLLAR, kind="reversal", terms=gift(clock, 1)))

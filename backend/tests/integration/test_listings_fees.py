"""A run's fee: the price it began with, only for a delivered answer, nothing for one's own; and nothing for a hundred new accounts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace.errors import NotFound, PaymentRequired
from agent_marketplace.ledger import Terms
from agent_marketplace.listings import FREE, AgentPrice, Begun, Fees
from tests.fakes.books import DOLLAR
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
PRICE = AgentPrice(fee_run_nano=100, fee_step_nano=10, model_cost_bp=1_000, max_fee_nano=500)


class Till:
    def __init__(self, home: Home) -> None:
        self.home, self.fees = home, Fees(home.db, home.ledger, home.clock, author_bp=8_000)

    async def wallet(self, user: str, *, paid: int = 0, free: int = 0) -> None:
        ledger = self.home.ledger
        await self.home.db.write(lambda c: ledger.open_account_in(c, user, credit_nano=free))
        if paid:
            await ledger.grant(user, paid, kind="topup")

    async def begin(self, run: str, user: str = "ann", **more: Any) -> int:
        values = {"run_id": run, "user_id": user, "agent_id": "agt_1", "version": 1, "author_id": "bob",
                  "own": user == "bob", "price": PRICE, "name": "agent/bob/x@1"}  # fmt: skip
        return await self.fees.begin(Begun(**values | more))

    async def ends(self, run: str, *, delivered: bool = True, steps: int = 2, model_nano: int = 1_000) -> int:
        return await self.fees.settle(run, delivered=delivered, steps=steps, model_nano=model_nano)

    async def pending(self) -> int:
        return (await self.home.db.read(lambda c: self.home.ledger.earned_in(c, "bob"))).pending_nano


def at_till(path: Path, test: Callable[[Till], Awaitable[None]]) -> None:
    async def go(home: Home) -> None:
        till = Till(home)
        await till.wallet("bob", paid=DOLLAR)
        await test(till)
        report = home.db.read_sync(home.ledger.verify_sync)
        assert report.problems == []

    at_home(path, go)


def test_a_fee_is_of_the_price_at_the_begin_and_once_and_only_for_an_answer(tmp_path: Path) -> None:
    async def test(till: Till) -> None:
        await till.wallet("ann", paid=DOLLAR)
        assert await till.begin("r1") == 500
        await till.begin("r1", price=AgentPrice(fee_run_nano=9, max_fee_nano=9))  # repeated: the first counts
        assert [await till.ends("r1"), await till.ends("r1", steps=30)] == [220, 220]
        assert await till.pending() == 176
        await till.begin("r2")
        assert await till.ends("r2", delivered=False) == 0
        assert await till.begin("r3", price=FREE) == 0
        assert await till.ends("r3") == 0
        assert await till.begin("r4", "bob") == 0
        assert await till.ends("r4") == 0
        assert await till.ends("unknown") == 0
        wallet = await till.home.ledger.balance("ann")
        assert (wallet.balance, wallet.held) == (DOLLAR - 220, 0)
        refund = till.fees.refund_in
        assert await till.home.db.write(lambda c: refund(c, "r1", "wrong")) == 220
        assert await till.home.db.write(lambda c: refund(c, "r1", "wrong")) == 0
        for run in ("r2", "r4", "none"):
            with pytest.raises(NotFound):
                await till.home.db.write(lambda c, run=run: refund(c, run, "wrong"))
        assert await till.pending() == 0

    at_till(tmp_path, test)


def test_a_hundred_new_accounts_with_free_credit_earn_an_author_nothing(tmp_path: Path) -> None:
    """The Sybil trial: sign-up credit, gifts and credit bought for one dollar; only the dollar can become earnings."""

    async def test(till: Till) -> None:
        for number in range(100):
            await till.wallet(f"sybil{number}", free=5 * DOLLAR)
            with pytest.raises(PaymentRequired) as refused:
                await till.begin(f"run{number}", f"sybil{number}")
            assert refused.value.code == "needs_topup"
        gift = Terms(paid=False, source="code")
        await till.home.ledger.grant("sybil0", 5 * DOLLAR, kind="credit", terms=gift)
        with pytest.raises(PaymentRequired):
            await till.begin("again", "sybil0")
        assert await till.pending() == 0
        await till.home.ledger.grant("sybil1", 1_000, kind="topup")
        taken = 0
        for number in range(20):
            try:
                await till.begin(f"paid{number}", "sybil1")
            except PaymentRequired:
                break
            taken += await till.ends(f"paid{number}", steps=30, model_nano=10**6)
        assert taken <= 1_000
        assert await till.pending() <= 800  # 80 % of what was paid: less than it has cost

    at_till(tmp_path, test)

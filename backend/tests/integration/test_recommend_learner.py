"""Learning from real rows: paid use counts, free credit doesn't, another's answer can't be judged."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.admin import store as admin_store
from agent_marketplace.catalog import store as catalog_store
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.calibration import Calibration
from agent_marketplace.recommend.learner import Learner
from agent_marketplace.usage import Usage
from tests.fakes import calendar

DOLLAR = 10**9


class World:
    """One installation: wallets, calls, a learner."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock = db, ManualClock()
        self.ledger = Ledger(db, self.clock, secret=b"s" * 32)
        self.engine = RecommendationEngine(calendar.registry(), None, clock=self.clock)  # type: ignore[arg-type]
        self.learner = Learner(db, self.clock, self.engine)
        self.count = 0

    async def user(self, name: str, *, credit: int = 5 * DOLLAR, paid_in: int = 0) -> None:
        await self.db.write(lambda c: self.ledger.open_account_in(c, name, credit_nano=credit, kind="signup"))
        if paid_in:
            await self.ledger.grant(name, paid_in, kind="credit")

    async def call(
        self,
        user: str,
        model: str,
        *,
        nano: int = DOLLAR // 10,
        output: int = 100,
        detail: dict[str, Any] | None = None,
    ) -> str:
        self.count += 1
        request = f"req_{self.count}"
        await self.ledger.hold(request, user, nano, price_version="v")
        await self.ledger.settle(
            Settlement(
                request_id=request, user_id=user, charge_nano=nano, usage=Usage(input=10, output=output), provider="openai",
                model=model, status="ok", detail=detail or {},
            )
        )  # fmt: skip
        return request

    async def stars(self, user: str, model: str, stars: int) -> None:
        now = self.clock.now_ms()
        await self.db.write(lambda c: catalog_store.put_rating(c, user, model, stars, now))


def test_only_money_that_was_paid_in_gives_a_voice(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("payer", paid_in=10 * DOLLAR)
        await world.user("sock", paid_in=0)
        for name in ("payer", "sock"):
            await world.call(name, "gpt-5.5")
        await world.stars("payer", "gpt-5.5", 5)
        await world.stars("sock", "gpt-5.5", 1)
        rating = (await world.learner.refresh()).ratings["gpt-5.5"]
        assert rating.raters == 1
        assert rating.stars > 3.5

    asyncio.run(story())


def test_signals_count_once_and_a_thumb_replaces_the_other(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("u", paid_in=10 * DOLLAR)
        request = await world.call("u", "gpt-5.5")
        for kind in ("thumb_up", "thumb_up", "thumb_down"):
            await world.learner.signal("u", request, kind)
        down = (await world.learner.refresh()).ratings["gpt-5.5"]
        assert down.stars < 3.5
        await world.learner.signal("u", request, "thumb_down", "wrong")
        assert await world.learner.thumb("u", request) == ("thumb_down", "wrong")
        with pytest.raises(BadRequest):
            await world.learner.signal("u", request, "thumb_up", "wrong")
        await world.user("sock")  # its thumb is not shown either
        await world.learner.signal("sock", await world.call("sock", "gpt-5.5"), "thumb_down", "style")
        thumbs = (await world.learner.refresh()).thumbs["gpt-5.5"]
        assert (thumbs.up, thumbs.down, thumbs.users, thumbs.reasons) == (0, 1, 1, {"wrong": 1})
        await world.learner.signal("u", request, "thumb_none")
        assert (await world.learner.refresh()).ratings == {}
        assert world.engine.experience.thumbs == {}

    asyncio.run(story())


def test_nobody_judges_another_users_answer(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("u")
        await world.user("v")
        request = await world.call("u", "gpt-5.5")
        with pytest.raises(NotFound):
            await world.learner.signal("v", request, "thumb_down")
        with pytest.raises(BadRequest):
            await world.learner.signal("u", request, "explode")

    asyncio.run(story())


ASKED = ("gpt-5.5", "quick_task", "medium")
DETAIL = {"estimate": {"p50": 1, "p95": 2, "maximum": 3, "task": "quick_task", "effort": "medium"}}


def test_a_users_own_output_lengths_reach_the_engine_for_that_user(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("u", paid_in=100 * DOLLAR)
        for i in range(20):
            await world.call("u", "gpt-5.5", nano=1000, output=1000 + i, detail=DETAIL)
        await world.learner.refresh()
        assert world.engine.experience.own["u", *ASKED].samples == 20
        assert world.engine.experience.lengths == {}

    asyncio.run(story())


def test_ten_long_answers_for_sign_up_credit_move_nobodys_estimate_or_hold(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        for n in range(5):
            await world.user(f"payer{n}", paid_in=10 * DOLLAR)
            for _ in range(4):
                await world.call(f"payer{n}", "gpt-5.5", nano=1000, output=50, detail=DETAIL)
        honest = (await world.learner.refresh()).lengths[ASKED]
        for n in range(50):
            await world.user(f"sock{n}")
            await world.call(f"sock{n}", "gpt-5.5", nano=1000, output=60_000, detail=DETAIL)
        for _ in range(30):
            await world.call("payer0", "gpt-5.5", nano=1000, output=60_000, detail=DETAIL)
        after = await world.learner.refresh()
        assert after.lengths[ASKED].p50 == honest.p50 == 50
        assert after.lengths[ASKED].samples <= honest.samples + 5

    asyncio.run(story())


def test_a_flood_of_free_calls_makes_no_model_popular_and_one_payer_counts_only_so_often(
    database: Database,
) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("flood")
        await world.user("payer", paid_in=10 * DOLLAR)
        for _ in range(120):
            await world.call("flood", "mistral-7b", nano=0)
        for _ in range(30):
            await world.call("payer", "gpt-5.5", nano=1000)
        assert (await world.learner.refresh()).uses == {"gpt-5.5": 20}

    asyncio.run(story())


def test_a_trusted_accounts_free_and_own_key_calls_count_and_it_may_rate(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("friend")
        for _ in range(3):
            await world.call("friend", "mistral-7b", nano=0, detail=DETAIL)
        await world.stars("friend", "mistral-7b", 5)
        assert not await world.learner.may_rate("friend", "mistral-7b")
        assert (await world.learner.refresh()).ratings == {}
        await world.db.write(lambda c: admin_store.set_trusted(c, "friend", 1))
        assert await world.learner.may_rate("friend", "mistral-7b")
        heard = await world.learner.refresh()
        assert heard.uses == {"mistral-7b": 3}
        assert heard.ratings["mistral-7b"].raters == 1
        assert heard.lengths["mistral-7b", "quick_task", "medium"].samples == 3
        await world.db.write(lambda c: admin_store.set_trusted(c, "friend", None))
        assert (await world.learner.refresh()).uses == {}

    asyncio.run(story())


def test_where_sign_up_is_closed_everybody_is_trusted(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        world.learner = Learner(database, world.clock, world.engine, everybody_trusted=True)
        await world.user("colleague")
        await world.call("colleague", "mistral-7b", nano=0)
        assert (await world.learner.refresh()).uses == {"mistral-7b": 1}
        assert await world.learner.may_rate("colleague", "mistral-7b")

    asyncio.run(story())


def test_trending_is_this_period_against_the_last_and_a_flood_by_one_user_is_no_trend(
    database: Database,
) -> None:
    async def story() -> None:
        world = World(database)
        for name in ("a", "b", "flood"):
            await world.user(name, paid_in=100 * DOLLAR)
        for name in ("a", "b"):
            for _ in range(12):
                await world.call(name, "gpt-5.5", nano=10)
        world.clock.advance(8 * 86_400)
        for _ in range(40):
            await world.call("flood", "gpt-5.5", nano=10)
        for name in ("a", "b"):
            for _ in range(6):
                await world.call(name, "gpt-4o-mini", nano=10)
        world.clock.advance(60)
        assert (await world.learner.refresh()).trending["week"] == ("gpt-4o-mini",)
        assert world.engine.get_trending_models("week")[0].id == "gpt-4o-mini"

    asyncio.run(story())


def test_a_deleted_account_takes_its_signals_along(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("u", paid_in=DOLLAR)
        await world.learner.signal("u", await world.call("u", "gpt-5.5"), "regenerate")
        await database.write(lambda c: Learner.erase_user_in(c, "u"))
        left = await database.read(
            lambda c: c.execute(sa.text("SELECT count(*) FROM answer_signals")).scalar()
        )
        assert left == 0

    asyncio.run(story())


def test_a_range_that_does_not_hold_shows_in_the_calibration(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("u", paid_in=10 * DOLLAR)
        noted = {"estimate": {"p50": Decimal("0.01"), "p95": Decimal("0.03"), "maximum": Decimal("0.05")}}
        for cents in (0.5, 2, 3, 4):
            await world.call("u", "gpt-5.5", nano=round(cents * DOLLAR / 100), detail=noted)
        await world.call("u", "gpt-5.5", nano=0, detail={**noted, "credential": "byok"})
        await world.call("u", "gpt-5.5", nano=DOLLAR)
        await world.user("other", paid_in=DOLLAR)
        found = await world.learner.calibration("u", 30)
        assert found == Calibration(
            calls=4, below_p50=0.25, inside=0.5, at_most_p95=0.75, at_most_maximum=1.0
        )
        assert (await world.learner.calibration("other", 30)).at_most_p95 is None

    asyncio.run(story())

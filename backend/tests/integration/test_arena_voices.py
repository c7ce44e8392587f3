"""From real rows to the leaderboard and Q Assistant: accounts on sign-up credit vote as often as they like and move nothing."""

import asyncio

import pytest
import sqlalchemy as sa

from agent_marketplace.admin import store as admin_store
from agent_marketplace.arena import store
from agent_marketplace.arena.ballots import duels, pairs
from agent_marketplace.arena.bradley_terry import Duel
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.ledger.lots import Terms
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.history import History
from agent_marketplace.recommend.learner import BOARD_MS, Learner
from agent_marketplace.usage import Usage
from tests.fakes import calendar

DOLLAR = 10**9
GOOD, BAD = "claude-opus-5", "gpt-5.5"


class World:
    """One installation with wallets and votes."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock = db, ManualClock()
        self.ledger = Ledger(db, self.clock, secret=b"s" * 32)
        self.engine = RecommendationEngine(calendar.registry(), None, clock=self.clock)  # type: ignore[arg-type]
        self.learner = Learner(db, self.clock, self.engine)
        self.count = 0

    async def user(self, name: str, *, signup: int = 0, paid: int = 0) -> None:
        await self.db.write(lambda c: self.ledger.open_account_in(c, name, credit_nano=signup, kind="signup"))
        if paid:
            await self.ledger.grant(name, paid, kind="credit")

    async def vote(
        self, user: str, vote: str, *, nano: int = DOLLAR // 10, asked: str = "", **head: object
    ) -> None:
        """GOOD is shown on side a, BAD on side b."""
        self.count += 1
        place, sides = f"cmp_{self.count:08}", []
        for side, model in (("a", GOOD), ("b", BAD)):
            request = f"gen_{self.count}_{side}"
            await self.ledger.hold(request, user, nano, price_version="v")
            await self.ledger.settle(
                Settlement(
                    request_id=request, user_id=user, charge_nano=nano, usage=Usage(input=10, output=10), provider="x",
                    model=model, status="ok", detail={},
                )
            )  # fmt: skip
            sides.append(
                {
                    "comparison_id": place, "side": side, "user_id": user, "run_id": "", "request_id": request,
                    "asked": asked or model, "model": model, "provider": "x", "content_sealed": b"", "status": "ok",
                    "cost_nano": nano, "characters": 5,
                }
            )  # fmt: skip
        now = self.clock.now_ms()
        values = {
            "comparison_id": place, "user_id": user, "blind": True, "task": "maths", "prompt_sealed": b"", "vote": vote,
            "criteria": "", "named": False, "voted_at": now, "revealed_at": now, "created_at": now, **head,
        }  # fmt: skip
        await self.db.write(lambda c: store.add(c, values, sides))

    async def duels(self) -> list[Duel]:
        """The voices that count now."""

        def work(connection: sa.Connection) -> list[Duel]:
            history = History()
            history.catch_up(connection, self.clock.now_ms())
            return duels(pairs(store.ballots(connection, 0), history))

        return await self.db.read(work)

    async def read(self) -> tuple[dict[str, tuple[int, int]], dict[str, float]]:
        """(model -> wins and votes, model -> points that Q adds)."""
        self.clock.advance(BOARD_MS / 1000)
        board = await self.learner.leaderboard(days=30)
        await self.learner.refresh()
        arena = self.engine.experience.arena
        return {r.model: (r.wins, r.votes) for r in board.rows}, {m: s.points for m, s in arena.items()}


def test_votes_by_sock_accounts_move_nothing(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        for n in range(3):
            await world.user(f"payer{n}", paid=10 * DOLLAR)
            await world.vote(f"payer{n}", "a")
        honest = await world.read()
        assert honest[0] == {GOOD: (3, 3), BAD: (0, 3)}
        assert honest[1][GOOD] > 0 > honest[1][BAD]
        for n in range(20):
            await world.user(f"sock{n}", signup=DOLLAR)
            await world.vote(f"sock{n}", "b")
        await world.user("own-key")
        await world.vote("own-key", "b", nano=0)
        # A payer's votes over and over, through an agent, in the open, or on answers that said whose they are.
        for more in ({}, {"asked": "agt_1"}, {"blind": False}, {"named": True}):
            await world.vote("payer0", "a" if not more else "b", **more)  # type: ignore[arg-type]
        votes, points = await world.read()
        assert (votes, points) == (honest[0], pytest.approx(honest[1], abs=1e-3))  # a minute older

    asyncio.run(story())


def test_who_paid_is_heard_before_sign_up_credit_is_used_up_and_as_loud_as_paid(
    database: Database,
) -> None:
    async def story() -> None:
        world = World(database)
        # Sign-up credit is spent first: the answers of this vote are charged to it, but somebody paid.
        await world.user("payer", signup=5 * DOLLAR, paid=10 * DOLLAR)
        await world.vote("payer", "a")
        assert (await world.read())[0] == {GOOD: (1, 1), BAD: (0, 1)}
        heard = [duel.weight for duel in await world.duels()]
        assert heard == [1.0]
        # A cent paid in buys a cent's voice, however much credit was given.
        await world.user("cent", signup=5 * DOLLAR, paid=DOLLAR // 100)
        await world.vote("cent", "b", nano=2 * DOLLAR)
        await world.vote("cent", "b", nano=DOLLAR // 2)
        heard = sorted(duel.weight for duel in await world.duels())
        assert heard == pytest.approx([0.1, 1.0], abs=0.001)
        # Nobody paid for a gift, and what went back was not paid after all.
        await world.user("gift", paid=0)
        await world.ledger.grant("gift", DOLLAR, kind="credit", terms=Terms(paid=False, source="code"))
        await world.vote("gift", "b")
        await world.ledger.grant("cent", -DOLLAR // 100, kind="reversal")
        assert [duel.weight for duel in await world.duels()] == [1.0]

    asyncio.run(story())


def test_an_account_that_an_administrator_trusts_is_heard_on_free_answers(database: Database) -> None:
    async def story() -> None:
        world = World(database)
        await world.user("friend")
        await world.vote("friend", "b", nano=0)
        assert (await world.read())[0] == {}
        await world.db.write(lambda c: admin_store.set_trusted(c, "friend", 1))
        votes, points = await world.read()
        assert votes == {GOOD: (0, 1), BAD: (1, 1)}
        _, words = world.engine.experience.shift(BAD)
        assert "this installation's own blind comparisons, 1 vote" in words
        assert points[BAD] > 0

    asyncio.run(story())


def test_votes_count_when_their_requests_are_archived_and_not_when_their_price_came_back(
    database: Database,
) -> None:
    async def story() -> None:
        world = World(database)
        for name in ("kept", "returned"):
            await world.user(name, paid=10 * DOLLAR)
            await world.vote(name, "a")
        for n in (1, 2):
            await world.db.write(lambda c, n=n: store.keep_costs(c, f"cmp_{n:08}"))
        before = await world.duels()
        assert len(before) == 2
        # What one of them paid for both answers comes back: nobody paid for that vote after all.
        for side in "ab":
            await world.db.write(
                lambda c, side=side: world.ledger.give_back_in(c, "returned", f"gen_2_{side}", "bad answer")
            )
        assert [d.weight for d in await world.duels()] == [1.0]
        # The usage rows move to a file; what the answers cost was kept at the vote.
        await world.db.write(lambda c: c.execute(sa.delete(usage_records)))
        assert [d.weight for d in await world.duels()] == [1.0]
        board = await world.learner.leaderboard(days=30)
        assert {r.model: r.cost_nano is None for r in board.rows} == {GOOD: True, BAD: True}

    asyncio.run(story())

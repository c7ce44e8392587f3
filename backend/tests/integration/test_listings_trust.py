"""Figures and ratings come from paid runs by others, authors learn nothing of any one user, and no query of theirs could."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from agent_marketplace.db.base import metadata
from agent_marketplace.errors import Forbidden, NotFound
from agent_marketplace.listings import AgentPrice, Begun, Listings, Spec
from agent_marketplace.listings.outcomes.trust import MEASURED, quantile, rating
from agent_marketplace.payments.store import add_order
from agent_marketplace.payments.types import Order
from tests.fakes.books import DOLLAR
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
PRICE = AgentPrice(fee_run_nano=1_000, max_fee_nano=1_000)
FREE_PRICE = AgentPrice()


class Fair:
    """`ada/x`, unlisted, and people who run it."""

    def __init__(self, home: Home) -> None:
        self.home, self.count = home, 0
        self.listings = Listings.on(home.db, home.vault, home.ledger, home.clock)
        self.trust, self.fees = self.listings.trust, self.listings.fees

    async def open(self) -> None:
        publishing = self.listings.publishing
        await publishing.take_handle("ada", "ada")
        head, _ = await publishing.create("ada", "xx", Spec(name="x", model="gpt4"))
        self.agent_id = head.agent_id
        await publishing.submit("ada", self.agent_id, 1, "unlisted")

    async def person(self, name: str, *, paid: bool = True) -> None:
        ledger = self.home.ledger
        await self.home.db.write(lambda c: ledger.open_account_in(c, name, credit_nano=DOLLAR))
        if paid:
            await ledger.grant(name, DOLLAR, kind="topup")

    async def run(
        self,
        user: str,
        *,
        delivered: bool = True,
        model_nano: int = 500,
        price: AgentPrice = PRICE,
        error: str = "",
    ) -> str:
        self.count += 1
        run = f"run{self.count}"
        await self.fees.begin(
            Begun(run_id=run, user_id=user, agent_id=self.agent_id, version=1, author_id="ada", own=user == "ada",
                  price=price, name="agent/ada/xx@1")
        )  # fmt: skip
        self.home.clock.advance(2)
        await self.fees.settle(run, delivered=delivered, steps=1, model_nano=model_nano, error_class=error)
        return run

    async def rate(self, user: str, run: str, stars: int = 5) -> None:
        await self.trust.rate(user, "ada", "xx", run, stars, "Good")


def at_fair(path: Path, test: Callable[[Fair], Awaitable[None]]) -> None:
    async def go(home: Home) -> None:
        fair = Fair(home)
        await fair.open()
        await test(fair)

    at_home(path, go)


def test_only_who_paid_for_a_delivered_run_of_somebody_else_s_agent_rates_it_once(tmp_path: Path) -> None:
    async def test(fair: Fair) -> None:
        for name in ("ann", "bob", "ada"):
            await fair.person(name)
        await fair.person("sybil", paid=False)
        good, failed = await fair.run("ann"), await fair.run("ann", delivered=False)
        own, free = await fair.run("ada"), await fair.run("sybil", price=FREE_PRICE)
        for user, run in (("ann", failed), ("ada", own), ("sybil", free)):
            with pytest.raises(Forbidden) as refused:
                await fair.rate(user, run)
            assert refused.value.code == "not_rateable"
        for user, run in (("bob", good), ("ann", "none")):
            with pytest.raises(NotFound):
                await fair.rate(user, run)
        await fair.rate("ann", good, 5)
        await fair.rate("ann", await fair.run("ann", price=FREE_PRICE), 3)  # the last counts
        back = await fair.run("bob")
        await fair.rate("bob", back, 1)
        assert (await fair.trust.figures(fair.agent_id)).rating.n == 2
        await fair.home.db.write(lambda c: fair.fees.refund_in(c, back, "wrong"))
        with pytest.raises(Forbidden):
            await fair.rate("bob", back)
        found = await fair.trust.figures(fair.agent_id)
        assert (found.rating.n, found.rating.mean) == (1, 3.0)
        assert [r.stars for r in await fair.trust.reviews(fair.agent_id)] == [3]
        assert (await fair.trust.short([fair.agent_id]))[fair.agent_id].rating.n == 1

    at_fair(tmp_path, test)


def test_an_account_that_pays_with_the_author_s_card_is_taken_for_the_author(tmp_path: Path) -> None:
    """A second account of one's own: it pays no fee, counts nowhere and rates nothing; nor does one that turns out to be later."""

    async def pays(fair: Fair, user: str, source: str | None, state: str = "paid") -> None:
        order = Order(id=f"{user}{source}{state}", user_id=user, method="webhook", state=state, credit_nano=DOLLAR,
                      currency="USD", minor=100, created_at=1, source=source)  # fmt: skip
        await fair.home.db.write(lambda c: add_order(c, order))

    async def test(fair: Fair) -> None:
        for user in ("sock", "late", "fay"):
            await fair.person(user)
            await fair.listings.finding.agree(user, "ada", "xx", 1)
        await pays(fair, "ada", "card1")
        await pays(fair, "ada", None)
        await pays(fair, "sock", "card1")
        await pays(fair, "late", "card2")
        await pays(fair, "fay", None)  # what is not known is nobody's
        await pays(fair, "fay", "card1", "pending")  # and what was not paid neither
        resolve = fair.listings.resolver.resolve
        assert [(await resolve("agent/ada/xx", user)).own for user in ("sock", "late", "fay")] == [
            True,
            False,
            False,
        ]
        for user in ("late", "fay"):
            await fair.rate(user, await fair.run(user))
        with pytest.raises(Forbidden):
            await fair.rate("sock", await fair.run("sock"))
        assert (await fair.trust.figures(fair.agent_id)).rating.n == 2
        await pays(fair, "late", "card1")
        assert (await fair.trust.figures(fair.agent_id)).rating.n == 1
        assert len(await fair.trust.reviews(fair.agent_id)) == 1
        with pytest.raises(Forbidden):
            await fair.rate("late", "run1")

    at_fair(tmp_path, test)


def test_figures_are_of_others_runs_and_a_quote_is_measured_from_twenty(tmp_path: Path) -> None:
    async def test(fair: Fair) -> None:
        for name in ("ann", "bob", "ada"):
            await fair.person(name)
        await fair.run("ada", model_nano=9)
        for cost in range(MEASURED - 1):
            await fair.run("ann", model_nano=cost * 10)
        await fair.run("bob", delivered=False)
        quote = await fair.trust.quote(fair.agent_id, 1)
        assert (quote.n, quote.p50_nano) == (19, None)
        await fair.run("bob", model_nano=190)
        quote = await fair.trust.quote(fair.agent_id, 1)
        assert (quote.n, quote.p50_nano, quote.p90_nano) == (20, 1_090, 1_170)
        found = await fair.trust.figures(fair.agent_id)
        assert (found.runs, found.payers, found.success, found.refunded) == (21, 2, 20 / 21, 0)
        assert (found.cost_p50_nano, found.took_p50_ms) == (1_090, 2_000)
        fair.home.clock.advance(31 * 86_400)
        assert (await fair.trust.figures(fair.agent_id)).runs == 0

    at_fair(tmp_path, test)


def test_an_author_sees_nothing_that_could_be_one_users_until_five_have_run_it(tmp_path: Path) -> None:
    async def test(fair: Fair) -> None:
        for number in range(5):
            await fair.person(f"u{number}")
        for number in range(4):
            await fair.rate(f"u{number}", await fair.run(f"u{number}"))
        few = await fair.trust.own("ada", fair.agent_id)
        assert (few.runs, few.revenue_nano, few.enough) == (4, 3_200, False)
        assert (few.users, few.took_p50_ms, few.errors, few.days, few.rating) == (None, None, {}, {}, None)
        await fair.run("u4", delivered=False, error="tool_timeout")
        enough = await fair.trust.own("ada", fair.agent_id)
        assert (enough.users, enough.delivered, enough.errors) == (5, 4, {"other": 1})
        assert (list(enough.days.values()), enough.took_p50_ms, enough.rating) == ([(5, 4)], 2_000, None)
        fair.home.clock.advance(86_400)  # a day of one user alone, and an error that only they met
        await fair.run("u4", delivered=False, error="rate_limited")
        alone = await fair.trust.own("ada", fair.agent_id)
        assert (alone.runs, alone.days, alone.errors) == (6, enough.days, {"other": 2})
        for number in range(5):
            await fair.run(f"u{number}", delivered=False, error="tool_timeout")
        met = await fair.trust.own("ada", fair.agent_id)
        assert (list(met.days.values())[1:], met.errors) == ([(6, 0)], {"other": 1, "tool_timeout": 6})
        with pytest.raises(NotFound):
            await fair.trust.own("u1", fair.agent_id)

    at_fair(tmp_path, test)


@contextmanager
def statements(home: Home) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(home.db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(home.db.engine, "before_cursor_execute", note)


def test_no_query_of_an_author_reaches_a_table_with_anything_sealed_of_users_or_names_one(
    tmp_path: Path,
) -> None:
    """Over the schema: whatever table holds sealed columns, an author's queries name none, but for their own instructions."""
    sealed = {
        name
        for name, table in metadata.tables.items()
        if any("sealed" in column.name for column in table.columns)
    } - {"offered_versions"}
    assert {"messages", "conversations", "agent_runs", "agent_run_steps", "agent_run_events"} <= sealed

    async def test(fair: Fair) -> None:
        for number in range(5):
            await fair.person(f"u{number}")
            await fair.rate(f"u{number}", await fair.run(f"u{number}"))
        with statements(fair.home) as seen:
            await fair.trust.own("ada", fair.agent_id)
            await fair.trust.figures(fair.agent_id)
            await fair.trust.short([fair.agent_id])
            await fair.trust.quote(fair.agent_id, 1)
            await fair.trust.reviews(fair.agent_id)
            await fair.listings.publishing.mine("ada")
        assert len(seen) > 8
        for statement in seen:
            assert not sealed & set(re.findall(r"\w+", statement)), statement
            chosen = re.split(r"\sFROM\s", statement)[0].replace(
                "count(DISTINCT agent_outcomes.payer_id)", ""
            )
            assert not re.search(r"payer_id|agent_ratings\.user_id|run_id|key_id", chosen), statement

    at_fair(tmp_path, test)


def test_reports_wait_for_the_operator_once_a_user(tmp_path: Path) -> None:
    async def test(fair: Fair) -> None:
        for _ in range(2):
            await fair.trust.report("u1", "ada", "xx", 1, "leaks data", "It sent my file away")
        await fair.trust.report("u2", "ada", "xx", 1, "other", "")
        assert [r.user_id for r in await fair.trust.open_reports()] == ["u1", "u2"]
        for slug, version in (("none", 1), ("xx", 9)):
            with pytest.raises(NotFound):
                await fair.trust.report("u1", "ada", slug, version, "other", "")

    at_fair(tmp_path, test)


def test_few_ratings_are_not_sure_and_quantiles_are_of_the_sample() -> None:
    one, many = rating([5]), rating([5] * 100)
    assert one.low is not None
    assert many.low is not None
    assert one.low < 3 < 4.5 < many.low
    assert rating([]).n == 0
    assert [quantile([1, 2, 3, 4], p) for p in (50, 90, 1)] == [2, 4, 1]
    assert quantile([], 50) is None

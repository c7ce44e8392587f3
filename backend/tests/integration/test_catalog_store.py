"""Prices are dated and never overwritten; only who paid rates; traffic becomes statistics. On SQLite and PostgreSQL."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from agent_marketplace.catalog import Catalog, MarketplaceRegistry, bundled, store
from agent_marketplace.catalog.own import Declared, Said
from agent_marketplace.catalog.store import PriceRow, Review
from agent_marketplace.catalog.traffic import Traffic, bucket_of, percentile, summarise, value_of
from agent_marketplace.clock import ManualClock
from agent_marketplace.errors import BadRequest, Forbidden, NotFound
from agent_marketplace.ledger.pricing import Price

OLD, NEW = Price(input=1_000, output=2_000), Price(input=1_500, output=2_500)
OFFER = "openai/gpt-5.4"


def house(name, price=OLD):
    """A model at an endpoint of the operator's own."""
    return Declared(model_id=name, provider="mine", upstream_id=f"x/{name}", price=price, said=Said())


def run(database, test, **kwargs):
    """Runs `test(catalog, clock)` on a loaded catalogue."""

    async def go():
        clock = ManualClock(1_795_000_000_000)
        catalog = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock, **kwargs)
        await catalog.load()
        await test(catalog, clock)

    asyncio.run(go())


def test_an_old_bill_can_be_recomputed_after_the_price_changed(database):
    async def test(catalog, clock):
        before = catalog.registry.offers("gpt-5.4")[0]
        clock.advance(60)
        await catalog.set_price(OFFER, NEW)
        after = catalog.registry.offers("gpt-5.4")[0]
        assert (after.price, after.source) == (NEW, "operator")
        assert after.price_version != before.price_version
        assert await catalog.price_of_version(before.price_version) == before.price
        assert await catalog.price_of_version(after.price_version) == NEW
        history = [h for h in await catalog.price_history("gpt-5.4") if h["offer_id"] == OFFER]
        assert [h["source"] for h in history] == ["operator", "bundled"]
        assert history[0]["prices"] == {"input": "0.0000015", "output": "0.0000025"}

    run(database, test)


def test_a_price_of_tomorrow_is_not_charged_today_and_none_can_start_yesterday(database):
    async def test(catalog, clock):
        listed = catalog.registry.offers("gpt-5.4")[0].price
        await catalog.set_price(OFFER, NEW, effective_at=clock.now_ms() + 3_600_000)
        assert catalog.registry.offers("gpt-5.4")[0].price == listed
        clock.advance(3_601)
        await catalog.load()
        assert catalog.registry.offers("gpt-5.4")[0].price == NEW
        with pytest.raises(BadRequest, match="past"):
            await catalog.set_price(OFFER, OLD, effective_at=clock.now_ms() - 1)

    run(database, test)


def test_loading_twice_writes_the_bundled_prices_once(database):
    async def test(catalog, clock):
        first = await catalog.price_history("gpt-5.4")
        clock.advance(1)
        await catalog.load()
        assert await catalog.price_history("gpt-5.4") == first

    run(database, test)


def test_an_impossible_price_or_offer_is_refused(database):
    async def test(catalog, clock):
        with pytest.raises(BadRequest):
            await catalog.set_price(OFFER, Price(input=-1, output=0))
        with pytest.raises(NotFound):
            await catalog.set_price("nobody/nothing", OLD)
        dear = Price(input=10**30, output=0)
        for name, price in (("Search", OLD), ("search", OLD), ("fine", dear)):
            with pytest.raises(BadRequest):
                await catalog.declare_all([house(name, price=price)])

    run(database, test)


def test_three_hundred_declared_models_cost_one_change_and_none_at_the_next_start(database):
    async def test(catalog, clock):
        told = [house(f"house-{n}") for n in range(300)]
        elsewhere = msgspec.structs.replace(told[0], provider="other")
        before = database.read_sync(store.change_number)
        await catalog.declare_all([*told, elsewhere])
        after = database.read_sync(store.change_number)
        assert after == before + 1
        assert {o.provider for o in catalog.registry.offers("house-0")} == {"mine", "other"}
        assert catalog.registry.get_model_by_id("house-299") is not None
        await catalog.declare_all([*told, elsewhere])
        assert database.read_sync(store.change_number) == after

    run(database, test)


def test_a_model_that_left_the_operators_file_is_offered_no_longer(database):
    async def test(catalog, clock):
        free = msgspec.structs.replace(
            house("house-7b", price=Price(input=0, output=0)), said=Said(context=8192)
        )
        kept, known = house("house-8b"), house("gpt-5.5")
        elsewhere = msgspec.structs.replace(kept, provider="other")
        await catalog.declare_all([free, kept, elsewhere, known])
        model = catalog.registry.get_model_by_id("house-7b")
        assert (model.pricing_tier, model.provider, model.context_window) == ("free", "mine", 8192)
        again = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock)
        await again.load()
        assert again.registry.resolve("mine/x/house-7b").id == "house-7b"
        assert again.registry.search_models("house 7b")[0].id == "house-7b"
        await again.declare_all([kept])
        assert again.registry.get_model_by_id("house-7b") is None
        assert {o.provider for o in again.registry.offers("house-8b")} == {"mine"}
        assert "mine" not in {o.provider for o in again.registry.offers("gpt-5.5")} != set()
        await again.declare_all([])
        assert again.registry.get_model_by_id("house-8b") is None

    run(database, test)


def test_ollama_tags_become_free_offers_known_or_not(sqlite_database):
    async def test(catalog, clock):
        known = catalog.registry.get_model_by_id("qwen3-14b").offers_count
        await catalog.set_ollama(dict.fromkeys(["qwen3:14b", "my-own:latest", "llama3.2:3b"]))
        assert catalog.registry.get_model_by_id("qwen3-14b").offers_count == known + 1
        own = catalog.registry.resolve("my-own")
        assert (own.provider, own.model_id, own.pricing_tier) == ("ollama", "my-own:latest", "free")
        assert catalog.registry.resolve("my-own:latest").id == own.id
        assert sum(o.provider == "ollama" for o in catalog.registry.offers("llama-3.2-3b-instruct")) == 1
        await catalog.set_ollama({})
        assert catalog.registry.resolve("my-own") is None

    run(sqlite_database, test)


def test_who_has_not_paid_cannot_rate_and_a_rating_alone_shows_nothing(database):
    async def test(catalog, clock):
        with pytest.raises(Forbidden):
            await catalog.rate("u1", "gpt-5.4", 5, has_paid=False)
        await catalog.rate("u1", "gpt-5.4", 5, has_paid=True)
        assert await catalog.rating_of("gpt-5.4") == (None, 0)
        catalog.heard = lambda: ({"gpt-5.4": (Decimal("4.10"), 2)}, {})
        assert await catalog.rating_of("gpt-5.4") == (Decimal("4.10"), 2)
        assert catalog.registry.get_model_by_id("gpt-5.4").to_dict()["rating"] == Decimal("4.10")
        for stars in (0, 6, True, 4.5, "5"):
            with pytest.raises(BadRequest):
                await catalog.rate("u3", "gpt-5.4", stars, has_paid=True)
        with pytest.raises(NotFound) as caught:
            await catalog.rate("u3", "gpt-5.44", 5, has_paid=True)
        assert caught.value.extra["nearest"]
        await database.write(lambda c: store.delete_ratings_of(c, "u1"))

    run(database, test)


def test_traffic_becomes_latency_and_uptime_and_adds_up_over_restarts_but_no_popularity(database):
    async def test(catalog, clock):
        for _ in range(2):
            for i in range(50):
                catalog.served("gpt-5.4", "openai", first_token_s=0.5 if i < 45 else 5.0, tokens_per_s=80)
            catalog.failed("gpt-5.4", "openai")
            await catalog.flush()
        model = catalog.registry.get_model_by_id("gpt-5.4")
        assert (model.use_count, model.stats.samples) == (0, 100)
        assert model.stats.first_token_p50 == pytest.approx(0.5, rel=0.1)
        assert model.stats.first_token_p95 == pytest.approx(5, rel=0.1)
        assert model.stats.throughput_p50 == pytest.approx(80, rel=0.1)
        assert model.stats.uptime == pytest.approx(100 / 102)
        catalog.heard = lambda: ({}, {"gpt-5.4": 7})
        await catalog.refresh_stats()
        assert catalog.registry.get_popular_models(1)[0].id == "gpt-5.4"
        assert catalog.registry.get_model_by_id("gpt-5.4").use_count == 7
        again = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock)
        await again.load()
        assert again.registry.get_model_by_id("gpt-5.4").stats.samples == 100
        clock.advance(40 * 86_400)
        await again.refresh_stats()
        assert again.registry.get_model_by_id("gpt-5.4").stats.samples == 0

    run(database, test)


def test_counts_that_could_not_be_stored_are_not_lost(sqlite_database):
    async def test(catalog, clock):
        catalog.served("gpt-5.4", "openai", first_token_s=None, tokens_per_s=float("nan"))
        real, catalog._db.write = catalog._db.write, None
        with pytest.raises(TypeError):
            await catalog.flush()
        catalog._db.write = real
        await catalog.flush()
        assert catalog.registry.get_model_by_id("gpt-5.4").stats.uptime == 1.0

    run(sqlite_database, test)


def test_the_same_change_is_put_before_the_operator_once(database):
    def twice(connection):
        review = Review("rev_1", OFFER, "falls to zero", OLD, None, "litellm", "open", 1)
        second = Review("rev_2", OFFER, "falls to zero", OLD, None, "litellm", "open", 2)
        assert store.add_review(connection, review)
        assert not store.add_review(connection, second)
        assert store.open_reviews(connection) == [review]
        assert store.decide_review(connection, "rev_1", "rejected", 3).state == "rejected"
        assert store.decide_review(connection, "rev_1", "accepted", 4) is None
        assert not store.add_review(connection, second)

    database.write_sync(twice)


def test_the_newest_row_in_force_wins(database):
    def test(connection):
        rows = [
            PriceRow("o", at, price, f"v{at}", "s", "2026-11-22")
            for at, price in ((10, OLD), (20, NEW), (30, None))
        ]
        assert store.add_prices(connection, rows, 1) == 3
        assert "o" not in store.prices_in_force(connection, 9)
        assert [store.prices_in_force(connection, at)["o"].price for at in (10, 25, 30)] == [OLD, NEW, None]
        assert [r.effective_at for r in store.price_history(connection, ["o"])] == [30, 20, 10]
        with pytest.raises(ValueError, match="price"):
            store.add_prices(connection, [PriceRow("o", 1, Price(input=-5, output=0), "v", "s", "d")], 1)

    database.write_sync(test)


def test_histograms_know_values_to_a_tenth():
    for value in (0.001, 0.3, 1, 42, 9_999):
        assert value_of(bucket_of(value)) == pytest.approx(value, rel=0.1)
    assert percentile({}, 0.5) is None
    assert summarise([], {}) == {}
    traffic = Traffic()
    traffic.served("m", "p", "2026-11-22", -1, 0)
    assert {c.measure for c in traffic.take()} == {"served"}


def test_the_bundled_snapshot_is_parsed_once_and_fast():
    assert bundled() is bundled()


def test_a_price_change_of_one_process_reaches_the_others(database):
    async def test(catalog, clock):
        other = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock)
        await other.load()
        offer = next(o for m in catalog.registry.snapshot.models for o in m.offers if o.price is not None)
        dear, later = (
            Price(input=7_000_000_000, output=7_000_000_000),
            Price(input=8_000_000_000, output=8_000_000_000),
        )

        def price():
            return next(o.price for o in other.registry.offers(offer.model_id) if o.id == offer.id)

        await catalog.set_price(offer.id, dear)
        assert price() != dear
        await other.follow()
        assert price() == dear
        await catalog.set_price(offer.id, later, effective_at=clock.now_ms() + 60_000)
        await other.follow()
        assert price() == dear
        clock.advance(61)
        await other.follow()
        assert price() == later

    run(database, test)

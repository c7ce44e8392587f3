"""Feeds from a fixture server on loopback: what is right comes in dated, what is doubtful waits, what is wrong changes nothing."""

import asyncio
import copy
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent_marketplace.catalog import Catalog, Feed, Fetched, MarketplaceRegistry
from agent_marketplace.clock import ManualClock

GOOD = {
    "gpt-5.4": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06, "output_cost_per_token": 1.2e-05},
    "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
               "cache_read_input_token_cost": 1.25e-06},
    "gpt-9-nova": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06,
                   "max_input_tokens": 500000, "supports_function_calling": True, "supports_vision": True},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _small_documents(monkeypatch):
    """The fixtures tell of a few offers only; the guard against vanished offers has its own test."""
    monkeypatch.setattr("agent_marketplace.catalog.sync.LEAST_OVERLAP", 0.0)


class Server:
    """A feed on loopback: serves `body` with an entity tag, answers 304, counts requests."""

    def __enter__(self):
        outer = self
        self.body, self.status, self.etag, self.asked = b"", 200, '"1"', []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.headers.get("If-None-Match"))
                unchanged = outer.status == 200 and self.headers.get("If-None-Match") == outer.etag
                self.send_response(304 if unchanged else outer.status)
                body = b"" if unchanged else outer.body
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", outer.etag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.feed = Feed("litellm", f"http://127.0.0.1:{self.server.server_port}/prices.json", "litellm")
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def serve(self, document, etag):
        self.body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.etag = etag


async def fetch(url, etag):
    """The injected fetch: what `net` does in the server, here with the standard library."""

    def get():
        request = urllib.request.Request(url, headers={"If-None-Match": etag} if etag else {})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return Fetched(answer.status, answer.read(), answer.headers["ETag"])
        except urllib.error.HTTPError as answer:
            with answer:
                return Fetched(answer.code)

    return await asyncio.to_thread(get)


def run(database, test):
    async def go():
        clock = ManualClock(1_795_000_000_000)
        catalog = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock)
        await catalog.load()
        with Server() as server:
            await test(catalog, server, clock)

    asyncio.run(go())


def price(catalog, model_id="gpt-5.4"):
    return catalog.registry.offers(model_id)[0].price


def test_a_changed_price_becomes_a_dated_row_and_a_new_model_appears(database):
    async def test(catalog, server, clock):
        old = catalog.registry.offers("gpt-5.4")[0]
        server.serve(GOOD, '"1"')
        clock.advance(10)
        (report,) = await catalog.sync(fetch, [server.feed])
        assert (report.outcome, report.prices, report.new_models, report.to_review) == ("changed", 1, 1, 0), (
            report
        )
        assert (price(catalog).input, price(catalog).output) == (2 * 10**9, 12 * 10**9)
        assert await catalog.price_of_version(old.price_version) == old.price
        new = catalog.registry.get_model_by_id("gpt-9-nova")
        assert (new.maker, new.tags, new.context_window) == ("openai", ("new",), 500_000)
        assert {"vision", "tools"} <= set(new.capabilities)
        again = Catalog(database, MarketplaceRegistry(clock=clock), clock=clock)
        await again.load()
        assert price(again) == price(catalog)
        assert again.registry.search_models("gpt 9 nova")[0].id == "gpt-9-nova"
        assert "gpt-9-nova" in await again.added_at()

    run(database, test)


def test_an_unchanged_feed_is_not_read_again(sqlite_database):
    async def test(catalog, server, clock):
        server.serve(GOOD, '"7"')
        await catalog.sync(fetch, [server.feed])
        (report,) = await catalog.sync(fetch, [server.feed])
        assert (report.outcome, server.asked) == ("unchanged", [None, '"7"'])

    run(sqlite_database, test)


def test_a_second_reading_of_the_same_prices_adds_nothing(sqlite_database):
    async def test(catalog, server, clock):
        server.serve(GOOD, '"1"')
        await catalog.sync(fetch, [server.feed])
        rows = await catalog.price_history("gpt-5.4")
        server.serve(GOOD, '"2"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert (report.outcome, report.prices, report.new_models) == ("unchanged", 0, 0)
        assert await catalog.price_history("gpt-5.4") == rows

    run(sqlite_database, test)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"input_cost_per_token": 2.5e-05}, "factor of 3"),
        ({"input_cost_per_token": 2.5e-07}, "factor of 3"),
        ({"input_cost_per_token": 0, "output_cost_per_token": 0}, "zero"),
        ({"output_cost_per_token": 0}, "zero"),
    ],
)
def test_a_price_that_jumps_waits_for_the_operator(sqlite_database, facts, words):
    async def test(catalog, server, clock):
        old = price(catalog)
        document = copy.deepcopy(GOOD)
        document["gpt-5.4"] |= {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.5e-05, **facts}
        server.serve(document, '"1"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.to_review == 1
        assert price(catalog) == old
        (review,) = await catalog.reviews()
        assert words in review.reason
        server.serve(document, '"2"')
        (second,) = await catalog.sync(fetch, [server.feed])
        assert second.to_review == 0
        await catalog.decide(review.review_id, accept=True)
        assert price(catalog) == review.new_price
        assert await catalog.reviews() == []

    run(sqlite_database, test)


def test_a_refused_change_stays_refused(sqlite_database):
    async def test(catalog, server, clock):
        old = price(catalog)
        document = copy.deepcopy(GOOD)
        document["gpt-5.4"]["input_cost_per_token"] = 1e-04
        server.serve(document, '"1"')
        await catalog.sync(fetch, [server.feed])
        (review,) = await catalog.reviews()
        await catalog.decide(review.review_id, accept=False)
        server.serve(document, '"2"')
        await catalog.sync(fetch, [server.feed])
        assert (await catalog.reviews(), price(catalog)) == ([], old)

    run(sqlite_database, test)


@pytest.mark.parametrize("bad", [-1e-06, 1e6, "1e999"])
def test_a_negative_or_absurd_price_is_refused_and_the_rest_is_taken(sqlite_database, bad):
    async def test(catalog, server, clock):
        old = price(catalog, "gpt-4o")
        document = copy.deepcopy(GOOD)
        document["gpt-4o"]["input_cost_per_token"] = bad
        server.serve(document, '"1"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert len(report.refused) == 1
        assert report.refused[0].startswith("gpt-4o")
        assert price(catalog, "gpt-4o") == old
        assert price(catalog).input == 2 * 10**9

    run(sqlite_database, test)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"data": 5}',
        b"\xff\xfe",
        b"<html>busy</html>",
        b'{"gpt-4o": {"input_cost_per_token": NaN}}',
        b"[" * 50_000,
    ],
)
def test_a_broken_document_changes_nothing_and_the_next_good_one_is_taken(sqlite_database, body):
    async def test(catalog, server, clock):
        before = catalog.registry.get_all_models()
        server.serve(body, '"bad"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.outcome == "failed"
        assert report.problem
        assert catalog.registry.get_all_models() == before
        server.serve(GOOD, '"good"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.outcome == "changed"

    run(sqlite_database, test)


@pytest.mark.parametrize("status", [301, 403, 404, 429, 500])
def test_an_error_answer_keeps_the_last_good_copy_and_its_entity_tag(sqlite_database, status):
    async def test(catalog, server, clock):
        server.serve(GOOD, '"1"')
        await catalog.sync(fetch, [server.feed])
        server.status = status
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.outcome == "failed"
        assert price(catalog).input == 2 * 10**9
        server.status = 200
        (report,) = await catalog.sync(fetch, [server.feed])
        assert (report.outcome, server.asked[-1]) == ("unchanged", '"1"')

    run(sqlite_database, test)


def test_a_fetch_that_raises_does_not_stop_the_other_feeds(sqlite_database):
    async def test(catalog, server, clock):
        server.serve(GOOD, '"1"')

        async def flaky(url, etag):
            if "broken" in url:
                raise ConnectionError("no route")
            return await fetch(url, etag)

        broken = Feed("genai-prices", "http://broken.invalid/", "genai-prices")
        reports = await catalog.sync(flaky, [broken, server.feed])
        assert [r.outcome for r in reports] == ["failed", "changed"]
        assert reports[0].problem == "no route"

    run(sqlite_database, test)


def test_a_feed_that_lost_most_of_what_it_told_is_not_believed(sqlite_database, monkeypatch):
    monkeypatch.setattr("agent_marketplace.catalog.sync.LEAST_OVERLAP", 0.3)

    async def test(catalog, server, clock):
        old = price(catalog)
        server.serve(GOOD, '"1"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.outcome == "failed"
        assert "told of before" in report.problem
        assert price(catalog) == old

    run(sqlite_database, test)


def test_a_feed_whose_unit_changed_is_refused_as_a_whole(sqlite_database):
    async def test(catalog, server, clock):
        offers = [
            o
            for m in catalog.registry.get_all_models()
            for o in catalog.registry.offers(m.id)
            if o.provider == "openai" and o.price
        ]
        document = {
            o.upstream_id: {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": float(o.price.input) / 10**14,
                            "output_cost_per_token": float(o.price.output) / 10**14}
            for o in offers
        }  # fmt: skip
        before = catalog.registry.get_all_models()
        server.serve(document, '"1"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.outcome == "failed"
        assert "would jump" in report.problem
        assert catalog.registry.get_all_models() == before
        assert await catalog.reviews() == []

    run(sqlite_database, test)


def test_no_feed_overrules_the_operators_own_price(sqlite_database):
    async def test(catalog, server, clock):
        own = catalog.registry.offers("gpt-5.4")[0].price
        await catalog.set_price("openai/gpt-5.4", own)
        server.serve(GOOD, '"1"')
        (report,) = await catalog.sync(fetch, [server.feed])
        assert report.prices == 0
        assert price(catalog) == own

    run(sqlite_database, test)

"""Figures of use: never behind, never counted twice, whoever sums up meanwhile; found by `ledger verify` if they are wrong."""

import asyncio
import random
import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.db.tables.usage_log import usage_rollups, usage_unrolled
from agent_marketplace.errors import BadRequest, Unavailable
from agent_marketplace.ledger import Ledger
from agent_marketplace.usage_log import UsageLog, store
from agent_marketplace.usage_log.activity import Wanted, read_place, write_place
from agent_marketplace.usage_log.facts import quantile
from agent_marketplace.usage_log.proof import store as proof
from agent_marketplace.usage_log.query import ask
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.usage_rows import put, usage_row

NOW = 1_790_000_000_000
HOUR = 3_600_000


@pytest.fixture
def log(database):
    reports = Reports(database)
    yield UsageLog(database, reports)
    reports.close()


def question(by=(), metrics=("spend", "requests"), **more):
    values = {
        "user_id": "ann", "filters": {}, "tz": "UTC", "granularity": "day", "since": None, "until": None, "days": 30,
        "now": NOW, "limit": 1000,
    }  # fmt: skip
    return ask(metrics=metrics, by=by, **(values | more))


def rows_of(log, *args, **more):
    found = asyncio.run(log.query(question(*args, **more)))
    return [tuple(row.values()) for row in found.rows]


def clock_of(database):
    return Ledger(database, ManualClock(NOW), secret=b"s")


def test_a_call_counts_at_once_and_once_before_and_after_it_is_summed_up(database, log):
    put(database, [usage_row(f"r{n}", NOW - n * HOUR, charge_nano=n, model="ab"[n % 2]) for n in range(9)])
    live = rows_of(log, ("model",))
    assert live == [("a", Decimal("2.0E-8"), 5), ("b", Decimal("1.6E-8"), 4)]
    assert asyncio.run(log.roll()) == 9
    assert rows_of(log, ("model",)) == live
    put(database, [usage_row("late", NOW - 5 * HOUR, charge_nano=100, model="b")])  # behind what is summed up
    assert rows_of(log, ("model",))[0] == ("b", Decimal("1.16E-7"), 5)
    assert asyncio.run(log.roll()) == 1
    assert asyncio.run(log.roll()) == 0
    assert rows_of(log, ("model",))[0] == ("b", Decimal("1.16E-7"), 5)


def test_a_lost_call_that_is_settled_later_is_moved_not_doubled(database, log):
    ledger = clock_of(database)
    clock = ledger._clock

    async def story(rolled_between):
        await ledger.hold("r1", "ann", 1000, price_version="v", ttl_s=10)
        clock.advance(3600)
        assert await ledger.sweep() == 1
        if rolled_between:
            assert await log.roll() == 1
        clock.advance(86_400)
        await ledger.settle(settlement("r1", 700, model="other"))

    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=DOLLAR))
    asyncio.run(story(rolled_between=True))
    end = clock.now_ms()
    for _ in range(2):  # before and after the correction is summed up
        assert rows_of(log, ("status", "model"), now=end) == [("ok", "other", Decimal("7.00E-7"), 1)]
        assert database.read_sync(ledger.verify_sync).problems == []
        asyncio.run(log.roll())
    assert (
        database.read_sync(
            lambda c: c.execute(sa.select(sa.func.count()).select_from(usage_rollups)).scalar()
        )
        == 3  # the account's, everybody's, and everybody's by the hour
    )


def test_who_sums_up_beside_settlements_and_another_worker_loses_and_doubles_nothing(database, log):
    """Rows are written, changed and summed up by several threads at once; then everything is counted."""
    failed = []

    def writer(name):
        try:
            for n in range(40):
                put(database, [usage_row(f"{name}{n}", NOW - n * 1000, charge_nano=n, status="lost")])
                if n % 3 == 0:
                    mine = usage_records.c.request_id == f"{name}{n}"
                    change = (
                        sa.update(usage_records)
                        .where(mine)
                        .values(status="ok", charge_nano=1000, created_at=NOW)
                    )
                    database.write_sync(lambda c, s=change: c.execute(s))
        except BaseException as error:  # noqa: BLE001  told below
            failed.append(error)

    writing = [threading.Thread(target=writer, args=(name,)) for name in "abc"]

    def roller():
        try:
            while any(t.is_alive() for t in writing):
                database.write_sync(lambda c: store.roll(c, 7), durable=False)
        except BaseException as error:  # noqa: BLE001  told below
            failed.append(error)

    threads = [*writing, *(threading.Thread(target=roller) for _ in range(2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    before = rows_of(log, ("status",))
    asyncio.run(log.roll())
    wanted = database.read_sync(
        lambda c: c.execute(
            sa.select(
                usage_records.c.status, sa.func.sum(usage_records.c.charge_nano), sa.func.count()
            ).group_by("status")
        ).all()
    )
    assert (
        sorted(rows_of(log, ("status",)))
        == sorted((s, Decimal(int(n)).scaleb(-9), k) for s, n, k in wanted)
        == sorted(before)
    )
    assert database.read_sync(lambda c: proof.disagreements(c, 10)) == []


def test_verify_finds_sums_that_somebody_changed_and_a_rebuild_mends_them(database, log):
    ledger = clock_of(database)
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=DOLLAR))

    async def traffic():
        for n in range(6):
            await ledger.hold(f"r{n}", "ann", 1000, price_version="v")
            detail = {"conversation_id": "conv_1"} if n % 2 else {}
            await ledger.settle(settlement(f"r{n}", 100 + n, detail=detail))
            ledger._clock.advance(86_400 / 2)
        await log.roll()

    asyncio.run(traffic())
    end = ledger._clock.now_ms()
    right = rows_of(log, ("conversation", "time"), now=end)
    assert len(right) == 6
    edits = [
        sa.update(usage_rollups).values(charge_nano=usage_rollups.c.charge_nano + 1),
        sa.update(usage_rollups).where(usage_rollups.c.conversation_id == "conv_1").values(requests=7),
        sa.delete(usage_rollups).where(usage_rollups.c.conversation_id == "*"),
        sa.update(usage_rollups).where(usage_rollups.c.user_id == "*").values(charge_nano=7),
        sa.delete(usage_rollups).where(usage_rollups.c.user_id == "*"),
        sa.update(usage_rollups).where(usage_rollups.c.user_id == "*h").values(charge_nano=7),
        sa.update(usage_rollups).values(bucket_at=usage_rollups.c.bucket_at + 900_000),
        sa.delete(usage_unrolled),
    ]
    for edit in edits:
        put(database, [usage_row("extra", end)]) if edit is edits[-1] else None
        database.write_sync(lambda c, e=edit: c.execute(e))
        found = [p for p in database.read_sync(ledger.verify_sync).problems if "usage rebuild" in p]
        assert found, str(edit)
        told = []
        asyncio.run(log.rebuild(lambda done, of, told=told: told.append((done, of))))
        assert told[-1][0] == told[-1][1] > 0
        assert not [p for p in database.read_sync(ledger.verify_sync).problems if "usage rebuild" in p]
    database.write_sync(
        lambda c: c.execute(sa.delete(usage_records).where(usage_records.c.request_id == "extra"))
    )
    asyncio.run(log.rebuild(lambda *_: None))
    assert rows_of(log, ("conversation", "time"), now=end) == right


def test_a_rebuild_of_nothing_ends(log):
    assert asyncio.run(log.rebuild(lambda *_: None)) == 0


def test_filters_dimensions_and_conversations_add_up(database, log):
    put(
        database,
        [
            usage_row("r1", NOW - 1, key_id="key_1", provider="p", detail={"agent_id": "agt_1"}),
            usage_row("r2", NOW - 2, detail={"conversation_id": "conv_1"}),
            usage_row("r3", NOW - 3, detail={"conversation_id": "conv_2"}, status="failed"),
            usage_row("r4", NOW - 4, user_id="bob"),
            usage_row("r5", NOW - 40 * 24 * HOUR),
        ],
    )
    for _ in range(2):
        count = ("requests",)
        assert rows_of(log, ("key",), count) == [(None, 2), ("key_1", 1)]
        assert rows_of(log, ("conversation",), count) == [(None, 1), ("conv_1", 1), ("conv_2", 1)]
        assert rows_of(log, ("agent",), count, filters={"conversation": ["none"]}) == [("agt_1", 1)]
        assert rows_of(
            log, ("status",), count, filters={"conversation": ["conv_2", "conv_1"], "status": ["ok"]}
        ) == [("ok", 1)]
        assert rows_of(log, (), count) == [(3,)]
        assert rows_of(log, (), count, user_id=None) == [(4,)]
        assert rows_of(log, ("time", "model"), count, days=60)[0][1:] == ("m", 1)
        asyncio.run(log.roll())


def test_metrics_of_a_group_are_of_its_calls(database, log):
    put(
        database,
        [
            usage_row(f"r{n}", NOW - n, input=10, cache_read=30, status="failed" if n == 9 else "ok",
                      detail={"timings": {"total_ms": 1000 * (n + 1), "first_token_ms": None}})
            for n in range(10)
        ],
    )  # fmt: skip
    metrics = (
        "errors",
        "error_share",
        "cache_share",
        "classes",
        "latency",
        "first_token",
        "tokens",
        "list_cost",
    )
    found = asyncio.run(log.query(question((), metrics))).totals
    assert (found["errors"], found["error_share"], found["cache_share"], found["tokens"]) == (
        1,
        0.1,
        0.75,
        430,
    )
    assert found["classes"] == {"input": 100, "cache_read": 300, "output": 30}
    assert found["latency"]["samples"] == 9
    assert found["latency"]["mean"] == 5000
    assert 4000 <= found["latency"]["p50"] <= 5000  # exact to its bin
    assert found["first_token"] == {"p50": None, "p90": None, "p99": None, "mean": None, "samples": 0}
    assert asyncio.run(log.query(question((), ("error_share",), user_id="nobody"))).totals == {
        "error_share": None
    }


def test_percentiles_lie_in_the_bin_of_the_true_ones():
    chance = random.Random(5)
    for _ in range(200):
        times = sorted(int(chance.lognormvariate(7, 1.5)) for _ in range(chance.randint(1, 300)))
        bins = [0] * 20
        bounds = (
            50,
            100,
            200,
            300,
            500,
            750,
            1000,
            1500,
            2000,
            3000,
            5000,
            7500,
            10000,
            15000,
            20000,
            30000,
            60000,
            120000,
            300000,
        )
        for ms in times:
            bins[sum(ms > bound for bound in bounds)] += 1
        for share in (0.5, 0.9, 0.99):
            true = times[max(0, -(-int(share * 1000) * len(times) // 1000) - 1)]
            place = sum(true > bound for bound in bounds)
            low = bounds[place - 1] if place else 0
            assert low <= quantile(bins, share) <= (bounds[place] if place < 19 else bounds[-1])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"metrics": ("money",)}, "metrics"),
        ({"metrics": ()}, "metrics"),
        ({"by": ("colour",)}, "by"),
        ({"by": ("model", "key", "time")}, "by"),
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"tz": "../../etc/passwd"}, "tz"),
        ({"since": NOW, "until": NOW - HOUR}, "since"),
        ({"since": 0}, "since"),
        ({"by": ("time",), "granularity": "hour", "days": 90}, "granularity"),
        ({"filters": {"status": ["odd"]}}, "status"),
        ({"filters": {"model": ["x"] * 0 + [str(n) for n in range(51)]}}, "model"),
        ({"filters": {"model": ["x\0"]}}, "model"),
    ],
)
def test_an_impossible_question_is_a_400_that_names_the_field(more, field):
    with pytest.raises(BadRequest) as refused:
        question(**more)
    assert refused.value.extra["field"] == field


def test_what_is_cut_off_is_said_and_the_dearest_stay(database, log):
    put(database, [usage_row(f"r{n}", NOW - n, model=f"m{n}", charge_nano=n) for n in range(10)])
    found = asyncio.run(log.query(question(("model",), limit=3)))
    assert ([r["model"] for r in found.rows], found.truncated) == (["m9", "m8", "m7"], True)
    assert found.totals == {"spend": Decimal("4.5E-8"), "requests": 10}
    assert not asyncio.run(log.query(question(("model",), limit=10))).truncated


def test_figures_wait_rather_than_lie_while_very_much_is_not_summed_up(database, log, monkeypatch):
    monkeypatch.setattr(store, "MOST_UNROLLED", 3)
    put(database, [usage_row(f"r{n}", NOW) for n in range(4)])
    with pytest.raises(Unavailable, match="summed up"):
        asyncio.run(log.query(question()))
    asyncio.run(log.roll())
    assert rows_of(log) == [(Decimal("2.0E-8"), 4)]


# -- activity ----------------------------------------------------------------------------------------------------------


def walk(log, limit, **more):
    found, after = [], None
    while True:
        page = asyncio.run(log.page(Wanted(user_id="ann", after=after, limit=limit, **more)))
        assert len(page.calls) <= limit
        found += [call.request_id for call in page.calls]
        if page.after is None:
            return found
        after = read_place(write_place(page.after))


@pytest.mark.parametrize("rolled", [True, False])
def test_every_call_is_on_exactly_one_page(database, log, rolled):
    chance = random.Random(3)
    made = []
    for n in range(120):
        at = NOW - chance.choice([0, 1, 900_000, 5 * HOUR, 30 * HOUR]) * chance.randint(1, 9)
        detail = {"agent_id": "agt_1"} if n % 5 == 0 else {"conversation_id": f"conv_{n % 3}"}
        made.append(
            usage_row(
                f"r{n:03}",
                at,
                model="rare" if n % 17 == 0 else "m",
                key_id="k" if n % 2 else None,
                detail=detail,
            )
        )
    put(database, [*made, usage_row("other", NOW, user_id="bob")])
    if rolled:
        asyncio.run(log.roll())
        put(database, [usage_row("new", NOW - 7, model="rare")])
        made.append(usage_row("new", NOW - 7, model="rare"))
    order = [
        r["request_id"] for r in sorted(made, key=lambda r: (r["created_at"], r["request_id"]), reverse=True)
    ]
    assert walk(log, 7) == order
    rare = {r["request_id"] for r in made if r["model"] == "rare"}
    for limit in (1, 3, 50):
        assert walk(log, limit, filters={"model": ("rare",)}) == [n for n in order if n in rare]
    mine = {r["request_id"] for r in made if '"agt_1"' in r["detail"] and r["key_id"] is None}
    assert walk(log, 4, filters={"agent": ("agt_1",), "key": ("",)}) == [n for n in order if n in mine]
    talk = {r["request_id"] for r in made if '"conv_2"' in r["detail"]}
    assert walk(log, 6, filters={"conversation": ("conv_2",)}) == [n for n in order if n in talk]
    window = {r["request_id"] for r in made if NOW - 20 * HOUR <= r["created_at"] < NOW}
    assert walk(log, 9, since=NOW - 20 * HOUR, until=NOW) == [n for n in order if n in window]
    assert walk(log, 9, since=NOW - 20 * HOUR, until=NOW, filters={"status": ("ok",)}) == [
        n for n in order if n in window
    ]


def test_pages_stay_where_they_are_when_calls_are_added(database, log):
    put(database, [usage_row(f"r{n}", NOW - n) for n in range(6)])
    first = asyncio.run(log.page(Wanted(user_id="ann", limit=3)))
    put(database, [usage_row(f"new{n}", NOW + n) for n in range(4)])
    second = asyncio.run(log.page(Wanted(user_id="ann", limit=3, after=first.after)))
    assert [c.request_id for c in (*first.calls, *second.calls)] == [f"r{n}" for n in range(6)]


def test_a_failed_call_says_why_and_which_page_mends_it(database, log):
    tries = [{"status": "failed", "code": "timeout", "error": "did not answer in time"}]
    put(
        database,
        [
            usage_row(
                "r1",
                NOW,
                status="failed",
                detail={"error": {"code": "needs_reentry", "words": "Save it anew"}},
            ),
            usage_row("r2", NOW - 1, status="failed", detail={"attempts": tries}),
            usage_row("r3", NOW - 2, status="cancelled"),
            usage_row("r4", NOW - 3),
        ],
    )
    causes = [call.error for call in asyncio.run(log.page(Wanted(user_id="ann"))).calls]
    assert (causes[0].code, causes[0].words, causes[0].fix.page) == (
        "needs_reentry",
        "Save it anew",
        "/account",
    )
    assert (causes[1].code, causes[1].words, causes[1].fix.page) == (
        "timeout",
        "did not answer in time",
        "/marketplace",
    )
    assert (causes[2].code, causes[2].fix) == ("cancelled", None)
    assert causes[3] is None


@pytest.mark.parametrize("cursor", ["", "abc", "é", "WzEsMl0", "W10", "a" * 200, write_place.__doc__])
def test_a_foreign_cursor_is_a_400(cursor):
    with pytest.raises(BadRequest, match="cursor"):
        read_place(cursor)


def test_an_export_has_every_call_once(database, log):
    put(database, [usage_row(f"r{n:04}", NOW - n) for n in range(2300)])

    async def all_of_them():
        return [call.request_id async for calls in log.export(Wanted(user_id="ann")) for call in calls]

    assert asyncio.run(all_of_them()) == [f"r{n:04}" for n in range(2300)]

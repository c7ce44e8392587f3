"""In any time zone, across any change of its clocks: the days add up to the period, and each day is what its own calls come to.

The oracle is `datetime.astimezone` on every single call; the roll-ups only know quarters of an hour.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.db.tables.usage_log import usage_rollups, usage_unrolled
from agent_marketplace.usage_log import store
from agent_marketplace.usage_log.query import answer, ask
from tests.fakes.examples import examples
from tests.fakes.usage_rows import put, usage_row

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
    "Pacific/Apia", "Pacific/Kiritimati", "America/Havana", "Africa/Casablanca", "Pacific/Chatham", "America/Santiago",
)  # fmt: skip
BEGIN = 1_772_323_200_000  # 2026-03-01
SPAN = 280 * 86_400_000  # into December: every zone has changed its clocks twice
moments = st.integers(BEGIN, BEGIN + SPAN - 1)
calls = st.lists(
    st.tuples(moments, st.integers(0, 10**12), st.sampled_from("ab"), st.booleans()), max_size=30
)


@pytest.fixture
def empty(sqlite_database):
    def clear():
        for table in (usage_records, usage_rollups, usage_unrolled):
            sqlite_database.write_sync(lambda c, t=table: c.execute(sa.delete(t)))
        return sqlite_database

    return clear


def ask_for(zone, granularity, by):
    return ask(
        user_id="ann", metrics=("spend", "requests"), by=by, filters={}, tz=zone, granularity=granularity, since=BEGIN,
        until=BEGIN + SPAN, days=1, now=BEGIN + SPAN, limit=5000,
    )  # fmt: skip


def by_hand(made, zone, granularity):
    found, place = Counter(), ZoneInfo(zone)
    for at, nano, model, _ in made:
        local = datetime.fromtimestamp(at / 1000, place)
        if granularity == "month":
            local = local.replace(day=1)
        if granularity == "week":
            local = datetime.fromordinal(local.toordinal() - local.weekday())
        found[local.date().isoformat(), model] += nano
    return found


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=calls, zone=st.sampled_from(ZONES), granularity=st.sampled_from(["day", "week", "month"]))
@example(
    made=[(BEGIN, 1, "a", True), (BEGIN + SPAN - 1, 2, "a", False)],
    zone="Pacific/Kiritimati",
    granularity="day",
)
def test_days_of_any_zone_are_what_their_calls_cost(empty, made, zone, granularity):
    database = empty()
    for part in (True, False):  # some are summed up, the rest is not yet
        rows = [
            usage_row(f"r{n}", at, charge_nano=nano, model=model)
            for n, (at, nano, model, rolled) in enumerate(made)
            if rolled is part
        ]
        if rows:
            put(database, rows)
        if part:
            database.write_sync(lambda c: store.roll(c, 100))
    asked = ask_for(zone, granularity, ("time", "model"))
    found = answer(asked, *database.read_sync(lambda c: store.sums(c, asked)))
    wanted = by_hand(made, zone, granularity)
    assert {(r["time"], r["model"]): r["spend"] for r in found.rows} == {
        key: Decimal(nano).scaleb(-9) for key, nano in wanted.items()
    }
    assert found.totals["spend"] == Decimal(sum(nano for _, nano, _, _ in made)).scaleb(-9)
    assert sum(r["requests"] for r in found.rows) == found.totals["requests"] == len(made)


def everybody(zone, granularity, by):
    since = BEGIN + SPAN - 50 * 86_400_000 + 900_000  # no whole hour at either end
    return ask(
        user_id=None, metrics=("spend", "requests", "errors", "tokens"), by=by, filters={}, tz=zone, granularity=granularity,
        since=since, until=BEGIN + SPAN - 2_700_000, days=1, now=0, limit=5000,
    )  # fmt: skip


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=calls, zone=st.sampled_from(ZONES), granularity=st.sampled_from(["hour", "day", "month"]))
def test_what_everybody_used_is_what_each_used(empty, made, zone, granularity):
    """Its sums are kept apart: in any zone they are those of the accounts, whatever is summed up yet."""
    database = empty()
    for part in (True, False):
        rows = [
            usage_row(
                f"r{n}", at, charge_nano=nano, model=model, user_id=("ann", "ben")[nano % 2], key_id=("k", None)[nano % 2],
                status=("ok", "failed")[nano % 3 == 0], detail={"conversation_id": "c"} if nano % 5 else {},
            )
            for n, (at, nano, model, rolled) in enumerate(made)
            if rolled is part
        ]  # fmt: skip
        if rows:
            put(database, rows)
        if part:
            database.write_sync(lambda c: store.roll(c, 100))
    together, apart = (everybody(zone, granularity, ("time", by)) for by in ("model", "user"))
    assert (together.everybody, apart.everybody) == (True, False)
    found, each = (
        answer(asked, *database.read_sync(lambda c, asked=asked: store.sums(c, asked)))
        for asked in (together, apart)
    )
    wanted = sum(nano for at, nano, *_ in made if together.since <= at < together.until)
    assert found.totals == each.totals
    assert found.totals["spend"] == Decimal(wanted).scaleb(-9)
    times = [Counter(), Counter()]
    for told, rows in zip(times, (found.rows, each.rows), strict=True):
        for row in rows:
            told[row["time"]] += row["requests"]
    assert times[0] == times[1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(near=st.lists(st.integers(0, 3 * 86_400_000), min_size=1, max_size=20), zone=st.sampled_from(ZONES))
def test_an_hour_that_comes_twice_is_two_hours(empty, near, zone):
    begin = 1_792_800_000_000 // 900_000 * 900_000  # 2026-10-24, the day before Europe turns its clocks back
    database = empty()
    put(database, [usage_row(f"r{n}", begin + at) for n, at in enumerate(near)])
    asked = ask(
        user_id="ann", metrics=("requests",), by=("time",), filters={}, tz=zone, granularity="hour", since=begin,
        until=begin + 4 * 86_400_000, days=1, now=0, limit=5000,
    )  # fmt: skip
    live = answer(asked, *database.read_sync(lambda c: store.sums(c, asked)))
    database.write_sync(lambda c: store.roll(c, 100))
    rolled = answer(asked, *database.read_sync(lambda c: store.sums(c, asked)))
    wanted = Counter()
    for at in near:
        local = datetime.fromtimestamp((begin + at) / 1000, ZoneInfo(zone))
        wanted[local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")] += 1
    assert {r["time"]: r["requests"] for r in live.rows} == wanted
    assert rolled == live

"""When a key's cap begins anew, across time zones and clock changes; and what a locked account guards against."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.clock import ManualClock
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.book import Book, StaleBook
from agent_marketplace.ledger.holds import window_end, window_start
from agent_marketplace.ledger.writer import MakeHold


def ms(text, timezone="UTC"):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("period", "timezone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-03-29T13:00", "2026-03-29T00:00", "2026-03-30T00:00"),
        (
            "day",
            "Europe/Berlin",
            "2026-03-29T13:00",
            "2026-03-29T00:00",
            "2026-03-30T00:00",
        ),  # a day of 23 hours
        (
            "day",
            "Europe/Berlin",
            "2026-10-25T13:00",
            "2026-10-25T00:00",
            "2026-10-26T00:00",
        ),  # a day of 25 hours
        (
            "day",
            "Africa/Cairo",
            "2026-04-24T12:00",
            "2026-04-24T01:00",
            "2026-04-25T00:00",
        ),  # midnight does not happen
        (
            "day",
            "America/Havana",
            "2026-11-01T13:00",
            "2026-11-01T00:00",
            "2026-11-02T00:00",
        ),  # midnight happens twice
        ("day", "Pacific/Auckland", "2026-11-22T00:30", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("week", "UTC", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("month", "America/New_York", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "UTC", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00"),
    ],
)
def test_a_cap_begins_anew_at_the_owners_midnight(period, timezone, now, start, end):
    began = window_start(period, timezone, ms(now, timezone))
    assert began == ms(start, timezone)
    assert window_end(period, timezone, began) == ms(end, timezone)


def test_a_total_cap_never_begins_anew():
    assert window_start("total", "UTC", 10**12) == 0
    assert window_end("total", "UTC", 0) is None


@given(
    st.integers(0, 4 * 10**12),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "America/Havana"]),
)
def test_every_moment_lies_in_exactly_one_window(now, period, timezone):
    start = window_start(period, timezone, now)
    end = window_end(period, timezone, start)
    assert start <= now < end
    assert window_start(period, timezone, end) == end


def test_an_account_changed_behind_its_lock_is_never_overwritten(sqlite_database):
    ledger = Ledger(sqlite_database, ManualClock())
    sqlite_database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=100, kind="credit"))

    def overwrite(connection):
        book = Book.on(connection, 0)
        book.load(users=["ann"])
        connection.execute(sa.text("UPDATE ledger_accounts SET balance_nano = 7"))
        book.post(book.account("ann"), {"platform:revenue": 50}, "plan")
        book.flush()

    with pytest.raises(StaleBook):
        sqlite_database.write_sync(overwrite)
    assert sqlite_database.read_sync(ledger.verify_sync).ok


def test_a_cap_changed_behind_its_lock_is_never_overwritten(sqlite_database):
    ledger = Ledger(sqlite_database, ManualClock())

    def open_wallet(connection):
        ledger.open_account_in(connection, "ann", credit_nano=100, kind="credit")
        ledger.open_key_budget_in(connection, "key", "total", 50)

    def overwrite(connection):
        book = Book.on(connection, 0)
        book.load(users=["ann"], keys=["key"])
        connection.execute(sa.text("UPDATE key_budgets SET spent_nano = 49"))
        MakeHold("r", "ann", 50, "v", 60, "key", {}).apply(book, "process")
        book.flush()

    sqlite_database.write_sync(open_wallet)
    with pytest.raises(StaleBook):
        sqlite_database.write_sync(overwrite)
    assert sqlite_database.read_sync(ledger.verify_sync).ok


def test_a_plan_and_what_it_buys_are_one_transaction(sqlite_database):
    ledger = Ledger(sqlite_database, ManualClock())
    sqlite_database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=100, kind="credit"))

    def subscribe(connection):
        assert ledger.charge_in(connection, "ann", 60, kind="plan", idempotency_key="k")
        raise RuntimeError("the tier could not be written")

    with pytest.raises(RuntimeError):
        sqlite_database.write_sync(subscribe)
    assert sqlite_database.write_sync(
        lambda c: ledger.charge_in(c, "ann", 60, kind="plan", idempotency_key="k")
    )
    assert not sqlite_database.write_sync(lambda c: ledger.charge_in(c, "ann", 60, kind="plan"))

"""What is over does not stay for ever, and what somebody still needs is not taken with it."""

import asyncio

import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db import expiry
from agent_marketplace.db.tables.accounts import device_grants, sessions
from agent_marketplace.db.tables.catalog import traffic
from agent_marketplace.db.tables.ledger import idempotency_keys
from agent_marketplace.retention import forget

DAY_MS = 86_400_000
NOW = 400 * DAY_MS


def put(database, table, rows):
    database.write_sync(lambda c: c.execute(sa.insert(table), rows))


def count(database, table):
    return database.read_sync(lambda c: c.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def session(name, expires_at):
    return {
        "session_id": name,
        "user_id": "ann",
        "address_digest": "x",
        "created_at": 0,
        "expires_at": expires_at,
    }


@pytest.mark.both_databases
def test_sessions_of_who_never_returns_go_and_living_ones_stay(database, monkeypatch):
    monkeypatch.setattr(expiry, "_FOUND", 700)  # more than one round
    put(database, sessions, [session(f"old{n}", NOW - 8 * DAY_MS) for n in range(1_201)])
    put(database, sessions, [session("ended", NOW - DAY_MS), session("living", NOW + DAY_MS)])
    gone = asyncio.run(forget(database, ManualClock(NOW)))
    assert gone["sessions"] == 1_201
    assert count(database, sessions) == 2


@pytest.mark.both_databases
def test_replies_of_completions_go_after_a_day_and_those_that_moved_money_never(database):
    keys = [
        {"scope": f"{operation}:ann", "key": age, "input_hash": "h", "result": "{}", "created_at": at}
        for operation in ("completion", "grant", "topup")
        for age, at in (("old", NOW - 2 * DAY_MS), ("new", NOW - DAY_MS // 2))
    ]
    put(database, idempotency_keys, keys)
    gone = asyncio.run(forget(database, ManualClock(NOW)))
    assert gone["idempotency_keys"] == 1
    left = database.read_sync(
        lambda c: c.execute(sa.select(idempotency_keys.c.scope, idempotency_keys.c.key)).all()
    )
    assert ("completion:ann", "old") not in [tuple(row) for row in left]
    assert len(left) == 5


def test_what_is_shown_of_thirty_days_is_kept_for_ninety(sqlite_database):
    cell = {"model_id": "m", "provider": "p", "measure": "served", "bucket": 0, "count": 1}
    put(sqlite_database, traffic, [{**cell, "day": "1970-01-01"}, {**cell, "day": "1971-01-20"}])
    asyncio.run(forget(sqlite_database, ManualClock(NOW)))
    assert count(sqlite_database, traffic) == 1


def test_a_sign_in_that_no_program_fetched_goes_a_day_after_its_end(sqlite_database):
    grant = {
        "client": "c",
        "wanted": "",
        "address_digest": "a",
        "state": "pending",
        "interval_s": 5,
        "created_at": 0,
    }
    rows = [
        {**grant, "device_digest": str(n), "user_digest": str(n), "expires_at": at}
        for n, at in enumerate((NOW - 2 * DAY_MS, NOW))
    ]
    put(sqlite_database, device_grants, rows)
    assert asyncio.run(forget(sqlite_database, ManualClock(NOW)))["device_grants"] == 1

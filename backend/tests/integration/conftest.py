"""Fixtures of the ledger's suites: a wallet of $5 on each database, and books that agree when the test is over."""

from collections.abc import Iterator

import pytest

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger
from tests.fakes.books import DOLLAR


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(database: Database, clock: ManualClock) -> Iterator[Ledger]:
    ledger = Ledger(database, clock, secret=b"secret", owner="this-process")
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR))
    yield ledger
    report = database.read_sync(ledger.verify_sync)
    assert report.problems == []

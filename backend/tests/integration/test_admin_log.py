"""The administrators' log: who can edit the database, and knows how lines are hashed, changes nothing unseen."""

import asyncio
import hashlib
from collections.abc import Callable

import msgspec
import pytest
import sqlalchemy as sa

from agent_marketplace.admin import store
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.admin import admin_audit as t
from agent_marketplace.ledger import Ledger, acts

SECRET = b"of the installation"


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, ManualClock(), secret=SECRET)


def act(database: Database, ledger: Ledger, number: int) -> None:
    key = ledger.acts_key
    database.write_sync(
        lambda c: store.record(
            c, key, number, "ann", "credit", "bob", {}, {"n": number}, "why", f"req_{number}"
        )
    )


def rewrite(connection: sa.Connection, hashed: Callable[[str, tuple[object, ...]], str], since: int) -> None:
    """The log anew from a line on, with other reasons and hashes of the attacker's own."""
    previous = connection.scalar(sa.select(t.c.hash).where(t.c.id == since - 1)) or ""
    for row in connection.execute(sa.select(t).where(t.c.id >= since).order_by(t.c.id)).all():
        values = (*tuple(row)[:7], "forged", row.request_id)
        previous = hashed(previous, values)
        connection.execute(sa.update(t).where(t.c.id == row.id).values(reason="forged", hash=previous))


def plainly(previous: str, values: tuple[object, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode((previous, *values))).hexdigest()


def with_another_key(previous: str, values: tuple[object, ...]) -> str:
    return acts.line_hash(acts.key_of(b"guessed"), previous, values)


EDITS: dict[str, Callable[[sa.Connection], object]] = {
    "a reason": lambda c: c.execute(sa.text("UPDATE admin_audit SET reason = 'x' WHERE id = 2")),
    "a line taken out": lambda c: c.execute(sa.text("DELETE FROM admin_audit WHERE id = 1")),
    "the end cut off": lambda c: c.execute(sa.text("DELETE FROM admin_audit WHERE id > 2")),
    "all of it": lambda c: c.execute(sa.text("DELETE FROM admin_audit")),
    "anew, without a key": lambda c: rewrite(c, plainly, 1),
    "its end anew, without a key": lambda c: rewrite(c, plainly, 3),
    "anew, with another key": lambda c: rewrite(c, with_another_key, 1),
}


def looked(ledger: Ledger) -> int:
    """What the look at what is new finds wrong."""
    found = asyncio.run(ledger.verify_new(0))
    assert found is not None
    return found.problems


@pytest.mark.parametrize("edit", EDITS)
def test_no_edit_of_the_log_goes_unseen(database: Database, ledger: Ledger, edit: str) -> None:
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=1))
    assert asyncio.run(ledger.checkpoint()) == 1  # the log is signed from its beginning on
    assert looked(ledger) == 0
    for number in (1, 2, 3):
        act(database, ledger, number)
    assert [asyncio.run(ledger.checkpoint()) for _ in range(2)] == [1, 0]  # nothing else moved
    assert database.read_sync(ledger.verify_sync).problems == []
    database.write_sync(EDITS[edit])
    found = database.read_sync(ledger.verify_sync).problems
    assert found
    assert all("audit line" in words for words in found)
    assert looked(ledger) > 0


def test_lines_from_before_there_was_a_key_count_and_none_comes_after(
    database: Database, ledger: Ledger
) -> None:
    for number in (1, 2):
        act(database, ledger, number)
    database.write_sync(lambda c: rewrite(c, plainly, 1))  # as the first version wrote them
    assert database.read_sync(ledger.verify_sync).problems == []
    asyncio.run(ledger.checkpoint())
    act(database, ledger, 3)
    assert database.read_sync(ledger.verify_sync).problems == []
    database.write_sync(lambda c: rewrite(c, plainly, 3))
    assert database.read_sync(ledger.verify_sync).problems == ["audit line 3: its hash does not fit"]

"""The books are proven while they grow: an edit of what is new is told within minutes, at the cost of what is new."""

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger, following, housekeeping
from tests.fakes.books import DOLLAR, settlement

SECRET = b"secret"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ledger(database, clock):
    return Ledger(database, clock, secret=SECRET)


async def calls(ledger, names, *, charge=500):
    for name in names:
        await ledger.hold(name, "ann", 1000, price_version="v")
        await ledger.settle(settlement(name, charge))


async def signed(ledger, clock):
    clock.advance(300)
    await ledger.checkpoint()
    return await ledger.verify_new(0)


def edit(database, sql):
    database.write_sync(lambda c: c.execute(sa.text(sql)))


async def begin(ledger, database, clock):
    await database.write(lambda c: ledger.open_account_in(c, "ann", credit_nano=DOLLAR))
    assert (await ledger.verify_new(0)).checkpoint == 0  # where it begins
    await calls(ledger, ["a1", "a2"])
    await calls(ledger, ["free1"], charge=0)
    found = await signed(ledger, clock)
    assert (found.checkpoint, found.problems) == (1, 0)


EDITS = {
    "a posting of the new part": "UPDATE ledger_transactions SET amount_nano = amount_nano - 1 WHERE request_id = 'b1'",
    "a counter-posting": "UPDATE ledger_postings SET amount_nano = amount_nano + 1 WHERE seq = 4",
    "a posting deleted": "DELETE FROM ledger_transactions WHERE request_id = 'b1'",
    "a richer wallet": "UPDATE ledger_accounts SET balance_nano = balance_nano + 1",
    "tokens of a paid call": "UPDATE usage_records SET output = output + 1 WHERE request_id = 'b2'",
    "tokens of a free call": "UPDATE usage_records SET output = output + 1 WHERE request_id = 'free2'",
    "a seal taken away": "UPDATE usage_records SET seal = NULL WHERE request_id = 'b2'",
    "a usage row deleted": "DELETE FROM usage_records WHERE request_id = 'b1'",
    "another's usage row": "UPDATE usage_records SET user_id = 'eve' WHERE request_id = 'b1'",
    "a hold deleted": "DELETE FROM ledger_holds WHERE request_id = 'b1'",
    "the account deleted": "DELETE FROM ledger_accounts",
    "the end cut off": "DELETE FROM ledger_transactions WHERE seq > 3",
    "the beginning of the new part cut off": "DELETE FROM ledger_transactions WHERE seq = 3",
    "a checkpoint's signature": "UPDATE ledger_checkpoints SET signature = 'x' WHERE id = 2",
    "the checkpoint it stood at deleted": "DELETE FROM ledger_checkpoints WHERE id = 1",
    "the mark itself": "UPDATE ledger_verified SET checkpoint = 99",
}  # fmt: skip


@pytest.mark.both_databases
@pytest.mark.parametrize("sql", EDITS.values(), ids=EDITS)
def test_an_edit_of_what_is_new_is_told_at_the_next_look(ledger, database, clock, sql, caplog):
    async def story():
        await begin(ledger, database, clock)
        await calls(ledger, ["b1", "b2"])
        await calls(ledger, ["free2"], charge=0)
        clock.advance(300)
        await ledger.checkpoint()
        edit(database, sql)
        found = await ledger.verify_new(0)
        assert found.problems >= 1, "it went unseen"
        assert "the books do not agree" in caplog.text
        assert (await ledger.verified()).problems == found.problems, "the next who asks is not told"
        again = await ledger.verify_new(0)
        assert again.problems == found.problems, "it is told once more for each look"

    asyncio.run(story())


@pytest.mark.both_databases
def test_what_agrees_goes_on_from_where_the_last_look_ended(ledger, database, clock, monkeypatch):
    async def story():
        await begin(ledger, database, clock)
        await ledger.hold("late", "ann", 1000, price_version="v", ttl_s=1)
        clock.advance(2)
        await ledger.sweep()
        await calls(ledger, ["b1"])
        assert (await signed(ledger, clock)).problems == 0
        await ledger.settle(settlement("late", 900))  # a second posting of a request that was lost
        found = await signed(ledger, clock)
        assert (found.checkpoint, found.problems) == (3, 0)
        edit(database, "UPDATE ledger_transactions SET memo = 'x' WHERE request_id = 'a1'")
        assert (await signed(ledger, clock)).problems == 0, "it reads what an earlier look has passed"
        assert not database.read_sync(ledger.verify_sync).ok, "the whole proof passes it too"
        assert await ledger.verify_new(0) == await ledger.verified()

    asyncio.run(story())


def test_a_whole_proof_that_agrees_takes_the_alarm_away(ledger, database, clock):
    async def story():
        await begin(ledger, database, clock)
        await calls(ledger, ["b1"])
        edit(database, "UPDATE usage_records SET output = output + 1 WHERE request_id = 'b1'")
        assert (await signed(ledger, clock)).problems == 1
        edit(database, "UPDATE usage_records SET output = output - 1 WHERE request_id = 'b1'")
        assert (await ledger.verify_new(0)).problems == 1
        ledger.all_is_well_sync()
        assert (await ledger.verified()).problems == 0

    asyncio.run(story())


def test_a_look_ends_at_a_whole_checkpoint_and_the_next_goes_on(ledger, database, clock, monkeypatch):
    monkeypatch.setattr(following, "_MOST", 1)

    async def story():
        await begin(ledger, database, clock)
        await calls(ledger, ["free2", "free3"], charge=0)
        for name in ("b1", "b2"):
            await calls(ledger, [name])
            clock.advance(300)
            await ledger.checkpoint()
        assert [(await ledger.verify_new(0)).checkpoint for _ in range(3)] == [2, 3, 3]

    asyncio.run(story())


def test_checkpoints_of_earlier_versions_do_not_say_where_they_begin_and_are_passed(ledger, database, clock):
    async def story():
        await begin(ledger, database, clock)
        await calls(ledger, ["b1"])
        clock.advance(300)
        await ledger.checkpoint()

        def as_before(c):
            table = metadata.tables["ledger_checkpoints"]
            first, second = c.execute(sa.select(table).order_by(table.c.id)).all()
            heads = msgspec.json.encode([head[:3] for head in msgspec.json.decode(second.heads)]).decode()
            signature = housekeeping.sign(SECRET, first.signature, 2, second.at, heads)
            c.execute(sa.update(table).where(table.c.id == 2).values(heads=heads, signature=signature))

        await database.write(as_before)
        found = await ledger.verify_new(0)
        assert (found.checkpoint, found.problems) == (2, 0)
        assert database.read_sync(ledger.verify_sync).ok

    asyncio.run(story())


def test_two_processes_do_not_do_the_same_work(postgres_url, clock):
    database = Database.open(postgres_url)
    database.create_all()
    ledger = Ledger(database, clock, secret=SECRET)

    async def story():
        await begin(ledger, database, clock)
        with database.engine.connect() as other:
            other.execute(sa.select(sa.func.pg_advisory_lock(following._LOCK)))
            assert await ledger.verify_new(0) is None
            other.execute(sa.select(sa.func.pg_advisory_unlock(following._LOCK)))
        assert (await ledger.verify_new(0)).checkpoint == 1

    try:
        asyncio.run(story())
    finally:
        database.close()

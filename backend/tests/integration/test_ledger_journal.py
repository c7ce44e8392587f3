"""An answer that ends while the database can't commit is paid for exactly once: kept in a file, synced, posted when it is back."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock, SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import idempotency_keys
from agent_marketplace.errors import Unavailable
from agent_marketplace.ledger import KeptReply, Ledger, begin_in, journal
from agent_marketplace.ledger import ledger as ledger_module
from agent_marketplace.ledger.journal import Entry, Journal
from tests.conftest import Postgres
from tests.fakes.books import DOLLAR, settlement


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(ledger_module, "PAUSES_S", (0, 0))


@contextlib.contextmanager
def away(database, monkeypatch):
    """Every write fails, as when the database does not answer."""

    async def fail(*_args, **_more):
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write_batched", fail)
        yield


async def held(ledger, *names):
    for name in names:
        await ledger.hold(name, "ann", DOLLAR, price_version="v")


def lines(folder: Path) -> int:
    return sum(file.read_bytes().split(b"\0")[0].count(b"\n") for file in folder.glob("*.jsonl"))


def test_a_settlement_is_kept_and_posted_once_when_the_database_is_back(
    ledger, database, monkeypatch, tmp_path
):
    folder = tmp_path / "unposted"

    async def story():
        assert await ledger.begin_journal(folder) == 0
        await held(ledger, *(f"r{i}" for i in range(4)))
        with away(database, monkeypatch):
            receipts = await asyncio.gather(*(ledger.settle(settlement(f"r{i}", 1000 + i)) for i in range(4)))
            assert [(r.charged_nano, r.balance_nano) for r in receipts] == [
                (1000 + i, None) for i in range(4)
            ]
            assert (ledger.kept, lines(folder)) == (4, 4)
            with pytest.raises(Unavailable):
                await ledger.sweep()
        assert await ledger.sweep() == 0
        assert (ledger.kept, lines(folder), await ledger.post_kept()) == (0, 0, 0)
        assert (await ledger.settle(settlement("r0", 1000))).replayed
        assert (await ledger.balance("ann")).available == 5 * DOLLAR - 4006
        await ledger.close()
        assert list(folder.iterdir()) == []

    asyncio.run(story())


def test_what_was_kept_is_posted_before_a_late_hold_is_taken_for_lost(
    ledger, database, monkeypatch, clock, tmp_path
):
    async def story():
        await ledger.begin_journal(tmp_path)
        await held(ledger, "r1")
        with away(database, monkeypatch):
            await ledger.settle(settlement("r1", 1000))
        clock.advance(3600)
        assert await ledger.sweep() == 0
        assert (await ledger.receipt("r1", "ann")).status == "ok"
        await ledger.close()

    asyncio.run(story())


def test_a_process_that_died_is_paid_by_the_next_also_if_it_had_posted_already(
    ledger, database, monkeypatch, tmp_path
):
    async def story():
        await ledger.begin_journal(tmp_path)
        await held(ledger, "r1", "r2")
        with away(database, monkeypatch):
            for name in ("r1", "r2"):
                await ledger.settle(settlement(name, 1000))
        left = next(tmp_path.glob("*.jsonl")).read_bytes().split(b"\0")[0]
        await ledger.close()  # posts both, as a process that is killed before it can let go of them
        (tmp_path / "dead.jsonl").write_bytes(left + b"\0" * 10)
        (tmp_path / "torn.jsonl").write_bytes(b'{"not": "ours"}\n' + left[:-20])
        again = Ledger(database, ManualClock(), secret=b"secret", owner="next-process")
        with away(database, monkeypatch), pytest.raises(Unavailable):
            await again.begin_journal(tmp_path)
        assert (tmp_path / "dead.jsonl").exists(), "the database is away still: nothing may be forgotten"
        await again.close()
        assert await again.begin_journal(tmp_path) == 3
        assert [file.name for file in tmp_path.glob("*.jsonl")] == ["next-process.jsonl"]
        assert (await again.balance("ann")).balance == 5 * DOLLAR - 2000
        await again.close()

    asyncio.run(story())


def test_the_file_of_a_living_process_is_left_alone(ledger, database, tmp_path):
    other = Ledger(database, ManualClock(), secret=b"secret", owner="other-process")

    async def story():
        await ledger.begin_journal(tmp_path)
        assert await other.begin_journal(tmp_path) == 0
        assert len(list(tmp_path.glob("*.jsonl"))) == 2
        await ledger.close()
        await other.close()

    asyncio.run(story())


def test_a_reply_kept_for_its_key_says_what_its_caller_was_told(ledger, database, monkeypatch, tmp_path):
    async def story():
        await ledger.begin_journal(tmp_path)
        await held(ledger, "r1")
        await database.write(lambda c: begin_in(c, "completion:ann", "k", "hash", 0))
        kept = KeptReply("completion:ann", "k", lambda receipt: f"balance {receipt.balance_nano}")
        with away(database, monkeypatch):
            await ledger.settle(settlement("r1", 1000, kept=kept))
        await ledger.sweep()
        await ledger.close()

    asyncio.run(story())
    stored = database.read_sync(lambda c: c.execute(sa.select(idempotency_keys.c.result)).scalar_one())
    assert stored == '"balance None"'


def test_what_the_books_refuse_is_named_in_the_log_and_does_not_block_the_rest(
    ledger, database, monkeypatch, tmp_path, caplog
):
    async def story():
        await ledger.begin_journal(tmp_path)
        await held(ledger, "good")
        with away(database, monkeypatch):
            for name in ("gone", "good"):
                await ledger.settle(settlement(name, 1000))
        await ledger.sweep()
        assert ledger.kept == 0
        assert (await ledger.receipt("good", "ann")).charge_nano == 1000
        await ledger.close()

    asyncio.run(story())
    assert "kept settlement of gone, 1000 nano-dollars, can't be posted: No such request" in caplog.text


@pytest.mark.parametrize("cause", ["bound", "disk"])
def test_a_journal_without_room_says_what_is_lost(ledger, database, monkeypatch, tmp_path, caplog, cause):
    async def story():
        if cause == "bound":
            monkeypatch.setattr(journal.Journal.__init__, "__kwdefaults__", {"room": 10, "most": 10})
        await ledger.begin_journal(tmp_path)
        await held(ledger, "r1")
        with away(database, monkeypatch) as _:
            if cause == "disk":
                monkeypatch.setattr(
                    os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
                )
            with pytest.raises(Unavailable):
                await ledger.settle(settlement("r1", 1000))
        monkeypatch.undo()
        await ledger.void("r1", "lost")
        await ledger.close()

    asyncio.run(story())
    reason = "its 10 bytes are used up" if cause == "bound" else "No space left"
    assert (
        f"lost the settlement of r1, 1000 nano-dollars: the database is away, and the journal can't keep it: {reason}"
        in caplog.text
    )


def test_room_is_laid_out_beforehand_so_that_a_full_disk_can_still_keep_a_settlement(tmp_path):
    kept = Journal(tmp_path, "process")
    file = next(tmp_path.glob("*.jsonl"))
    before = file.stat().st_size, file.stat().st_blocks
    for i in range(100):
        entry = Entry.of(settlement(f"r{i}", 1), ledger_module.Receipt(
            request_id="r", status="ok", charged_nano=1, absorbed_nano=0, balance_nano=None, held_nano=0))  # fmt: skip
        kept.keep(entry)
    assert (file.stat().st_size, file.stat().st_blocks) == before
    assert file.stat().st_mode & 0o777 == 0o600
    kept.close()
    assert file.exists(), "what is not posted waits for the next process"


def test_without_a_journal_the_caller_is_told(ledger, database, monkeypatch):
    async def story():
        await held(ledger, "r1")
        with away(database, monkeypatch), pytest.raises(Unavailable):
            await ledger.settle(settlement("r1", 1))
        assert (ledger.kept, await ledger.post_kept()) == (0, 0)
        await ledger.void("r1", "over")
        await ledger.close()

    asyncio.run(story())


def test_a_full_disk_costs_no_answer(sqlite_database, tmp_path):
    ledger = Ledger(sqlite_database, ManualClock(), owner="process")
    sqlite_database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR))

    async def most_pages(count):
        pragma = f"PRAGMA max_page_count={count}"  # 1: what is there, and not a page more
        await sqlite_database.write(lambda c: c.connection.driver_connection.execute(pragma))

    async def story():
        await ledger.begin_journal(tmp_path / "unposted")
        await held(ledger, "r1")
        await most_pages(1)
        receipt = await ledger.settle(settlement("r1", 1000, detail={"long": "x" * 100_000}))
        assert (receipt.balance_nano, ledger.kept) == (None, 1)
        with pytest.raises(Unavailable):
            await ledger.post_kept()
        await most_pages(1 << 30)
        assert await ledger.post_kept() == 1
        assert (await ledger.balance("ann")).available == 5 * DOLLAR - 1000
        await ledger.close()

    asyncio.run(story())
    assert sqlite_database.read_sync(ledger.verify_sync).ok


KEEPER = """
import asyncio, sys
from pathlib import Path
from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger
from tests.fakes.books import DOLLAR, settlement

async def main(url, folder):
    ledger = Ledger(Database.open(url), SystemClock(), owner="killed")
    await ledger.begin_journal(Path(folder))
    await ledger.hold("r1", "ann", DOLLAR, price_version="v")
    print("held", flush=True)
    sys.stdin.readline()
    receipt = await ledger.settle(settlement("r1", 1000, held_nano=DOLLAR))
    print("kept", receipt.balance_nano, flush=True)
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.postgres
def test_a_stopped_postgresql_and_a_killed_process_cost_no_answer(durable_postgres: Postgres, tmp_path):
    name = f"market_{uuid.uuid4().hex[:8]}"
    durable_postgres.create(name)
    url = durable_postgres.url + name
    database = Database.open(url)
    database.create_all()
    ledger = Ledger(database, SystemClock(), owner="next")
    database.write_sync(lambda c: ledger.open_account_in(c, "ann", credit_nano=5 * DOLLAR))
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, url, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        durable_postgres.stop()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "kept None\n"
        process.send_signal(signal.SIGKILL)
    durable_postgres.start()

    async def story():
        assert await ledger.begin_journal(tmp_path) == 1
        assert (await ledger.balance("ann")).available == 5 * DOLLAR - 1000
        await ledger.close()

    asyncio.run(story())
    assert database.read_sync(ledger.verify_sync).ok
    database.close()

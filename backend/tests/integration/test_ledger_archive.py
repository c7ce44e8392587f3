"""Archived requests are the same requests: nothing that is asked of the books changes, and no edit of a file goes unseen."""

import asyncio
import random
import shutil
import sqlite3

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent_marketplace import json
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.segments import Segments, listed
from agent_marketplace.db.tables.ledger import archives, holds, usage_records
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger import Ledger, archive, following
from agent_marketplace.ledger.archive import ArchiveError, Archiver
from agent_marketplace.ledger.journal import Entry
from agent_marketplace.usage_log import UsageLog, store
from agent_marketplace.usage_log.activity import Wanted
from agent_marketplace.usage_log.query import ask
from tests.fakes.books import DOLLAR, settlement

DAY = 86_400_000
SECRET = b"secret"


class Books:
    """A ledger with its sums and archive. calls: the ids of ended requests, oldest first."""

    def __init__(self, database, folder):
        self.database, self.clock, self.segments = database, ManualClock(), Segments(folder / "archive")
        self.ledger = Ledger(database, self.clock, secret=SECRET, segments=self.segments)
        self.reports = Reports(database)
        self.log = UsageLog(database, self.reports, self.segments)
        self.archiver = Archiver(database, self.segments, self.clock, SECRET)
        self.users, self.calls = ("ann", "bob"), []
        for user in self.users:
            database.write_sync(lambda c, u=user: self.ledger.open_account_in(c, u, credit_nano=5 * DOLLAR))

    async def call(self, user, charge, *, voided=False, conversation=None):
        name = f"gen_{len(self.calls):04}{random.Random(len(self.calls)).getrandbits(32):08x}"
        await self.ledger.hold(name, user, max(charge, 1), price_version="v")
        if voided:
            await self.ledger.void(name, "why")
        else:
            detail = {"timings": {"total_ms": charge}} | (
                {"conversation_id": conversation} if conversation else {}
            )
            await self.ledger.settle(settlement(name, charge, user=user, detail=detail))
        self.calls.append(name)
        return name

    async def some(self, days=8, chance=None):
        """A few calls a day, free and voided ones among them."""
        chance = chance or random.Random(1)
        for _ in range(days):
            for _ in range(chance.randrange(1, 5)):
                voided, spoken = chance.random() < 0.2, chance.choice((None, "conv_1"))
                await self.call(
                    chance.choice(self.users), chance.randrange(0, 9), voided=voided, conversation=spoken
                )
            self.clock.advance(86_400)
        await self.ledger.hold("open", "ann", 7, price_version="v")
        await self.log.roll()
        await self.ledger.checkpoint()

    async def told(self):
        """All that anybody can ask of these books."""
        found = {}
        now = self.clock.now_ms()
        for user in self.users:
            found[user] = await self.ledger.balance(user), await self.ledger.statement(user, limit=200)
            for by in (("time", "model"), ("conversation",), ("status", "key")):
                asked = ask(user_id=user, by=by, since=None, until=None, now=now, limit=1000, filters={},
                            tz="Europe/Berlin", granularity="day", days=400,
                            metrics=("spend", "requests", "tokens", "latency"))  # fmt: skip
                found[user, by] = await self.log.query(asked)
            pages = [page async for page in self.log.export(Wanted(user_id=user))]
            found[user, "calls"] = [call for page in pages for call in page]
            found[user, "spoken"] = await self.log.page(
                Wanted(user_id=user, filters={"conversation": ("conv_1",)}, limit=3)
            )
        for name in self.calls:
            for user in self.users:
                try:
                    found[user, name] = await self.ledger.receipt(name, user)
                except NotFound:
                    found[user, name] = None
        return found

    def problems(self):
        return self.database.read_sync(self.ledger.verify_sync).problems

    def count(self, table):
        return self.database.read_sync(lambda c: c.scalar(sa.select(sa.func.count()).select_from(table)))


@pytest.fixture
def books(database, tmp_path):
    books = Books(database, tmp_path)
    asyncio.run(books.some())
    yield books
    books.reports.close()


def later(books, days):
    books.clock.advance(days * 86_400)


def test_nothing_that_is_asked_of_the_books_changes_when_old_requests_are_archived(books, monkeypatch):
    monkeypatch.setattr(archive, "_FILE", 5)

    async def story():
        later(books, 56)
        counts = books.database.read_sync(books.ledger.verify_sync)
        before = await books.told()
        moved = await books.archiver.run(60)
        assert 0 < moved < len(books.calls)
        assert books.count(usage_records) == len(books.calls) - moved
        assert books.count(holds) == len(books.calls) - moved + 1  # the open one stays
        assert await books.told() == before
        assert books.database.read_sync(books.ledger.verify_sync) == counts
        later(books, 10)
        assert await books.archiver.run(60) == len(books.calls) - moved
        assert books.count(archives) > 2
        assert books.database.read_sync(books.ledger.verify_sync) == counts
        assert await books.archiver.run(60) == 0
        await books.log.rebuild(lambda *_: None)
        later(books, -66)  # so that what is asked of time is asked of the same
        books.clock.advance(56 * 86_400)
        assert await books.told() == before
        assert books.problems() == []
        await books.call("ann", 3)
        await books.ledger.checkpoint()
        assert (await books.ledger.verify_new()).problems == 0

    asyncio.run(story())


@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), size=st.integers(1, 9), die=st.integers(0, 12), young=st.integers(50, 62))
def test_a_process_that_dies_while_it_archives_costs_nothing(tmp_path_factory, seed, size, die, young):
    """On SQLite alone: what differs between the databases is in the test above."""
    from agent_marketplace.db.engine import Database

    folder = tmp_path_factory.mktemp("dies")
    database = Database.open(f"sqlite:///{folder / 'books.db'}")
    database.create_all()
    books = Books(database, folder)

    async def story():
        await books.some(4, random.Random(seed))
        later(books, young)
        before, left = await books.told(), die
        write = database.write

        async def dies(fn, **more):
            nonlocal left
            left -= 1
            if left < 0:
                raise RuntimeError("killed")
            return await write(fn, **more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(archive, "_FILE", size)
            patched.setattr(archive, "_BATCH", 2)
            patched.setattr(database, "write", dies)
            try:
                await books.archiver.run(60)
            except RuntimeError as error:
                assert str(error) == "killed"  # noqa: PT017  a run that is quicker than death is one too
            assert books.problems() == []
            patched.setattr(database, "write", write)
            assert await books.told() == before
            await books.archiver.run(60)
        assert books.problems() == []
        assert await books.told() == before
        assert all(made.moved_at is not None for made in database.read_sync(listed))

    try:
        asyncio.run(story())
    finally:
        books.reports.close()
        database.close()


def test_sums_made_anew_while_requests_are_moved_count_each_once(books, monkeypatch):
    """A run that died half way, and a day whose sums are taken away between a file's making and its listing."""
    delete, enlist = archive._forget, archive._list
    since, until = books.clock.now_ms() - 9 * DAY, books.clock.now_ms()

    def dies(connection, some):
        if books.count(usage_records) < len(books.calls):
            raise OSError("died")
        delete(connection, some)

    def late(connection, **more):
        store.forget(connection, since - since % DAY, until, books.segments)
        enlist(connection, **more)

    async def story():
        later(books, 55)
        now = await books.told()
        with monkeypatch.context() as patch:
            patch.setattr(archive, "_BATCH", 3)
            patch.setattr(archive, "_forget", dies)
            with pytest.raises(OSError, match="died"):
                await books.archiver.run(60)
        assert len(books.calls) > books.count(usage_records) > 0
        await books.log.rebuild(lambda *_: None)
        assert books.problems() == []
        assert await books.told() == now
        await books.archiver.run(60)
        later(books, 10)
        with monkeypatch.context() as patch:
            patch.setattr(archive, "_list", late)
            with pytest.raises(ArchiveError, match="try again"):
                await books.archiver.run(60)
        assert books.problems() == []
        await books.log.roll()
        await books.archiver.run(60)
        assert books.count(usage_records) == 0
        assert books.problems() == []
        later(books, -10)
        assert await books.told() == now

    asyncio.run(story())


def test_a_settlement_that_comes_again_after_its_request_was_archived_charges_nothing(books, tmp_path):
    """Another node's journal, posted when that one is back after months."""
    paid, free, lost = (
        settlement(name, charge, held_nano=DOLLAR, price_version="v")
        for name, charge in (("paid", 500), ("free", 0), ("lost", 3))
    )
    unposted = tmp_path / "unposted"

    async def node_comes_back(*kept):
        await books.ledger.begin_journal(unposted)
        told = await books.ledger.settle(paid)
        lines = [json.encode(Entry.of(one, told)) + b"\n" for one in kept]
        (unposted / "dead.jsonl").write_bytes(b"".join(lines) + bytes(9))
        again = Ledger(books.database, books.clock, secret=SECRET, segments=books.segments)
        await again.begin_journal(unposted)
        await again.close()
        await books.ledger.close()
        await books.log.roll()
        return told

    async def story():
        for one in (paid, free):
            await books.ledger.hold(one.request_id, "ann", DOLLAR, price_version="v")
            await books.ledger.settle(one)
        await books.log.roll()
        before = (await books.ledger.balance("ann")).balance
        later(books, 70)
        await books.archiver.run(60)
        told = await node_comes_back(paid, free)
        assert (told.charged_nano, told.replayed) == (500, True)
        assert (await books.ledger.balance("ann")).balance == before
        assert books.problems() == []
        (made,) = books.database.read_sync(listed)
        file = books.segments.folder / made.name
        file.rename(file.with_suffix(".away"))
        await node_comes_back(paid, free, lost)
        file.with_suffix(".away").rename(file)
        assert (await books.ledger.balance("ann")).balance == before - 3, "what was never posted still is"
        assert books.problems() == []

    asyncio.run(story())


def test_requests_that_were_archived_before_the_next_look_raise_no_false_alarm(books, monkeypatch):
    """A server that was off when its calls were archived, and an old answer that is given back just before it is archived."""
    monkeypatch.setattr(archive, "_FILE", 5)

    async def looked():
        books.clock.advance(300)
        await books.ledger.checkpoint()
        return (await books.ledger.verify_new(0)).problems

    async def story():
        following_from = msgspec.structs.replace(await books.ledger.verify_new(0), checkpoint=0, at=0)
        books.database.write_sync(lambda c: following.keep(c, SECRET, following_from))
        later(books, 65)
        assert await books.archiver.run(60) == len(books.calls)
        assert await looked() == 0
        old = await books.call("ann", 9)
        await books.log.roll()
        assert await looked() == 0
        later(books, 65)
        books.database.write_sync(lambda c: books.ledger.give_back_in(c, "ann", old, "a dispute"))
        assert await books.archiver.run(60) == 1
        assert await looked() == 0
        assert books.problems() == []
        made = books.database.read_sync(listed)[-1]
        assert edited(books.segments.folder / made.name, "usage_records", "output", old, 99)
        books.database.write_sync(lambda c: following.keep(c, SECRET, following_from))
        assert await looked() > 0, "an edit of the file goes unseen"

    asyncio.run(story())


def edited(path, table, column, row, value):
    with sqlite3.connect(path) as file:
        changed = file.execute(f"UPDATE {table} SET {column} = ? WHERE request_id = ?", (value, row)).rowcount
    file.close()
    return changed


def test_no_edit_of_an_archived_file_goes_unseen(books):
    later(books, 70)
    asyncio.run(books.archiver.run(60))
    (made,) = books.database.read_sync(listed)
    path = books.segments.folder / made.name
    whole = path.read_bytes()
    chance = random.Random(20_261_201)
    with sqlite3.connect(path) as file:
        file.row_factory = sqlite3.Row
        rows = {t: file.execute(f"SELECT * FROM {t}").fetchall() for t in ("usage_records", "ledger_holds")}
    file.close()
    for table, found in rows.items():
        for column in found[0].keys():  # noqa: SIM118  a Row is no mapping
            row = chance.choice(found)
            old = row[column]
            new = (old or 0) + 1 if isinstance(old, int) or old is None else f"{old}x"
            assert edited(path, table, column, row["request_id"], new) == 1
            assert books.problems(), f"{table}.{column}: {old!r} -> {new!r} went unseen"
            path.write_bytes(whole)
    for statement in ("DELETE FROM usage_records WHERE rowid = 1", "DELETE FROM ledger_holds"):
        with sqlite3.connect(path) as file:
            file.execute(statement)
        file.close()
        assert books.problems(), statement
        path.write_bytes(whole)
    path.write_bytes(whole[:5_000])
    assert books.problems()
    path.rename(path.with_suffix(".away"))
    assert f"archive {made.name} is not in {path.parent}: put it back" in books.problems()
    path.with_suffix(".away").rename(path)
    path.write_bytes(whole)
    assert books.problems() == []


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM ledger_archives",
        "UPDATE ledger_archives SET last_at = last_at - 1",
        "UPDATE ledger_archives SET requests = requests + 1",
        "UPDATE ledger_archives SET name = '000001-00000000.db'",
        "UPDATE ledger_archives SET id = 2",
    ],
)
def test_no_edit_of_the_list_of_archives_goes_unseen(books, edit):
    later(books, 70)
    asyncio.run(books.archiver.run(60))
    books.database.write_sync(lambda c: c.execute(sa.text(edit)))
    assert books.problems()


def test_an_edited_row_is_not_archived(books):
    later(books, 70)
    name = books.calls[0]
    edit = sa.update(usage_records).where(usage_records.c.request_id == name).values(output=99)
    books.database.write_sync(lambda c: c.execute(edit))
    asyncio.run(books.log.roll())
    with pytest.raises(ArchiveError, match=name):
        asyncio.run(books.archiver.run(60))
    assert books.count(archives) == 0
    assert books.count(holds) == len(books.calls) + 1


def test_what_may_still_be_disputed_is_not_archived(books):
    with pytest.raises(ArchiveError, match="60 days"):
        asyncio.run(books.archiver.run(59))
    assert asyncio.run(books.archiver.run(60)) == 0


def test_a_lost_request_is_not_archived_for_its_settlement_still_wins(books):
    later(books, 1)
    asyncio.run(books.ledger.sweep())
    later(books, 70)
    asyncio.run(books.log.roll())
    assert asyncio.run(books.archiver.run(60)) == len(books.calls)
    receipt = asyncio.run(books.ledger.settle(settlement("open", 5)))
    assert receipt.charged_nano == 5
    asyncio.run(books.log.roll())
    assert books.problems() == []


def test_an_archive_from_before_a_column_came_is_read_with_nothing_in_it(books):
    later(books, 70)
    asyncio.run(books.archiver.run(60))
    (made,) = books.database.read_sync(listed)
    copy = books.segments.folder / "000009-00000009.db"
    shutil.copy(books.segments.folder / made.name, copy)
    with sqlite3.connect(copy) as file:
        file.execute("ALTER TABLE usage_records DROP COLUMN promo_nano")
    file.close()
    with books.segments.open(copy.name) as segment:
        rows = segment.execute(sa.select(usage_records.c.promo_nano, usage_records.c.model)).all()
    assert len(rows) == made.requests
    assert {row.promo_nano for row in rows} == {None}
    assert "gpt-4o-mini" in {row.model for row in rows}

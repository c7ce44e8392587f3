"""A database that takes no writes, or is damaged, is told, and nothing more is written to a damaged one."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from agent_marketplace.cli import doctor
from agent_marketplace.db import durability, engine
from agent_marketplace.db.engine import Database
from agent_marketplace.db.health import quick_check
from agent_marketplace.db.probe import Probe
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.db.tables.operations import probes
from agent_marketplace.errors import Unavailable
from agent_marketplace.settings import Settings
from tests.fakes.databases import with_tables
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour


def count(database: Database) -> int:
    return len(database.read_sync(lambda c: c.execute(sa.select(probes)).all()))


def test_readiness_writes_once_however_many_ask(database):
    async def story():
        probe, writes, write = Probe(database), [], database.write

        async def counted(fn, **more):
            writes.append(fn)
            return await write(fn, **more)

        database.write = counted
        await asyncio.gather(*(probe.check() for _ in range(20)))
        await probe.check()
        assert len(writes) == 1

    asyncio.run(story())
    assert count(database) == 1


def test_a_database_that_only_reads_is_not_ready(sqlite_database, caplog):
    async def story():
        probe = Probe(sqlite_database)
        await sqlite_database.write(lambda c: c.connection.driver_connection.execute("PRAGMA query_only=1"))
        with pytest.raises(Unavailable):
            await probe.check()
        await probe.check()  # on a new connection

    asyncio.run(story())
    assert "readonly database" in caplog.text, "the log names the cause"


def test_a_database_that_does_not_answer_is_not_ready_in_time(sqlite_database, monkeypatch):
    from agent_marketplace.db import probe as module

    monkeypatch.setattr(module, "LIMIT_S", 0.05)
    go_on = threading.Event()

    async def story():
        stuck = asyncio.ensure_future(sqlite_database.write(lambda _: go_on.wait()))
        probe = Probe(sqlite_database)
        for _ in range(2):
            with pytest.raises(Unavailable, match="took no write"):
                await probe.check()
        go_on.set()
        await stuck

    asyncio.run(story())


def test_a_forgotten_lock_holds_a_write_for_seconds_only(postgres_url, monkeypatch):
    monkeypatch.setattr(engine, "_LOCK_TIMEOUT", "100ms")
    database = Database.open(postgres_url)
    database.create_all()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("LOCK TABLE probes")
        with pytest.raises(Unavailable):
            database.write_sync(lambda c: c.execute(probes.insert().values(name="x", at=0)))
    database.close()


def damage(file: Path) -> None:
    """Overwrites a page of the table of users."""
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'users'").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    file.write_bytes(data)


def test_a_damaged_page_stops_writing_and_names_the_way_back(tmp_path, caplog):
    url = with_tables(tmp_path)
    file = Path(url.removeprefix("sqlite:///"))
    damage(file)
    database = Database.open(url)
    assert "restore FILE" in str(database.read_sync(quick_check))
    with pytest.raises(Unavailable):
        database.read_sync(lambda c: c.execute(sa.text("SELECT email, role FROM users")).all())
    assert "is damaged" in caplog.text
    assert "restore" in str(database.damage)
    database.stop_writing("told once")
    assert "told once" not in str(database.damage)

    async def story():
        for write in (database.write(lambda _: None), database.write_batched(lambda *_: [None], None)):
            with pytest.raises(Unavailable, match="damaged"):
                await write

    asyncio.run(story())
    database.close()
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path, database_url=url)
    assert "restore FILE" in doctor.examine(settings)[0]
    file.write_bytes(file.read_bytes()[:4096] + b"\xa5" * 40_960)
    assert "malformed" in doctor.examine(settings)[0]


def test_what_is_not_damage_is_not_taken_for_it(database):
    assert database.read_sync(quick_check) is None
    with pytest.raises(sa.exc.ProgrammingError if database.dialect != "sqlite" else Unavailable):
        database.read_sync(lambda c: c.execute(sa.text("SELECT * FROM nowhere")))
    assert database.damage is None


def test_a_postgresql_without_a_standby_has_nothing_to_lose_to_one(postgres_url):
    database = Database.open(postgres_url)
    assert database.read_sync(durability.replication_doubts) == []

    def careless(connection):
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        return durability.replication_doubts(connection)

    assert ["could be lost" in words for words in database.read_sync(careless)] == [True]
    database.close()


@on_rig(Behaviour())
async def test_readyz_says_that_the_database_is_damaged(rig: Rig) -> None:
    assert (await rig.call("/readyz", b"", method="GET")).status == 200
    rig.market.db.damage = "The database is damaged: restore"
    answer = await rig.call("/readyz", b"", method="GET")
    assert (answer.status, answer.json["status"]) == (503, "database_damaged")
    assert "restore" in answer.json["reason"]
    assert (await rig.chat()).status == 503
    rig.market.db.damage = None


@on_rig(Behaviour())
async def test_metrics_say_what_the_books_and_the_machine_are_like(rig: Rig) -> None:
    """What an operator is woken by: books that do not agree, memory, writes that wait, a file that grows."""
    assert (await rig.chat()).status == 200
    await rig.market.ledger.verify_new()
    one_more = sa.update(usage_records).values(output=usage_records.c.output + 1)
    await rig.market.db.write(lambda c: c.execute(one_more))
    await rig.market.ledger.checkpoint()
    await rig.market.ledger.verify_new(0)
    told = (await rig.call("/metrics", b"", {"host": "127.0.0.1"}, method="GET")).body.decode()
    figures = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert float(figures["marketplace_ledger_problems"]) == 1
    assert float(figures["marketplace_ledger_verified_seconds"]) > 1_600_000_000
    assert float(figures["marketplace_memory_bytes"]) > 10_000_000
    assert float(figures['marketplace_database_bytes{part="file"}']) > 0
    assert float(figures["marketplace_writes_waiting"]) == 0
    assert float(figures["marketplace_worker_deaths"]) == 0
    back = sa.update(usage_records).values(output=usage_records.c.output - 1)
    await rig.market.db.write(lambda c: c.execute(back))

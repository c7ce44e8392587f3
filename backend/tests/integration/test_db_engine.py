"""The one way to the database: what is answered is committed, what failed alone fails alone, readers never wait."""

import asyncio
import multiprocessing
import sqlite3
import threading

import psycopg
import pytest
import sqlalchemy as sa

from agent_marketplace.db import group
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Unavailable

SCRATCH = "CREATE TABLE scratch (id INTEGER PRIMARY KEY)"


@pytest.fixture
def scratch(database):
    database.write_sync(lambda c: c.exec_driver_sql(SCRATCH))
    return database


def put(number):
    return lambda c: c.execute(sa.text("INSERT INTO scratch VALUES (:n)"), {"n": number}).rowcount


def numbers(database):
    return database.read_sync(lambda c: sorted(c.execute(sa.text("SELECT id FROM scratch")).scalars()))


def test_a_failing_write_fails_alone(scratch):
    def half(connection):
        put(100)(connection)
        raise BadRequest("no")

    async def story():
        writes = [
            scratch.write(put(1)),
            scratch.write(half),
            scratch.write(put(1)),
            scratch.write(put(2), durable=False),
        ]
        return await asyncio.gather(*writes, return_exceptions=True)

    results = asyncio.run(story())
    assert {type(r) for r in results} == {int, BadRequest, sa.exc.IntegrityError}
    assert numbers(scratch) == [1, 2]


def batch(driver, jobs):
    marker = "?" if isinstance(driver, sqlite3.Connection) else "%s"
    outcomes = []
    for job in jobs:
        if job < 0:
            outcomes.append(BadRequest("negative"))
        else:
            driver.execute(f"INSERT INTO scratch VALUES ({marker})", (job,))
            outcomes.append(job * 2)
    return outcomes


def test_a_poisoned_batch_is_taken_apart_so_only_the_bad_job_fails(scratch):
    async def story():
        jobs = [scratch.write_batched(batch, n) for n in (1, 2, 2, -1, 3)] + [scratch.write(put(9))]
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = asyncio.run(story())
    assert [type(r) for r in results] == [int, int, Unavailable, BadRequest, int, int]
    assert results[:2] == [2, 4]
    assert numbers(scratch) == [1, 2, 3, 9]
    assert asyncio.run(scratch.write_batched(batch, 10)) == 20, "the writer goes on"


def test_a_reader_sees_one_moment_and_does_not_wait_for_writers(scratch):
    scratch.write_sync(put(1))
    count = sa.text("SELECT count(*) FROM scratch")

    def twice(connection):
        before = connection.execute(count).scalar_one()
        scratch.write_sync(put(2))  # would never return if writers waited for readers
        return before, connection.execute(count).scalar_one()

    assert scratch.read_sync(twice) == (1, 1)
    assert numbers(scratch) == [1, 2]


def test_a_commit_that_fails_is_told_to_every_caller_of_the_group(scratch, monkeypatch):
    def refuse(_connection):
        raise sa.exc.OperationalError("COMMIT", None, Exception("disk full"))

    async def story():
        await scratch.write_batched(batch, 1)
        with monkeypatch.context() as patch:
            patch.setattr(sa.engine.RootTransaction, "commit", refuse)
            patch.setattr(group.GroupWriter, "_begin_plain", lambda _self, connection: connection.begin())
            jobs = [scratch.write_batched(batch, n) for n in (2, 3)]
            results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(r) for r in results] == [group.CommitUnknown] * 2
        await scratch.write_batched(batch, 4)

    asyncio.run(story())
    assert numbers(scratch) == [1, 4]


def test_a_broken_connection_is_reported_and_replaced(scratch, monkeypatch):
    async def story():
        await scratch.write_batched(batch, 1)
        with monkeypatch.context() as patch:
            patch.setattr(group.GroupWriter, "_connect", lambda _self: (_ for _ in ()).throw(OSError("gone")))
            with pytest.raises(Unavailable):
                await scratch.write_batched(batch, 2)
        await scratch.write_batched(batch, 3)

    asyncio.run(story())
    assert numbers(scratch) == [1, 3]


def test_a_server_that_ends_our_connections_costs_one_answer_not_the_service(postgres_url):
    database = Database.open(postgres_url)
    database.write_sync(lambda c: c.exec_driver_sql(SCRATCH))

    async def story():
        await database.write_batched(batch, 1)
        plain = postgres_url.replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
            )
        with pytest.raises(Unavailable):
            await database.write_batched(batch, 2)
        await database.write_batched(batch, 3)
        await database.write(put(4))

    asyncio.run(story())
    assert numbers(database) == [1, 3, 4]
    database.close()


def test_writes_handed_in_before_the_end_are_finished_and_later_ones_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'test.db'}"
    database = Database.open(url)
    database.write_sync(lambda c: c.exec_driver_sql(SCRATCH))

    async def story():
        waiting = [asyncio.ensure_future(database.write(put(n))) for n in range(50)]
        await asyncio.sleep(0)
        database.close()
        assert sum(await asyncio.gather(*waiting)) == 50
        with pytest.raises(Unavailable):
            await database.write(put(99))

    asyncio.run(story())
    again = Database.open(url)
    assert numbers(again) == list(range(50))
    again.close()


def test_callers_that_left_do_not_stop_the_writer(scratch):
    async def leave():
        task = asyncio.ensure_future(scratch.write_batched(batch, 1))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    loop = asyncio.new_event_loop()
    blocked = threading.Event()

    def slow(driver, jobs):
        blocked.wait(10)
        return batch(driver, jobs)

    task = loop.create_task(scratch.write_batched(slow, 2))
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    blocked.set()  # the answer comes when its loop is closed
    asyncio.run(scratch.write_batched(batch, 3))
    assert numbers(scratch)[-2:] == [2, 3]


def _write_elsewhere(url, start):
    database = Database.open(url)
    for number in range(start, start + 50):
        database.write_sync(put(number))
    database.close()


def test_the_command_line_writes_beside_a_running_server(scratch, database_url):
    """Another process writes while this one does: neither fails, nothing is lost."""
    process = multiprocessing.get_context("spawn").Process(
        target=_write_elsewhere, args=(database_url, 10**6)
    )
    process.start()

    async def story():
        n = 0
        while process.is_alive():
            await scratch.write(put(n))
            n += 1
        return n

    here = asyncio.run(story())
    process.join()
    assert process.exitcode == 0
    assert numbers(scratch) == [*range(here), *range(10**6, 10**6 + 50)]


def test_a_deadlock_is_retried_until_the_limit(postgres_url, monkeypatch):
    monkeypatch.setattr("agent_marketplace.db.engine.random.uniform", lambda _low, _high: 0)
    database = Database.open(postgres_url)
    runs = []

    def always(connection):
        runs.append(1)
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")

    with pytest.raises(Unavailable):
        database.write_sync(always)
    assert len(runs) == 5
    with pytest.raises(sa.exc.DBAPIError):
        database.write_sync(lambda c: c.exec_driver_sql("SELECT 1/0"), durable=False)
    database.close()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_only_writes_that_may_be_lost_skip_the_disk(sqlite_database, durable, level):
    seen = sqlite_database.write_sync(
        lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar_one(), durable=durable
    )
    assert seen == level

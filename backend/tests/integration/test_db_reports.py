"""Long reads have bounds: of time, of one caller, of all of them; and they hold up nobody else."""

import asyncio
import threading

import pytest
import sqlalchemy as sa

from agent_marketplace.db.reports import Reports
from agent_marketplace.errors import RateLimited, Unavailable


def endless(connection):
    """A statement that would run for minutes."""
    numbers = sa.text(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000000) SELECT count(*) FROM n"
    )
    return connection.execute(numbers).scalar()


def test_a_long_report_ends_at_its_limit_and_says_so(database):
    reports = Reports(database, limit_s=0.2)
    with pytest.raises(Unavailable) as ended:
        asyncio.run(reports.read(endless))
    assert ended.value.code == "query_timeout"
    assert asyncio.run(reports.read(lambda c: c.execute(sa.text("SELECT 1")).scalar())) == 1
    reports.close()


def test_a_report_ends_with_its_caller(database):
    reports = Reports(database, limit_s=3600)

    async def story():
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def work(connection):
            driver, asked = connection.connection.driver_connection, threading.Event()
            if hasattr(driver, "cancel_safe"):  # the first request comes between two statements, and is lost
                cancel = driver.cancel_safe
                driver.cancel_safe = lambda **limits: (cancel(**limits), asked.set())
            else:
                asked.set()
            loop.call_soon_threadsafe(begun.set)
            assert asked.wait(20)
            return endless(connection)

        reading = asyncio.create_task(reports.read(work))
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await reports.read(lambda _: None)  # there is room again
        await reports.read(lambda _: None)

    asyncio.run(story())
    reports.close()  # waits for what runs


def test_too_many_reports_are_refused_and_hold_up_no_other_reader(database):
    reports = Reports(database)
    gate = threading.Event()

    async def story():
        async def one(who):
            return await reports.read(lambda _: gate.wait(20), who=who)

        running = [asyncio.create_task(one("ann")) for _ in range(8)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await one("ann")
        running += [asyncio.create_task(one(f"user{n}")) for n in range(24)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="Too many"):
            await one("zoe")
        await asyncio.wait_for(database.read(lambda c: c.execute(sa.text("SELECT 1")).scalar()), 10)
        gate.set()
        assert all(await asyncio.gather(*running))

    asyncio.run(story())
    reports.close()


def test_one_callers_pages_take_one_thread_and_others_are_answered_meanwhile(database):
    reports = Reports(database)
    gate, running = threading.Event(), []

    def slow(_):
        running.append(1)
        assert gate.wait(20)
        return len(running)

    async def story():
        pages = [asyncio.create_task(reports.read(slow, who="ann")) for _ in range(6)]
        for _ in range(3):  # each in a thread of the pool, so that a second page of ann's would have begun
            assert await asyncio.wait_for(reports.read(lambda _: len(running), who="bob"), 10) <= 1
        pages.pop().cancel()
        gate.set()
        assert await asyncio.gather(*pages) == [1, 2, 3, 4, 5]
        assert await reports.read(lambda _: len(running), who="ann") == 5

    asyncio.run(story())
    reports.close()

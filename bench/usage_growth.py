"""What usage pages cost on books that `bench/growth_data.py` made, alone and eight at once beside another user's calls.

    PYTHONPATH=backend python bench/usage_growth.py DATABASE_URL

Prints CPU and wall milliseconds of the first account's questions, then how long a hold and a settlement of another account take while
eight readers ask for its year without a pause, and how many of those were told to wait.
"""

import asyncio
import statistics
import sys
import time
from typing import Any

from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.usage import Usage
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.usage_log.activity import Wanted
from agent_marketplace.usage_log.query import ask

HEAVY, OTHER = "user-0000000", "user-0000010"
SECRET = b"bench"  # as bench/growth_data.py


def question(days: int, *by: str) -> Any:
    """A page's question of the heavy account."""
    return ask(
        user_id=HEAVY, by=by, since=None, until=None, now=SystemClock().now_ms(), limit=1000, filters={}, tz="Europe/Berlin",
        granularity="day", days=days, metrics=("spend", "requests", "tokens", "errors", "latency"),
    )  # fmt: skip


async def alone(log: UsageLog) -> None:
    """Each question five times."""
    cases = {
        "usage, 30 days by model": lambda: log.query(question(30, "model")),
        "usage, 365 days by day": lambda: log.query(question(365, "time")),
        "usage, 365 days by day and model": lambda: log.query(
            question(365, "time", "model")
        ),
        "activity, first page": lambda: log.page(Wanted(user_id=HEAVY)),
    }
    for name, run in cases.items():
        walls, cpu = [], time.process_time()
        for _ in range(5):
            began = time.perf_counter()
            await run()
            walls.append((time.perf_counter() - began) * 1000)
        cpu = (time.process_time() - cpu) / 5 * 1000
        print(
            f"{name:36} {cpu:7.1f} ms of CPU, {min(walls):7.1f} to {max(walls):7.1f} ms"
        )


async def call(ledger: Ledger, name: str) -> float:
    """One hold and settlement of the other account, ms."""
    began = time.perf_counter()
    await ledger.hold(name, OTHER, 1000, price_version="bench")
    await ledger.settle(
        Settlement(
            request_id=name, user_id=OTHER, charge_nano=500, usage=Usage(input=1, output=1), provider="openai", model="gpt-4o",
            status="ok", provider_cost_nano=500,
        )
    )  # fmt: skip
    return (time.perf_counter() - began) * 1000


async def beside(log: UsageLog, ledger: Ledger, readers: int, label: str) -> None:
    """Calls for five seconds beside `readers` pages."""
    over = time.perf_counter() + 5
    read = waited = 0

    async def reader() -> None:
        nonlocal read, waited
        while time.perf_counter() < over:
            try:
                await log.query(question(365, "time", "model"))
                read += 1
            except MarketplaceError:
                waited += 1
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(reader()) for _ in range(readers)]
    took, stamp = [], time.time_ns()
    while time.perf_counter() < over:
        took.append(await call(ledger, f"bench_{stamp}_{len(took)}"))
    await asyncio.gather(*tasks)
    took.sort()
    print(
        f"{label:36} {len(took)} calls, p50 {statistics.median(took):.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms, "
        f"slowest {took[-1]:.1f} ms; {read} pages, {waited} told to wait"
    )


async def main(url: str) -> None:
    database = Database.open(url)
    reports = Reports(database)
    log, ledger = (
        UsageLog(database, reports),
        Ledger(database, SystemClock(), secret=SECRET),
    )
    await alone(log)
    await beside(log, ledger, 0, "calls without pages")
    await beside(log, ledger, 8, "calls beside eight pages")
    reports.close()
    database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

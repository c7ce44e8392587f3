"""What usage and activity pages take on a database with many calls of one account.

    PYTHONPATH=backend python bench/usage_pages.py [REQUESTS] [postgresql+psycopg://…]

Makes a database (SQLite in a temporary directory unless a URL of an empty one is given) with REQUESTS usage rows over 60 days of one
account (35 models, 4 keys, 1 call in 3 in one of REQUESTS / 30 conversations), sums them up as the housekeeper does, and prints the
slowest of five of each question, and the growth of the process's memory over all of them.
"""

import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.usage import COUNTS
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.usage_log.proof import store as proof
from agent_marketplace.usage_log.activity import Place, Wanted
from agent_marketplace.usage_log.query import ask

DAYS = 60
BEGIN = 1_790_000_000_000
SPAN = DAYS * 86_400_000
NOTHING = dict.fromkeys((*COUNTS, "estimated", "absorbed_nano", "provider_cost_nano"), 0)


def rows(count: int) -> Any:
    """In lots of 20,000."""
    chance, lot = random.Random(7), []
    for n in range(count):
        model = min(int(chance.expovariate(0.4)), 34)
        spoken = {"conversation_id": f"conv_{chance.randrange(max(1, count // 30))}"} if n % 3 == 0 else {}
        ms = int(chance.lognormvariate(7, 1))
        detail = {
            "attempts": [],
            "stream": True,
            "timings": {"first_token_ms": ms // 4, "total_ms": ms},
            **spoken,
        }
        lot.append({
            **NOTHING, "request_id": f"gen_{n:020}", "user_id": "heavy", "key_id": f"key_{n % 4}" if n % 4 else None,
            "model": f"model-{model}", "provider": f"provider-{model % 5}", "status": "failed" if chance.random() < 0.02 else "ok",
            "input": chance.randrange(20, 4000), "output": chance.randrange(5, 900), "charge_nano": chance.randrange(10**7),
            "list_cost_nano": 1, "hold_nano": 1, "price_version": "v", "detail": json.dumps(detail),
            "created_at": BEGIN + SPAN * n // count,
        })  # fmt: skip
        if len(lot) == 20_000:
            yield lot
            lot = []
    yield lot


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(log: UsageLog, count: int) -> None:
    """Prints a line a question."""

    def question(*by: str, **more: Any) -> Callable[[], Awaitable[Any]]:
        values = {"metrics": ("spend", "requests", "tokens", "errors", "latency"), "filters": {}, "tz": "Europe/Berlin",
                  "granularity": "day", "days": DAYS, **more}  # fmt: skip
        asked = ask(user_id="heavy", by=by, since=None, until=None, now=BEGIN + SPAN, limit=1000, **values)
        return lambda: log.query(asked)

    def page(**more: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: log.page(Wanted(user_id="heavy", **more))

    def everybody(*by: str, tz: str = "Europe/Berlin") -> Callable[[], Awaitable[Any]]:
        asked = ask(user_id=None, metrics=("spend", "requests", "tokens", "errors", "latency"), filters={}, tz=tz, by=by, days=30,
                    granularity="day", since=None, until=None, now=BEGIN + SPAN, limit=1000)  # fmt: skip
        return lambda: log.query(asked)

    middle = Place(BEGIN + SPAN // 2, "gen_")
    cases = {
        "usage: totals": question(),
        "usage: by day": question("time"),
        "usage: by model": question("model"),
        "usage: by day and model": question("time", "model"),
        "usage: by key and status": question("key", "status"),
        "usage: by hour, 30 days": question("time", granularity="hour", days=30),
        "usage: by conversation": question("conversation"),
        "usage: one model by day": question("time", filters={"model": ("model-34",)}),
        "everybody: by day, 30 days": everybody("time"),
        "everybody: by day and model": everybody("time", "model"),
        "everybody: by model, India": everybody("model", tz="Asia/Kolkata"),
        "activity: first page": page(),
        "activity: a page in the middle": page(after=middle),
        "activity: a rare model": page(filters={"model": ("model-34",)}),
        "activity: failed, one key, in the middle": page(
            filters={"status": ("failed",), "key": ("key_1",)}, after=middle
        ),
        "activity: one conversation": page(filters={"conversation": ("conv_7",)}),
    }
    before = peak_mb()
    for name, run in cases.items():
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            await run()
            taken.append((time.perf_counter() - began) * 1000)
        print(f"{name:44} {min(taken):7.1f} to {max(taken):7.1f} ms")
    began, told = time.perf_counter(), 0
    async for calls in log.export(Wanted(user_id="heavy")):
        told += len(calls)
    print(f"{'activity: export':44} {told} calls in {time.perf_counter() - began:.1f} s")
    print(f"peak memory {before:.0f} MB before, {peak_mb():.0f} MB after; {count} calls")


async def main(count: int, url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        migrate.upgrade(database.engine)
        began = time.perf_counter()
        for lot in rows(count):
            database.write_sync(lambda c, lot=lot: c.execute(sa.insert(usage_records), lot), durable=False)
        print(f"{count} usage rows written in {time.perf_counter() - began:.0f} s")
        reports = Reports(database)
        log = UsageLog(database, reports)
        began, cpu = time.perf_counter(), time.process_time()
        await log.roll()
        print(f"summed up in {time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU")
        began = time.perf_counter()
        wrong = database.read_sync(lambda c: proof.disagreements(c, 5))
        print(f"checked in {time.perf_counter() - began:.1f} s: {wrong or 'the sums are right'}")
        await measure(log, count)
        reports.close()
        database.close()


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2] if len(sys.argv) > 2 else None)
    )

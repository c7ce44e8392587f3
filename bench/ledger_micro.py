"""CPU and latency of one hold + settle through the async ledger on SQLite.

    python bench/ledger_micro.py [pairs] [directory]

The directory decides which disk is synced. Prints one JSON line for each concurrency.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.usage import Usage

USERS = 50
DETAIL = {
    "attempts": [{"provider": "openai", "endpoint": "openai/gpt-4o-mini", "status": 200, "first_byte_ms": 212}],
    "timings": {"first_token_ms": 231, "total_ms": 1840},
    "estimate": {"p50": "0.000031", "p95": "0.000410"},
}


async def one(ledger: Ledger, name: str, user: str, latencies: list[float]) -> None:
    """Holds a cent, charges a tenth of it."""
    start = time.perf_counter()
    await ledger.hold(name, user, 10_000_000, price_version="bench")
    await ledger.settle(
        Settlement(
            request_id=name,
            user_id=user,
            charge_nano=1_000_000,
            provider_cost_nano=1_000_000,
            usage=Usage(input=100, output=50),
            provider="openai",
            model="gpt-4o-mini",
            status="ok",
            detail=DETAIL,
        )
    )
    latencies.append(time.perf_counter() - start)


async def run(ledger: Ledger, concurrency: int, pairs: int) -> dict[str, float]:
    """A closed loop of `concurrency` callers."""
    latencies: list[float] = []
    numbers = iter(range(pairs))

    async def caller() -> None:
        for i in numbers:
            await one(ledger, f"req_{concurrency}_{i:09d}", f"user{i % USERS}", latencies)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    latencies.sort()
    return {
        "concurrency": concurrency,
        "pairs": pairs,
        "pairs_per_s": round(pairs / wall),
        "cpu_ms_per_pair": round(cpu / pairs * 1000, 4),
        "latency_ms_p50": round(statistics.median(latencies) * 1000, 3),
        "latency_ms_p99": round(latencies[int(len(latencies) * 0.99)] * 1000, 3),
    }


async def main() -> None:
    """Runs all concurrencies on one fresh database, then verifies it."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as directory:
        database = Database.open(f"sqlite:///{Path(directory) / 'bench.db'}")
        database.create_all()
        ledger = Ledger(database, SystemClock())
        for i in range(USERS):
            await database.write(lambda c, i=i: ledger.open_account_in(c, f"user{i}", credit_nano=10**12, kind="credit"))
        for concurrency in (1, 32, 128):
            count = pairs // 4 if concurrency == 1 else pairs
            print(json.dumps(await run(ledger, concurrency, count)))
        start = time.perf_counter()
        report = database.read_sync(ledger.verify_sync)
        assert report.ok, report.problems[:3]
        print(json.dumps({"verify_postings": report.postings, "seconds": round(time.perf_counter() - start, 2)}))
        database.close()


if __name__ == "__main__":
    uvloop.run(main())

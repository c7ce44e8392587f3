"""`kill -9` of a process that writes: every acknowledged settlement is there once, every hold is resolved."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger

ROUNDS = 4
WRITER = """
import asyncio, sys
from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.usage import Usage

async def worker(ledger, prefix, w):
    for i in range(100_000):
        name = f"{prefix}-{w}-{i}"
        await ledger.hold(name, f"user{w % 4}", 1000, price_version="v", ttl_s=0.05)
        await ledger.heartbeat(name, 0.05, progress_nano=1)
        await ledger.settle(Settlement(request_id=name, user_id=f"user{w % 4}", charge_nano=10, usage=Usage(),
                                       provider="p", model="m", status="ok", provider_cost_nano=10))
        sys.stdout.write(name + "\\n")  # the client's own journal of what was acknowledged
        sys.stdout.flush()

async def main(url, prefix):
    ledger = Ledger(Database.open(url), SystemClock(), owner=prefix)
    await asyncio.gather(*(worker(ledger, prefix, w) for w in range(16)))

asyncio.run(main(*sys.argv[1:]))
"""


def acknowledged(url, name, lines):
    """Starts a writer, kills it after a random number of acknowledgements, returns what it had acknowledged."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, url, name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = [process.stdout.readline().strip() for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    seen += [line.strip() for line in process.stdout.read().splitlines() if line.strip()]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return [line for line in seen if line.count("-") == 2]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_kill_nine_loses_no_acknowledged_cent_and_no_hold(database, database_url, round_):
    clock = SystemClock()
    ledger = Ledger(database, clock, owner="survivor")
    for i in range(4):
        database.write_sync(
            lambda c, i=i: ledger.open_account_in(c, f"user{i}", credit_nano=10**9, kind="credit")
        )
    journal = acknowledged(database_url, f"p{round_}", random.Random(round_).randrange(1, 400))

    async def story():
        ended = await ledger.recover()
        deadline = time.monotonic() + 30
        while (
            await open_holds() and time.monotonic() < deadline
        ):  # PostgreSQL: the dead process's holds expire by themselves
            ended += await ledger.sweep()
        for name in journal:
            record = await ledger.receipt(name, f"user{int(name.split('-')[1]) % 4}")
            assert (record.status, record.charge_nano) == ("ok", 10)
        assert await open_holds() == 0

    async def open_holds():
        wallets = [await ledger.balance(f"user{i}") for i in range(4)]
        return sum(wallet.held for wallet in wallets)

    asyncio.run(story())
    assert journal
    report = database.read_sync(ledger.verify_sync)
    assert report.problems == []
    assert report.usage_records >= len(journal)
    reopened = Database.open(database_url)
    assert reopened.read_sync(ledger.verify_sync).ok
    reopened.close()

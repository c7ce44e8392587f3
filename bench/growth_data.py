"""Books of any size, as the gateway would have left them: `ledger verify` agrees with every row.

    PYTHONPATH=backend python bench/growth_data.py DATABASE_URL REQUESTS [ACCOUNTS] [SHARE]

Fills an empty database with ACCOUNTS (1,000) wallets and REQUESTS settled calls over 60 days: SHARE (0.5) of them are of the first
account, the others of one account in ten. Holds, postings, seals, sums of usage and checkpoints are made by the ledger's own
code under the checkpoint secret `bench`.
"""

import asyncio
import json
import random
import sys
import time

import sqlalchemy as sa

from agent_marketplace.clock import SystemClock
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.book import Book
from agent_marketplace.ledger.holds import HoldRow
from agent_marketplace.ledger.seals import seal_key
from agent_marketplace.ledger.types import Settlement
from agent_marketplace.ledger.writer import close
from agent_marketplace.usage import Usage
from agent_marketplace.usage_log import UsageLog

SECRET = b"bench"
SPAN_MS = 60 * 86_400_000
_LOT = 2_000
MODELS = ["gpt-4o-mini", "gpt-4o", "claude-sonnet-4.5", "gemini-2.5-flash", *(f"model-{n}" for n in range(30))]


def detail(chance: random.Random) -> dict[str, object]:
    """As large as what the gateway keeps of a plain call: about 500 bytes."""
    total = int(chance.lognormvariate(7, 1))
    attempt = {
        "model": "gpt-4o-mini", "provider": "openai", "why": "requested", "credential": "operator", "started": 30, "ended": total,
        "status": "ok", "error": "", "code": "", "may_be_billed": False,
    }  # fmt: skip
    return {
        "attempts": [attempt], "skipped": [], "requested_model": "gpt-4o-mini", "credential": "operator", "stream": False,
        "finish_reason": "stop", "malformed_events": 0, "timings": {"first_token_ms": total // 4, "total_ms": total},
        "input_estimate": 17, "dropped_parameters": [],
        "estimate": {"p50": 0.00006255, "p95": 0.00006255, "maximum": 0.00006405},
    }  # fmt: skip


def accounts(ledger: Ledger, database: Database, count: int) -> list[str]:
    """Wallets with $5 of play credit; the first one and every tenth with $1,000,000 that was paid for."""
    names = [f"user-{n:07}" for n in range(count)]
    for begin in range(0, count, 500):

        def some(connection: sa.Connection, begin: int = begin) -> None:
            for name in names[begin : begin + 500]:
                ledger.open_account_in(connection, name, credit_nano=5 * 10**9, kind="credit")

        database.write_sync(some, durable=False)
    return names


def calls(connection: sa.Connection, users: list[str], numbers: range, total: int, share: float, begin: int) -> None:
    """One transaction of settled calls."""
    chance = random.Random(numbers.start)
    book = Book.on(connection, begin, seal_key(SECRET))
    busy = users[::10]
    chosen = [users[0] if chance.random() < share else chance.choice(busy) for _ in numbers]
    book.load(users=chosen)
    for n, user in zip(numbers, chosen, strict=True):
        book.now = begin + SPAN_MS * n // total
        tokens, said = chance.randrange(20, 4000), chance.randrange(5, 900)
        cost = tokens * 15 + said * 60
        model = MODELS[min(int(chance.expovariate(0.4)), len(MODELS) - 1)]
        name = f"gen_{book.now:x}{chance.getrandbits(48):012x}"
        hold = HoldRow(
            name, book.account(user).id, None, 2 * cost, "bench", "bench", "open", 0, 0, 0, model, "openai", book.now - 900,
            book.now + 50_000,
        )  # fmt: skip
        book.add_hold(hold)
        book.keep(hold, hold.amount_nano)
        settled = Settlement(
            request_id=name, user_id=user, charge_nano=cost, usage=Usage(input=tokens, output=said), provider="openai",
            model=model, status="ok", detail=detail(chance), provider_cost_nano=cost, list_cost_nano=cost,
        )  # fmt: skip
        close(book, hold, settled, "settled")
    book.flush()


async def fill(url: str, requests: int, count: int, share: float) -> None:
    """Everything, with a line a step."""
    database = Database.open(url)
    migrate.upgrade(database.engine)
    ledger, began = Ledger(database, SystemClock(), secret=SECRET), time.perf_counter()
    users = accounts(ledger, database, count)
    for user in users[::10]:
        await ledger.grant(user, 10**15, kind="topup")
    print(f"{count} accounts in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    begin = SystemClock().now_ms() - SPAN_MS
    for start in range(0, requests, _LOT):
        numbers = range(start, min(start + _LOT, requests))
        database.write_sync(lambda c, n=numbers: calls(c, users, n, requests, share, begin), durable=False)
        if start % 50_000 == 0:
            await ledger.checkpoint()
    print(f"{requests} requests in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    reports = Reports(database)
    await UsageLog(database, reports).roll()
    await ledger.checkpoint()
    reports.close()
    database.close()
    print(json.dumps({"accounts": count, "requests": requests, "seconds": round(time.perf_counter() - began)}))


if __name__ == "__main__":
    rest = sys.argv[2:]
    asyncio.run(
        fill(
            sys.argv[1],
            int(rest[0]) if rest else 10_000,
            int(rest[1]) if rest[1:] else 1_000,
            float(rest[2]) if rest[2:] else 0.5,
        )
    )

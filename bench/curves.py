"""How costs grow with accounts and requests, by one command: a table for docs/performance.md.

    PYTHONPATH=backend python bench/curves.py [ACCOUNTSxREQUESTS ...]       # 10x10000 1000x10000 1000x60000 20000x10000
    PYTHONPATH=backend python bench/curves.py sqlite:////tmp/grown.db       # of books that bench/growth_data.py made

Each size is made in a directory of its own by bench/growth_data.py and measured in a process of its own. CPU seconds or milliseconds,
the best of three where it says ms. For offers see bench/catalogue_growth.py.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agent_marketplace.clock import SystemClock
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.ledger import Ledger
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.usage_log.activity import Wanted
from agent_marketplace.usage_log.query import ask

HEAVY, SECRET = "user-0000000", b"bench"
SIZES = ("10x10000", "1000x10000", "1000x60000", "20000x10000")
ROWS = (
    ("file, MB", "calls"), ("`ledger verify`, CPU s", "calls"), ("its peak, MB", "accounts"), ("its CPU, us a call", "-"),
    ("proof of what is new when nothing is, ms", "does not"), ("usage, 30 days by model, ms", "quarters of an hour in use"),
    ("usage of everybody, 30 days by day, ms", "quarters of an hour in use, of all"), ("a page of calls, ms", "does not"),
    ("balance, ms", "does not"), ("a page of the statement, ms", "does not"),
)  # fmt: skip


async def best(work: Callable[[], Awaitable[Any]]) -> float:
    """CPU ms, of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        await work()
        taken.append(time.process_time() - began)
    return round(min(taken) * 1000, 1)


async def measure(url: str) -> dict[str, Any]:
    """One size. {row: figure}"""
    database = Database.open(url)
    migrate.upgrade(database.engine)
    reports, clock = Reports(database), SystemClock()
    log, ledger = UsageLog(database, reports), Ledger(database, clock, secret=SECRET)

    def question(user: str | None, by: str) -> Any:
        return ask(
            user_id=user, by=(by,), since=None, until=None, now=clock.now_ms(), limit=1000, filters={}, tz="Europe/Berlin",
            granularity="day", days=30, metrics=("spend", "requests", "tokens", "errors", "latency"),
        )  # fmt: skip

    began = time.process_time()
    report = database.read_sync(ledger.verify_sync)
    took = time.process_time() - began
    assert report.ok, report.problems[:3]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    await ledger.verify_new(0)
    figures = (
        round(sum(database.sizes().values()) / 1e6), round(took, 1), peak, round(took / max(1, report.holds) * 1e6),
        await best(lambda: ledger.verify_new(0)), await best(lambda: log.query(question(HEAVY, "model"))),
        await best(lambda: log.query(question(None, "time"))), await best(lambda: log.page(Wanted(user_id=HEAVY))),
        await best(lambda: ledger.balance(HEAVY)), await best(lambda: ledger.statement(HEAVY)),
    )  # fmt: skip
    reports.close()
    database.close()
    return {name: figure for (name, _), figure in zip(ROWS, figures, strict=True)}


def made(size: str, folder: Path) -> str:
    """The URL of books of this size."""
    accounts, requests = size.split("x")
    url = f"sqlite:///{folder / size}.db"
    script = Path(__file__).with_name("growth_data.py")
    subprocess.run([sys.executable, script, url, requests, accounts], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return url


def apart(url: str) -> dict[str, Any]:
    """`measure` in a process of its own, for its peak of memory."""
    done = subprocess.run([sys.executable, __file__, "--one", url], check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(sizes: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns = {size: apart(size if ":" in size else made(size, Path(folder))) for size in sizes}
    print("| accounts x calls | " + " | ".join(columns) + " | grows with |")
    print("| --- |" + " --: |" * len(columns) + " --- |")
    for name, grows in ROWS:
        print(f"| {name} | " + " | ".join(str(column[name]) for column in columns.values()) + f" | {grows} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(asyncio.run(measure(sys.argv[2]))))
    else:
        main(sys.argv[1:] or list(SIZES))

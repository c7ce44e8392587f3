"""What archiving does to books that `bench/growth_data.py` made: half of their time is moved to files beside them.

    PYTHONPATH=backend python bench/archive.py DATABASE_URL

Prints CPU and peak memory of `ledger verify` before and after, and what the tables and the files hold. The database stays archived.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from agent_marketplace.clock import SystemClock
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.segments import Segments
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.archive import Archiver

SECRET = b"bench"  # as bench/growth_data.py
DAYS = 30


class Later(SystemClock):
    """A month from now, for what bench/growth_data.py makes is not old enough."""

    def now_ms(self) -> int:
        return super().now_ms() + DAYS * 86_400_000


def spent() -> float:
    return time.process_time()


def proven(database: Database, ledger: Ledger, label: str) -> None:
    began = spent()
    report = database.read_sync(ledger.verify_sync)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{label:24} {spent() - began:6.1f} s of CPU, peak {peak} MB, {report.holds} requests, {report.problems[:3] or 'agrees'}")


async def main(url: str) -> None:
    database = Database.open(url)
    migrate.upgrade(database.engine)
    folder = Path(url.removeprefix("sqlite:///") if url.startswith("sqlite") else "/tmp/marketplace").with_suffix(".archive")  # noqa: S108
    segments = Segments(folder)
    ledger = Ledger(database, SystemClock(), secret=SECRET, segments=segments)
    proven(database, ledger, "ledger verify, before")
    began, wall = spent(), time.perf_counter()
    moved = await Archiver(database, segments, Later(), SECRET).run(2 * DAYS)
    print(f"{'archived ' + str(moved):24} {spent() - began:6.1f} s of CPU, {time.perf_counter() - wall:.0f} s")
    proven(database, ledger, "ledger verify, after")
    if database.dialect == "sqlite":
        with database.engine.connect() as c:
            free, pages, size = (c.scalar(sa.text(f"PRAGMA {p}")) for p in ("freelist_count", "page_count", "page_size"))
        files = sum(f.stat().st_size for f in folder.glob("*.db"))
        print(f"file {pages * size / 1e6:.0f} MB, of it free {free * size / 1e6:.0f} MB; archive {files / 1e6:.0f} MB")
    database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

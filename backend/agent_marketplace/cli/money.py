"""`ledger`, `vault` and `backup`: prove the books, re-wrap secrets, copy the database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from agent_marketplace.app import Market
from agent_marketplace.cli.common import fail, progress, show, table, with_market
from agent_marketplace.settings import Settings

ledger = typer.Typer(no_args_is_help=True, help="The double-entry ledger.")
vault = typer.Typer(no_args_is_help=True, help="The vault of provider keys.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]


@ledger.command("verify")
def verify(as_json: Json = False) -> None:
    """Recompute every posting, balance, hold and chain; exit 1 on any disagreement."""

    async def work(market: Market) -> bool:
        with progress("Recomputing the ledger"):
            report = market.db.read_sync(market.ledger.verify_sync)
        counts = {
            "accounts": report.accounts, "transactions": report.transactions, "postings": report.postings,
            "holds": report.holds, "usage_records": report.usage_records, "checkpoints": report.checkpoints,
        }  # fmt: skip
        words = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())
        verdict = "OK: the books agree" if report.ok else f"{len(report.problems)} PROBLEMS"
        text = "\n".join([f"{verdict} ({words})", *report.problems])
        show({"ok": report.ok, **counts, "problems": report.problems}, as_json=as_json, text=text)
        return report.ok

    if not with_market(work):
        raise typer.Exit(1)


@vault.command("rotate")
def rotate(as_json: Json = False) -> None:
    """Re-wrap every secret under the first key of ENCRYPTION_KEY; reads go on meanwhile. Exit 1 if some can't be read.

    To change the master key: put the new one in front (ENCRYPTION_KEY=new,old), restart the servers, rotate, and drop the
    old one once `vault status` counts nothing under it.
    """

    async def work(market: Market) -> int:
        with progress("Re-wrapping secrets"):
            done = await market.vault.rotate()
        words = f"Re-wrapped {done.rewrapped} secrets; {done.unreadable} can't be read with the keys given."
        show({"rewrapped": done.rewrapped, "unreadable": done.unreadable}, as_json=as_json, text=words)
        return done.unreadable

    if with_market(work):
        raise typer.Exit(1)


@vault.command("status")
def status(as_json: Json = False) -> None:
    """Count secrets per master key; an empty list means that nothing is stored yet."""

    async def work(market: Market) -> None:
        counts = await market.vault.count_by_key()
        show(counts, as_json=as_json, text=table(sorted(counts.items()), ("KEY ID", "SECRETS")))

    with_market(work)


def backup(settings: Settings, target: str) -> None:
    """SQLite's online backup: consistent, beside a running server."""
    if not settings.embedded:
        fail("backup copies SQLite; for PostgreSQL use pg_dump", 2)
    source, path = Path(settings.database_url.removeprefix("sqlite:///")), Path(target)
    if path.exists():
        fail(f"{target} exists: choose another name", 2)
    if not source.exists():
        fail("there is no database yet")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        progress(f"Copying to {target}") as tell,
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(path)) as new,
    ):
        # One step, so that a busy writer can't make it start over; in WAL mode it holds up nobody.
        old.backup(new, pages=-1, progress=lambda _status, left, total: tell(total - left, total))
        if new.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            fail(f"{target} is damaged: is the disk full?")
    print(f"Wrote {target}. The secrets in {settings.data_dir / 'secrets'} belong to it: keep them too, apart.")

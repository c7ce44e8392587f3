"""`ledger`, `usage` and `vault`: prove the books, sum up anew, re-wrap secrets."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agent_marketplace.cli.common import FAILED, USAGE, Json, example, fail, show, table, with_books
from agent_marketplace.cli.progress import progress
from agent_marketplace.cli.shrinking import shrunk
from agent_marketplace.db.segments import Missing
from agent_marketplace.ledger import heads
from agent_marketplace.ledger.archive import ArchiveError
from agent_marketplace.opening import Books

ledger = typer.Typer(no_args_is_help=True)
usage = typer.Typer(no_args_is_help=True)
vault = typer.Typer(no_args_is_help=True)


@ledger.command(
    "verify",
    epilog=example("ledger verify", "ledger verify --new", "ledger verify --head 7:1789999200000:5f0c…"),
)
def verify(
    head: Annotated[str, typer.Option(help="A head that was kept elsewhere, or a file with one")] = "",
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Only what was signed since the last look: seconds, however old the books are"
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute every posting, balance, hold, chain, payment and the audit log; exit 1 on any disagreement. Runs beside a server.

    Without --head the one in MARKETPLACE_HEAD_FILE is asked for, where that is set.
    """

    async def follow(books: Books) -> bool:
        await books.ledger.checkpoint()
        with progress("Recomputing what is new"):
            found = await books.ledger.verify_new(pause_s=0)
        if found is None:
            fail("A server is at it just now: try again, or read marketplace_ledger_problems in /metrics")
        verdict = (
            f"{found.problems} PROBLEMS, the first: {found.first}"
            if found.problems
            else "OK: what is new agrees"
        )
        text = f"{verdict} (up to checkpoint {found.checkpoint})"
        show({"ok": not found.problems, **msgspec.structs.asdict(found)}, as_json=as_json, text=text)
        return not found.problems

    async def work(books: Books) -> bool:
        kept = _kept_head(head, books.settings.head_file)
        with progress("Recomputing the ledger") as shown:
            report = books.db.read_sync(lambda c: books.ledger.verify_sync(c, shown.tell))
        problems = report.problems
        if kept is not None and (words := books.db.read_sync(lambda c: heads.missing(c, kept))):
            problems.append(words)
        counts = {
            "accounts": report.accounts, "transactions": report.transactions, "postings": report.postings,
            "holds": report.holds, "usage_records": report.usage_records, "checkpoints": report.checkpoints,
        }  # fmt: skip
        words = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())
        verdict = f"{len(problems)} PROBLEMS" if problems else "OK: the books agree"
        text = "\n".join([f"{verdict} ({words})", *problems])
        show({"ok": not problems, **counts, "problems": problems}, as_json=as_json, text=text)
        if not problems:
            books.ledger.all_is_well_sync()
        return not problems

    if not with_books(follow if new else work):
        raise typer.Exit(FAILED)


@ledger.command("head", epilog=example("ledger head", "ledger head --out /mnt/elsewhere/head"))
def show_head(
    out: Annotated[
        Path | None, typer.Option(help="Also keep it in this file; a newer one there stays")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign what was posted and print the newest checkpoint, to be kept elsewhere: `ledger verify --head` then finds a cut."""

    async def work(books: Books) -> heads.Head | None:
        await books.ledger.checkpoint()
        return books.db.read_sync(heads.newest)

    found = with_books(work)
    if found is None:
        fail("Nothing was posted yet: there is nothing to sign")
    if out is not None:
        try:
            heads.keep(out, found)
        except OSError as error:
            fail(f"The head could not be written: {error}")
    show(found, as_json=as_json, text=str(found))


@ledger.command("archive", epilog=example("ledger archive --days 180", "ledger archive --days 180 --shrink"))
def archive(
    days: Annotated[
        int, typer.Option(help="Move requests that ended more than so many days ago, at least 60")
    ] = 0,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Then give the room back to the disk (SQLite, server stopped)")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move holds and usage rows of old requests to files in MARKETPLACE_ARCHIVE_DIR, which `ledger verify` reads like the tables.

    Balances, statements, receipts and sums of usage stay as they are; beside a server too. Keep the files with your backups.
    Without --days the setting MARKETPLACE_ARCHIVE_DAYS says how old.
    """

    async def work(books: Books) -> int:
        if not (chosen := days or books.settings.archive_days):
            fail("Say how old: --days 180, or set MARKETPLACE_ARCHIVE_DAYS", USAGE)
        await books.usage_log.roll()
        await books.ledger.checkpoint()
        with progress("Moving old requests") as shown:
            try:
                return await books.archiver.run(chosen, shown.tell)
            except (ArchiveError, Missing, OSError) as error:
                fail(f"{error}")

    moved = with_books(work)
    before, after = shrunk() if shrink else (0, 0)
    words = f"Moved {moved} requests." + (
        f" The database had {before} bytes and has {after}." if shrink else ""
    )
    show({"moved": moved, "bytes_before": before, "bytes_after": after}, as_json=as_json, text=words)


def _kept_head(given: str, file: Path | None) -> heads.Head | None:
    path = Path(given) if given and ":" not in given else (None if given else file)
    if not given and (path is None or not path.exists()):
        return None
    try:
        return heads.parse(given if path is None else path.read_text())
    except (OSError, ValueError) as error:
        fail(f"--head: {error}", USAGE)


@usage.command("rebuild", epilog=example("usage rebuild"))
def rebuild(as_json: Json = False) -> None:
    """Make the sums that usage pages read anew from the usage rows, a day at a time; figures stay right meanwhile."""

    async def work(books: Books) -> int:
        with progress("Summing up what was used") as shown:
            return await books.usage_log.rebuild(shown.tell)

    rows = with_books(work)
    show({"rows": rows}, as_json=as_json, text=f"Summed up {rows} usage rows.")


@vault.command("rotate", epilog=example("vault rotate"))
def rotate(as_json: Json = False) -> None:
    """Re-wrap every secret under the first key of ENCRYPTION_KEY; reads go on meanwhile. Exit 1 if some can't be read.

    To change the master key: put the new one in front (ENCRYPTION_KEY=new,old), restart the servers, rotate, and drop the
    old one once `vault status` counts nothing under it.
    """

    async def work(books: Books) -> int:
        with progress("Re-wrapping secrets") as shown:
            done = await books.vault.rotate(tell=shown.tell)
        words = f"Re-wrapped {done.rewrapped} secrets; {done.unreadable} can't be read with the keys given."
        show({"rewrapped": done.rewrapped, "unreadable": done.unreadable}, as_json=as_json, text=words)
        return done.unreadable

    if with_books(work, strict=False):
        raise typer.Exit(FAILED)


@vault.command("status", epilog=example("vault status"))
def status(as_json: Json = False) -> None:
    """Count secrets per master key; * marks the key that encrypts now. An empty list means that nothing is stored yet."""

    async def work(books: Books) -> None:
        counts, ring = await books.vault.count_by_key(), books.secrets.keyring
        rows = [
            (
                ("* " if key == ring.primary else "  ") + key,
                rows,
                "" if key in ring.ids else "not in ENCRYPTION_KEY",
            )
            for key, rows in sorted(counts.items())
        ]
        show(counts, as_json=as_json, text=table(rows, ("  KEY ID", "SECRETS", "")))

    with_books(work, strict=False)

"""`backup` and `restore`: a consistent copy beside a running server, and the way back, which proves itself before it counts."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from agent_marketplace.cli.common import USAGE, database_file, fail
from agent_marketplace.cli.lock import sole_server
from agent_marketplace.cli.progress import Progress, progress
from agent_marketplace.clock import SystemClock
from agent_marketplace.db import copies, migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.segments import Segments
from agent_marketplace.ledger import Ledger
from agent_marketplace.settings import Settings
from agent_marketplace.vault import InstallationSecrets, load_secrets
from agent_marketplace.vault import store as vault_store

_SCRATCH = ".restore-"
_OWN_SECRETS = ("key_pepper", "checkpoint_secret", "jwt_secret", "encryption_key")


class Backup(msgspec.Struct, frozen=True):
    """What was written. size: bytes; seconds: how long it took; secrets: where what belongs to it lies (SQLite)."""

    file: str
    database: copies.Kind
    size: int
    seconds: float
    secrets: str | None = None


class Restored(msgspec.Struct, frozen=True):
    """What was put back. unreadable: sealed rows whose master key is not given; kept: where the database of before lies now."""

    database: copies.Kind
    revision: str
    accounts: int
    postings: int
    unreadable: int
    kept: str | None = None


def backup(settings: Settings, target: Path) -> Backup:
    """Copies the database, beside a running server or alone. Raises CopyError, OSError."""
    began = time.monotonic()
    with progress(f"Copying to {target}") as shown:
        if settings.embedded:
            source = database_file(settings)
            if not source.exists():
                fail(f"There is no database at {source}: is MARKETPLACE_DATA_DIR set as for the server?")
            copies.copy_sqlite(source, target, shown.tell)
        else:
            copies.dump_postgres(settings.database_url, target)
    return Backup(
        file=str(target),
        database="sqlite" if settings.embedded else "postgresql",
        size=target.stat().st_size,
        seconds=round(time.monotonic() - began, 1),
        secrets=str(settings.data_dir / "secrets") if settings.embedded else None,
    )


def restore(settings: Settings, source: Path, *, force: bool) -> Restored:
    """Puts a copy back: checked, brought to this version and audited first. Raises CopyError, MigrationError, AlreadyServed.

    force: SQLite only: the database that is there is moved aside. PostgreSQL is restored into an empty database only.
    """
    kind, wanted = copies.kind_of(source), "sqlite" if settings.embedded else "postgresql"
    if kind != wanted:
        fail(f"{source} is a copy of {kind}, but DATABASE_URL names {wanted}", USAGE)
    if settings.embedded:
        return _restore_sqlite(settings, source, force=force)
    if force:
        fail(
            "--force is for SQLite. PostgreSQL is restored into an empty database: the old one stays until you drop it.",
            USAGE,
        )
    return _restore_postgres(settings, source)


def _restore_sqlite(settings: Settings, source: Path, *, force: bool) -> Restored:
    place = database_file(settings)
    _same_secrets(settings)
    with sole_server(settings):
        if place.exists() and not force:
            fail(
                f"{place} exists. Restore with another MARKETPLACE_DATA_DIR, or use --force: the old one is kept beside it."
            )
        with _scratch(place) as fresh, progress(f"Restoring {source}") as shown:
            copies.copy_sqlite(source, fresh, shown.tell)
            restored = _prove(settings, f"sqlite:///{fresh}", "sqlite", load_secrets(settings), shown)
            kept = _move_aside(place) if place.exists() else None
            fresh.replace(place)
    return msgspec.structs.replace(restored, kept=str(kept) if kept else None)


def _restore_postgres(settings: Settings, source: Path) -> Restored:
    secrets = load_secrets(settings)
    migrate.require_known(copies.check_dump(source))
    database = Database.open(settings.database_url)
    try:
        empty = database.read_sync(copies.is_empty)
    finally:
        database.close()
    if not empty:
        fail(
            "The database that DATABASE_URL names has tables. Make an empty one (createdb marketplace_restored), name it in "
            "DATABASE_URL and restore into that; drop the old one when the new one serves."
        )
    with progress(f"Restoring {source}") as shown:
        copies.load_postgres(settings.database_url, source)
        return _prove(settings, settings.database_url, "postgresql", secrets, shown)


def _same_secrets(settings: Settings) -> None:
    """Ends unless the secrets that belong to the copy are in place: new ones would be made otherwise, and open nothing."""
    given = {"jwt_secret": settings.jwt_secret, "encryption_key": settings.encryption_keys}
    folder = settings.data_dir / "secrets"
    missing = [name for name in _OWN_SECRETS if not given.get(name) and not (folder / name).exists()]
    if missing:
        fail(
            f"{folder} lacks {', '.join(missing)}. First put the secrets there that belong to the copy, as files of this "
            f"user: cp -r /elsewhere/secrets {folder.parent}/"
        )


def _prove(
    settings: Settings, url: str, kind: copies.Kind, secrets: InstallationSecrets, shown: Progress
) -> Restored:
    """Brings the copy to this version, recomputes its ledger, and counts sealed rows that no given key opens."""
    database = Database.open(url)
    try:
        if migrate.is_empty(database.engine):
            raise copies.CopyError("This is not a copy of a marketplace: it has no revision of our tables")
        revision = migrate.upgrade(database.engine)
        segments = Segments(settings.archive_dir)
        ledger = Ledger(database, SystemClock(), secret=secrets.checkpoint, segments=segments)
        report = database.read_sync(lambda c: ledger.verify_sync(c, shown.tell))
        sealed = database.read_sync(vault_store.counts_by_key)
    finally:
        database.close()
    if not report.ok:
        words = (
            "Are JWT_SECRET and the secrets those that belong to it?"
            if kind == "sqlite"
            else "Is JWT_SECRET the same?"
        )
        fail(
            "The books of the copy don't agree; don't serve it. "
            + words
            + "\n"
            + "\n".join(report.problems[:10])
        )
    unreadable = sum(rows for key_id, rows in sealed.items() if key_id not in secrets.keyring.ids)
    return Restored(kind, revision, report.accounts, report.postings, unreadable)


@contextmanager
def _scratch(place: Path) -> Iterator[Path]:
    """A name beside the database for the copy until it is proven; nothing of it, or of a restore that was killed, is left behind."""
    for left in place.parent.glob(f"{_SCRATCH}*"):  # we hold the database's lock: nobody works there
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=place.parent))
    try:
        yield folder / place.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move_aside(place: Path) -> Path:
    """Keeps the database under another name as well, and leaves no log beside `place` that would be taken for its successor's.

    Whoever is killed here leaves a whole database at `place`: the old one, until the new one replaces it in one step.
    """
    kept = place.with_name(f"{place.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    copies.fold_log(place)
    try:
        os.link(place, kept)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise
        os.rename(place, kept)  # a file system without links
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(f"{place}{suffix}", f"{kept}{suffix}")
    return kept

"""Copies of a whole database and the way back: SQLite by its own online backup, PostgreSQL by pg_dump and pg_restore.

A copy appears under its name only once it is complete, checked and of mode 0600. No password goes on a command line.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

Kind = Literal["sqlite", "postgresql"]
Tell = Callable[[int, int], None]
"""Told how much is done, and of how much (0: unknown)."""

_STARTS: dict[bytes, Kind] = {b"SQLite format 3\x00": "sqlite", b"PGDMP": "postgresql"}
_PAGES = 2_000  # a step of the online backup, 8 MB
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
_REVISION = re.compile(r"^COPY \S*alembic_version \(version_num\) FROM stdin;\n(\w+)$", re.MULTILINE)


class CopyError(RuntimeError):
    """A copy could not be made, read or put back; the message says what to do."""


def kind_of(path: Path) -> Kind:
    """What a file is a copy of, by its first bytes. Raises CopyError, OSError."""
    with path.open("rb") as file:
        start = file.read(16)
    found = next((kind for mark, kind in _STARTS.items() if start.startswith(mark)), None)
    if found is None:
        raise CopyError(f"{path} is neither a SQLite database nor a pg_dump of custom format")
    return found


def copy_sqlite(source: Path, target: Path, tell: Tell) -> None:
    """Copies a live database; all that was committed before the call is in it. Raises CopyError, OSError."""
    part = _part(target)
    try:
        with closing(_read_only(source)) as old, closing(sqlite3.connect(part)) as new:
            # An open snapshot: writers go on meanwhile, and none of them makes the copy start over.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            old.backup(new, pages=_PAGES, progress=lambda _status, left, total: tell(total - left, total))
            new.execute(
                "PRAGMA journal_mode=DELETE"
            )  # one file, readable where nothing can be written beside it
        check_sqlite(part)
        part.rename(target)
    except sqlite3.Error as error:
        raise CopyError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        for suffix in ("", "-journal"):  # SQLite leaves its journal where the disk is full
            part.with_name(f"{part.name}{suffix}").unlink(missing_ok=True)


def check_sqlite(path: Path) -> None:
    """Reads every page. Raises CopyError on damage."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CopyError(f"{path} is damaged: {error}") from None
    if verdict != "ok":
        raise CopyError(f"{path} is damaged: {verdict}")


def shrink(path: Path) -> None:
    """Gives the room of deleted rows back to the disk; as much again is needed meanwhile. Raises CopyError."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise CopyError(f"{path} could not be made smaller: {error}") from error


def fold_log(path: Path) -> None:
    """Brings a database's write-ahead log into its file; one that is too damaged for it keeps its log."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def dump_postgres(url: str, target: Path) -> None:
    """`pg_dump --format=custom` of the whole database, read back once. Raises CopyError, OSError."""
    part = _part(target)
    try:
        _run("pg_dump", url, "--format=custom", "--no-password", f"--file={part}")
        check_dump(part)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def check_dump(path: Path) -> str:
    """Reads every byte of a dump; returns the revision of its tables. Raises CopyError."""
    _run("pg_restore", None, f"--file={os.devnull}", str(path))
    rows = _run("pg_restore", None, "--data-only", "--table=alembic_version", "--file=-", str(path))
    found = _REVISION.search(rows)
    if found is None:
        raise CopyError(f"{path} is not a dump of a marketplace: it has no revision of our tables")
    return found[1]


def load_postgres(url: str, source: Path) -> None:
    """Puts a dump into an empty database, all of it or nothing. Raises CopyError."""
    whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password")
    _run("pg_restore", url, *whole, str(source))


def is_empty(connection: sa.Connection) -> bool:
    """Whether the database has no table of anybody's."""
    schemas = sa.text(
        "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    return bool(connection.execute(schemas).scalar_one() == 0)


def _part(target: Path) -> Path:
    """An empty file of mode 0600 beside the target, which must not exist."""
    if not target.parent.is_dir():
        raise CopyError(f"There is no directory {target.parent}")
    if target.exists():
        raise CopyError(f"{target} exists: choose another name")
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return part


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)


def _run(name: str, url: str | None, *words: str) -> str:
    """Runs a PostgreSQL program and returns what it printed. Raises CopyError with its own words."""
    env = {k: v for k, v in os.environ.items() if k in _INHERITED or k.startswith("PG")}
    command = [_program(name), *words]
    if url is not None:
        conninfo, password = _address(url)
        command.append(f"--dbname={conninfo}")
        env |= {"PGPASSWORD": password} if password else {}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603  our words, and a path
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise CopyError(f"{name} failed: {' '.join(lines[:3]) or f'status {done.returncode}'}")
    return done.stdout


def _address(url: str) -> tuple[str, str | None]:
    """(libpq's connection string without the password, password)."""
    from psycopg.conninfo import make_conninfo

    parts = sa.make_url(url)
    options = {name: value if isinstance(value, str) else value[-1] for name, value in parts.query.items()}
    conninfo = make_conninfo(
        "",
        host=parts.host,
        port=parts.port,
        user=parts.username,
        dbname=parts.database,
        password=None,
        **options,
    )
    return conninfo, parts.password


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:  # Debian keeps the server's own programs here
        versions = [
            p for p in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if p.parent.parent.name.isdigit()
        ]
        found = str(max(versions, key=lambda p: int(p.parent.parent.name))) if versions else None
    if found is None:
        raise CopyError(
            f"{name} is not installed here. Install PostgreSQL's client programs (Debian: apt-get install postgresql-client), "
            "of the server's major version or newer, or run pg_dump where they are: docs/operations.md says how"
        )
    return found

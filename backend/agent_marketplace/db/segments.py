"""Archived requests: files of SQLite, each with a `usage_records` and a `ledger_holds` as this database has them; both databases use them.

`ledger_archives` lists them. A file is written once, by `ledger.archive`, and only read from then on.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from agent_marketplace.db.tables.ledger import archives, holds, usage_records

_NAME = re.compile(r"[0-9]{6}-[0-9a-f]{8}\.db")
_INDEXES = (
    "CREATE INDEX of_user ON usage_records (user_id, created_at)",
    "CREATE INDEX of_time ON usage_records (created_at)",
)


class Archive(msgspec.Struct, frozen=True):
    """One file. requests: how many are in it; first_at, last_at: the times (ms) of the oldest and the newest; at: when it was made;
    digest: SHA-256 over its rows; signature: over all of this and the one before it; moved_at: since then its rows are nowhere else."""

    id: int
    name: str
    requests: int
    first_at: int
    last_at: int
    at: int
    digest: str
    signature: str
    moved_at: int | None


class Missing(RuntimeError):
    """An archive's file is not where it should be, or is none."""


class Segments:
    """The files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._engines: dict[str, sa.Engine] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[sa.Connection]:
        """A file, to be read. Raises Missing."""
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise Missing(f"archive {name} is not in {self.folder}")
        engine = self._engines.get(name)
        if engine is None:
            engine = self._engines[name] = _engine(path)
        with engine.connect() as connection:
            _grown(connection)
            yield connection

    def each(self, which: Iterable[Archive], missing: Callable[[Missing], object]) -> Iterator[sa.Connection]:
        """These files, each open until the next. missing: told of one that is not there, which is left out unless it raises."""
        for made in which:
            try:
                with self.open(made.name) as segment:
                    yield segment
            except Missing as problem:
                missing(problem)


def _engine(path: Path) -> sa.Engine:
    """Opens the file for each use, and closes it after."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)


def listed(connection: sa.Connection) -> list[Archive]:
    """All of them, in the order in which they were made."""
    columns = (archives.c[name] for name in Archive.__struct_fields__)
    return [Archive(*row) for row in connection.execute(sa.select(*columns).order_by(archives.c.id))]


def begin(path: Path) -> sqlite3.Connection:
    """A new file with empty tables, open for its rows, that only its owner can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    new = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    dialect = sa.create_engine("sqlite://").dialect
    for table in (usage_records, holds):
        new.execute(str(CreateTable(table).compile(dialect=dialect)))
    for statement in _INDEXES:
        new.execute(statement)
    return new


def _grown(connection: sa.Connection) -> None:
    """A column that came later is read as empty in files from before it."""
    try:
        for table in (usage_records, holds):
            rows = connection.exec_driver_sql(f"PRAGMA main.table_info({table.name})")  # sql: a constant
            have = {row[1] for row in rows}
            if lacking := [column.name for column in table.columns if column.name not in have]:
                more = ", ".join(f"NULL AS {name}" for name in lacking)
                connection.exec_driver_sql(  # sql: names of our own tables
                    f"CREATE TEMP VIEW {table.name} AS SELECT *, {more} FROM main.{table.name}"  # noqa: S608
                )
    except sa.exc.DatabaseError as error:
        raise Missing(f"an archive can't be read: {error.orig}") from error

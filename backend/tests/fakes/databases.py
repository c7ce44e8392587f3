"""The database of the running test: SQLite files, or databases of a PostgreSQL server. The one place that knows which.

Every installation of a test lies in a directory and has one database: whoever opens the same directory again finds it again.
A template is filled once a process and copied for each test, which on PostgreSQL takes 30 ms instead of 500.
"""

import base64
import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from agent_marketplace.db import migrate
from agent_marketplace.db.base import metadata
from agent_marketplace.db.engine import Database
from tests.fakes import canary
from tests.fakes.postgres import UNSAFE, Postgres, running_postgres

T = TypeVar("T")
Fill = Callable[["Databases", Path], T]
KINDS = ("sqlite", "postgresql")
FILE = "marketplace.db"  # where an installation on SQLite keeps its database
JWT_SECRET = base64.b64encode(bytes(range(7, 55))).decode()
ENCRYPTION_KEY = base64.urlsafe_b64encode(bytes(range(60, 92))).decode()


class Databases:
    """Databases of one kind. server: a running PostgreSQL; None = SQLite."""

    def __init__(self, server: Postgres | None = None) -> None:
        self.kind = "sqlite" if server is None else "postgresql"
        self._server = server
        self._names: dict[Path, str] = {}
        self._templates: dict[Fill[Any], tuple[Path, Any]] = {}

    def url(self, directory: Path) -> str:
        """The URL of the directory's database, which is empty at first."""
        return self._place(directory, None)

    def copy(self, original: Path, directory: Path) -> str:
        """The URL of the directory's database, which is at first as the original's; nobody may have that one open."""
        return self._place(directory, original)

    def template(self, fill: Fill[T]) -> tuple[Path, T]:
        """A directory whose database `fill(databases, directory)` has filled, and what that returned; made once."""
        if fill not in self._templates:
            directory = Path(tempfile.mkdtemp(prefix="template-"))
            self._templates[fill] = directory, fill(self, directory)
        return self._templates[fill]

    def settings(self) -> dict[str, Any]:
        """What Settings need besides the URL: on PostgreSQL an installation is given its secrets."""
        return (
            {} if self._server is None else {"jwt_secret": JWT_SECRET, "encryption_keys": (ENCRYPTION_KEY,)}
        )

    def environment(self, directory: Path) -> dict[str, str]:
        """What a process of the product needs besides its directory; its database has all tables."""
        if self._server is None:
            self._names[directory] = FILE
            return {}
        url = self.copy(self.template(_migrated)[0], directory)
        return {
            "DATABASE_URL": url,
            "JWT_SECRET": JWT_SECRET,
            "ENCRYPTION_KEY": ENCRYPTION_KEY,
            "MARKETPLACE_SIGNUP_CREDIT_USE": "all",  # SQLite's default; the suite's stories spend what a newcomer is given
        }

    def directories(self) -> frozenset[Path]:
        """Whose databases there are, without the templates."""
        return frozenset(self._names) - {directory for directory, _ in self._templates.values()}

    def search(self, directories: Iterable[Path]) -> None:
        """Raises canary.Leak if the database of one of them holds a secret or a text of the fakes in the clear."""
        for directory in directories:
            if self._server is None:
                canary.search(_files(directory / FILE), f"the database of {directory}")
            else:
                canary.search(
                    b"\n".join(self._server.values(self._names[directory])), f"the database of {directory}"
                )

    def remove(self, directories: Iterable[Path]) -> None:
        """Forgets their databases; SQLite's files are removed with their directories."""
        for directory in directories:
            name = self._names.pop(directory)
            if self._server is not None:
                self._server.drop(name)

    def close(self) -> None:
        """Searches what was not removed, and removes the templates; the server is its owner's."""
        self.search(self._names)
        for directory, _ in self._templates.values():
            shutil.rmtree(directory, ignore_errors=True)

    def _place(self, directory: Path, original: Path | None) -> str:
        if self._server is None:
            self._names[directory] = FILE
            directory.mkdir(parents=True, exist_ok=True)
            if original is not None and not (directory / FILE).exists():
                shutil.copyfile(original / FILE, directory / FILE)
            return f"sqlite:///{directory / FILE}"
        if directory not in self._names:
            name = f"test_{uuid.uuid4().hex}"
            self._server.create(name, "template0" if original is None else self._names[original])
            self._names[directory] = name
        return self._server.url + self._names[directory]


class Suite:
    """All databases of a test process; a PostgreSQL is started by the first test that wants it, and stopped by `close`."""

    def __init__(self) -> None:
        self.kind = "sqlite"
        self._stack = contextlib.ExitStack()
        self._made: dict[tuple[str, bool], Databases] = {}

    def databases(self, *, durable: bool = False) -> Databases:
        """Those of the running test's kind. durable: of a PostgreSQL that a process of the product consents to serve from."""
        key = (self.kind, durable)
        if key not in self._made:
            server = None
            if self.kind != "sqlite":
                server = self._stack.enter_context(running_postgres(*(() if durable else UNSAFE)))
            self._made[key] = Databases(server)
            self._stack.callback(self._made[key].close)
        return self._made[key]

    @contextlib.contextmanager
    def swept(self) -> Iterator[None]:
        """Searches and removes the databases that the block made, but no templates."""
        before = {databases: databases.directories() for databases in self._made.values()}
        yield
        for databases in self._made.values():
            made = databases.directories() - before.get(databases, frozenset())
            try:
                databases.search(made)
            finally:
                databases.remove(made)

    def close(self) -> None:
        """Stops what was started."""
        self._stack.close()


SUITE = Suite()


@contextlib.contextmanager
def using(kind: str) -> Iterator[None]:
    """Until the block ends, the running test's databases are of this kind."""
    before, SUITE.kind = SUITE.kind, kind
    try:
        yield
    finally:
        SUITE.kind = before


def here() -> Databases:
    """The running test's databases, for what runs in this process."""
    return SUITE.databases()


def served() -> Databases:
    """The running test's databases, for processes of the product."""
    return SUITE.databases(durable=True)


def with_tables(directory: Path) -> str:
    """The URL of the directory's database, which has all tables."""
    return here().copy(here().template(_created)[0], directory)


def everything_in(url: str) -> bytes:
    """What a thief of the database gets: SQLite's files with their write-ahead log, PostgreSQL's rows."""
    if url.startswith("sqlite:///"):
        return _files(Path(url.removeprefix("sqlite:///")))
    database = Database.open(url)
    try:
        rows = database.read_sync(
            lambda c: [v for t in metadata.sorted_tables for row in c.execute(t.select()) for v in row]
        )
    finally:
        database.close()
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in rows)


def _files(file: Path) -> bytes:
    return b"".join(found.read_bytes() for found in file.parent.glob(f"{file.name}*"))


def _created(databases: Databases, directory: Path) -> None:
    database = Database.open(databases.url(directory))
    database.create_all()
    database.close()


def _migrated(databases: Databases, directory: Path) -> None:
    database = Database.open(databases.url(directory))
    migrate.upgrade(database.engine)
    database.close()

"""Fixtures for all suites: real databases. `database` runs a test on SQLite and on PostgreSQL."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from agent_marketplace.db.engine import Database

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def _server_programs() -> Path | None:
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    versions = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "pg_ctl").exists()]
    return max(versions, key=lambda p: int(p.parent.name), default=None)


def _as_server_user() -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package brings the user `postgres`."""
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.getuid() == 0 else []


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Postgres:
    """A throw-away PostgreSQL server in a directory of its own. Raises pytest.skip where none is installed."""

    def __init__(self, *options: str) -> None:
        programs = _server_programs()
        if programs is None:
            pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
        self._user = _as_server_user()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if self._user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/"
        self._control = [*self._user, str(programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w"]
        basic = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._options = " ".join([basic, *(f"-c {o}" for o in options)])
        initdb = [str(programs / "initdb"), "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres"]
        self._run([*self._user, *initdb, "--no-sync", "-E", "UTF8"])

    def start(self) -> None:
        """Returns once it answers."""
        self._run([*self._control, "-l", str(self.folder / "log"), "-o", self._options, "start"])

    def stop(self) -> None:
        """As a crash would."""
        self._run([*self._control, "-m", "immediate", "stop"])

    def _run(self, words: list[str]) -> None:
        subprocess.run(words, cwd=self.folder, stdout=subprocess.DEVNULL, check=True)


@contextlib.contextmanager
def running_postgres(*options: str) -> Iterator[Postgres]:
    """A started server; options like `fsync=off`."""
    server = Postgres(*options)
    try:
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a throw-away PostgreSQL server, without the database's name. Skips where none is installed."""
    with running_postgres("fsync=off", "full_page_writes=off") as server:
        yield server.url


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[Postgres]:
    """A PostgreSQL with the settings of production, of the test module's own: it may be stopped and started."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL schema of the test's own (a database of its own would take half a second)."""
    name = f"test_{uuid.uuid4().hex}"
    admin = postgres_server.replace("+psycopg", "") + "postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    yield f"{postgres_server}postgres?options=-csearch_path%3D{name}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with all tables: SQLite, then PostgreSQL."""
    database = Database.open(database_url)
    database.create_all()
    yield database
    database.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An open SQLite database with all tables, for what does not depend on the database."""
    database = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    database.create_all()
    yield database
    database.close()

"""A throw-away PostgreSQL server, from whatever PostgreSQL is installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

UNSAFE = (
    "fsync=off",
    "full_page_writes=off",
)  # twice as fast; the product refuses to serve from such a server


def _server_programs() -> Path | None:
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    versions = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "pg_ctl").exists()]
    return max(versions, key=lambda p: int(p.parent.name), default=None)


def _as_server_user() -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package brings the user `postgres`."""
    return (
        ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        if os.getuid() == 0
        else []
    )


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Postgres:
    """A throw-away PostgreSQL server in a directory of its own. Raises pytest.skip where none is installed.

    url: without the database's name.
    """

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

    def create(self, name: str, template: str = "template0") -> None:
        """Makes a database; nobody may be connected to its template."""
        self._admin(f"CREATE DATABASE {name} TEMPLATE {template}")

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected."""
        self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def values(self, name: str) -> Iterator[bytes]:
        """Every value of every row of a database."""
        with psycopg.connect(self.url.replace("+psycopg", "") + name, autocommit=True) as connection:
            tables = connection.execute(  # a table that was never written to has no file yet: most of a test's have none
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
                " AND pg_relation_size(oid) > 0"
            ).fetchall()
            for (table,) in tables:
                for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))):
                    yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)

    def start(self) -> None:
        """Returns once it answers."""
        self._run([*self._control, "-l", str(self.folder / "log"), "-o", self._options, "start"])

    def stop(self) -> None:
        """As a crash would."""
        self._run([*self._control, "-m", "immediate", "stop"])

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", "") + "postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

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

"""Backup and restore by the real console script, on real servers under load: what was acknowledged is in the copy, and comes back."""

import base64
import contextlib
import errno
import json
import os
import resource
import secrets
import shutil
import sqlite3
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from agent_marketplace.cli import backup
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.settings import load
from tests.conftest import Postgres
from tests.fakes.served import CLI, Served, command, environment, served, until
from tests.fakes.threaded import Threaded, threaded_upstream
from tests.fakes.upstream import Behaviour

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
pytestmark = pytest.mark.xdist_group("cli_backup")


@pytest.fixture(scope="module")
def provider() -> Iterator[Threaded]:
    with threaded_upstream(Behaviour()) as fake:
        yield fake


def settings_for(folder: Path, provider: Threaded, **more: str) -> dict[str, str]:
    keys = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "sk-operator"}
    return environment(folder, MARKETPLACE_SIGNUP_CREDIT_USE="all", **keys, **more)


class Load:
    """Paid calls from four threads until told to stop; `charged`: the ids of those that were answered."""

    def __init__(self, server: Served, token: str) -> None:
        self.charged: list[str] = []
        self._over = threading.Event()
        self._server, self._token = server, token

    def _calls(self, _: int) -> None:
        while not self._over.is_set():
            status, body = self._server.call("POST", "/v1/chat/completions", CHAT, self._token)
            assert status == 200, body
            self.charged.append(body["id"])

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(4) as pool:
            threads = [pool.submit(self._calls, i) for i in range(4)]
            try:
                yield
            finally:
                self._over.set()
            for thread in threads:
                thread.result()


def back_up_under_load(env: dict[str, str], copy: Path, *words: str) -> tuple[str, list[str]]:
    """(session token, ids of the calls that had been paid for when the backup began)."""
    with served(env, *words) as server:
        token = server.sign_up()
        load = Load(server, token)
        with load.running():
            until(lambda: len(load.charged) >= 20)
            before = list(load.charged)
            made = command(env, "backup", str(copy), "--json")
            assert made.returncode == 0, made.stderr
            after = len(load.charged)
            until(lambda: len(load.charged) > after)
        assert after > len(before), "nothing was charged while the copy was made"
    told = json.loads(made.stdout)
    assert (told["file"], told["size"]) == (str(copy), copy.stat().st_size)
    assert copy.stat().st_mode & 0o777 == 0o600
    return token, before


def charged_in(url: str) -> set[str]:
    database = Database.open(url)
    try:
        return set(
            database.read_sync(lambda c: c.execute(sa.select(usage_records.c.request_id)).scalars().all())
        )
    finally:
        database.close()


def restored(env: dict[str, str], copy: Path, *words: str) -> dict[str, object]:
    done = command(env, "restore", str(copy), "--json", *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(command(env, "ledger", "verify", "--json").stdout)
    assert report["ok"] is True, report
    found: dict[str, object] = json.loads(done.stdout)
    return found


def serves(env: dict[str, str], token: str) -> None:
    with served(env) as server:
        assert server.call("POST", "/v1/chat/completions", CHAT, token)[0] == 200


def test_a_charge_acknowledged_before_a_backup_of_sqlite_is_never_missing_after_its_restore(
    tmp_path: Path, provider: Threaded
) -> None:
    env, copy = settings_for(tmp_path / "old", provider), tmp_path / "copy.db"
    token, before = back_up_under_load(env, copy)
    elsewhere = env | {"MARKETPLACE_DATA_DIR": str(tmp_path / "new")}
    refused = command(elsewhere, "restore", str(copy))
    assert (refused.returncode, "cp -r" in refused.stderr) == (1, True), refused.stderr
    shutil.copytree(tmp_path / "old/secrets", tmp_path / "new/secrets")
    assert restored(elsewhere, copy)["unreadable"] == 0
    assert set(before) <= charged_in(f"sqlite:///{tmp_path}/new/marketplace.db")
    assert sorted(p.name for p in (tmp_path / "new").iterdir() if "restore" in p.name) == []
    serves(elsewhere, token)


@pytest.fixture
def databases(durable_postgres: Postgres) -> Iterator[list[str]]:
    """The URLs of two empty databases on a PostgreSQL with the settings of production."""
    plain = durable_postgres.url.replace("+psycopg", "")
    names = [f"market_{uuid.uuid4().hex[:8]}" for _ in range(2)]
    with psycopg.connect(f"{plain}postgres", autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}")
    yield [f"{plain}{name}" for name in names]
    with psycopg.connect(f"{plain}postgres", autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgres
def test_a_charge_acknowledged_before_a_backup_of_postgresql_is_never_missing_after_its_restore(
    tmp_path: Path, provider: Threaded, databases: list[str]
) -> None:
    own = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }
    env = settings_for(tmp_path, provider, DATABASE_URL=databases[0], **own)
    copy = tmp_path / "copy.dump"
    assert command(env, "migrate").returncode == 0
    token, before = back_up_under_load(env, copy, "--workers", "2")
    over = command(env, "restore", str(copy))
    assert (over.returncode, "createdb" in over.stderr) == (1, True), over.stderr
    fresh = env | {"DATABASE_URL": databases[1]}
    torn = tmp_path / "torn.dump"
    torn.write_bytes(copy.read_bytes()[:-2000])
    for wrong in (torn, tmp_path / "none"):
        refused = command(fresh, "restore", str(wrong))
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False), refused.stderr
    assert restored(fresh, copy)["database"] == "postgresql"
    assert set(before) <= charged_in(databases[1].replace("postgresql://", "postgresql+psycopg://"))
    serves(fresh, token)


@pytest.fixture
def installation(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """A small SQLite installation and a backup of it."""
    env, copy = environment(tmp_path / "home"), tmp_path / "copy.db"
    assert command(env, "user", "create", "ann@example.com").returncode == 0
    assert command(env, "backup", str(copy)).returncode == 0
    return env, copy


def test_a_restore_never_overwrites_and_keeps_what_it_replaces(
    installation: tuple[dict[str, str], Path],
) -> None:
    env, copy = installation
    assert command(env, "user", "create", "late@example.com").returncode == 0
    refused = command(env, "restore", str(copy))
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    kept = Path(str(restored(env, copy, "--force")["kept"]))
    assert "late@example.com" not in command(env, "user", "list").stdout
    assert [p.name for p in copy.parent.iterdir() if p.name.startswith(copy.name)] == [copy.name]
    again = env | {"DATABASE_URL": f"sqlite:///{kept}"}
    assert "late@example.com" in command(again, "user", "list").stdout


def test_a_restore_that_is_killed_leaves_the_database_as_it_was_and_its_litter_goes_with_the_next(
    installation: tuple[dict[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env, copy = installation
    home, crashed = Path(env["MARKETPLACE_DATA_DIR"]), tmp_path / "crashed"
    with closing(
        sqlite3.connect(home / "marketplace.db")
    ) as reader:  # as a killed server: what it wrote last is in the log
        reader.execute("SELECT * FROM alembic_version").fetchall()
        assert command(env, "user", "create", "late@example.com").returncode == 0
        shutil.copytree(home, crashed)
    assert (crashed / "marketplace.db-wal").stat().st_size
    env = environment(crashed)
    with monkeypatch.context() as patch:
        patch.setattr(
            Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )  # the moment before the last step
        with pytest.raises(KeyboardInterrupt):
            backup.restore(load(env), copy, force=True)
    (crashed / ".restore-killed").mkdir()
    (crashed / ".restore-killed" / "marketplace.db").write_text("half")
    assert "late@example.com" in command(env, "user", "list").stdout
    for old in crashed.glob("*.before-*"):
        old.unlink()
    kept = restored(env, copy, "--force")["kept"]
    assert "late@example.com" not in command(env, "user", "list").stdout
    assert "late@example.com" in command(env | {"DATABASE_URL": f"sqlite:///{kept}"}, "user", "list").stdout
    assert not list(crashed.glob(".restore-*"))


def test_where_files_have_no_second_name_a_restore_still_keeps_the_old_database(
    installation: tuple[dict[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    env, copy = installation
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
    kept = backup.restore(load(env), copy, force=True).kept
    assert kept is not None
    for url in (f"sqlite:///{env['MARKETPLACE_DATA_DIR']}/marketplace.db", f"sqlite:///{kept}"):
        assert "ann@example.com" in command(env | {"DATABASE_URL": url}, "user", "list").stdout


def test_neither_a_restore_nor_a_second_server_starts_over_a_running_one(
    installation: tuple[dict[str, str], Path],
) -> None:
    env, copy = installation
    with served(env) as server:
        link = copy.with_name("linked.db")
        link.symlink_to(Path(env["MARKETPLACE_DATA_DIR"]) / "marketplace.db")
        by_link = env | {"DATABASE_URL": f"sqlite:///{link}"}
        for words, by in (
            (["restore", str(copy), "--force"], env),
            (["serve", "--port", "0"], env),
            (["serve", "--port", "0"], by_link),
        ):
            done = command(by, *words)
            assert done.returncode == 2, words
            assert "A server is running" in done.stderr
        assert server.call("GET", "/readyz")[0] == 200


def _torn(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])


def _no_database(copy: Path) -> None:
    copy.write_text("not a database")


def _of_another_program(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def _changed(statement: str) -> Callable[[Path], None]:
    def change(copy: Path) -> None:
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(statement)

    return change


BAD = (
    (_torn, 1, "malformed"),
    (_no_database, 1, "neither"),
    (_of_another_program, 1, "not a copy of a marketplace"),
    (_changed("DELETE FROM alembic_version"), 1, "not a copy of a marketplace"),
    (_changed("UPDATE ledger_accounts SET balance_nano = balance_nano + 1"), 1, "don't agree"),
    (_changed("UPDATE alembic_version SET version_num = '9999'"), 2, "newer version"),
)


def test_a_bad_copy_replaces_nothing(installation: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    env, copy = installation
    home = Path(env["MARKETPLACE_DATA_DIR"])
    before = (home / "marketplace.db").read_bytes()
    for harm, status, words in BAD:
        bad = tmp_path / "bad.db"
        shutil.copy(copy, bad)
        harm(bad)
        done = command(env, "restore", str(bad), "--force")
        assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (status, True, False), (
            done.stderr
        )
        assert (home / "marketplace.db").read_bytes() == before
    assert not [p for p in home.iterdir() if "before" in p.name or "restore" in p.name]


def test_a_full_disk_leaves_no_backup_that_looks_whole(
    installation: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    env, _ = installation
    target = tmp_path / "full" / "copy.db"
    target.parent.mkdir()
    done = subprocess.run(
        [CLI, "backup", str(target)], env=env, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "could not be copied" in done.stderr
    assert list(target.parent.iterdir()) == []


def test_the_password_of_the_database_is_on_no_command_line_and_our_secrets_stay_at_home(
    tmp_path: Path,
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" "PASSWORD=$PGPASSWORD" "KEY=$ENCRYPTION_KEY" > {seen}\nexit 1\n'
    )
    program.chmod(0o755)
    env = environment(
        tmp_path, DATABASE_URL="postgresql://ann:s%40fe%2Fpw@db.internal:5433/market?sslmode=require"
    )
    env |= {"PATH": f"{tmp_path}:{env['PATH']}", "JWT_SECRET": "x", "ENCRYPTION_KEY": "key"}
    assert command(env, "backup", str(tmp_path / "copy.dump")).returncode == 1
    *words, password, key = seen.read_text().splitlines()
    assert (password, key) == ("PASSWORD=s@fe/pw", "KEY=")
    assert not [word for word in words if "s@fe" in word or "s%40fe" in word]
    assert any(
        "host=db.internal" in word and "port=5433" in word and "sslmode=require" in word for word in words
    )
    assert not (tmp_path / "copy.dump").exists()

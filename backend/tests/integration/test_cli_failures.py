"""Whatever an operator gets wrong ends in words that help and the documented exit code; a traceback is never shown."""

import io
import logging
import os
import pty
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent_marketplace.cli import app
from agent_marketplace.cli.progress import Progress, line, progress
from agent_marketplace.ledger import Ledger
from tests.fakes.served import CLI, environment

POSTGRES = {
    "JWT_SECRET": "kT9vXq2LmZ7RwB4cYs8NfH3jUaE6pGdQo1iV",
    "ENCRYPTION_KEY": "9lJm3TqYb5VxR8sKc0WnZ2uHf7PdA4eG6oXiQrBvLtM=",
}


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path):
    """Runs a command line in this process with nothing but these settings; (exit code, what it said on standard error)."""
    umask, handlers, level = os.umask(0o022), logging.root.handlers[:], logging.root.level

    def run(words: str, **settings: str) -> tuple[int, str]:
        monkeypatch.setattr(os, "environ", environment(tmp_path / "home", **settings))
        monkeypatch.setattr(sys, "argv", ["agent-marketplace", *words.split()])
        with pytest.raises(SystemExit) as end:
            app.run()
        logging.root.handlers[:], logging.root.level = handlers, level  # `serve` puts its own in their place
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return int(end.value.code or 0), err

    yield run
    os.umask(umask)


def test_a_wrong_setting_is_named_before_anything_starts(ended) -> None:
    for name, value in (
        ("MARKETPLACE_MARKUP", "-1"), ("MARKETPLACE_SIGNUP_CREDIT", "lots"), ("MARKETPLACE_GRACE", "soon"),
        ("OPENAI_BASE_URL", "api.openai.com/v1"), ("OLLAMA_HOST", ":::"), ("ENCRYPTION_KEY", "abc"), ("JWT_SECRET", "short"),
        ("DATABASE_URL", "mysql://x"), ("DATABASE_URL", "sqlite:///"), ("DATABASE_URL", "postgresql://a:p/w@h:x/db"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ):  # fmt: skip
        code, said = ended("user create a@example.com --password long-enough-password", **{name: value})
        assert (code, name in said) == (2, True), said


def test_a_database_that_is_missing_away_or_no_database_is_said_in_words(ended, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = POSTGRES | {
            "DATABASE_URL": f"postgresql://ann:hunter22@127.0.0.1:{nobody.getsockname()[1]}/market"
        }
        for words in ("user list", "migrate", "serve --port 0", "ledger verify"):
            code, said = ended(words, **away)
            assert (code, "refused" in said, "hunter22" in said) == (1, True, False), said
    (tmp_path / "text.db").write_text("this is no database, it is a text that somebody put there")
    code, said = ended("user list", DATABASE_URL=f"sqlite:///{tmp_path}/text.db")
    assert (code, "not a database" in said) == (1, True)


@pytest.mark.parametrize("words", ["user list", "ledger verify", "backup copy.db", "vault rotate"])
def test_a_mistyped_data_directory_is_not_taken_for_an_empty_installation(
    ended, words: str, tmp_path: Path
) -> None:
    code, said = ended(words)
    assert (code, "MARKETPLACE_DATA_DIR" in said) == (1, True)
    assert not list((tmp_path / "home").glob("*"))


def test_a_directory_that_cannot_be_written_is_named(ended) -> None:
    for words in ("user create a@example.com --password long-enough-password", "serve --port 0", "migrate"):
        code, said = ended(words, MARKETPLACE_DATA_DIR="/proc/none")
        assert (code, "/proc/none" in said) == (1, True), said


def test_a_fault_of_ours_is_one_line_that_asks_for_a_report(ended, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended("user create a@example.com --password long-enough-password")[0] == 0

    def fault(*_: object) -> None:
        raise RuntimeError("sk-aam-ABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890a was handed to us")

    monkeypatch.setattr(Ledger, "verify_sync", fault)
    code, said = ended("ledger verify")
    assert (code, said.count("\n"), "report" in said, "ABCDEF" in said) == (1, 1, True, False)


def test_what_is_made_is_the_operators_alone(ended, tmp_path: Path) -> None:
    assert ended("user create a@example.com --password long-enough-password")[0] == 0
    made = list((tmp_path / "home").rglob("*"))
    assert {path.name for path in made} >= {"marketplace.db", "secrets", "jwt_secret"}
    assert not [path for path in made if path.stat().st_mode & 0o077]


def test_a_reader_that_has_seen_enough_gets_no_complaint(tmp_path: Path) -> None:
    words = [CLI, "catalog", "show", "--limit", "1000", "--json"]
    with subprocess.Popen(
        words, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        assert running.stdout.readline().startswith(b'{"id"')
        running.stdout.close()
        assert running.stderr.read() == b""


def has_terminals() -> bool:
    """False on a bare machine whose tree has no /dev/pts."""
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_terminals(), reason="this machine has no terminal devices (/dev/pts)")
def test_ctrl_c_at_a_question_ends_with_130_and_makes_nothing(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(CLI, [str(CLI), "user", "create", "a@example.com"], environment(tmp_path / "home"))
    shown = b""
    while b"assword" not in shown:
        shown += os.read(terminal, 1024)
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGINT)
    while not select.select([ended], [], [], 15)[0]:
        os.kill(pid, signal.SIGINT)  # one that came just before the read began was not heard
    _, status = os.waitpid(pid, 0)
    os.close(ended)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert not (tmp_path / "home").exists()


def test_a_bar_shows_the_share_and_the_time_on_a_terminal_and_nothing_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert line("Copying", 50, 100, 61) == "Copying [############............]  50 % 1:01"
    assert line("Copying", 3, 0, 5) == "Copying ... 0:05"
    assert line("Copying", 200, 100, 0).endswith("100 % 0:00")
    with progress("Copying") as silent:
        silent.tell(1, 2)
        silent.say("a line for everybody")
    assert capsys.readouterr() == ("a line for everybody\n", "")

    screen = io.StringIO()
    shown = Progress("Copying", screen)
    shown.tell(1, 4)
    shown.draw()
    assert "25 %" in screen.getvalue()
    shown.end()
    shown.draw()
    assert screen.getvalue().endswith("\r\x1b[K")

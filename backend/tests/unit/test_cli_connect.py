"""`connect` hands out settings as the table has them, and never writes over a file of the user's."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent_marketplace.cli.app import app
from agent_marketplace.connect.table import clients

KEY = "sk-aam-" + "a" * 38
RUN = CliRunner()


def run(*words: str, key: str = KEY) -> str:
    done = RUN.invoke(app, ["connect", *words], env={"MARKETPLACE_API_KEY": key})
    assert done.exit_code == 0, done.output
    return done.output


def test_every_client_is_listed_with_how_it_was_tried() -> None:
    lines = run(key="").splitlines()
    assert [line.split()[0] for line in lines] == [c.id for c in clients()]
    assert all("tried" in line for line in lines)


@pytest.mark.parametrize("client", [c.id for c in clients()])
def test_every_clients_settings_come_with_their_places_filled(client: str) -> None:
    told = run(client, "--model", "gpt-4o-mini", "--origin", "https://market.example/")
    assert "${" not in told
    assert KEY in told
    assert "market.example//" not in told


def test_a_file_is_written_for_its_owner_only_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run("codex", "--write")
    path = tmp_path / ".codex/config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine")
    assert "left alone" in run("codex", "--write", "--model", "other")
    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".codex").write_text("a file")
    done = RUN.invoke(app, ["connect", "codex", "--write", "--key", KEY])
    assert done.exit_code == 1


def test_an_unknown_client_and_a_missing_key_are_wrong_use() -> None:
    assert RUN.invoke(app, ["connect", "emacs-from-1985", "--key", KEY]).exit_code == 2
    assert RUN.invoke(app, ["connect", "codex"], env={"MARKETPLACE_API_KEY": ""}).exit_code == 2

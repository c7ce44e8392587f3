"""A lost or wrong secret stops the start, in words, before fresh ones kill every key, session, chat and proof in silence."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent_marketplace.app import build
from agent_marketplace.cli import doctor
from agent_marketplace.conversations import NewMessage
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.operations import secret_checks
from agent_marketplace.settings import Settings, SettingsError
from tests.fakes.databases import ENCRYPTION_KEY, JWT_SECRET, here

FILES = ("jwt_secret", "key_pepper", "checkpoint_secret", "encryption_key")
OTHER_KEY = "9lJm3TqYb5VxR8sKc0WnZ2uHf7PdA4eG6oXiQrBvLtM="


@pytest.fixture
def used(tmp_path: Path, database_url: str) -> Settings:
    """The settings of an installation with an account and a chat."""
    settings = replace(
        Settings(data_dir=tmp_path, models_dir=tmp_path, database_url=database_url, local_model=False),
        **here().settings(),
    )
    database = Database.open(database_url)
    migrate.upgrade(database.engine)
    database.close()
    market = build(settings, env={})

    async def live() -> None:
        user = await market.accounts.auth.create_user("ann@example.com", "correct horse, not the comic")
        question = NewMessage(role="user", content="Why does my asyncio test hang?")
        await market.conversations.create(user.user_id, model="m", messages=[question])

    asyncio.run(live())
    market.accounts.close()
    market.db.close()
    return settings


def starts(settings: Settings) -> None:
    market = build(settings, env={})
    market.accounts.close()
    market.db.close()


def refused(settings: Settings, name: str) -> None:
    for _ in range(2):  # the second start must not take what the first one made for the old one
        with pytest.raises(SettingsError, match=rf"{name}.*doctor --accept-secrets"):
            starts(settings)


def lost(name: str) -> str:
    return "ENCRYPTION_KEY lacks" if name == "encryption_key" else name


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["missing", "wrong", "missing and never checked"])
def test_a_secret_that_does_not_belong_to_the_data_is_refused_until_it_is_back(
    used: Settings, name: str, how: str
) -> None:
    if not used.embedded:
        pytest.skip("files are SQLite's; PostgreSQL is given its secrets")
    path = used.data_dir / "secrets" / name
    right = path.read_text()
    if how == "missing and never checked":
        database = Database.open(used.database_url)
        database.write_sync(lambda c: c.execute(secret_checks.delete()))
        database.close()
    path.unlink()
    if how == "wrong":
        path.write_text(OTHER_KEY + "\n")
        path.chmod(0o600)
    refused(used, lost(name))
    assert [lost(name) in words for words in doctor.examine(used)] == [True]
    path.write_text(right)
    path.chmod(0o600)
    starts(used)
    assert doctor.examine(used) == []


@pytest.mark.parametrize("name", FILES)
def test_a_secret_lost_for_good_is_given_up_by_one_command(used: Settings, name: str) -> None:
    if not used.embedded:
        pytest.skip("files are SQLite's; PostgreSQL is given its secrets")
    (used.data_dir / "secrets" / name).unlink()
    refused(used, lost(name))
    doctor.accept_secrets(used)
    starts(used)
    assert doctor.examine(used) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"jwt_secret": JWT_SECRET[::-1]}, "jwt_secret.*key_pepper.*checkpoint_secret"),
        ({"encryption_keys": (OTHER_KEY,)}, "ENCRYPTION_KEY lacks"),
    ],
)
def test_secrets_that_are_given_must_be_those_of_the_data(
    used: Settings, change: dict[str, object], named: str
) -> None:
    if used.embedded:
        pytest.skip("SQLite makes its own")
    wrong = replace(used, **change)  # type: ignore[arg-type]
    refused(wrong, named)
    starts(used)
    doctor.accept_secrets(wrong)
    starts(wrong)
    starts(replace(wrong, encryption_keys=(*wrong.encryption_keys, ENCRYPTION_KEY)))


def test_a_new_installation_starts_without_ado(used: Settings) -> None:
    starts(used)
    starts(used)


def test_the_doctor_names_what_is_wrong(used: Settings, tmp_path: Path) -> None:
    empty = here().url(tmp_path / "empty")
    assert "is empty" in doctor.examine(replace(used, database_url=empty))[0]
    assert "shorter than 32 bytes" in doctor.examine(replace(used, jwt_secret="short"))[0]

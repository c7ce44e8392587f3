"""The demo: its sign-in code, its data apart from the operator's, its history made by real events."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent_marketplace.accounts.errors import InvalidCredentials
from agent_marketplace.api.demo import LIFETIME_S, Doorman
from agent_marketplace.app import Market, build
from agent_marketplace.cli.demo import EMAIL, demo_settings
from agent_marketplace.cli.demo_seed import seed
from agent_marketplace.settings import Settings, load


class _Clock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


def _settings(data_dir: Path) -> Settings:
    return load(
        {"MARKETPLACE_DATA_DIR": str(data_dir), "MARKETPLACE_LOCAL_MODEL": "off", "HOME": str(data_dir)}
    )


def _doorman(clock: _Clock) -> Doorman:
    return Doorman(user=None, clock=clock)  # type: ignore[arg-type]  # admission never looks at the user


def test_a_sign_in_code_opens_one_session_only() -> None:
    doorman = _doorman(_Clock())
    assert not doorman.admit("guess")
    assert doorman.admit(doorman.code)
    assert not doorman.admit(doorman.code)


def test_a_sign_in_code_left_in_a_terminal_dies_after_ten_minutes() -> None:
    clock = _Clock()
    doorman = _doorman(clock)
    clock.ms += LIFETIME_S * 1000
    assert not doorman.admit(doorman.code)


def test_a_sign_in_code_is_not_in_a_repr_that_may_be_logged() -> None:
    doorman = _doorman(_Clock())
    assert doorman.code not in repr(doorman)


def test_a_normal_server_has_no_such_door(tmp_path: Path) -> None:
    from agent_marketplace.api.server import cold

    market = build(_settings(tmp_path))
    try:
        assert not [route for route in cold(market).routes if "demo" in getattr(route, "path", "")]
    finally:
        market.accounts.close()
        market.db.close()


def test_the_demo_never_touches_the_operators_database_or_secrets(tmp_path: Path) -> None:
    own = replace(
        _settings(tmp_path),
        database_url="postgresql+psycopg://x@h/real",
        jwt_secret="j" * 40,
        encryption_keys=("k",),
    )
    demo = demo_settings(own)
    assert demo.data_dir == tmp_path / "demo"
    assert demo.database_url == f"sqlite:///{tmp_path / 'demo' / 'marketplace.db'}"
    assert (demo.jwt_secret, demo.encryption_keys) == (None, ())


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return build(demo_settings(_settings(tmp_path)))


def test_a_second_start_charges_and_grants_nothing_again(market: Market) -> None:
    async def work() -> None:
        await market.start()
        try:
            user = await market.accounts.auth.create_user(EMAIL, "demo-password-1", role="user")
            words: list[str] = []
            for _ in range(2):
                await _seed_without_waiting(market, user.user_id, words)
            entries = (await market.ledger.statement(user.user_id)).entries
            assert [entry.amount_nano for entry in entries] == [-10 * 10**9, 20 * 10**9, 5 * 10**9]
            assert len(await market.accounts.keys.list(user.user_id)) == 1
            assert len(await market.favourites.list(user.user_id)) == 2
            assert len(await market.agents.list(user.user_id)) == 1
            assert words[-1].startswith("The history stays empty")
            with pytest.raises(InvalidCredentials):
                await market.accounts.auth.sign_in(EMAIL, "another password")
            report = await market.db.read(market.ledger.verify_sync)
            assert report.ok
        finally:
            await market.stop()

    asyncio.run(work())


async def _seed_without_waiting(market: Market, user_id: str, words: list[str]) -> None:
    await seed(market, user_id, words.append, ready_s=0)

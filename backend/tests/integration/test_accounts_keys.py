"""Marketplace keys on a real database: shown once, scoped, capped, expiring, revocable."""

import asyncio
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.accounts import Cap, key_format
from agent_marketplace.accounts.errors import InvalidToken
from agent_marketplace.accounts.keys import MAX_KEYS
from agent_marketplace.db.tables.accounts import marketplace_keys
from agent_marketplace.errors import BadRequest, NotFound, PaymentRequired
from tests.fakes.home import PASSWORD, Home, at_home

pytestmark = pytest.mark.both_databases


def test_a_key_works_in_every_header_form_and_is_on_disk_only_as_a_keyed_hash(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await home.accounts.keys.create(user.user_id, " laptop ")
        assert re.fullmatch(key_format.PATTERN, made.key)
        assert made.key not in repr(made)
        assert made.info.name == "laptop"
        for headers in (
            {"authorization": f"Bearer {made.key}"},
            {"x-api-key": made.key},
            {"x-goog-api-key": made.key},
        ):
            principal = await home.authenticator.authenticate(headers)
            assert (principal.user_id, principal.kind, principal.key_id) == (
                user.user_id,
                "key",
                made.info.key_id,
            )
            assert principal.scopes == {"inference", "account:read"}
        assert (await home.authenticator.authenticate({}, [made.key])).kind == "key"
        assert made.key[7:].encode() not in home.stored()
        (shown,) = await home.accounts.keys.list(user.user_id)
        assert made.key.startswith(shown.prefix[:-1])
        assert len(shown.prefix) == 12

    at_home(tmp_path, test)


def test_a_key_is_not_a_session_and_cannot_be_used_as_a_token(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await home.accounts.keys.create(user.user_id, "k", scopes=["inference"])
        with pytest.raises(InvalidToken):
            await home.auth.verify_token(made.key)
        assert (await home.authenticator.verify(made.key)).scopes == {"inference"}

    at_home(tmp_path, test)


def test_a_revoked_key_dies_at_once_and_only_its_owner_can_revoke_it(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        owner, other = [await home.auth.sign_up(f"{name}@b.c", PASSWORD) for name in ("owner", "other")]
        made = await home.accounts.keys.create(owner.user_id, "k")
        await home.authenticator.verify(made.key)
        with pytest.raises(NotFound):
            await home.accounts.keys.revoke(other.user_id, made.info.key_id)
        assert await home.accounts.keys.list(other.user_id) == []
        await home.accounts.keys.revoke(owner.user_id, made.info.key_id)
        with pytest.raises(InvalidToken):
            await home.authenticator.verify(made.key)
        with pytest.raises(NotFound):
            await home.accounts.keys.revoke(owner.user_id, made.info.key_id)

    at_home(tmp_path, test)


def test_a_key_expires_on_its_day(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await home.accounts.keys.create(user.user_id, "k", expires_in_days=2)
        home.clock.advance(2 * 86_400 - 1)
        await home.authenticator.verify(made.key)
        home.clock.advance(1)
        with pytest.raises(InvalidToken):
            await home.authenticator.verify(made.key)

    at_home(tmp_path, test)


def test_well_formed_keys_that_were_never_made_are_refused(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for key in (key_format.new_key(), "sk-aam-", "sk-aam-" + "0" * 38, "sk-aam-" + "é" * 38):
            with pytest.raises(InvalidToken, match="Invalid API key"):
                await home.authenticator.verify(key)

    at_home(tmp_path, test)


def test_use_is_noted_at_most_once_a_minute(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await home.accounts.keys.create(user.user_id, "k")
        assert made.info.last_used_at is None
        seen = []
        for _ in range(130):
            await home.authenticator.verify(made.key)
            seen.append((await home.accounts.keys.list(user.user_id))[0].last_used_at)
            home.clock.advance(1)
        assert len(set(seen)) == 3

    at_home(tmp_path, test)


def test_a_cap_is_the_ledger_s_and_is_shown_with_what_was_spent(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        cap = Cap(1_000_000_000, "day", "Europe/Berlin")
        made = await home.accounts.keys.create(user.user_id, "capped", cap=cap)
        await home.accounts.keys.create(user.user_id, "open")
        await home.ledger.hold("req_1", user.user_id, 900_000_000, price_version="v", key_id=made.info.key_id)
        with pytest.raises(PaymentRequired):
            await home.ledger.hold(
                "req_2", user.user_id, 200_000_000, price_version="v", key_id=made.info.key_id
            )
        shown = {key.name: key for key in await home.accounts.keys.list(user.user_id)}
        assert shown["open"].cap is None
        assert shown["capped"].cap == cap
        spend = shown["capped"].spend
        assert spend is not None
        assert (spend.limit_nano, spend.held_nano, spend.spent_nano) == (1_000_000_000, 900_000_000, 0)

    at_home(tmp_path, test)


def test_impossible_keys_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        for name, options in (
            ("", {}),
            ("x" * 101, {}),
            ("a\nb", {}),
            ("k", {"scopes": []}),
            ("k", {"scopes": ["admin"]}),
            ("k", {"expires_in_days": 0}),
            ("k", {"expires_in_days": 10**6}),
            ("k", {"cap": Cap(-1)}),
            ("k", {"cap": Cap(1, "year")}),  # type: ignore[arg-type]
            ("k", {"cap": Cap(1, "day", "Mars/Olympus")}),
            ("k", {"cap": Cap(1, "day", "../etc/passwd")}),
        ):
            with pytest.raises(BadRequest):
                await home.accounts.keys.create(user.user_id, name, **options)
        assert await home.accounts.keys.list(user.user_id) == []

    at_home(tmp_path, test)


def test_the_number_of_keys_is_bounded_also_for_parallel_callers(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await asyncio.gather(
            *(home.accounts.keys.create(user.user_id, f"k{i}") for i in range(MAX_KEYS + 5)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, BadRequest) for outcome in made) == 5
        count = sa.select(sa.func.count()).select_from(marketplace_keys)
        assert await home.db.read(lambda c: c.execute(count).scalar_one()) == MAX_KEYS

    at_home(tmp_path, test)


def test_a_mistyped_key_is_refused_without_a_look_at_the_database(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        home.authenticator._db = None  # type: ignore[assignment]
        with pytest.raises(InvalidToken):
            await home.authenticator.verify("sk-aam-" + "0" * 38)

    at_home(tmp_path, test)

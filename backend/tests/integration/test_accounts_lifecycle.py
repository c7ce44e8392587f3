"""The rest of an account's life: subscriptions, provider keys, export, deletion, and what may never be written down."""

import base64
import logging
import os
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.accounts.errors import InvalidCredentials, InvalidToken
from agent_marketplace.errors import BadRequest, NotFound, PaymentRequired, RateLimited
from agent_marketplace.vault import SecretUnreadable
from tests.fakes.home import PASSWORD, Home, at_home

pytestmark = pytest.mark.both_databases


def test_subscriptions_expire_to_free_and_cost_what_the_plan_says_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user_id = (await home.auth.sign_up("a@b.c", PASSWORD)).user_id
        token = await home.auth.sign_in("a@b.c", PASSWORD)
        await home.auth.set_subscription(user_id, "enterprise", 1)
        assert (await home.authenticator.verify(token)).tier == "enterprise"
        assert (await home.auth.get_user(user_id)).balance == 5
        home.clock.advance(30 * 86_400 - 7 * 86_400)
        token = await home.auth.sign_in("a@b.c", PASSWORD)
        home.clock.advance(7 * 86_400 - 1)
        assert (await home.authenticator.verify(token)).tier == "enterprise"
        home.clock.advance(1)
        token = await home.auth.sign_in("a@b.c", PASSWORD)
        assert (await home.authenticator.verify(token)).tier == "free"
        assert (await home.auth.get_user(user_id)).subscription_tier == "free"
        with pytest.raises(PaymentRequired):
            await home.auth.subscribe(user_id, "pro")
        assert (await home.auth.get_user(user_id)).subscription_tier == "free"
        await home.auth.add_balance(user_id, 25)
        first = await home.auth.subscribe(user_id, "pro", idempotency_key="a")
        again = await home.auth.subscribe(user_id, "pro", idempotency_key="a")
        assert (first.subscription_tier, first.balance) == ("pro", Decimal(20))
        assert again == first
        longer = await home.auth.subscribe(user_id, "pro")
        assert longer.balance == 10
        assert first.subscription_expires is not None
        assert longer.subscription_expires is not None
        assert (longer.subscription_expires - first.subscription_expires).days == 30
        for bad in (("gold", 1), ("pro", 0), ("pro", -1), ("pro", 10**9)):
            with pytest.raises(BadRequest):
                await home.auth.set_subscription(user_id, *bad)
        with pytest.raises(NotFound):
            await home.auth.set_subscription("nobody", "pro", 1)
        await home.auth.set_subscription(user_id, "free", 1)
        assert (await home.auth.get_user(user_id)).subscription_expires is None

    at_home(tmp_path, test)


def test_provider_keys_are_tested_when_saved_and_never_shown(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user_id = (await home.auth.sign_up("a@b.c", PASSWORD)).user_id
        keys = home.accounts.provider_keys
        assert await home.auth.add_api_key(user_id, "openai", " sk-canary-abcdefgh \n")
        assert home.probed == ["openai sk-canary-abcdefgh"]
        assert await home.auth.get_api_key(user_id, "openai") == "sk-canary-abcdefgh"
        assert (await home.auth.get_user(user_id)).api_keys == {"openai": "…efgh"}
        home.verdict = "refused"
        with pytest.raises(BadRequest, match="refuses") as e:
            await home.auth.add_api_key(user_id, "openai", "sk-canary-refused")
        assert "canary" not in str(e.value)
        assert await home.auth.get_api_key(user_id, "openai") == "sk-canary-abcdefgh"
        with pytest.raises(BadRequest):
            await keys.test(user_id, "openai")
        assert [key.status for key in await keys.list(user_id)] == ["unverified"]
        home.verdict = "unverified"
        assert (await keys.save(user_id, "anthropic", "sk-other-0123456789")).status == "unverified"
        home.verdict = "verified"
        tested = await keys.test(user_id, "anthropic")
        assert (tested.status, tested.last_tested_at) == ("verified", home.clock.now_ms())
        for provider, text in (
            ("nobody", "sk-x"),
            ("openai", ""),
            ("openai", "a b"),
            ("openai", "x\r\nHost: y"),
            ("openai", "k" * 5000),
            ("openai", "ключ"),
        ):
            with pytest.raises(BadRequest):
                await home.auth.add_api_key(user_id, provider, text)
        await keys.delete(user_id, "openai")
        for call in (
            keys.delete(user_id, "openai"),
            keys.test(user_id, "openai"),
            home.auth.get_api_key(user_id, "openai"),
        ):
            with pytest.raises(NotFound):
                await call

    at_home(tmp_path, test)


def test_deleting_an_account_leaves_nothing_that_names_the_person(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.auth.sign_up("admin@b.c", PASSWORD)
        user = await home.auth.sign_up("leaver@b.c", PASSWORD)
        token = await home.auth.open_session(user)
        key = (await home.accounts.keys.create(user.user_id, "laptop")).key
        await home.auth.add_api_key(user.user_id, "openai", "sk-0123456789abcdef")
        with pytest.raises(InvalidCredentials):
            await home.auth.delete_account(user.user_id, "wrong password")
        await home.auth.delete_account(user.user_id, PASSWORD)
        for credential in (token, key):
            with pytest.raises(InvalidToken):
                await home.authenticator.verify(credential)
        with pytest.raises(InvalidCredentials):
            await home.auth.sign_in("leaver@b.c", PASSWORD)
        assert await home.vault.list(user.user_id) == []

        def leftovers(connection: sa.Connection) -> list[str]:
            tables = ("users", "sessions", "marketplace_keys", "vault_secrets", "vault_user_keys")
            query = "SELECT count(*) FROM {} WHERE user_id = :u"
            return [
                t
                for t in tables
                if connection.execute(sa.text(query.format(t)), {"u": user.user_id}).scalar_one()
            ]

        assert await home.db.read(leftovers) == []
        assert home.db.read_sync(home.ledger.verify_sync).problems == []

    at_home(tmp_path, test)


def test_the_last_admin_cannot_leave_others_without_one_but_a_lone_user_may_leave(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        admin = await home.auth.sign_up("admin@b.c", PASSWORD)
        user = await home.auth.sign_up("user@b.c", PASSWORD)
        with pytest.raises(BadRequest, match="only administrator"):
            await home.auth.delete_account(admin.user_id, PASSWORD)
        await home.auth.delete_account(user.user_id, PASSWORD)
        await home.auth.delete_account(admin.user_id, PASSWORD)
        assert (await home.auth.sign_up("next@b.c", PASSWORD)).role == "admin"

    at_home(tmp_path, test)


def test_an_export_has_what_is_mine_and_no_secret(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token = await home.auth.open_session(user)
        key = (await home.accounts.keys.create(user.user_id, "laptop")).key
        await home.auth.add_api_key(user.user_id, "openai", "sk-0123456789abcdef")
        text = json.encode(await home.auth.export_account(user.user_id)).decode()
        assert '"a@b.c"' in text
        assert '"laptop"' in text
        assert '"balance":5' in text
        for secret in (token, key, "sk-0123456789", PASSWORD, "argon2"):
            assert secret not in text

    at_home(tmp_path, test)


def test_keys_and_passwords_are_in_no_log_and_not_in_the_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", "canary-password-1")
        token = await home.auth.sign_in("a@b.c", "canary-password-1", address="192.0.2.77")
        key = (await home.accounts.keys.create(user.user_id, "laptop")).key
        await home.auth.add_api_key(user.user_id, "openai", "sk-canary-provider")
        await home.authenticator.verify(key)
        with pytest.raises(InvalidCredentials):
            await home.auth.sign_in("a@b.c", "canary-password-2")
        await home.auth.change_password(user.user_id, "canary-password-1", "canary-password-3")
        disk = home.stored()
        for secret in (token, token.rpartition(".")[2], key, key[7:], "canary-p", "sk-canary", "192.0.2.77"):
            assert secret.encode() not in disk
            assert secret not in caplog.text

    at_home(tmp_path, test)


def test_a_changed_master_key_leaves_sign_in_and_marketplace_keys_working(tmp_path: Path) -> None:
    async def before(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        await home.auth.add_api_key(user.user_id, "openai", "sk-0123456789abcdef")
        made.append((await home.accounts.keys.create(user.user_id, "laptop")).key)

    async def after(home: Home) -> None:
        user = await home.auth.verify_token(await home.auth.sign_in("a@b.c", PASSWORD))
        assert user.api_keys == {"openai": "…cdef"}
        assert [key.status for key in await home.accounts.provider_keys.list(user.user_id)] == [
            "needs_reentry"
        ]
        with pytest.raises(SecretUnreadable):
            await home.auth.get_api_key(user.user_id, "openai")
        assert (await home.authenticator.verify(made[0])).user_id == user.user_id
        await home.auth.add_api_key(user.user_id, "openai", "sk-entered-again-1234")
        assert await home.auth.get_api_key(user.user_id, "openai") == "sk-entered-again-1234"

    made: list[str] = []
    old, new = (base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
    at_home(tmp_path, before, encryption_keys=(old,))
    at_home(tmp_path, after, encryption_keys=(new,))


def test_limits_are_off_for_benches_only_when_the_operator_says_so(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for _ in range(1000):
            home.accounts.limits.request("u1")

    at_home(tmp_path, test, rate_limits=False)
    with pytest.raises(RateLimited):
        at_home(tmp_path, test)

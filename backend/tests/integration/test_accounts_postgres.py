"""What SQLite's one writer makes easy, on PostgreSQL: races between transactions, types, and two processes."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent_marketplace.accounts import User
from agent_marketplace.accounts.errors import EmailTaken, InvalidToken
from agent_marketplace.accounts.keys import MAX_KEYS
from agent_marketplace.conversations import NewMessage
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import Keyring, Secret, Vault
from tests.fakes.databases import using
from tests.fakes.home import PASSWORD, Home, at_home

pytestmark = pytest.mark.postgres

KEYS = tuple(base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
Run = Callable[[Callable[[Home], Awaitable[None]]], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a test on PostgreSQL."""

    def on_postgres(test: Callable[[Home], Awaitable[None]]) -> None:
        with using("postgresql"):
            at_home(tmp_path, test, encryption_keys=KEYS[:1])

    return on_postgres


def test_parallel_first_sign_ups_give_one_admin_and_one_account_an_address(run: Run) -> None:
    async def test(home: Home) -> None:
        made = await asyncio.gather(
            *(home.auth.sign_up(f"u{i % 4}@b.c", PASSWORD) for i in range(12)), return_exceptions=True
        )
        accounts = [user for user in made if isinstance(user, User)]
        assert sorted(user.role for user in accounts) == ["admin", "user", "user", "user"]
        assert {user.email for user in accounts} == {f"u{i}@b.c" for i in range(4)}
        assert sum(isinstance(outcome, EmailTaken) for outcome in made) == 8
        assert [user.balance for user in accounts] == [5, 5, 5, 5]
        assert home.db.read_sync(home.ledger.verify_sync).problems == []

    run(test)


def test_two_administrators_who_leave_at_once_do_not_leave_others_without_one(run: Run) -> None:
    async def test(home: Home) -> None:
        one, two = [
            await home.auth.create_user(f"{name}@b.c", PASSWORD, role="admin") for name in ("one", "two")
        ]
        await home.auth.create_user("user@b.c", PASSWORD)
        outcomes = await asyncio.gather(
            *(home.auth.delete_account(user.user_id, PASSWORD) for user in (one, two)), return_exceptions=True
        )
        assert sorted(isinstance(outcome, BadRequest) for outcome in outcomes) == [False, True]

    run(test)


def test_the_number_of_keys_is_bounded_for_parallel_callers(run: Run) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        made = await asyncio.gather(
            *(home.accounts.keys.create(user.user_id, f"k{i}") for i in range(MAX_KEYS + 5)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, BadRequest) for outcome in made) == 5
        assert len(await home.accounts.keys.list(user.user_id)) == MAX_KEYS

    run(test)


def test_sessions_keys_and_subscriptions_work_and_are_revoked(run: Run) -> None:
    async def test(home: Home) -> None:
        user = await home.auth.sign_up("a@b.c", PASSWORD)
        token = await home.auth.sign_in("a@b.c", PASSWORD, address="192.0.2.1")
        made = await home.accounts.keys.create(user.user_id, "k", expires_in_days=1)
        for credential in (token, made.key):
            assert (await home.authenticator.verify(credential)).user_id == user.user_id
        await home.auth.add_balance(user.user_id, 10)
        assert (
            await home.auth.subscribe(user.user_id, "pro", idempotency_key="a")
        ).subscription_tier == "pro"
        assert (await home.auth.subscribe(user.user_id, "pro", idempotency_key="a")).balance == 5
        await home.auth.change_password(user.user_id, PASSWORD, "another long password")
        await home.accounts.keys.revoke(user.user_id, made.info.key_id)
        for credential in (token, made.key):
            with pytest.raises(InvalidToken):
                await home.authenticator.verify(credential)

    run(test)


def test_the_vault_rotates_and_two_processes_share_a_user_s_data_key(run: Run) -> None:
    async def test(home: Home) -> None:
        await home.vault.put("u1", "openai", Secret("sk-1"))
        vaults = [Vault(home.db, home.secrets.keyring, home.clock) for _ in range(5)]
        sealed = await asyncio.gather(*(vault.seal_text("u1", "m", str(i)) for i, vault in enumerate(vaults)))
        later = Vault(home.db, Keyring([KEYS[1], KEYS[0]]), home.clock)
        assert (await later.rotate()).rewrapped == 2
        alone = Vault(home.db, Keyring([KEYS[1]]), home.clock)
        assert (await alone.get("u1", "openai")).reveal() == "sk-1"
        assert [await alone.open_text("u1", "m", text) for text in sealed] == [str(i) for i in range(5)]

    run(test)


def test_history_lists_search_agents_and_favourites_work(run: Run) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        for i in range(5):
            chat, _ = await chats.create(
                "u1", model="gpt4", messages=[NewMessage(role="user", content=f"q\x00{i}", agent_id="gpt4")]
            )
        await chats.pin("u1", chat.conversation_id, True)
        await asyncio.gather(
            *(
                chats.append("u1", chat.conversation_id, [NewMessage(role="user", content="x")])
                for _ in range(10)
            )
        )
        assert [m.seq for m in await chats.messages("u1", chat.conversation_id)] == list(range(1, 12))
        seen, cursor = [], None
        while True:
            page = await chats.history("u1", "gpt4", cursor=cursor, limit=2)
            seen += [m.content for m in page.messages]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == [f"q\x00{i}" for i in range(5)]
        first = await chats.list("u1", limit=2)
        second = await chats.list("u1", limit=2, cursor=first.next_cursor)
        assert len({c.conversation_id for c in (*first.conversations, *second.conversations)}) == 5
        assert len((await chats.search("u1", "q")).conversations) == 5
        await chats.set_retention("u1", 1)
        home.clock.advance(86_401)
        assert await chats.purge_expired() == 4
        agent = await home.agents.create("u1", name="a", model="auto")
        await asyncio.gather(*(home.agents.update("u1", agent.agent_id, name=f"n{i}") for i in range(5)))
        assert [a.version for a in await home.agents.versions("u1", agent.agent_id)] == [6, 5, 4, 3, 2, 1]
        await asyncio.gather(*(home.favourites.add("u1", "gpt4") for _ in range(5)))
        assert await home.favourites.list("u1") == ["gpt4"]
        await chats.delete("u1", chat.conversation_id)
        with pytest.raises(NotFound):
            await chats.get("u1", chat.conversation_id)

    run(test)

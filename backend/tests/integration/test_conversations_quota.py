"""No account fills the disk: what chats and agents take is counted in the transaction that writes them, and bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.conversations import NewMessage
from agent_marketplace.conversations.quota import StorageFull
from agent_marketplace.db.tables.conversations import messages, stored_bytes
from agent_marketplace.errors import NotFound
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
PICTURE = {"images": ["x" * 10_000]}


def ask(text: str = "q", **options: object) -> NewMessage:
    return NewMessage(role="user", content=text, agent_id="gpt4", **options)  # type: ignore[arg-type]


async def right(home: Home, user: str) -> int:
    """What the user stores; the running total is what a count of every row says."""
    total = await home.conversations.stored(user)
    assert await home.conversations.recount(user) == (total, total)
    return total


def test_every_way_to_write_and_to_delete_is_counted_to_the_byte(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats, agents = home.conversations, home.agents
        assert await right(home, "u1") == 0
        chat, _ = await chats.create("u1", model="gpt4", messages=[ask(extra=PICTURE)])
        one = await right(home, "u1")
        assert 12_000 < one < 13_000
        (answer,) = await chats.append(
            "u1", chat.conversation_id, [NewMessage(role="assistant", content="", status="running")]
        )
        await chats.finish("u1", answer.message_id, content="y" * 5_000, status="ok")
        assert await right(home, "u1") > one + 6_000
        await chats.finish("u1", answer.message_id, content="short", status="ok")
        assert await right(home, "u1") < one + 3_000
        await chats.rename("u1", chat.conversation_id, "z" * 150)
        made = await agents.create("u1", name="a", model="auto", parameters={"stop": ["w" * 3_000]})
        before = await right(home, "u1")
        await agents.update("u1", made.agent_id, instructions="i" * 20_000)
        assert await right(home, "u1") > before + 20_000 + 3_000
        await agents.delete("u1", made.agent_id)
        await chats.delete("u1", chat.conversation_id)
        assert await right(home, "u1") == 0
        for _ in range(3):
            await chats.create("u1", model="gpt4", messages=[ask()])
            await chats.create("u2", model="gpt4", messages=[ask()])
        kept = await right(home, "u2")
        assert await chats.purge(home.clock.now_ms() + 1, "u1") == 3
        assert (await right(home, "u1"), await right(home, "u2")) == (0, kept)
        assert await chats.purge(home.clock.now_ms() + 1) == 3
        assert await right(home, "u2") == 0
        await chats.create("u2", model="gpt4", messages=[ask()])
        await home.db.write(lambda c: home.conversations.erase_user_in(c, "u2"))
        rows = sa.select(stored_bytes).where(stored_bytes.c.user_id == "u2")
        assert await home.db.read(lambda c: c.execute(rows).all()) == []

    at_home(tmp_path, test)


def test_over_its_quota_an_account_is_told_what_is_used_and_stores_nothing_until_it_deletes(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        chats, agents = home.conversations, home.agents
        chat, (first,) = await chats.create("u1", model="gpt4", messages=[ask(extra=PICTURE)])
        made = await agents.create("u1", name="a", model="auto")
        used = await right(home, "u1")
        attempts: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: chats.append("u1", chat.conversation_id, [ask(extra=PICTURE)]),
            lambda: chats.create("u1", model="gpt4", messages=[ask(), ask(extra=PICTURE)]),
            lambda: agents.create("u1", name="b", model="auto", instructions="i" * 9_000),
            lambda: agents.update("u1", made.agent_id, instructions="i" * 9_000),
        )
        for attempt in attempts:
            with pytest.raises(StorageFull, match=r"delete chats .* or agents") as full:
                await attempt()
            assert full.value.status == 413
            assert full.value.extra["stored_bytes"] == used
            assert full.value.extra["quota_bytes"] == 20_000
            assert await right(home, "u1") == used
        assert "take 0.1 MB of the 0.1 MB" in full.value.message
        await chats.finish("u1", first.message_id, content="what was paid for is kept" * 1_000, status="ok")
        assert await right(home, "u1") > 20_000
        await chats.create("u2", model="gpt4", messages=[ask(extra=PICTURE)])
        await chats.delete("u1", chat.conversation_id)
        await attempts[1]()

    at_home(tmp_path, test, storage_per_user=20_000)


def test_no_quota_bounds_nothing(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for _ in range(3):
            await home.conversations.create("u1", model="gpt4", messages=[ask(extra=PICTURE)])
        assert await right(home, "u1") > 30_000

    at_home(tmp_path, test, storage_per_user=0)


def test_parallel_turns_deletions_and_recounts_neither_pass_the_quota_nor_lose_count(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        made = [(await chats.create("u1", model="gpt4"))[0].conversation_id for _ in range(4)]
        turns = [chats.append("u1", place, [ask(extra=PICTURE)]) for place in made * 4]
        deletions = [chats.delete("u1", place) for place in made[:2]]
        counts = [chats.recount("u1") for _ in range(4)]
        outcomes = await asyncio.gather(*turns, *deletions, *counts, return_exceptions=True)
        unexpected = [o for o in outcomes if isinstance(o, Exception)]
        assert all(isinstance(o, StorageFull | NotFound) for o in unexpected), unexpected
        assert await right(home, "u1") <= 50_000
        orphans = sa.select(sa.func.count()).where(messages.c.conversation_id.in_(made[:2]))
        assert await home.db.read(lambda c: c.scalar(orphans)) == 0

    at_home(tmp_path, test, storage_per_user=50_000)


def test_an_upgrade_counts_what_is_there(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        await chats.create("u1", model="gpt4", messages=[ask("ä" * 50, extra=PICTURE), ask()])
        await chats.create("u2", model="gpt4", messages=[ask()])
        made = await home.agents.create("u1", name="a", model="auto", parameters={"stop": ["ä"]})
        await home.agents.update("u1", made.agent_id, instructions="i")
        sizes = {user: await right(home, user) for user in ("u1", "u2")}

        revision = import_module("agent_marketplace.db.migrations.versions.0008_stored_bytes")
        await home.db.write(lambda c: c.execute(sa.delete(stored_bytes)))
        await home.db.write(lambda c: c.execute(sa.text(revision.COUNT)))
        assert {user: await home.conversations.stored(user) for user in sizes} == sizes

    at_home(tmp_path, test)

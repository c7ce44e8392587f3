"""An export of all chats is whole, and however much is stored, only a page of it is in memory."""

import tracemalloc
from pathlib import Path

import pytest

from agent_marketplace import json
from agent_marketplace.conversations import NewMessage, export
from agent_marketplace.conversations import conversations as module
from agent_marketplace.conversations.export import everything
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


def ask(text: str, **options: object) -> NewMessage:
    return NewMessage(role="user", content=text, agent_id="gpt4", **options)  # type: ignore[arg-type]


def test_a_user_s_whole_history_is_exported_over_all_pages(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for i in range(205):
            await home.conversations.create("u1", model="gpt4", messages=[ask(f"q{i}")])
            home.clock.advance(i % 2)
        await home.conversations.create("u2", model="gpt4", messages=[ask("not mine")])
        data = json.decode(b"".join([piece async for piece in everything(home.conversations, "u1")]))
        assert sorted(c["messages"][0]["content"] for c in data) == sorted(f"q{i}" for i in range(205))
        assert [piece async for piece in everything(home.conversations, "nobody")] == [b"[]"]

    at_home(tmp_path, test)


def test_an_export_shows_each_conversation_as_its_own_export_does_over_pages_of_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_BYTES", 1_500)

    async def test(home: Home) -> None:
        chats, said = home.conversations, [ask("x" * size) for size in (700, 700, 700, 5_000, 1, 1, 1)]
        chat, _ = await chats.create("u1", model="gpt4", messages=said)
        empty, _ = await chats.create("u1", model="gpt4")
        shown = json.decode(b"".join([piece async for piece in everything(chats, "u1")]))
        alone = [
            json.decode(export(head, await chats.messages("u1", head.conversation_id), "json"))
            for head in [await chats.get("u1", c.conversation_id) for c in (chat, empty)]
        ]
        assert sorted(shown, key=lambda c: c["id"]) == sorted(alone, key=lambda c: c["id"])

    at_home(tmp_path, test)


def test_an_export_in_progress_misses_no_conversation_that_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)

    async def test(home: Home) -> None:
        chats = home.conversations
        ids = []
        for _ in range(6):
            home.clock.advance(1)
            ids.append((await chats.create("u1", model="gpt4"))[0].conversation_id)
        seen = []
        async for head in chats.each("u1"):
            seen.append(head.conversation_id)
            home.clock.advance(1)
            await chats.append("u1", ids[0], [ask("the oldest becomes the newest")])
        assert seen == ids[::-1]

    at_home(tmp_path, test)


def test_the_memory_of_an_export_does_not_grow_with_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_BYTES", 1_000_000)

    async def test(home: Home) -> None:
        chats, picture = home.conversations, {"images": ["x" * 500_000]}
        chat, _ = await chats.create("u1", model="gpt4")

        async def peak(grown: int) -> tuple[int, int]:
            await chats.append("u1", chat.conversation_id, [ask("q", extra=picture)] * grown)
            tracemalloc.start()
            size = 0
            async for piece in everything(chats, "u1"):
                size += len(piece)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return size, most

        (small, before), (large, after) = await peak(8), await peak(40)
        assert large > 5 * small
        assert after < before * 1.5
        assert after < large / 3

    at_home(tmp_path, test)

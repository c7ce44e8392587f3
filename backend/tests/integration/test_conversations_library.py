"""Folders, links and prompts: nobody else's words are reached, what is taken back is gone, what is stored is counted."""

from pathlib import Path
from typing import NamedTuple

import pytest

from agent_marketplace.conversations import NewMessage
from agent_marketplace.conversations.library import Library
from agent_marketplace.conversations.quota import StorageFull
from agent_marketplace.errors import BadRequest, NotFound
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


class Catalogue:
    """Knows one model."""

    class _Named(NamedTuple):
        id: str

    def resolve(self, name: str) -> _Named | None:
        return self._Named(name) if name == "gpt4" else None


def library(home: Home, quota: int = 0) -> Library:
    return Library.on(home.db, home.vault, home.clock, Catalogue(), quota=quota)


def turn(question: str, answer: str, **extra: object) -> list[NewMessage]:
    return [
        NewMessage(role="system", content="secret instructions"),
        NewMessage(role="user", content=question, extra={"images": ["data:image/png;base64,AA=="]}),
        NewMessage(role="assistant", content=answer, model="gpt4", extra={"reasoning": "secret thought", **extra}),
    ]  # fmt: skip


def test_a_link_shows_one_branch_up_to_its_message_and_nothing_else(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        shares = library(home).shares
        chat, kept = await home.conversations.create(
            "u1", model="gpt4", messages=turn("Q1", "<think>hidden</think>A1")
        )
        other = NewMessage(role="assistant", content="A1 of another branch", parent_id=kept[1].message_id)
        await home.conversations.append("u1", chat.conversation_id, [other])
        made = await shares.share("u1", chat.conversation_id, kept[2].message_id)
        later = NewMessage(role="user", content="private later", parent_id=kept[2].message_id)
        await home.conversations.append("u1", chat.conversation_id, [later])
        seen = await shares.read(made.token)
        assert [(m.role, m.content, m.images) for m in seen.messages] == [
            ("user", "Q1", 1),
            ("assistant", "A1", 0),
        ]
        again = await shares.share("u1", chat.conversation_id)
        assert again.token == made.token
        assert (await shares.read(made.token)).messages[-1].content == "private later"

    at_home(tmp_path, test)


def test_a_link_taken_back_or_whose_chat_is_deleted_leads_nowhere(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        shares = library(home).shares
        chat, _ = await home.conversations.create("u1", model="gpt4", messages=turn("Q", "A"))
        made = await shares.share("u1", chat.conversation_id)
        for act in (shares.share, shares.get, shares.revoke):
            with pytest.raises(NotFound):
                await act("u2", chat.conversation_id)
        await shares.revoke("u1", chat.conversation_id)
        again = await shares.share("u1", chat.conversation_id)
        assert again.token != made.token
        assert made.token.encode() not in home.stored()
        assert again.token.encode() not in home.stored()
        await home.conversations.delete("u1", chat.conversation_id)
        for token in (made.token, again.token, "x" * 32, "../../etc", ""):
            with pytest.raises(NotFound):
                await shares.read(token)
        assert await shares.list("u1") == []

    at_home(tmp_path, test)


def test_an_unfinished_or_empty_chat_is_not_shared(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        shares = library(home).shares
        empty, _ = await home.conversations.create("u1", model="gpt4")
        running = [
            NewMessage(role="user", content="Q"),
            NewMessage(role="assistant", content="", status="running"),
        ]
        busy, _ = await home.conversations.create("u1", model="gpt4", messages=running)
        for chat in (empty, busy):
            with pytest.raises(BadRequest):
                await shares.share("u1", chat.conversation_id)

    at_home(tmp_path, test)


def test_folders_and_tags_are_kept_apart_and_found_again(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        folders = library(home).folders
        one, _ = await home.conversations.create("u1", model="gpt4", messages=turn("about cats", "A"))
        two, _ = await home.conversations.create("u1", model="gpt4", messages=turn("about cats", "A"))
        await folders.put("u1", one.conversation_id, folder=" Work  things ", tags=["a", "b", "a", " "])
        await folders.put("u1", one.conversation_id, folder=None, tags=["b"])
        await folders.put("u1", two.conversation_id, tags=["b"])
        assert await folders.all("u1") == ({"Work things": 1}, {"b": 2})
        assert await folders.all("u2") == ({}, {})
        found = await home.conversations.search("u1", "cats", folder="Work things")
        assert [c.conversation_id for c in found.conversations] == [one.conversation_id]
        assert len((await home.conversations.search("u1", tag="b")).conversations) == 2
        assert b"Work things" not in home.stored()
        await folders.put("u1", one.conversation_id, folder="", tags=[])
        assert (await home.conversations.get("u1", one.conversation_id)).folder == ""
        with pytest.raises(BadRequest):
            await folders.put("u1", one.conversation_id, folder="x" * 61)
        with pytest.raises(NotFound):
            await folders.put("u2", one.conversation_id, folder="mine")

    at_home(tmp_path, test)


def test_prompts_are_counted_to_the_byte_and_nobody_elses(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        prompts = library(home).prompts
        kept = await prompts.create("u1", name="Review", text="Review {{code}}")
        await prompts.change("u1", kept.prompt_id, name=None, text="Review {{code}} for {{who=me}}")
        assert [p.text for p in await prompts.list("u1")] == ["Review {{code}} for {{who=me}}"]
        total = await home.conversations.stored("u1")
        assert await home.conversations.recount("u1") == (total, total)
        assert b"Review" not in home.stored()
        with pytest.raises(NotFound):
            await prompts.change("u2", kept.prompt_id, name="x", text=None)
        with pytest.raises(NotFound):
            await prompts.delete("u2", kept.prompt_id)
        with pytest.raises(StorageFull):
            await library(home, quota=2_000).prompts.create("u1", name="Big", text="x" * 2_000)
        await prompts.delete("u1", kept.prompt_id)
        assert await home.conversations.recount("u1") == (0, 0)

    at_home(tmp_path, test)


def test_an_import_is_stored_as_it_was_and_bounded_by_the_quota(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        bringing = library(home).bringing
        long_ago = "2020-01-01T00:00:00+00:00"
        raw = {
            "title": "Old", "model": "gpt4", "created_at": long_ago, "updated_at": long_ago,
            "messages": [
                {"id": "1", "parent_id": None, "role": "user", "content": "Q"},
                {"id": "2", "parent_id": "1", "role": "assistant", "content": "A", "cost": 5},
                {"id": "3", "parent_id": "1", "role": "assistant", "content": "B"},
            ],
        }  # fmt: skip
        home.clock.advance(10 * 365 * 86_400)
        brought = await bringing.store("u1", *bringing.read([raw, {"messages": []}]))
        assert (brought.conversations, brought.messages, len(brought.skipped)) == (1, 3, 1)
        (head,) = (await home.conversations.list("u1")).conversations
        assert (head.title, head.model, head.messages, head.cost_nano) == ("Old", "gpt4", 3, 0)
        thread = await home.conversations.thread("u1", head.conversation_id)
        assert [m.content for m in thread] == ["Q", "B"]
        total = await home.conversations.stored("u1")
        assert await home.conversations.recount("u1") == (total, total)
        await home.conversations.append("u1", head.conversation_id, turn("more", "yes"))
        await home.conversations.set_retention("u2", 30)
        await bringing.store("u2", *bringing.read([raw]))
        assert await home.conversations.purge_expired() == 0
        small = library(home, quota=3_000).bringing
        with pytest.raises(StorageFull):
            await small.store("u3", *small.read([raw]))
        assert await home.conversations.stored("u3") == 0

    at_home(tmp_path, test)

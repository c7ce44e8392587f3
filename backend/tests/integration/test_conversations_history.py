"""Chat history on a real database: whose it is, in what order it comes back, and that its contents can't be read on disk."""

import asyncio
import base64
import logging
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.conversations import Agents, Conversations, Message, NewMessage, export
from agent_marketplace.conversations import agents as presets
from agent_marketplace.conversations import conversations as module
from agent_marketplace.conversations.branches import Room
from agent_marketplace.db.tables.conversations import messages
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import Keyring, Vault
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


def ask(text: str, **options: object) -> NewMessage:
    return NewMessage(role="user", content=text, agent_id="gpt4", **options)  # type: ignore[arg-type]


def answer(text: str, **options: object) -> NewMessage:
    return NewMessage(role="assistant", content=text, agent_id="gpt4", model="gpt4", **options)  # type: ignore[arg-type]


def texts(found: list[Message]) -> list[str]:
    return [message.content for message in found]


def test_a_turn_is_stored_and_comes_back_with_its_cost(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, (question, reply) = await chats.create(
            "u1",
            model="gpt4",
            messages=[ask("What is 2+2?\nBe brief", extra={"images": ["x"]}), answer("", status="running")],
        )
        assert (chat.title, chat.messages, chat.cost_nano) == ("What is 2+2?", 2, 0)
        assert (question.parent_id, reply.parent_id) == (None, question.message_id)
        home.clock.advance(2)
        done = await chats.finish(
            "u1",
            reply.message_id,
            content="4",
            status="ok",
            cost_nano=1500,
            usage={"output": 1},
            provider="openai",
            request_id="req_1",
            extra={"reasoning": "easy"},
        )
        assert (done.content, done.status, done.cost_nano, done.usage, done.model) == (
            "4",
            "ok",
            1500,
            {"output": 1},
            "gpt4",
        )
        await chats.finish("u1", reply.message_id, content="4!", status="ok", cost_nano=1500)
        stored = await chats.messages("u1", chat.conversation_id)
        assert texts(stored) == ["What is 2+2?\nBe brief", "4!"]
        assert stored[0].extra == {"images": ["x"]}
        assert stored[1].provider == "openai"
        again = await chats.get("u1", chat.conversation_id)
        assert (again.cost_nano, again.updated_at - again.created_at) == (1500, 2000)

    at_home(tmp_path, test)


def test_nobody_reaches_another_s_conversation_by_any_method(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, (question, _) = await chats.create("u1", model="gpt4", messages=[ask("mine"), answer("yours")])
        other, _ = await chats.create("u2", model="gpt4", messages=[ask("theirs")])
        cid, mid = chat.conversation_id, question.message_id
        for attempt in (
            chats.get("u2", cid),
            chats.messages("u2", cid),
            chats.thread("u2", cid),
            chats.rename("u2", cid, "x"),
            chats.pin("u2", cid, True),
            chats.delete("u2", cid),
            chats.append("u2", cid, [ask("x")]),
            chats.finish("u2", mid, content="x", status="ok"),
            chats.append("u2", other.conversation_id, [ask("x", parent_id=mid)]),
            chats.append("u1", cid, [ask("x", parent_id="msg_nonsense")]),
            chats.thread("u1", cid, "msg_nonsense"),
        ):
            with pytest.raises(NotFound):
                await attempt
        assert (await chats.history("u2", "gpt4")).messages[0].content == "theirs"
        assert [c.title for c in (await chats.list("u2")).conversations] == ["theirs"]
        assert (await chats.search("u2", "mine")).conversations == []
        assert await chats.purge(home.clock.now_ms() + 1, "u2") == 1
        assert texts(await chats.messages("u1", cid)) == ["mine", "yours"]

    at_home(tmp_path, test)


def test_a_parent_from_another_conversation_of_the_same_user_is_refused(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        one, _ = await home.conversations.create("u1", model="gpt4", messages=[ask("one")])
        _, (there,) = await home.conversations.create("u1", model="gpt4", messages=[ask("two")])
        with pytest.raises(NotFound):
            await home.conversations.append("u1", one.conversation_id, [ask("x", parent_id=there.message_id)])
        assert (await home.conversations.get("u1", one.conversation_id)).messages == 1

    at_home(tmp_path, test)


def test_an_edit_makes_a_branch_and_the_old_branch_stays(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, (_, a1) = await chats.create("u1", model="gpt4", messages=[ask("q1"), answer("a1")])
        q2, a2 = await chats.append("u1", chat.conversation_id, [ask("q2"), answer("a2")])
        edited, _ = await chats.append(
            "u1", chat.conversation_id, [ask("q2 edited", parent_id=a1.message_id), answer("a2 new")]
        )
        assert q2.parent_id == edited.parent_id == a1.message_id
        assert texts(await chats.thread("u1", chat.conversation_id)) == ["q1", "a1", "q2 edited", "a2 new"]
        assert texts(await chats.thread("u1", chat.conversation_id, a2.message_id)) == [
            "q1",
            "a1",
            "q2",
            "a2",
        ]
        (root,) = await chats.append("u1", chat.conversation_id, [ask("q1 edited", parent_id="")])
        assert root.parent_id is None
        assert texts(await chats.thread("u1", chat.conversation_id)) == ["q1 edited"]
        assert len(await chats.messages("u1", chat.conversation_id)) == 7

    at_home(tmp_path, test)


def test_parallel_messages_all_get_a_place_of_their_own(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chat, _ = await home.conversations.create("u1", model="gpt4")
        await asyncio.gather(
            *(home.conversations.append("u1", chat.conversation_id, [ask(str(i))]) for i in range(20))
        )
        stored = await home.conversations.messages("u1", chat.conversation_id)
        assert [m.seq for m in stored] == list(range(1, 21))
        assert len(await home.conversations.thread("u1", chat.conversation_id)) == 20

    at_home(tmp_path, test)


def test_history_pages_give_every_message_once_newest_first_by_agent_or_model(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        for i in range(5):
            await chats.create("u1", model="gpt4", messages=[ask(f"q{i}"), answer(f"a{i}")])
            home.clock.advance(i % 2)
        fallen_back = NewMessage(role="assistant", content="fallback", agent_id="gpt4", model="llama2-7b")
        await chats.create(
            "u1",
            model="gpt4",
            agent_id="agt_1",
            messages=[fallen_back, NewMessage(role="user", content="agent", agent_id="agt_1")],
        )
        seen, cursor = [], None
        while True:
            page = await chats.history("u1", "gpt4", cursor=cursor, limit=3)
            seen += page.messages
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == len({m.message_id for m in seen}) == 11
        assert [m.created_at for m in seen] == sorted((m.created_at for m in seen), reverse=True)
        assert seen.index(next(m for m in seen if m.content == "a3")) < seen.index(
            next(m for m in seen if m.content == "q3")
        )
        assert texts((await chats.history("u1", "llama2-7b")).messages) == ["fallback"]
        assert texts((await chats.history("u1", "agt_1")).messages) == ["agent"]
        for bad in (
            "x",
            "!!!",
            "W10",
            "WzEsMiwzXQ",
            "[]",
            base64.urlsafe_b64encode(b'[99999999999999999999,"a",1]').decode(),
        ):
            with pytest.raises(BadRequest):
                await chats.history("u1", "gpt4", cursor=bad)
        for limit in (0, -1, 201):
            with pytest.raises(BadRequest):
                await chats.history("u1", "gpt4", limit=limit)

    at_home(tmp_path, test)


def test_lists_begin_with_the_pinned_and_give_every_conversation_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats, ids = home.conversations, []
        for i in range(9):
            chat, _ = await chats.create("u1", model="gpt4", title=f"chat {i}")
            ids.append(chat.conversation_id)
            home.clock.advance(0.001)
        await chats.pin("u1", ids[2], True)
        await chats.rename("u1", ids[0], "  renamed \n chat ")
        first = await chats.list("u1", limit=3)
        assert [c.title for c in first.conversations] == ["chat 2", "chat 8", "chat 7", "chat 6"]
        seen, cursor = [c.title for c in first.conversations], first.next_cursor
        while cursor:
            page = await chats.list("u1", cursor=cursor, limit=3)
            seen += [c.title for c in page.conversations]
            cursor = page.next_cursor
        assert len(seen) == len(set(seen)) == 9
        assert seen[-1] == "renamed chat"
        with pytest.raises(BadRequest):
            await chats.rename("u1", ids[0], "  ")
        await chats.delete("u1", ids[0])
        with pytest.raises(NotFound):
            await chats.delete("u1", ids[0])

    at_home(tmp_path, test)


def test_search_finds_words_in_titles_and_messages_and_goes_on_where_its_bound_stopped_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        for i in range(12):
            await chats.create(
                "u1",
                model="gpt4",
                title=f"Chat {i}",
                messages=[ask(f"Straße number {i}"), answer("needle" if i % 3 == 0 else "hay")],
            )
            home.clock.advance(1)
        found = (await chats.search("u1", "STRASSE needle")).conversations
        assert [c.title for c in found] == ["Chat 9", "Chat 6", "Chat 3", "Chat 0"]
        assert [c.title for c in (await chats.search("u1", "chat 7")).conversations] == ["Chat 7"]
        assert (await chats.search("u1", "needle%_")).conversations == []
        monkeypatch.setattr(module, "SEARCHED_MESSAGES", 6)
        titles, cursor, calls = [], None, 0
        while True:
            page = await chats.search("u1", "needle", cursor=cursor, limit=2)
            titles += [c.title for c in page.conversations]
            cursor, calls = page.next_cursor, calls + 1
            if cursor is None:
                break
        assert titles == ["Chat 9", "Chat 6", "Chat 3", "Chat 0"]
        assert calls >= 4
        assert not (await chats.search("u1", "absent")).complete

    at_home(tmp_path, test)


def test_contents_titles_instructions_and_parameters_are_nowhere_readable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(home: Home) -> None:
        chat, _ = await home.conversations.create(
            "u1",
            model="gpt4",
            messages=[ask("canary question", extra={"x": "canary image"}), answer("canary answer")],
        )
        await home.conversations.rename("u1", chat.conversation_id, "canary title")
        await home.agents.create(
            "u1", name="Helper", model="auto", instructions="canary instructions",
            parameters={"stop": ["canary parameter"]},
        )  # fmt: skip
        assert b"canary" not in home.stored()
        assert "canary" not in caplog.text

    at_home(tmp_path, test)


def test_a_message_moved_to_another_place_or_under_a_lost_key_shows_as_unreadable_and_breaks_nothing_else(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, (question, _) = await chats.create(
            "u1", model="gpt4", messages=[ask("question"), answer("answer")]
        )

        def swap(connection: sa.Connection) -> None:
            stolen = (
                sa.select(messages.c.content_sealed).where(messages.c.role == "assistant").scalar_subquery()
            )
            connection.execute(
                sa.update(messages)
                .where(messages.c.message_id == question.message_id)
                .values(content_sealed=stolen)
            )

        await home.db.write(swap)
        stored = await chats.messages("u1", chat.conversation_id)
        assert [(m.content, m.readable) for m in stored] == [("", False), ("answer", True)]
        new_key = Keyring([base64.urlsafe_b64encode(os.urandom(32)).decode()])
        later = Conversations(home.db, Vault(home.db, new_key, home.clock), home.clock)
        await later.append("u1", chat.conversation_id, [ask("after the loss")])
        assert [m.readable for m in await later.messages("u1", chat.conversation_id)] == [False, False, True]
        assert "can't be decrypted" in (await later.get("u1", chat.conversation_id)).title
        assert (await later.search("u1", "after loss")).conversations[
            0
        ].conversation_id == chat.conversation_id
        text = export(
            await later.get("u1", chat.conversation_id),
            await later.messages("u1", chat.conversation_id),
            "markdown",
        )
        assert b"after the loss" in text

    at_home(tmp_path, test)


def test_retention_deletes_what_is_old_and_not_pinned_for_those_who_asked(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        for user in ("u1", "u2"):
            await chats.create(user, model="gpt4", title="old", messages=[ask("x")])
            kept, _ = await chats.create(user, model="gpt4", title="kept")
            await chats.pin(user, kept.conversation_id, True)
        await chats.set_retention("u1", 30)
        assert (await chats.retention("u1"), await chats.retention("u2")) == (30, None)
        assert await chats.purge_expired() == 0
        home.clock.advance(30 * 86_400 + 1)
        await chats.create("u1", model="gpt4", title="new")
        assert await chats.purge_expired() == 1
        assert [c.title for c in (await chats.list("u1")).conversations] == ["kept", "new"]
        assert len((await chats.list("u2")).conversations) == 2
        assert await chats.purge(home.clock.now_ms() + 1) == 2
        for days in (0, -1, 3651):
            with pytest.raises(BadRequest):
                await chats.set_retention("u1", days)
        await chats.set_retention("u1", None)
        assert await chats.retention("u1") is None
        left = sa.select(sa.func.count()).select_from(messages)
        assert await home.db.read(lambda c: c.execute(left).scalar_one()) == 0

    at_home(tmp_path, test)


def test_exports_are_complete_and_exact(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, _ = await chats.create(
            "u1", model="gpt4", messages=[ask("q"), answer("**a**", cost_nano=1, usage={"output": 3})]
        )
        tree = await chats.messages("u1", chat.conversation_id)
        head = await chats.get("u1", chat.conversation_id)
        data = json.decode(export(head, tree, "json"))
        assert [m["content"] for m in data["messages"]] == ["q", "**a**"]
        assert b'"cost":1E-9' in export(head, tree, "json") or b'"cost":0.000000001' in export(
            head, tree, "json"
        )
        text = export(head, tree, "markdown").decode()
        assert text.startswith("# q\n")
        assert "## You\n\nq\n\n## Assistant (gpt4)\n\n**a**" in text
        with pytest.raises(BadRequest):
            export(head, tree, "pdf")

    at_home(tmp_path, test)


def test_an_erased_user_leaves_no_row_here(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        await home.conversations.create("u1", model="gpt4", messages=[ask("x")])
        await home.agents.create("u1", name="a", model="auto")
        await home.favourites.add("u1", "gpt4")
        await home.conversations.set_retention("u1", 3)
        await home.db.write(lambda c: home.conversations.erase_user_in(c, "u1"))

        def left(connection: sa.Connection) -> int:
            tables = (
                "conversations",
                "messages",
                "agents",
                "agent_versions",
                "favourites",
                "conversation_settings",
            )
            return sum(connection.execute(sa.text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables)

        assert await home.db.read(left) == 0

    at_home(tmp_path, test)


def test_agents_and_favourites_are_bounded_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "MAX_AGENTS", 1)
    monkeypatch.setattr(presets, "MAX_FAVOURITES", 1)

    async def test(home: Home) -> None:
        await home.agents.create("u1", name="a", model="auto")
        await home.favourites.add("u1", "gpt4")
        for attempt in (
            home.agents.create("u1", name="b", model="auto"),
            home.favourites.add("u1", "llama2-7b"),
        ):
            with pytest.raises(BadRequest):
                await attempt
        await home.agents.create("u2", name="a", model="auto")

    at_home(tmp_path, test)


def test_an_agent_whose_instructions_are_lost_is_still_listed_and_can_be_given_new_ones(
    tmp_path: Path,
) -> None:
    async def test(home: Home) -> None:
        made = await home.agents.create("u1", name="a", model="auto", instructions="lost")
        new_key = Keyring([base64.urlsafe_b64encode(os.urandom(32)).decode()])
        later = Agents(home.db, Vault(home.db, new_key, home.clock), home.clock, lambda _: True)
        assert [(a.name, a.instructions) for a in await later.list("u1")] == [("a", "")]
        assert (await later.update("u1", made.agent_id, instructions="again")).instructions == "again"

    at_home(tmp_path, test)


def test_no_pinned_conversation_is_left_out_of_a_short_page_and_pins_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PINNED", 4)

    async def test(home: Home) -> None:
        made = [(await home.conversations.create("u1", model="gpt4"))[0].conversation_id for _ in range(6)]
        for conversation_id in made[:4]:
            await home.conversations.pin("u1", conversation_id, True)
        with pytest.raises(BadRequest):
            await home.conversations.pin("u1", made[4], True)
        first = await home.conversations.list("u1", limit=1)
        assert [c.pinned for c in first.conversations] == [True] * 4 + [False]
        second = await home.conversations.list("u1", limit=1, cursor=first.next_cursor)
        assert {c.conversation_id for c in (*first.conversations, *second.conversations)} == set(made)
        assert second.next_cursor is None
        await home.conversations.pin("u1", made[0], False)
        await home.conversations.pin("u1", made[4], True)

    at_home(tmp_path, test)


def test_a_long_conversation_comes_in_pages_and_all_of_it_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats = home.conversations
        chat, stored = await chats.create("u1", model="gpt4", messages=[ask(f"m{n}") for n in range(7)])
        cid, found = chat.conversation_id, list[Message]()
        sizes, before = [], None
        while True:
            page, before = await chats.page("u1", cid, before, 3)
            sizes.append(len(page))
            found = page + found
            if before is None:
                break
        assert sizes == [3, 3, 1]
        assert found == stored == await chats.messages("u1", cid)
        assert await chats.page("u1", cid, None, 7) == (stored, None)
        with pytest.raises(NotFound):
            await chats.page("u2", cid, None, 3)

    at_home(tmp_path, test)


def test_a_history_that_no_model_reads_is_refused_without_opening_all_of_it(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        chats, counted = home.conversations, list[str]()

        def count(text: str) -> int:
            counted.append(text)
            return len(text)

        said = [ask(f"{n:04}" + "x" * 16) for n in range(1_200)]
        chat, stored = await chats.create("u1", model="gpt4", messages=said)
        cid = chat.conversation_id
        with pytest.raises(BadRequest) as refused:
            await chats.thread("u1", cid, room=Room(9_000, count))
        assert refused.value.code == "context_length_exceeded"
        assert [text[:4] for text in counted] == ["0700"]  # the newest five hundred were enough
        counted.clear()
        assert await chats.thread("u1", cid, room=Room(30_000, count)) == stored
        assert len(counted) == 3  # they look long, and are not
        counted.clear()
        assert await chats.thread("u1", cid, stored[3].message_id, room=Room(9_000, count)) == stored[:4]
        assert counted == []

    at_home(tmp_path, test)

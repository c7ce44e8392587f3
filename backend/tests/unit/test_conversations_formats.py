"""Exports of other programs: branches, the branch in sight and times survive; nothing odd in a file is fatal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.conversations.library.formats import (
    MAX_CHARACTERS,
    Unreadable,
    conversations_in,
    read,
)

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def node(
    parent: str | None, role: str | None = None, parts: list[Any] | None = None, **more: Any
) -> dict[str, Any]:
    message = None
    if role is not None:
        content = {"content_type": more.pop("kind", "text"), "parts": parts}
        message = {"author": {"role": role}, "content": content, "create_time": 1_700_000_000.5, **more}
    return {"parent": parent, "message": message}


CHATGPT = {
    "title": "  Two\nanswers ",
    "create_time": 1_700_000_000.0,
    "current_node": "c1",
    "mapping": {
        "c1": node("b", "assistant", ["First"], metadata={"model_slug": "gpt-4o"}),
        "c2": node("b", "assistant", ["Second"]),
        "root": node(None),
        "s": node("root", "system", ["Obey me"]),
        "b": node("s", "user", ["Hi", {"asset_pointer": "file-service://x"}], kind="multimodal_text"),
        "t": node("c1", "tool", ["secret tool output"]),
        "code": node("c1", "assistant", ["x"], recipient="python"),
    },
}


def said(raw: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    return [(m.parent, m.role, m.content) for m in read(raw).messages]


def test_chatgpts_branch_in_sight_comes_last_and_its_tools_stay_behind() -> None:
    found = read(CHATGPT)
    assert said(CHATGPT) == [
        (None, "user", "Hi\n\n*(1 file not in the export)*"),
        (0, "assistant", "Second"),
        (0, "assistant", "First"),
    ]
    assert (found.title, found.model, found.created_at) == ("Two answers", "gpt-4o", 1_700_000_000_000)


def test_open_webuis_tree_folders_of_pictures_and_seconds_are_read() -> None:
    messages = {
        "a": {"parentId": None, "role": "user", "content": "Look", "timestamp": 1_700_000_000,
              "files": [{"type": "image", "url": PIXEL}, {"type": "image", "url": "https://evil.invalid/x.png"}]},
        "b": {"parentId": "a", "role": "assistant", "content": "Seen", "model": "llama3"},
    }  # fmt: skip
    raw = {
        "title": "Pictures",
        "chat": {"models": ["llama3"], "history": {"messages": messages, "currentId": "b"}, "tags": ["art"]},
    }
    found = read(raw)
    assert [m.images for m in found.messages] == [[PIXEL], []]
    assert (found.title, found.tags, found.messages[0].at) == ("Pictures", ["art"], 1_700_000_000_000)


def test_our_own_export_comes_back_with_its_branches() -> None:
    raw = {
        "title": "Mine", "model": "gpt4", "folder": "Work", "created_at": "2026-01-02T03:04:05.000+00:00",
        "messages": [
            {"id": "1", "parent_id": None, "role": "user", "content": "Q"},
            {"id": "2", "parent_id": "1", "role": "assistant", "content": "A"},
            {"id": "3", "parent_id": "1", "role": "assistant", "content": "B"},
        ],
    }  # fmt: skip
    assert said(raw) == [(None, "user", "Q"), (0, "assistant", "A"), (0, "assistant", "B")]
    assert (read(raw).folder, read(raw).created_at) == ("Work", 1_767_323_045_000)


@pytest.mark.parametrize("value", [None, 7, "x", {}, [1, {"mapping": []}], {"conversations": 3}])
def test_what_is_no_export_is_none(value: Any) -> None:
    assert conversations_in(value) == []


def test_a_message_too_long_leaves_its_chat_out_in_words() -> None:
    with pytest.raises(Unreadable, match="over 1,000,000 characters"):
        read({"messages": [{"role": "user", "content": "x" * (MAX_CHARACTERS + 1)}]})


def test_a_circle_of_parents_ends() -> None:
    circle = {"mapping": {"a": node("b", "user", ["x"]), "b": node("a", "user", ["y"])}, "current_node": "a"}
    with pytest.raises(Unreadable):
        read(circle)


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(
    ["mapping", "messages", "chat", "history", "message", "author", "role", "content", "parts", "parent", "id",
     "content_type", "create_time", "title", "files", "extra", "images", "tags", "currentId", "metadata"]
)  # fmt: skip
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@given(JSON)
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(value: Any) -> None:
    for raw in conversations_in(value):
        try:
            found = read(raw)
        except Unreadable:
            continue
        assert found.messages
        assert all(m.parent is None or m.parent < place for place, m in enumerate(found.messages))

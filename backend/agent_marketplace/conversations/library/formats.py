"""PURE: conversations as other programs write them, read into one shape. Nothing in a file is trusted, and nothing in it is fatal.

Known are our own export, ChatGPT's `conversations.json` (a `mapping` of nodes) and Open WebUI's export (`chat.history.messages`).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

MAX_CONVERSATIONS = 200  # in one call
MAX_MESSAGES = 5_000  # in one conversation
MAX_CHARACTERS = 1_000_000  # of one message
_MAX_IMAGES = 4
_MAX_IMAGE_CHARACTERS = 6_000_000
_IMAGE = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,([A-Za-z0-9+/]+={0,2})")
_EARLIEST_MS = 946_684_800_000  # 2000-01-01: a time before it is none
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class BroughtMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. parent: the place of its parent in the list, always before its own; None: a root. at: ms, None = unknown."""

    parent: int | None
    role: Literal["user", "assistant"]
    content: str
    model: str = ""
    images: list[str] = []
    at: int | None = None


class BroughtChat(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation, the branch that was in sight last: its newest message is the last one."""

    title: str
    model: str
    created_at: int | None
    updated_at: int | None
    messages: list[BroughtMessage]
    folder: str = ""
    tags: list[str] = []


class Unreadable(Exception):
    """Why one conversation was left out, in words."""


class _Node(msgspec.Struct, kw_only=True):
    name: str
    parent: str | None
    message: BroughtMessage | None  # None: only a place in the tree


def conversations_in(value: Any) -> list[Any]:
    """The conversations of a file, each still as it stands there. Empty: this is no export that we know."""
    if isinstance(value, dict):
        inner = value.get("conversations")
        found = inner if isinstance(inner, list) else [value]
    else:
        found = value if isinstance(value, list) else []
    return [each for each in found if isinstance(each, dict) and _form(each) is not None]


def title_in(raw: Mapping[str, Any]) -> str:
    """What to call a conversation that could not be read."""
    title = raw.get("title")
    return _line(title) if isinstance(title, str) else ""


def read(raw: Mapping[str, Any]) -> BroughtChat:
    """One of `conversations_in`. Raises Unreadable."""
    form = _form(raw)
    if form == "chatgpt":
        nodes, last = _chatgpt(raw["mapping"]), _text(raw.get("current_node"))
        inner: Mapping[str, Any] = raw
    elif form == "open_webui":
        inner = {**raw, **raw["chat"]}
        nodes, last = _open_webui(raw["chat"])
    else:
        inner = raw
        nodes, last = _ours(raw["messages"]), ""
    messages = _in_order(nodes, last)
    if not messages:
        raise Unreadable("it has no messages that can be read")
    created, updated = (
        _ms(_first(inner, "created_at", "create_time")),
        _ms(_first(inner, "updated_at", "update_time")),
    )
    times = [m.at for m in messages if m.at is not None]
    return BroughtChat(
        title=title_in(inner) or _line(next((m.content for m in messages if m.role == "user"), "")),
        model=_model(inner.get("model")) or next((m.model for m in reversed(messages) if m.model), ""),
        created_at=created or (min(times) if times else None),
        updated_at=updated or (max(times) if times else None),
        messages=messages,
        folder=_line(inner["folder"])[:60] if isinstance(inner.get("folder"), str) else "",
        tags=_tags(inner.get("tags")),
    )


def _form(raw: Mapping[str, Any]) -> str | None:
    if isinstance(raw.get("mapping"), dict):
        return "chatgpt"
    chat = raw.get("chat")
    if isinstance(chat, dict) and (
        isinstance(chat.get("history"), dict) or isinstance(chat.get("messages"), list)
    ):
        return "open_webui"
    return "ours" if isinstance(raw.get("messages"), list) else None


def _ours(found: Sequence[Any]) -> list[_Node]:
    nodes: list[_Node] = []
    for place, raw in enumerate(found):
        if not isinstance(raw, dict):
            continue
        name = _text(raw.get("id")) or f"#{place}"
        before = nodes[-1].name if nodes else None
        parent = _text(raw.get("parent_id")) or None if "parent_id" in raw else before
        extra = raw.get("extra")
        images = extra.get("images") if isinstance(extra, dict) else None
        message = _message(
            raw.get("role"),
            raw.get("content"),
            model=raw.get("model"),
            images=images,
            at=raw.get("timestamp"),
        )
        nodes.append(_Node(name=name, parent=parent, message=message))
    return nodes


def _chatgpt(mapping: Mapping[str, Any]) -> list[_Node]:
    nodes = []
    for name, raw in mapping.items():
        if not isinstance(raw, dict):
            continue
        message = raw.get("message")
        nodes.append(
            _Node(
                name=name,
                parent=_text(raw.get("parent")) or None,
                message=_chatgpt_message(message) if isinstance(message, dict) else None,
            )
        )
    return nodes


def _chatgpt_message(raw: Mapping[str, Any]) -> BroughtMessage | None:
    author, content, about = raw.get("author"), raw.get("content"), raw.get("metadata")
    about = about if isinstance(about, dict) else {}
    if (
        not isinstance(author, dict)
        or not isinstance(content, dict)
        or about.get("is_visually_hidden_from_conversation")
    ):
        return None
    if content.get("content_type") not in ("text", "multimodal_text") or raw.get("recipient") not in (
        None,
        "all",
    ):
        return None  # calls of tools and what they gave, thinking, notes to itself
    parts = content.get("parts")
    words = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    left = len(parts) - len(words) if isinstance(parts, list) else 0
    if left:
        words.append(f"*({left} {'file' if left == 1 else 'files'} not in the export)*")
    return _message(
        author.get("role"),
        "\n\n".join(filter(None, words)),
        model=about.get("model_slug"),
        at=raw.get("create_time"),
    )


def _open_webui(chat: Mapping[str, Any]) -> tuple[list[_Node], str]:
    history = chat.get("history")
    kept = history.get("messages") if isinstance(history, dict) else None
    nodes: list[_Node] = []
    if isinstance(history, dict) and isinstance(kept, dict) and kept:
        for name, raw in kept.items():
            if isinstance(raw, dict):
                parent = _text(raw.get("parentId")) or None
                nodes.append(_Node(name=name, parent=parent, message=_open_webui_message(raw)))
        return nodes, _text(history.get("currentId"))
    listed = chat.get("messages")
    for place, raw in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(raw, dict):
            before = nodes[-1].name if nodes else None
            nodes.append(_Node(name=f"#{place}", parent=before, message=_open_webui_message(raw)))
    return nodes, ""


def _open_webui_message(raw: Mapping[str, Any]) -> BroughtMessage | None:
    files = raw.get("files")
    pictures = [
        file["url"]
        for file in (files if isinstance(files, list) else ())
        if isinstance(file, dict) and file.get("type") == "image" and isinstance(file.get("url"), str)
    ]
    return _message(
        raw.get("role"), raw.get("content"), model=raw.get("model"), images=pictures, at=raw.get("timestamp")
    )


def _message(
    role: Any, content: Any, *, model: Any = None, images: Any = None, at: Any = None
) -> BroughtMessage | None:
    if role not in ("user", "assistant") or not isinstance(content, str):
        return None  # instructions and tools stay behind: a file must not tell later answers what to do
    if len(content) > MAX_CHARACTERS:
        raise Unreadable(f"one of its messages is over {MAX_CHARACTERS:,} characters")
    text, pictures = _CONTROL.sub("", content), _pictures(images)
    if not text.strip() and not pictures:
        return None
    return BroughtMessage(
        parent=None,
        role=role,
        content=text,
        model=_model(model),
        images=pictures if role == "user" else [],
        at=_ms(at),
    )


def _in_order(nodes: Sequence[_Node], last: str) -> list[BroughtMessage]:
    """Parents before their children, and the branch that ends in `last` after every other one. Circles lead nowhere."""
    by_name = {node.name: node for node in nodes}
    children: dict[str | None, list[_Node]] = {}
    for node in nodes:
        children.setdefault(node.parent if node.parent in by_name else None, []).append(node)
    shown = _way_up(by_name, last)
    messages: list[BroughtMessage] = []
    waiting: list[tuple[_Node, int | None]] = [
        (node, None) for node in _last_shown(children.get(None, ()), shown)
    ]
    while waiting:
        node, parent = waiting.pop()
        place = parent
        if node.message is not None:
            place = len(messages)
            messages.append(msgspec.structs.replace(node.message, parent=parent))
            if place >= MAX_MESSAGES:
                raise Unreadable(f"it has more than {MAX_MESSAGES:,} messages")
        waiting += [(child, place) for child in _last_shown(children.get(node.name, ()), shown)]
    return messages


def _last_shown(nodes: Sequence[_Node], shown: frozenset[str]) -> list[_Node]:
    """For a stack: what is in sight lies lowest, so that it comes last."""
    hidden = [node for node in nodes if node.name not in shown]
    return [*(node for node in nodes if node.name in shown), *reversed(hidden)]


def _way_up(by_name: Mapping[str, _Node], last: str) -> frozenset[str]:
    found: set[str] = set()
    at: str | None = last
    while at is not None and at in by_name and at not in found:
        found.add(at)
        at = by_name[at].parent
    return frozenset(found)


def _pictures(images: Any) -> list[str]:
    found: list[str] = []
    for image in images if isinstance(images, list) else ():
        match = (
            _IMAGE.fullmatch(image)
            if isinstance(image, str) and len(image) <= _MAX_IMAGE_CHARACTERS
            else None
        )
        if match is None or len(found) == _MAX_IMAGES:
            continue
        try:
            base64.b64decode(match[1], validate=True)
        except binascii.Error:
            continue
        found.append(image)
    return found


def _tags(value: Any) -> list[str]:
    names = [_line(tag)[:60] for tag in value if isinstance(tag, str)] if isinstance(value, list) else []
    return list(dict.fromkeys(filter(None, names)))[:10]


def _model(value: Any) -> str:
    return _line(value)[:200] if isinstance(value, str) else ""


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:200]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _first(raw: Mapping[str, Any], *names: str) -> Any:
    return next((raw[name] for name in names if raw.get(name) is not None), None)


def _ms(value: Any) -> int | None:
    """A moment in ms, from seconds, ms, ns or ISO 8601; None for what is none."""
    if isinstance(value, str):
        try:
            found = msgspec.convert(value, datetime).timestamp() * 1000
        except (msgspec.ValidationError, OverflowError, ValueError):
            return None
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e20:
        found = float(value)
        while found > 1e13:
            found /= 1000
        found = found * 1000 if found < 1e11 else found
    else:
        return None
    return int(found) if found >= _EARLIEST_MS else None

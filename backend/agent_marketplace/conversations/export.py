"""A conversation as a file: Markdown for people, JSON for programs."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from agent_marketplace import json
from agent_marketplace.conversations.branches import branch
from agent_marketplace.conversations.conversations import Conversations
from agent_marketplace.conversations.types import Conversation, Message
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger.money import dollars

PIECE = 256 * 1024  # bytes handed to the connection at once
_SPEAKERS = {"user": "You", "assistant": "Assistant", "system": "System", "tool": "Tool"}


def export(conversation: Conversation, messages: Sequence[Message], form: str) -> bytes:
    """UTF-8. Markdown has the newest branch, JSON the whole tree. Raises BadRequest (unknown format)."""
    if form == "json":
        return json.encode(as_data(conversation, messages))
    if form == "markdown":
        return _markdown(conversation, messages).encode("utf-8", "replace")
    raise BadRequest("format must be markdown or json")


async def everything(conversations: Conversations, user_id: str) -> AsyncIterator[bytes]:
    """All conversations of a user as one JSON array, in pieces: never more of them in memory than one page of messages."""
    mark = b"["
    async for head in conversations.each(user_id):
        yield mark + json.encode(_head(head))[:-1] + b',"messages":'
        async for piece in array(conversations.each_message(user_id, head.conversation_id, _encoded)):
            yield piece
        yield b"}"
        mark = b","
    yield b"[]" if mark == b"[" else b"]"


async def array(elements: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A JSON array of encoded elements, in pieces."""
    mark = b"["
    async for element in elements:
        yield mark
        for start in range(0, len(element), PIECE):
            yield element[start : start + PIECE]
        mark = b","
    yield b"[]" if mark == b"[" else b"]"


def as_data(conversation: Conversation, messages: Sequence[Message]) -> dict[str, Any]:
    """Ready for JSON; money in dollars, exact."""
    return {**_head(conversation), "messages": [_message(m) for m in messages]}


def _head(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.conversation_id,
        "title": conversation.title,
        "model": conversation.model,
        "agent_id": conversation.agent_id,
        "folder": conversation.folder,
        "tags": conversation.tags,
        "created_at": _time(conversation.created_at),
        "updated_at": _time(conversation.updated_at),
        "cost": dollars(conversation.cost_nano),
    }


def _message(m: Message) -> dict[str, Any]:
    return {
        "id": m.message_id,
        "parent_id": m.parent_id,
        "role": m.role,
        "content": m.content,
        "model": m.model,
        "provider": m.provider,
        "cost": dollars(m.cost_nano),
        "usage": m.usage,
        "status": m.status,
        "timestamp": _time(m.created_at),
        **({"extra": m.extra} if m.extra else {}),
    }


def _encoded(message: Message) -> bytes:
    return json.encode(_message(message))


def _markdown(conversation: Conversation, messages: Sequence[Message]) -> str:
    parts = [f"# {conversation.title}", f"{_time(conversation.created_at)} · {conversation.model}"]
    for message in branch(messages, None):
        name = _SPEAKERS[message.role]
        answered_by = f" ({message.model})" if message.role == "assistant" and message.model else ""
        parts += [
            f"## {name}{answered_by}",
            message.content if message.readable else "*(can't be decrypted)*",
        ]
    return "\n\n".join(parts) + "\n"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")

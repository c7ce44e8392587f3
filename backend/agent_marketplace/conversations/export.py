"""A conversation as a file: Markdown for people, JSON for programs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from agent_marketplace import json
from agent_marketplace.conversations.conversations import Conversations, branch
from agent_marketplace.conversations.types import Conversation, Message
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger.money import dollars

_SPEAKERS = {"user": "You", "assistant": "Assistant", "system": "System", "tool": "Tool"}


def export(conversation: Conversation, messages: Sequence[Message], form: str) -> bytes:
    """UTF-8. Markdown has the newest branch, JSON the whole tree. Raises BadRequest (unknown format)."""
    if form == "json":
        return json.encode(as_data(conversation, messages))
    if form == "markdown":
        return _markdown(conversation, messages).encode("utf-8", "replace")
    raise BadRequest("format must be markdown or json")


async def everything(conversations: Conversations, user_id: str) -> list[dict[str, Any]]:
    """All conversations of a user, for the export of an account."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await conversations.list(user_id, cursor=cursor, limit=200)
        found += [
            as_data(head, await conversations.messages(user_id, head.conversation_id))
            for head in page.conversations
        ]
        cursor = page.next_cursor
        if cursor is None:
            return found


def as_data(conversation: Conversation, messages: Sequence[Message]) -> dict[str, Any]:
    """Ready for JSON; money in dollars, exact."""
    return {
        "id": conversation.conversation_id,
        "title": conversation.title,
        "model": conversation.model,
        "agent_id": conversation.agent_id,
        "created_at": _time(conversation.created_at),
        "updated_at": _time(conversation.updated_at),
        "cost": dollars(conversation.cost_nano),
        "messages": [
            {
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
            for m in messages
        ],
    }


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

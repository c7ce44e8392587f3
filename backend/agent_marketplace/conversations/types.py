"""What goes into and comes out of conversations. Money in nano-dollars, times in ms since the epoch."""

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
# running: an answer is on its way; partial: it ended early and what came is kept.
Status = Literal["ok", "running", "partial", "failed"]


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be stored. agent_id: what was asked for (an agent or model id); model, provider: what answered.

    extra: what belongs to the content and is sealed with it: images, reasoning, tool calls, fallback.
    """

    role: Role
    content: str
    parent_id: str | None = None
    agent_id: str = ""
    model: str = ""
    provider: str = ""
    cost_nano: int = 0
    usage: dict[str, Any] | None = None
    request_id: str | None = None
    status: Status = "ok"
    extra: dict[str, Any] = {}


class Message(NewMessage, frozen=True, kw_only=True):
    """A stored message. readable False: its key is gone, content is empty."""

    message_id: str
    conversation_id: str
    created_at: int
    seq: int
    readable: bool = True


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation's head. messages: how many; cost_nano: of all its answers; folder "": in none."""

    conversation_id: str
    title: str
    model: str
    agent_id: str | None
    pinned: bool
    messages: int
    cost_nano: int
    created_at: int
    updated_at: int
    folder: str = ""
    tags: list[str] = []


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user put a conversation. folder "": in none."""

    folder: str = ""
    tags: list[str] = []


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. next_cursor None: the end. complete False: a search stopped at its bound; go on with the cursor."""

    conversations: list[Conversation]
    next_cursor: str | None
    complete: bool = True


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. next_cursor None: the end."""

    messages: list[Message]
    next_cursor: str | None


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A named preset. model: a model id or `auto`; parameters: of the completion. Each change makes a new version."""

    agent_id: str
    version: int
    name: str
    model: str
    instructions: str
    parameters: dict[str, Any]
    created_at: int
    updated_at: int

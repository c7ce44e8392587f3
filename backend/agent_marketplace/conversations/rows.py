"""Rows to values and back: what is sealed, under which context."""

import base64
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.conversations.types import Agent, Conversation, Labels, Message, NewMessage
from agent_marketplace.vault import CannotOpen, TextCipher

UNREADABLE_TITLE = "(can't be decrypted)"


def seal_content(cipher: TextCipher, message_id: str, content: str, extra: dict[str, Any]) -> bytes:
    """Content and what belongs to it, bound to the message."""
    return cipher.seal(message_id, json.encode({"content": content, "extra": extra}).decode())


def seal_title(cipher: TextCipher, conversation_id: str, title: str) -> bytes:
    return cipher.seal(f"{conversation_id} title", title)


def seal_labels(cipher: TextCipher, conversation_id: str, labels: Labels) -> bytes | None:
    if labels == Labels():
        return None
    return cipher.seal(f"{conversation_id} labels", json.encode(labels).decode())


def labels_of(cipher: TextCipher, conversation_id: str, sealed: bytes | None) -> Labels:
    """Where it lies; in no folder, where its key is gone."""
    if sealed is None:
        return Labels()
    try:
        return msgspec.convert(json.decode(cipher.open(f"{conversation_id} labels", sealed)), Labels)
    except CannotOpen:
        return Labels()


def seal_instructions(cipher: TextCipher, agent_id: str, version: int, text: str) -> bytes:
    return cipher.seal(f"{agent_id} {version}", text)


def seal_parameters(cipher: TextCipher, agent_id: str, version: int, text: str) -> str:
    """text: a JSON object. Base64, as the column holds text."""
    return base64.b64encode(cipher.seal(f"{agent_id} {version} parameters", text)).decode("ascii")


def message_values(
    cipher: TextCipher,
    user_id: str,
    conversation_id: str,
    message_id: str,
    message: NewMessage,
    parent: str | None,
    seq: int,
    now: int,
) -> dict[str, Any]:
    """The row of a new message."""
    return {
        "message_id": message_id,
        "conversation_id": conversation_id,
        "user_id": user_id,
        "parent_id": parent,
        "seq": seq,
        "role": message.role,
        "content_sealed": seal_content(cipher, message_id, message.content, message.extra),
        "agent_id": message.agent_id,
        "model": message.model,
        "provider": message.provider,
        "cost_nano": message.cost_nano,
        "usage": usage_text(message.usage),
        "request_id": message.request_id,
        "status": message.status,
        "created_at": now,
    }


def usage_text(usage: dict[str, Any] | None) -> str | None:
    return None if usage is None else json.encode(usage).decode()


def message_of(cipher: TextCipher, row: sa.Row[Any]) -> Message:
    """The stored message; one that doesn't open is shown as such and breaks nothing else."""
    try:
        sealed = json.decode(cipher.open(row.message_id, row.content_sealed))
        readable = True
    except CannotOpen:
        sealed, readable = {"content": "", "extra": {}}, False
    return Message(
        message_id=row.message_id,
        conversation_id=row.conversation_id,
        parent_id=row.parent_id,
        seq=row.seq,
        role=row.role,
        content=sealed["content"],
        extra=sealed["extra"],
        readable=readable,
        agent_id=row.agent_id,
        model=row.model,
        provider=row.provider,
        cost_nano=row.cost_nano,
        usage=None if row.usage is None else json.decode(row.usage),
        request_id=row.request_id,
        status=row.status,
        created_at=row.created_at,
    )


def content_of(cipher: TextCipher, message_id: str, sealed: bytes) -> str:
    """The text alone; "" where it doesn't open."""
    try:
        content: str = json.decode(cipher.open(message_id, sealed))["content"]
    except CannotOpen:
        return ""
    return content


def conversation_of(cipher: TextCipher, row: sa.Row[Any]) -> Conversation:
    try:
        title = cipher.open(f"{row.conversation_id} title", row.title_sealed)
    except CannotOpen:
        title = UNREADABLE_TITLE
    labels = labels_of(cipher, row.conversation_id, row.labels_sealed)
    return Conversation(
        conversation_id=row.conversation_id,
        title=title,
        model=row.model,
        agent_id=row.agent_id,
        pinned=row.pinned,
        messages=row.messages,
        cost_nano=row.cost_nano,
        created_at=row.created_at,
        updated_at=row.updated_at,
        folder=labels.folder,
        tags=labels.tags,
    )


def agent_of(cipher: TextCipher, row: sa.Row[Any]) -> Agent:
    try:
        instructions = cipher.open(f"{row.agent_id} {row.version}", row.instructions_sealed)
    except CannotOpen:
        instructions = ""
    return Agent(
        agent_id=row.agent_id,
        version=row.version,
        name=row.name,
        model=row.model,
        instructions=instructions,
        parameters=_parameters_of(cipher, row),
        created_at=row.began_at,
        updated_at=row.updated_at,
    )


def _parameters_of(cipher: TextCipher, row: sa.Row[Any]) -> dict[str, Any]:
    text = row.parameters
    try:
        if not text.startswith("{"):  # else written by an earlier version, and not sealed yet
            text = cipher.open(f"{row.agent_id} {row.version} parameters", base64.b64decode(text))
    except (CannotOpen, ValueError):  # its key is gone, or what stands there was damaged
        return {}
    found: dict[str, Any] = json.decode(text)
    return found

"""Chats brought along from another installation or program: stored as they were, at the times they had, at no cost."""

from functools import partial
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.conversations import rows, store
from agent_marketplace.conversations.library.formats import (
    MAX_CONVERSATIONS,
    BroughtChat,
    Unreadable,
    conversations_in,
    read,
    title_in,
)
from agent_marketplace.conversations.quota import within
from agent_marketplace.conversations.types import Labels, NewMessage
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest
from agent_marketplace.ids import new_id
from agent_marketplace.vault import TextCipher, Vault

_DAY_MS = 86_400_000


class Skipped(msgspec.Struct, frozen=True):
    """A conversation that was left out, and why, in words."""

    title: str
    why: str


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What an import came to. messages: of the conversations that were stored."""

    conversations: int
    messages: int
    skipped: list[Skipped]


class Named(Protocol):
    """A model, as far as its id goes."""

    @property
    def id(self) -> str: ...


class Catalogue(Protocol):
    """Whoever knows models by their names."""

    def resolve(self, name: str) -> Named | None: ...


class Bringing:
    """catalogue: says our id for a model's name. quota: bytes that a user may store; 0 = any."""

    def __init__(
        self, db: Database, vault: Vault, clock: Clock, catalogue: Catalogue, *, quota: int = 0
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._catalogue = catalogue
        self._quota = quota

    def read(self, value: Any) -> tuple[list[BroughtChat], list[Skipped]]:
        """The conversations of a decoded file. Raises BadRequest: no export that we know, or more than MAX_CONVERSATIONS."""
        found = conversations_in(value)
        if not found:
            raise BadRequest("This is no export of chats from here, from ChatGPT or from Open WebUI")
        if len(found) > MAX_CONVERSATIONS:
            raise BadRequest(
                f"At most {MAX_CONVERSATIONS} conversations a call: send the others in further calls"
            )
        chats, skipped = [], []
        for raw in found:
            try:
                chats.append(read(raw))
            except Unreadable as reason:
                skipped.append(Skipped(title=title_in(raw), why=str(reason)))
        return chats, skipped

    async def store(self, user_id: str, chats: list[BroughtChat], skipped: list[Skipped]) -> Brought:
        """Each in a transaction of its own: what was stored stays, when a later one goes beyond the quota. Raises StorageFull."""
        cipher = await self._vault.texts(user_id)
        days = await self._db.read(lambda c: store.retention(c, user_id))
        messages = 0
        for chat in chats:
            await self._db.write(partial(self._add, cipher=cipher, chat=chat, days=days))
            messages += len(chat.messages)
        return Brought(conversations=len(chats), messages=messages, skipped=skipped)

    def _add(
        self, connection: sa.Connection, cipher: TextCipher, chat: BroughtChat, days: int | None
    ) -> None:
        user_id, now, conversation_id = cipher.user_id, self._clock.now_ms(), new_id("conv")
        created = min(chat.created_at or now, now)
        changed = max(min(chat.updated_at or now, now), created)
        if days is not None and changed < now - days * _DAY_MS:
            changed = now  # else the next purge would take away what has just come
        known = self._catalogue.resolve(chat.model)
        model = "auto" if known is None else known.id
        before = store.stored(connection, user_id)
        labels = Labels(folder=chat.folder, tags=chat.tags)
        store.add_conversation(
            connection,
            {
                "conversation_id": conversation_id, "user_id": user_id, "agent_id": None, "pinned": False,
                "model": model, "messages": len(chat.messages), "cost_nano": 0,
                "title_sealed": rows.seal_title(cipher, conversation_id, chat.title or "New chat"),
                "labels_sealed": rows.seal_labels(cipher, conversation_id, labels),
                "created_at": created, "updated_at": changed,
            },
        )  # fmt: skip
        names = [new_id("msg") for _ in chat.messages]
        for place, message in enumerate(chat.messages):
            new = NewMessage(
                role=message.role,
                content=message.content,
                agent_id=message.model,
                model=message.model if message.role == "assistant" else "",
                extra={"images": message.images} if message.images else {},
            )
            parent = None if message.parent is None else names[message.parent]
            at = min(message.at or created, now)
            values = rows.message_values(
                cipher, user_id, conversation_id, names[place], new, parent, place + 1, at
            )
            store.add_message(connection, values)
        after = store.stored(connection, user_id)
        within(self._quota, after, after - before)

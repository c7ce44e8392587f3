"""Links by which others read one branch of a conversation, until its owner takes the link back."""

import hashlib
import re
import secrets
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.conversations import rows
from agent_marketplace.conversations import store as chats
from agent_marketplace.conversations.branches import branch
from agent_marketplace.conversations.library import store
from agent_marketplace.conversations.types import Message
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import CannotOpen, TextCipher, Vault

MAX_SHOWN_BYTES = 2_000_000  # of text that one link shows: its page is made anew for every reader
_TOKEN_BYTES = 24
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?(?:</think(?:ing)?>\s*|\Z)", re.DOTALL)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A link, for its owner. token: what stands in it; leaf_id: the last message that it shows; created_at: ms."""

    conversation_id: str
    title: str
    token: str
    leaf_id: str
    created_at: int


class SharedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """role: user or assistant. images: how many there were; they are not shown."""

    role: str
    content: str
    model: str
    images: int
    created_at: int


class SharedChat(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the link sees: no instructions, no thinking, no tool calls, no costs, no pictures, no name."""

    title: str
    shared_at: int
    messages: list[SharedMessage]


class Shares:
    """One link a conversation. What comes after the shared message, and every other branch, stays private."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    async def share(self, user_id: str, conversation_id: str, leaf_id: str | None = None) -> Share:
        """Makes the link, or has the one there is show up to `leaf_id` (None: the newest message).

        Raises NotFound; BadRequest (nothing to show, too long).
        """
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        token = secrets.token_urlsafe(_TOKEN_BYTES)

        def work(connection: sa.Connection) -> Share:
            # Held: two at once would make two links, and the first to be shown would be no link at all.
            if not chats.lock_conversation(connection, user_id, conversation_id):
                raise NotFound("No such conversation")
            path = _path(connection, cipher, conversation_id, leaf_id)
            _check(path)
            known = store.share_of(connection, user_id, conversation_id)
            values = {"leaf_id": path[-1].message_id, "created_at": now}
            if known is not None:
                store.change_share(connection, user_id, conversation_id, values)
            else:
                own = {
                    "token_hash": _hash(token), "token_sealed": cipher.seal(f"{conversation_id} share", token),
                    "user_id": user_id, "conversation_id": conversation_id,
                }  # fmt: skip
                store.add_share(connection, {**own, **values})
            row = store.share_of(connection, user_id, conversation_id)
            assert row is not None
            return _share(connection, cipher, row)

        return await self._db.write(work)

    async def get(self, user_id: str, conversation_id: str) -> Share | None:
        """The link of a conversation; None: it has none. Raises NotFound."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection) -> Share | None:
            if chats.conversation(connection, user_id, conversation_id) is None:
                raise NotFound("No such conversation")
            row = store.share_of(connection, user_id, conversation_id)
            return None if row is None else _share(connection, cipher, row)

        return await self._db.read(work)

    async def list(self, user_id: str) -> list[Share]:
        """Every link of a user, newest first."""
        cipher = await self._vault.texts(user_id)
        return await self._db.read(lambda c: [_share(c, cipher, row) for row in store.shares_of(c, user_id)])

    async def revoke(self, user_id: str, conversation_id: str) -> None:
        """From now on the link leads nowhere; a later one has another address. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if chats.conversation(connection, user_id, conversation_id) is None:
                raise NotFound("No such conversation")
            store.delete_share(connection, user_id, conversation_id)

        await self._db.write(work)

    async def read(self, token: str) -> SharedChat:
        """What a link shows to anybody. Raises NotFound for one that never was, was taken back or whose chat is gone."""
        if not _TOKEN.fullmatch(token):
            raise NotFound("This link leads nowhere")
        row = await self._db.read(lambda c: store.share_named(c, _hash(token)))
        if row is None:
            raise NotFound("This link leads nowhere")
        cipher = await self._vault.texts(row.user_id)

        def work(connection: sa.Connection) -> SharedChat:
            head = chats.conversation(connection, row.user_id, row.conversation_id)
            now = store.share_named(connection, row.token_hash)
            if head is None or now is None:
                raise NotFound("This link leads nowhere")
            path = _path(connection, cipher, row.conversation_id, now.leaf_id)
            title = rows.conversation_of(cipher, head).title
            return SharedChat(title=title, shared_at=now.created_at, messages=_shown(path))

        return await self._db.read(work)


def _path(
    connection: sa.Connection, cipher: TextCipher, conversation_id: str, leaf_id: str | None
) -> list[Message]:
    tree = [
        rows.message_of(cipher, row) for row in chats.messages_of(connection, cipher.user_id, conversation_id)
    ]
    return branch(tree, leaf_id)


def _check(path: Sequence[Message]) -> None:
    shown = _shown(path)
    if not shown:
        raise BadRequest("There is nothing to share yet")
    if any(message.status == "running" for message in path):
        raise BadRequest("An answer is still on its way: share the chat when it has come")
    if sum(len(message.content.encode("utf-8", "replace")) for message in shown) > MAX_SHOWN_BYTES:
        raise BadRequest(
            f"This chat is too long to be shared: over {MAX_SHOWN_BYTES // 1_000_000} MB of text"
        )


def _shown(path: Sequence[Message]) -> list[SharedMessage]:
    found = []
    for message in path:
        if message.role not in ("user", "assistant") or not message.readable:
            continue
        content = message.content if message.role == "user" else _THOUGHT.sub("", message.content)
        images = message.extra.get("images") or ()
        if content.strip() or images:
            found.append(
                SharedMessage(
                    role=message.role,
                    content=content,
                    model=message.model,
                    images=len(images),
                    created_at=message.created_at,
                )
            )
    return found


def _share(connection: sa.Connection, cipher: TextCipher, row: chats.Row) -> Share:
    head = chats.conversation(connection, cipher.user_id, row.conversation_id)
    try:
        token = cipher.open(f"{row.conversation_id} share", row.token_sealed)
    except CannotOpen:  # it can still be taken back
        token = ""
    return Share(
        conversation_id=row.conversation_id,
        title="" if head is None else rows.conversation_of(cipher, head).title,
        token=token,
        leaf_id=row.leaf_id,
        created_at=row.created_at,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()

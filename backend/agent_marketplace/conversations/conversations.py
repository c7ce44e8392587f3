"""Chat history: conversations as trees of messages, their contents encrypted at rest. A temporary chat never comes here."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.conversations import rows, store
from agent_marketplace.conversations.branches import Room, branch, too_long
from agent_marketplace.conversations.cursors import checked_limit, pack, unpack
from agent_marketplace.conversations.quota import within
from agent_marketplace.conversations.types import (
    Conversation,
    ConversationPage,
    Message,
    MessagePage,
    NewMessage,
    Status,
)
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.vault import TextCipher, Vault

MAX_TITLE = 200
MAX_PINNED = 100
SEARCHED_MESSAGES = 5_000  # decrypted by one search: 0.12 s for 5,000 messages of 2 kB on one core
PAGE_BYTES = (
    4 * 1024 * 1024
)  # of sealed contents read at once where a whole history is; a longer message alone
_PAGE = 100
_OPENED = 500  # messages of a branch at a time
_LIKELY = 4  # sealed bytes a token; most texts have more
_SEARCH_BATCH = 20
_DAY_MS = 86_400_000

T = TypeVar("T")


class Conversations:
    """All conversations. Methods raise NotFound for what isn't the user's. quota: bytes that a user may store; 0 = any."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, quota: int = 0) -> None:
        self._quota = quota
        self._db = db
        self._vault = vault
        self._clock = clock

    async def create(
        self,
        user_id: str,
        *,
        model: str,
        agent_id: str | None = None,
        title: str = "",
        messages: Sequence[NewMessage] = (),
    ) -> tuple[Conversation, list[Message]]:
        """A new conversation with its first messages, in one transaction. title "": the first line that the user wrote.

        Raises StorageFull.
        """
        cipher, now, conversation_id = await self._vault.texts(user_id), self._clock.now_ms(), new_id("conv")
        title = _title(title) if title.strip() else _title_from(messages)
        values = {
            "conversation_id": conversation_id, "user_id": user_id, "model": model, "agent_id": agent_id, "pinned": False,
            "title_sealed": rows.seal_title(cipher, conversation_id, title),
            "messages": 0, "cost_nano": 0, "created_at": now, "updated_at": now,
        }  # fmt: skip

        def work(connection: sa.Connection) -> tuple[Conversation, list[Message]]:
            before = store.stored(connection, user_id)
            store.add_conversation(connection, values)
            stored = _append_in(connection, cipher, conversation_id, messages, now)
            self._within_quota(connection, user_id, before)
            return rows.conversation_of(
                cipher, _found(store.conversation(connection, user_id, conversation_id))
            ), stored

        return await self._db.write(work)

    async def append(
        self, user_id: str, conversation_id: str, messages: Sequence[NewMessage]
    ) -> list[Message]:
        """Stores messages, each after the one before it. parent_id None: after the newest message; "": a new root.

        Raises StorageFull; NotFound: no such conversation, or a parent outside it.
        """
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> list[Message]:
            before = store.stored(connection, user_id)
            stored = _append_in(connection, cipher, conversation_id, messages, now)
            self._within_quota(connection, user_id, before)
            return stored

        return await self._db.write(work)

    def _within_quota(self, connection: sa.Connection, user_id: str, before: int) -> None:
        after = store.stored(connection, user_id)
        within(self._quota, after, after - before)

    async def finish(
        self,
        user_id: str,
        message_id: str,
        *,
        content: str,
        status: Status,
        cost_nano: int = 0,
        usage: dict[str, Any] | None = None,
        model: str | None = None,
        provider: str | None = None,
        request_id: str | None = None,
        extra: dict[str, Any] | None = None,
        refused_question: str | None = None,
    ) -> Message:
        """Completes an answer that was stored as `running`. None keeps what was stored.

        refused_question: the id of the message that was refused before any answer: its text stays, its images go.
        """
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        given = {
            "model": model,
            "provider": provider,
            "request_id": request_id,
            "usage": rows.usage_text(usage),
        }
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        values |= {"status": status, "cost_nano": cost_nano}
        values["content_sealed"] = rows.seal_content(cipher, message_id, content, extra or {})

        def work(connection: sa.Connection) -> Message:
            before = self._locked(connection, user_id, message_id)
            store.change_message(connection, before, values)
            store.add_cost(connection, user_id, before.conversation_id, cost_nano - before.cost_nano, now)
            if refused_question is not None:
                _drop_images(connection, cipher, self._locked(connection, user_id, refused_question))
            return rows.message_of(cipher, _found(store.message(connection, user_id, message_id)))

        return await self._db.write(work)

    def _locked(self, connection: sa.Connection, user_id: str, message_id: str) -> store.Row:
        """A message, its conversation held: nobody changes or deletes it before the transaction ends. Raises NotFound."""
        place = _found(store.message(connection, user_id, message_id)).conversation_id
        if not store.lock_conversation(connection, user_id, place):
            raise NotFound("No such conversation")
        return _found(store.message(connection, user_id, message_id))

    async def stored(self, user_id: str) -> int:
        """What a user's chats and agents take, bytes."""
        return await self._db.read(lambda c: store.stored(c, user_id))

    async def recount(self, user_id: str) -> tuple[int, int]:
        """Counts what a user stores anew. Returns (the running total that was, what it is now), bytes."""
        return await self._db.write(lambda c: store.recount(c, user_id))

    async def get(self, user_id: str, conversation_id: str) -> Conversation:
        """The head of a conversation."""
        cipher = await self._vault.texts(user_id)
        return rows.conversation_of(
            cipher, _found(await self._db.read(lambda c: store.conversation(c, user_id, conversation_id)))
        )

    async def messages(self, user_id: str, conversation_id: str) -> list[Message]:
        """The whole tree, in the order of storing."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection) -> list[Message]:
            _found(store.conversation(connection, user_id, conversation_id))
            return [
                rows.message_of(cipher, row)
                for row in store.messages_of(connection, user_id, conversation_id)
            ]

        return await self._db.read(work)

    async def page(
        self, user_id: str, conversation_id: str, before: int | None, limit: int
    ) -> tuple[list[Message], int | None]:
        """The newest `limit` messages that were stored before number `before` (None: of all), in the order of storing, and where
        the page before them ends; None = it is the first."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection) -> tuple[list[Message], int | None]:
            _found(store.conversation(connection, user_id, conversation_id))
            found = store.page_before(connection, user_id, conversation_id, before, limit + 1)
            page = [rows.message_of(cipher, row) for row in found[-limit:]]
            return page, page[0].seq if len(found) > limit else None

        return await self._db.read(work)

    async def thread(
        self, user_id: str, conversation_id: str, leaf_id: str | None = None, *, room: Room | None = None
    ) -> list[Message]:
        """The branch from its root to `leaf_id` (None: the newest message): what a model is sent as history; only its messages are
        opened. Where they look longer than there is room they are counted from the newest on, and no further than it takes to
        know. Raises NotFound, BadRequest (too long)."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection) -> list[Message]:
            _found(store.conversation(connection, user_id, conversation_id))
            path = branch(store.skeleton(connection, user_id, conversation_id), leaf_id)
            doubtful = room is not None and sum(row.size for row in path) > _LIKELY * room.tokens
            found: list[list[Message]] = []
            tokens = 0
            for end in range(len(path), 0, -_OPENED):
                some = path[max(0, end - _OPENED) : end]
                wanted, ends = {row.seq for row in some}, (some[0].seq - 1, some[-1].seq)
                between = store.messages_of(connection, user_id, conversation_id, after=ends[0], last=ends[1])
                found.append([rows.message_of(cipher, row) for row in between if row.seq in wanted])
                if room is not None and doubtful:
                    tokens += room.count("\n".join(message.content for message in found[-1]))
                    if tokens > room.tokens:
                        raise too_long(len(path))
            return [message for part in reversed(found) for message in part]

        return await self._db.read(work)

    async def history(
        self, user_id: str, agent_id: str, *, cursor: str | None = None, limit: int = 50
    ) -> MessagePage:
        """Messages with an agent or a model, over all conversations, newest first. Raises BadRequest (cursor, limit)."""
        cipher, size = await self._vault.texts(user_id), checked_limit(limit)
        before = unpack(cursor, int, str, int) if cursor else None
        found = await self._db.read(lambda c: store.history(c, user_id, agent_id, before, size + 1))
        page = [rows.message_of(cipher, row) for row in found[:size]]
        last = page[-1] if len(found) > size else None
        return MessagePage(
            messages=page,
            next_cursor=None if last is None else pack(last.created_at, last.conversation_id, last.seq),
        )

    async def list(self, user_id: str, *, cursor: str | None = None, limit: int = 50) -> ConversationPage:
        """Newest first; the first page begins with the pinned ones. Raises BadRequest (cursor, limit)."""
        cipher, size = await self._vault.texts(user_id), checked_limit(limit)
        before = unpack(cursor, int, str) if cursor else None

        def work(connection: sa.Connection) -> ConversationPage:
            pinned = (
                [] if before else store.conversations_of(connection, user_id, None, MAX_PINNED, pinned=True)
            )
            found = store.conversations_of(connection, user_id, before, size + 1, pinned=False)
            shown = [rows.conversation_of(cipher, row) for row in (*pinned, *found[:size])]
            return ConversationPage(
                conversations=shown, next_cursor=_cursor(shown[-1]) if len(found) > size else None
            )

        return await self._db.read(work)

    async def each(self, user_id: str) -> AsyncIterator[Conversation]:
        """Every conversation, newest first by its beginning, which no change moves; a page of heads in memory."""
        cipher = await self._vault.texts(user_id)
        before: tuple[int, str] | None = None
        while True:
            find = partial(store.conversations_begun, user_id=user_id, before=before, limit=_PAGE)
            page = await self._db.read(find)
            for row in page:
                yield rows.conversation_of(cipher, row)
            if len(page) < _PAGE:
                return
            before = (page[-1].created_at, page[-1].conversation_id)

    async def each_message(
        self, user_id: str, conversation_id: str, show: Callable[[Message], T]
    ) -> AsyncIterator[T]:
        """The whole tree, in the order of storing, about PAGE_BYTES of it in memory. show: runs beside the event loop."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection, after: int) -> tuple[int, list[T]]:
            last = store.last_of_page(connection, user_id, conversation_id, after, _PAGE, PAGE_BYTES)
            found = store.messages_of(connection, user_id, conversation_id, after=after, last=last)
            return last, [show(rows.message_of(cipher, row)) for row in found]

        after = 0
        while True:
            last, page = await self._db.read(partial(work, after=after))
            if last == after:
                return
            after = last
            for shown in page:
                yield shown

    async def search(
        self,
        user_id: str,
        q: str = "",
        *,
        folder: str = "",
        tag: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> ConversationPage:
        """Conversations whose title or messages contain all words of `q`, newest first; with folder, tag: only those there.

        Contents are encrypted, so this decrypts and reads: at most SEARCHED_MESSAGES messages a call, the cursor goes on.
        """
        cipher, size = await self._vault.texts(user_id), checked_limit(limit)
        wanted = _Wanted(words=q.casefold().split(), folder=folder, tag=tag)
        before = unpack(cursor, int, str) if cursor else None
        return await self._db.read(lambda c: _search(c, cipher, wanted, before, size))

    async def rename(self, user_id: str, conversation_id: str, title: str) -> None:
        """Raises BadRequest (empty title)."""
        cipher = await self._vault.texts(user_id)
        if not title.strip():
            raise BadRequest("A conversation needs a title")
        values = {"title_sealed": rows.seal_title(cipher, conversation_id, _title(title))}
        if not await self._db.write(lambda c: store.change_conversation(c, user_id, conversation_id, values)):
            raise NotFound("No such conversation")

    async def pin(self, user_id: str, conversation_id: str, pinned: bool) -> None:
        """Pinned conversations come first and are kept by retention. Raises BadRequest (too many)."""

        def work(connection: sa.Connection) -> bool:
            if (
                pinned
                and len(store.conversations_of(connection, user_id, None, MAX_PINNED, pinned=True))
                == MAX_PINNED
            ):
                raise BadRequest(f"At most {MAX_PINNED} pinned conversations")
            return store.change_conversation(connection, user_id, conversation_id, {"pinned": pinned})

        if not await self._db.write(work):
            raise NotFound("No such conversation")

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """With all its messages."""
        if not await self._db.write(lambda c: store.delete_conversation(c, user_id, conversation_id)):
            raise NotFound("No such conversation")

    async def set_retention(self, user_id: str, days: int | None) -> None:
        """How long unpinned conversations are kept after their last change; None = until deleted. Raises BadRequest."""
        if days is not None and not 1 <= days <= 3650:
            raise BadRequest("Retention must be from 1 to 3650 days, or none")
        await self._db.write(lambda c: store.set_retention(c, user_id, days))

    async def retention(self, user_id: str) -> int | None:
        """Days, or None."""
        return await self._db.read(lambda c: store.retention(c, user_id))

    async def purge(self, older_than_ms: int, user_id: str | None = None) -> int:
        """Deletes unpinned conversations last changed before a moment, of one user or of all; returns how many."""
        return await self._db.write(lambda c: store.delete_older(c, older_than_ms, user_id))

    async def purge_expired(self) -> int:
        """Applies every user's retention setting; returns how many conversations were deleted."""
        now, gone = self._clock.now_ms(), 0
        for user_id, days in await self._db.read(store.retentions):
            gone += await self.purge(now - days * _DAY_MS, user_id)
        return gone

    def erase_user_in(self, connection: sa.Connection, user_id: str) -> None:
        """Deletes all rows of this room that are the user's."""
        store.erase_user(connection, user_id)


def _append_in(
    connection: sa.Connection,
    cipher: TextCipher,
    conversation_id: str,
    messages: Sequence[NewMessage],
    now: int,
) -> list[Message]:
    user_id = cipher.user_id
    stored: list[Message] = []
    for message in messages:
        # The row's lock first: on PostgreSQL a parallel writer would else find the same newest message, and the talk would fork.
        seq = _found(store.grow_conversation(connection, user_id, conversation_id, message.cost_nano, now))
        newest = (
            stored[-1].message_id if stored else store.newest_message(connection, user_id, conversation_id)
        )
        parent = _parent(connection, user_id, conversation_id, message.parent_id, newest)
        message_id = new_id("msg")
        values = rows.message_values(cipher, user_id, conversation_id, message_id, message, parent, seq, now)
        store.add_message(connection, values)
        stored.append(rows.message_of(cipher, _found(store.message(connection, user_id, message_id))))
    return stored


def _drop_images(connection: sa.Connection, cipher: TextCipher, row: store.Row) -> None:
    message = rows.message_of(cipher, row)
    if images := message.extra.get("images"):
        extra = {**message.extra, "images": [], "images_dropped": len(images)}
        sealed = rows.seal_content(cipher, message.message_id, message.content, extra)
        store.change_message(connection, row, {"content_sealed": sealed})


def _parent(
    connection: sa.Connection, user_id: str, conversation_id: str, wanted: str | None, newest: str | None
) -> str | None:
    if wanted is None:
        return newest
    if wanted == "":
        return None
    row = _found(store.message(connection, user_id, wanted))
    if row.conversation_id != conversation_id:
        raise NotFound("No such message")
    return wanted


class _Wanted(NamedTuple):
    words: Sequence[str]
    folder: str
    tag: str

    def lies(self, head: Conversation) -> bool:
        return self.folder in ("", head.folder) and (not self.tag or self.tag in head.tags)


def _search(
    connection: sa.Connection,
    cipher: TextCipher,
    wanted: _Wanted,
    before: tuple[int | str, ...] | None,
    size: int,
) -> ConversationPage:
    found: list[Conversation] = []
    read = 0
    while True:
        batch = store.conversations_of(connection, cipher.user_id, before, _SEARCH_BATCH)
        heads = [rows.conversation_of(cipher, row) for row in batch]
        read_too = [h.conversation_id for h in heads if wanted.words and wanted.lies(h)]
        contents = store.contents_of(connection, cipher.user_id, read_too)
        for head in heads:
            if len(found) == size or read >= SEARCHED_MESSAGES:
                return ConversationPage(
                    conversations=found,
                    next_cursor=None if before is None else pack(*before),
                    complete=len(found) == size,
                )
            sealed = contents.get(head.conversation_id, [])
            read += max(1, len(sealed))
            text = "\n".join(
                [head.title, *(rows.content_of(cipher, *message) for message in sealed)]
            ).casefold()
            if wanted.lies(head) and all(word in text for word in wanted.words):
                found.append(head)
            before = (head.updated_at, head.conversation_id)
        if len(batch) < _SEARCH_BATCH:
            return ConversationPage(conversations=found, next_cursor=None)


def _found(value: T | None) -> T:
    if value is None:
        raise NotFound("No such conversation or message")
    return value


def _title(text: str) -> str:
    return " ".join(text.split())[:MAX_TITLE]


def _title_from(messages: Sequence[NewMessage]) -> str:
    text = next((message.content.strip() for message in messages if message.role == "user"), "")
    line = text.splitlines()[0] if text else ""
    return _title(line if len(line) <= 80 else line[:79].rstrip() + "…") or "New chat"


def _cursor(last: Conversation) -> str:
    return pack(last.updated_at, last.conversation_id)

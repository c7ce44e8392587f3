"""The SQL of conversations. Every statement names the user: another's row doesn't exist."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.conversations import (
    agent_versions,
    agents,
    conversation_settings,
    conversations,
    favourites,
    messages,
    prompts,
    shared_chats,
    stored_bytes,
)

Row = sa.Row[Any]
_HISTORY = (messages.c.created_at, messages.c.conversation_id, messages.c.seq)
_RECENT = (conversations.c.updated_at, conversations.c.conversation_id)

# What a conversation, a message or a version of an agent is counted for besides its contents: columns, title, indexes.
ROW_BYTES = 1_000
_CONTENT = sa.func.length(messages.c.content_sealed)
_PRESET = sa.func.length(agent_versions.c.instructions_sealed) + sa.func.length(agent_versions.c.parameters)
_CHUNK = 500


def grow(connection: sa.Connection, user_id: str, size: int) -> int:
    """Adds to what the user stores and returns the new total, bytes.

    After the rows that it counts: its lock is held to the transaction's end, so that a recount waits for what it must see.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(stored_bytes).values(user_id=user_id, bytes=size)
    changed = {"bytes": stored_bytes.c.bytes + size}
    statement = statement.on_conflict_do_update(index_elements=["user_id"], set_=changed)
    total: int = connection.execute(statement.returning(stored_bytes.c.bytes)).scalar_one()
    return total


def stored(connection: sa.Connection, user_id: str) -> int:
    """The running total, bytes."""
    query = sa.select(stored_bytes.c.bytes).where(stored_bytes.c.user_id == user_id)
    return connection.scalar(query) or 0


def recount(connection: sa.Connection, user_id: str) -> tuple[int, int]:
    """Counts a user's rows anew. Returns (what the running total was, what it is now), bytes."""
    before = grow(connection, user_id, 0)  # takes the lock before anything is read
    after = 0
    for table, size in (
        (conversations, sa.literal(0)),
        (messages, _CONTENT),
        (agent_versions, _PRESET),
        (prompts, sa.func.length(prompts.c.prompt_sealed)),
    ):
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(size), 0)).select_from(table)
        rows, contents = connection.execute(query.where(table.c.user_id == user_id)).one()
        after += rows * ROW_BYTES + int(contents)
    grow(connection, user_id, after - before)
    return before, after


def add_conversation(connection: sa.Connection, values: dict[str, Any]) -> None:
    connection.execute(sa.insert(conversations).values(values))
    grow(connection, values["user_id"], ROW_BYTES)


def conversation(connection: sa.Connection, user_id: str, conversation_id: str) -> Row | None:
    table = conversations
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    return connection.execute(sa.select(table).where(*mine)).first()


def conversations_of(
    connection: sa.Connection,
    user_id: str,
    before: tuple[int | str, ...] | None,
    limit: int,
    *,
    pinned: bool | None = None,
) -> Sequence[Row]:
    """Newest first, from after the sort key `before` = (updated_at, id). pinned None: all."""
    query = sa.select(conversations).where(conversations.c.user_id == user_id)
    if pinned is not None:
        query = query.where(conversations.c.pinned == pinned)
    if before is not None:
        query = query.where(sa.tuple_(*_RECENT) < sa.tuple_(*before))
    return connection.execute(query.order_by(*(column.desc() for column in _RECENT)).limit(limit)).all()


def labels(connection: sa.Connection, user_id: str) -> Sequence[Row]:
    """(conversation_id, labels_sealed) of those that have labels."""
    table = conversations
    mine = (table.c.user_id == user_id, table.c.labels_sealed.is_not(None))
    columns: tuple[sa.Column[Any], ...] = (table.c.conversation_id, table.c.labels_sealed)
    return connection.execute(sa.select(*columns).where(*mine)).all()


def conversations_begun(
    connection: sa.Connection, user_id: str, before: tuple[int, str] | None, limit: int
) -> Sequence[Row]:
    """Newest first by their beginning, from after `before` = (created_at, id)."""
    table = conversations
    order = (table.c.created_at, table.c.conversation_id)
    query = sa.select(table).where(table.c.user_id == user_id)
    if before is not None:
        query = query.where(sa.tuple_(*order) < sa.tuple_(*before))
    return connection.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all()


def change_conversation(
    connection: sa.Connection, user_id: str, conversation_id: str, values: dict[str, Any]
) -> bool:
    table = conversations
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    return connection.execute(sa.update(table).where(*mine).values(values)).rowcount == 1


def grow_conversation(
    connection: sa.Connection, user_id: str, conversation_id: str, cost_nano: int, now: int
) -> int | None:
    """Counts one more message; returns its number in the conversation, or None if there is no such conversation."""
    table = conversations
    return connection.execute(
        sa.update(table)
        .where(table.c.user_id == user_id, table.c.conversation_id == conversation_id)
        .values(messages=table.c.messages + 1, cost_nano=table.c.cost_nano + cost_nano, updated_at=now)
        .returning(table.c.messages)
    ).scalar()


def add_cost(connection: sa.Connection, user_id: str, conversation_id: str, cost_nano: int, now: int) -> None:
    table = conversations
    connection.execute(
        sa.update(table)
        .where(table.c.user_id == user_id, table.c.conversation_id == conversation_id)
        .values(cost_nano=table.c.cost_nano + cost_nano, updated_at=now)
    )


def lock_conversation(connection: sa.Connection, user_id: str, conversation_id: str) -> bool:
    """Holds a conversation against other writers to the end of the transaction; False if there is none."""
    table = conversations
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    return connection.execute(sa.select(table.c.messages).where(*mine).with_for_update()).first() is not None


def delete_conversation(connection: sa.Connection, user_id: str, conversation_id: str) -> bool:
    # The head first: a message that is being added holds its lock, and is seen below once it is there.
    table = conversations
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    if connection.execute(sa.delete(table).where(*mine)).rowcount != 1:
        return False
    _delete_messages(connection, {conversation_id: user_id})
    return True


def delete_older(connection: sa.Connection, before: int, user_id: str | None) -> int:
    """Deletes unpinned conversations last changed before `before` (ms), of one user or of all; returns how many."""
    table = conversations
    old = [table.c.updated_at < before, sa.not_(table.c.pinned)]
    if user_id is not None:
        old.append(table.c.user_id == user_id)
    gone = connection.execute(
        sa.delete(table).where(*old).returning(table.c.conversation_id, table.c.user_id)
    ).all()
    _delete_messages(connection, {row.conversation_id: row.user_id for row in gone})
    return len(gone)


def _delete_messages(connection: sa.Connection, deleted: dict[str, str]) -> None:
    """The messages of conversations (id: user) that were deleted, and what both took."""
    freed = dict.fromkeys(deleted.values(), 0)
    for user_id in deleted.values():
        freed[user_id] += ROW_BYTES
    ids = list(deleted)
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        connection.execute(sa.delete(shared_chats).where(shared_chats.c.conversation_id.in_(chunk)))
        some = messages.c.conversation_id.in_(chunk)
        removal = sa.delete(messages).where(some).returning(messages.c.user_id, _CONTENT)
        for user_id, size in connection.execute(removal):
            freed[user_id] += ROW_BYTES + size
    for user_id in sorted(freed):  # in one order, so that two of these can't wait for each other
        grow(connection, user_id, -freed[user_id])


def add_message(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Returns what the user stores now, bytes."""
    connection.execute(sa.insert(messages).values(values))
    return grow(connection, values["user_id"], ROW_BYTES + len(values["content_sealed"]))


def message(connection: sa.Connection, user_id: str, message_id: str) -> Row | None:
    mine = (messages.c.user_id == user_id, messages.c.message_id == message_id)
    return connection.execute(sa.select(messages).where(*mine)).first()


def change_message(connection: sa.Connection, before: Row, values: dict[str, Any]) -> None:
    """before: the row as it stands, its conversation locked."""
    mine = (messages.c.user_id == before.user_id, messages.c.message_id == before.message_id)
    connection.execute(sa.update(messages).where(*mine).values(values))
    grow(connection, before.user_id, len(values["content_sealed"]) - len(before.content_sealed))


def messages_of(
    connection: sa.Connection, user_id: str, conversation_id: str, *, after: int = 0, last: int | None = None
) -> Sequence[Row]:
    """In the order in which they were stored; after, last: only those with after < seq <= last."""
    mine = [messages.c.user_id == user_id, messages.c.conversation_id == conversation_id]
    mine.append(messages.c.seq > after)
    if last is not None:
        mine.append(messages.c.seq <= last)
    return connection.execute(sa.select(messages).where(*mine).order_by(messages.c.seq)).all()


def skeleton(connection: sa.Connection, user_id: str, conversation_id: str) -> Sequence[Row]:
    """(message_id, parent_id, seq, size in sealed bytes) of the whole tree, in the order of storing: no content is read."""
    table = messages.c
    mine = (table.user_id == user_id, table.conversation_id == conversation_id)
    columns: tuple[sa.ColumnElement[Any], ...] = (
        table.message_id,
        table.parent_id,
        table.seq,
        _CONTENT.label("size"),
    )
    return connection.execute(sa.select(*columns).where(*mine).order_by(table.seq)).all()


def page_before(
    connection: sa.Connection, user_id: str, conversation_id: str, before: int | None, limit: int
) -> Sequence[Row]:
    """The newest `limit` messages with seq < before (None: of all), in the order of storing."""
    mine = [messages.c.user_id == user_id, messages.c.conversation_id == conversation_id]
    if before is not None:
        mine.append(messages.c.seq < before)
    found = connection.execute(sa.select(messages).where(*mine).order_by(messages.c.seq.desc()).limit(limit))
    return found.all()[::-1]


def last_of_page(
    connection: sa.Connection, user_id: str, conversation_id: str, after: int, limit: int, size: int
) -> int:
    """The seq up to which messages after `after` have at most `size` sealed bytes, one at least; `after` at the end."""
    mine = (messages.c.user_id == user_id, messages.c.conversation_id == conversation_id)
    query = sa.select(messages.c.seq, sa.func.length(messages.c.content_sealed))
    last, total = after, 0
    for seq, length in connection.execute(
        query.where(*mine, messages.c.seq > after).order_by(messages.c.seq).limit(limit)
    ):
        total += length
        if last > after and total > size:
            break
        last = seq
    return last


def contents_of(
    connection: sa.Connection, user_id: str, conversation_ids: Sequence[str]
) -> dict[str, list[tuple[str, bytes]]]:
    """Per conversation: (message id, sealed content)."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    mine = (messages.c.user_id == user_id, messages.c.conversation_id.in_(conversation_ids))
    query = sa.select(messages.c.conversation_id, messages.c.message_id, messages.c.content_sealed).where(
        *mine
    )
    for conversation_id, message_id, sealed in connection.execute(query):
        found.setdefault(conversation_id, []).append((message_id, sealed))
    return found


def newest_message(connection: sa.Connection, user_id: str, conversation_id: str) -> str | None:
    mine = (messages.c.user_id == user_id, messages.c.conversation_id == conversation_id)
    query = sa.select(messages.c.message_id).where(*mine).order_by(messages.c.seq.desc()).limit(1)
    return connection.execute(query).scalar()


def history(
    connection: sa.Connection, user_id: str, agent_id: str, before: tuple[int | str, ...] | None, limit: int
) -> Sequence[Row]:
    """Newest first, over all conversations with this agent or model, from after the sort key `before`."""
    query = sa.select(messages).where(
        messages.c.user_id == user_id, sa.or_(messages.c.agent_id == agent_id, messages.c.model == agent_id)
    )
    if before is not None:
        query = query.where(sa.tuple_(*_HISTORY) < sa.tuple_(*before))
    return connection.execute(query.order_by(*(column.desc() for column in _HISTORY)).limit(limit)).all()


def set_retention(connection: sa.Connection, user_id: str, days: int | None) -> None:
    connection.execute(sa.delete(conversation_settings).where(conversation_settings.c.user_id == user_id))
    if days is not None:
        connection.execute(sa.insert(conversation_settings).values(user_id=user_id, retention_days=days))


def retention(connection: sa.Connection, user_id: str) -> int | None:
    table = conversation_settings
    return connection.scalar(sa.select(table.c.retention_days).where(table.c.user_id == user_id))


def retentions(connection: sa.Connection) -> list[tuple[str, int]]:
    table = conversation_settings
    return [(row.user_id, row.retention_days) for row in connection.execute(sa.select(table))]


def add_agent(connection: sa.Connection, values: dict[str, Any]) -> None:
    connection.execute(sa.insert(agents).values(values))


def add_agent_version(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Returns what the user stores now, bytes."""
    connection.execute(sa.insert(agent_versions).values(values))
    size = len(values["instructions_sealed"]) + len(values["parameters"])
    return grow(connection, values["user_id"], ROW_BYTES + size)


def next_agent_version(connection: sa.Connection, user_id: str, agent_id: str, now: int) -> int | None:
    """Takes the next version number; None if there is no such agent."""
    mine = (agents.c.user_id == user_id, agents.c.agent_id == agent_id)
    change = sa.update(agents).where(*mine).values(version=agents.c.version + 1, updated_at=now)
    return connection.execute(change.returning(agents.c.version)).scalar()


def agent_rows(
    connection: sa.Connection, user_id: str, agent_id: str | None, version: int | None, *, every: bool = False
) -> Sequence[Row]:
    """Versions with their agent's times (`began_at`, `updated_at`): the current ones, one version, or every one."""
    a, v = agents, agent_versions
    query = (
        sa.select(v, a.c.created_at.label("began_at"), a.c.updated_at)
        .join(a, a.c.agent_id == v.c.agent_id)
        .where(a.c.user_id == user_id, v.c.user_id == user_id)
    )
    if agent_id is not None:
        query = query.where(a.c.agent_id == agent_id)
    if not every:
        query = query.where(v.c.version == (a.c.version if version is None else version))
    return connection.execute(query.order_by(a.c.updated_at.desc(), a.c.agent_id, v.c.version.desc())).all()


def plain_parameters(connection: sa.Connection, limit: int) -> Sequence[Row]:
    """Versions whose parameters stand in the open."""
    query = sa.select(agent_versions).where(agent_versions.c.parameters.startswith("{"))
    return connection.execute(query.limit(limit)).all()


def swap_parameters(connection: sa.Connection, sealed: Sequence[tuple[Row, str]]) -> None:
    """Puts sealed parameters in the place of those of `plain_parameters`."""
    v = agent_versions
    for row, text in sealed:
        this = (v.c.user_id == row.user_id, v.c.agent_id == row.agent_id, v.c.version == row.version)
        same = v.c.parameters == row.parameters  # another process may have been here before
        if connection.execute(sa.update(v).where(*this, same).values(parameters=text)).rowcount:
            grow(connection, row.user_id, len(text) - len(row.parameters))


def count_agents(connection: sa.Connection, user_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(agents).where(agents.c.user_id == user_id)
    return connection.execute(query).scalar_one()


def delete_agent(connection: sa.Connection, user_id: str, agent_id: str) -> bool:
    # The head first: a version that is being added holds its lock, and is seen below once it is there.
    mine = (agents.c.user_id == user_id, agents.c.agent_id == agent_id)
    if connection.execute(sa.delete(agents).where(*mine)).rowcount != 1:
        return False
    table = agent_versions
    removal = sa.delete(table).where(table.c.user_id == user_id, table.c.agent_id == agent_id)
    sizes = connection.scalars(removal.returning(_PRESET)).all()
    grow(connection, user_id, -sum(ROW_BYTES + size for size in sizes))
    return True


def add_favourite(connection: sa.Connection, user_id: str, model_id: str, now: int) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO favourites (user_id, model_id, created_at) "
            "VALUES (:user_id, :model_id, :now) ON CONFLICT DO NOTHING"
        ),
        {"user_id": user_id, "model_id": model_id, "now": now},
    )


def remove_favourite(connection: sa.Connection, user_id: str, model_id: str) -> bool:
    table = favourites
    mine = (table.c.user_id == user_id, table.c.model_id == model_id)
    return connection.execute(sa.delete(table).where(*mine)).rowcount == 1


def favourites_of(connection: sa.Connection, user_id: str) -> list[str]:
    table = favourites
    query = sa.select(table.c.model_id).where(table.c.user_id == user_id)
    return list(connection.scalars(query.order_by(table.c.created_at.desc(), table.c.model_id)))


def erase_user(connection: sa.Connection, user_id: str) -> None:
    for table in (
        messages,
        conversations,
        conversation_settings,
        agent_versions,
        agents,
        favourites,
        shared_chats,
        prompts,
        stored_bytes,
    ):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))

"""The SQL of shared links and kept prompts. Every statement but the link's own names the user."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from agent_marketplace.conversations.store import ROW_BYTES, Row, grow
from agent_marketplace.db.tables.conversations import prompts, shared_chats


def share_of(connection: sa.Connection, user_id: str, conversation_id: str) -> Row | None:
    table = shared_chats
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    return connection.execute(sa.select(table).where(*mine)).first()


def shares_of(connection: sa.Connection, user_id: str) -> Sequence[Row]:
    """Newest first."""
    table = shared_chats
    query = sa.select(table).where(table.c.user_id == user_id)
    return connection.execute(query.order_by(table.c.created_at.desc(), table.c.conversation_id)).all()


def share_named(connection: sa.Connection, token_hash: str) -> Row | None:
    """By what stands in the link: the one look-up that names no user."""
    query = sa.select(shared_chats).where(shared_chats.c.token_hash == token_hash)
    return connection.execute(query).first()


def add_share(connection: sa.Connection, values: dict[str, Any]) -> None:
    connection.execute(sa.insert(shared_chats).values(values))


def change_share(
    connection: sa.Connection, user_id: str, conversation_id: str, values: dict[str, Any]
) -> None:
    table = shared_chats
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    connection.execute(sa.update(table).where(*mine).values(values))


def delete_share(connection: sa.Connection, user_id: str, conversation_id: str) -> bool:
    table = shared_chats
    mine = (table.c.user_id == user_id, table.c.conversation_id == conversation_id)
    return connection.execute(sa.delete(table).where(*mine)).rowcount == 1


def prompts_of(connection: sa.Connection, user_id: str) -> Sequence[Row]:
    """The one changed last first."""
    query = sa.select(prompts).where(prompts.c.user_id == user_id)
    return connection.execute(query.order_by(prompts.c.updated_at.desc(), prompts.c.prompt_id)).all()


def prompt(connection: sa.Connection, user_id: str, prompt_id: str) -> Row | None:
    mine = (prompts.c.user_id == user_id, prompts.c.prompt_id == prompt_id)
    return connection.execute(sa.select(prompts).where(*mine).with_for_update()).first()


def count_prompts(connection: sa.Connection, user_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(prompts).where(prompts.c.user_id == user_id)
    return connection.execute(query).scalar_one()


def add_prompt(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Returns what the user stores now, bytes."""
    connection.execute(sa.insert(prompts).values(values))
    return grow(connection, values["user_id"], ROW_BYTES + len(values["prompt_sealed"]))


def change_prompt(connection: sa.Connection, before: Row, values: dict[str, Any]) -> int:
    """before: the row as it stands, locked. Returns what the user stores now, bytes."""
    mine = (prompts.c.user_id == before.user_id, prompts.c.prompt_id == before.prompt_id)
    connection.execute(sa.update(prompts).where(*mine).values(values))
    return grow(connection, before.user_id, len(values["prompt_sealed"]) - len(before.prompt_sealed))


def delete_prompt(connection: sa.Connection, user_id: str, prompt_id: str) -> bool:
    mine = (prompts.c.user_id == user_id, prompts.c.prompt_id == prompt_id)
    size = sa.func.length(prompts.c.prompt_sealed)
    gone = connection.scalar(sa.delete(prompts).where(*mine).returning(size))
    if gone is None:
        return False
    grow(connection, user_id, -ROW_BYTES - gone)
    return True

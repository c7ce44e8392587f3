"""Idempotency keys: the client's key and a hash of its input, written in the same transaction as the effect.

An effect within one transaction uses `once_in`. One that spans several (a completion) uses `begin_in`, then `finish_in`
or `abandon_in`. Same key and input: the stored result; another input: 422; still running: 409.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace import json
from agent_marketplace.db.tables.ledger import idempotency_keys as t
from agent_marketplace.errors import BadRequest, Conflict, IdempotencyMismatch

MAX_KEY = 200


class Replay(msgspec.Struct, frozen=True):
    """The stored result of the first call."""

    result: Any


def digest(*parts: object) -> str:
    """SHA-256 (hex) of an input: any JSON values and bytes (as base64)."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def begin_in(connection: sa.Connection, scope: str, key: str, input_hash: str, now_ms: int) -> Replay | None:
    """Claims the key; None = the caller runs the effect. Raises IdempotencyMismatch, Conflict, BadRequest (the key)."""
    if not 0 < len(key) <= MAX_KEY:
        raise BadRequest(f"An idempotency key has 1 to {MAX_KEY} characters")
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"scope": scope, "key": key, "input_hash": input_hash, "created_at": now_ms}
    # Also the lock: on PostgreSQL a second claim waits here until the first transaction ends.
    claimed = connection.execute(insert(t).values(values).on_conflict_do_nothing().returning(t.c.key))
    if claimed.one_or_none() is not None:
        return None
    row = connection.execute(
        sa.select(t.c.input_hash, t.c.result).where(t.c.scope == scope, t.c.key == key)
    ).one()
    if row.input_hash != input_hash:
        raise IdempotencyMismatch("This idempotency key was used with another request")
    if row.result is None:
        raise Conflict("A request with this idempotency key is still running", retry_after=1)
    return Replay(json.decode(row.result))


def finish_in(connection: sa.Connection, scope: str, key: str, result: object) -> None:
    """Stores the result (any JSON value) for later repeats."""
    text = json.encode(result).decode()
    connection.execute(sa.update(t).where(t.c.scope == scope, t.c.key == key).values(result=text))


def abandon_in(connection: sa.Connection, scope: str, key: str) -> None:
    """Gives a running key back after an effect that did not happen."""
    connection.execute(sa.delete(t).where(t.c.scope == scope, t.c.key == key, t.c.result.is_(None)))


def release_stale_in(connection: sa.Connection, scope: str, key: str, before_ms: int) -> None:
    """Gives back a key that has been running since before `before_ms`: its process died."""
    stale = sa.and_(t.c.scope == scope, t.c.key == key, t.c.result.is_(None), t.c.created_at < before_ms)
    connection.execute(sa.delete(t).where(stale))


def once_in(
    connection: sa.Connection,
    scope: str,
    key: str | None,
    input_hash: str,
    now_ms: int,
    effect: Callable[[], Any],
) -> Any:
    """Runs `effect()` (returns a JSON value) at most once per key, in this transaction; without a key, every time."""
    if key is None:
        return effect()
    replay = begin_in(connection, scope, key, input_hash, now_ms)
    if replay is not None:
        return replay.result
    result = effect()
    finish_in(connection, scope, key, result)
    return result

"""Thinking by the tool call that it led to, and items of Responses answers by their ids.

Models want it back with the call's result: encrypted items, signatures, or its plain text. Clients drop it between the turns:
chat clients know no field for it, agents keep only their own wire's. It is kept under (user, call), sealed as chats are, for an
hour, in the database, since any worker may get the next turn; and given only to the family that minted it. The same store keeps
what a Responses client may name instead of sending it again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.reasoning import store
from agent_marketplace.vault import CannotOpen, Vault
from agent_marketplace.wires.base import ReasoningPart

KEPT_MS = 3_600_000
MOST_ROWS = 1_000
MOST_BYTES = 16 * 1024 * 1024
_LARGEST = 512 * 1024
_ASKED = 256  # calls of one history, the newest: an agent's loop of an hour


class Thought(msgspec.Struct, frozen=True):
    """What led to one tool call. call_id, arguments: the call's; parts: the thinking before it; signature: the call's own."""

    call_id: str
    arguments: str
    parts: tuple[ReasoningPart, ...] = ()
    signature: str = ""


class _Kept(msgspec.Struct):
    family: str
    thought: Thought


_kept = msgspec.json.Decoder(_Kept)


class KeptReasoning:
    """All kept thinking."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    async def keep(self, user_id: str, family: str, thoughts: Iterable[Thought]) -> None:
        """Keeps what there is to keep; more than a user's bounds drives out the oldest. family: who minted it."""
        await self._put(
            user_id,
            {
                _key(t.call_id, t.arguments): msgspec.json.encode(_Kept(family, t)).decode()
                for t in thoughts
                if t.parts or t.signature
            },
        )

    async def keep_items(self, user_id: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Keeps items of an answer under their ids, bounded as thinking is."""
        named = {name: item for item in items if isinstance(name := item.get("id"), str)}
        await self._put(user_id, {_item_key(n): json.encode(item).decode() for n, item in named.items()})

    async def _put(self, user_id: str, texts: Mapping[str, str]) -> None:
        if not texts:
            return
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        rows = {}
        for key, text in texts.items():
            sealed = cipher.seal(_place(key), text)
            if len(sealed) <= _LARGEST:
                rows[key] = {
                    "call_key": key, "sealed": sealed, "size": len(sealed),
                    "created_at": now, "expires_at": now + KEPT_MS,
                }  # fmt: skip
        if not rows:
            return

        def write(connection: sa.Connection) -> None:
            store.put(connection, user_id, list(rows.values()))
            store.trim(connection, user_id, most_rows=MOST_ROWS, most_bytes=MOST_BYTES)

        await self._db.write(write, durable=False)

    async def of(
        self, user_id: str, family: str, calls: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Thought]:
        """Kept thinking by (id, arguments) of its call, of this family only."""
        keys = {_key(*call): call for call in calls[-_ASKED:]}
        kept = {key: _kept.decode(text) for key, text in (await self._texts(user_id, keys)).items()}
        return {keys[key]: found.thought for key, found in kept.items() if found.family == family}

    async def items(self, user_id: str, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Kept items by their ids."""
        keys = {_item_key(name): name for name in names[-MOST_ROWS:]}
        return {keys[key]: json.decode(text) for key, text in (await self._texts(user_id, keys)).items()}

    async def _texts(self, user_id: str, keys: Iterable[str]) -> dict[str, str]:
        now, asked = self._clock.now_ms(), list(keys)
        rows = await self._db.read(lambda c: store.get(c, user_id, asked, now)) if asked else {}
        if not rows:
            return {}
        cipher = await self._vault.texts(user_id)
        found = {}
        for key, sealed in rows.items():
            try:
                found[key] = cipher.open(_place(key), sealed)
            except CannotOpen:
                continue  # sealed under a key that is gone: as good as expired
        return found

    async def forget_expired(self) -> None:
        """Housekeeping."""
        now = self._clock.now_ms()
        await self._db.write(lambda c: store.delete_expired(c, now), durable=False)

    @staticmethod
    def erase_user_in(connection: sa.Connection, user_id: str) -> None:
        """Deletes a user's rows with the account."""
        store.erase_user(connection, user_id)


def _item_key(name: str) -> str:
    return hashlib.sha256(f"item {name}".encode("utf-8", "surrogatepass")).hexdigest()


def _place(key: str) -> str:
    return f"reasoning {key}"


def _key(call_id: str, arguments: str) -> str:
    """Ids alone are not unique: some providers count their calls anew in every answer. Clients rewrite the arguments' spaces
    and order, so these don't count."""
    try:
        value = json.decode(arguments) if arguments.strip() else {}
    except ValueError:
        value = arguments
    plain = msgspec.json.encode([call_id, value], order="sorted")
    return hashlib.sha256(plain).hexdigest()

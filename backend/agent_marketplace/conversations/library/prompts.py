"""Prompts that a user keeps to ask again; `{{name}}` in one is a blank that the page asks for."""

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.clock import Clock
from agent_marketplace.conversations.library import store
from agent_marketplace.conversations.quota import within
from agent_marketplace.conversations.store import Row
from agent_marketplace.conversations.store import stored as stored_bytes
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.vault import CannotOpen, TextCipher, Vault

MAX_PROMPTS = 500
MAX_NAME = 100
MAX_TEXT = 100_000


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A kept prompt. Times in ms since the epoch."""

    prompt_id: str
    name: str
    text: str
    created_at: int
    updated_at: int


class Prompts:
    """All kept prompts. Methods raise NotFound for what isn't the user's. quota: bytes that a user may store; 0 = any."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, quota: int = 0) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._quota = quota

    async def list(self, user_id: str) -> list[Prompt]:
        """The one changed last first."""
        cipher = await self._vault.texts(user_id)
        return await self._db.read(lambda c: [_of(cipher, row) for row in store.prompts_of(c, user_id)])

    async def create(self, user_id: str, *, name: str, text: str) -> Prompt:
        """Raises BadRequest, StorageFull."""
        cipher, now, prompt_id = await self._vault.texts(user_id), self._clock.now_ms(), new_id("prompt")
        _check(name, text)
        values = {
            "prompt_id": prompt_id, "user_id": user_id, "created_at": now, "updated_at": now,
            "prompt_sealed": _sealed(cipher, prompt_id, name, text),
        }  # fmt: skip

        def work(connection: sa.Connection) -> None:
            if store.count_prompts(connection, user_id) >= MAX_PROMPTS:
                raise BadRequest(f"At most {MAX_PROMPTS} prompts are kept")
            before = stored_bytes(connection, user_id)
            after = store.add_prompt(connection, values)
            within(self._quota, after, after - before)

        await self._db.write(work)
        return Prompt(prompt_id=prompt_id, name=name, text=text, created_at=now, updated_at=now)

    async def change(self, user_id: str, prompt_id: str, *, name: str | None, text: str | None) -> Prompt:
        """None leaves what is. Raises BadRequest, StorageFull."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Prompt:
            row = store.prompt(connection, user_id, prompt_id)
            if row is None:
                raise NotFound("No such prompt")
            found = _of(cipher, row)
            changed = msgspec.structs.replace(
                found,
                name=found.name if name is None else name,
                text=found.text if text is None else text,
                updated_at=now,
            )
            _check(changed.name, changed.text)
            values = {
                "prompt_sealed": _sealed(cipher, prompt_id, changed.name, changed.text),
                "updated_at": now,
            }
            before = stored_bytes(connection, user_id)
            after = store.change_prompt(connection, row, values)
            within(self._quota, after, after - before)
            return changed

        return await self._db.write(work)

    async def delete(self, user_id: str, prompt_id: str) -> None:
        if not await self._db.write(lambda c: store.delete_prompt(c, user_id, prompt_id)):
            raise NotFound("No such prompt")


def _check(name: str, text: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise BadRequest(f"A prompt needs a name of at most {MAX_NAME} characters", extra={"field": "name"})
    if not text.strip() or len(text) > MAX_TEXT:
        raise BadRequest(f"A prompt needs a text of at most {MAX_TEXT:,} characters", extra={"field": "text"})


def _sealed(cipher: TextCipher, prompt_id: str, name: str, text: str) -> bytes:
    return cipher.seal(prompt_id, json.encode({"name": name, "text": text}).decode())


def _of(cipher: TextCipher, row: Row) -> Prompt:
    try:
        kept = json.decode(cipher.open(row.prompt_id, row.prompt_sealed))
    except CannotOpen:  # its key is gone: it can still be deleted
        kept = {"name": "(can't be decrypted)", "text": ""}
    return Prompt(
        prompt_id=row.prompt_id,
        name=kept["name"],
        text=kept["text"],
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

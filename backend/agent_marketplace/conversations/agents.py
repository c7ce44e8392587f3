"""Agents: named presets with versions. Favourites: the models a user marks."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.clock import Clock
from agent_marketplace.conversations import rows, store
from agent_marketplace.conversations.quota import within
from agent_marketplace.conversations.types import Agent
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.vault import TextCipher, Vault

MAX_AGENTS = 500
MAX_INSTRUCTIONS = 100_000  # characters
MAX_PARAMETERS = 20_000  # bytes of JSON
MAX_FAVOURITES = 1_000
_SEALED_AT_ONCE = 200  # rows a transaction
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Agents:
    """Agents of users.

    model_exists: whether a name can be called (besides `auto`)
    quota: bytes that a user may store, chats included; 0 = any
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        model_exists: Callable[[str], bool],
        *,
        quota: int = 0,
    ) -> None:
        self._quota = quota
        self._db = db
        self._vault = vault
        self._clock = clock
        self._model_exists = model_exists

    async def create(
        self,
        user_id: str,
        *,
        name: str,
        model: str,
        instructions: str = "",
        parameters: dict[str, Any] | None = None,
    ) -> Agent:
        """Raises BadRequest: name, model, instructions, parameters, or too many agents; StorageFull."""
        cipher, now, agent_id = await self._vault.texts(user_id), self._clock.now_ms(), new_id("agt")
        agent = Agent(
            agent_id=agent_id, version=1, name=name.strip(), model=model, instructions=instructions,
            parameters=parameters or {}, created_at=now, updated_at=now,
        )  # fmt: skip
        self._check(agent)

        def work(connection: sa.Connection) -> None:
            if store.count_agents(connection, user_id) >= MAX_AGENTS:
                raise BadRequest(f"At most {MAX_AGENTS} agents: delete one first")
            head = {
                "agent_id": agent_id,
                "user_id": user_id,
                "version": 1,
                "created_at": now,
                "updated_at": now,
            }
            store.add_agent(connection, head)
            self._add_version_in(connection, cipher, agent)

        await self._db.write(work)
        return agent

    async def update(
        self,
        user_id: str,
        agent_id: str,
        *,
        name: str | None = None,
        model: str | None = None,
        instructions: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> Agent:
        """A new version; None keeps what the current one has. Raises NotFound, BadRequest, StorageFull."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Agent:
            version = store.next_agent_version(connection, user_id, agent_id, now)
            if version is None:
                raise NotFound("No such agent")
            old = rows.agent_of(cipher, store.agent_rows(connection, user_id, agent_id, version - 1)[0])
            new = Agent(
                agent_id=agent_id,
                version=version,
                name=old.name if name is None else name.strip(),
                model=old.model if model is None else model,
                instructions=old.instructions if instructions is None else instructions,
                parameters=old.parameters if parameters is None else parameters,
                created_at=old.created_at,
                updated_at=now,
            )
            self._check(new)
            self._add_version_in(connection, cipher, new)
            return new

        return await self._db.write(work)

    def _add_version_in(self, connection: sa.Connection, cipher: TextCipher, agent: Agent) -> None:
        before = store.stored(connection, cipher.user_id)
        after = store.add_agent_version(connection, _version_values(cipher, agent))
        within(self._quota, after, after - before)

    async def get(self, user_id: str, agent_id: str, *, version: int | None = None) -> Agent:
        """The current version, or an earlier one. Raises NotFound."""
        cipher = await self._vault.texts(user_id)
        found = await self._db.read(lambda c: store.agent_rows(c, user_id, agent_id, version))
        if not found:
            raise NotFound("No such agent")
        return rows.agent_of(cipher, found[0])

    async def list(self, user_id: str) -> list[Agent]:
        """Current versions, the last changed first."""
        cipher = await self._vault.texts(user_id)
        return [
            rows.agent_of(cipher, row)
            for row in await self._db.read(lambda c: store.agent_rows(c, user_id, None, None))
        ]

    async def versions(self, user_id: str, agent_id: str) -> Sequence[Agent]:
        """All versions, newest first. Raises NotFound."""
        cipher = await self._vault.texts(user_id)
        found = await self._db.read(lambda c: store.agent_rows(c, user_id, agent_id, None, every=True))
        if not found:
            raise NotFound("No such agent")
        return [rows.agent_of(cipher, row) for row in found]

    async def delete(self, user_id: str, agent_id: str) -> None:
        """With all versions; conversations stay. Raises NotFound."""
        if not await self._db.write(lambda c: store.delete_agent(c, user_id, agent_id)):
            raise NotFound("No such agent")

    async def seal_parameters(self) -> int:
        """Seals the parameters that earlier versions kept in the open; returns how many rows."""
        done = 0
        while plain := await self._db.read(lambda c: store.plain_parameters(c, _SEALED_AT_ONCE)):
            ciphers = [await self._vault.texts(row.user_id) for row in plain]
            sealed = [
                (row, rows.seal_parameters(cipher, row.agent_id, row.version, row.parameters))
                for row, cipher in zip(plain, ciphers, strict=True)
            ]
            await self._db.write(partial(store.swap_parameters, sealed=sealed))
            done += len(sealed)
        return done

    def _check(self, agent: Agent) -> None:
        if not agent.name or len(agent.name) > 100 or not agent.name.isprintable():
            raise BadRequest("An agent needs a name of 1 to 100 printable characters")
        if agent.model != "auto" and not self._model_exists(agent.model):
            raise BadRequest("Model not found", code="model_not_found")
        if len(agent.instructions) > MAX_INSTRUCTIONS:
            raise BadRequest(f"Instructions may have at most {MAX_INSTRUCTIONS} characters")
        if not all(isinstance(key, str) and _PARAMETER.fullmatch(key) for key in agent.parameters):
            raise BadRequest("Parameter names are lower-case words like max_tokens")
        if len(json.encode(agent.parameters)) > MAX_PARAMETERS:
            raise BadRequest("The parameters are too large")


class Favourites:
    """Favourite models of users."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, user_id: str, model_id: str) -> None:
        """Once is enough. Raises BadRequest (too many)."""
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            if len(store.favourites_of(connection, user_id)) >= MAX_FAVOURITES:
                raise BadRequest(f"At most {MAX_FAVOURITES} favourites")
            store.add_favourite(connection, user_id, model_id, now)

        await self._db.write(work)

    async def remove(self, user_id: str, model_id: str) -> bool:
        """False if it was none."""
        return await self._db.write(lambda c: store.remove_favourite(c, user_id, model_id))

    async def list(self, user_id: str) -> list[str]:
        """Model ids, the last marked first."""
        return await self._db.read(lambda c: store.favourites_of(c, user_id))


def _version_values(cipher: TextCipher, agent: Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "version": agent.version,
        "user_id": cipher.user_id,
        "name": agent.name,
        "model": agent.model,
        "instructions_sealed": rows.seal_instructions(
            cipher, agent.agent_id, agent.version, agent.instructions
        ),
        "parameters": rows.seal_parameters(
            cipher, agent.agent_id, agent.version, json.encode(agent.parameters).decode()
        ),
        "created_at": agent.updated_at,
    }

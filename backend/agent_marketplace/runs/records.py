"""Runs in the database, as values: what is sealed, under which context, and what is written together.

Every row is durable before its effect: whoever returns from here may act.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import PayloadTooLarge
from agent_marketplace.ids import new_id
from agent_marketplace.runs import store
from agent_marketplace.runs.live import Live, parted
from agent_marketplace.runs.mcp import store as mcp_store
from agent_marketplace.runs.types import Approval, Context, Head, Step, kept
from agent_marketplace.vault import CannotOpen, TextCipher, Vault

T = TypeVar("T")


class Records:
    """All runs of an installation. quota: bytes that one user's runs may take, 0 = no limit."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, quota: int = 0) -> None:
        self._db = db
        self._quota = quota
        self._vault = vault
        self._clock = clock

    @staticmethod
    def erase_user_in(connection: sa.Connection, user_id: str) -> None:
        """Deletes everything of a user, inside the caller's transaction."""
        store.erase_user(connection, user_id)
        mcp_store.erase_user(connection, user_id)

    def within_quota(self, connection: sa.Connection, user_id: str) -> None:
        """Raises PayloadTooLarge (`storage_full`) where a user's runs take all that they may."""
        if self._quota and (size := store.stored(connection, user_id)) >= self._quota:
            raise PayloadTooLarge(
                "Your runs take all of the room that an account may store here: delete some of them",
                code="storage_full",
                extra={"stored_bytes": size, "quota_bytes": self._quota},
            )

    def now(self) -> int:
        return self._clock.now_ms()

    async def cipher(self, user_id: str) -> TextCipher:
        return await self._vault.texts(user_id)

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        return await self._db.read(fn)

    async def write(self, work: Callable[[sa.Connection], T], live: Live | None = None) -> T:
        """One durable transaction, with the events of `live` that are not stored yet; then they are told."""
        told = live.unsaved() if live is not None else None
        if live is None or told is None:
            return await self._db.write(work)
        first, text = told
        sealed = (await self.cipher(live.user_id)).seal(f"{live.id} events {first}", text)
        now = self.now()

        def both(connection: sa.Connection) -> T:
            found = work(connection)
            store.add_events(connection, live.id, first, sealed, now)
            return found

        done = await self._db.write(both)
        live.publish()
        return done

    async def head(self, run_id: str, user_id: str | None = None) -> Head:
        """Raises NotFound."""
        return await self._db.read(lambda c: store.find(c, run_id, user_id))

    async def touch(self, head: Head) -> None:
        """Has whoever looks at a run's head see that there is something new about it."""
        at = max(self.now(), head.updated_at + 1)
        await self.write(lambda c: store.change(c, head.run_id, updated_at=at))

    async def context(self, head: Head) -> Context:
        """Raises CannotOpen where its user's data key is gone."""
        text = (await self.cipher(head.user_id)).open(f"{head.run_id} context", head.context_sealed)
        return msgspec.json.decode(text, type=Context)

    async def steps(self, head: Head) -> list[Step]:
        """A run's steps, opened, in their order."""
        cipher = await self.cipher(head.user_id)
        rows = await self._db.read(lambda c: store.steps_of(c, head.run_id))
        return [opened(cipher, row) for row in rows]

    async def approvals(self, run_id: str) -> list[Approval]:
        return await self._db.read(lambda c: store.approvals_of(c, run_id))

    async def events(self, head: Head) -> list[tuple[int, bytes]]:
        """(number, event) of all that is stored."""
        cipher = await self.cipher(head.user_id)
        rows = await self._db.read(lambda c: store.events_of(c, head.run_id))
        batches = []
        for first, sealed in rows:
            try:
                batches.append((first, cipher.open(f"{head.run_id} events {first}", sealed)))
            except CannotOpen:
                continue
        return parted(batches)

    async def result(self, head: Head) -> str | None:
        """The answer of a run that has one."""
        if head.result_sealed is None:
            return None
        try:
            return (await self.cipher(head.user_id)).open(f"{head.run_id} result", head.result_sealed)
        except CannotOpen:
            return None


def opened(cipher: TextCipher, step: Step) -> Step:
    """The step with its texts; what does not open is None."""
    for name in ("args", "result"):
        sealed = getattr(step, f"{name}_sealed")
        if sealed is not None:
            try:
                setattr(step, name, cipher.open(f"{step.run_id} {step.n} {name}", bytes(sealed)))
            except CannotOpen:
                continue
    return step


def sealed(cipher: TextCipher, run_id: str, n: int, name: str, text: str) -> bytes:
    """A step's text: `name` is args or result."""
    return cipher.seal(f"{run_id} {n} {name}", text)


def run_row(
    cipher: TextCipher, context: Context, now: int, *, run_id: str = "", **given: Any
) -> dict[str, Any]:
    """The row of a new run; given: what differs from a run of nothing."""
    run_id = run_id or new_id("run")
    spec = context.spec
    row: dict[str, Any] = {
        "run_id": run_id, "root_run_id": run_id, "parent_run_id": None, "depth": 0, "kind": "agent",
        "user_id": cipher.user_id, "key_id": None, "agent_id": spec.agent_id, "agent_version": spec.version,
        "pin": spec.pin, "wire": "", "idem_key": None, "input_hash": "", "cap_nano": 0, "spent_nano": 0,
        "reserved_nano": 0, "own_nano": 0, "final_nano": 0, "fee_nano": 0,
        "tool_bytes": 0, "active_ms": 0, "state": "running",
        "stop_reason": "", "attended": 1, "cancel_asked": 0, "result_sealed": None, "epoch": 0,
        "lease_owner": None, "lease_until": None, "expires_at": None, "created_at": now, "updated_at": now,
        "ended_at": None,
    }  # fmt: skip
    stored = msgspec.structs.replace(context, spec=kept(spec))
    row["context_sealed"] = cipher.seal(f"{run_id} context", _encode(stored))
    return row | given


def as_head(row: Mapping[str, Any]) -> Head:
    """A new row as it will be read."""
    return Head(**{name: row[name] for name in Head.__struct_fields__})


def step_row(run_id: str, n: int, kind: str, name: str, now: int, **given: Any) -> dict[str, Any]:
    """The row of a new step."""
    return {
        "run_id": run_id, "n": n, "kind": kind, "name": name[:200], "asked_by": None, "call_id": "",
        "args_hash": "", "args_sealed": None, "result_sealed": None, "request_id": None, "state": "planned",
        "reserved_nano": 0, "cost_nano": 0, "payee": "", "error_class": "", "created_at": now,
        "started_at": None, "ended_at": None, **given,
    }  # fmt: skip


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


encode_text: Callable[[Any], str] = functools.partial(_encode)


def newest(steps: Sequence[Step]) -> int:
    """The number of the next step."""
    return steps[-1].n + 1 if steps else 0

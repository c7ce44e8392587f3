"""Evaluations of a user's: a set of prompts, one to four models, a budget, and what came of it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.arena.sets import store
from agent_marketplace.arena.sets.item_files import Item
from agent_marketplace.arena.types import Outcome
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.vault import CannotOpen, TextCipher, Vault

MOST_OF_A_USER = 20
FORSAKEN_MS = 300_000
"""Nobody works on an evaluation that has not moved for so long: its process died."""

_ID = re.compile(r"eva_[0-9a-z]{8,64}")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. n: of the item, from 1; place: of the model, from 0."""

    n: int
    place: int
    request_id: str
    outcome: Outcome


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """state: running, done, stopped, failed; reason: why it is not done, a stable code. Money in nano-dollars, times in ms."""

    evaluation_id: str
    name: str
    models: list[str]
    parameters: dict[str, Any]
    items: int
    budget_nano: int
    spent_nano: int
    state: str
    reason: str
    created_at: int
    answers: int
    failed: int
    by_model: dict[int, tuple[int, int, int]]
    """Place of a model -> (answers, failed ones, nano-dollars)."""


class Evaluations:
    """All evaluations. Methods raise NotFound for what isn't the user's."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    async def create(
        self, user_id: str, *, name: str, models: Sequence[str], parameters: dict[str, Any], budget_nano: int,
        items: Sequence[Item],
    ) -> Evaluation:  # fmt: skip
        """Raises Conflict (too many)."""
        cipher, now, place = await self._vault.texts(user_id), self._clock.now_ms(), new_id("eva")
        head = {
            "evaluation_id": place, "user_id": user_id, "name": name[:100], "items": len(items), "budget_nano": budget_nano,
            "state": "running", "reason": "", "beat_at": now, "created_at": now,
            "asked_sealed": _seal(cipher, place, {"models": list(models), "parameters": parameters}),
        }  # fmt: skip
        rows = [
            {
                "evaluation_id": place, "n": n, "user_id": user_id,
                "item_sealed": _seal(cipher, f"{place} {n}", msgspec.to_builtins(item)),
            }
            for n, item in enumerate(items, 1)
        ]  # fmt: skip

        def work(connection: sa.Connection) -> None:
            if store.count(connection, user_id) >= MOST_OF_A_USER:
                raise Conflict(f"At most {MOST_OF_A_USER} evaluations are kept: delete one")
            store.add(connection, head, rows)

        await self._db.write(work)
        return await self.get(user_id, place)

    async def get(self, user_id: str, evaluation_id: str) -> Evaluation:
        """With its progress."""
        if not _ID.fullmatch(evaluation_id):
            raise NotFound("No such evaluation")
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Evaluation:
            row = store.head(connection, user_id, evaluation_id)
            if row is None:
                raise NotFound("No such evaluation")
            return _evaluation(connection, cipher, row, now)

        return await self._db.read(work)

    async def of(self, user_id: str) -> list[Evaluation]:
        """A user's, newest first."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        return await self._db.read(
            lambda c: [_evaluation(c, cipher, row, now) for row in store.heads(c, user_id)]
        )

    async def pending(self, user_id: str, found: Evaluation) -> list[tuple[int, Item, list[int]]]:
        """Items with the places of the models that have not answered them, in order."""
        cipher, place = await self._vault.texts(user_id), found.evaluation_id

        def work(connection: sa.Connection) -> list[tuple[int, Item, list[int]]]:
            done, left = store.had(connection, place), []
            for row in store.items(connection, place, 0, found.items):
                n, sealed = row.n, row.item_sealed
                missing = [at for at in range(len(found.models)) if (n, at) not in done]
                value = _open(cipher, f"{place} {n}", sealed)
                if missing and value:
                    left.append((n, msgspec.convert(value, Item), missing))
            return left

        return await self._db.read(work)

    async def keep(self, user_id: str, evaluation_id: str, results: Iterable[Result]) -> bool:
        """Stores answers; False = it was stopped or deleted meanwhile: nobody should go on."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        rows = [
            {
                "evaluation_id": evaluation_id, "n": one.n, "place": one.place, "user_id": user_id, "request_id": one.request_id,
                "status": one.outcome.status, "cost_nano": one.outcome.cost_nano,
                "result_sealed": _seal(
                    cipher, f"{evaluation_id} {one.n} {one.place}",
                    {"content": one.outcome.content, "model": one.outcome.model, "extra": one.outcome.extra},
                ),
            }
            for one in results
        ]  # fmt: skip

        def work(connection: sa.Connection) -> bool:
            if store.head(connection, user_id, evaluation_id) is None:
                return False
            store.add_results(
                connection, rows
            )  # they were paid for, whatever became of the evaluation meanwhile
            return store.change_running(connection, user_id, evaluation_id, {"beat_at": now})

        return await self._db.write(work)

    async def end(self, user_id: str, evaluation_id: str, state: str, reason: str = "") -> None:
        """Ends one that runs."""
        values = {"state": state, "reason": reason[:40]}
        await self._db.write(lambda c: store.change_running(c, user_id, evaluation_id, values))

    async def resume(self, user_id: str, evaluation_id: str, budget_nano: int | None) -> None:
        """Lets one go on that does not run. Raises Conflict."""
        found = await self.get(user_id, evaluation_id)
        if found.state in ("running", "done"):
            raise Conflict(f"This evaluation is {found.state}")
        now = self._clock.now_ms()
        values: dict[str, Any] = {"state": "running", "reason": "", "beat_at": now}
        if budget_nano is not None:
            values["budget_nano"] = budget_nano
        before = now - FORSAKEN_MS
        if not await self._db.write(lambda c: store.restart(c, user_id, evaluation_id, before, values)):
            raise Conflict("This evaluation is running")

    async def delete(self, user_id: str, evaluation_id: str) -> None:
        """With its results."""
        await self.get(user_id, evaluation_id)
        await self._db.write(lambda c: store.delete(c, evaluation_id))

    async def prompts(self, user_id: str, found: Evaluation, after: int, limit: int) -> list[dict[str, Any]]:
        """The items after number `after`, at most `limit`: `{n, id, messages, expected}`; for the account's export."""
        cipher, place = await self._vault.texts(user_id), found.evaluation_id

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            rows = store.items(connection, place, after, after + limit)
            return [{"n": row.n, **_open(cipher, f"{place} {row.n}", row.item_sealed)} for row in rows]

        return await self._db.read(work)

    async def results(self, user_id: str, found: Evaluation, after: int, limit: int) -> list[dict[str, Any]]:
        """Lines of the items after number `after`, at most `limit` items."""
        cipher, place = await self._vault.texts(user_id), found.evaluation_id

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            items = {
                row.n: _open(cipher, f"{place} {row.n}", row.item_sealed)
                for row in store.items(connection, place, after, after + limit)
            }
            rows = store.results(connection, place, after, after + limit)
            return [_line(cipher, found, row, items.get(row.n) or {}) for row in rows]

        return await self._db.read(work)

    @staticmethod
    def erase_user_in(connection: sa.Connection, user_id: str) -> None:
        """Deletes a user's evaluations with the account."""
        store.erase_user(connection, user_id)


def _evaluation(connection: sa.Connection, cipher: TextCipher, row: Any, now: int) -> Evaluation:
    asked = _open(cipher, row.evaluation_id, row.asked_sealed)
    by_model = store.sums(connection, row.evaluation_id)
    forsaken = row.state == "running" and row.beat_at < now - FORSAKEN_MS
    return Evaluation(
        evaluation_id=row.evaluation_id,
        name=row.name,
        models=asked.get("models", []),
        parameters=asked.get("parameters", {}),
        items=row.items,
        budget_nano=row.budget_nano,
        spent_nano=sum(nano for _, _, nano in by_model.values()),
        state="stopped" if forsaken else row.state,
        reason="interrupted" if forsaken else row.reason,
        created_at=row.created_at,
        answers=sum(answers for answers, _, _ in by_model.values()),
        failed=sum(failed for _, failed, _ in by_model.values()),
        by_model=by_model,
    )


def _line(cipher: TextCipher, found: Evaluation, row: Any, item: dict[str, Any]) -> dict[str, Any]:
    result = _open(cipher, f"{found.evaluation_id} {row.n} {row.place}", row.result_sealed)
    extra, expected = result.get("extra") or {}, item.get("expected") or ""
    answer = result.get("content") or ""
    return {
        "n": row.n,
        "id": item.get("id"),
        "asked": found.models[row.place] if row.place < len(found.models) else None,
        "model": result.get("model"),
        "status": row.status,
        "answer": answer,
        "expected": expected or None,
        "as_expected": expected.casefold().strip() in answer.casefold() if expected else None,
        "cost_nano": row.cost_nano,
        "usage": extra.get("usage") or {},
        "timings": extra.get("timings") or {},
        "error": extra.get("error"),
        "request_id": row.request_id,
    }


def _seal(cipher: TextCipher, context: str, value: Any) -> bytes:
    return cipher.seal(context, json.encode(value).decode())


def _open(cipher: TextCipher, context: str, sealed: bytes) -> dict[str, Any]:
    """What was sealed; {} where its key is gone."""
    try:
        opened: dict[str, Any] = json.decode(cipher.open(context, sealed))
    except CannotOpen:
        return {}
    return opened

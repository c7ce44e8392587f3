"""Comparisons of a user's: one question, two to four answers, one vote while nobody has been told whose answer is whose."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.arena import store
from agent_marketplace.arena.named import names_itself
from agent_marketplace.arena.types import (
    BOTH_BAD,
    CRITERIA,
    TIE,
    WAITS_MS,
    Answer,
    Comparison,
    NewAnswer,
    NewComparison,
    Outcome,
)
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound, PayloadTooLarge
from agent_marketplace.vault import CannotOpen, TextCipher, Vault

MOST_VEILED = 200
MAX_REASON = 2_000
_ID = re.compile(r"cmp_[0-9a-z]{8,64}")


class Comparisons:
    """All comparisons. Methods raise NotFound for what isn't the user's. quota: bytes that a user's may take; 0 = any."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, quota: int = 0) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._quota = quota

    async def create(self, user_id: str, new: NewComparison, sides: Sequence[NewAnswer]) -> Comparison:
        """Stores what has been asked. Raises PayloadTooLarge (quota), Conflict (too many wait for their vote)."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        head = {
            "comparison_id": new.comparison_id, "user_id": user_id, "blind": new.blind, "task": new.task[:40],
            "after_id": new.after_id, "criteria": "", "named": False, "created_at": now,
            "prompt_sealed": _seal(
                cipher, new.comparison_id, {"messages": new.messages, "parameters": new.parameters}
            ),
        }  # fmt: skip
        rows = [_side(cipher, new.comparison_id, user_id, side) for side in sides]

        def work(connection: sa.Connection) -> Comparison:
            if new.blind and len(store.veiled(connection, user_id, now)) >= MOST_VEILED:
                raise Conflict(
                    "Too many blind comparisons wait for their vote: vote on some, or have them revealed"
                )
            store.add(connection, head, rows)
            self._within_quota(connection, user_id)
            return self._get(connection, cipher, user_id, new.comparison_id, now)

        return await self._db.write(work)

    def check_id(self, comparison_id: str) -> str:
        """Raises NotFound for what was never an id of ours."""
        if not _ID.fullmatch(comparison_id):
            raise NotFound("No such comparison")
        return comparison_id

    async def get(self, user_id: str, comparison_id: str) -> Comparison:
        """With its answers; one whose process died is shown as failed."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()
        self.check_id(comparison_id)
        return await self._db.read(lambda c: self._get(c, cipher, user_id, comparison_id, now))

    async def list(self, user_id: str, before: Sequence[int | str] | None, limit: int) -> list[Comparison]:
        """Newest first. before: (created_at, id) of the last one that was shown."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> list[Comparison]:
            heads = store.heads(connection, user_id, before, limit)
            sides = store.sides(connection, [row.comparison_id for row in heads])
            return [_comparison(cipher, row, sides.get(row.comparison_id, []), now) for row in heads]

        return await self._db.read(work)

    async def finish(
        self, user_id: str, comparison_id: str, side: str, run_id: str, outcome: Outcome
    ) -> None:
        """Keeps how a run's answer ended; nothing where the side has another run or is gone."""
        cipher = await self._vault.texts(user_id)
        sealed = {"content": outcome.content, "extra": outcome.extra}
        values: dict[str, Any] = {
            "status": outcome.status,
            "cost_nano": outcome.cost_nano,
            "characters": len(outcome.content),
            "content_sealed": _seal(cipher, f"{comparison_id} {side}", sealed),
        }
        values |= {
            name: value
            for name, value in (("model", outcome.model), ("provider", outcome.provider))
            if value is not None
        }
        await self._db.write(lambda c: store.change_side(c, comparison_id, side, run_id, values))

    async def restart(self, user_id: str, comparison_id: str, new: NewAnswer) -> Comparison:
        """Puts another run in a side's place. Raises Conflict: it runs, it is voted on, or (blind) it had an answer already."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Comparison:
            self._locked(connection, user_id, comparison_id)
            found = self._get(connection, cipher, user_id, comparison_id, now)
            may_restart(found, new.side)
            before = found.answer(new.side)
            row = _side(cipher, comparison_id, user_id, new)
            store.change_side(connection, comparison_id, new.side, before.run_id if before else "", row)
            return self._get(connection, cipher, user_id, comparison_id, now)

        return await self._db.write(work)

    async def vote(
        self,
        user_id: str,
        comparison_id: str,
        vote: str,
        *,
        criteria: Sequence[str] = (),
        reason: str = "",
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> Comparison:
        """One vote, before anything is revealed; it reveals all. names: model -> what would give it away in an answer.

        Raises BadRequest (no such side or criterion), Conflict (voted, revealed, still running, fewer than two answers).
        """
        if unknown := sorted(set(criteria) - set(CRITERIA)):
            raise BadRequest(f"Unknown criterion {unknown[0][:40]!r}; known: {', '.join(CRITERIA)}")
        if len(reason) > MAX_REASON:
            raise BadRequest(f"reason must be a text of at most {MAX_REASON} characters")
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Comparison:
            self._locked(connection, user_id, comparison_id)
            found = self._get(connection, cipher, user_id, comparison_id, now)
            _may_vote(found, vote)
            values: dict[str, Any] = {
                "vote": vote,
                "criteria": " ".join(sorted(set(criteria))),
                "named": names_itself(found, names or {}),
                "voted_at": now,
                "revealed_at": now,
            }
            if reason.strip():
                values["reason_sealed"] = _seal(cipher, f"{comparison_id} reason", reason.strip())
            store.change(connection, comparison_id, values)
            store.keep_costs(connection, comparison_id)
            return self._get(connection, cipher, user_id, comparison_id, now)

        return await self._db.write(work)

    async def reveal(self, user_id: str, comparison_id: str) -> Comparison:
        """Tells whose answer is whose; there is no vote after it."""
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Comparison:
            head = self._locked(connection, user_id, comparison_id)
            if head.revealed_at is None:
                store.change(connection, comparison_id, {"revealed_at": now})
            return self._get(connection, cipher, user_id, comparison_id, now)

        return await self._db.write(work)

    async def delete(self, user_id: str, comparison_id: str) -> None:
        """With its answers and its vote."""
        self.check_id(comparison_id)
        if not await self._db.write(lambda c: store.delete(c, user_id, comparison_id)):
            raise NotFound("No such comparison")

    @staticmethod
    def may_restart(found: Comparison, side: str) -> Answer:
        """The answer in whose place another may be asked for. Raises NotFound (side), Conflict."""
        return may_restart(found, side)

    async def veiled(self, user_id: str) -> frozenset[str]:
        """Request ids of answers whose model is not to be told yet."""
        now = self._clock.now_ms()
        return await self._db.read(lambda c: store.veiled(c, user_id, now))

    @staticmethod
    def erase_user_in(connection: sa.Connection, user_id: str) -> None:
        """Deletes a user's comparisons and votes with the account."""
        store.erase_user(connection, user_id)

    def _locked(self, connection: sa.Connection, user_id: str, comparison_id: str) -> store.Row:
        head = store.head(connection, user_id, self.check_id(comparison_id), lock=True)
        if head is None:
            raise NotFound("No such comparison")
        return head

    def _get(
        self, connection: sa.Connection, cipher: TextCipher, user_id: str, comparison_id: str, now: int
    ) -> Comparison:
        head = store.head(connection, user_id, comparison_id)
        if head is None:
            raise NotFound("No such comparison")
        sides = store.sides(connection, [comparison_id]).get(comparison_id, [])
        running = [row.request_id for row in sides if row.status == "running"]
        lost = store.lost(connection, running) if running else frozenset[str]()
        return _comparison(cipher, head, sides, now, lost)

    def _within_quota(self, connection: sa.Connection, user_id: str) -> None:
        if self._quota and store.stored(connection, user_id) > self._quota:
            raise PayloadTooLarge(
                "Your comparisons take all of the room that an account may store here: delete some of them",
                code="storage_full",
            )


def may_restart(found: Comparison, side: str) -> Answer:
    """The answer in whose place another may be asked for. Raises NotFound (side), Conflict."""
    answer = found.answer(side)
    if answer is None:
        raise NotFound("No such answer")
    if answer.status == "running":
        raise Conflict("This answer is still running: stop it first")
    if found.vote is not None:
        raise Conflict("This comparison has been voted on: ask in a new one")
    if found.veiled and answer.status == "ok":
        raise Conflict("Of a blind comparison only an answer that failed can be asked for again")
    return answer


def _may_vote(found: Comparison, vote: str) -> None:
    whole = {a.side for a in found.answers if a.status == "ok" and a.content.strip()}
    if vote not in (TIE, BOTH_BAD) and found.answer(vote) is None:
        raise BadRequest(f"vote must be the side of an answer, {TIE} or {BOTH_BAD}")
    if found.vote is not None:
        raise Conflict("This comparison has its vote", code="already_voted")
    if not found.veiled:
        raise Conflict("This comparison is revealed: there is no vote after that", code="revealed")
    if any(a.status == "running" for a in found.answers):
        raise Conflict("Wait until every answer has ended, or stop it", code="still_running")
    if len(whole) < 2:
        raise Conflict("There are no two whole answers to compare", code="nothing_to_compare")
    if vote not in (TIE, BOTH_BAD) and vote not in whole:
        raise Conflict("This answer is not whole: vote for one that is", code="nothing_to_compare")


def _seal(cipher: TextCipher, context: str, value: Any) -> bytes:
    return cipher.seal(context, json.encode(value).decode())


def _side(cipher: TextCipher, comparison_id: str, user_id: str, new: NewAnswer) -> dict[str, Any]:
    return {
        "comparison_id": comparison_id, "side": new.side, "user_id": user_id, "run_id": new.run_id,
        "request_id": new.request_id, "asked": new.asked, "model": new.model, "provider": new.provider,
        "status": new.status, "cost_nano": 0, "characters": 0,
        "content_sealed": _seal(cipher, f"{comparison_id} {new.side}", {"content": "", "extra": new.extra}),
    }  # fmt: skip


def _comparison(
    cipher: TextCipher,
    head: store.Row,
    sides: Sequence[store.Row],
    now: int,
    lost: frozenset[str] = frozenset(),
) -> Comparison:
    veiled = bool(head.blind) and head.revealed_at is None and head.created_at > now - WAITS_MS
    prompt, readable = _open(cipher, head.comparison_id, head.prompt_sealed)
    reason = ""
    if head.reason_sealed is not None:
        reason, _ = _open(cipher, f"{head.comparison_id} reason", head.reason_sealed)
    return Comparison(
        comparison_id=head.comparison_id,
        blind=head.blind,
        task=head.task,
        after_id=head.after_id,
        messages=prompt.get("messages", []),
        parameters=prompt.get("parameters", {}),
        created_at=head.created_at,
        veiled=veiled,
        vote=head.vote,
        criteria=tuple(head.criteria.split()),
        reason=reason or "",
        voted_at=head.voted_at,
        revealed_at=head.revealed_at,
        answers=tuple(_answer(cipher, row, row.request_id in lost) for row in sides),
        readable=readable,
    )


def _answer(cipher: TextCipher, row: store.Row, lost: bool) -> Answer:
    sealed, _ = _open(cipher, f"{row.comparison_id} {row.side}", row.content_sealed)
    extra: dict[str, Any] = sealed.get("extra", {})
    if lost:
        extra = {**extra, "error": {"code": "lost", "error": "The server ended before the answer did"}}
    return Answer(
        side=row.side,
        asked=row.asked,
        model=row.model,
        run_id=row.run_id,
        request_id=row.request_id,
        provider=row.provider,
        status="failed" if lost else row.status,
        content=sealed.get("content", ""),
        cost_nano=row.cost_nano,
        extra=extra,
    )


def _open(cipher: TextCipher, context: str, sealed: bytes) -> tuple[Any, bool]:
    """What was sealed; {} and False where its key is gone."""
    try:
        return json.decode(cipher.open(context, sealed)), True
    except CannotOpen:
        return {}, False

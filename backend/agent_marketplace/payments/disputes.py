"""Disputes of answers: a written rule gives back at once what was charged, else an administrator decides with the receipt at hand.

Rules read the receipt alone: nobody looks at a prompt. What is given back is the reversal of the answer's own postings.
"""

from collections.abc import Callable, Mapping

import msgspec
import sqlalchemy as sa

from agent_marketplace.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.ledger import Ledger, UsageRecord
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.mail import Mail
from agent_marketplace.payments import store, told
from agent_marketplace.payments.types import Dispute, Why

WINDOW_DAYS = 30
Resolve = Callable[[str], str | None]


def rule_of(record: UsageRecord, resolve: Resolve) -> str:
    """The rule that gives this answer's charge back at once; empty = none does. resolve: a model's name -> its id."""
    detail = record.detail
    if record.status in ("ok", "partial") and not record.usage.output and detail.get("finish_reason"):
        return "no output"
    error = detail.get("error") or {}
    if record.status == "partial" and error and "words" not in error:
        return "provider failed"
    asked = detail.get("requested_model")
    chosen = any(detail.get(name) is not None for name in ("fallback", "auto", "agent"))
    if asked and not chosen and resolve(asked) not in (None, record.model):
        return "other model"
    return ""


class Disputes:
    """Answers that somebody wants their money back for."""

    def __init__(
        self, db: Database, ledger: Ledger, admin: Admin, resolve: Resolve, clock: Clock, mail: Mail
    ) -> None:
        self._mail = mail
        self._db = db
        self._ledger = ledger
        self._admin = admin
        self._resolve = resolve
        self._clock = clock

    async def open(self, user_id: str, request_id: str, why: Why, words: str) -> Dispute:
        """Asks for an answer's money, once; a repeat gives what became of the first. Raises NotFound, BadRequest (it cost nothing,
        it is too long ago)."""

        def work(connection: sa.Connection) -> Dispute:
            store.lock_wallet(connection, user_id)
            record = self._ledger.receipt_in(connection, request_id, user_id)
            if (before := store.dispute(connection, request_id)) is not None:
                return before
            now = self._clock.now_ms()
            if not record.charge_nano:
                raise BadRequest("This answer cost nothing", code="no_charge")
            if record.created_at < now - WINDOW_DAYS * DAY_MS:
                raise BadRequest(f"This answer is more than {WINDOW_DAYS} days old", code="too_late")
            rule = rule_of(record, self._resolve)
            if rule:
                self._ledger.give_back_in(connection, user_id, request_id, f"answer disputed: {rule}")
            found = Dispute(
                request_id=request_id, user_id=user_id, why=why, words=words, state="granted" if rule else "open", rule=rule,
                nano=record.charge_nano, decided_by="rule" if rule else "", reason="", created_at=now,
                closed_at=now if rule else None,
            )  # fmt: skip
            store.add_dispute(connection, found)
            return found

        return await self._db.write(work)

    async def decide(self, by: Actor, request_id: str, *, grant: bool, reason: str) -> Dispute:
        """An administrator's decision, once. Raises NotFound, Conflict (it was decided otherwise)."""
        state = "granted" if grant else "refused"

        def work(connection: sa.Connection) -> Dispute:
            if (found := store.dispute(connection, request_id, lock=True)) is None:
                raise NotFound("No such dispute")
            if found.state != "open":
                if found.state != state:
                    raise Conflict(f"This was {found.state} before")
                return found
            if grant:
                self._ledger.give_back_in(connection, found.user_id, request_id, "answer disputed")
            closed = msgspec.structs.replace(
                found, state=state, decided_by=by.name, reason=reason[:500], closed_at=self._clock.now_ms()
            )
            store.close_dispute(connection, closed)
            told.dispute_in(connection, self._mail, closed)
            self._admin.record_in(
                connection,
                by,
                "answer dispute",
                request_id,
                {"state": "open"},
                {"state": state, "nano": found.nano},
                reason,
            )
            return closed

        return await self._db.write(work)

    async def find(self, where: Mapping[str, str], before: int | None, limit: int) -> list[Dispute]:
        """Newest first. where: user_id, state."""
        return await self._db.read(lambda c: store.find_disputes(c, where, before, limit))

    async def get(self, user_id: str | None, request_id: str) -> Dispute:
        """One of them; user_id None: anybody's. Raises NotFound."""
        found = await self._db.read(lambda c: store.dispute(c, request_id))
        if found is None or user_id not in (None, found.user_id):
            raise NotFound("No such dispute")
        return found

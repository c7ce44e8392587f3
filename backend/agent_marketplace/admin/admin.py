"""Acts on other people's accounts. Each is one transaction together with its line in the audit log."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.accounts.ai_auth_service import AIAuthService
from agent_marketplace.accounts.principal import Role
from agent_marketplace.admin import store
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import NEVER, Balance, Ledger, Terms, digest, dollars, once_in
from agent_marketplace.ledger.lots import DAY_MS

COMMAND_LINE = "command line"


class Actor(msgspec.Struct, frozen=True):
    """Who acts: an administrator's user id, or whoever has the server's command line."""

    name: str
    request_id: str

    @classmethod
    def at_the_command_line(cls) -> "Actor":
        """The operator, who needs no account."""
        return cls(COMMAND_LINE, new_id("cli"))


class Admin:
    """The administrators' acts."""

    def __init__(self, db: Database, ledger: Ledger, auth: AIAuthService, clock: Clock) -> None:
        self._db = db
        self._ledger = ledger
        self._auth = auth
        self._clock = clock

    async def credit(
        self,
        by: Actor,
        user_id: str,
        amount_nano: int,
        *,
        reason: str,
        terms: Terms,
        idempotency_key: str | None = None,
    ) -> Balance:
        """Gives credit, once per idempotency key (of this actor). Raises NotFound, BadRequest, IdempotencyMismatch."""
        if amount_nano <= 0:
            raise BadRequest("The amount must be more than 0")

        def work(connection: sa.Connection) -> Balance:
            def effect() -> bool:
                self.credit_in(connection, by, user_id, amount_nano, reason, terms)
                return True

            same = digest(user_id, amount_nano, reason, terms.paid)
            once_in(connection, f"admin:{by.name}", idempotency_key, same, self._clock.now_ms(), effect)
            return self._ledger.balance_in(connection, user_id)

        return await self._db.write(work)

    def credit_in(
        self, connection: sa.Connection, by: Actor, user_id: str, amount_nano: int, reason: str, terms: Terms
    ) -> None:
        """Gives credit, with its line in the audit log, in the caller's transaction. Raises NotFound."""
        before = self._ledger.balance_in(connection, user_id)
        after = self._ledger.grant_in(
            connection, user_id, amount_nano, kind="credit", memo=reason, terms=terms
        )
        now = _money(after) | {"paid": terms.paid}
        self.record_in(connection, by, "credit", user_id, _money(before), now, reason)

    async def set_role(self, by: Actor, user_id: str, role: Role, *, reason: str) -> None:
        """Makes somebody an administrator or a plain user. Raises NotFound, BadRequest (the only administrator)."""

        def work(connection: sa.Connection) -> None:
            before = self._auth.set_role_in(connection, user_id, role)
            self.record_in(connection, by, "role", user_id, {"role": before}, {"role": role}, reason)

        await self._db.write(work)
        self._auth.forget(user_id)

    async def trust(self, by: Actor, user_id: str, *, trusted: bool, reason: str) -> None:
        """Lets an account's own keys, local and free calls count in ratings and votes, or no longer. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if store.role_of(connection, user_id) is None:
                raise NotFound("No such user")
            before = store.set_trusted(connection, user_id, self._clock.now_ms() if trusted else None)
            self.record_in(
                connection, by, "trust", user_id, {"trusted": before}, {"trusted": trusted}, reason
            )

        await self._db.write(work)

    async def end_sessions(self, by: Actor, user_id: str, *, reason: str) -> int:
        """Signs somebody out everywhere. Returns how many sessions ended. Raises NotFound."""

        def work(connection: sa.Connection) -> int:
            ended = self._auth.end_sessions_in(connection, user_id)
            self.record_in(connection, by, "end sessions", user_id, {}, {"ended": ended}, reason)
            return ended

        ended = await self._db.write(work)
        self._auth.forget(user_id)
        return ended

    async def suspend(self, by: Actor, user_ids: Sequence[str], *, suspended: bool, reason: str) -> None:
        """Stops accounts, or lets them in again, all or none: their sessions end, their keys are refused at once here and within
        a second elsewhere. Raises NotFound, Conflict (an administrator's)."""
        at = self._clock.now_ms() if suspended else None

        def work(connection: sa.Connection) -> None:
            for user_id in user_ids:
                role = store.suspend(connection, user_id, at)
                if role is None:
                    raise NotFound("No such user")
                if role != "user":
                    raise Conflict("An administrator can't be suspended: make them a plain user first")
                if suspended:
                    self._auth.end_sessions_in(connection, user_id)
                act = "suspend" if suspended else "let in again"
                self.record_in(connection, by, act, user_id, {}, {"suspended": suspended}, reason)

        await self._db.write(work)
        for user_id in user_ids:
            self._auth.forget(user_id)

    async def people(self, words: str, after: str | None, limit: int) -> list[store.Found]:
        """Accounts whose address or id contains `words`, by address; after: only addresses behind this one."""
        return await self._db.read(lambda c: store.people(c, words, after, limit))

    async def audit(self, where: Mapping[str, str], cursor: int | None, limit: int) -> list[store.AuditLine]:
        """Acts, newest first. where: actor, act, object; cursor: only those before this number."""
        return await self._db.read(lambda c: store.audit(c, where, cursor, limit))

    async def whole_audit(self) -> list[store.AuditLine]:
        """Every act, oldest first."""
        return await self._db.read(store.whole_audit)

    def record_in(
        self,
        connection: sa.Connection,
        by: Actor,
        act: str,
        object_: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        reason: str,
    ) -> None:
        """Adds the act's line inside its own transaction."""
        if not reason.strip():
            raise BadRequest("A reason is needed: it stands in the audit log")
        store.record(
            connection, self._ledger.acts_key, self._clock.now_ms(), by.name, act, object_, before, after, reason, by.request_id
        )  # fmt: skip


def credit_terms(now: int, *, gift: bool, days: int | None) -> Terms:
    """What a grant is: paid for unless it is a gift, without an end unless it is good for so many days. now: ms."""
    ends = NEVER if days is None else now + days * DAY_MS
    return Terms(paid=not gift, source="grant", expires_at=ends)


def _money(balance: Balance) -> dict[str, str]:
    return {"balance": format(dollars(balance.balance), "f")}

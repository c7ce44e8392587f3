"""Administrators and other people's access: sessions and keys that end, credit for many at once. Each act is one transaction
together with its line in the audit log."""

from collections.abc import Sequence

import sqlalchemy as sa

from agent_marketplace.accounts import store as accounts
from agent_marketplace.accounts.ai_auth_service import AIAuthService
from agent_marketplace.accounts.keys import MarketplaceKey, MarketplaceKeys
from agent_marketplace.accounts.store import SessionRow
from agent_marketplace.admin import store
from agent_marketplace.admin.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ledger import Terms, digest, once_in


class PeopleDesk:
    """Acts on the access of single people, and on many people at once."""

    def __init__(
        self,
        db: Database,
        admin: Admin,
        auth: AIAuthService,
        keys: MarketplaceKeys,
        clock: Clock,
    ) -> None:
        self._db = db
        self._admin = admin
        self._auth = auth
        self._keys = keys
        self._clock = clock

    async def person(self, user_id: str) -> store.Found:
        """One account. Raises NotFound."""
        found = await self._db.read(lambda c: store.person(c, user_id))
        if found is None:
            raise NotFound("No such user")
        return found

    async def access(self, user_id: str) -> tuple[list[SessionRow], list[MarketplaceKey]]:
        """Their live sessions and keys, newest first; no key's text. Raises NotFound."""
        await self.person(user_id)
        return await self._auth.sessions(user_id), await self._keys.list(user_id)

    async def end_session(self, by: Actor, user_id: str, session_id: str, *, reason: str) -> None:
        """Ends one session: at once here, within a second elsewhere. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if not accounts.revoke_session(connection, user_id, session_id, self._clock.now_ms()):
                raise NotFound("No such session")
            self._admin.record_in(connection, by, "end session", user_id, {"session": session_id}, {}, reason)

        await self._db.write(work)
        self._auth.forget(user_id)

    async def revoke_key(self, by: Actor, user_id: str, key_id: str, *, reason: str) -> None:
        """Revokes one key: at once here, within a second elsewhere. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            self._keys.revoke_in(connection, user_id, key_id)
            self._admin.record_in(connection, by, "revoke key", user_id, {"key": key_id}, {}, reason)

        await self._db.write(work)
        self._keys.forget(key_id)

    async def credit(
        self,
        by: Actor,
        user_ids: Sequence[str],
        amount_nano: int,
        *,
        reason: str,
        terms: Terms,
        idempotency_key: str | None,
    ) -> None:
        """Gives each of them the same credit, all or none, once per idempotency key. Raises NotFound, BadRequest,
        IdempotencyMismatch."""
        users = list(dict.fromkeys(user_ids))
        if amount_nano <= 0:
            raise BadRequest("The amount must be more than 0")

        def effect(connection: sa.Connection) -> bool:
            for user_id in sorted(users):  # always in the same order: two such acts never wait for each other
                self._admin.credit_in(connection, by, user_id, amount_nano, reason, terms)
            return True

        def work(connection: sa.Connection) -> None:
            same = digest(*sorted(users), amount_nano, reason, terms.paid)
            now = self._clock.now_ms()
            once_in(connection, f"admin:{by.name}", idempotency_key, same, now, lambda: effect(connection))

        await self._db.write(work)

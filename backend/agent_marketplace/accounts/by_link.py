"""What somebody may do who was sent a link: choose a new password, confirm an address."""

import sqlalchemy as sa

from agent_marketplace.accounts import store
from agent_marketplace.accounts.ai_auth_service import AIAuthService
from agent_marketplace.accounts.emails import normalise_email
from agent_marketplace.accounts.errors import InvalidEmail
from agent_marketplace.accounts.limits import Limits
from agent_marketplace.accounts.links import Links
from agent_marketplace.accounts.signup_credit import SignUpCredit
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database


class ByLink:
    """Forgotten passwords and confirmed addresses."""

    def __init__(
        self,
        db: Database,
        auth: AIAuthService,
        links: Links,
        credit: SignUpCredit,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._db = db
        self._auth = auth
        self.links = links
        self._credit = credit
        self._limits = limits
        self._clock = clock

    async def forgot(self, email: str, *, address: str | None = None) -> None:
        """Mails a link to choose a new password to an address that has an account. Does and says the same for one that has none.

        Raises RateLimited (of the caller's network address).
        """
        try:
            email = normalise_email(email)
        except InvalidEmail:
            return
        may_be_sent = self._limits.forgot(email, address)

        def work(connection: sa.Connection) -> None:
            row = store.user_by_email(connection, email)
            self.links.send_in(connection, "reset", row.user_id if row is not None and may_be_sent else "")

        await self._db.write(work)

    async def reset_password(self, token: str, new: str, *, revoke_keys: bool = False) -> None:
        """The bearer of a link chooses a password, once; every session ends, and every marketplace key if asked to.

        Raises BadRequest (the link is used, expired or none), WeakPassword.
        """
        link = await self._db.read(lambda c: self.links.open_in(c, "reset", token))
        await self._auth.set_password(
            link.user_id, new, revoke_keys=revoke_keys, first=lambda c: self.links.use_in(c, "reset", token)
        )

    async def confirm(self, token: str, *, address: str | None = None) -> int:
        """The address is its owner's: the sign-up credit is given, once. Returns it, nano-dollars. Raises BadRequest."""

        def work(connection: sa.Connection) -> int:
            link = self.links.use_in(connection, "confirm", token)
            row = store.user(connection, link.user_id)
            assert row is not None  # links go with their account
            return self._credit.give_in(connection, row.email, address, row.user_id, self._clock.now_ms())

        return await self._db.write(work)

    async def unconfirmed(self, user_id: str) -> bool:
        """Whether their address waits to be confirmed."""
        return await self._db.read(lambda c: self.links.unconfirmed_in(c, user_id))

    async def confirm_again(self, user_id: str) -> bool:
        """Sends the link to confirm again. False: there is nothing to confirm, or one was sent within the hour."""
        return await self._db.write(lambda c: self.links.again_in(c, user_id))

"""What administrators see and do about mail, and links that they hand on where there is none."""

import sqlalchemy as sa

from agent_marketplace.accounts import store as people
from agent_marketplace.accounts.links import Links, Made
from agent_marketplace.admin.admin import Actor, Admin
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.mail import LINK_KINDS, Mail


class MailDesk:
    """Each act is one transaction together with its line in the audit log, which holds no link."""

    def __init__(self, db: Database, admin: Admin, mail: Mail, links: Links) -> None:
        self._db = db
        self._admin = admin
        self._mail = mail
        self._links = links

    async def again(self, by: Actor, mail_id: str, *, reason: str) -> None:
        """Tries a mail that failed anew. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> None:
            self._mail.again_in(connection, mail_id)
            self._admin.record_in(connection, by, "send mail again", mail_id, {}, {}, reason)

        await self._db.write(work)

    async def link(self, by: Actor, mail_id: str, *, reason: str) -> Made:
        """The link of a mail that was not sent, to hand on. Raises NotFound, Conflict (it was mailed, used, or has expired)."""

        def work(connection: sa.Connection) -> Made:
            row = self._mail.row_in(connection, mail_id)
            if row.link_id is None or row.kind not in LINK_KINDS:
                raise NotFound("This mail has no link")
            if row.state == "sent":
                raise Conflict("This link was mailed to its owner")
            if row.link_used_at is not None or (row.link_ends_at or 0) <= self._mail.now_ms():
                raise Conflict("This link was used or has expired")
            after = {"kind": row.kind, "to": row.user_id}
            self._admin.record_in(connection, by, "show link", mail_id, {}, after, reason)
            return Made(self._mail.link(row.kind, row.link_id), row.link_ends_at or 0)

        return await self._db.write(work)

    async def reset_link(self, by: Actor, user_id: str, *, reason: str) -> Made:
        """A link by which somebody chooses a new password, to hand on. Raises NotFound."""

        def work(connection: sa.Connection) -> Made:
            if people.user(connection, user_id) is None:
                raise NotFound("No such user")
            made = self._links.make_in(connection, user_id, by.name)
            self._admin.record_in(connection, by, "reset link", user_id, {}, {}, reason)
            return made

        return await self._db.write(work)

"""Single-use links of accounts: to choose a new password, to confirm an address. Their tokens are made when they are needed."""

import msgspec
import sqlalchemy as sa

from agent_marketplace.accounts import store
from agent_marketplace.clock import Clock
from agent_marketplace.errors import BadRequest
from agent_marketplace.ids import new_id
from agent_marketplace.mail import Mail, read_token

RESET_MS = 3_600_000
BY_ADMIN_MS = 24 * 3_600_000
CONFIRM_MS = 3 * 24 * 3_600_000
_AGAIN_MS = 3_600_000


class Made(msgspec.Struct, frozen=True):
    """A link to hand on. url: whole, or a path on this server where its public address is not known; ends_at: ms."""

    url: str
    ends_at: int


class Links:
    """Links of all accounts. pepper: what their tokens are keyed with."""

    def __init__(self, mail: Mail, pepper: bytes, clock: Clock) -> None:
        self._mail = mail
        self._pepper = pepper
        self._clock = clock

    def send_in(self, connection: sa.Connection, kind: str, user_id: str) -> None:
        """Makes a link and mails it; without mail the administrator sees it. user_id empty: nobody has the address, and nothing
        is sent."""
        link_id = self._add(connection, kind, user_id, "", RESET_MS if kind == "reset" else CONFIRM_MS)
        if user_id:
            self._mail.post_in(connection, kind, user_id, {}, link_id=link_id)

    def make_in(self, connection: sa.Connection, user_id: str, by: str) -> Made:
        """A link to choose a new password that an administrator hands on."""
        link_id = self._add(connection, "reset", user_id, by, BY_ADMIN_MS)
        return Made(self._mail.link("reset", link_id), self._clock.now_ms() + BY_ADMIN_MS)

    def open_in(self, connection: sa.Connection, kind: str, token: str) -> store.LinkRow:
        """The link of this token, if it can still be used. Raises BadRequest."""
        link_id = read_token(self._pepper, kind, token)
        link = None if link_id is None else store.link(connection, link_id)
        if (
            link is None
            or link.used_at is not None
            or link.expires_at <= self._clock.now_ms()
            or not link.user_id
        ):
            raise BadRequest(
                "This link was used, has expired, or is none of ours: ask for a new one", code="link_over"
            )
        return link

    def use_in(self, connection: sa.Connection, kind: str, token: str) -> store.LinkRow:
        """`open_in` for the one caller that uses it."""
        link = self.open_in(connection, kind, token)
        if not store.use_link(connection, link.id, self._clock.now_ms()):
            raise BadRequest("This link was used", code="link_over")
        return link

    def end_in(self, connection: sa.Connection, user_id: str) -> None:
        """No link to choose a password is good any more: it was chosen."""
        store.end_links(connection, user_id, "reset", self._clock.now_ms())

    def again_in(self, connection: sa.Connection, user_id: str) -> bool:
        """Sends another link to confirm. False: nothing is to be confirmed, or one was sent within the hour."""
        sent = store.links_of(connection, user_id, "confirm")
        now = self._clock.now_ms()
        if not sent or any(x.used_at is not None or x.created_at > now - _AGAIN_MS for x in sent):
            return False
        self.send_in(connection, "confirm", user_id)
        return True

    def unconfirmed_in(self, connection: sa.Connection, user_id: str) -> bool:
        """Whether a link to confirm was sent and none was used yet."""
        sent = store.links_of(connection, user_id, "confirm")
        return bool(sent) and all(link.used_at is None for link in sent)

    def _add(self, connection: sa.Connection, kind: str, user_id: str, by: str, good_ms: int) -> str:
        now, link_id = self._clock.now_ms(), new_id("lnk")
        store.add_link(connection, store.LinkRow(link_id, user_id, kind, by, now, now + good_ms, None))
        return link_id

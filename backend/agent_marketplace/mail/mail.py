"""The outbox. A row is written in the transaction of the act that it tells of, so that there is no mail without its act and no
act without its mail; the housekeeper sends it, again and again for a day, and says in the row what came of it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, Decimal
from email.message import EmailMessage
from functools import partial

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound, Unavailable
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars
from agent_marketplace.mail import store
from agent_marketplace.mail.letters import letter, message
from agent_marketplace.mail.store import Row
from agent_marketplace.mail.tokens import link_path
from agent_marketplace.net.smtp import NotSent, deliver
from agent_marketplace.settings import MailSettings

log = logging.getLogger(__name__)
LINK_KINDS = frozenset({"confirm", "reset"})
RETRY_S = (60, 300, 900, 3600, 4 * 3600, 8 * 3600, 12 * 3600)
"""How long a mail waits after each failed attempt; after the last one it has failed."""
_LEASE_MS = 120_000
_A_ROUND = 50
_KEPT_MS = 30 * 86_400_000
Send = Callable[[EmailMessage], None]


class Wishes(msgspec.Struct, frozen=True):
    """What somebody wishes to be told. low_nano: at less than this balance, None = never."""

    low_nano: int | None


class Mail:
    """All mail of this installation. secret: links are signed with it; site: the public address; send: blocking, raises NotSent."""

    def __init__(
        self,
        db: Database,
        settings: MailSettings,
        clock: Clock,
        *,
        secret: bytes,
        site: str | None,
        send: Send | None = None,
    ) -> None:
        self._db = db
        self.settings = settings
        self._clock = clock
        self._secret = secret
        self._site = site or ""
        self._send = send or self._hand_over

    @property
    def works(self) -> bool:
        """Whether mail leaves this server."""
        return self.settings.mode != "none"

    def now_ms(self) -> int:
        """What the mail room's clock says."""
        return self._clock.now_ms()

    def post_in(
        self,
        connection: sa.Connection,
        kind: str,
        user_id: str,
        facts: Mapping[str, str],
        *,
        recipient: str = "",
        link_id: str | None = None,
        once: str | None = None,
    ) -> str | None:
        """Writes a mail inside the caller's transaction. Without mail only links are kept, for the administrator. Returns its id."""
        if not self.works and link_id is None:
            return None
        now, mail_id = self._clock.now_ms(), new_id("mail")
        store.add(connection, {
            "id": mail_id, "kind": kind, "user_id": user_id, "recipient": recipient, "facts": json.encode(dict(facts)).decode(),
            "link_id": link_id, "once": once, "state": "waiting" if self.works else "shown", "attempts": 0, "due_at": now,
            "words": "", "created_at": now, "closed_at": None if self.works else now,
        })  # fmt: skip
        return mail_id

    async def deliver(self) -> int:
        """The housekeeper's round: sends what is due. Returns how many mails left. Where the mail server is away it waits."""
        sent = 0
        for _ in range(_A_ROUND if self.works else 0):
            row = await self._db.write(self._claim)
            if row is None:
                break
            away, values = await self._try(row)
            await self._db.write(partial(store.change, mail_id=row.id, values=values))
            sent += values.get("state") == "sent"
            if away:
                break
        return sent

    def _claim(self, connection: sa.Connection) -> Row | None:
        now = self._clock.now_ms()
        return store.claim(connection, now, now + _LEASE_MS)

    async def test(self, recipient: str, by: str) -> None:
        """`send_now` of a test."""
        await self.send_now("test", {"by": by}, recipient)

    async def send_now(self, kind: str, facts: Mapping[str, str], recipient: str) -> None:
        """Sends a mail and waits for what the server says. Raises BadRequest (there is no mail), Unavailable with its words."""
        if not self.works:
            raise BadRequest("This server has no mail: set MARKETPLACE_SMTP_URL", code="no_mail")
        try:
            await asyncio.to_thread(self._send, self._message(kind, facts, None, recipient, new_id("mail")))
        except (NotSent, ValueError) as error:
            raise Unavailable(f"Not sent: {error}", code="not_sent") from error

    async def find(self, before: str | None, limit: int) -> list[Row]:
        """Newest first."""
        return await self._db.read(lambda c: store.find(c, before, limit))

    async def counts(self) -> dict[str, int]:
        """Mails by state."""
        return await self._db.read(store.counts)

    def again_in(self, connection: sa.Connection, mail_id: str) -> None:
        """A mail that failed is tried anew. Raises NotFound, Conflict."""
        row = self.row_in(connection, mail_id)
        if row.state != "failed":
            raise Conflict(f"This mail is {row.state}")
        values = {"state": "waiting", "attempts": 0, "due_at": self._clock.now_ms(), "closed_at": None}
        store.change(connection, mail_id, values)

    def row_in(self, connection: sa.Connection, mail_id: str) -> Row:
        """Raises NotFound."""
        if (row := store.row(connection, mail_id)) is None:
            raise NotFound("No such mail")
        return row

    def link(self, kind: str, link_id: str) -> str:
        """A link's address: whole where the public address is known, else its path on this server."""
        return self._site + link_path(self._secret, kind, link_id)

    async def wishes(self, user_id: str) -> Wishes:
        """What they wish to be told."""
        return Wishes(await self._db.read(lambda c: store.low_wish(c, user_id)))

    async def wish(self, user_id: str, low_nano: int | None) -> Wishes:
        """Tell them when less than this is left; None: never."""
        await self._db.write(lambda c: store.set_low_wish(c, user_id, low_nano))
        return Wishes(low_nano)

    async def watch(self) -> None:
        """Every minute: balances that went below what their owners wished, and caps of keys that are spent."""
        for low in await self._db.read(lambda c: store.crossed(c, _A_ROUND)):
            await self._db.write(partial(self._crossed, low=low))
        if not self.works:
            return
        for cap in await self._db.read(lambda c: store.capped(c, _A_ROUND)):
            await self._db.write(partial(self._capped, cap=cap))

    async def forget(self) -> None:
        """Every hour: what ended a month ago."""
        before = self._clock.now_ms() - _KEPT_MS
        await self._db.write(lambda c: store.forget(c, before))

    def _crossed(self, connection: sa.Connection, low: store.Low) -> None:
        if store.arm(connection, low.user_id, 1 - low.armed) and low.armed:
            facts = {"wanted": amount(low.wanted), "balance": amount(low.balance)}
            self.post_in(connection, "low_balance", low.user_id, facts)

    def _capped(self, connection: sa.Connection, cap: store.Capped) -> None:
        once = f"cap:{cap.key_id}:{cap.window}"
        if not store.said_before(connection, once):
            facts = {"name": cap.name, "cap": amount(cap.limit), "spent": amount(cap.spent)}
            period = "in all" if cap.period == "total" else f"this {cap.period}"
            self.post_in(connection, "cap", cap.user_id, facts | {"period": period}, once=once)

    async def _try(self, row: Row) -> tuple[bool, dict[str, object]]:
        """(nobody was there to take it, what its row becomes)."""
        now = self._clock.now_ms()
        if row.link_id is not None and (row.link_used_at is not None or (row.link_ends_at or 0) <= now):
            return False, {"state": "failed", "words": "its link has ended", "closed_at": now}
        if not row.recipient:
            return False, {"state": "failed", "words": "the account is gone", "closed_at": now}
        link = None if row.link_id is None else self.link(row.kind, row.link_id)
        try:
            made = self._message(row.kind, json.decode(row.facts.encode()), link, row.recipient, row.id)
            await asyncio.to_thread(self._send, made)
        except NotSent as error:
            over = error.for_good or row.attempts > len(RETRY_S)
            if over:
                return error.away, {"state": "failed", "words": str(error), "closed_at": now}
            due = now + 1000 * RETRY_S[row.attempts - 1]
            return error.away, {"due_at": due, "words": str(error)}
        except (
            KeyError,
            ValueError,
        ) as error:  # a kind of another version, an address that no server would take
            return False, {"state": "failed", "words": f"not written: {error}"[:300], "closed_at": now}
        return False, {"state": "sent", "words": "", "closed_at": now}

    def _message(
        self, kind: str, facts: Mapping[str, str], link: str | None, recipient: str, name: str
    ) -> EmailMessage:
        text = letter(kind, facts, link, f"{self._site}/account")
        sender = self.settings.sender or "marketplace@localhost"
        return message(text, sender=sender, recipient=recipient, name=name, at_ms=self._clock.now_ms())

    def _hand_over(self, made: EmailMessage) -> None:
        if self.settings.mode == "console" or self.settings.smtp is None:
            log.info("mail to %s: %s\n%s", made["To"], made["Subject"], made.get_content())
        else:
            deliver(self.settings.smtp, made)


def amount(nano: int) -> str:
    """Nano-dollars for people to read: in cents, rounded towards nothing; what is less than a cent as it is."""
    exact, cent = dollars(nano), Decimal("0.01")
    return format(exact if 0 < abs(exact) < cent else exact.quantize(cent, ROUND_DOWN), "f")

"""Sign-in by device code (RFC 8628): a program shows a code, its user types it into our page and says what the program may do.

Codes are kept as keyed hashes, and no key lies anywhere: what a user approves are its terms, and the key is made in the
transaction in which the program fetches it. Remote phishing (section 5.4 there) is a matter of words: the page says who asks, from
which network and for what, and nothing is approved by opening an address.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa

from agent_marketplace.accounts import key_format, store
from agent_marketplace.accounts.keys import DEFAULT_SCOPES, Cap, CreatedKey, KeyDraft, MarketplaceKeys
from agent_marketplace.accounts.limits import Limits
from agent_marketplace.accounts.principal import SCOPES
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, RateLimited
from agent_marketplace.ledger.types import Period

EXPIRES_IN_S = 600
INTERVAL_S = 5
MOST_WAITING = 10_000
# Consonants without Y (RFC 8628, 6.1): no words, nothing to mistake for a digit. Eight of them are 34 bits.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
_JITTER_MS = 500  # a program that waits exactly its interval may arrive a moment early
_KEPT_MS = 3_600_000  # expired codes are told apart from codes that never were, for an hour
_PERIODS: dict[str, Period] = {"total": "total", "day": "day", "week": "week", "month": "month"}

Refusal = Literal[
    "authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant", "invalid_request",
    "invalid_scope",
]  # fmt: skip


class DeviceRefused(MarketplaceError):
    """What the program is told in the place of a key (400); `code` is OAuth's."""

    status = 400

    def __init__(self, code: Refusal, words: str) -> None:
        super().__init__(words, code=code)


@dataclass(frozen=True, slots=True)
class Codes:
    """What the program gets first. expires_in, interval: seconds."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    expires_in: int = EXPIRES_IN_S
    interval: int = INTERVAL_S


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code stands for. client: what the program calls itself, which nobody has checked; times in ms."""

    client: str
    scopes: tuple[str, ...]
    asked_at: int
    expires_at: int
    same_network: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """The key that the user lets the program have."""

    name: str
    scopes: Collection[str]
    cap: Cap | None
    expires_in_days: int | None


class DeviceSignIn:
    """pepper: keys the hashes at rest."""

    def __init__(
        self, db: Database, keys: MarketplaceKeys, limits: Limits, pepper: bytes, clock: Clock
    ) -> None:
        self._db = db
        self._keys = keys
        self._limits = limits
        self._pepper = pepper
        self._clock = clock

    async def ask(self, client: str, scopes: Collection[str] = (), *, address: str | None = None) -> Codes:
        """Two codes of ten minutes. Raises DeviceRefused (the client's name, scopes), RateLimited."""
        client, wanted = client.strip(), tuple(sorted(set(scopes) or set(DEFAULT_SCOPES)))
        if not client or len(client) > 100 or not client.isprintable():
            raise DeviceRefused(
                "invalid_request", "client_id must be a name of 1 to 100 printable characters"
            )
        if not set(wanted) <= SCOPES:
            raise DeviceRefused("invalid_scope", f"Unknown scope; there are {', '.join(sorted(SCOPES))}")
        self._limits.device(address)
        now = self._clock.now_ms()
        device_code = secrets.token_urlsafe(32)
        user_code = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
        row = store.GrantRow(
            self._digest("device", device_code), self._digest("user_code", user_code), client, " ".join(wanted),
            self._digest("address", address or ""), "pending", INTERVAL_S, None, now, now + EXPIRES_IN_S * 1000,
        )  # fmt: skip

        def work(connection: sa.Connection) -> None:
            store.forget_grants(connection, now - _KEPT_MS)
            if store.grants_alive(connection, now) >= MOST_WAITING:
                raise RateLimited("Too many programs are waiting for an answer: try again", retry_after=60)
            store.add_grant(connection, row)

        await self._db.write(work)
        return Codes(device_code, f"{user_code[:4]}-{user_code[4:]}")

    async def look(self, user_id: str, user_code: str, *, address: str | None = None) -> Asked:
        """Who asks for what. Raises NotFound (no such code, or no longer), RateLimited."""
        row = await self._waiting(user_id, user_code)
        same = row.address_digest == self._digest("address", address or "")
        return Asked(row.client, tuple(row.wanted.split()), row.created_at, row.expires_at, same)

    async def approve(self, user_id: str, user_code: str, terms: Terms) -> None:
        """The program may fetch a key of these terms, once. Raises NotFound, RateLimited, BadRequest (the terms)."""
        row = await self._waiting(user_id, user_code)
        if not set(terms.scopes) <= set(row.wanted.split()):
            raise BadRequest("A program gets no more than it has asked for")
        self._draft(user_id, terms)  # refused now, while the user can still mend it
        cap = terms.cap
        values = {
            "name": terms.name, "scopes": " ".join(sorted(set(terms.scopes))),
            "cap_nano": cap and cap.amount_nano, "cap_period": cap and cap.period,
            "time_zone": cap and cap.time_zone, "expires_in_days": terms.expires_in_days,
        }  # fmt: skip
        await self._answer(row, user_id, "approved", **values)

    async def deny(self, user_id: str, user_code: str) -> None:
        """The program is told no. Raises NotFound, RateLimited."""
        await self._answer(await self._waiting(user_id, user_code), user_id, "denied")

    async def poll(self, client: str, device_code: str) -> CreatedKey:
        """The key, once it is approved; only the first who asks then gets it. Raises DeviceRefused, BadRequest (too many keys)."""
        digest = self._digest("device", device_code)
        row = await self._db.read(lambda c: store.grant_by_device(c, digest))
        if row is None or row.client != client.strip():
            raise DeviceRefused("invalid_grant", "There is no such device code for this program")
        if row.expires_at <= self._clock.now_ms():
            raise DeviceRefused("expired_token", "The code has expired: ask for another")
        if row.state == "denied":
            raise DeviceRefused("access_denied", "The user said no")
        if row.state == "pending":
            await self._wait(row)
        return await self._take(row)

    async def _wait(self, row: store.GrantRow) -> None:
        now = self._clock.now_ms()
        hasty = row.polled_at is not None and now - row.polled_at < row.interval_s * 1000 - _JITTER_MS
        interval = row.interval_s + INTERVAL_S if hasty else row.interval_s
        await self._db.write(
            lambda c: store.set_grant(c, row.device_digest, "pending", polled_at=now, interval_s=interval),
            durable=False,
        )
        if hasty:
            raise DeviceRefused("slow_down", f"Too often: wait {interval} seconds between requests")
        raise DeviceRefused("authorization_pending", "The user has not answered yet")

    async def _take(self, row: store.GrantRow) -> CreatedKey:
        assert row.user_id is not None
        draft = self._draft(row.user_id, _terms(row)) if row.state == "approved" else None

        def work(connection: sa.Connection) -> bool:
            if not store.set_grant(connection, row.device_digest, "approved", state="taken"):
                return False
            assert draft is not None
            self._keys.add_in(connection, draft)
            return True

        if draft is None or not await self._db.write(work):
            raise DeviceRefused("invalid_grant", "The key of this device code was already fetched")
        return draft.created

    def _draft(self, user_id: str, terms: Terms) -> KeyDraft:
        return self._keys.draft(
            user_id, terms.name, scopes=terms.scopes, cap=terms.cap, expires_in_days=terms.expires_in_days
        )

    async def _waiting(self, user_id: str, user_code: str) -> store.GrantRow:
        code = "".join(letter for letter in user_code.upper() if letter in ALPHABET)
        guess = self._limits.user_code(user_id)
        digest, now = self._digest("user_code", code), self._clock.now_ms()
        row = await self._db.read(lambda c: store.grant_by_user_code(c, digest, now))
        if row is None:
            raise NotFound("No program is waiting with this code: it may be mistyped, answered or expired")
        guess.right()
        return row

    async def _answer(self, row: store.GrantRow, user_id: str, state: str, **values: object) -> None:
        if not await self._db.write(
            lambda c: store.set_grant(c, row.device_digest, "pending", state=state, user_id=user_id, **values)
        ):
            raise NotFound("Somebody has answered this code already")

    def _digest(self, purpose: str, text: str) -> str:
        return key_format.digest(self._pepper, purpose, text)


def _terms(row: store.GrantRow) -> Terms:
    cap = None
    if row.cap_nano is not None and row.cap_period is not None:
        cap = Cap(row.cap_nano, _PERIODS[row.cap_period], row.time_zone or "UTC")
    return Terms(row.name or row.client, (row.scopes or "").split(), cap, row.expires_in_days)

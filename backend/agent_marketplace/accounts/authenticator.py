"""Who is asking: the one function that reads credentials, for every route and every wire."""

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence

from agent_marketplace.accounts import key_format, store
from agent_marketplace.accounts.errors import InvalidToken
from agent_marketplace.accounts.in_flight import InFlight
from agent_marketplace.accounts.principal import SCOPES, Principal
from agent_marketplace.accounts.sessions import Claims, SessionTokens
from agent_marketplace.accounts.verdicts import MAX_AGE_S, STILL_AGE_S, Verdicts
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database

_TOUCH_EVERY_S = 60.0
_TOUCHED_KEYS = 10_000
FREE_TIER = "free"


class Authenticator:
    """Turns headers into a Principal; costs microseconds while the verdict is less than a second old."""

    def __init__(
        self,
        db: Database,
        tokens: SessionTokens,
        pepper: bytes,
        verdicts: Verdicts,
        clock: Clock,
        in_flight: InFlight,
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._pepper = pepper
        self._verdicts = verdicts
        self._clock = clock
        self._in_flight = in_flight
        self._asking: dict[tuple[bytes, int], asyncio.Task[Principal]] = {}
        self._touched: dict[str, float] = {}

    async def authenticate(self, headers: Mapping[str, str], query_keys: Sequence[str] = ()) -> Principal:
        """headers: names in lower case; query_keys: every `?key=` on Gemini's wire. Raises InvalidToken (401)."""
        credential = credential_of(headers, query_keys)
        known = self._verdicts.get(digest := self._verdicts.digest(credential), MAX_AGE_S)
        return known if known is not None else await self._look_up(credential, digest)

    async def still(self, headers: Mapping[str, str], query_keys: Sequence[str] = ()) -> Principal:
        """As `authenticate`, for a stream that asks every now and then whether its caller is still welcome."""
        return await self.verify(credential_of(headers, query_keys), max_age_s=STILL_AGE_S)

    def known(self, headers: Mapping[str, str], query_keys: Sequence[str] = ()) -> Callable[[], bool]:
        """What tells whether `still` would say yes without looking anything up: of thousands of streams, each asks often."""
        digest = self._verdicts.digest(credential_of(headers, query_keys))
        return lambda: self._verdicts.get(digest, STILL_AGE_S) is not None

    async def verify(self, credential: str, *, max_age_s: float = MAX_AGE_S) -> Principal:
        """A session token or a marketplace key to its owner. Raises InvalidToken."""
        digest = self._verdicts.digest(credential)
        known = self._verdicts.get(digest, max_age_s)
        return known if known is not None else await self._look_up(credential, digest)

    async def _look_up(self, credential: str, digest: bytes) -> Principal:
        # One look-up for all callers that ask at once; a revocation in between starts another.
        place = (digest, self._verdicts.epoch)
        task = self._asking.get(place)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(credential, digest))
            self._asking[place] = task
            task.add_done_callback(lambda done: self._asked(place, done))
        return await asyncio.shield(task)

    def _asked(self, place: tuple[bytes, int], done: "asyncio.Task[Principal]") -> None:
        self._asking.pop(place, None)
        if not done.cancelled():
            done.exception()  # seen: nobody may be waiting any more

    async def _ask(self, credential: str, digest: bytes) -> Principal:
        asked_at, epoch = self._clock.monotonic(), self._verdicts.epoch
        if credential.startswith(key_format.PREFIX):
            principal = await self._key(credential)
        else:
            principal = await self._session(self._tokens.read(credential))
        self._verdicts.put(digest, principal, asked_at=asked_at, epoch=epoch)
        return principal

    async def _session(self, claims: Claims) -> Principal:
        now = self._clock.now_ms()
        row = await self._db.read(lambda c: store.session_user(c, claims.user_id, claims.session_id, now))
        if row is None:
            raise InvalidToken
        return Principal(
            row.user_id,
            "session",
            row.role,
            current_tier(row, now),
            row.email,
            SCOPES,
            session_id=claims.session_id,
        )

    async def _key(self, text: str) -> Principal:
        if not key_format.is_key(text):
            raise InvalidToken("Invalid API key")
        now, digest = self._clock.now_ms(), key_format.digest(self._pepper, "key", text)
        found = await self._db.read(lambda c: store.key_user(c, digest, now))
        if found is None or not hmac.compare_digest(found[2], digest):
            raise InvalidToken("Invalid API key")
        user, key, _ = found
        self._in_flight.limit_key(key.key_id, key.max_in_flight)
        await self._touch(key.key_id, now)
        scopes = frozenset(key.scopes.split())
        return Principal(
            user.user_id, "key", user.role, current_tier(user, now), user.email, scopes, key_id=key.key_id
        )

    async def _touch(self, key_id: str, now: int) -> None:
        """Writes `last_used_at`, at most once a minute for each key."""
        at = self._clock.monotonic()
        if at - self._touched.get(key_id, -_TOUCH_EVERY_S) < _TOUCH_EVERY_S:
            return
        self._touched.pop(key_id, None)
        self._touched[key_id] = at
        if len(self._touched) > _TOUCHED_KEYS:
            del self._touched[next(iter(self._touched))]
        await self._db.write(lambda c: store.touch_key(c, key_id, now), durable=False)


def credential_of(headers: Mapping[str, str], query_keys: Sequence[str] = ()) -> str:
    """The one credential of a request. Raises InvalidToken if there is none, or two that differ."""
    alone = not query_keys and "x-api-key" not in headers and "x-goog-api-key" not in headers
    bearer = headers.get("authorization", "") if alone else ""
    if bearer.startswith("Bearer ") and (credential := bearer[7:].strip()):
        return credential  # said as nearly all say it, with nothing to compare it with
    found = [headers.get("x-api-key"), headers.get("x-goog-api-key"), *query_keys]
    authorization = headers.get("authorization", "").strip()
    if authorization:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidToken("Unauthorized: send `Authorization: Bearer <token>`")
        found.append(text)
    credentials = {text.strip() for text in found if text is not None and text.strip()}
    if not credentials:
        raise InvalidToken("Unauthorized: sign in, or send an API key")
    if len(credentials) > 1:
        raise InvalidToken("Unauthorized: the request carries two different credentials")
    return credentials.pop()


def current_tier(row: store.UserRow, now: int) -> str:
    """`free` once a subscription has expired."""
    return FREE_TIER if row.tier_expires_at is not None and row.tier_expires_at <= now else row.tier

"""Marketplace keys for programs: made, listed, revoked. The key itself is shown once and stored as a keyed hash."""

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa

from agent_marketplace.accounts import key_format, store
from agent_marketplace.accounts.principal import SCOPES
from agent_marketplace.accounts.verdicts import Verdicts
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.ledger.types import KeySpend, Period

MAX_KEYS = 100
MOST_IN_FLIGHT = 10_000
DEFAULT_SCOPES = ("inference", "account:read")
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Cap:
    """The most a key may spend per period, nano-dollars; windows begin at midnight in an IANA time zone."""

    amount_nano: int
    period: Period = "total"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class MarketplaceKey:
    """What may be shown of a key. Times in ms since the epoch; spend: None without a cap;
    max_in_flight: calls at once, None = as many as its user may have."""

    key_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    cap: Cap | None
    spend: KeySpend | None = None
    max_in_flight: int | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key and its text, which can't be had again."""

    info: MarketplaceKey
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A checked key on its way into the database."""

    created: CreatedKey
    row: store.KeyRow


class MarketplaceKeys:
    """Keys of users. pepper: keys the hashes at rest."""

    def __init__(self, db: Database, ledger: Ledger, pepper: bytes, verdicts: Verdicts, clock: Clock) -> None:
        self._db = db
        self._ledger = ledger
        self._pepper = pepper
        self._verdicts = verdicts
        self._clock = clock

    async def create(
        self,
        user_id: str,
        name: str,
        *,
        scopes: Collection[str] | None = None,
        expires_in_days: int | None = None,
        cap: Cap | None = None,
        max_in_flight: int | None = None,
    ) -> CreatedKey:
        """Raises BadRequest: name, scopes, expiry, cap, calls at once, or too many keys."""
        draft = self.draft(
            user_id, name, scopes=scopes, expires_in_days=expires_in_days, cap=cap, max_in_flight=max_in_flight,
        )  # fmt: skip
        await self._db.write(lambda connection: self.add_in(connection, draft))
        return draft.created

    def draft(
        self,
        user_id: str,
        name: str,
        *,
        scopes: Collection[str] | None = None,
        expires_in_days: int | None = None,
        cap: Cap | None = None,
        max_in_flight: int | None = None,
    ) -> KeyDraft:
        """A key that is checked and not yet there. Raises BadRequest as `create`, but for too many keys."""
        name = _checked_name(name)
        chosen = tuple(sorted(set(DEFAULT_SCOPES if scopes is None else scopes)))
        if not chosen or not set(chosen) <= SCOPES:
            raise BadRequest(f"Unknown scope; allowed: {', '.join(sorted(SCOPES))}")
        if expires_in_days is not None and not 1 <= expires_in_days <= 3650:
            raise BadRequest("expires_in_days must be from 1 to 3650")
        if max_in_flight is not None and not 1 <= max_in_flight <= MOST_IN_FLIGHT:
            raise BadRequest(f"max_in_flight must be from 1 to {MOST_IN_FLIGHT}")
        now, text = self._clock.now_ms(), key_format.new_key()
        expires_at = None if expires_in_days is None else now + expires_in_days * _DAY_MS
        row = store.KeyRow(
            new_id("key"), user_id, name, text[: len(key_format.PREFIX) + 4] + "…", " ".join(chosen),
            cap.amount_nano if cap else None, cap.period if cap else None, cap.time_zone if cap else None,
            now, expires_at, None, max_in_flight,
        )  # fmt: skip
        return KeyDraft(CreatedKey(_shown(row, cap, None), text), row)

    def add_in(self, connection: sa.Connection, draft: KeyDraft) -> None:
        """Writes a draft in the caller's transaction. Raises BadRequest: too many keys, a cap that no ledger takes."""
        row, cap = draft.row, draft.created.info.cap
        store.lock_user(connection, row.user_id)
        if len(store.keys_of(connection, row.user_id)) >= MAX_KEYS:
            raise BadRequest(f"At most {MAX_KEYS} keys: delete one first")
        store.add_key(connection, row, key_format.digest(self._pepper, "key", draft.created.key))
        if cap is not None:
            self._ledger.open_key_budget_in(
                connection, row.key_id, cap.period, cap.amount_nano, timezone=cap.time_zone
            )

    async def list(self, user_id: str) -> list[MarketplaceKey]:
        """Newest first, revoked ones left out, with what each has spent of its cap."""
        rows = await self._db.read(lambda connection: store.keys_of(connection, user_id))
        capped = [row.key_id for row in rows if row.cap_nano is not None]
        spend = await self._ledger.key_spend(capped) if capped else {}
        return [_shown(row, _cap(row, spend.get(row.key_id)), spend.get(row.key_id)) for row in rows]

    async def revoke(self, user_id: str, key_id: str) -> None:
        """The key dies at once here, within a second in other processes. Raises NotFound."""
        await self._db.write(lambda connection: self.revoke_in(connection, user_id, key_id))
        self.forget(key_id)

    def revoke_in(self, connection: sa.Connection, user_id: str, key_id: str) -> None:
        """`revoke` in the caller's transaction, who then calls `forget`. Raises NotFound."""
        if not store.revoke_key(connection, user_id, key_id, self._clock.now_ms()):
            raise NotFound("No such key")

    def forget(self, key_id: str) -> None:
        """What this process had found out about the key no longer counts."""
        self._verdicts.drop(lambda principal: principal.key_id == key_id)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise BadRequest("A key needs a name of 1 to 100 printable characters")
    return name


def _cap(row: store.KeyRow, spend: KeySpend | None) -> Cap | None:
    if row.cap_nano is None or spend is None:
        return None
    return Cap(row.cap_nano, spend.period, row.time_zone or "UTC")


def _shown(row: store.KeyRow, cap: Cap | None, spend: KeySpend | None) -> MarketplaceKey:
    return MarketplaceKey(
        row.key_id,
        row.name,
        row.prefix,
        tuple(row.scopes.split()),
        row.created_at,
        row.expires_at,
        row.last_used_at,
        cap,
        spend,
        row.max_in_flight,
    )

"""What callers see of an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from agent_marketplace.accounts.authenticator import current_tier
from agent_marketplace.accounts.principal import Role
from agent_marketplace.accounts.store import UserRow


@dataclass(frozen=True, slots=True)
class User:
    """An account without its password hash. balance: dollars, exact; api_keys: provider to masked key."""

    user_id: str
    email: str = field(repr=False)
    role: Role
    subscription_tier: str
    subscription_expires: datetime | None
    balance: Decimal
    api_keys: Mapping[str, str]
    created_at: datetime


def shown(row: UserRow, balance: Decimal, api_keys: Mapping[str, str], now: int) -> User:
    """The account as of `now` (ms since the epoch)."""
    expires = None if row.tier_expires_at is None else at(row.tier_expires_at)
    return User(
        row.user_id,
        row.email,
        row.role,
        current_tier(row, now),
        expires,
        balance,
        api_keys,
        at(row.created_at),
    )


def at(ms: int) -> datetime:
    """Milliseconds since the epoch to a time in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)

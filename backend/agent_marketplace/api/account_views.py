"""What the API and the command line say of accounts, sessions and keys. Light to load: a command waits for it."""

from datetime import UTC, datetime
from typing import Any

from agent_marketplace.accounts.keys import CreatedKey, MarketplaceKey
from agent_marketplace.accounts.store import SessionRow
from agent_marketplace.accounts.user import User
from agent_marketplace.ledger import dollars


def iso(ms: int | None) -> str | None:
    """Milliseconds since the epoch as ISO 8601 UTC."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_of(moment: datetime | None) -> str | None:
    """A datetime as ISO 8601 UTC."""
    return (
        None
        if moment is None
        else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def profile(user: User) -> dict[str, Any]:
    """The guide's profile fields, and ours."""
    return {
        "user_id": user.user_id,
        "email": user.email,
        "tier": user.subscription_tier,
        "role": user.role,
        "balance": user.balance,
        "api_keys_configured": sorted(user.api_keys),
        "created_at": iso_of(user.created_at),
        "subscription_expires": iso_of(user.subscription_expires),
    }


def session(row: SessionRow, *, current: bool) -> dict[str, Any]:
    """A signed-in session; current: the one that asks."""
    times = {"created_at": iso(row.created_at), "expires_at": iso(row.expires_at)}
    return {"id": row.session_id, **times, "current": current}


def key(shown: MarketplaceKey) -> dict[str, Any]:
    """A marketplace key without its text."""
    cap = None
    if shown.cap is not None:
        cap = {
            "amount": dollars(shown.cap.amount_nano),
            "period": shown.cap.period,
            "timezone": shown.cap.time_zone,
        }
    return {
        "id": shown.key_id,
        "name": shown.name,
        "prefix": shown.prefix,
        "scopes": list(shown.scopes),
        "created_at": iso(shown.created_at),
        "expires_at": iso(shown.expires_at),
        "last_used_at": iso(shown.last_used_at),
        "cap": cap,
        "spent": dollars(shown.spend.spent_nano) if shown.spend else 0,
        "held": dollars(shown.spend.held_nano) if shown.spend else 0,
        "resets_at": iso(shown.spend.resets_at) if shown.spend else None,
        "max_in_flight": shown.max_in_flight,
    }


def created_key(created: CreatedKey) -> dict[str, Any]:
    """A new key: the only time its text is shown."""
    return {**key(created.info), "key": created.key}

"""When a version's price begins: a cut at once, a rise 14 days after it was announced, and one a month. Pure."""

import msgspec

from agent_marketplace.errors import BadRequest
from agent_marketplace.listings.spec import AgentPrice
from agent_marketplace.listings.types import Version

DAY_MS = 86_400_000
NOTICE_MS = 14 * DAY_MS
BETWEEN_RISES_MS = 30 * DAY_MS


def raises(old: AgentPrice, new: AgentPrice) -> bool:
    """Whether some run may cost more than before."""
    names = AgentPrice.__struct_fields__
    return any(getattr(new, name) > getattr(old, name) for name in names)


def begin(version: Version, live: Version | None, announced: int | None, now: int) -> Version:
    """The version with the time from which its price is charged, as it is listed now.

    live: what is listed until now; announced: when a rise of this agent was last listed, ms. Raises BadRequest.
    """
    if live is None:
        return _priced(version, now, version.spec.price, raised=False)
    charged = live.price_at(now)
    if not raises(charged, version.spec.price):
        return _priced(version, now, version.spec.price, raised=False)
    if now < live.price_from and not raises(live.spec.price, version.spec.price):
        return _priced(version, live.price_from, charged, raised=False)  # this rise was announced before
    if announced is not None and now < announced + BETWEEN_RISES_MS:
        raise BadRequest(
            "A price may rise once in 30 days: keep the one that is announced", code="price_rise_too_soon"
        )
    return _priced(version, now + NOTICE_MS, charged, raised=True)


def _priced(version: Version, from_ms: int, before: AgentPrice, *, raised: bool) -> Version:
    return msgspec.structs.replace(version, price_from=from_ms, price_before=before, price_raised=raised)

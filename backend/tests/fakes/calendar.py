"""The day on which tests look at the catalogue we ship: models retire by date, and a test must not fail on that day."""

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import ManualClock

NOVEMBER_2026 = 1_795_996_800_000
"""2026-11-30, in milliseconds."""


def registry() -> MarketplaceRegistry:
    """The shipped catalogue as of that day."""
    return MarketplaceRegistry(clock=ManualClock(NOVEMBER_2026))

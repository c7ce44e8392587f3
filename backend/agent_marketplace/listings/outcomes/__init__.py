"""How runs of offered agents ended: what was paid for them, and what may be said of them."""

from agent_marketplace.listings.outcomes.fees import Begun, Fees
from agent_marketplace.listings.outcomes.trust import Trust

__all__ = ["Begun", "Fees", "Trust"]

"""How runs of offered agents ended: what was paid for them, and what may be said of them."""

from agent_marketplace.listings.outcomes.fees import Begun, Fees

__all__ = ["Begun", "Fees"]

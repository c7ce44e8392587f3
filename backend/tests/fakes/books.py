"""Settlements as the ledger's tests make them."""

from typing import Any

from agent_marketplace.ledger import Settlement
from agent_marketplace.usage import Usage

DOLLAR = 10**9


def settlement(request_id: str, charge: int, *, user: str = "ann", **more: Any) -> Settlement:
    """A good call that cost `charge` nano-dollars; `more` replaces any field."""
    values: dict[str, Any] = {
        "request_id": request_id,
        "user_id": user,
        "charge_nano": charge,
        "usage": Usage(input=100, output=20),
        "provider": "openai",
        "model": "gpt-4o-mini",
        "status": "ok",
        "provider_cost_nano": charge,
    }
    return Settlement(**(values | more))

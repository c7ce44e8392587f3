"""Settlements as the ledger's tests make them."""

from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import postings
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


def shared_balances(connection: sa.Connection) -> dict[str, int]:
    """What providers', the platform's and the world's accounts stand at, nano-dollars: the sum of their postings."""
    rows = connection.execute(
        sa.select(postings.c.account, sa.func.sum(postings.c.amount_nano)).group_by(postings.c.account)
    )
    return {account: int(amount) for account, amount in rows}

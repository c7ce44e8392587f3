"""Usage rows as the ledger writes them, put straight into its table: by the thousand, and at any moment."""

import json
from typing import Any

import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.usage import COUNTS


def usage_row(
    request_id: str, at: int, *, detail: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A whole answer at `at` (ms); `more` replaces any column."""
    values: dict[str, Any] = {
        **dict.fromkeys((*COUNTS, "estimated", "absorbed_nano", "provider_cost_nano", "hold_nano"), 0),
        "request_id": request_id, "user_id": "ann", "key_id": None, "model": "m", "provider": "p", "status": "ok",
        "charge_nano": 5, "list_cost_nano": 5, "price_version": "v", "created_at": at, "input": 10, "output": 3,
        "detail": json.dumps({"timings": {"total_ms": 900, "first_token_ms": 120}, **(detail or {})}),
    }  # fmt: skip
    return values | more


def put(database: Database, rows: list[dict[str, Any]]) -> None:
    """Writes them in one transaction."""
    database.write_sync(lambda c: c.execute(sa.insert(usage_records), rows))

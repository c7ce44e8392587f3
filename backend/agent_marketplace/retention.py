"""What is kept for how long where its owner can't tell it is gone; docs/operations.md ("How it grows") has the table.

The books themselves (postings, holds, usage rows, checkpoints) are kept, see `ledger.archive`.
"""

from datetime import UTC, datetime

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.expiry import expire
from agent_marketplace.db.tables.accounts import device_grants, sessions
from agent_marketplace.db.tables.catalog import traffic
from agent_marketplace.db.tables.ledger import idempotency_keys

_DAY_MS = 24 * 3600 * 1000
REPLIES_MS = _DAY_MS  # of completions, for idempotency keys
SESSIONS_MS = 7 * _DAY_MS  # after they ended
GRANTS_MS = _DAY_MS  # sign-ins by device code, after they ended
TRAFFIC_MS = 90 * _DAY_MS  # speed and failures of offers by day; thirty days are shown


async def forget(database: Database, clock: Clock) -> dict[str, int]:
    """Regularly. Returns how many rows went, by table. Raises Unavailable."""
    now, keys = clock.now_ms(), idempotency_keys.c
    oldest = datetime.fromtimestamp((now - TRAFFIC_MS) / 1000, UTC).date().isoformat()
    over = {
        idempotency_keys: keys.scope.startswith("completion:", autoescape=True)
        & (keys.created_at < now - REPLIES_MS),
        sessions: sessions.c.expires_at < now - SESSIONS_MS,
        device_grants: device_grants.c.expires_at < now - GRANTS_MS,
        traffic: traffic.c.day < oldest,
    }
    return {table.name: await expire(database, table, where) for table, where in over.items()}

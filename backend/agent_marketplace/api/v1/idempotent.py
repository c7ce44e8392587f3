"""`Idempotency-Key` on plain completions and chats: the same key and body replays the stored reply, and costs nothing again.

A call that failed or was cancelled gives its key back: nothing was charged, so a repeat may run. A key whose process died is
free again after a quarter of an hour, longer than any call can run.
"""

import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.ledger import abandon_in, begin_in, digest, finish_in, release_stale_in

log = logging.getLogger(__name__)
_STALE_MS = 900_000
OPERATION = "completion"


class Once:
    """One claimed key. Exactly one of `keep` and `give_back` ends it."""

    def __init__(self, market: Market, scope: str, key: str) -> None:
        self._market = market
        self._scope = scope
        self._key = key
        self._kept = False

    async def keep(self, body: bytes) -> None:
        """Stores the reply for repeats. It is paid for: where it can't be stored it still leaves, and repeats are refused."""
        self._kept, text = True, body.decode()
        try:
            await self._market.db.write(lambda c: finish_in(c, self._scope, self._key, text))
        except MarketplaceError as error:
            log.warning("a reply could not be kept for repeats of its idempotency key: %s", error.code)

    async def give_back(self) -> None:
        """Frees the key unless a reply was paid for under it."""
        if not self._kept:
            await self._market.db.write(lambda c: abandon_in(c, self._scope, self._key))


async def claim(market: Market, request: Request, user_id: str, body: Mapping[str, Any]) -> Once | Response | None:
    """The claim, the stored reply of an earlier call, or None where no key was sent or a stream is asked for.

    Raises IdempotencyMismatch (other body), Conflict (still running), BadRequest (the key).
    """
    key = request.headers.get("idempotency-key")
    if key is None or body.get("stream"):
        return None
    scope, now = f"{OPERATION}:{user_id}", market.clock.now_ms()
    input_hash = digest(request.url.path, dict(body))

    def work(connection: Any) -> Any:
        release_stale_in(connection, scope, key, now - _STALE_MS)
        return begin_in(connection, scope, key, input_hash, now)

    replay = await market.db.write(work)
    if replay is None:
        return Once(market, scope, key)
    return Response(
        replay.result, media_type="application/json", headers={"idempotent-replayed": "true", "cache-control": "no-store"}
    )

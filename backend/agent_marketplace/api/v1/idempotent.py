"""`Idempotency-Key` on plain completions and chats: the same key and body replays the stored reply, and costs nothing again.

The reply is stored, sealed as chats are, in the transaction that charges for it, so there is no moment between the two. A call
that failed or was cancelled gives its key back: nothing was charged, so a repeat may run. A key whose process died before it
charged is free again after a quarter of an hour, longer than any call can run.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent_marketplace.app import Market
from agent_marketplace.errors import Conflict
from agent_marketplace.gateway.stopping import settled_despite_cancel
from agent_marketplace.ledger import abandon_in, begin_in, digest, release_stale_in
from agent_marketplace.vault import CannotOpen, TextCipher

_STALE_MS = 900_000
OPERATION = "completion"


class Once:
    """One claimed key. The settlement of a good answer stores the reply under it; any other end must `give_back`."""

    def __init__(self, market: Market, scope: str, key: str, cipher: TextCipher) -> None:
        self._market = market
        self._cipher = cipher
        self.scope = scope
        self.key = key

    async def give_back(self) -> None:
        """Frees the key unless a reply is stored under it."""
        await self._market.db.write(lambda c: abandon_in(c, self.scope, self.key))

    def seal(self, body: str) -> str:
        """The reply as it may stand in the database."""
        return base64.b64encode(self._cipher.seal(self._context, body)).decode()

    def open(self, sealed: str) -> str:
        """The reply as it was sent. Raises Conflict where the vault's key for it is gone."""
        try:
            return self._cipher.open(self._context, base64.b64decode(sealed))
        except CannotOpen:
            raise Conflict(
                "The reply of this idempotency key can't be read any more: use another key"
            ) from None

    @property
    def _context(self) -> str:
        return f"reply {self.scope} {self.key}"


async def claim(
    market: Market, request: Request, user_id: str, body: Mapping[str, Any]
) -> Once | Response | None:
    """The claim, the stored reply of an earlier call, or None where no key was sent or a stream is asked for.

    Raises IdempotencyMismatch (other body), Conflict (still running), BadRequest (the key), Unavailable (the server stops).
    """
    key = request.headers.get("idempotency-key")
    if key is None or body.get("stream"):
        return None
    if (refusal := market.drain.refusal()) is not None:
        raise refusal
    scope, now = f"{OPERATION}:{user_id}", market.clock.now_ms()
    input_hash = digest(request.url.path, dict(body))

    def work(connection: Any) -> Any:
        release_stale_in(connection, scope, key, now - _STALE_MS)
        return begin_in(connection, scope, key, input_hash, now)

    once = Once(market, scope, key, await market.vault.texts(user_id))
    claimed = asyncio.ensure_future(market.db.write(work))
    try:
        await settled_despite_cancel(claimed)
    except asyncio.CancelledError:  # the server stops: nobody would use the claim
        await settled_despite_cancel(once.give_back())
        raise
    replay = claimed.result()
    if replay is None:
        return once
    headers = {"idempotent-replayed": "true", "cache-control": "no-store"}
    return Response(once.open(replay.result), media_type="application/json", headers=headers)

"""`ask_model`: one call on the gateway's own stages, bounded by its caller's `max_cost`, stopped by the caller's hang-up."""

import asyncio
from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.asgi import ClientGone, Ear, Scope
from agent_marketplace.api.v1.chats import completion_call, request_of
from agent_marketplace.app import Market
from agent_marketplace.gateway.stopping import forgive_cancel


async def ask(market: Market, principal: Principal, scope: Scope, body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply of `/api/v1/agents/completion`. Raises MarketplaceError, ClientGone."""
    call = await completion_call(market, principal.user_id, body, len(str(body["prompt"])), stream=False)
    flight = market.router.flight(request_of(principal.user_id, principal.key_id, call, {}, None, None))
    with market.drain.call():
        await flight.open()
        ear = Ear(scope, flight)
        try:
            reply: dict[str, Any] = json.decode(await flight.plain())
        except asyncio.CancelledError:
            if not ear.heard:
                raise
            forgive_cancel()
            raise ClientGone from None
        finally:
            ear.close()
    kept = (
        "result",
        "model",
        "provider",
        "cost",
        "balance_remaining",
        "tokens_used",
        "request_id",
        "fallback",
    )
    return {name: reply[name] for name in kept if name in reply}

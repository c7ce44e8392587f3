"""What every cold route needs: the market, and who is asking."""

from typing import Annotated

import fastapi
from fastapi import Depends, Request

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import keyless
from agent_marketplace.api.asgi import read_headers
from agent_marketplace.api.paths import query_keys
from agent_marketplace.app import Market


def market_of(request: Request) -> Market:
    """The composition root of this process."""
    market: Market = request.app.state.market
    return market


async def caller(request: Request) -> Principal:
    """The authenticated caller. Raises Unauthorized, RateLimited, BadRequest (a credential sent twice)."""
    market = market_of(request)
    headers = keyless.with_key(market, request.scope, read_headers(request.scope))
    principal = await market.authenticator.authenticate(headers, query_keys(request.scope, headers))
    market.limits.request(principal.user_id)
    return principal


async def person(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """A signed-in person: a key is not enough."""
    principal.require_session()
    return principal


async def admin(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """A signed-in administrator."""
    principal.require_admin()
    return principal


async def reader(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """May read the account."""
    principal.require("account:read")
    return principal


async def writer(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """May change the account."""
    principal.require("account:write")
    return principal


async def runner(principal: Annotated[Principal, Depends(caller)]) -> Principal:
    """May run models."""
    principal.require("inference")
    return principal


def address_of(request: Request) -> str | None:
    """The peer's address, for throttles."""
    return request.client.host if request.client else None


The = Annotated[Market, Depends(market_of)]
Caller = Annotated[Principal, Depends(caller)]
Person = Annotated[Principal, Depends(person)]
AdminPerson = Annotated[Principal, Depends(admin)]
Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Runner = Annotated[Principal, Depends(runner)]
Address = Annotated[str | None, Depends(address_of)]
Router = fastapi.APIRouter

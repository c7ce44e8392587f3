"""Turns an opened flight into a FastAPI response: plain JSON, a stream, or a run that outlives its connection."""

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from agent_marketplace.api.asgi import fly
from agent_marketplace.api.envelope import failure
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.flight import Flight

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class FlightResponse(Response):
    """Flies when it is sent, so that the client's hang-up reaches the provider."""

    def __init__(self, flight: Flight) -> None:
        super().__init__()
        self._flight = flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._flight.router.drain.call():
                await fly(self._flight, receive, send)
        except MarketplaceError as error:
            await failure(error, self._flight.request.request_id)(scope, receive, send)


def caller_check(market: Market, request: Request) -> Callable[[], Awaitable[object]]:
    """Authenticates the caller of a running stream again; raises Unauthorized once session or key are revoked."""
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in request.scope["headers"]}
    return lambda: market.authenticator.authenticate(headers)


def event_stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Server-sent events, never buffered by a proxy."""
    return StreamingResponse(events, media_type="text/event-stream", headers=STREAM_HEADERS)

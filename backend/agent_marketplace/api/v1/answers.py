"""Turns an opened flight into a FastAPI response: plain JSON, a stream, or a run that outlives its connection."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent_marketplace.api.asgi import ResponseSink, fly
from agent_marketplace.api.envelope import failure
from agent_marketplace.api.v1.idempotent import Once
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.flight import Flight, forgive_cancel
from agent_marketplace.gateway.relay import settled_despite_cancel
from agent_marketplace.gateway.runs import Run, Runs


class FlightResponse(Response):
    """Flies when it is sent, so that the client's hang-up reaches the provider. once: the idempotency key it runs under."""

    def __init__(self, flight: Flight, once: Once | None = None) -> None:
        super().__init__()
        self._flight = flight
        self._once = once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._flight.router.drain.call():
                await fly(self._flight, receive, send, keep=self._once.keep if self._once is not None else None)
        except MarketplaceError as error:
            await failure(error, self._flight.request.request_id)(scope, receive, send)
        finally:
            if self._once is not None:
                await settled_despite_cancel(self._once.give_back())


def caller_check(market: Market, request: Request) -> Callable[[], Awaitable[object]]:
    """Authenticates the caller of a running stream again; raises Unauthorized once session or key are revoked."""
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in request.scope["headers"]}
    return lambda: market.authenticator.authenticate(headers)


class RunResponse(Response):
    """Listens to a run. A hang-up ends the listening, not the run; at the server's end the run's own last event still goes out."""

    def __init__(self, runs: Runs, run: Run, after: int = -1) -> None:
        super().__init__()
        self._listener = runs.listen(run, after)
        self._first = run.flight.headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  Starlette's signature
        sink = ResponseSink(send, "text/event-stream")
        speaking = asyncio.create_task(self._speak(sink))
        hearing = asyncio.create_task(_hang_up(receive))
        try:
            await asyncio.wait((speaking, hearing), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The server stops, and so does the run: its end is told before this connection goes.
            forgive_cancel()
            await asyncio.wait((speaking, hearing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (speaking, hearing):
                task.cancel()
            await asyncio.gather(speaking, hearing, return_exceptions=True)

    async def _speak(self, sink: ResponseSink) -> None:
        with self._listener as listener:
            await sink.begin(self._first)
            while (data := await listener.next()) is not None:
                await sink.send(data)
            await sink.end()


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

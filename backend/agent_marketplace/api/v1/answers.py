"""Turns an opened flight into a FastAPI response: plain JSON, a stream, or a run that outlives its connection."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent_marketplace import json
from agent_marketplace.api.asgi import ResponseSink, fly, hung_up, read_headers
from agent_marketplace.api.envelope import error_body, failure, note_failure
from agent_marketplace.api.v1.idempotent import Once
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError, Unauthorized
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.stopping import forgive_cancel, settled_despite_cancel
from agent_marketplace.runs.live import Listener, Live

Check = Callable[[], Awaitable[object]]


class FlightResponse(Response):
    """Flies when it is sent, so that the client's hang-up reaches the provider. once: the idempotency key it runs under."""

    def __init__(self, flight: Flight, once: Once | None = None) -> None:
        super().__init__()
        self._flight = flight
        self._once = once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        failed: MarketplaceError | None = None
        try:
            with self._flight.parts.drain.call():
                await fly(self._flight, scope, send)
        except MarketplaceError as error:
            failed = error
        finally:
            if self._once is not None and (
                self._flight.record.receipt is None or self._flight.record.receipt.status != "ok"
            ):
                await settled_despite_cancel(self._once.give_back())
        if failed is not None:  # told when the key is free again: who reads it may repeat at once
            note_failure(self._flight.record.request.request_id, failed)
            await failure(failed, self._flight.record.request.request_id)(scope, receive, send)


def caller_check(market: Market, request: Request) -> Check:
    """Authenticates the caller of a running stream again; raises Unauthorized once session or key are revoked."""
    headers = read_headers(request.scope)
    return lambda: market.authenticator.still(headers)


class RunResponse(Response):
    """Listens to a run. A hang-up ends the listening, not the run; at the server's end the run's own last event still goes out.

    still_valid: asked every `check_s` seconds, raises Unauthorized once the listener's session or key are revoked.
    """

    def __init__(
        self, live: Live, listener: Listener, still_valid: Check, *, check_s: float, request_id: str = ""
    ) -> None:
        super().__init__()
        self._live = live
        self._listener = listener
        self._still_valid = still_valid
        self._check_s = check_s
        self._request_id = request_id or live.id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  Starlette's signature
        sink = ResponseSink(send, "text/event-stream")
        speaking = asyncio.create_task(self._speak(sink))
        watching = asyncio.create_task(self._revoked())
        tasks: tuple[asyncio.Task[Any], ...] = (speaking, watching, asyncio.create_task(hung_up(receive)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The server stops, and so does the run: its end is told before this connection goes.
            forgive_cancel()
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told = watching.result() if watching.done() and not speaking.done() else None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if told is not None:
            await sink.send(self._last_event(told))
            await sink.end()

    async def _speak(self, sink: ResponseSink) -> None:
        with self._listener as listener:
            await sink.begin(self._live.headers)
            while (data := await listener.next()) is not None:
                await sink.send(data)
            await sink.end()

    async def _revoked(self) -> Unauthorized:
        """Returns once the listener may no longer listen."""
        while True:
            await asyncio.sleep(self._check_s)
            try:
                await self._still_valid()
            except Unauthorized as error:
                return error
            except MarketplaceError:
                continue  # the database is busy: the next look tells

    def _last_event(self, error: Unauthorized) -> bytes:
        words = f"{error.message}; the listening was stopped here"
        told = error_body(Unauthorized(words, code=error.code), self._request_id)
        return b"event: error\ndata: " + json.encode({"type": "error", **told}) + b"\n\n"

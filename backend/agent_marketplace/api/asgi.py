"""Bare ASGI, as little as the hot path needs: bodies with a cap, answers, a sink for streams, and an ear for hang-ups."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from agent_marketplace.errors import BadRequest, PayloadTooLarge
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.stopping import forgive_cancel
from agent_marketplace.net.guard import hangup_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY = 32 * 1024 * 1024
Headers = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


def read_headers(scope: Scope) -> dict[str, str]:
    """Header names in lower case; the last of a repeated one wins, but a repeated credential is refused and lists are joined.

    Raises BadRequest.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if name in found and name in ("authorization", "x-api-key", "x-goog-api-key"):
            raise BadRequest(f"{name} was sent twice")
        value = raw_value.decode("latin-1")
        found[name] = f"{found[name]},{value}" if name == "anthropic-beta" and name in found else value
    return found


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises PayloadTooLarge, ClientGone."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise PayloadTooLarge(f"the body is over {limit} bytes")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    pieces, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise PayloadTooLarge(f"the body is over {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def respond(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    headers: Mapping[str, str] | None = None,
) -> None:
    """A whole answer."""
    head: Headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    head += [(k.encode(), v.encode("latin-1", "replace")) for k, v in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


class ResponseSink:
    """A stream to one HTTP client. Proxies are told not to buffer it."""

    def __init__(self, send: Send, content_type: str) -> None:
        self._send = send
        self._content_type = content_type.encode()
        self.begun = False

    async def begin(self, headers: dict[str, str]) -> None:
        self.begun = True
        head: Headers = [
            (b"content-type", self._content_type + b"; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        head += [(k.encode(), v.encode()) for k, v in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": head})

    async def send(self, data: bytes) -> None:
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Closes the answer."""
        if self.begun:
            await self._send({"type": "http.response.body", "body": b""})


class Leavable(Protocol):
    """What ends when its client has left: a flight, or a run on a client's wire."""

    def client_left(self) -> None: ...


class Ear:
    """Listens for the client's hang-up while a flight is under way, and stops the flight then."""

    def __init__(self, scope: Scope, flight: Leavable) -> None:
        self._flight = flight
        self._hangup = hangup_of(scope)
        self.heard = False
        self._hangup.listen(self._hear)

    def _hear(self) -> None:
        self.heard = True
        self._flight.client_left()

    def close(self) -> None:
        self._hangup.ignore()


async def hung_up(receive: Receive) -> None:
    """Returns once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def fly(flight: Flight, scope: Scope, send: Send, sink: ResponseSink | None = None) -> None:
    """Runs an opened flight to its end over one HTTP exchange. Raises the caller's error while nothing has been sent.

    sink: where a stream goes; None = as its wire's content type says.
    """
    ear = Ear(scope, flight)
    try:
        if not flight.record.request.call.stream:
            await respond(send, 200, await flight.plain(), headers=flight.headers())
            return
        sink = sink or ResponseSink(send, flight.record.request.mouth.content_type_stream)
        await flight.stream(sink)
        await sink.end()
    except asyncio.CancelledError:
        if not ear.heard:
            raise
        forgive_cancel()
    finally:
        ear.close()

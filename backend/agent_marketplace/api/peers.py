"""What only another worker of this server knows: asked there, passed on from there."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent_marketplace import json
from agent_marketplace.api.asgi import hung_up, read_headers
from agent_marketplace.api.envelope import error_body
from agent_marketplace.app import Market
from agent_marketplace.errors import NotFound, Unavailable
from agent_marketplace.gateway.stopping import forgive_cancel
from agent_marketplace.ids import new_id
from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundResponse
from agent_marketplace.net.peers import Peers

_OF_THE_CALLER = ("authorization", "x-api-key", "x-goog-api-key", "accept", "last-event-id")
_OF_THE_ANSWER = (
    "content-type",
    "cache-control",
    "x-accel-buffering",
    "x-generation-id",
    "x-request-id",
    "retry-after",
)


def peers_of(request: Request) -> Peers | None:
    """Whom this worker may ask; None where it is alone, or is itself being asked by one of them."""
    peers: Peers | None = request.scope.get("peers")
    return None if peers is None or peers.asks(read_headers(request.scope)) else peers


def asked_by_peer(request: Request) -> bool:
    """Whether another worker of this server asks: then only what this one drives itself counts."""
    peers: Peers | None = request.scope.get("peers")
    return peers is not None and peers.asks(read_headers(request.scope))


async def answer_elsewhere(
    market: Market, request: Request, missing: NotFound, *, after: int | None = None
) -> Response:
    """The answer of the worker that has what this one misses. Raises `missing` where none has it. after: the last event heard."""
    peers = peers_of(request)
    if peers is None:
        raise missing
    headers = {name: value for name, value in read_headers(request.scope).items() if name in _OF_THE_CALLER}
    if after is not None:
        headers["last-event-id"] = str(after)
    answer = await peers.pass_on(market.client, request.method, request.url.path, headers)
    if answer is None:
        raise missing
    return _PassedOn(answer)


class _PassedOn(Response):
    """Another worker's answer, piece by piece. A hang-up reaches it; at the server's end its last event still goes out."""

    def __init__(self, answer: OutboundResponse) -> None:
        super().__init__(status_code=answer.status)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  Starlette's signature
        tasks: tuple[asyncio.Task[Any], ...] = (
            asyncio.create_task(self._relay(send)),
            asyncio.create_task(hung_up(receive)),
        )
        try:
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                forgive_cancel()  # the other worker stops too, and says so in the stream
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._answer.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, send: Send) -> None:
        kept = [
            (name.encode(), self._answer.headers[name].encode())
            for name in _OF_THE_ANSWER
            if name in self._answer.headers
        ]
        await send({"type": "http.response.start", "status": self._answer.status, "headers": kept})
        try:
            async for piece in self._answer.chunks():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except NetError:
            await send({"type": "http.response.body", "body": _lost(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _lost() -> bytes:
    told = error_body(Unavailable("The process that made this answer has ended"), new_id("req"))
    return b"event: error\ndata: " + json.encode({"type": "error", **told}) + b"\n\n"

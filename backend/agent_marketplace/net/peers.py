"""The other worker processes of this server, each at a private port of the loopback interface that the supervisor holds.

What only one worker can answer (to listen to an answer that runs there, to stop it) is passed on as it came, with the caller's
own credentials. A question between workers carries the server's token, so that it is not passed on again.
"""

import asyncio
import hmac
from collections.abc import Mapping, MutableSequence
from dataclasses import dataclass

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse, Timeouts

HEADER = "x-marketplace-peer"
_PASSED_ON = Timeouts(connect_s=2, first_byte_s=15, idle_s=30, total_s=3600)
_ASKED = Timeouts(connect_s=1, first_byte_s=1, idle_s=1, total_s=1)
_LARGEST = 4_194_304


@dataclass(frozen=True, slots=True)
class Peers:
    """ports: of all the others; token: known to this server's workers only; memory: words that all of them see; deaths: how many
    workers had died before this one began."""

    ports: tuple[int, ...]
    token: str
    memory: MutableSequence[float]
    deaths: int = 0

    def asks(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from one of us. headers: names in lower case."""
        return hmac.compare_digest(headers.get(HEADER, "").encode(), self.token.encode())

    async def pass_on(
        self, client: OutboundClient, method: str, target: str, headers: Mapping[str, str]
    ) -> OutboundResponse | None:
        """The first answer that is not 404; None where none of them knows it."""
        asked = [
            asyncio.create_task(self._ask(client, port, method, target, headers, _PASSED_ON))
            for port in self.ports
        ]
        found: OutboundResponse | None = None
        try:
            for answering in asyncio.as_completed(asked):
                answer = await answering
                if answer is not None and answer.status != 404:
                    found = answer
                    return found
            return None
        finally:
            for task in asked:
                task.cancel()
            for other in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(other, OutboundResponse) and other is not found:
                    other.cancel()

    async def ask_all(self, client: OutboundClient, target: str) -> list[bytes]:
        """What each of them answers within a second; who does not, is left out."""

        async def body(port: int) -> bytes | None:
            answer = await self._ask(client, port, "GET", target, {}, _ASKED)
            if answer is None:
                return None
            try:
                return await answer.read(_LARGEST) if answer.status == 200 else None
            except NetError:
                return None
            finally:
                answer.cancel()

        return [found for found in await asyncio.gather(*map(body, self.ports)) if found is not None]

    async def _ask(
        self,
        client: OutboundClient,
        port: int,
        method: str,
        target: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> OutboundResponse | None:
        url = f"http://127.0.0.1:{port}{target}"
        request = OutboundRequest(
            method, url, {**headers, HEADER: self.token}, timeouts=timeouts, allow_private=True
        )  # our own workers
        try:
            return await client.send(request)
        except NetError:  # it is starting, stopping or dead: it runs nothing that could be asked for
            return None


def introduced(app: ASGI3Application, peers: Peers) -> ASGI3Application:
    """The application, whose requests find the other workers as `scope["peers"]`."""

    async def call(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        scope["peers"] = peers  # type: ignore[typeddict-unknown-key]
        await app(scope, receive, send)

    return call

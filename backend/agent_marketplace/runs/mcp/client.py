"""One MCP server over HTTP: vetted addresses, no redirects, an end to everything that a server could make long."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.net.errors import NetError, Redirected, TooLarge
from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse, Timeouts
from agent_marketplace.runs.mcp import listing, wire
from agent_marketplace.runs.mcp.stdio import SCHEME, Commands
from agent_marketplace.runs.mcp.wire import Definition, Refused
from agent_marketplace.runs.tools.base import ToolFailed
from agent_marketplace.runs.types import Got
from agent_marketplace.wires.sse import SSEParser

_MOST_LIST = 4 * 1024 * 1024
_MOST_CALL = 1024 * 1024
_MOST_ASKED = 8
_REPLY_S = 5.0
_CLOSE_S = 2.0
_SESSION = "mcp-session-id"
FROM_A_RUN = "x-marketplace-run"
"""A header of every request to a tool server: our own `/mcp` spends nothing for a run, whose cap would not count it."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is, and the header with its owner's secret. revision: that it is known to speak, "" = not known."""

    url: str
    owner: str
    header: str = ""
    secret: str = ""
    revision: str = ""


class McpClient:
    """Speaks to servers. allow_private: the operator lets users name hosts on private networks; commands: declared by the operator."""

    def __init__(
        self, client: OutboundClient, *, allow_private: bool = False, commands: Commands | None = None
    ) -> None:
        self.commands = commands or Commands()
        self._client = client
        self._allow_private = allow_private

    async def tools(self, server: Server) -> tuple[list[Definition], str]:
        """(the server's tools, the revision that it speaks). Raises ToolFailed."""
        if server.url.startswith(SCHEME):
            return await self.commands.tools(server.url), ""
        try:
            async with asyncio.timeout(listing.LIST_S):
                return await self._found(server)
        except TimeoutError:
            raise ToolFailed(f"its tools were not listed within {listing.LIST_S:.0f} s", "timeout") from None
        except (Refused, NetError) as error:
            raise _failed(error, unknown=False) from None

    async def _found(self, server: Server) -> tuple[list[Definition], str]:
        """As `tools`; a server that no longer speaks as it did is asked anew which revision it knows."""
        try:
            session = await self._begin(server)
            found = await self._listed(session)
        except Refused:
            if not server.revision:
                raise
            session = await self._begin(msgspec.structs.replace(server, revision=""))
            found = await self._listed(session)
        await session.close()
        return found, session.revision

    async def call(
        self, server: Server, name: str, given: Mapping[str, Any], *, timeout_s: int, read_only: bool
    ) -> Got:
        """What a call came to. Raises ToolFailed; `unknown` where the tool may have done its work all the same."""
        if server.url.startswith(SCHEME):
            return await self.commands.call(server.url, name, given, timeout_s=timeout_s, read_only=read_only)
        sent = False
        try:
            async with asyncio.timeout(timeout_s):
                session = await self._begin(server)
                sent = True
                params = {"name": name, "arguments": dict(given)}
                found = await session.ask("tools/call", params, most=_MOST_CALL, timeout_s=float(timeout_s))
                got = wire.got(found)
            await session.close()
            return got
        except TimeoutError:
            raise ToolFailed(
                f"no result within {timeout_s} s", "timeout", unknown=sent and not read_only
            ) from None
        except Refused as error:
            raise _failed(error, unknown=sent and not error.sure and not read_only) from None
        except NetError as error:
            raise _failed(error, unknown=sent and error.sent and not read_only) from None

    async def _begin(self, server: Server) -> "_Session":
        """A way to ask: none is needed in the newer revision, an `initialize` in the older."""
        session = _Session(self._client, server, allow_private=self._allow_private)
        if server.revision in wire.OLDER:
            await session.initialize()
        elif not server.revision:
            await session.find_revision()
        return session

    async def _listed(self, session: "_Session") -> list[Definition]:
        async def page(cursor: str | None) -> dict[str, Any]:
            params = {} if cursor is None else {"cursor": cursor}
            return await session.ask("tools/list", params, most=_MOST_LIST, timeout_s=listing.LIST_S)

        return await listing.listed(page)


class _Session:
    """One exchange of requests with a server."""

    def __init__(self, client: OutboundClient, server: Server, *, allow_private: bool) -> None:
        self._client = client
        self._server = server
        self._allow_private = allow_private
        self._number = 0
        self._id = ""
        self.revision = server.revision or wire.MODERN

    async def find_revision(self) -> None:
        """The newer revision where the server knows it, else the older. Raises Refused, NetError."""
        try:
            await self.ask("server/discover", {}, most=_MOST_LIST, timeout_s=listing.LIST_S)
        except Refused:
            await self.initialize()

    async def initialize(self) -> None:
        """The beginning of the older revision. Raises Refused, NetError."""
        self.revision = wire.LEGACY
        chosen = await self.ask("initialize", wire.BEGIN, most=_MOST_LIST, timeout_s=listing.LIST_S)
        self.revision = wire.negotiated(chosen)
        await self._say(*wire.notification("notifications/initialized", self.revision), listing.LIST_S)

    async def _say(self, headers: dict[str, str], body: bytes, timeout_s: float) -> None:
        """What needs no answer. Raises NetError."""
        (await self._send(headers, body, timeout_s, _MOST_LIST)).cancel()

    async def close(self) -> None:
        """Ends a session that the server has begun, so that it need not keep it: an older revision's; a server may say that it doesn't."""
        if self._id:
            with contextlib.suppress(NetError, TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    headers, _ = wire.notification("", self.revision)
                    (await self._send(headers, b"", _CLOSE_S, _MOST_LIST, method="DELETE")).cancel()

    async def ask(
        self, method: str, params: Mapping[str, Any], *, most: int, timeout_s: float
    ) -> dict[str, Any]:
        """A request's result. most: bytes of the answer. Raises Refused, NetError."""
        self._number += 1
        headers, body = wire.request(method, params, self._number, self.revision)
        answer = await self._send(headers, body, timeout_s, most)
        try:
            if method == "initialize":
                self._id = answer.headers.get(_SESSION, "")[:512]
            if (
                answer.headers.get("content-type", "").startswith("text/event-stream")
                and answer.status == 200
            ):
                return await self._heard(answer, most)
            data = await answer.read(most)
            if answer.status not in (200, 400, 404):
                raise Refused(_status(answer.status), sure=400 <= answer.status < 500)
            found = wire.result_in(wire.message_in(data), self._number)
            if found is None:
                raise Refused("the server answers something else than it was asked")
            return found
        finally:
            answer.cancel()

    async def _heard(self, answer: OutboundResponse, most: int) -> dict[str, Any]:
        """The result in a stream; what the server asks in it is answered, what else it says is let pass."""
        reader, size, asked = SSEParser(most), 0, 0
        async for piece in answer.chunks():
            size += len(piece)
            if size > most:
                raise TooLarge(f"the answer is over {most} bytes")
            for event in reader.feed(piece):
                message = wire.message_in(event.data) if event.data else {}
                if (found := wire.result_in(message, self._number)) is not None:
                    return found
                if wire.asked_in(message) and asked < _MOST_ASKED and self.revision != wire.MODERN:
                    asked += 1
                    with contextlib.suppress(NetError):
                        await self._say(*wire.reply(message, self.revision), _REPLY_S)
        raise Refused("the server's stream ended without an answer")

    async def _send(
        self, headers: dict[str, str], body: bytes, timeout_s: float, most: int, *, method: str = "POST"
    ) -> OutboundResponse:
        server = self._server
        headers[FROM_A_RUN] = "1"
        if server.secret:
            plain = server.header.lower() != "authorization" or " " in server.secret
            headers[server.header.lower()] = server.secret if plain else f"Bearer {server.secret}"
        if self._id:
            headers[_SESSION] = self._id
        return await self._client.send(
            OutboundRequest(
                method, server.url, headers, body, timeouts=Timeouts(5.0, timeout_s, timeout_s, timeout_s), max_body=most,
                allow_private=self._allow_private, owner=server.owner,
            )
        )  # fmt: skip


def _status(status: int) -> str:
    if status in (401, 403):
        return (
            f"the server answers with status {status}: it wants another secret than the one that it was given"
        )
    return f"the server answers with status {status}"


def _failed(error: Refused | NetError, *, unknown: bool) -> ToolFailed:
    if isinstance(error, Refused):
        return ToolFailed(error.words, "refused", unknown=unknown)
    if isinstance(error, Redirected):
        return ToolFailed(
            f"the server answers with a redirect ({error.status}), which is not followed", "redirect"
        )
    if isinstance(error, TooLarge):
        return ToolFailed("the server's answer is too large", "too_large", unknown=unknown)
    return ToolFailed(f"the server could not be asked: {error.message}", "unreachable", unknown=unknown)

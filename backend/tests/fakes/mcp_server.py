"""An MCP server that misbehaves on command, both revisions, on a raw socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.fakes.raw_http import Conn, RawServer, Request

ECHO = {
    "name": "echo", "description": "Says it again", "inputSchema": {"type": "object", "properties": {"x": {"type": "string"}}},
    "annotations": {"readOnlyHint": True},
}  # fmt: skip
Raw = Callable[[Conn, Request, dict[str, Any]], Awaitable[None]]


@dataclass
class FakeMcp:
    """`async with FakeMcp()`. tools: what it lists; legacy: it knows no revision without a beginning.

    ended: sessions that its client has given back; results: by tool, what a call comes to; raw: by method, what answers in place
    of everything else.
    """

    tools: list[Any] = field(default_factory=lambda: [dict(ECHO)])
    legacy: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Raw] = field(default_factory=dict)
    endless: bool = False
    stream: bool = False
    ended: list[str] = field(default_factory=list)
    seen: list[tuple[Request, dict[str, Any]]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.server = await RawServer(self._serve).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    @property
    def url(self) -> str:
        return self.server.url("/mcp")

    @property
    def methods(self) -> list[str]:
        return [message["method"] for _, message in self.seen]

    async def _serve(self, conn: Conn) -> None:
        while True:
            request = await conn.request()
            if request.line.startswith("DELETE "):
                self.ended.append(request.headers.get("mcp-session-id", ""))
                await conn.answer(b"", "204 No Content")
                continue
            message = json.loads(request.body)
            self.seen.append((request, message))
            method = message["method"]
            if method in self.raw:
                await self.raw[method](conn, request, message)
            elif "id" not in message:
                await conn.answer(b"", "202 Accepted")
            else:
                await self._answer(conn, request, message)

    async def _answer(self, conn: Conn, request: Request, message: dict[str, Any]) -> None:
        method, params = message["method"], message.get("params", {})
        if self.legacy and "_meta" in params:
            error = {
                "jsonrpc": "2.0",
                "id": message["id"],
                "error": {"code": -32600, "message": "no session"},
            }
            await conn.answer(json.dumps(error).encode(), "400 Bad Request", "content-type: application/json")
            return
        headers = []
        if method == "initialize":
            found: Any = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "f", "version": "1"},
            }
            headers.append("mcp-session-id: s1")
        elif method == "server/discover":
            found = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
        elif method == "tools/list":
            found = {"tools": self.tools}
            if self.endless:
                found["nextCursor"] = f"{params.get('cursor', '')}x"
        else:
            given = params["arguments"]
            echo = {"content": [{"type": "text", "text": f"{params['name']}: {given.get('x')}"}]}
            found = self.results.get(params["name"], echo)
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": found}).encode()
        if self.stream:
            noise = b'event: message\ndata: {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}\n\n: hello\n\n'
            await conn.answer(
                noise + b"event: message\ndata: " + body + b"\n\n",
                "200 OK",
                "content-type: text/event-stream",
            )
        else:
            await conn.answer(body, "200 OK", "content-type: application/json", *headers)


async def endless_bytes(conn: Conn, first: bytes, piece: bytes, *, pause_s: float = 0.0) -> None:
    """A chunked answer that goes on until its reader has gone."""
    await conn.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n" + first + b"\r\n\r\n")
    while not conn.gone.is_set():
        try:
            await conn.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        except ConnectionError:
            return
        await asyncio.sleep(pause_s)

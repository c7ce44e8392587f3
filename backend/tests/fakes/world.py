"""Both outbound clients under one roof: a test is written once and runs on each client and each event loop."""

import asyncio
import functools
import inspect
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import pytest
import uvloop

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse, Timeouts
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.ssrf import Resolver
from tests.fakes.raw_http import Conn, RawServer, Script

FAST = Timeouts(connect_s=0.3, first_byte_s=0.3, idle_s=0.3, total_s=5)
SOON = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=10)

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class World:
    """A client, the servers it talks to and the names they have. On the way out nothing may be left open."""

    def __init__(self, kind: Literal["aiohttp", "lean"], **options: Any) -> None:
        self.names: dict[str, list[str]] = {}
        self.lookups: list[str] = []
        self._servers: list[RawServer] = []
        self._kind = kind
        self._options = options

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()
        async with asyncio.timeout(5):
            for server in self._servers:
                for conn in server.conns:
                    if error is None:
                        await conn.gone.wait()
                await server.close()
            while error is None and len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)

    def open(self, tls: ssl.SSLContext | None = None, **options: Any) -> OutboundClient:
        """(Re)makes the client, trusting `tls` only."""
        make = LeanClient if self._kind == "lean" else AiohttpClient
        self.client: OutboundClient = make(
            resolver=Resolver(self._lookup), tls=tls, **{**self._options, **options}
        )
        return self.client

    async def serve(
        self, script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> RawServer:
        server = await RawServer(script, tls, host).start()
        self._servers.append(server)
        return server

    async def send(
        self,
        url: str,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"{}",
        timeouts: Timeouts = SOON,
        allow_private: bool = True,
        on_written: Callable[[], None] | None = None,
        **caps: Any,
    ) -> OutboundResponse:
        return await self.client.send(
            OutboundRequest(
                method,
                url,
                headers or {},
                body,
                timeouts,
                allow_private=allow_private,
                on_written=on_written,
                **caps,
            )
        )

    def _lookup(self, host: str) -> list[str]:
        self.lookups.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


def on_both_clients(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Makes a pytest test of an async one whose first argument is a World; what takes 20 s counts as hanging."""
    others = list(inspect.signature(test).parameters.values())[1:]
    own = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("kind", "loop")]

    def run(kind: Literal["aiohttp", "lean"], loop: str, **parameters: Any) -> None:
        async def go() -> None:
            async with asyncio.timeout(20), World(kind) as world:
                await test(world, **parameters)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
            runner.run(go())

    functools.update_wrapper(run, test)
    run.__signature__ = inspect.Signature(own + others)  # type: ignore[attr-defined]
    return pytest.mark.parametrize("kind", ["aiohttp", "lean"])(
        pytest.mark.parametrize("loop", ["asyncio", "uvloop"])(run)
    )


async def until_gone(server: RawServer, index: int = -1) -> None:
    """Waits until the client has closed that connection; half a second is far more than it needs."""
    async with asyncio.timeout(0.5):
        while not server.conns:
            await asyncio.sleep(0)
        await server.conns[index].gone.wait()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def wait_for_ever(conn: Conn) -> None:
    await conn.request()
    await conn.until_gone()


async def pieces(response: OutboundResponse, into: list[bytes], begun: asyncio.Event | None = None) -> None:
    async for piece in response.chunks():
        into.append(piece)
        if begun is not None:
            begun.set()

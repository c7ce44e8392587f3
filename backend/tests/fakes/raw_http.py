"""A server on raw sockets that does exactly what a test's script says, byte by byte."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Script = Callable[["Conn"], Awaitable[None]]


@dataclass
class Request:
    """What arrived. head: the raw head; headers: lower-case names."""

    head: bytes
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()


@dataclass
class Conn:
    """One accepted connection. gone: set as soon as the client closed its side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> Request:
        """Reads one request. Raises IncompleteReadError if the client closed instead."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")[1:-2]
            headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()
            raise
        return Request(head, headers, body)

    async def send(self, *pieces: bytes) -> None:
        """Writes the pieces as one write and waits for the socket to take them."""
        try:
            self.writer.write(b"".join(pieces))
        except RuntimeError as e:  # uvloop's word for a transport that is closed already
            raise ConnectionError from e
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", status: str = "200 OK", *headers: str) -> None:
        """A whole answer with its length."""
        extra = "".join(f"{h}\r\n" for h in headers)
        await self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode(), body)

    def fin(self) -> None:
        """Closes in the ordinary way."""
        self.writer.close()

    def rst(self) -> None:
        """Resets the connection."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_gone(self) -> None:
        """Reads and drops until the client closes."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while await self.reader.read(65_536):
                pass
        self.gone.set()


class RawServer:
    """Runs the script for every connection, on a free loopback port."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self.conns: list[Conn] = []
        self._running: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.port = 0

    async def start(self) -> "RawServer":
        self._server = await asyncio.start_server(self._accepted, self._host, 0, ssl=self._tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def url(self, path: str = "/v1", host: str | None = None) -> str:
        return f"{'https' if self._tls else 'http'}://{host or self._host}:{self.port}{path}"

    async def close(self) -> None:
        """Stops listening and drops what is left; raises the first unexpected failure of a script."""
        self._server.close()
        for conn in self.conns:
            conn.writer.transport.abort()
        if self._running:
            await asyncio.wait(self._running, timeout=5)
        if self.failures:
            raise self.failures[0]

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conn = Conn(reader, writer)
        self.conns.append(conn)
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await self._script(conn)
            await conn.until_gone()
        except (asyncio.IncompleteReadError, ConnectionError):
            conn.gone.set()
        except AssertionError as e:
            self.failures.append(e)
        finally:
            writer.close()

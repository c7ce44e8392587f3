"""A guarded server in the test's own event loop, with an app that writes down what it is told."""

import asyncio
from types import TracebackType
from typing import Self

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from agent_marketplace.net.drain import Drain
from agent_marketplace.net.guard import Guard, GuardedConfig, Limits
from agent_marketplace.net.server import DrainingServer, bind


class Told:
    """An app: /echo answers with the body's size, /stream/N sends N pieces of 64 KiB, /wait sends one piece and waits.

    /late is /echo that begins to read once `reads` is set. events: one entry for each thing that happened, in order.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.changed = asyncio.Condition()
        self.reads = asyncio.Event()
        self.sent = 0

    async def note(self, event: str) -> None:
        async with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    async def until(self, event: str, count: int = 1) -> None:
        """Waits for the event's nth occurrence."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: self.events.count(event) >= count)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})  # type: ignore[misc, arg-type]
                if kind == "lifespan.shutdown":
                    return
        assert scope["type"] == "http"
        path = scope["path"]
        await self.note(f"started {path}")
        if path == "/early":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if path == "/late":
            await self.reads.wait()
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                await self.note(f"gone {path}")
                return
            size += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await self._answer(path, size, receive, send)
        except asyncio.CancelledError:
            await self.note(f"cancelled {path}")
            await asyncio.shield(self.note(f"settled {path}"))
            raise

    async def _answer(
        self, path: str, size: int, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if path == "/wait":
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await receive()
            await self.note(f"gone {path}")
            return
        if path.startswith("/stream/"):
            watching = asyncio.ensure_future(receive())
            for _ in range(int(path.rsplit("/", 1)[1])):
                await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
                self.sent += 65_536
                if watching.done():
                    await self.note(f"gone {path}")
                    return
            watching.cancel()
        await send({"type": "http.response.body", "body": str(size).encode(), "more_body": False})
        await self.note(f"answered {path}")


class Guarded:
    """`async with Guarded(limits) as it`: it.port, it.app, it.server, it.connect()."""

    def __init__(self, limits: Limits, grace_s: float = 5.0, proxies: str | None = None) -> None:
        self.app = Told()
        self.drain = Drain()
        self._writers: list[asyncio.StreamWriter] = []
        self.config = GuardedConfig(
            self.app,
            limits,
            self.drain,
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=proxies is not None,
            forwarded_allow_ips=proxies,
        )
        self.server = DrainingServer(self.config, grace_s=grace_s)

    async def __aenter__(self) -> Self:
        sock = bind("127.0.0.1", 0)
        self.port = sock.getsockname()[1]
        self._task = asyncio.create_task(self.server.serve(sockets=[sock]))
        async with asyncio.timeout(5):
            while not self.server.started:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self.server.stop()
        self.server.stop()
        async with asyncio.timeout(10):
            await self._task

    @property
    def guards(self) -> list[Guard]:
        """The open connections."""
        return self.server.guards()

    async def connect(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer

    async def status(self, data: bytes) -> int:
        """Sends the bytes and returns the answer's status; 0 where the connection just ends."""
        reader, writer = await self.connect(data)
        try:
            return await status_of(reader)
        finally:
            writer.close()


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the next answer; 0 at the end of the connection."""
    async with asyncio.timeout(5):
        try:
            line = await reader.readline()
        except ConnectionError:
            return 0
    return int(line.split()[1]) if line else 0

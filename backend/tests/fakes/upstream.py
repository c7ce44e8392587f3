"""A provider that misbehaves on command, for all wires, and remembers the truth: what was asked, what was sent, who hung up.

    async with FakeUpstream(Behaviour(text="a b c"), Behaviour(status=429, headers={"Retry-After": "2"})) as fake:
        ...  # point a provider's base URL at fake.base_url (…/v1) or fake.root

Each request takes the next behaviour; the last one repeats. By hand: `python -m tests.fakes.upstream --help` from backend/.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.fakes import official, shapes
from tests.fakes.refusals import refused
from tests.fakes.shapes import Frame, Wire

HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What one request meets. Times in seconds; `*_after` count text chunks; None = never.

    usage: (prompt, completion), None for no usage, the wire's own object to send as it is, or what makes it of a request.
    gated: nothing is answered before `FakeUpstream.open_gate`. stepped: chunks leave only as `FakeUpstream.release` allows.
    raw: body bytes instead of an answer, or what makes them of a request. lie: Content-Length minus this many bytes.
    """

    text: str = "Hello from the fake upstream ."
    usage: "tuple[Any, Any] | dict[str, Any] | Callable[[Seen], dict[str, Any]] | None" = (11, 7)
    model: str = "fake-model"
    status: int = 200
    words: str = "scripted failure"
    headers: dict[str, str] = field(default_factory=dict)
    raw: "bytes | Callable[[Seen], bytes] | None" = None
    content_type: str | None = None
    connect: Literal["serve", "reset", "silent"] = "serve"
    gated: bool = False
    head_delay: float = 0.0
    first_delay: float = 0.0
    chunk_delay: float = 0.0
    stepped: bool = False
    stall_after: int | None = None
    cut_after: int | None = None
    cut: Literal["fin", "rst"] = "fin"
    malformed_after: int | None = None
    malformed: bytes = b'data: {"choices":[{"del\n\n'
    error_after: int | None = None
    finish: bool = True
    done: bool = True
    double_usage: bool = False
    split: int | None = None
    newline: bytes = b"\n"
    prefix: bytes = b""
    endless: bool = False
    gzip_bomb: int = 0
    lie: int = 0
    frames: tuple[bytes, ...] | None = None


@dataclass
class Seen:
    """The truth about one request. `hung_up`: the client closed before the answer was whole; `done_at`: loop time."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    behaviour: Behaviour
    at: float
    chunks_sent: int = 0
    bytes_sent: int = 0
    completed: bool = False
    hung_up: bool = False
    done_at: float | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        """The request's body."""
        return json.loads(self.body or b"null")

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for (Ollama streams by default)."""
        if "streamGenerateContent" in self.path:
            return True
        body = self.json if self.body else {}
        return bool(body.get("stream", self.path.startswith("/api/"))) if isinstance(body, dict) else False


class _Gone(Exception):
    """The client hung up, or the script says to cut."""


class FakeUpstream:
    """See the module."""

    def __init__(self, *script: Behaviour, port: int = 0, judged: bool = False, provider: str = "") -> None:
        """judged: every request is held against the provider's refusals (`refusals`) and its official SDK's types
        (`official`), and the test fails at the end for what the SDK could not have sent. Not for tests by hand.

        provider: whose fields count, "" = any's.
        """
        self.script = list(script) or [Behaviour()]
        self.judged = judged
        self.provider = provider
        self.complaints: list[str] = []
        self.requests: list[Seen] = []
        self.connections = 0
        self.open_connections = 0
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()
        self._permits = asyncio.Semaphore(0)
        self._gate = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, limit=1 << 26)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        assert self.complaints == [], f"no official SDK could have sent this: {self.complaints}"

    @property
    def root(self) -> str:
        """Base URL without a path (Anthropic, Gemini, Ollama)."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def base_url(self) -> str:
        """Base URL with /v1 (OpenAI and its kin)."""
        return self.root + "/v1"

    def release(self, chunks: int = 1) -> None:
        """Lets that many more chunks of stepped streams leave."""
        for _ in range(chunks):
            self._permits.release()

    async def arrived(self, count: int, within: float = 10.0) -> Seen:
        """The `count`-th request, once it is here."""
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    def open_gate(self) -> None:
        """Lets every gated answer begin, those to come too."""
        self._gate.set()

    async def decided(self, calls: Sequence[asyncio.Task[Any]], within: float = 60.0) -> None:
        """Returns once each of the calls is here or has been answered without us."""
        async with asyncio.timeout(within):
            while len(self.requests) + sum(call.done() for call in calls) < len(calls):
                next_one = asyncio.create_task(self.arrived(len(self.requests) + 1, within))
                waiting = {next_one, *(call for call in calls if not call.done())}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                next_one.cancel()

    async def settled(self, within: float = 10.0) -> None:
        """Returns once every request so far is over, one way or the other."""
        async with asyncio.timeout(within):
            for seen in self.requests:
                await seen.over.wait()

    def _judge(self, path: str, body: bytes, behaviour: Behaviour) -> Behaviour:
        """What the request meets: the script, or the provider's refusal. Takes note of what no SDK could have sent."""
        bare = path.partition("?")[0]
        wire = shapes.wire_of(bare)
        # No SDK here has types for Mistral's own path and for llama.cpp's.
        if wire not in ("models", "infill") and "mbedContent" not in bare and "/fim/" not in bare:
            # mypy does not narrow by a tuple
            self.complaints += official.complaints(wire, body, self.provider)  # type: ignore[arg-type]
        words = refused(bare, body)
        return behaviour if words is None else Behaviour(status=400, words=words)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (_Gone, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        behaviour = self.script[min(len(self.requests), len(self.script) - 1)]
        behaviour = self._judge(path, body, behaviour) if self.judged and method == "POST" else behaviour
        seen = Seen(method, path.partition("?")[0], headers, body, behaviour, time.monotonic())
        async with self._arrived:
            self.requests.append(seen)
            self._arrived.notify_all()
        answer = asyncio.create_task(_Answer(self._permits, self._gate, seen, writer).run())
        watch = asyncio.create_task(_until_closed(reader))
        try:
            await asyncio.wait({answer, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                seen.hung_up = True
                raise _Gone
            try:
                await answer
            except OSError:
                seen.hung_up = True
                raise
            return seen.completed and headers.get("connection", "").lower() != "close"
        finally:
            for task in (answer, watch):
                task.cancel()
            await asyncio.gather(answer, watch, return_exceptions=True)
            seen.done_at = time.monotonic()
            seen.over.set()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Returns once the peer has closed. Bytes of a next request stay in the reader."""
    while not reader.at_eof():
        if reader._buffer:  # type: ignore[attr-defined]  # pipelined or next request: it is alive
            await asyncio.Event().wait()
        await reader._wait_for_data("watch")  # type: ignore[attr-defined]


class _Answer:
    """Plays one behaviour onto one connection."""

    def __init__(
        self, permits: asyncio.Semaphore, gate: asyncio.Event, seen: Seen, writer: asyncio.StreamWriter
    ) -> None:
        self._permits = permits
        self._gate = gate
        self._seen = seen
        self._do = seen.behaviour
        self._writer = writer
        self._wire: Wire = shapes.wire_of(seen.path)

    async def run(self) -> None:
        do = self._do
        if do.connect == "reset":
            self._cut("rst")
        if do.connect == "silent":
            await asyncio.Event().wait()
        if do.gated:
            await self._gate.wait()
        await asyncio.sleep(do.head_delay)
        if do.status != 200 or do.raw is not None:
            raw = do.raw(self._seen) if callable(do.raw) else do.raw
            body = raw if raw is not None else shapes.error_body(self._wire, do.status, do.words)
            await self._whole(do.status, body, do.content_type or "application/json")
        elif do.gzip_bomb:
            await self._bomb(do.gzip_bomb)
        elif self._seen.stream:
            await self._stream()
        else:
            await asyncio.sleep(do.first_delay)
            if do.stall_after is not None:
                await asyncio.Event().wait()
            await self._whole(
                200, shapes.plain(self._wire, do.model, do.text, self._usage()), "application/json"
            )
        self._seen.completed = True

    def _usage(self) -> dict[str, Any] | None:
        usage = self._do.usage
        if callable(usage):
            return usage(self._seen)
        return shapes.usage_of(self._wire, *usage) if isinstance(usage, tuple) else usage

    def _head(self, status: int, content_type: str, **more: str) -> bytes:
        headers = {"content-type": content_type, **more, **self._do.headers}
        lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode("latin-1")

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        self._seen.bytes_sent += len(data)

    async def _whole(self, status: int, body: bytes, content_type: str) -> None:
        await self._write(
            self._head(status, content_type, content_length=str(len(body))) + body[: len(body) - self._do.lie]
        )
        if self._do.lie:
            self._cut("fin")

    async def _bomb(self, size: int) -> None:
        packer = zlib.compressobj(9, wbits=31)
        zeros = b" " * (1 << 20)
        packed = b"".join(packer.compress(zeros) for _ in range(max(1, size >> 20))) + packer.flush()
        await self._write(
            self._head(200, "application/json", content_length=str(len(packed)), content_encoding="gzip")
            + packed
        )

    async def _stream(self) -> None:
        do = self._do
        kind = do.content_type or (
            "application/x-ndjson" if self._wire in ("ollama", "generate") else "text/event-stream"
        )
        await self._write(self._head(200, kind, transfer_encoding="chunked"))
        await asyncio.sleep(do.first_delay)
        if do.prefix:
            await self._chunked(do.prefix)
        async for frame in self._frames():
            await self._chunked(frame.data)
        await self._write(b"0\r\n\r\n")

    async def _frames(self) -> AsyncIterator[Frame]:
        do, seen = self._do, self._seen
        if do.frames is not None:
            for data in do.frames:
                yield Frame("text", data)
                seen.chunks_sent += 1
            return
        words = [w + " " for w in do.text.split(" ")] if do.text else []
        frames = shapes.stream(self._wire, do.model, words, self._usage())
        await self._faults()
        for frame in frames:
            if (frame.kind == "finish" and not do.finish) or (frame.kind == "done" and not do.done):
                continue
            if frame.kind == "text":
                await self._pace()
                yield frame
                seen.chunks_sent += 1
                while do.endless:
                    await self._pace()
                    yield frame
                    seen.chunks_sent += 1
                async for extra in self._after_chunk():
                    yield extra
            else:
                yield frame
                if frame.kind == "usage" and do.double_usage:
                    yield frame

    async def _pace(self) -> None:
        if self._do.stepped:
            await self._permits.acquire()
        if self._do.chunk_delay:
            await asyncio.sleep(self._do.chunk_delay)
        else:
            await asyncio.sleep(0)

    async def _after_chunk(self) -> AsyncIterator[Frame]:
        do, sent = self._do, self._seen.chunks_sent
        if do.malformed_after == sent:
            yield Frame("head", do.malformed if self._wire != "ollama" else b'{"message": {"cont\n')
        if do.error_after == sent:
            yield Frame("head", shapes.error_frame(self._wire, do.words))
        await self._faults()

    async def _faults(self) -> None:
        do, sent = self._do, self._seen.chunks_sent
        if do.stall_after == sent:
            await asyncio.Event().wait()
        if do.cut_after == sent:
            self._cut(do.cut)

    async def _chunked(self, data: bytes) -> None:
        if self._do.newline != b"\n":
            data = data.replace(b"\n", self._do.newline)
        size = self._do.split or len(data)
        for i in range(0, len(data), size):
            piece = data[i : i + size]
            await self._write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if self._do.split:
                await asyncio.sleep(0)

    def _cut(self, how: Literal["fin", "rst"]) -> None:
        if how == "rst":
            plug: socket.socket = self._writer.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        raise _Gone


async def _by_hand() -> None:
    parser = argparse.ArgumentParser(description="A scripted provider on all wires.")
    parser.add_argument("--port", type=int, default=9099)
    parser.add_argument(
        "--behaviour",
        default="{}",
        help='JSON of Behaviour fields, e.g. {"cut_after": 2}; a list is a script',
    )
    given = parser.parse_args()
    script = json.loads(given.behaviour)
    script = script if isinstance(script, list) else [script]
    async with FakeUpstream(*(Behaviour(**b) for b in script), port=given.port) as fake:
        print(f"{fake.base_url}  (Anthropic, Gemini, Ollama: {fake.root})", flush=True)
        shown = 0
        while True:
            await fake.arrived(shown + 1, within=1e9)
            seen = fake.requests[shown]
            shown += 1
            await seen.over.wait()
            print(
                f"{seen.method} {seen.path} chunks={seen.chunks_sent} completed={seen.completed} hung_up={seen.hung_up}",
                flush=True,
            )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_by_hand())

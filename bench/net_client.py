"""CPU of one plain call and of one streamed chunk, for both outbound clients, over loopback, with and without TLS.

Run from backend/: `../.venv/bin/python ../bench/net_client.py [CALLS]`. The upstream is another process; what is counted is
this process's user and system time, so the figures hold on a busy machine; wall time does not and is not shown.
"""

import asyncio
import multiprocessing
import resource
import ssl
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.http import OutboundClient, OutboundRequest
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.ssrf import Resolver
from tests.fakes.tls import contexts

CONCURRENCY = 32
CHUNKS = 64
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hello"}]}' * 8
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1024\r\n\r\n" + b"x" * 1024
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices": [{"delta": {"content": "token"}}]}\n\n'


class Upstream(asyncio.Protocol):
    """Answers each request whose end it sees: /s with a stream of chunks, one write each; anything else with 1 KB."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.seen = b""

    def data_received(self, data: bytes) -> None:
        self.seen += data
        head, found, body = self.seen.partition(b"\r\n\r\n")
        if not found or len(body) < len(BODY):
            return
        self.seen = b""
        if head.startswith(b"POST /s "):
            self.transport.write(STREAM)  # type: ignore[attr-defined]
            for _ in range(CHUNKS):
                self.transport.write(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))  # type: ignore[attr-defined]
            self.transport.write(b"0\r\n\r\n")  # type: ignore[attr-defined]
        else:
            self.transport.write(PLAIN)  # type: ignore[attr-defined]


def upstream(ready: Connection) -> None:
    """The other process: serves plain HTTP and TLS, and says where."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server_tls, _, pem = contexts_with_pem()
        plain = await loop.create_server(Upstream, "127.0.0.1", 0)
        tls = await loop.create_server(Upstream, "127.0.0.1", 0, ssl=server_tls)
        ready.send((plain.sockets[0].getsockname()[1], tls.sockets[0].getsockname()[1], pem))
        await asyncio.Event().wait()

    uvloop.run(serve())


def contexts_with_pem() -> tuple[ssl.SSLContext, ssl.SSLContext, str]:
    """The test authority's contexts, and its certificate for the other process."""
    server, client = contexts("provider.test")
    return server, client, "".join(ssl.DER_cert_to_PEM_cert(der) for der in client.get_ca_certs(binary_form=True))


def cpu_s() -> float:
    """User and system seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(client: OutboundClient, url: str, calls: int) -> float:
    """CPU milliseconds per call at CONCURRENCY."""
    request = OutboundRequest(
        "POST", url, {"authorization": "Bearer x", "content-type": "application/json"}, BODY, allow_private=True
    )

    async def worker(count: int) -> None:
        for _ in range(count):
            response = await client.send(request)
            async for _ in response.chunks():
                pass

    await asyncio.gather(*(worker(10) for _ in range(CONCURRENCY)))
    before = cpu_s()
    await asyncio.gather(*(worker(calls // CONCURRENCY) for _ in range(CONCURRENCY)))
    return (cpu_s() - before) * 1000 / (calls // CONCURRENCY * CONCURRENCY)


async def main(calls: int, plain: int, tls: int, pem: str) -> None:
    """Prints one line for each client and transport."""
    print(
        f"{'client':8} {'transport':9} {'ms CPU/plain call':>18} {'us CPU/chunk':>13}   (c = {CONCURRENCY}, {calls} calls)"
    )
    for kind in (AiohttpClient, LeanClient):
        for transport, base in (("http", f"http://127.0.0.1:{plain}"), ("tls", f"https://provider.test:{tls}")):
            client = kind(resolver=Resolver(lambda _: ["127.0.0.1"]), tls=ssl.create_default_context(cadata=pem))
            call = await measure(client, f"{base}/v1", calls)
            stream = await measure(client, f"{base}/s", calls // 8)
            await client.close()
            name = kind.__name__.removesuffix("Client").lower()
            print(f"{name:8} {transport:9} {call:18.3f} {(stream - call) * 1000 / CHUNKS:13.2f}")


if __name__ == "__main__":
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=upstream, args=(there,), daemon=True)
    process.start()
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000, *here.recv()))
    process.terminate()

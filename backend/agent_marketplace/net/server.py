"""uvicorn run from our own code: guarded connections, a drain that lets streams end and settle, exit status 0."""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from types import FrameType
from typing import cast

from uvicorn import Server
from uvicorn._types import ASGI3Application

from agent_marketplace.net.drain import Drain
from agent_marketplace.net.guard import Guard, GuardedConfig, Limits
from agent_marketplace.net.peers import Peers, introduced

AppFactory = Callable[[Drain], ASGI3Application]

SETTLE_S = 5.0
BACKLOG = 2048

# Thousands of open streams are all alive, and the default walks them 47 times a minute for up to 0.4 s. Measured with 3,000 streams
# of a chunk a second: three full collections, and the slowest hundredth of chunks 66 ms late instead of 407.
_COLLECT_AFTER = (20_000, 20, 200)
_TICKS_A_SECOND = 10  # uvicorn's
_MANY = 500


_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
_LARGE = 1 << 20


def give_back_large_blocks() -> None:
    """A body of megabytes goes back to the system with its last reference. glibc otherwise learns from the first one that is freed
    to keep such blocks in its heap, where a small one that lives on above them holds all of it."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library: it has its own ways
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


class DrainingServer(Server):
    """First signal: drain, keep answering (503 by the app), leave when nothing is active or the grace is over.

    Second signal: everything is cancelled at once. Cancelled requests get SETTLE_S seconds to settle. alone: this process
    serves and does nothing else.
    """

    def __init__(
        self, config: GuardedConfig, *, grace_s: float, parent: int | None = None, alone: bool = False
    ) -> None:
        super().__init__(config)
        self._alone = alone
        self._drain = config.drain
        self._grace_s = grace_s
        self._parent = parent
        self._leave_at: float | None = None
        self._before: frozenset[asyncio.Task[None]] = frozenset()

    def stop(self) -> None:
        """Begins the drain; the second call forces. Call it on the event loop."""
        if self._drain.draining:
            self.force_exit = True
            return
        self._leave_at = asyncio.get_running_loop().time() + self._grace_s
        self._before = frozenset(self.server_state.tasks)
        self._drain.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the app and listens. What is alive then (catalogue, modules) stays: the collector need not walk it again."""
        await super().startup(sockets)
        if self._alone:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_COLLECT_AFTER)
            gc.enable()

    async def on_tick(self, counter: int) -> bool:
        """Sweeps the connections' deadlines; True once it is time to leave."""
        now = asyncio.get_running_loop().time()
        # Thousands of open streams are swept once a second: ten times is a tenth of what their chunks cost.
        if counter % _TICKS_A_SECOND == 0 or len(self.server_state.connections) < _MANY:
            for connection in self.guards():
                connection.sweep(now)
        if self._parent is not None and os.getppid() != self._parent and not self._drain.draining:
            self.stop()
        if self._leave_at is not None and (self.force_exit or now >= self._leave_at or not self._active()):
            return True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the listeners, cancels what is left, lets it settle, then closes the app."""
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for connection in self.guards():
            connection.shutdown()
        if self._leave_at is not None and not self.force_exit:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._leave_at):
                    await self._ended(self._before)
        self._drain.end()
        for task in list(self.server_state.tasks):
            task.cancel("the server is stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self._ended(frozenset(self.server_state.tasks))
        await self.lifespan.shutdown()
        for connection in self.guards():
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ours, because uvicorn's raises the signal again at the end, which makes the exit status -15."""
        loop = asyncio.get_running_loop()

        def handle(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.stop)

        wanted: dict[signal.Signals, Callable[[int, FrameType | None], None] | signal.Handlers] = {
            signal.SIGTERM: handle,
            # A terminal sends Ctrl-C to workers too, but only their parent's SIGTERM counts for them.
            signal.SIGINT: handle if self._parent is None else signal.SIG_IGN,
        }
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def guards(self) -> list[Guard]:
        """The open connections."""
        return cast("list[Guard]", list(self.server_state.connections))  # GuardedConfig makes no others

    def _active(self) -> bool:
        # Of what came since the drain began only calls count: who goes on asking a server that refuses must not use up the grace.
        return any(not task.done() for task in self._before) or self._drain.active > 0

    async def _ended(self, tasks: frozenset[asyncio.Task[None]]) -> None:
        if tasks:
            await asyncio.wait(tasks)
        await self._drain.idle()


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens from now on: who connects before the app is up waits. Raises OSError, e.g. EADDRINUSE."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, proto)
    try:
        # On Windows the option would let a second server take the same port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, sys.platform != "win32")
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def run(
    app_factory: AppFactory,
    sock: socket.socket,
    *,
    grace_s: float = 30.0,
    limits: Limits | None = None,
    trusted_proxies: str | None = None,
    parent: int | None = None,
    private: socket.socket | None = None,
    peers: Peers | None = None,
) -> bool:
    """Serves in this process until stopped. trusted_proxies: addresses whose X-Forwarded-* count; parent: the pid whose end
    ends this process too; private: where the other workers reach this one; peers: where it reaches them. True if the end was
    orderly, False if forced. Raises SystemExit(3) if the app did not start."""
    give_back_large_blocks()
    gc.disable()  # until it serves: what a start makes stays, and walking it again and again is a fifth of the start
    drain = Drain()
    app = app_factory(drain)
    config = GuardedConfig(
        app if peers is None else introduced(app, peers),
        limits or Limits(),
        drain,
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=trusted_proxies is not None,
        forwarded_allow_ips=trusted_proxies,
        backlog=BACKLOG,
    )
    server = DrainingServer(config, grace_s=grace_s, parent=parent, alone=True)
    server.run(sockets=[sock] if private is None else [sock, private])
    return not server.force_exit

"""Several server processes on one listening socket: bound once here, passed on, replaced when one dies, within bounds."""

import logging
import multiprocessing
import os
import secrets
import signal
import socket
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from agent_marketplace.net import server
from agent_marketplace.net.guard import Limits
from agent_marketplace.net.peers import Peers

_SHARED_WORDS = 1 << 17
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Respawn:
    """How often a worker may die before the whole server gives up. Seconds."""

    first_delay_s: float = 0.1
    max_delay_s: float = 5.0
    deaths: int = 6
    within_s: float = 60.0


class Supervisor:
    """Keeps `workers` processes running; SIGTERM and SIGINT drain them, a second one forces them."""

    def __init__(
        self,
        app_factory: server.AppFactory,
        sock: socket.socket,
        workers: int,
        *,
        grace_s: float = 30.0,
        limits: Limits | None = None,
        trusted_proxies: str | None = None,
        respawn: Respawn | None = None,
    ) -> None:
        self._arguments = (app_factory, sock, grace_s, limits, trusted_proxies, os.getpid())
        self._token = secrets.token_urlsafe(32)
        # Held here, so that nobody else can take the port of a worker that died.
        self._private = [server.bind("127.0.0.1", 0) for _ in range(workers)]
        self._places: dict[int, int] = {}
        self._grace_s = grace_s
        self._wanted = workers
        self._respawn = respawn or Respawn()
        self._context = multiprocessing.get_context("spawn")
        self._memory = self._context.RawArray("d", _SHARED_WORDS)
        self._processes: list[BaseProcess] = []
        self._deaths: deque[float] = deque()
        self._died = 0
        self._signals = 0
        self._told = 0
        self._orderly = True
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> bool:
        """Returns once every worker has ended. True if all of them ended in an orderly way after a stop signal."""
        before = {
            number: signal.signal(number, self._signalled) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            self._processes = [self._start(place) for place in range(self._wanted)]
            give_up_at: float | None = None
            while self._processes:
                timeout = None if give_up_at is None else max(0.0, give_up_at - time.monotonic())
                ready = wait([*(p.sentinel for p in self._processes), self._wake_read], timeout)
                if self._wake_read in ready:
                    os.read(self._wake_read, 64)
                if self._signals > self._told:
                    self._told = self._signals
                    self._terminate()
                    give_up_at = (
                        time.monotonic() + (self._grace_s if self._told == 1 else 0.0) + 2 * server.SETTLE_S
                    )
                self._reap(give_up_at)
            return self._orderly
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._wake_read)
            os.close(self._wake_write)
            for private in self._private:
                private.close()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        os.write(self._wake_write, b"!")

    def _start(self, place: int) -> BaseProcess:
        others = tuple(s.getsockname()[1] for s in self._private if s is not self._private[place])
        arguments = (
            *self._arguments,
            self._private[place],
            Peers(others, self._token, self._memory, self._died),
        )
        process = self._context.Process(target=_worker, args=arguments)
        process.start()
        self._places[process.pid or 0] = place
        return process

    def _terminate(self) -> None:
        for process in self._processes:
            process.terminate()

    def _reap(self, give_up_at: float | None) -> None:
        """Takes note of ended workers; before a stop signal replaces them, after its deadline kills what is left."""
        for process in [p for p in self._processes if not p.is_alive()]:
            process.join()
            self._processes.remove(process)
            place = self._places.pop(process.pid or 0)
            if self._told:
                # Before its handlers stand (while it imports), SIGTERM ends a worker that has not served anything yet.
                self._orderly = self._orderly and process.exitcode in (0, -signal.SIGTERM)
            else:
                self._died += 1
                log.error(
                    "worker %s %s: %d have died since the start",
                    process.pid, _end_of(process.exitcode), self._died,
                )  # fmt: skip
                if not self._replace(place):
                    return
        if give_up_at is not None and time.monotonic() >= give_up_at:
            self._orderly = False
            for process in self._processes:
                process.kill()
                process.join()
            self._processes.clear()

    def _replace(self, place: int) -> bool:
        """Starts a new worker after a delay that doubles with each recent death; False where the crashes don't stop."""
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - self._respawn.within_s:
            self._deaths.popleft()
        if len(self._deaths) > self._respawn.deaths:
            self._orderly = False
            self._signalled(0, None)
            return False
        time.sleep(min(self._respawn.first_delay_s * 2 ** (len(self._deaths) - 1), self._respawn.max_delay_s))
        self._processes.append(self._start(place))
        return True


def _end_of(code: int | None) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with status {code}"


def _worker(
    app_factory: server.AppFactory,
    sock: socket.socket,
    grace_s: float,
    limits: Limits | None,
    trusted_proxies: str | None,
    parent: int,
    private: socket.socket,
    peers: Peers,
) -> None:
    orderly = server.run(
        app_factory, sock, grace_s=grace_s, limits=limits, trusted_proxies=trusted_proxies, parent=parent, private=private,
        peers=peers,
    )  # fmt: skip
    raise SystemExit(0 if orderly else 1)

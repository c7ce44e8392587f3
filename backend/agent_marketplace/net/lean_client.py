"""The lean outbound client: llhttp over asyncio's (or uvloop's) own TLS. No forward proxies, no HTTP/2."""

import asyncio
import contextlib
import ssl

from agent_marketplace.net import errors, rules
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.net.lean_connection import Connection
from agent_marketplace.net.lean_pool import Key, Pool
from agent_marketplace.net.ssrf import Resolver, Target, tls_context

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class LeanClient:
    """An OutboundClient. tls: the trust to use, default the system's; keep_alive_s: how long an idle connection is kept;
    per_host: the most connections to one address of a provider; counts: see there, for metrics."""

    def __init__(
        self,
        *,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        per_host: int = 512,
        keep_alive_s: float = 30.0,
    ) -> None:
        self._resolver = resolver or Resolver()
        self._tls = tls or tls_context()
        self._targets = rules.Targets()
        self._loop = asyncio.get_running_loop()
        self._pool: Pool[Connection] = Pool(self._loop, per_host=per_host, keep_s=keep_alive_s)
        self.counts = self._pool.counts

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """As OutboundClient.send."""
        rules.check_request(request)
        target = self._targets.of(request)
        times = request.timeouts
        started = self._loop.time()
        connection = await self._connected(request, target, started)
        exchange = connection.send(request, _head(request, target), started + times.total_s)
        await exchange.answered(started + times.first_byte_s - self._loop.time())
        return exchange

    async def close(self) -> None:
        """As OutboundClient.close."""
        self._resolver.close()
        self._pool.close()

    async def _connected(self, request: OutboundRequest, target: Target, started: float) -> Connection:
        """An idle connection to one of the target's addresses, or a new one to the first that answers."""
        times = request.timeouts
        until = started + min(times.connect_s, times.first_byte_s, times.total_s)
        addresses = await self._resolver.resolve(
            target, allow_private=request.allow_private, timeout_s=until - self._loop.time()
        )
        for left in range(len(addresses), 1, -1):
            with contextlib.suppress(errors.ConnectFailed):
                return await self._to(target, addresses[-left], rules.share(until, left), request.owner)
        return await self._to(target, addresses[-1], rules.share(until, 1), request.owner)

    async def _to(self, target: Target, address: str, budget_s: float, owner: str) -> Connection:
        key: Key = (target.scheme, target.host, target.port, address)
        connection = await self._pool.enter(key, budget_s, owner)
        if connection is None:
            try:
                connection = await self._open(target, key, budget_s)
            except BaseException:  # a cancellation too: the place must be given back
                self._pool.leave(key, None, owner)
                raise
        connection.owner = owner
        return connection

    async def _open(self, target: Target, key: Key, budget_s: float) -> Connection:
        try:
            async with asyncio.timeout(budget_s):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._pool, key),
                    key[3],
                    target.port,
                    ssl=self._tls if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
        except TimeoutError:
            raise errors.ConnectFailed("no connection to the provider in time") from None
        except ssl.SSLCertVerificationError:
            raise errors.TlsFailed("the provider's certificate is not valid for its name") from None
        except ssl.SSLError:
            raise errors.TlsFailed("no TLS connection to the provider") from None
        except OSError:
            raise errors.ConnectFailed("no connection to the provider") from None
        return connection


def _head(request: OutboundRequest, target: Target) -> bytes:
    lines = [
        f"{request.method} {target.path} HTTP/1.1\r\nhost: {target.authority}\r\naccept-encoding: identity\r\n"
    ]
    named = False
    for name, value in request.headers.items():
        lines.append(f"{name}: {value}\r\n")
        named = named or name.lower() == "user-agent"
    if not named:
        lines.append(f"user-agent: {rules.USER_AGENT}\r\n")
    if request.body or request.method in _WITH_BODY:
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")

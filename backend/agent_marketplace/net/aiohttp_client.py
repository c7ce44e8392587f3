"""The outbound client over aiohttp: the default, and the yardstick for the lean one.

The vetted address goes into the URL and the name into Host and SNI, so that aiohttp's pool is keyed by both.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import http_exceptions
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from agent_marketplace.net import errors, rules
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.net.inflate import inflated
from agent_marketplace.net.lean_pool import Counts
from agent_marketplace.net.ssrf import Resolver, Target, tls_context
from agent_marketplace.net.watch import Watch

_BUFFER = 65_536


class AiohttpClient:
    """An OutboundClient. tls: the trust to use, default the system's; keep_alive_s: how long an idle connection is kept."""

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
        self._per_host = per_host
        self._keep_alive_s = keep_alive_s
        self._targets = rules.Targets()
        self._session: aiohttp.ClientSession | None = None
        self.counts = Counts()  # aiohttp keeps its own to itself

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """As OutboundClient.send."""
        rules.check_request(request)
        target = self._targets.of(request)
        times = request.timeouts
        started = asyncio.get_running_loop().time()
        head_s = min(times.first_byte_s, times.total_s)
        try:
            async with asyncio.timeout(head_s):
                answer = await self._connect_and_send(request, target, started)
        except TimeoutError:
            if head_s == times.total_s:
                raise errors.TotalTimeout("the whole exchange took too long") from None
            raise errors.FirstByteTimeout("the provider did not begin to answer in time") from None
        try:
            return _Response(answer, request, started + times.total_s)
        except errors.NetError:
            answer.close()
            raise

    async def close(self) -> None:
        """As OutboundClient.close."""
        self._resolver.close()
        if self._session is not None:
            await self._session.close()

    async def _connect_and_send(
        self, request: OutboundRequest, target: Target, started: float
    ) -> aiohttp.ClientResponse:
        connect_s = request.timeouts.connect_s
        addresses = await self._resolver.resolve(
            target, allow_private=request.allow_private, timeout_s=connect_s
        )
        until = started + connect_s
        for left in range(len(addresses), 1, -1):
            with contextlib.suppress(errors.ConnectFailed):
                return await self._try(request, target, addresses[-left], rules.share(until, left))
        return await self._try(request, target, addresses[-1], rules.share(until, 1))

    async def _try(
        self, request: OutboundRequest, target: Target, address: str, connect_s: float
    ) -> aiohttp.ClientResponse:
        host = f"[{address}]" if ":" in address else address
        try:
            return await self._open().request(
                request.method,
                URL(f"{target.scheme}://{host}:{target.port}{target.path}", encoded=True),
                headers={
                    "user-agent": rules.USER_AGENT,
                    **{name.lower(): value for name, value in request.headers.items()},
                    "host": target.authority,
                    "accept-encoding": "identity",
                    **({"content-length": str(len(request.body))} if request.body else {}),
                },
                data=_data(request),
                timeout=aiohttp.ClientTimeout(total=None, connect=connect_s, sock_connect=connect_s),
                server_hostname=target.host if target.tls else None,
                allow_redirects=False,
                max_line_size=request.max_head,
                max_field_size=request.max_head,
                max_headers=rules.MAX_FIELDS,
            )
        except (aiohttp.ClientError, OSError) as e:
            raise _failure(e) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(
                    ssl=self._tls,
                    limit=0,
                    limit_per_host=self._per_host,
                    keepalive_timeout=self._keep_alive_s,
                    use_dns_cache=False,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=_BUFFER,
                skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
            )
        return self._session


class _Response(OutboundResponse):
    def __init__(self, answer: aiohttp.ClientResponse, request: OutboundRequest, total_at: float) -> None:
        rules.check_status(answer.status)
        if sum(len(name) + len(value) + 4 for name, value in answer.raw_headers) > request.max_head:
            raise errors.TooLarge("the head of the provider's answer is too large")
        headers: dict[str, str] = {}
        for name, value in answer.headers.items():
            low = name.lower()
            headers[low] = f"{headers[low]}, {value}" if low in headers else value
        version = answer.version
        closes = (version is not None and version < (1, 1)) or "close" in headers.get(
            "connection", ""
        ).lower()
        self.framed = rules.framing(answer.status, headers, closes=closes)
        self._coding = rules.content_coding(headers)
        self.status = answer.status
        self.headers = headers
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._idle_s = request.timeouts.idle_s
        self.content_by = request.timeouts.content_by(self._loop.time())
        self._max_body = request.max_body
        self._ended = False
        self._expired: errors.NetError | None = None
        self._watch = Watch(self._loop, total_at, self._expire)

    def chunks(self) -> AsyncIterator[bytes]:
        pieces = self._pieces()
        return pieces if self._coding is None else inflated(pieces, self._coding, self._max_body)

    def cancel(self) -> None:
        self._watch.stop()
        if not self._ended:
            self._answer.close()

    async def _pieces(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        size = 0
        failure: errors.NetError | None = None
        try:
            while failure is None:
                by = self.content_by
                within_s = self._idle_s if by is None else by - self._loop.time()
                self._watch.expect(within_s, errors.IdleTimeout)
                try:
                    piece = await content.readany()
                except (aiohttp.ClientError, OSError) as e:
                    failure = self._expired or _failure(e)
                    piece = content._read_nowait(
                        -1
                    )  # aiohttp would raise before it hands on what it has already read
                self._watch.came()
                if not piece:
                    break
                size += len(piece)
                if size > self._max_body:
                    raise errors.TooLarge(f"the provider's answer is over {self._max_body} bytes")
                yield piece
            if failure is not None:
                raise failure
            self._ended = True
        finally:
            self.cancel()

    def _expire(self, error: errors.NetError) -> None:
        self._expired = error
        self._answer.close()


class _Connector(aiohttp.TCPConnector):
    """Never lends out a connection on which something came unasked: the next caller would take it for his answer."""

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            connection.close()
        return None


def _data(request: OutboundRequest) -> AsyncIterator[bytes] | bytes | None:
    if request.body and (request.on_written is not None or len(request.body) > _BUFFER):
        return _slices(request)
    return request.body or None


async def _slices(request: OutboundRequest) -> AsyncIterator[bytes]:
    """In pieces, so that a large body waits for the socket instead of filling the write buffer."""
    for start in range(0, len(request.body), _BUFFER):
        yield request.body[start : start + _BUFFER]
    if request.on_written is not None:
        request.on_written()


def _failure(error: Exception) -> errors.NetError:
    """The typed form of what aiohttp raised. Its own words may hold addresses, so they are not passed on."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return errors.TlsFailed("the provider's certificate is not valid for its name")
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return errors.TlsFailed("no TLS connection to the provider")
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return errors.ConnectFailed("no connection to the provider")
    cause = error.__cause__
    if _over_a_cap(cause):
        return errors.TooLarge("the head of the provider's answer is too large")
    if isinstance(error, aiohttp.ClientResponseError) or (
        isinstance(error, aiohttp.ClientPayloadError) and not _cut(cause)
    ):
        return errors.ProtocolError("the provider's answer is not valid HTTP")
    return errors.Truncated("the connection ended before the provider's answer did")


def _over_a_cap(cause: BaseException | None) -> bool:
    while cause is not None and not isinstance(cause, http_exceptions.LineTooLong):
        if "Too many headers" in str(cause):
            return True
        cause = cause.__cause__
    return cause is not None


def _cut(cause: BaseException | None) -> bool:
    """Whether a payload error means that data is missing rather than wrong."""
    return (
        cause is None
        or isinstance(cause, (http_exceptions.ContentLengthError, OSError))
        or "Not enough data" in str(cause)
    )

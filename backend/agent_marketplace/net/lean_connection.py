"""One HTTP/1.1 connection and one exchange on it. The parser is llhttp, strict; on any surprise the socket closes."""

import asyncio
import select
import sys
from collections.abc import AsyncIterator, Callable
from typing import cast

import httptools

from agent_marketplace.net import errors, rules
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.net.inflate import inflated
from agent_marketplace.net.lean_pool import Key, Pool
from agent_marketplace.net.watch import Watch

_HIGH = 262_144
_FRESH_S = 1.0


class Exchange(OutboundResponse):
    """One request's answer: the head by `answered`, the body by `chunks`."""

    def __init__(self, connection: "Connection", request: OutboundRequest, total_at: float) -> None:
        self._connection: Connection | None = connection
        self._watch = connection.watch
        self._loop = connection.loop
        self._times = request.timeouts
        self._max_body = request.max_body
        self.max_head = request.max_head
        self.total_at = total_at
        self._coding: str | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._pieces: list[bytes] = []
        self._buffered = self._size = 0
        self.paused = False
        self._headed = False
        self._error: errors.NetError | None = None

    async def answered(self, first_byte_s: float) -> None:
        """Waits for the final answer's head. Raises NetError; a cancellation closes the socket."""
        try:
            if not self._headed and self._error is None:
                await self._wait(first_byte_s, errors.FirstByteTimeout)
        except asyncio.CancelledError:
            self.cancel()
            raise
        if self._error is not None:
            raise self._error

    def chunks(self) -> AsyncIterator[bytes]:
        return self if self._coding is None else inflated(self, self._coding, self._max_body)

    def cancel(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    def __aiter__(self) -> "Exchange":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._connection is None:
                raise StopAsyncIteration
            by = self.content_by
            within_s = self._times.idle_s if by is None else by - self._loop.time()
            await self._wait(within_s, errors.IdleTimeout)
        pieces = self._pieces
        self._pieces = []
        self._buffered = 0
        if self.paused and self._connection is not None and not self._connection.transport.is_closing():
            self.paused = False
            self._connection.transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def head(self, status: int, headers: dict[str, str], *, closes: bool) -> None:
        """The parser's: the final head. An answer that we refuse fails the exchange."""
        try:
            rules.check_status(status)
            self.framed = rules.framing(status, headers, closes=closes)
            self._coding = rules.content_coding(headers)
        except errors.NetError as e:
            self.fail(e)
            return
        self.status = status
        self.headers = headers
        self.content_by = self._times.content_by(self._loop.time())
        self._headed = True

    def body(self, piece: bytes) -> None:
        """The parser's: a piece of the body."""
        self._size += len(piece)
        if self._size > self._max_body:
            self.fail(errors.TooLarge(f"the provider's answer is over {self._max_body} bytes"))
            return
        self._pieces.append(piece)
        self._buffered += len(piece)

    def pause(self) -> bool:
        """True once, when more is buffered than the reader should be behind."""
        if self._buffered > _HIGH and not self.paused:
            self.paused = True
            return True
        return False

    def end(self) -> None:
        """The answer is complete; the connection is no longer this exchange's."""
        self._connection = None
        self.wake()

    def ended_by_eof(self) -> bool:
        """Whether the connection's end is this answer's end."""
        return self._headed and not self.framed

    def fail(self, error: errors.NetError) -> None:
        """What is buffered is still delivered, then the error is raised. Closes the socket."""
        if self._error is None:
            self._error = error
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        self.wake()

    def wake(self) -> None:
        """Lets the reader go on if something it waits for is here."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, within_s: float, error: type[errors.NetError]) -> None:
        self._waiter = self._loop.create_future()
        self._watch.expect(within_s, error)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._watch.came()


class Connection(asyncio.Protocol):
    """A socket to one vetted address. It gives its place in the pool back once for each `send`."""

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: "Pool[Connection]", key: Key) -> None:
        self.loop = loop
        self.watch = Watch(loop, 0.0, self._expired)
        self._pool = pool
        self.owner = ""  # who has it now: his place is given back
        self._key = key
        self._busy = False
        self._parser = httptools.HttpResponseParser(self)
        self._exchange: Exchange | None = None
        self._headers: dict[str, str] = {}
        self._on_written: Callable[[], None] | None = None
        self._full = False
        self._head_bytes = self._fields = 0
        self._in_head = self._interim = self._complete = self._keep = self._extra = False

    def send(self, request: OutboundRequest, head: bytes, total_at: float) -> Exchange:
        """Writes the request at once; the answer comes by the returned exchange."""
        self.watch.renew(total_at)
        exchange = Exchange(self, request, total_at)
        self._exchange = exchange
        self._busy = True
        self._head_bytes = self._fields = 0
        self._headers = {}
        self._in_head = True
        self._interim = self._complete = self._extra = False
        if self.transport.is_closing():
            exchange.fail(
                errors.ConnectFailed("the connection to the provider closed as soon as it was made")
            )
            return exchange
        self.transport.write(head + request.body if len(request.body) < _HIGH else head)
        if len(request.body) >= _HIGH:
            self.transport.write(request.body)
        self._on_written = request.on_written
        self._written()
        return exchange

    def usable(self, idle_s: float) -> bool:
        """False where the other side has closed or spoken meanwhile; the kernel is asked after a rest of a second."""
        if self.transport.is_closing():
            return False
        if idle_s < _FRESH_S or sys.platform == "win32":
            return True
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def abort(self) -> None:
        """Closes the socket at once."""
        self.watch.stop()
        self.transport.abort()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.fail(errors.Truncated("the exchange was ended by us"))
        self._release(reusable=False)

    def pause_writing(self) -> None:
        """The transport's: the socket takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """The transport's: nearly everything has gone into the socket."""
        self._full = False
        self._written()

    def _written(self) -> None:
        if not self._full and self._on_written is not None:
            tell, self._on_written = self._on_written, None
            tell()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance
        self._pool.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.watch.stop()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            if exc is None and exchange.ended_by_eof():
                exchange.end()
            else:
                exchange.fail(errors.Truncated("the connection ended before the provider's answer did"))
        self._pool.open.discard(self)
        self._release(reusable=False)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()  # nobody asked
            return
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            exchange.fail(errors.ProtocolError("the provider's answer is not valid HTTP"))
            return
        if self._exchange is not exchange:
            return
        if self._in_head:
            if self._head_bytes > exchange.max_head:
                exchange.fail(errors.TooLarge("the head of the provider's answer is too large"))
        elif self._complete:
            self._finish(exchange)
        else:
            if exchange.pause():
                self.transport.pause_reading()
            exchange.wake()

    def on_message_begin(self) -> None:
        if self._complete:
            self._extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        exchange = self._exchange
        self._fields += 1
        if exchange is None or self._extra:
            return
        if self._fields > rules.MAX_FIELDS:
            exchange.fail(errors.TooLarge("the head of the provider's answer has too many fields"))
            return
        if self._in_head:  # trailers are read over
            low = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            self._headers[low] = f"{self._headers[low]}, {text}" if low in self._headers else text

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or self._extra:
            return
        status = self._parser.get_status_code()
        self._interim = 100 <= status < 200 and status != 101
        if self._interim:
            self._headers = {}
            return
        self._in_head = False
        self._keep = self._parser.should_keep_alive()
        closes = (
            self._parser.get_http_version() == "1.0" or "close" in self._headers.get("connection", "").lower()
        )
        if sum(len(name) + len(value) + 4 for name, value in self._headers.items()) > exchange.max_head:
            exchange.fail(errors.TooLarge("the head of the provider's answer is too large"))
        else:
            exchange.head(status, self._headers, closes=closes)

    def on_body(self, body: bytes) -> None:
        if self._exchange is not None and not self._extra:
            self._exchange.body(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self._complete = True

    def _finish(self, exchange: Exchange) -> None:
        reusable = (
            self._keep and not self._extra and not self.transport.get_write_buffer_size() and exchange.framed
        )
        self._exchange = None
        exchange.end()
        if reusable and not self.transport.is_closing():
            self._release(reusable=True)
        else:
            self.abort()

    def _release(self, *, reusable: bool) -> None:
        if self._busy:
            self._busy = False
            self._pool.leave(self._key, self if reusable else None, self.owner)
        else:
            self._pool.forget(self._key, self)

    def _expired(self, error: errors.NetError) -> None:
        if self._exchange is not None:
            self._exchange.fail(error)

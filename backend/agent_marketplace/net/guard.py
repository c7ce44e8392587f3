"""Deadlines and caps that uvicorn's HTTP protocol lacks, as a subclass of it.

It uses attributes of uvicorn 0.54 that are not public (`cycle`, `pipeline`, `flow`, `_start_asgi_task`), so its version is
pinned narrowly and tests/faults/test_net_guard.py is the regression suite. Deadlines are checked by one sweep of all
connections on the server's own tick rather than by timers: a request costs two readings of the clock.
"""

import asyncio
import re
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.middleware.proxy_headers import _TrustedHosts
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from agent_marketplace.ids import new_id
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.exchange import Exchange

_HOST = re.compile(rb"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_PIPELINE = 8
_PIPELINED_BODY = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take. Seconds and bytes; body_rate: the least upload speed in bytes per second.

    max_per_address: connections of one client, which a trusted proxy names.
    max_head counts whole reads, so one read (up to 256 KiB) may go over; linger_s: how long a refusal waits to be read.
    """

    head_s: float = 10.0
    body_s: float = 20.0
    body_rate: float = 50_000.0
    write_s: float = 60.0
    keep_alive_s: int = 30
    linger_s: float = 1.0
    max_head: int = 65_536
    max_fields: int = 100
    max_body: int = 33_554_432
    max_connections: int = 4096
    max_per_address: int = 1024


class GuardedConfig(Config):
    """uvicorn's configuration with what the guard needs beside it."""

    def __init__(self, app: ASGI3Application, limits: Limits, drain: Drain, **options: Any) -> None:
        super().__init__(app, http=Guard, ws="none", timeout_keep_alive=limits.keep_alive_s, **options)
        self.limits = limits
        self.drain = drain
        self.per_address: Counter[str] = Counter()
        # The same reading of X-Forwarded-For as uvicorn's own, so that who is counted is who is throttled.
        self.proxies = _TrustedHosts(self.forwarded_allow_ips) if self.proxy_headers else None


class Hangup:
    """Tells one listener, once, that a request's client has gone; at once where it went before the listener came.

    ASGI says so only to who waits in `receive`, which costs a task for every request.
    """

    __slots__ = ("_gone", "_tell")

    def __init__(self) -> None:
        self._gone = False
        self._tell: Callable[[], None] | None = None

    def listen(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        if self._gone:
            self.happened()

    def ignore(self) -> None:
        self._tell = None

    def happened(self) -> None:
        self._gone = True
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()


_HANGUP = "marketplace.hangup"


def hangup_of(scope: Mapping[str, Any]) -> Hangup:
    """The `Hangup` that the guard puts into every request's scope, among the extensions."""
    found: Hangup = scope["extensions"][_HANGUP]["tells"]
    return found


class _Refused(Exception):
    """Stops uvicorn's parser; the status is kept beside it."""


class Guard(HttpToolsProtocol):
    """One connection from a client."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._config = cast("GuardedConfig", config)
        self._limits = self._config.limits
        self._running: RequestResponseCycle | None = None
        self._proxied = False
        self._counted: str | None = None
        self._refusal = HTTPStatus.BAD_REQUEST
        self._head_due: float | None = None
        self._body_due: float | None = None
        self._write_due: float | None = None
        self._linger_due: float | None = None
        self._idle_due: float | None = None
        self._head_bytes = self._field_bytes = self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_due = self.loop.time() + self._limits.head_s
        address = self.client[0] if self.client else ""
        self._proxied = self._config.proxies is not None and address in self._config.proxies
        if not self._proxied:
            self._count(address)
        if len(self.connections) > self._limits.max_connections or self._one_too_many():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._count(None)
        self._head_due = self._body_due = self._write_due = self._linger_due = self._idle_due = None
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._linger_due is not None:
            return
        self._idle_due = None
        if self._head_due is None and self._body_due is None:
            self._head_due = self.loop.time() + self._limits.head_s
        super().data_received(data)
        if self._head_due is not None and self._linger_due is None:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.max_head:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._head_bytes = self._field_bytes = self._body_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        headers, limits = self.headers, self._limits
        self._field_bytes += len(name) + len(value)
        if len(headers) >= limits.max_fields or self._field_bytes > limits.max_head:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        length = self._looked_over()
        self._count_anew()
        self._head_due = None
        self._head_bytes = 0
        self._body_due = self.loop.time() + self._limits.body_s + length / self._limits.body_rate
        scope, version, parsed = self.scope, self.parser.get_http_version(), httptools.parse_url(self.url)
        path = parsed.path.decode("ascii")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = self.root_path + (urllib.parse.unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + parsed.path
        scope["query_string"] = parsed.query or b""
        scope["extensions"] = {_HANGUP: {"tells": Hangup()}}
        before = self.cycle
        self.cycle = Exchange(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0"
            and self.parser.should_keep_alive()
            and not self._config.drain.draining,
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))
            self.flow.resume_reading()  # a paused connection wouldn't show that its client has gone

    def _looked_over(self) -> int:
        """The length that a request's head declares, bytes. Refuses heads that mean different things to different servers."""
        hosts, length = 0, 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
                if hosts > 1 or not _HOST.fullmatch(value):
                    self._stop(HTTPStatus.BAD_REQUEST)
            elif name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                if value.strip().lower() != b"chunked":
                    self._stop(HTTPStatus.BAD_REQUEST)
            elif name == b"expect":
                self.expect_100_continue = value.lower() == b"100-continue"
        if not self.url.startswith(b"/") or (not hosts and self.parser.get_http_version() != "1.0"):
            self._stop(HTTPStatus.BAD_REQUEST)
        if length > self._limits.max_body:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._busy() and (len(self.pipeline) >= _PIPELINE or length > _PIPELINED_BODY):
            self._stop(HTTPStatus.BAD_REQUEST)
        return length

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body:
            self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self.pipeline and self._body_bytes > _PIPELINED_BODY:
            self._stop(HTTPStatus.BAD_REQUEST)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_due = None
        if not self._busy():  # answered before its body had come: nothing else would ever end this connection
            self._idle_due = self.loop.time() + self._limits.keep_alive_s
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but that a connection without requests waits for the sweep instead of a timer of its own."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle_due = self.loop.time() + self._limits.keep_alive_s

    def pause_writing(self) -> None:
        self._write_due = self.loop.time() + self._limits.write_s
        super().pause_writing()

    def resume_writing(self) -> None:
        self._write_due = None
        super().resume_writing()

    def sweep(self, now: float) -> None:
        """Ends the connection where one of its deadlines has passed. now: loop time in seconds."""
        if self._write_due is not None and now > self._write_due:
            self.transport.abort()
        elif self._linger_due is not None:
            if now > self._linger_due:
                self.transport.abort()
        elif self._head_due is not None and now > self._head_due:
            if self._busy():  # stray bytes behind a request must not end its answer
                self._head_due = now + self._limits.head_s
            else:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self._body_due is not None and now > self._allowed_until():
            if self.flow.read_paused:  # the app is the slow one
                self._body_due = now + self._limits.body_s
            else:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self._idle_due is not None and now > self._idle_due:
            self.timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words; ours depend on the status alone
        self._refuse(self._refusal)

    def shutdown(self) -> None:
        if self._busy():
            for cycle in self._cycles():
                cycle.keep_alive = False
        else:
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _forwarded_for(self) -> str | None:
        """For whom a proxy of ours sends this request: such a connection is its newest request's client's."""
        named = b", ".join(value for name, value in self.headers if name == b"x-forwarded-for")
        if not named or self._config.proxies is None:
            return None
        return self._config.proxies.get_trusted_client_address(named.decode("latin-1"))[0]

    def _count_anew(self) -> None:
        if self._proxied:
            self._count(self._forwarded_for())
            if self._one_too_many():
                self._stop(HTTPStatus.SERVICE_UNAVAILABLE)

    def _count(self, address: str | None) -> None:
        """Counts this connection for an address, and no longer for the one before."""
        counts, before = self._config.per_address, self._counted
        if before is not None:
            counts[before] -= 1
            if not counts[before]:
                del counts[before]
        self._counted = address
        if address is not None:
            counts[address] += 1

    def _one_too_many(self) -> bool:
        return (
            self._counted is not None
            and self._config.per_address[self._counted] > self._limits.max_per_address
        )

    def _allowed_until(self) -> float:
        """Chunked bodies have no length to size their deadline by, so what has arrived extends it."""
        return (self._body_due or 0.0) + self._body_bytes / self._limits.body_rate

    def _busy(self) -> bool:
        return bool(self.pipeline) or (self._running is not None and not self._running.response_complete)

    def _cycles(self) -> list[RequestResponseCycle]:
        return [cycle for cycle, _ in self.pipeline] + ([self._running] if self._running is not None else [])

    def _forget(self) -> None:
        """Every request of this connection learns that its client has gone, not only the newest."""
        for cycle in self._cycles():
            if not cycle.response_complete:
                cycle.disconnected = True
                hangup_of(cycle.scope).happened()
            cycle.message_event.set()
        self.pipeline.clear()

    def _stop(self, status: HTTPStatus) -> None:
        self._refusal = status
        raise _Refused

    def _refuse(self, status: HTTPStatus) -> None:
        """Answers with the status and closes; only closes where an answer is already under way."""
        self._head_due = self._body_due = None
        self._count(None)
        self._unset_keepalive_if_required()
        started = any(cycle.response_started and not cycle.response_complete for cycle in self._cycles())
        self._forget()
        if started or self.transport.is_closing():
            self.transport.abort()
            return
        request_id = new_id("req")
        full = status == HTTPStatus.SERVICE_UNAVAILABLE  # too many connections: some end all the time
        words = f'{{"success":false,"error":"{status.phrase}","code":"{_CODES[status]}","request_id":"{request_id}"'
        body = (words + (',"retry_after":1}' if full else "}")).encode()
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\n%s"
            b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n%s"
            % (
                status, status.phrase.encode(), len(body), request_id.encode(), b"retry-after: 1\r\n" if full else b"",
                body,
            )
        )  # fmt: skip
        self._linger_due = self.loop.time() + self._limits.linger_s
        self.flow.resume_reading()  # what still comes is dropped: closing over unread bytes would reset the answer away
        self.transport.write_eof()


_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.REQUEST_TIMEOUT: "request_timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "payload_too_large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "headers_too_large",
    HTTPStatus.SERVICE_UNAVAILABLE: "temporarily_unavailable",
}

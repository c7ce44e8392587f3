"""One request and its answer, as uvicorn's cycle of them, with a straighter way out: an answer whose length is known leaves in one
write, head and body together, and its header fields are looked over together.
"""

from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

_MOST_NAMES = 512
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_names: dict[bytes, bytes] = {}


def _lower(name: bytes) -> bytes:
    """A field's name as it is sent. Names are few and our own: each is looked over once."""
    known = _names.get(name)
    if known is None:
        if HEADER_RE.search(name):
            raise RuntimeError("Invalid HTTP header name.")
        known = name.lower()
        if len(_names) < _MOST_NAMES:
            _names[name] = known
    return known


class Exchange(RequestResponseCycle):
    """What ASGI calls `receive` and `send` of one request."""

    head = b""  # of an answer whose body is to come, not yet written

    async def send(self, message: ASGISendEvent) -> None:
        """Raises RuntimeError where the application sends what is no answer, as uvicorn does."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        told: Any = message
        flows = self.chunked_encoding and self.response_started and not self.response_complete
        if flows and told.get("more_body") and (body := told.get("body")):
            self.transport.write(
                b"%x\r\n%b\r\n" % (len(body), body)
            )  # a stream's next piece, as most messages are
            return
        if told["type"] == "http.response.start" and not self.response_started:
            self._begin(told["status"], told.get("headers", ()))
        elif told["type"] == "http.response.body" and self.response_started and not self.response_complete:
            self._body(told.get("body", b""), more=told.get("more_body", False))
        else:
            await super().send(message)  # which says what is wrong

    def _begin(self, status: int, given: Any) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        fields = [*self.default_headers, *given]
        if HEADER_VALUE_RE.search(b" ".join([value for _, value in fields])):
            raise RuntimeError("Invalid HTTP header value.")
        parts = [STATUS_LINE[status]]
        closes = False
        for given_name, value in fields:
            name = _lower(given_name)
            if name in _FRAMING:
                closes |= self._framing(name, value)
            parts += (name, b": ", value, b"\r\n")
        if self.scope["method"] == "HEAD":
            self.chunked_encoding = False  # whatever it would be, no body follows
        if not self.keep_alive and not closes:
            parts.append(b"connection: close\r\n")
        if self.chunked_encoding is None and status not in (204, 304):
            self.chunked_encoding = True
            parts.append(b"transfer-encoding: chunked\r\n")
        parts.append(b"\r\n")
        self.head = b"".join(parts)
        if self.chunked_encoding:  # its first chunk may be long in coming
            self.transport.write(self.head)
            self.head = b""

    def _framing(self, name: bytes, value: bytes) -> bool:
        """Notes how the body is framed; True where the field says that the connection closes."""
        if name == b"content-length":
            if self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
        elif name == b"transfer-encoding":
            if value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
        elif b"close" in [token.lower().strip() for token in value.split(b",")]:
            self.keep_alive = False
            return True
        return False

    def _body(self, body: bytes, *, more: bool) -> None:
        head, self.head = self.head, b""
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            out = head
        elif self.chunked_encoding:
            out = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                out += b"0\r\n\r\n"
        else:
            if len(body) > self.expected_content_length:
                raise RuntimeError("Response content longer than Content-Length")
            self.expected_content_length -= len(body)
            out = head + body if head else body
        if out:
            self.transport.write(out)
        if more:
            return
        if self.expected_content_length:
            raise RuntimeError("Response content shorter than Content-Length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

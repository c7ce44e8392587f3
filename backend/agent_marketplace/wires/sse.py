"""Incremental readers of Server-Sent Events and newline-delimited JSON: any chunking, the same events, in linear time.

Source of the rules: WHATWG HTML, "Server-sent events", parsing an event stream.
"""

import msgspec

DEFAULT_MAX_EVENT_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class SSEEvent(msgspec.Struct):
    """One dispatched event. `data`: its data lines joined by LF. `oversized`: it was over the bound and its data is gone."""

    data: bytes
    event: str = ""
    id: str | None = None
    retry: int | None = None
    oversized: bool = False


class _Lines:
    """Bytes -> complete lines without their ends (LF, CR, CRLF). A line over `limit` bytes becomes None once it ends."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._held = 0
        self._over = False
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes | None]:
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 10:
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data[-1] == 13
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *rest = data.split(b"\n")
        if not rest:
            self._keep(first)
            return []
        lines: list[bytes | None] = [self._complete(first)]
        last = rest.pop()
        lines += (
            rest
            if len(data) <= self._limit
            else [line if len(line) <= self._limit else None for line in rest]
        )
        self._keep(last)
        return lines

    @property
    def busy(self) -> bool:
        """True within a line, or after a CR whose LF may follow."""
        return bool(self._held) or self._after_cr

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._held += len(piece)
        if self._held > self._limit:
            self._over = True
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def _complete(self, piece: bytes) -> bytes | None:
        if not self._held and len(piece) <= self._limit:
            return piece
        self._keep(piece)
        line = None if self._over else b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        self._over = False
        return line

    def rest(self) -> bytes | None:
        """What stands after the last line end; None if it was too long."""
        return self._complete(b"")


class SSEParser:
    """Server-Sent Events from bytes. Never raises on content; memory is bounded by `max_event_bytes`."""

    def __init__(self, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._lines = _Lines(max_event_bytes)
        self._bom: bytes | None = b""
        self._idle = False
        self._data: list[bytes] = []
        self._size = 0
        self._event = ""
        self._id: str | None = None
        self._retry: int | None = None
        self._over = False

    def feed(self, data: bytes) -> list[SSEEvent]:
        """Events completed by these bytes."""
        if (lone := self.lone(data)) is not None:
            return [SSEEvent(lone, "", self._id)]
        events = self._feed(data)
        pending = self._data or self._over or self._event or self._retry or self._lines.busy
        self._idle = self._bom is None and not pending
        return events

    def lone(self, data: bytes) -> bytes | None:
        """The data of an event that these bytes hold whole and alone, on one line: the usual read, and a shortcut for it."""
        size = len(data)
        if not self._idle or size > self._limit or data.find(b"\n") != size - 2:
            return None
        return (
            data[6:-2] if data.startswith(b"data: ") and data.endswith(b"\n") and b"\r" not in data else None
        )

    def _feed(self, data: bytes) -> list[SSEEvent]:
        if self._bom is not None:
            data = self._strip_bom(data)
        events: list[SSEEvent] = []
        for line in self._lines.feed(data):
            if line:
                if line.startswith(b"data: "):
                    self._append(line[6:])
                else:
                    self._field(line)
            elif line is None:
                self._over = True
            elif self._data or self._over:
                events.append(self._dispatch())
            else:
                self._event = ""
        return events

    def close(self) -> list[SSEEvent]:
        """The stream ended: an event whose blank line is missing is given out too, as providers forget the last one."""
        events: list[SSEEvent] = []
        line = self._lines.rest()
        if line is None:
            self._over = True
        elif line:
            self._field(line)
        if self._data or self._over:
            events.append(self._dispatch())
        return events

    def _strip_bom(self, data: bytes) -> bytes:
        head = (self._bom or b"") + data
        if len(head) < 3 and _BOM.startswith(head):
            self._bom = head
            return b""
        self._bom = None
        return head[3:] if head.startswith(_BOM) else head

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 12:
            self._retry = int(value)

    def _append(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size > self._limit + 1:
            self._over = True
            self._data.clear()
        elif not self._over:
            self._data.append(value)

    def _dispatch(self) -> SSEEvent:
        data = self._data
        joined = b"" if self._over else data[0] if len(data) == 1 else b"\n".join(data)
        event = SSEEvent(joined, self._event, self._id, self._retry, self._over)
        self._data = []
        self._size = 0
        self._event = ""
        self._retry = None
        self._over = False
        return event


class LineReader:
    """Newline-delimited JSON from bytes: non-empty lines; None in place of a line over the bound."""

    def __init__(self, max_line_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self._lines = _Lines(max_line_bytes)

    def feed(self, data: bytes) -> list[bytes | None]:
        """Lines completed by these bytes."""
        return [line for line in self._lines.feed(data) if line is None or line.strip()]

    def close(self) -> list[bytes | None]:
        """The last line, if its end is missing."""
        line = self._lines.rest()
        return [line] if line is None or line.strip() else []

"""The narrow interface of every outbound HTTP call. Two implementations stand behind it; one suite holds both to it.

Neither follows redirects, keeps cookies or reads proxies from the environment; both connect only to vetted addresses.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent_marketplace.net.errors import TooLarge


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. first_byte_s: from the start to the answer's head, connecting included; idle_s: between two pieces of the
    body while the reader is waiting; total_s: the whole exchange; first_content_s: from the head until the reader says `begun`,
    in place of idle_s, however many pieces come meanwhile (None: idle_s counts from the head on)."""

    connect_s: float = 5.0
    first_byte_s: float = 60.0
    idle_s: float = 60.0
    total_s: float = 600.0
    first_content_s: float | None = None

    @property
    def opening_s(self) -> float:
        """The longest wait for the first content."""
        return self.first_byte_s + (self.first_content_s or 0.0)

    def content_by(self, now: float) -> float | None:
        """When the first content is due of an answer whose head came now, in the same clock; None = it has no time of its own."""
        return None if self.first_content_s is None else now + self.first_content_s


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One HTTP/1.1 request. allow_private: the operator set this host, so plain http and private addresses are allowed;
    max_head, max_body: caps on the answer in bytes (the body's after decompression); on_written: called once all of the request
    has gone into the socket, but for what its own buffer holds; not where it was never written; owner: for whom, where
    connections are few."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    timeouts: Timeouts = Timeouts()
    allow_private: bool = False
    max_head: int = 65_536
    max_body: int = 67_108_864
    on_written: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    owner: str = ""


class OutboundResponse(ABC):
    """An answer whose head has arrived. headers: lower-case names, repeated ones joined with ", ".

    framed is False where the body ends with the connection: such an end proves nothing, so only the body's own end mark
    counts. content_by: loop time by which `begun` is to be said, None = it was or need not be.
    Whoever holds a response reads it to its end or calls `cancel`.
    """

    status: int
    headers: Mapping[str, str]
    framed: bool
    content_by: float | None = None

    def begun(self) -> None:
        """The reader has found the first content: from here on only the time between two pieces counts."""
        self.content_by = None

    @abstractmethod
    def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces; all that is already here comes as one piece. Raises NetError. May be called once."""

    @abstractmethod
    def cancel(self) -> None:
        """Closes the socket at once unless the body was read to its end. Never raises; may be called at any time."""

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge beyond `limit` bytes (the socket is closed), otherwise as `chunks`."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.chunks():
            size += len(piece)
            if size > limit:
                self.cancel()
                raise TooLarge(f"the provider's answer is over {limit} bytes")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class OutboundClient(Protocol):
    """Sends requests over pooled connections. One per process, closed by whoever made it."""

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """Returns once the final answer's head is here. Raises only NetError; cancelling it closes the socket."""
        ...

    async def close(self) -> None:
        """Closes all connections."""
        ...

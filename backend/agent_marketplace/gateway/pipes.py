"""From a provider's bytes to a client's bytes, with the events seen on the way. Two kinds: spliced (same wire) and translated."""

from collections.abc import Mapping
from typing import Any, Protocol

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.agent_wire import AgentEncoder
from agent_marketplace.rules.answer import Back
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Cited,
    Event,
    Finish,
    ImagePart,
    Malformed,
    Passthrough,
    ReasoningDelta,
    StreamDecoder,
    StreamEncoder,
    StreamError,
    TextDelta,
    ToolCallDelta,
    UsageSeen,
)


class Pipe(Protocol):
    """One stream. What `feed` returns may go to the client at once; the terminal event is only made by `end`."""

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]: ...

    def close(self) -> tuple[bytes, list[Event]]: ...

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes: ...

    def error(self, error: MarketplaceError, request_id: str) -> bytes: ...


class TranslatedPipe:
    """Provider's wire -> events -> client's wire. moved: {from, to, reason} if another model answers than was asked for."""

    def __init__(
        self,
        decoder: StreamDecoder,
        encoder: StreamEncoder,
        *,
        back: Back,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._back = back
        self._moved = moved
        self._started = False

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        return self._encode(self._decoder.feed(data))

    def close(self) -> tuple[bytes, list[Event]]:
        return self._encode(self._decoder.close())

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        return self._start() + self._encoder.end(self._back.finish(finish), usage, extra)

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        return self._start() + self._encoder.error(error, request_id)

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        head = self._encoder.start()
        if self._moved is not None and isinstance(self._encoder, AgentEncoder):
            head += self._encoder.fallback(self._moved)
        return head

    def _encode(self, events: list[Event]) -> tuple[bytes, list[Event]]:
        if not any(
            isinstance(e, TextDelta | ReasoningDelta | ToolCallDelta | Cited | ImagePart) for e in events
        ):
            return b"", events
        told = self._back.events(events)
        return self._start() + self._encoder.feed(told), told


class SplicedPipe:
    """Same wire on both sides: events go through as bytes."""

    def __init__(self, passthrough: Passthrough) -> None:
        self._passthrough = passthrough

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        return self._passthrough.feed(data)

    def close(self) -> tuple[bytes, list[Event]]:
        return self._passthrough.close()

    def end(self, _finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        return self._passthrough.end(usage, extra)

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        return self._passthrough.error(error, request_id)


def decisive(events: list[Event]) -> bool:
    """True once the first event has come that decides for this provider: content, an end, or an error."""
    return any(not isinstance(e, UsageSeen | Malformed) for e in events)


def first_error(events: list[Event]) -> StreamError | None:
    """The error event, if it came before any content."""
    for event in events:
        if isinstance(event, StreamError):
            return event
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta | ImagePart):
            return None
    return None

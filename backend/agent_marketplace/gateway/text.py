"""A wire of bare text, for callers inside the process."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Event, Finish, Reply, Shape, TextDelta


class TextMouth:
    """A wire of bare text: what is written is what the model said."""

    content_type_stream = "text/plain"

    def __init__(self) -> None:
        self.failed: MarketplaceError | None = None

    def encoder(self, _shape: Shape) -> "TextMouth":
        return self

    def start(self) -> bytes:
        return b""

    def feed(self, events: Sequence[Event]) -> bytes:
        return "".join(e.text for e in events if isinstance(e, TextDelta)).encode()

    def end(self, _finish: Finish, _usage: Usage | None, _extra: Mapping[str, Any]) -> bytes:
        return b""

    def error(self, error: MarketplaceError, _request_id: str) -> bytes:
        self.failed = error
        return b""

    def keep_alive(self) -> bytes:
        return b""

    def render_reply(self, reply: Reply, _shape: Shape, _extra: Mapping[str, Any]) -> bytes:
        return reply.text.encode()

    def render_error(self, error: MarketplaceError, _request_id: str) -> bytes:
        return error.message.encode()

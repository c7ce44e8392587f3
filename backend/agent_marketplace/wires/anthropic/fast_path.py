"""The same-wire fast path of Anthropic Messages: cache marks, citations and thinking blocks stay byte for byte."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.anthropic import client_side as anthropic_in
from agent_marketplace.wires.anthropic import provider_side as anthropic_out
from agent_marketplace.wires.base import (
    Call,
    Event,
    FailureClass,
    ImagePart,
    Malformed,
    OutboundCall,
    ReasoningPart,
    Shape,
    StreamError,
    ToolCallPart,
    UpstreamFailure,
)
from agent_marketplace.wires.shared import fields
from agent_marketplace.wires.shared.media import type_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser

_OURS = fields.ROUTING_FIELDS | {"model", "stream", "max_tokens"}
_Fields = dict[str, msgspec.Raw]
_NULL = msgspec.Raw(b"null")


class AnthropicFast:
    """Messages as bytes."""

    def passes(self, call: Call) -> bool:  # noqa: ARG002 (any answer)
        """Answers are the client's own words."""
        return True

    def takes(self, body: bytes, call: Call, *, max_tokens: int | None, moved: bool) -> bool:
        """Not where another family's thinking stands in the history, where a system turn stands among the messages, where a
        picture is said to be of another kind than it is (Claude refuses that), where
        the thinking's budget no longer fits into what the hold buys, nor for another model than was asked for: it may be of a
        generation that is asked to think in other words."""
        if moved:
            return False
        budget = call.reasoning_max_tokens
        if budget is not None and max_tokens is not None and budget >= max_tokens:
            return False
        pictures = (p for m in call.messages for p in m.parts if isinstance(p, ImagePart) and p.data)
        if not call.plain and any(type_of(p.media_type, p.data) != p.media_type for p in pictures):
            return False
        systems = sum(m.role == "system" for m in call.messages)
        if systems and (systems > 1 or fields.raw_fields(body).get("system", _NULL) == _NULL):
            return False
        parts = [p for m in call.messages for p in m.parts if isinstance(p, ReasoningPart | ToolCallPart)]
        return not any(
            "#" in p.signature or (isinstance(p, ReasoningPart) and not p.signature) for p in parts
        )

    def request(
        self,
        body: bytes,
        upstream_model: str,
        *,
        max_tokens: int | None = None,
        stream: bool,
        length_field: str = "",  # noqa: ARG002 (this wire has one word for it)
    ) -> OutboundCall:
        """Everything but model, length and stream is the client's own."""
        client = fields.raw_fields(body)
        given = fields.value(client["max_tokens"]) if "max_tokens" in client else None
        limit = given if isinstance(given, int) else anthropic_out.DEFAULT_MAX_TOKENS
        out: dict[str, Any] = {
            "model": upstream_model,
            "max_tokens": limit if max_tokens is None else min(limit, max_tokens),
        }
        out |= {name: value for name, value in client.items() if name not in _OURS and value != _NULL}
        if stream:
            out["stream"] = True
        return OutboundCall(path="v1/messages", body=json.encode(out))

    def reply(
        self,
        body: bytes,
        shape: Shape,
        usage: Usage | None,  # noqa: ARG002 (the provider's own stands in the body)
        extra: Mapping[str, Any],
    ) -> bytes:
        """Only id and model are ours; `extra` stands at the top level."""
        try:
            reply = msgspec.json.decode(body, type=_Fields)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        return json.encode({**reply, "id": shape.id, "model": shape.model, **extra})

    def stream(self, shape: Shape, *, choices: int = 1) -> "Passthrough":  # noqa: ARG002 (this wire gives one answer)
        """Events as bytes."""
        return Passthrough(shape)


class Passthrough:
    """Anthropic's stream on its way to a client of the same wire, as `splice.Passthrough`: whole events only.

    Held back for ever: `message_stop`, errors, and events that are not understood.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._parser = SSEParser()
        self._decoder = anthropic_out.Decoder()

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """(bytes that may leave now, events seen in them or held back)."""
        return self._pass(self._parser.feed(data))

    def close(self) -> tuple[bytes, list[Event]]:
        """The provider's stream ended: what its last blank line would have released."""
        return self._pass(self._parser.close())

    def end(self, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:  # noqa: ARG002 (usage has passed already)
        """`message_stop`, with the cost fields."""
        return anthropic_in.frame("message_stop", dict(extra))

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """A typed error as the stream's last event."""
        return anthropic_in.frame("error", anthropic_in.error_json(error, request_id))

    def _pass(self, items: list[SSEEvent]) -> tuple[bytes, list[Event]]:
        events: list[Event] = []
        out: list[bytes] = []
        for item in items:
            seen = self._decoder.read(item)
            events += seen
            kind = (
                self._decoder.kind
            )  # what the data says: some servers send no `event:` lines, and clients go by these
            if kind in ("", "message_stop", "error") or any(
                isinstance(e, Malformed | StreamError) for e in seen
            ):
                continue
            data = self._opening(item.data) if kind == "message_start" else item.data.replace(b"\n", b" ")
            out += (b"event: ", kind.encode(), b"\ndata: ", data, b"\n\n")
        return b"".join(out), events

    def _opening(self, data: bytes) -> bytes:
        opening = msgspec.json.decode(data, type=_Fields)
        message = msgspec.json.decode(opening.get("message", msgspec.Raw(b"{}")), type=_Fields | None)
        return json.encode(
            {**opening, "message": {**(message or {}), "id": self._shape.id, "model": self._shape.model}}
        )

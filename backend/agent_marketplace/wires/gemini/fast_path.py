"""The same-wire fast path of Gemini: grounding, citations, log probabilities, images, every candidate stay as Google said them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    FailureClass,
    Malformed,
    OutboundCall,
    ReasoningPart,
    Shape,
    StreamError,
    ToolCallPart,
    UpstreamFailure,
)
from agent_marketplace.wires.gemini import client_side as gemini_in
from agent_marketplace.wires.gemini import provider_side as gemini_out
from agent_marketplace.wires.shared import fields
from agent_marketplace.wires.sse import SSEEvent, SSEParser

_OURS = fields.ROUTING_FIELDS | {"model", "stream"}
_CONFIG = ("generationConfig", "generation_config")
_LIMIT = ("maxOutputTokens", "max_output_tokens")
_Fields = dict[str, msgspec.Raw]


class GeminiFast:
    """generateContent as bytes."""

    def passes(self, call: Call) -> bool:  # noqa: ARG002 (any answer)
        """Answers are the client's own words."""
        return True

    def takes(self, body: bytes, call: Call, *, max_tokens: int | None, moved: bool) -> bool:  # noqa: ARG002 (any length)
        """Not where another family's thinking stands in the history, not in the short forms of a body that only this server
        takes, nor for another model than was asked for: it may be of a generation that is asked to think in other words."""
        if moved:
            return False
        if not bytes(fields.raw_fields(body).get("contents", b"")).startswith(b"["):
            return False
        parts = [p for m in call.messages for p in m.parts if isinstance(p, ReasoningPart | ToolCallPart)]
        return not any("#" in p.signature for p in parts)

    def request(
        self,
        body: bytes,
        upstream_model: str,
        *,
        max_tokens: int | None = None,
        stream: bool,
        length_field: str = "",  # noqa: ARG002 (this wire has one word for it)
    ) -> OutboundCall:
        """Everything but the length is the client's own."""
        out: dict[str, Any] = {
            name: value for name, value in fields.raw_fields(body).items() if name not in _OURS
        }
        if max_tokens is not None:
            name = next((n for n in _CONFIG if n in out), _CONFIG[0])
            config = fields.value(out[name]) if name in out else None
            rest = {k: v for k, v in (config or {}).items() if k not in _LIMIT}
            out[name] = {**rest, "maxOutputTokens": max_tokens}
        return OutboundCall(path=gemini_out.path_of(upstream_model, stream=stream), body=json.encode(out))

    def reply(self, body: bytes, shape: Shape, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """Only id and model are ours, and usage where Google said nothing of it."""
        try:
            reply = msgspec.json.decode(body, type=_Fields)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        return json.encode(_ours(reply, shape) | _counted(reply, usage) | dict(extra))

    def stream(self, shape: Shape, *, choices: int = 1) -> "Passthrough":
        """Chunks as bytes."""
        return Passthrough(shape, choices=choices)


def _ours(reply: _Fields, shape: Shape) -> dict[str, Any]:
    return {**reply, "modelVersion": shape.model, "responseId": shape.id}


def _counted(reply: _Fields, usage: Usage | None) -> dict[str, Any]:
    return {} if usage is None or "usageMetadata" in reply else {"usageMetadata": gemini_in.usage_json(usage)}


class _Finishes(msgspec.Struct, rename="camel"):
    index: int | None = None
    finish_reason: str | None = None


class _Candidates(msgspec.Struct):
    candidates: list[_Finishes] | None = None


_candidates = msgspec.json.Decoder(_Candidates)


class Passthrough:
    """Google's stream on its way to a client of the same wire, as `splice.Passthrough`: whole chunks only.

    Held back: chunks with a finish reason until the charge is durable; errors and what is not understood, for ever.
    choices: the candidates that were asked for; the stream is over once each has its reason.
    """

    def __init__(self, shape: Shape, *, choices: int = 1) -> None:
        self._shape = shape
        self._parser = SSEParser()
        self._decoder = gemini_out.Decoder()
        self._open = set(range(choices))
        self._told = False
        self._last: list[_Fields] = []

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """(bytes that may leave now, events seen in them or held back)."""
        return self._pass(self._parser.feed(data))

    def close(self) -> tuple[bytes, list[Event]]:
        """The provider's stream ended: what its last blank line would have released."""
        return self._pass(self._parser.close())

    def end(self, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The chunks with the finish reasons; usage and cost stand in the last."""
        out = [self._chunk(chunk) for chunk in self._last[:-1]]
        last = self._last[-1] if self._last else {}
        counted = {} if any("usageMetadata" in chunk for chunk in self._last) else _counted(last, usage)
        return b"".join([*out, self._chunk(last, counted | dict(extra))])

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """The error object as the last chunk."""
        return b"data: " + json.encode(gemini_in.error_json(error, request_id)) + b"\r\n\r\n"

    def _chunk(self, chunk: _Fields, more: Mapping[str, Any] = {}) -> bytes:
        return b"data: " + json.encode({**_ours(chunk, self._shape), **more}) + b"\r\n\r\n"

    def _pass(self, items: list[SSEEvent]) -> tuple[bytes, list[Event]]:
        events: list[Event] = []
        out: list[bytes] = []
        for item in items:
            seen = self._decoder.read(item)
            if item.data.strip() and not any(isinstance(e, Malformed | StreamError) for e in seen):
                chunk = msgspec.json.decode(item.data, type=_Fields)
                if self._finishes(item.data) or (self._last and not chunk.get("candidates")):
                    self._last.append(chunk)
                else:
                    out.append(self._chunk(chunk))
            events += [e for e in seen if not isinstance(e, Done)]
            if not self._open and not self._told:
                self._told = True
                events.append(Done())
        return b"".join(out), events

    def _finishes(self, data: bytes) -> bool:
        """Whether a candidate ends here; takes note of which."""
        found = fields.tolerant(_candidates.decode, _Candidates, data).candidates or ()
        ended = [c.index or 0 for c in found if c.finish_reason]
        self._open -= set(ended)
        return bool(ended)

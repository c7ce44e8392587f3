"""The OpenAI Responses wire; towards a provider it is OpenAI's own."""

from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.wires.base import (
    Call,
    FastPath,
    OutboundCall,
    Reply,
    Shape,
    StreamDecoder,
    StreamEncoder,
    UpstreamFailure,
    WireName,
)
from agent_marketplace.wires.responses import client_side, compacting, provider_side
from agent_marketplace.wires.responses.stream import Encoder
from agent_marketplace.wires.shared import failures
from agent_marketplace.wires.shared.gathering import gathered, is_stream


class ResponsesCodec:
    """Both directions of OpenAI Responses. compact: `/v1/responses/compact` in place of `/v1/responses`."""

    name: WireName = "responses"
    fast: FastPath | None = None
    content_type_stream = "text/event-stream"

    def __init__(self, *, compact: bool = False) -> None:
        self.compacts = compact

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body. Raises BadRequest with words that name the field."""
        call = client_side.parse(body, model=model, stream=stream)
        return compacting.asked(call) if self.compacts else call

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A whole response."""
        if self.compacts:
            usage = client_side.usage_json(reply.usage, extra) if reply.usage is not None else None
            return compacting.render(reply, shape, usage, extra)
        return client_side.render_reply(reply, shape, extra)

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """OpenAI's error body."""
        return json.encode({"error": client_side.error_json(error, request_id)})

    def encoder(self, shape: Shape) -> StreamEncoder:
        """Numbered, typed events."""
        return Encoder(shape)

    def keep_alive(self) -> bytes:
        """A comment."""
        return b": keep-alive\n\n"

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED)."""
        return provider_side.build(call, upstream_model, stream=stream)

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        return gathered(self.decoder(), body) if is_stream(body) else provider_side.parse_reply(body)

    def decoder(self) -> StreamDecoder:
        """Reads OpenAI's stream."""
        return provider_side.Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        return failures.classify_error(status, headers, body)

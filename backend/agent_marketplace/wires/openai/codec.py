"""The OpenAI chat-completions wire: the one codec that also serves every OpenAI-compatible provider, by its dialect."""

from collections.abc import Mapping
from typing import Any

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
from agent_marketplace.wires.openai import client_side as openai_in
from agent_marketplace.wires.openai import gathering
from agent_marketplace.wires.openai import provider_side as openai_out
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.openai.fast_path import OpenAIFast
from agent_marketplace.wires.openai.stream import Encoder
from agent_marketplace.wires.shared import failures
from agent_marketplace.wires.shared.gathering import is_stream


class OpenAICodec:
    """Both directions of OpenAI chat completions."""

    name: WireName = "openai"
    content_type_stream = "text/event-stream"

    def __init__(self, dialect: Dialect | None = None) -> None:
        self.dialect = dialect or Dialect()
        self.fast: FastPath | None = OpenAIFast(self.dialect)

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body. Raises BadRequest with words that name the field."""
        return openai_in.parse_request(body, model=model, stream=stream)

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A `chat.completion`."""
        return openai_in.render_reply(reply, shape, extra)

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """OpenAI's error body."""
        return openai_in.render_error(error, request_id)

    def encoder(self, shape: Shape) -> StreamEncoder:
        """`chat.completion.chunk`s."""
        return Encoder(shape)

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED)."""
        return openai_out.build_request(call, upstream_model, stream=stream, dialect=self.dialect)

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        return gathering.choices(body)[0] if is_stream(body) else openai_out.parse_reply(body)

    def decoder(self) -> StreamDecoder:
        """Reads a provider's stream."""
        return openai_out.Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        return failures.classify_error(status, headers, body)

    def keep_alive(self) -> bytes:
        """A comment."""
        return b": keep-alive\n\n"

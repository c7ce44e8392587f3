"""The doors of completions for editors. Towards providers they are told as the rulebook says (`provider_side`)."""

from collections.abc import Mapping
from typing import Any

from agent_marketplace.wires.base import Call, Reply, Shape, StreamEncoder
from agent_marketplace.wires.fim import client_side
from agent_marketplace.wires.openai.codec import OpenAICodec


class FimCodec(OpenAICodec):
    """Mistral's `/v1/fim/completions`: a prompt and a suffix in, the answer of a chat out."""

    def __init__(self) -> None:
        super().__init__()
        self.fast = None

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:  # noqa: ARG002
        """A client's body. Raises BadRequest with words that name the field."""
        return client_side.parse_request(body, strict=True)


class CompletionsCodec(FimCodec):
    """OpenAI's older `/v1/completions`; without a suffix a model that only talks is asked by its chat."""

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:  # noqa: ARG002
        """A client's body. Raises BadRequest with words that name the field."""
        return client_side.parse_request(body, strict=False)

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A `text_completion`."""
        return client_side.render_reply(reply, shape, extra)

    def encoder(self, shape: Shape) -> StreamEncoder:
        """`text_completion` chunks."""
        return client_side.Encoder(shape)

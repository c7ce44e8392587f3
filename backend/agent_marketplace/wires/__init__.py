"""One codec a wire, both directions; pure: bytes in, values out."""

from collections.abc import Mapping

from agent_marketplace.wires.anthropic.codec import AnthropicCodec
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.gemini.codec import GeminiCodec
from agent_marketplace.wires.huggingface.codec import HuggingFaceCodec
from agent_marketplace.wires.ollama.codec import OllamaCodec
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.responses.codec import ResponsesCodec


def codecs() -> Mapping[str, Codec]:
    """A fresh codec for every wire, by name."""
    made: tuple[Codec, ...] = (
        OpenAICodec(), ResponsesCodec(), AnthropicCodec(), GeminiCodec(), OllamaCodec(), HuggingFaceCodec(),
    )  # fmt: skip
    return {codec.name: codec for codec in made}

"""One codec a wire, both directions; pure: bytes in, values out."""

from collections.abc import Mapping

from agent_marketplace.wires.anthropic import AnthropicCodec
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.gemini import GeminiCodec
from agent_marketplace.wires.huggingface import HuggingFaceCodec
from agent_marketplace.wires.ollama import OllamaCodec
from agent_marketplace.wires.openai import OpenAICodec
from agent_marketplace.wires.responses import ResponsesCodec


def codecs() -> Mapping[str, Codec]:
    """A fresh codec for every wire, by name."""
    made: tuple[Codec, ...] = (
        OpenAICodec(), ResponsesCodec(), AnthropicCodec(), GeminiCodec(), OllamaCodec(), HuggingFaceCodec(),
    )  # fmt: skip
    return {codec.name: codec for codec in made}

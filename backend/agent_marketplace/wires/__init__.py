"""One codec a wire, both directions; pure: bytes in, values out."""

from collections.abc import Mapping

from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.openai import OpenAICodec


def codecs() -> Mapping[str, Codec]:
    """A fresh codec for every wire, by name."""
    made: tuple[Codec, ...] = (OpenAICodec(),)
    return {codec.name: codec for codec in made}

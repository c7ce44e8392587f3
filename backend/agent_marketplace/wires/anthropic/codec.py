"""The Anthropic Messages wire."""

from agent_marketplace.wires.anthropic.client_side import Inward
from agent_marketplace.wires.anthropic.fast_path import AnthropicFast
from agent_marketplace.wires.anthropic.provider_side import Outward
from agent_marketplace.wires.base import FastPath, WireName


class AnthropicCodec(Inward, Outward):
    """Both directions of Anthropic Messages."""

    name: WireName = "anthropic"
    fast: FastPath | None = AnthropicFast()

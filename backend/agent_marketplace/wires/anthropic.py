"""The Anthropic Messages wire."""

from agent_marketplace.wires.anthropic_in import Inward
from agent_marketplace.wires.anthropic_out import Outward
from agent_marketplace.wires.base import WireName


class AnthropicCodec(Inward, Outward):
    """Both directions of Anthropic Messages."""

    name: WireName = "anthropic"

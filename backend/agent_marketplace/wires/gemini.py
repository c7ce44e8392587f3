"""The Gemini generateContent wire."""

from agent_marketplace.wires.base import WireName
from agent_marketplace.wires.gemini_in import Inward
from agent_marketplace.wires.gemini_out import Outward


class GeminiCodec(Inward, Outward):
    """Both directions of Gemini's generateContent."""

    name: WireName = "gemini"

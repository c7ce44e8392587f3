"""The Gemini generateContent wire."""

from agent_marketplace.wires.base import FastPath, WireName
from agent_marketplace.wires.gemini.client_side import Inward
from agent_marketplace.wires.gemini.fast_path import GeminiFast
from agent_marketplace.wires.gemini.provider_side import Outward


class GeminiCodec(Inward, Outward):
    """Both directions of Gemini's generateContent."""

    name: WireName = "gemini"
    fast: FastPath | None = GeminiFast()

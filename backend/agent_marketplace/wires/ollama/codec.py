"""The Ollama wire."""

from agent_marketplace.wires.base import FastPath, WireName
from agent_marketplace.wires.ollama.client_side import Inward
from agent_marketplace.wires.ollama.provider_side import Outward


class OllamaCodec(Inward, Outward):
    """Both directions of Ollama's /api/chat; `OllamaCodec(generate=True)` faces clients of /api/generate."""

    name: WireName = "ollama"
    fast: FastPath | None = None

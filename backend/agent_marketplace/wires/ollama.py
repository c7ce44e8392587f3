"""The Ollama wire."""

from agent_marketplace.wires.base import WireName
from agent_marketplace.wires.ollama_in import Inward
from agent_marketplace.wires.ollama_out import Outward


class OllamaCodec(Inward, Outward):
    """Both directions of Ollama's /api/chat; `OllamaCodec(generate=True)` faces clients of /api/generate."""

    name: WireName = "ollama"

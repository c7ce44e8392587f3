"""Every wire's vocabulary, by the wire's name."""

from collections.abc import Mapping

from agent_marketplace.wires.anthropic.vocabulary import VOCABULARY as ANTHROPIC
from agent_marketplace.wires.base import WireName
from agent_marketplace.wires.gemini.vocabulary import VOCABULARY as GEMINI
from agent_marketplace.wires.huggingface.vocabulary import VOCABULARY as HUGGINGFACE
from agent_marketplace.wires.ollama.vocabulary import VOCABULARY as OLLAMA
from agent_marketplace.wires.openai.vocabulary import VOCABULARY as OPENAI
from agent_marketplace.wires.responses.vocabulary import VOCABULARY as RESPONSES
from agent_marketplace.wires.shared.vocabulary import Vocabulary

VOCABULARIES: Mapping[WireName, Vocabulary] = {
    "openai": OPENAI,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "ollama": OLLAMA,
    "huggingface": HUGGINGFACE,
}

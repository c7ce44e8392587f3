"""The doors of completions: one row a path, with the wire that is spoken behind it. Routing, documents and counts read it."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from agent_marketplace.wires.anthropic.codec import AnthropicCodec
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.fim.codec import CompletionsCodec, FimCodec
from agent_marketplace.wires.gemini.codec import GeminiCodec
from agent_marketplace.wires.ollama.codec import OllamaCodec
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.responses.codec import ResponsesCodec


class Door(NamedTuple):
    """path: as OpenAPI writes it; label: of its answers in /metrics; stream: where the path says it and not the body."""

    path: str
    codec: Codec
    label: str
    summary: str
    stream: bool | None = None


_GEMINI = GeminiCodec()
DOORS = (
    Door("/v1/chat/completions", OpenAICodec(), "openai", "OpenAI chat completions"),
    Door(
        "/v1/completions", CompletionsCodec(), "completions", "OpenAI completions, with a suffix: for editors"
    ),
    Door("/v1/fim/completions", FimCodec(), "completions", "Mistral fill-in-the-middle: for editors"),
    Door("/v1/responses", ResponsesCodec(), "responses", "OpenAI responses"),
    Door(
        "/v1/responses/compact",
        ResponsesCodec(compact=True),
        "responses",
        "A conversation in a few words, OpenAI's shape; billed like an answer",
    ),
    Door("/v1/messages", AnthropicCodec(), "anthropic", "Anthropic messages"),
    Door("/api/chat", OllamaCodec(), "ollama", "Ollama chat"),
    Door("/api/generate", OllamaCodec(generate=True), "ollama", "Ollama generate"),
    *(
        Door(f"/{version}/models/{{model}}:{method}", _GEMINI, "gemini", f"Google Gemini {method}", stream)
        for method, stream in (("generateContent", False), ("streamGenerateContent", True))
        for version in ("v1", "v1beta")
    ),
)
_PLAIN = {door.path: door for door in DOORS if door.stream is None}
_NAMED = {door.path.partition("{model}")[::2]: door for door in DOORS if door.stream is not None}
_MODEL = re.compile(r"(/v1(?:beta)?/models/)(.+)(:[a-zA-Z]+)$")


def door_at(path: str) -> tuple[Door, Mapping[str, Any]] | None:
    """The door of a path, and what the path itself says of the call (`model`, `stream`); None for every other path."""
    if (plain := _PLAIN.get(path)) is not None:
        return plain, {}
    match = _MODEL.match(path)
    door = _NAMED.get((match[1], match[3])) if match else None
    return (
        None if match is None or door is None else (door, {"model": unquote(match[2]), "stream": door.stream})
    )


def door_above(path: str) -> Door | None:
    """The door whose path this is or lies below (`/v1/messages/count_tokens`)."""
    return next((d for p, d in _PLAIN.items() if path == p or path.startswith(p + "/")), None)

"""Ollama's way to load or unload a model: a chat without messages, a prompt without words, with or without `keep_alive`."""

from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.ollama.client_side import stamp


class Load(msgspec.Struct, frozen=True):
    """A model that is to be loaded or, after `keep_alive` 0, to go. keep_alive: as the client wrote it, None = not said."""

    model: str
    keep_alive: int | float | str | None = None

    @property
    def reason(self) -> Literal["load", "unload"]:
        """Ollama's word for what was done."""
        return "unload" if self.keep_alive in (0, "0", "0s", "0m", "0h") else "load"


class _Asked(msgspec.Struct):
    model: str
    messages: list[msgspec.Raw] | None = None
    prompt: str | None = None
    images: list[msgspec.Raw] | None = None
    keep_alive: int | float | str | None = None


_asked = msgspec.json.Decoder(_Asked)


def load_of(body: bytes, *, generate: bool) -> Load | None:
    """The wish to load a model; None for every other body, readable or not. generate: a body of /api/generate."""
    try:
        asked = _asked.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    said = asked.prompt or asked.images if generate else asked.messages
    return None if said or not asked.model else Load(asked.model, asked.keep_alive)


def request(load: Load, upstream_model: str) -> bytes:
    """The body of POST /api/chat at an Ollama server."""
    kept: dict[str, Any] = {} if load.keep_alive is None else {"keep_alive": load.keep_alive}
    return json.encode({"model": upstream_model, "messages": [], "stream": False, **kept})


def answer(load: Load, *, generate: bool, at: int) -> bytes:
    """What the client is told. at: Unix seconds."""
    said = {"response": ""} if generate else {"message": {"role": "assistant", "content": ""}}
    head = {"model": load.model, "created_at": stamp(at)}
    return json.encode({**head, **said, "done_reason": load.reason, "done": True}) + b"\n"

"""A chunk of a provider's stream, or a whole answer: what is read of it, and what its words mean."""

from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import Finish
from agent_marketplace.wires.shared import fields, signatures

FINISH = {
    "stop": Finish.STOP,
    "end_turn": Finish.STOP,
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
    "error": Finish.ERROR,
    "abort": Finish.ERROR,  # vLLM, SGLang
    "network_error": Finish.ERROR,  # Z.ai
    "insufficient_system_resource": Finish.ERROR,  # DeepSeek
    "sensitive": Finish.CONTENT_FILTER,  # Z.ai
    "safety": Finish.CONTENT_FILTER,
    "refusal": Finish.CONTENT_FILTER,
    "tool_use": Finish.TOOL_CALLS,
    **dict.fromkeys(("max_output_tokens", "model_context_window_exceeded", "token_limit"), Finish.LENGTH),
    **dict.fromkeys(
        ("guardrail_intervened", "content_filtered", "blocklist", "prohibited_content", "recitation", "spii"),
        Finish.CONTENT_FILTER,
    ),
    **dict.fromkeys(("malformed_function_call", "unexpected_tool_call", "malformed_response"), Finish.ERROR),
}


class DeltaFunction(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class DeltaCustom(msgspec.Struct):
    name: str | None = None
    input: str | None = None


class DeltaCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: DeltaFunction | None = None
    custom: DeltaCustom | None = None
    extra_content: Any = None

    @property
    def signature(self) -> str:
        """Gemini's thought signature, where Google's own OpenAI layer puts it; tagged."""
        google = self.extra_content.get("google") if isinstance(self.extra_content, dict) else None
        found = google.get("thought_signature") if isinstance(google, dict) else None
        return signatures.tagged("gemini", found) if isinstance(found, str) else ""


class Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    tool_calls: list[DeltaCall] | None = None
    function_call: DeltaFunction | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    annotations: Any = None
    images: Any = None
    reasoning_details: Any = None


class Choice(msgspec.Struct):
    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    error: Any = None


class Chunk(msgspec.Struct):
    """What is read of a chunk or of a whole reply."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Any = None
    x_groq: Any = None
    error: Any = None
    citations: Any = None
    search_results: Any = None
    object: Any = None
    created: Any = None
    code: Any = None
    type: Any = None
    message: str | None = None
    detail: Any = None
    msg: str | None = None

    @property
    def problem(self) -> Any:
        """What went wrong, however a server says it: an `error`, one inside a choice (OpenRouter), or its words at the top (vLLM's
        `object: error`, FastAPI's `detail`, Z.ai's `msg`). None = nothing did."""
        if self.error:
            return self.error
        if self.choices:
            for choice in self.choices:
                if choice.error:
                    return choice.error
            return None
        detail = self.detail if isinstance(self.detail, str) else ""
        words = self.message or detail or self.msg or ""
        if self.choices is None and (words or self.object == "error" or self.detail):
            return {"message": words, "code": self.code, "type": self.type}
        return None


_chunk = msgspec.json.Decoder(Chunk)


def decode_chunk(data: bytes) -> Chunk | None:
    """A chunk, or None where it is not one."""
    try:
        return fields.tolerant(_chunk.decode, Chunk, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def texts(content: str | list[Any] | None) -> tuple[str, str]:
    """(text, thinking). Mistral sends thinking as a list of typed parts inside `content`."""
    if content is None or isinstance(content, str):
        return content or "", ""
    text, thinking = [], []
    for part in content:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thinking.append(texts(inner)[0] if isinstance(inner, list) else str(inner or ""))
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thinking)


def arguments_text(given: Any) -> str:
    """A call's arguments as text, however a provider writes them: some send the object itself."""
    return given if isinstance(given, str) else "" if given is None else json.encode(given).decode()


def called(delta: Delta) -> list[DeltaCall]:
    """The tool calls of a message or delta; the one of the deprecated `function_call` too."""
    older = [DeltaCall(function=delta.function_call)] if delta.function_call is not None else []
    return older + (delta.tool_calls or [])


def finish_of(native: str) -> Finish:
    """A provider's finish reason, however it writes it; one that is not known means that the answer is over."""
    return FINISH.get(native.lower(), Finish.STOP)

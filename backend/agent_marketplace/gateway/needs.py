"""What a call needs of its target: read off the canonical call, never guessed from the model's name."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import Call, ImagePart, ReasoningPart, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements. input_tokens: our estimate; output_tokens: the caller's cap, None if not given."""

    tools: bool = False
    images: bool = False
    structured: bool = False
    reasoning: bool = False
    input_tokens: int = 0
    output_tokens: int | None = None
    stream: bool = False
    choices: int = 1
    parameters: frozenset[str] = frozenset()


_PARAMETERS = (
    "temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "parallel_tool_calls",
)  # fmt: skip


_values = attrgetter(*_PARAMETERS)
_UNSAID = tuple([() if name == "stop" else None for name in _PARAMETERS])
_NONE: frozenset[str] = frozenset()


def _said(values: tuple[Any, ...]) -> Iterator[str]:
    return (name for name, value in zip(_PARAMETERS, values, strict=True) if value not in (None, ()))


MOST_CHOICES = 128
"""Answers to one call: OpenAI's own limit, and no provider has a higher one."""


MOST_STOPS = 8_192
"""Stop sequences of one call: no provider takes more than a few, and each is looked at several times on the event loop."""
_STOPS = {"anthropic": "stop_sequences", "gemini": "generationConfig.stopSequences", "ollama": "options.stop"}


def read(call: Call, input_tokens: int) -> Needs:
    """Needs of a call whose input is about `input_tokens` tokens. Raises BadRequest for an absurd number of answers or stops."""
    choices = max(1, call.n or 1)
    if choices > MOST_CHOICES:
        name = "generationConfig.candidateCount" if call.wire == "gemini" else "n"
        raise BadRequest(f"{name}: must be at most {MOST_CHOICES}")
    if len(call.stop) > MOST_STOPS:
        raise BadRequest(f"{_STOPS.get(call.wire or '', 'stop')}: must be at most {MOST_STOPS} sequences")
    kinds = () if call.plain else {type(part) for message in call.messages for part in message.parts}
    values = _values(call)
    return Needs(
        tools=bool(call.tools) or ToolCallPart in kinds or ToolResultPart in kinds,
        images=ImagePart in kinds,
        structured=call.response_format in ("json_object", "json_schema"),
        reasoning=_thinks(call) and not may_think(call),
        input_tokens=input_tokens,
        output_tokens=call.max_tokens,
        stream=call.stream,
        choices=choices,
        parameters=_NONE if values == _UNSAID else frozenset(_said(values)),
    )


def _thinks(call: Call) -> bool:
    return call.reasoning_effort not in (None, "none") or call.reasoning_max_tokens is not None


def may_think(call: Call) -> bool:
    """Whether thinking was left to the model: Claude's adaptive style and its effort, which its clients send to every model. A
    budget is asked for, and so is an effort on the other wires."""
    return call.wire == "anthropic" and call.reasoning_max_tokens is None


def without_thinking(call: Call, supported: frozenset[str]) -> tuple[Call, tuple[Note, ...]]:
    """The call as a model without a reasoning mode takes it, where it only may think. An empty `supported` means "not known"."""
    if not supported or "reasoning" in supported or not (_thinks(call) and may_think(call)):
        return call, ()
    plain = msgspec.structs.replace(call, reasoning_effort=None, reasoning_summary=None, adaptive=False)
    return plain, (Note("thinking", "left_out", "this model has no reasoning mode"),)


def without_reasoning_history(call: Call) -> Call:
    """The call with signed thinking left out: signatures are valid only at the family that minted them."""
    messages = tuple(
        msgspec.structs.replace(
            message,
            parts=tuple(
                msgspec.structs.replace(part, signature="") if isinstance(part, ToolCallPart) else part
                for part in message.parts
                if not isinstance(part, ReasoningPart)
            ),
        )
        for message in call.messages
    )
    return msgspec.structs.replace(call, messages=messages)


def missing(
    needs: Needs, supported: frozenset[str], modalities: Mapping[str, Any] | frozenset[str]
) -> str | None:
    """The first thing the target lacks, in words, or None. An empty `supported` means "not known": nothing is refused for it."""
    if needs.images and "image" not in modalities:
        return "it takes no images"
    if supported:
        if needs.tools and "tools" not in supported:
            return "it has no tool calls"
        if needs.structured and not supported & {"structured_outputs", "response_format"}:
            return "it has no structured output"
        if needs.reasoning and "reasoning" not in supported:
            return "it has no reasoning mode"
    return None

"""What a call needs of its target: read off the canonical call, never guessed from the model's name."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.wires.base import Call, ImagePart, ReasoningPart, Tool, ToolCallPart, ToolResultPart


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
    unpriced: tuple[str, ...] = ()


_UNPRICED = (
    "service_tier", "speed", "inference_geo", "web_search_options", "plugins", "search_parameters", "enable_search",
    "venice_parameters",
)  # fmt: skip
_PRICED_VALUES: tuple[Any, ...] = (None, False, "auto", "default", "standard", "standard_only", "global")
"""Options that change the price or are billed apart, with the values that do not: no price list here covers the others."""

_SERVER_TOOLS = (
    "web_search",
    "web_fetch",
    "code_execution",
    "code_interpreter",
    "file_search",
    "image_generation",
    "mcp",
    "advisor",
    "builtin_function",
    "openrouter:",
)
_GOOGLES_TOOLS = frozenset(
    {"googleSearch", "googleSearchRetrieval", "googleMaps", "enterpriseWebSearch", "fileSearch"}
)
"""A provider's own tools that it runs and bills itself."""

_PARAMETERS = (
    "temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "parallel_tool_calls",
)  # fmt: skip


def read(call: Call, input_tokens: int) -> Needs:
    """Needs of a call whose input is about `input_tokens` tokens."""
    kinds = {type(part) for message in call.messages for part in message.parts}
    return Needs(
        tools=bool(call.tools) or ToolCallPart in kinds or ToolResultPart in kinds,
        images=ImagePart in kinds,
        structured=call.response_format in ("json_object", "json_schema"),
        reasoning=call.reasoning_effort not in (None, "none") or call.reasoning_max_tokens is not None,
        input_tokens=input_tokens,
        output_tokens=call.max_tokens,
        stream=call.stream,
        choices=max(1, call.n or 1),
        unpriced=_unpriced(call) if call.extra or call.tools else (),
        parameters=frozenset([name for name in _PARAMETERS if getattr(call, name) not in (None, ())]),
    )


def _unpriced(call: Call) -> tuple[str, ...]:
    options = tuple(name for name in _UNPRICED if call.extra.get(name) not in _PRICED_VALUES)
    if (
        call.wire == "responses"
    ):  # its agents offer such tools with every call: `hosted` leaves out what nobody pays for
        return options
    return options + tuple(t.name for t in call.tools if billed_apart(t))


def billed_apart(tool: Tool) -> bool:
    """Whether a provider runs the tool itself and bills it beside the tokens."""
    native = tool.native
    if native is None:
        return False
    return str(native.get("type", "")).startswith(_SERVER_TOOLS) or tool.name in _GOOGLES_TOOLS


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

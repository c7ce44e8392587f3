"""A list of the tools that may be called among all that are offered: OpenAI's `allowed_tools`, Gemini's `allowedFunctionNames`.

The list keeps what a provider has cached of the tools. Where a provider knows none, only the allowed ones are offered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import Call, Tool
from agent_marketplace.wires.shared import freeform

KIND = "allowed_tools"
_MODES = ("auto", "required")


def of_choice(choice: Any, where: str = "tool_choice") -> tuple[str, tuple[str, ...]] | None:
    """(mode, names) of OpenAI's choice on either of its wires; None for any other choice. Raises BadRequest."""
    if not isinstance(choice, Mapping) or choice.get("type") != KIND:
        return None
    said = choice.get(KIND)
    inner = said if isinstance(said, Mapping) else choice
    mode, tools = inner.get("mode"), inner.get("tools")
    if mode not in _MODES:
        raise BadRequest(f"{where}.mode: must be auto or required")
    if not isinstance(tools, list) or not all(isinstance(t, Mapping) for t in tools):
        raise BadRequest(f"{where}.tools: expected array of objects")
    return mode, tuple(_name(t) for t in tools)


def _name(tool: Mapping[str, Any]) -> str:
    kind = str(tool.get("type") or "function")
    said = tool.get(kind)
    inner = said if isinstance(said, Mapping) else tool
    return freeform.grouped(str(inner.get("namespace") or ""), str(inner.get("name") or kind))


def checked(names: Sequence[str], tools: Sequence[Tool], where: str) -> tuple[str, ...]:
    """The names. Raises BadRequest where none of them is offered."""
    if names and not {t.name for t in tools} & set(names):
        raise BadRequest(f"{where}: names none of the tools")
    return tuple(names)


def offered(call: Call) -> tuple[Tool, ...]:
    """The tools of a call that may be called."""
    return tuple(t for t in call.tools if t.name in call.allowed_tools) if call.allowed_tools else call.tools

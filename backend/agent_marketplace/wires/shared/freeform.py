"""Tools that take free text instead of JSON (OpenAI's custom tools), and tools in groups (its namespaces).

Where a provider takes functions only, a freeform tool is a function with one string, and a grouped one a function whose name
begins with its group's; towards the client both are what they were.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.base import Tool

_PARAMETERS = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The tool's whole input, as it is"}},
    "required": ["input"],
    "additionalProperties": False,
}
_JOINT = "__"


def freeform(name: str, description: str, definition: Mapping[str, Any], namespace: str = "") -> Tool:
    """A freeform tool. definition: as its client wrote it; a grammar in it is told in words."""
    form = definition.get("format")
    form = form if isinstance(form, dict) else {}
    inner = form.get("grammar")
    grammar = inner if isinstance(inner, dict) else form
    rules, syntax = grammar.get("definition"), grammar.get("syntax")
    told = f"`input` is written in this grammar ({syntax}):\n{rules}" if isinstance(rules, str) else ""
    return Tool(
        grouped(namespace, name),
        "\n\n".join(t for t in (description, told) if t),
        _PARAMETERS,
        custom=definition,
        namespace=namespace,
    )


def grouped(namespace: str, name: str) -> str:
    """The one name of a tool of a group."""
    return f"{namespace}{_JOINT}{name}" if namespace else name


def wrapped(text: str) -> str:
    """Free text as a function's arguments."""
    return json.encode({"input": text}).decode()


def unwrapped(arguments: str) -> str:
    """The free text in a function's arguments; the arguments themselves where a model wrote something else."""
    try:
        value = json.decode(arguments)
    except ValueError:
        return arguments
    if isinstance(value, dict) and isinstance(text := value.get("input"), str):
        return text
    return value if isinstance(value, str) else arguments


class Written:
    """The client's tools, to write a call of one as its client knows it."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {t.name: t for t in tools if t.custom is not None or t.namespace}

    def custom(self, name: str) -> bool:
        """Whether the client knows the tool as a freeform one."""
        tool = self._tools.get(name)
        return tool is not None and tool.custom is not None

    def names(self, name: str) -> tuple[str, str]:
        """(namespace, name) as the client wrote them."""
        tool = self._tools.get(name)
        if tool is None or not tool.namespace:
            return "", name
        return tool.namespace, name.removeprefix(tool.namespace + _JOINT)

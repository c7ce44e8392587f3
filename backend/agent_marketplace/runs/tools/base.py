"""What a tool is to the loop."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.runs.types import Got, Policy, Spec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a tool is called. timeout_s: of the whole call."""

    user_id: str
    key_id: str | None
    run_id: str
    timeout_s: int = 30


class ToolFailed(Exception):
    """A call that came to nothing, in words that its model may read. kind: the class of the error, for the receipt.

    unknown: the tool may have done its work all the same
    """

    def __init__(self, words: str, kind: str = "tool_error", *, unknown: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.kind = kind
        self.unknown = unknown


class Tool:
    """One tool. read_only: said by whoever reviewed it, never by a server; data: its results come from outside.

    policy: where the version says nothing. pin: SHA-256 of the definition; payee: who is paid, "" = nobody;
    source: its name at its server, "" = it is built in.
    """

    name: str = ""
    description: str = ""
    parameters: Mapping[str, Any] = {}
    read_only: bool = True
    data: bool = False
    policy: Policy = "allow"
    pin: str = ""
    payee: str = ""
    source: str = ""

    async def run(self, given: Mapping[str, Any], caller: Caller) -> Got:
        """Raises ToolFailed, MarketplaceError."""
        raise NotImplementedError


def text_of(given: Mapping[str, Any], name: str, *, most: int = 10_000, required: bool = True) -> str:
    """An argument that is a text. Raises ToolFailed."""
    value = given.get(name, None if required else "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise ToolFailed(f"{name} must be a text", "bad_arguments")
    if len(value) > most:
        raise ToolFailed(f"{name} may have at most {most} characters", "bad_arguments")
    return value


def number_of(given: Mapping[str, Any], name: str, least: int, most: int, usual: int) -> int:
    """An argument that is a whole number. Raises ToolFailed."""
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ToolFailed(f"{name} must be a whole number from {least} to {most}", "bad_arguments")
    return value


def schema(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """A tool's input as JSON schema."""
    return {
        "type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False,
    }  # fmt: skip


class SubAgent(Tool):
    """Another agent as a tool: the loop makes a run of its own of each call, under the same cap."""

    parameters = schema(
        {"task": {"type": "string", "description": "all that the agent needs to know"}}, "task"
    )
    read_only = False

    def __init__(self, name: str, spec: Spec) -> None:
        self.name = name
        self.spec = spec
        self.description = (
            f"Gives a task to the agent {spec.name} and returns its answer. {spec.description}".strip()
        )
        self.pin = spec.pin
        self.payee = f"agent:{spec.agent_id}"[:120]

    async def run(self, _given: Mapping[str, Any], _caller: Caller) -> Got:
        """Never called: see `Kit.sub`."""
        raise ToolFailed("a sub-agent is run by the loop")

"""PURE: tools that a provider runs itself (web search, a shell, ...). Agents offer them with every call, whether or not the
model will use them. Where they can't be run, or would be billed beside the tokens on the operator's key, they are left out
with a note; whoever demands one is refused."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.wires.anthropic.vocabulary import CLIENT_TOOLS as ANTHROPIC_TOOLS
from agent_marketplace.wires.base import Call, FailureClass, OpaquePart, Tool, UpstreamFailure, WireName
from agent_marketplace.wires.notes import Note
from agent_marketplace.wires.openai.vocabulary import CLIENT_TOOLS as OPENAI_TOOLS
from agent_marketplace.wires.responses.vocabulary import CLIENT_TOOLS as RESPONSES_TOOLS

_ANTHROPIC = re.compile(ANTHROPIC_TOOLS)
_DONE_THERE = ("_call", "_call_output", "_list_tools", "_approval_request", "_approval_response")


def hosted(tool: Tool, wire: WireName | None) -> bool:
    """Whether the provider would run the tool, and bill it: any tool of its wire that is not known to be run by the caller."""
    if tool.native is None:
        return False
    kind = tool.native.get("type")
    match wire:
        case "openai":
            return kind not in OPENAI_TOOLS
        case "anthropic":
            return not isinstance(kind, str) or _ANTHROPIC.fullmatch(kind) is None
        case "gemini":
            return tool.name != "computerUse"
        case "responses":
            return kind not in RESPONSES_TOOLS
    return True


def needed(call: Call) -> str | None:
    """The hosted tool without which the answer would be another one: the only one offered, or the one that is forced."""
    found = [t for t in call.tools if hosted(t, call.wire)] if call.tools else []
    if not found or call.tool_choice == "none":
        return None
    chosen = call.extra.get("tool_choice")
    kind = chosen.get("type") if isinstance(chosen, Mapping) else None
    for tool in found:
        names = (tool.name, (tool.native or {}).get("type"))
        if call.tool_choice == tool.name or (kind is not None and kind in names):
            return tool.name
    return found[0].name if len(found) == len(call.tools) else None


def without_hosted(call: Call, wire: WireName, *, own_key: bool) -> tuple[Call, tuple[Note, ...]]:
    """The call without the tools that can't be run on this wire, or are billed apart on the operator's key, and without what
    they did earlier. Raises UpstreamFailure(UNSUPPORTED) where one of them was demanded."""
    same = call.wire == wire
    if not call.tools and (same or call.wire != "responses"):
        return call, ()
    gone = [
        t
        for t in call.tools
        if _unrunnable(t, call, same) or (hosted(t, call.wire) and not (same and own_key))
    ]
    stale = (
        {k for m in call.messages for p in m.parts if (k := done_there(p))}
        if call.wire == "responses" and not same
        else set()
    )
    if not gone and not stale:
        return call, ()
    tools = tuple(t for t in call.tools if t not in gone)
    _check_choice(call, tools, {str((t.native or {}).get("type")) for t in gone})
    messages = call.messages
    if stale:
        kept = (
            msgspec.structs.replace(m, parts=tuple(p for p in m.parts if not done_there(p))) for m in messages
        )
        messages = tuple(m for m in kept if m.parts)
    notes = [
        Note(f"tools.{t.name}", "left_out", "this tool can't be run here: the model was not told of it")
        for t in gone
    ]
    notes += [
        Note(f"input.{kind}", "left_out", "what a tool did elsewhere can't be told here")
        for kind in sorted(stale)
    ]
    choice = call.tool_choice if tools else None
    return msgspec.structs.replace(call, tools=tools, messages=messages, tool_choice=choice), tuple(notes)


def _unrunnable(tool: Tool, call: Call, same: bool) -> bool:
    """A tool of a Responses client's that the caller runs, and that no other wire can be told of."""
    return tool.native is not None and call.wire == "responses" and not same


def done_there(part: Any) -> str:
    """The kind of an item that tells what a hosted tool did, "" for any other."""
    return part.kind if isinstance(part, OpaquePart) and part.kind.endswith(_DONE_THERE) else ""


def _check_choice(call: Call, tools: tuple[Tool, ...], gone: set[str]) -> None:
    """Whoever demands a tool must not get an answer without it."""
    wish = call.extra.get("tool_choice")
    kind = wish.get("type") if isinstance(wish, dict) else None
    if kind in gone or (call.tool_choice == "required" and not tools):
        words = f"tool_choice: {kind or ', '.join(sorted(gone))} can't be run here"
        raise UpstreamFailure(FailureClass.UNSUPPORTED, words)

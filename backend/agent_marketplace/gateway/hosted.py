"""PURE: tools that OpenAI runs itself (web search, a shell, ...), in calls of its Responses wire: agents offer them with every
call, whether or not the model will use them. Where they can't be run they are left out, with a note."""

from typing import Any

import msgspec

from agent_marketplace.gateway.needs import billed_apart
from agent_marketplace.wires.base import Call, FailureClass, OpaquePart, Tool, UpstreamFailure, WireName
from agent_marketplace.wires.notes import Note

_DONE_THERE = ("_call", "_call_output", "_list_tools", "_approval_request", "_approval_response")


def without_hosted(call: Call, wire: WireName, *, own_key: bool) -> tuple[Call, tuple[Note, ...]]:
    """The call without the tools that can't be run on this wire, or are billed apart on the operator's key, and without what
    they did earlier. Raises UpstreamFailure(UNSUPPORTED) where one of them was demanded."""
    if call.wire != "responses":
        return call, ()
    native = wire == "responses"
    gone = [
        t for t in call.tools if t.native is not None and not (native and (own_key or not billed_apart(t)))
    ]
    stale = set() if native else {k for m in call.messages for p in m.parts if (k := _done_there(p))}
    if not gone and not stale:
        return call, ()
    tools = tuple(t for t in call.tools if t not in gone)
    _check_choice(call, tools, {str((t.native or {}).get("type")) for t in gone})
    messages = call.messages
    if stale:
        kept = (
            msgspec.structs.replace(m, parts=tuple(p for p in m.parts if not _done_there(p)))
            for m in messages
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


def _done_there(part: Any) -> str:
    return part.kind if isinstance(part, OpaquePart) and part.kind.endswith(_DONE_THERE) else ""


def _check_choice(call: Call, tools: tuple[Tool, ...], gone: set[str]) -> None:
    """Whoever demands a tool must not get an answer without it."""
    wish = call.extra.get("tool_choice")
    kind = wish.get("type") if isinstance(wish, dict) else None
    if kind in gone or (call.tool_choice == "required" and not tools):
        words = f"tool_choice: {kind or ', '.join(sorted(gone))} can't be run here"
        raise UpstreamFailure(FailureClass.UNSUPPORTED, words)

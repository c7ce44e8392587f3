"""PURE: every call of a tool has its answer, and every answer its call: providers refuse a history in which one of them is missing (a
session that was stopped, cut to fit, or taken over from elsewhere)."""

from collections.abc import Sequence

import msgspec

from agent_marketplace.wires.base import Call, Message, Part, TextPart, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note

UNANSWERED = "(no result: the call was not answered)"
_LOST = "Result of an earlier tool call:\n"


def fitted(call: Call, notes: list[Note]) -> Call:
    """The call with both; what the conversation ends with may still be answered and stays."""
    turns = _answered(_called(call.messages, notes), notes)
    return call if turns is call.messages else msgspec.structs.replace(call, messages=tuple(turns))


def _called(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """Answers to calls that are not there as words of the user."""
    asked: set[str] = set()
    out: list[Message] = []
    lost = 0
    for message in turns:
        asked |= {p.id for p in message.parts if isinstance(p, ToolCallPart)}
        strays = [p for p in message.parts if isinstance(p, ToolResultPart) and p.call_id not in asked]
        lost += len(strays)
        if not strays:
            out.append(message)
            continue
        parts: tuple[Part, ...] = tuple(
            TextPart(_LOST + p.content) if p in strays else p for p in message.parts
        )
        results = tuple(p for p in parts if isinstance(p, ToolResultPart))
        if results:
            out.append(Message("tool", results))
        out.append(Message("user", tuple(p for p in parts if not isinstance(p, ToolResultPart))))
    if not lost:
        return turns
    notes.append(
        Note("messages", "reencoded", "a tool's result without its call is told as words of the user")
    )
    return out


def _answered(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """A few words where a call got no answer before the conversation went on."""
    out: list[Message] = []
    added = 0
    for at, message in enumerate(turns):
        calls = (
            [p for p in message.parts if isinstance(p, ToolCallPart)] if message.role == "assistant" else []
        )
        answered: set[str] = set()
        after = at + 1
        while after < len(turns) and (turns[after].role == "assistant" or _results(turns[after])):
            answered |= {p.call_id for p in _results(turns[after])}
            after += 1
        out.append(message)
        missing = [p for p in calls if p.id not in answered]
        if missing and (answered or after < len(turns)):
            added += len(missing)
            out.append(Message("tool", tuple(ToolResultPart(p.id, UNANSWERED, name=p.name) for p in missing)))
    if not added:
        return turns
    notes.append(Note("messages", "reencoded", "a call without a result is told as not answered"))
    return out


def _results(message: Message) -> list[ToolResultPart]:
    return [p for p in message.parts if isinstance(p, ToolResultPart)]

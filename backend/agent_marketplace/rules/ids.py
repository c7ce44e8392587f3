"""PURE: ids of tool calls and names of tools in the shape that a target takes, calls and results kept together.

What fits stays as it is. What does not is written anew from itself, so that the same history gives the same words in every
turn: prompts stay cached, and no state is kept.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from agent_marketplace.rules.book import Traits
from agent_marketplace.wires.base import Call, Message, Part, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note
from agent_marketplace.wires.shared.called import digest

_NINE = 9  # letters and digits: what the narrowest pattern (Mistral's) takes, and every other too
_LONGEST_NAME = 64
_UNNAMED = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(slots=True, eq=False)
class _Asked:
    """A call: its place among all, its id as it came and as it was given here, its name, and whether a result has come."""

    at: int
    came: str
    made: str
    name: str
    answered: bool = False


class _Line:
    """Calls that a result may be meant for, by the names of their tools; "" = of any. Each step takes constant time on average."""

    def __init__(self) -> None:
        self._open: dict[str, deque[_Asked]] = {}
        self._since: dict[str, _Asked] = {}  # the last of those answered after the newest call

    def add(self, asked: _Asked) -> None:
        self._since.clear()
        for name in {"", asked.name}:
            self._open.setdefault(name, deque()).append(asked)

    def answered(self, asked: _Asked) -> None:
        asked.answered = True
        for name in ("", asked.name):
            if (last := self._since.get(name)) is None or last.at < asked.at:
                self._since[name] = asked

    def meant(self, name: str) -> _Asked | None:
        """The first that waits, else the last again: a result may come in several parts. Those of the name come first."""
        return self._first(name) or self._since.get(name) or self._first("") or self._since.get("")

    def _first(self, name: str) -> _Asked | None:
        waiting = self._open.get(name)
        while waiting and waiting[0].answered:
            waiting.popleft()
        return waiting[0] if waiting else None


class _Ids:
    """Gives each call of a history an id of its own, and each result that of the call it answers."""

    def __init__(self, pattern: str) -> None:
        self._fits: Callable[[str], object] = re.compile(pattern).fullmatch
        self._used: set[str] = set()
        self._lines: dict[str, _Line] = {}
        self._all = _Line()
        self.changed = False

    def call(self, part: ToolCallPart) -> ToolCallPart:
        made, turn = part.id, 0
        while not made or made in self._used or not self._fits(made):
            made, turn = digest(f"{part.id}\0{part.name}\0{len(self._used)}\0{turn}", _NINE), turn + 1
        asked = _Asked(len(self._used), part.id, made, part.name)
        self._used.add(made)
        self._lines.setdefault(part.id, _Line()).add(asked)
        self._all.add(asked)
        if made == part.id:
            return part
        self.changed = True
        return msgspec.structs.replace(part, id=made)

    def result(self, part: ToolResultPart) -> ToolResultPart:
        line = self._lines.get(part.call_id) if part.call_id else self._all
        asked = line.meant(part.name) if line is not None else None
        if asked is None:
            return part  # its call is not in the history (`pairs`)
        self._lines[asked.came].answered(asked)
        if asked.made == part.call_id:
            return part
        self.changed = True
        return msgspec.structs.replace(part, call_id=asked.made)


def with_ids(call: Call, traits: Traits, notes: list[Note]) -> Call:
    """The call with ids that the target takes, each once in the conversation."""
    ids = _Ids(traits.call_ids)
    messages = tuple(_each(message, ids) for message in call.messages)
    if not ids.changed:
        return call
    notes.append(Note("tool_calls.id", "reencoded", "this provider takes ids of calls in another shape"))
    return msgspec.structs.replace(call, messages=messages)


def _each(message: Message, ids: _Ids) -> Message:
    if not any(isinstance(p, ToolCallPart | ToolResultPart) for p in message.parts):
        return message
    parts: tuple[Part, ...] = tuple(
        ids.call(p) if isinstance(p, ToolCallPart) else ids.result(p) if isinstance(p, ToolResultPart) else p
        for p in message.parts
    )
    return msgspec.structs.replace(message, parts=parts)


def with_names(call: Call, traits: Traits, notes: list[Note]) -> tuple[Call, Mapping[str, str]]:
    """The call with names of tools that the target takes; {sent: the client's} for the way back."""
    fits = re.compile(traits.tool_names).fullmatch
    used = [t.name for t in call.tools if t.native is None]
    used += [p.name for m in call.messages for p in m.parts if isinstance(p, ToolCallPart | ToolResultPart)]
    wrong = dict.fromkeys(name for name in used if name and not fits(name))
    if not wrong:
        return call, {}
    sent = {name: _renamed(name) for name in wrong}
    notes.extend(
        Note(f"tools.{name}", "renamed", "this provider takes other names of tools") for name in wrong
    )

    def of(name: str) -> str:
        return sent.get(name, name)

    tools = tuple(t if t.native else msgspec.structs.replace(t, name=of(t.name)) for t in call.tools)
    messages = tuple(
        msgspec.structs.replace(m, parts=tuple(_with_name(p, of) for p in m.parts)) for m in call.messages
    )
    choice = of(call.tool_choice) if call.tool_choice is not None else None
    among = tuple(of(name) for name in call.allowed_tools)
    made = msgspec.structs.replace(
        call, tools=tools, messages=messages, tool_choice=choice, allowed_tools=among
    )
    return made, {theirs: name for name, theirs in sent.items()}


def _with_name(part: Part, of: Callable[[str], str]) -> Part:
    return (
        msgspec.structs.replace(part, name=of(part.name))
        if isinstance(part, ToolCallPart | ToolResultPart)
        else part
    )


def _renamed(name: str) -> str:
    """A name that says what it was, with a letter first, and is no other tool's."""
    plain = _UNNAMED.sub("_", name)
    if not plain[:1].isalpha():
        plain = f"t{plain}"
    return f"{plain[: _LONGEST_NAME - 9]}_{digest(name, 8)}"

"""Tool calls as providers stream them: without an index, without an id, every one at index 0, the name in every piece."""

import hashlib
import re
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.base import ToolCallDelta, ToolCallPart
from agent_marketplace.wires.shared.repeated import Written


def call_id(number: int, name: str) -> str:
    """The id of a call whose provider gave it none: the answer to a call has to name it."""
    return f"call_{number + 1}_{name}"


_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_ID = 64


def digest(text: str, length: int) -> str:
    """`length` letters and digits that stand for a text."""
    value = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")
    out = []
    for _ in range(length):
        value, at = divmod(value, len(_LETTERS))
        out.append(_LETTERS[at])
    return "".join(out)


def told_id(given: str | None, name: str, number: int, seed: str) -> str:
    """The id of a call as a client gets it: the provider's; or one of ours, which no other answer gives out.

    seed: the answer's own id. A made-up one (`call_id`), none, and one longer than any API takes are not passed on.
    """
    if given and len(given) <= _LONGEST_ID and not re.fullmatch(rf"call_\d+_{re.escape(name)}", given):
        return given
    return "call_" + digest(f"{seed} {number} {given or ''}", 24)


def arguments_of(call: ToolCallPart) -> dict[str, Any]:
    """A tool call's arguments as an object; text that is none is kept under `arguments`."""
    try:
        value = json.decode(call.arguments) if call.arguments.strip() else {}
    except ValueError:
        value = call.arguments
    return value if isinstance(value, dict) else {"arguments": value}


class Calls:
    """Gives each call of one answer a number of its own, and its id and name exactly once, with its first piece."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._at: dict[int, int] = {}
        self._unnamed: dict[int, ToolCallDelta] = {}
        self._texts: set[int] = set()
        self._written: dict[int, Written] = {}

    def piece(self, index: int | None, given_id: str, name: str, arguments: str) -> ToolCallDelta | None:
        """What a provider's piece adds; None while its call has no name yet. index: the provider's, if it gave one."""
        number = self._known(index, given_id, name)
        if number is not None:
            arguments = self._written[number].rest(arguments)
            return ToolCallDelta(number, arguments=arguments) if arguments else None
        place = -1 if index is None else index
        if (waiting := self._unnamed.pop(place, None)) is not None:
            given_id, arguments = given_id or waiting.id, waiting.arguments + arguments
        if not name:
            self._unnamed[place] = ToolCallDelta(place, given_id, "", arguments)
            return None
        number = self._at[place] = len(self._ids)
        self._ids.append(given_id or call_id(number, name))
        self._written[number] = Written(arguments)
        return ToolCallDelta(number, self._ids[number], name, arguments)

    def number(self, index: int | None) -> int | None:
        """The number that a provider's call has here; None before its name is known."""
        return self._at.get(-1 if index is None else index)

    def text(self, index: int | None, given_id: str, name: str, text: str) -> ToolCallDelta | None:
        """As `piece`, of a freeform tool's call: its text becomes the one string of a function's arguments."""
        inside = json.encode(text).decode()[1:-1]
        begins = self._known(index, given_id, name) is None
        piece = self.piece(index, given_id, name, '{"input":"' + inside if begins else inside)
        if piece is not None:
            self._texts.add(piece.index)
        return piece

    def closed(self) -> list[ToolCallDelta]:
        """What was kept back of arguments, and what ends those of freeform tools' calls, once: the answer is over."""
        ends = [ToolCallDelta(n, arguments=rest) for n, w in self._written.items() if (rest := w.end())]
        ends += [ToolCallDelta(number, arguments='"}') for number in sorted(self._texts)]
        self._texts.clear()
        return ends

    def _known(self, index: int | None, given_id: str, name: str) -> int | None:
        """The number of the call that a piece goes on with; None where it begins one."""
        if index is None and given_id in self._ids:
            return self._ids.index(given_id)
        number = self._at.get(-1 if index is None else index)
        if number is None:
            return None
        begins = name and (given_id not in ("", self._ids[number]) or (index is None and not given_id))
        return None if begins else number

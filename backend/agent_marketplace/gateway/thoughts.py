"""What an answer thought before each of its tool calls, and its way back into a history that lost it."""

from collections.abc import Mapping, Sequence

import msgspec

from agent_marketplace.reasoning import Thought
from agent_marketplace.wires.base import (
    Call,
    Message,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    ToolCallDelta,
    ToolCallPart,
    WireName,
)
from agent_marketplace.wires.shared.signatures import own

_SIGNING: frozenset[WireName] = frozenset({"anthropic", "gemini", "responses"})


def family_of(wire: WireName, provider: str, model: str, credential: str, *, wanted: bool) -> str:
    """Who can read the thinking of a target, "" where nobody wants it back. Encrypted items belong to the account that they
    were made for; thinking in plain words to the model. wanted: the target takes such words back."""
    if wire == "responses":
        return f"responses {provider} {credential}"
    if wire in _SIGNING:
        return wire
    return f"{provider} {model}" if wanted else ""


class Thoughts:
    """Collects one answer's thinking from its events."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._parts: list[ReasoningPart] = []
        self._calls: dict[int, Thought] = {}

    @classmethod
    def of(cls, reply: Reply) -> "Thoughts":
        """A whole answer's."""
        thoughts = cls()
        for number, part in enumerate(reply.parts):
            if isinstance(part, ReasoningPart):
                thoughts.reasoned(ReasoningDelta(part.text, part.signature))
            elif isinstance(part, ToolCallPart):
                thoughts.called(ToolCallDelta(number, part.id, part.name, part.arguments, part.signature))
        return thoughts

    def reasoned(self, event: ReasoningDelta) -> None:
        """A signature closes the block that was written before it."""
        if event.text:
            self._text.append(event.text)
        if event.signature:
            self._parts.append(ReasoningPart("".join(self._text), event.signature))
            self._text = []

    def called(self, event: ToolCallDelta) -> None:
        """The first piece of a call takes what was thought before it."""
        seen = self._calls.get(event.index)
        if seen is None:
            if self._text:
                self._parts.append(ReasoningPart("".join(self._text)))
            seen = Thought(event.id, "", tuple(self._parts))
            self._text, self._parts = [], []
        self._calls[event.index] = Thought(
            seen.call_id, seen.arguments + event.arguments, seen.parts, event.signature or seen.signature
        )

    def signed(self, wire: WireName) -> list[Thought]:
        """What is worth keeping of a wire's answer: where thinking is signed, only what is."""
        thoughts = list(self._calls.values())
        if wire in _SIGNING:
            thoughts = [
                msgspec.structs.replace(t, parts=tuple(p for p in t.parts if p.signature)) for t in thoughts
            ]
        return [t for t in thoughts if t.parts or t.signature]


def lost(call: Call, wire: WireName) -> list[tuple[str, str]]:
    """(id, arguments) of the calls in a history whose thinking the target would miss."""
    return [
        (part.id, part.arguments)
        for message in call.messages
        for part in message.parts
        if isinstance(part, ToolCallPart) and part.id and not _own(part.signature, wire, call)
        if not _thinking(message, wire, call)
    ]


def restored(call: Call, wire: WireName, kept: Mapping[tuple[str, str], Thought]) -> Call:
    """The call with kept thinking before the calls that it led to, in the turns that have none of the target's."""
    if not kept:
        return call
    messages = tuple(m if _thinking(m, wire, call) else _with(m, kept) for m in call.messages)
    return msgspec.structs.replace(call, messages=messages)


def _with(message: Message, kept: Mapping[tuple[str, str], Thought]) -> Message:
    parts: list[Part] = []
    first = True
    for part in message.parts:
        thought = kept.get((part.id, part.arguments)) if isinstance(part, ToolCallPart) else None
        if thought is None or not isinstance(part, ToolCallPart):
            parts.append(part)
            continue
        if first and thought.parts:
            # What was thought first stood before the turn's words too, and providers look for it there.
            parts = [*thought.parts, *(p for p in parts if not isinstance(p, ReasoningPart))]
        else:
            parts += thought.parts
        first = False
        parts.append(msgspec.structs.replace(part, signature=thought.signature or part.signature))
    return message if parts == list(message.parts) else msgspec.structs.replace(message, parts=tuple(parts))


def _thinking(message: Message, wire: WireName, call: Call) -> bool:
    """Whether a turn still has thinking that the target takes."""
    parts: Sequence[ReasoningPart] = [p for p in message.parts if isinstance(p, ReasoningPart)]
    if wire in _SIGNING:
        return any(_own(p.signature, wire, call) for p in parts)
    return any(p.text for p in parts)


def _own(signature: str, wire: WireName, call: Call) -> bool:
    return bool(signature) and bool(own(wire, signature, call.wire))

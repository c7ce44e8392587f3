"""PURE: the turns of a conversation as a target takes them: who may speak when, blank ones, pictures in tools' results, the
thinking of earlier turns."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from agent_marketplace.rules.book import Traits
from agent_marketplace.rules.refusing import Unfit
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.notes import Note

GO_ON = "Go on."
UNSAID = "(not kept)"
_BLANK = "."
_BRIDGE = "Noted."


def check(call: Call, traits: Traits) -> None:
    """Raises Unfit where the conversation's end can't be said."""
    if traits.prefill == "refused" and call.messages and call.messages[-1].role == "assistant":
        raise Unfit("messages", "this model takes no beginning of its answer: end with the user's turn")


def fitted(call: Call, traits: Traits, *, thinking: bool, notes: list[Note]) -> Call:
    """The call with its turns as the target takes them."""
    turns: Sequence[Message] = call.messages
    if not traits.developer:
        turns = _no_developer(turns, notes)
    if not traits.blanks:
        turns = _no_blanks(turns, notes)
    if traits.pictures == "user" and not call.plain:
        turns = _pictures_moved(turns, notes)
    if traits.system == "first":
        turns = _system_first(turns, notes)
    if traits.reasoning != "passed" and not call.plain:
        turns = _reasoned(turns, traits, thinking, call, notes)
    if traits.bridge and not call.plain:
        turns = _bridged(turns, notes)
    if traits.alternate:
        turns = _alternating(turns, notes)
    if traits.prefill == "continued" and turns and turns[-1].role == "assistant":
        turns = (*turns, Message("user", (TextPart(GO_ON),)))
        notes.append(
            Note("messages", "reencoded", "this model begins its answers itself: it is asked to go on")
        )
    if turns is call.messages:
        return call
    return msgspec.structs.replace(call, messages=tuple(turns))


def _no_developer(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    if not any(m.developer for m in turns):
        return turns
    notes.append(Note("messages.role", "renamed", "this provider calls a developer's turn a system turn"))
    return tuple(msgspec.structs.replace(m, developer=False) if m.developer else m for m in turns)


def _is_blank(part: Part) -> bool:
    return isinstance(part, TextPart) and not part.text.strip()


def _no_blanks(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """Without blank texts. A user's turn of nothing else keeps its place with a full stop: turns have to alternate."""
    if not any(_is_blank(p) for m in turns for p in m.parts) and all(m.parts for m in turns):
        return turns
    out: list[Message] = []
    for message in turns:
        parts = tuple(p for p in message.parts if not _is_blank(p))
        if not parts and message.role == "user":
            parts = (TextPart(_BLANK),)
        if parts:
            out.append(message if parts == message.parts else msgspec.structs.replace(message, parts=parts))
    notes.append(Note("messages.content", "left_out", "this provider takes no blank texts"))
    return tuple(out)


def _pictures_moved(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """Pictures of tools' results in a user's turn behind the last result of the step."""
    if not any(
        m.role == "tool" and any(isinstance(p, ImagePart | OpaquePart) for p in m.parts) for m in turns
    ):
        return turns
    out: list[Message] = []
    waiting: list[Part] = []
    for message in turns:
        if message.role != "tool":
            if waiting and not _answers(message):
                out.append(Message("user", tuple(waiting)))
                waiting = []
            out.append(message)
            continue
        kept = tuple(p for p in message.parts if not isinstance(p, ImagePart | OpaquePart))
        waiting += [p for p in message.parts if isinstance(p, ImagePart | OpaquePart)]
        out.append(
            message if len(kept) == len(message.parts) else msgspec.structs.replace(message, parts=kept)
        )
    if waiting:
        out.append(Message("user", tuple(waiting)))
    notes.append(
        Note("messages.content", "moved", "a tool's result holds text only here: its pictures follow it")
    )
    return tuple(out)


def _system_first(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """One system turn at the beginning; what the system says later is said where it stands, by the user."""
    opening = next((i for i, m in enumerate(turns) if m.role != "system"), len(turns))
    if opening <= 1 and not any(m.role == "system" for m in turns[opening:]):
        return turns
    notes.append(Note("messages.role", "moved", "this model takes one system turn, at the beginning"))
    texts = [p for m in turns[:opening] for p in m.parts]
    head = (Message("system", (TextPart("\n\n".join(p.text for p in texts if isinstance(p, TextPart))),)),)
    rest = (msgspec.structs.replace(m, role="user") if m.role == "system" else m for m in turns[opening:])
    return (*(head if opening else ()), *rest)


def _reasoned(
    turns: Sequence[Message], traits: Traits, thinking: bool, call: Call, notes: list[Note]
) -> Sequence[Message]:
    if traits.reasoning == "refused":
        return _without_reasoning(turns, notes)
    if traits.reasoning == "reasoning_details":  # sealed blocks go back as they came
        return turns
    out = [_readable(m, call) for m in turns]
    if not (traits.reasoning_required and thinking):
        return turns if all(a is b for a, b in zip(out, turns, strict=True)) else tuple(out)
    added = 0
    for at, message in enumerate(out):
        kinds = {type(p) for p in message.parts}
        if message.role == "assistant" and ToolCallPart in kinds and ReasoningPart not in kinds:
            out[at] = msgspec.structs.replace(message, parts=(ReasoningPart(UNSAID), *message.parts))
            added += 1
    if added:
        words = "this model wants the thinking of every turn with calls: a few words stand for what was not sent back"
        notes.append(Note("messages.reasoning_content", "reencoded", words))
    return turns if all(a is b for a, b in zip(out, turns, strict=True)) else tuple(out)


def _without_reasoning(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    if not any(isinstance(p, ReasoningPart) for m in turns for p in m.parts):
        return turns
    notes.append(
        Note("messages.reasoning_content", "left_out", "this provider takes no thinking in a history")
    )
    return tuple(
        msgspec.structs.replace(m, parts=tuple(p for p in m.parts if not isinstance(p, ReasoningPart)))
        for m in turns
    )


def _readable(message: Message, call: Call) -> Message:
    """Without the thinking that its minter sealed: what stands in it is no text, or another model's."""
    kept = tuple(p for p in message.parts if not isinstance(p, ReasoningPart) or _open(p, call))
    return message if len(kept) == len(message.parts) else msgspec.structs.replace(message, parts=kept)


def _open(part: ReasoningPart, call: Call) -> bool:
    return bool(part.text) and not part.redacted and (not part.signature or call.wire in ("openai", "ollama"))


def _bridged(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """An assistant's turn between a tool's result and the user's next words, also where both came in one turn."""
    out: list[Message] = []
    for message in turns:
        said = tuple(p for p in message.parts if not isinstance(p, ToolResultPart))
        split = [message]
        if said and message.role != "assistant" and _answers(message):
            results = tuple(p for p in message.parts if isinstance(p, ToolResultPart))
            split = [Message("tool", results), Message("user", said)]
        for turn in split:
            if turn.role == "user" and out and _answers(out[-1]) and not _answers(turn):
                out.append(Message("assistant", (TextPart(_BRIDGE),)))
            out.append(turn)
    if len(out) == len(turns):
        return turns
    notes.append(
        Note("messages", "reencoded", "this provider wants an assistant's turn between a tool's and a user's")
    )
    return tuple(out)


def _answers(message: Message) -> bool:
    return any(isinstance(p, ToolResultPart) for p in message.parts)


def _alternating(turns: Sequence[Message], notes: list[Note]) -> Sequence[Message]:
    """Turns of one role in a row as one, in time that is linear in their parts."""
    out: list[Message] = []
    for role, row in groupby(turns, lambda message: message.role):
        same = list(row)
        if len(same) == 1 or role not in ("user", "assistant"):
            out += same
            continue
        parts = list(same[0].parts)
        for message in same[1:]:
            if parts and isinstance(parts[-1], TextPart) and message.parts:
                parts.append(TextPart("\n\n"))
            parts += message.parts
        out.append(msgspec.structs.replace(same[0], parts=tuple(parts)))
    if len(out) == len(turns):
        return turns
    notes.append(Note("messages", "moved", "turns of one role in a row are one turn here"))
    return tuple(out)

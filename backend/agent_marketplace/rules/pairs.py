"""PURE: every call of a tool has one result right behind it, and every result its call. Providers refuse other histories:
of a session that was stopped, steered while tools ran, cut to fit, or taken over from elsewhere.

The conversation is read once into stretches: what was said, then the turns with results that follow it at once. Each
stretch that is out of order is written anew: what was said, the results as one turn, then the other words. Ids are each
call's own (`ids`). Time and memory are linear in the number of parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import msgspec

from agent_marketplace.rules.book import Traits
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.notes import Note

UNANSWERED = "(no result: the call was not answered)"
_LOST = "Result of an earlier tool call:\n"
_JOINING = ("anthropic", "gemini", "responses")
"""Wires on which turns of the assistant in a row are one, so that results may follow the last of them."""
_FREE = ("responses",)
"""Wires on which a result may stand anywhere behind its call."""
_BY_PLACE = ("gemini", "ollama")
"""Wires on which results name no call: those of two calls of one tool are told apart by their order."""


def fitted(call: Call, traits: Traits, wire: str, notes: list[Note]) -> Call:
    """The call with its history in order for a provider on this wire; the same object where it was.

    A result that comes later is moved behind its call, in the order of the calls where the wire needs that; on Responses it
    stays, as the order is free there. Several results of one call are one. A call that got none gets a few words, unless the
    conversation ends with it and may be gone on with. A result without a call is told as words of the user behind the
    results around it.
    """
    reader = _Reader(call.messages, wire)
    writer = _Writer(reader.read(), wire, ends=traits.prefill != "continued")
    turns = writer.write()
    if len(turns) == len(call.messages) and all(a is b for a, b in zip(turns, call.messages, strict=True)):
        return call
    if reader.told:
        notes.append(
            Note("messages", "reencoded", "a tool's result without its call is told as words of the user")
        )
    if writer.added:
        notes.append(Note("messages", "reencoded", "a call without a result is told as not answered"))
    if writer.moved or not (reader.told or writer.added):
        notes.append(Note("messages", "moved", "each call has one result here, right behind it"))
    return msgspec.structs.replace(call, messages=tuple(turns))


@dataclass(slots=True, eq=False)
class _Answer:
    """What came for one call. beside: what stood with the results and is no text, as pictures. placed: the first may stay."""

    call: ToolCallPart
    stretch: int
    results: list[ToolResultPart] = field(default_factory=list)
    beside: list[Part] = field(default_factory=list)
    placed: bool = False

    def parts(self) -> tuple[Part, ...]:
        if not self.results:
            return (ToolResultPart(self.call.id, UNANSWERED, name=self.call.name),)
        first = self.results[0]
        if len(self.results) > 1:
            texts = dict.fromkeys(r.content for r in self.results if r.content)
            first = msgspec.structs.replace(first, content="\n".join(texts))
        return (first, *self.beside)


@dataclass(slots=True)
class _Turn:
    """A turn with results. kept: those in their place. rest: its other words, by who says them. whole: all may stay."""

    message: Message
    kept: list[_Answer] = field(default_factory=list)
    rest: list[tuple[Role, Part]] = field(default_factory=list)
    whole: bool = True
    loose: bool = False  # on some wires a user's turn comes of it, which no result of the stretch may follow


@dataclass(slots=True)
class _Stretch:
    """What was said, its calls, and the turns with results right behind it."""

    said: list[Message] = field(default_factory=list)
    asked: list[_Answer] = field(default_factory=list)
    turns: list[_Turn] = field(default_factory=list)
    rest: list[tuple[Role, Part]] = field(default_factory=list)


class _Reader:
    def __init__(self, messages: Sequence[Message], wire: str) -> None:
        self._messages, self._joining, self._free = messages, wire in _JOINING, wire in _FREE
        self._asked: dict[str, _Answer] = {}
        self._stretches: list[_Stretch] = [_Stretch()]
        self.told = 0

    def read(self) -> list[_Stretch]:
        """The stretches, in their order."""
        speaking = False  # the assistant, in the turn before
        for message in self._messages:
            kinds = {type(p) for p in message.parts}
            asks = message.role == "assistant" or ToolCallPart in kinds
            answers = ToolResultPart in kinds
            if (asks or not answers) and not (self._joining and speaking and message.role == "assistant"):
                self._stretches.append(_Stretch())
            speaking = message.role == "assistant"
            if asks:
                self._asks(message, answers=answers)
            elif answers:
                self._answers(message)
            else:
                self._stretches[-1].said.append(message)
        return self._stretches

    def _asks(self, message: Message, *, answers: bool) -> None:
        stretch = self._stretches[-1]
        turn = _Turn(message)
        own = self._parted(message, turn, None)
        if own or not answers:
            stretch.said.append(msgspec.structs.replace(message, parts=tuple(own)) if answers else message)
        stretch.rest += turn.rest

    def _answers(self, message: Message) -> None:
        turn = _Turn(message)
        role: Role = "user" if message.role == "tool" else message.role
        own = self._parted(message, turn, role)
        turn.loose = bool(own) or (message.role != "tool" and any(a.beside for a in turn.kept))
        self._stretches[-1].turns.append(turn)

    def _parted(self, message: Message, turn: _Turn, role: Role | None) -> list[Part]:
        """What is neither a result nor beside one; those go to their calls, or as words to the turn's rest.

        role: who says the other words, which are of the rest too; None = the turn asks, and no result may stay in it.
        """
        at, own = len(self._stretches), list[Part]()
        beside: list[Part] | None = None
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                answer = self._asked.get(part.call_id)
                if answer is None:
                    self.told += 1
                    turn.whole = False
                    turn.rest.append(("user", TextPart(_LOST + part.content, cache=part.cache)))
                    beside = None
                    continue
                if role and not answer.results and (self._free or answer.stretch == at):
                    answer.placed = True
                    turn.kept.append(answer)
                else:
                    turn.whole = False
                answer.results.append(part)
                beside = answer.beside
            elif beside is not None and isinstance(part, ImagePart | OpaquePart):
                beside.append(part)
            else:
                beside = None
                own.append(part)
                if role:
                    turn.rest.append((role, part))
                if isinstance(part, ToolCallPart):
                    answer = self._asked[part.id] = _Answer(part, at)
                    self._stretches[-1].asked.append(answer)
        return own


class _Writer:
    def __init__(self, stretches: Sequence[_Stretch], wire: str, *, ends: bool) -> None:
        self._stretches, self._wire, self._ends = stretches, wire, ends
        self._out: list[Message] = []
        self.added = 0
        self.moved = 0

    def write(self) -> list[Message]:
        """The turns, in order."""
        for stretch in self._stretches:
            self._out += stretch.said
            if not self._stays(stretch):
                self._rewrite(stretch)
                continue
            self._out += [turn.message for turn in stretch.turns]
        return self._out

    def _stays(self, stretch: _Stretch) -> bool:
        """Whether its turns with results may follow as they came."""
        turns, asked = stretch.turns, stretch.asked
        if not turns:
            open_end = stretch is self._stretches[-1] and self._ends and not any(a.results for a in asked)
            return not stretch.rest and (open_end or all(answer.placed for answer in asked))
        kept = [answer for turn in turns for answer in turn.kept]
        if not all(a.placed for a in asked) or not all(t.whole for t in turns) or stretch.rest:
            return False
        if any(len(answer.results) > 1 for answer in kept):
            return False
        if self._wire in _BY_PLACE and kept != asked:
            return False
        return self._wire in _FREE or not any(turn.loose for turn in turns[:-1])

    def _rewrite(self, stretch: _Stretch) -> None:
        """All results as one turn, in the order of the calls, then the other words."""
        missing = [answer for answer in stretch.asked if not answer.placed]
        late = sum(1 for answer in missing if answer.results)
        self.added += len(missing) - late
        kept = [answer for turn in stretch.turns for answer in turn.kept]
        here = {*missing, *kept}
        answers = list(dict.fromkeys([*(answer for answer in stretch.asked if answer in here), *kept]))
        self.moved += late + (kept != answers and not missing)
        if answers:
            self._out.append(Message("tool", tuple(p for answer in answers for p in answer.parts())))
        rest = [*stretch.rest, *(said for turn in stretch.turns for said in turn.rest)]
        for role, parts in groupby(rest, itemgetter(0)):
            self._out.append(Message(role, tuple(part for _, part in parts)))

"""A history in which a call has no answer, or an answer no call, is told so that providers take it; a whole one is not touched."""

import pytest

from agent_marketplace.rules import pairs
from agent_marketplace.wires.base import Call, Message, Part, TextPart, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note


def turn(role: str, *parts: Part | str) -> Message:
    return Message(role, tuple(TextPart(p) if isinstance(p, str) else p for p in parts))  # type: ignore[arg-type]


def asked(name: str) -> ToolCallPart:
    return ToolCallPart(name, "f", "{}")


def got(name: str, text: str = "r") -> ToolResultPart:
    return ToolResultPart(name, text)


HI, MORE = turn("user", "hi"), turn("user", "go on")
WHOLE = (
    (HI, turn("assistant", asked("a"), asked("b")), turn("tool", got("a")), turn("tool", got("b")), MORE),
    (HI, turn("assistant", asked("a"), asked("b")), turn("user", got("b"), got("a"), "and"), MORE),
    (
        HI,
        turn("assistant", asked("a")),
        turn("assistant", asked("b")),
        turn("tool", got("a")),
        turn("tool", got("b")),
    ),
    (HI, turn("assistant", "x", asked("a"))),  # the end may still be answered
)


@pytest.mark.parametrize("turns", WHOLE)
def test_a_whole_history_is_left_alone(turns: tuple[Message, ...]) -> None:
    notes: list[Note] = []
    call = Call(model="m", messages=turns)
    assert pairs.fitted(call, notes) is call
    assert notes == []


BROKEN = (
    ((HI, turn("assistant", asked("a")), MORE), "a"),
    ((HI, turn("assistant", asked("a"), asked("b")), turn("tool", got("b"))), "a"),
    ((HI, turn("assistant", asked("a"), asked("b")), turn("user", got("a"), "and"), MORE), "b"),
)


@pytest.mark.parametrize(("turns", "missing"), BROKEN)
def test_a_call_that_was_not_answered_is_told_as_such_behind_it(
    turns: tuple[Message, ...], missing: str
) -> None:
    notes: list[Note] = []
    made = pairs.fitted(Call(model="m", messages=turns), notes).messages
    assert made[2] == turn("tool", ToolResultPart(missing, pairs.UNANSWERED, name="f"))
    assert [m for m in made if m is not made[2]] == list(turns)
    assert [n.act for n in notes] == ["reencoded"]


def test_an_answer_to_no_call_is_words_of_the_user_in_its_place() -> None:
    notes: list[Note] = []
    turns = (
        HI,
        turn("user", got("lost", "rain"), "and"),
        turn("assistant", asked("a")),
        turn("tool", got("a"), got("x", "sun")),
    )
    made = pairs.fitted(Call(model="m", messages=turns), notes).messages
    assert [m.role for m in made] == ["user", "user", "assistant", "tool", "user"]
    words = [p.text for m in (made[1], made[4]) for p in m.parts if isinstance(p, TextPart)]
    assert [w.splitlines()[-1] for w in words] == ["rain", "and", "sun"]
    assert made[3] == turn("tool", got("a"))
    assert len(notes) == 1

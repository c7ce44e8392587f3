"""A history in which a call has no answer, or an answer no call, is told so that providers take it; a whole one is not touched."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.rules import bundled, fit, pairs
from agent_marketplace.rules.book import Traits
from agent_marketplace.rules.ids import with_ids
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.notes import Note
from tests.fakes.examples import examples

PICTURE = ImagePart(media_type="image/png", data="AAAA")
WIRES = ("openai", "anthropic", "gemini", "ollama")


def turn(role: str, *parts: Part | str) -> Message:
    return Message(role, tuple(TextPart(p) if isinstance(p, str) else p for p in parts))  # type: ignore[arg-type]


def asked(name: str) -> ToolCallPart:
    return ToolCallPart(name, "f", "{}")


def got(name: str, text: str = "r") -> ToolResultPart:
    return ToolResultPart(name, text)


def mended(*turns: Message, wire: str = "openai") -> tuple[Message, ...]:
    return pairs.fitted(Call(model="m", messages=turns), Traits(), wire, []).messages


def none(name: str) -> ToolResultPart:
    return ToolResultPart(name, pairs.UNANSWERED, name="f")


HI, MORE = turn("user", "hi"), turn("user", "go on")
WHOLE = (
    (HI, turn("assistant", asked("a"), asked("b")), turn("tool", got("a")), turn("tool", got("b")), MORE),
    (HI, turn("assistant", asked("a"), asked("b")), turn("user", got("a"), got("b"), "and"), MORE),
    (HI, turn("assistant", asked("a")), turn("tool", got("a"), PICTURE), turn("assistant", "x"), MORE),
    (HI, turn("assistant", "x", asked("a"))),  # the end may still be answered
)
APART = (
    HI, turn("assistant", asked("a")), turn("assistant", asked("b")), turn("tool", got("a")), turn("tool", got("b")),
)  # fmt: skip
STEERED = (
    HI, turn("assistant", asked("a"), asked("b")), turn("tool", got("a")), turn("user", "steer"), turn("tool", got("b")),
)  # fmt: skip


@pytest.mark.parametrize("wire", [*WIRES, "responses"])
@pytest.mark.parametrize("turns", WHOLE)
def test_a_whole_history_is_left_alone(turns: tuple[Message, ...], wire: str) -> None:
    notes: list[Note] = []
    call = Call(model="m", messages=turns)
    assert pairs.fitted(call, Traits(), wire, notes) is call
    assert notes == []


def test_turns_in_a_row_that_a_wire_joins_are_one_step_and_elsewhere_each_gets_its_results() -> None:
    for wire in ("anthropic", "gemini", "responses"):
        call = Call(model="m", messages=APART)
        assert pairs.fitted(call, Traits(), wire, []) is call
    assert mended(*APART) == (HI, APART[1], APART[3], APART[2], APART[4])


@pytest.mark.parametrize("wire", WIRES)
def test_a_result_that_came_after_the_users_words_is_not_told_twice(wire: str) -> None:
    assert mended(*STEERED, wire=wire) == (HI, STEERED[1], turn("tool", got("a"), got("b")), STEERED[3])


def test_results_stand_in_the_order_of_their_calls_where_they_name_none() -> None:
    ask = turn("assistant", asked("a"), asked("b"))
    for wire in WIRES:
        made = mended(HI, ask, turn("user", got("b"), got("a"), "and"), wire=wire)
        by_place = wire in ("gemini", "ollama")
        ends = (
            (turn("tool", got("a"), got("b")), turn("user", "and"))
            if by_place
            else (turn("user", got("b"), got("a"), "and"),)
        )
        assert made[2:] == ends


def test_responses_keeps_its_free_order_and_gets_what_is_missing_there() -> None:
    call = Call(model="m", messages=STEERED)
    assert pairs.fitted(call, Traits(), "responses", []) is call
    assert mended(*STEERED[:4], wire="responses") == (
        HI, STEERED[1], turn("tool", got("a"), none("b")), STEERED[3],
    )  # fmt: skip


def test_a_lost_result_between_two_real_ones_does_not_part_them() -> None:
    ask, lost = turn("assistant", asked("a"), asked("b")), turn("tool", got("x", "sun"))
    made = mended(HI, ask, turn("tool", got("a")), lost, turn("tool", got("b")), MORE)
    assert made[:3] == (HI, ask, turn("tool", got("a"), got("b")))
    assert [m.role for m in made[3:]] == ["user", "user"]
    assert made[4] is MORE


def test_a_users_words_among_results_come_behind_the_last_of_them() -> None:
    ask = turn("assistant", asked("a"), asked("b"))
    made = mended(HI, ask, turn("user", got("a"), PICTURE, "and"), turn("user", got("b")))
    assert made == (HI, ask, turn("tool", got("a"), PICTURE, got("b")), turn("user", "and"))


def test_two_results_of_one_call_are_one_with_both_texts() -> None:
    ask = turn("assistant", asked("a"))
    made = mended(HI, ask, turn("tool", got("a", "x")), MORE, turn("tool", got("a", "y"), PICTURE))
    assert made == (HI, ask, turn("tool", got("a", "x\ny"), PICTURE), MORE)


def test_a_call_at_the_end_is_answered_where_the_conversation_may_not_end_with_it() -> None:
    made = fit(
        Call(model="m", messages=(HI, turn("assistant", asked("a")))),
        bundled().rules("openai", "perplexity", "m"),
    )
    assert made.call.messages[2:] == (turn("tool", none("a")),)


STOPPED = (HI, turn("assistant", asked("abcdefghi")), MORE)


def test_mistral_gets_its_bridge_also_where_a_call_or_a_result_was_lost() -> None:
    rules = bundled().rules("openai", "mistral", "mistral-large-2512")
    answered = (*STOPPED[:2], turn("tool", got("abcdefghi")), turn("tool", got("xxxxxxxxx")), MORE)
    for turns, ends in ((STOPPED, ["user"]), (answered, ["user", "user"])):
        made = fit(Call(model="m", messages=turns), rules).call
        assert [m.role for m in made.messages] == ["user", "assistant", "tool", "assistant", *ends]
        assert fit(made, rules).call.messages == made.messages


def test_roles_alternate_also_where_a_lost_result_is_told_by_the_user() -> None:
    rules = bundled().rules("openai", "vllm", "mistral-small")
    turns = (HI, turn("tool", got("lost")), MORE, *STOPPED[1:])
    made = fit(Call(model="m", messages=turns), rules).call.messages
    assert [m.role for m in made] == ["user", "assistant", "tool", "user"]


def test_pictures_of_results_do_not_part_them_where_they_follow_as_a_users_turn() -> None:
    ask = turn("assistant", asked("a"), asked("b"))
    late = (HI, ask, turn("tool", got("a"), PICTURE), turn("user", got("b"), "and"))
    made = fit(Call(model="m", messages=late), bundled().rules("openai", "openai", "gpt-4o")).call.messages
    answers = [any(isinstance(p, ToolResultPart) for p in m.parts) for m in made]
    assert answers[:4] == [False, False, True, True]
    assert not any(answers[4:])
    assert PICTURE in [p for m in made[4:] for p in m.parts]


class Counted(tuple[Part, ...]):
    """Parts that count how often one of them is looked at."""

    seen = 0

    def __iter__(self) -> Iterator[Part]:
        for part in super().__iter__():
            Counted.seen += 1
            yield part


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("rounds", [1, 100, 5000])
def test_a_long_history_does_not_keep_the_event_loop(rounds: int, lost: bool) -> None:
    turns = [HI]
    for n in range(rounds):
        turns.append(Message("assistant", Counted((asked(str(n)),))))
        turns.append(Message("tool", Counted((got(f"{'x' if lost else ''}{n}"),))))
    Counted.seen = 0
    mended(*turns)
    assert 0 < Counted.seen <= 2 * 5 * rounds


class Name(str):
    """A tool's name that counts how often it is compared."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("named", ["x", ""])
def test_many_calls_of_one_id_or_none_do_not_keep_the_event_loop(named: str) -> None:
    calls, name = 1000, Name("f")
    asks = turn("assistant", *(ToolCallPart(named, "f", "{}") for _ in range(calls)))
    answers = turn("tool", *(ToolResultPart(named, "r", name) for _ in range(calls)))
    Name.compared = 0
    made = with_ids(Call(model="m", messages=(HI, asks, answers)), Traits(), []).messages
    assert 0 < Name.compared <= 10 * calls
    given_ids = [p.id for p in made[1].parts if isinstance(p, ToolCallPart)]
    assert [p.call_id for p in made[2].parts if isinstance(p, ToolResultPart)] == given_ids
    assert len(set(given_ids)) == calls


IDS = st.sampled_from("abc")
SAID = st.builds(turn, st.sampled_from(["user", "user", "system"]), st.sampled_from(["u", "v"]))
ASKED = st.builds(lambda *p: turn("assistant", *p), st.just("t"), IDS.map(asked), IDS.map(asked))
MIXED = st.builds(
    lambda role, parts: turn(role, *parts),
    st.sampled_from(["tool", "user", "assistant"]),
    st.lists(
        st.one_of(st.builds(got, IDS, st.sampled_from("rs")), st.just("w"), st.just(PICTURE)), min_size=1
    ),
)
ANSWERS = st.builds(lambda i, text: turn("tool", got(i, text)), IDS, st.sampled_from("rs"))


def texts(turns: tuple[Message, ...]) -> list[str]:
    return sorted(p.text for m in turns for p in m.parts if isinstance(p, TextPart))


@settings(max_examples=examples(200))
@given(
    st.lists(
        st.one_of(SAID, ASKED, IDS.map(lambda i: turn("assistant", asked(i))), ANSWERS, MIXED), max_size=9
    ),
    st.sampled_from([*WIRES, "responses"]),
)
def test_whatever_the_order_each_call_has_one_result_behind_it_and_no_words_are_lost(
    turns: list[Message], wire: str
) -> None:
    given_ = with_ids(Call(model="m", messages=tuple(turns)), Traits(), [])
    notes: list[Note] = []
    made = pairs.fitted(given_, Traits(), wire, notes)
    assert (made is given_) == (not notes)
    assert pairs.fitted(made, Traits(), wire, []) is made
    words, before = texts(made.messages), texts(given_.messages)
    assert sorted(w for w in words if not w.startswith("Result of")) == before
    told = "\n".join(
        [*words, *(p.content for m in made.messages for p in m.parts if isinstance(p, ToolResultPart))]
    )
    assert all(p.content in told for m in turns for p in m.parts if isinstance(p, ToolResultPart))
    pictures = [p for m in given_.messages for p in m.parts if p == PICTURE]
    assert len([p for m in made.messages for p in m.parts if p == PICTURE]) == len(pictures)
    well_formed(made.messages, wire)


def well_formed(turns: tuple[Message, ...], wire: str) -> None:
    """Oracle: read turn by turn as the strictest provider of the wire does."""
    waiting: list[str] = []
    closed, before = False, ""  # closed: a user's words came after results
    for message in turns:
        calls = [p.id for p in message.parts if isinstance(p, ToolCallPart)]
        results = [p.call_id for p in message.parts if isinstance(p, ToolResultPart)]
        joined = wire in ("anthropic", "gemini") and message.role == before == "assistant"
        if wire == "responses" or joined:
            waiting += calls
        elif not results:
            assert not waiting
            waiting, closed = calls, False
        assert not (calls and results)
        assert not (results and closed and wire != "responses")
        for result in results:
            assert wire not in ("gemini", "ollama") or result == waiting[0]
            waiting.remove(result)
        closed |= bool(results) and message.role == "user" and len(results) < len(message.parts)
        before = message.role
    assert not waiting or turns[-1].role == "assistant"


BROKEN: tuple[tuple[tuple[Message, ...], tuple[Message, ...]], ...] = (
    ((HI, turn("assistant", asked("a")), MORE), (turn("tool", none("a")), MORE)),
    (
        (HI, turn("assistant", asked("a"), asked("b")), turn("tool", got("b"))),
        (turn("tool", none("a"), got("b")),),
    ),
    (
        (HI, turn("assistant", asked("a"), asked("b")), turn("user", got("a"), "and"), MORE),
        (turn("tool", got("a"), none("b")), turn("user", "and"), MORE),
    ),
)


@pytest.mark.parametrize(("turns", "ends"), BROKEN)
def test_a_call_that_was_not_answered_is_told_as_such_behind_it(
    turns: tuple[Message, ...], ends: tuple[Message, ...]
) -> None:
    notes: list[Note] = []
    made = pairs.fitted(Call(model="m", messages=turns), Traits(), "anthropic", notes).messages
    assert made == (*turns[:2], *ends)
    assert [n.act for n in notes] == ["reencoded"]


def test_an_answer_to_no_call_is_words_of_the_user_in_its_place() -> None:
    notes: list[Note] = []
    turns = (
        HI,
        turn("user", got("lost", "rain"), "and"),
        turn("assistant", asked("a")),
        turn("tool", got("a"), got("x", "sun")),
    )
    made = pairs.fitted(Call(model="m", messages=turns), Traits(), "anthropic", notes).messages
    assert [m.role for m in made] == ["user", "user", "assistant", "tool", "user"]
    words = [p.text for m in (made[1], made[4]) for p in m.parts if isinstance(p, TextPart)]
    assert [w.splitlines()[-1] for w in words] == ["rain", "and", "sun"]
    assert made[3] == turn("tool", got("a"))
    assert len(notes) == 1

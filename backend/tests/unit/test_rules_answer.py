"""A client goes by ids, names and the reason an answer ended: a wrong one loops an agent, or stops it with a call unanswered."""

import json
import re
from typing import Any

import pytest

from agent_marketplace.rules.answer import Back
from agent_marketplace.wires.base import (
    Finish,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    UsageSeen,
)
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.openai.fast_path import OpenAIFast, Passthrough
from agent_marketplace.wires.shared.called import call_id

OURS = re.compile(r"call_[a-zA-Z0-9]{24}")
NO_WORDS: dict[str, Any] = {}


def shape(name: str) -> Shape:
    return Shape(id=name, model="m", created=1)


@pytest.mark.parametrize("given", [call_id(0, "look"), "", "x" * 65, "call_7_look"])
def test_an_id_that_was_made_up_is_no_other_answers(given: str) -> None:
    event = ToolCallDelta(0, given, "look", "{}")
    one, other = (Back(seed).events([event])[0] for seed in ("gen_1", "gen_2"))
    assert isinstance(one, ToolCallDelta)
    assert isinstance(other, ToolCallDelta)
    assert OURS.fullmatch(one.id)
    assert one.id != other.id
    assert Back("gen_1").events([event])[0] == one
    part = ToolCallPart(given, "look", "{}")
    told = Back("gen_1").reply(Reply(parts=(part, part), finish=Finish.STOP)).parts
    assert len({p.id for p in told if isinstance(p, ToolCallPart)}) == 2


def test_a_providers_own_id_and_later_pieces_stay() -> None:
    events = [ToolCallDelta(0, "toolu_01", "look"), ToolCallDelta(0, arguments="{}"), TextDelta("x")]
    assert Back("g").events(events) == events


def test_a_renamed_tool_is_called_by_the_clients_name() -> None:
    back = Back("g", {"long_1": "a.long.name"})
    told = back.events([ToolCallDelta(0, "c", "long_1")])[0]
    assert told == ToolCallDelta(0, "c", "a.long.name")
    parts = back.reply(
        Reply(parts=(TextPart("x"), ToolCallPart("c", "long_1", "{}")), finish=Finish.STOP)
    ).parts
    assert parts == (TextPart("x"), ToolCallPart("c", "a.long.name", "{}"))


@pytest.mark.parametrize(
    ("called", "finish", "told"),
    [
        (True, Finish.STOP, Finish.TOOL_CALLS), (True, Finish.TOOL_CALLS, Finish.TOOL_CALLS), (True, Finish.LENGTH, Finish.LENGTH),
        (False, Finish.TOOL_CALLS, Finish.STOP), (False, Finish.STOP, Finish.STOP), (False, Finish.CONTENT_FILTER, Finish.CONTENT_FILTER),
    ],
)  # fmt: skip
def test_an_end_fits_what_was_said(called: bool, finish: Finish, told: Finish) -> None:
    back = Back("g")
    back.events([ToolCallDelta(0, "c", "look")] if called else [TextDelta("x")])
    assert back.finish(finish) is told
    parts = (ToolCallPart("c", "look", "{}") if called else TextPart("x"),)
    assert Back("g").reply(Reply(parts=parts, finish=finish)).finish is told
    assert Back("g").reply(Reply(parts=parts, finish=None)).finish is None


# -- the same wire: bytes pass, but not untruths ----------------------------------------------------------------------


def passed(*chunks: dict[str, Any], name: str = "gen_1") -> list[Any]:
    pipe = Passthrough(shape(name))
    out = b"".join(pipe.feed(b"data: " + json.dumps(c).encode() + b"\n\n")[0] for c in chunks)
    out += pipe.feed(b"data: [DONE]\n\n")[0] + pipe.end(None, NO_WORDS)
    lines = [line[6:] for line in out.decode().split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line)["choices"][0] for line in lines[:-1]]


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def piece(**fields: Any) -> dict[str, Any]:
    return {"index": 0, "function": {"name": "look", "arguments": "{}"}, **fields}


@pytest.mark.parametrize("native", ["stop", "eos", "STOP"])
def test_a_stream_that_passes_ends_with_its_calls(native: str) -> None:
    told = passed(chunk(tool_calls=[piece(id="c1")]), chunk(native))
    assert told[-1]["finish_reason"] == "tool_calls"
    assert told[0]["delta"]["tool_calls"][0]["id"] == "c1"
    assert passed(chunk(content="hi"), chunk("stop"))[-1]["finish_reason"] == "stop"
    assert passed(chunk(tool_calls=[piece(id="c1")]), chunk("length"))[-1]["finish_reason"] == "length"


def test_a_call_that_passes_without_an_id_gets_one_of_its_own() -> None:
    more = {"index": 0, "function": {"arguments": "x"}}
    first, second = (
        passed(chunk(tool_calls=[piece(id=None)]), chunk(tool_calls=[more]), chunk("stop"), name=n)
        for n in "ab"
    )
    ids = [told[0]["delta"]["tool_calls"][0]["id"] for told in (first, second)]
    assert all(OURS.fullmatch(i) for i in ids)
    assert ids[0] != ids[1]
    assert "id" not in first[1]["delta"]["tool_calls"][0]


def test_an_id_that_comes_before_its_name_is_the_calls_only_one() -> None:
    early = {"index": 0, "id": "c1", "function": {"arguments": ""}}
    told = passed(
        chunk(tool_calls=[early]),
        chunk(tool_calls=[{"index": 0, "function": {"name": "look"}}]),
        chunk("stop"),
    )
    assert [call.get("id") for c in told for call in c["delta"].get("tool_calls", ())] == ["c1"]


BEGUN = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":'}}
ODD: dict[str, tuple[list[Any], int]] = {
    "id and name in every piece": ([BEGUN, {**BEGUN, "function": {"name": "look", "arguments": "1}"}}], 1),
    "an empty id and name": ([BEGUN, {"index": 0, "id": "", "function": {"name": "", "arguments": "1}"}}], 1),
    "null for both": ([BEGUN, {"index": 0, "id": None, "function": {"name": None, "arguments": "1}"}}], 1),
    "no index": ([{"id": "c1", "function": {"name": "look", "arguments": '{"a":1}'}}], 1),
    "no index, two": ([{"id": i, "function": {"name": "look", "arguments": '{"a":1}'}} for i in ("c1", "c2")], 2),
    "two at index 0": ([piece(id=i, function={"name": "look", "arguments": '{"a":1}'}) for i in ("c1", "c2")], 2),
    "an object": ([piece(id="c1", function={"name": "look", "arguments": {"a": 1}})], 1),
    "null and then text": (
        [piece(id="c1", function={"name": "look", "arguments": None}), piece(function={"arguments": '{"a":1}'})], 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_calls_that_pass_have_a_number_an_id_a_name_and_arguments_as_clients_put_them_together(
    odd: str,
) -> None:
    """As every SDK does it: by index, the name once, arguments joined (Gemini's OpenAI layer, SGLang, Kimi)."""
    pieces, count = ODD[odd]
    made: dict[int, dict[str, str]] = {}
    for told in passed(*[chunk(tool_calls=[p]) for p in pieces], chunk("stop")):
        for call in told["delta"].get("tool_calls", ()):
            whole = made.setdefault(call["index"], {"name": "", "arguments": "", "id": "", "type": ""})
            for field, value in (*call.items(), *call["function"].items()):
                if field in whole:
                    whole[field] += value
    assert [json.loads(c["arguments"]) for c in made.values()] == [{"a": 1}] * count
    assert {(c["name"], c["type"]) for c in made.values()} == {("look", "function")}
    assert [c["id"] for c in made.values()] == ["c1", "c2"][:count]


def test_content_in_parts_passes_as_text_and_thinking() -> None:
    """Mistral's answers where it thinks: clients of OpenAI expect text."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "hey"},
    ]
    told = passed(chunk(content=parts[:1]), chunk(content=parts[1:]), chunk("stop"))
    assert [c["delta"].get("content") for c in told] == ["", "hey", None]
    assert told[0]["delta"]["reasoning_content"] == told[0]["delta"]["reasoning"] == "hm"


def test_usage_that_passes_halfway_is_told_once_at_the_end() -> None:
    """SGLang's halves break strict clients, and who adds up Perplexity's would pay twice in their own books."""
    told = passed(chunk(content="a") | {"usage": {"prompt_tokens_details": {"cached_tokens": 0}}})
    assert told[0]["delta"] == {"content": "a"}
    pipe = Passthrough(shape("g"))
    out, events = pipe.feed(
        b"data: "
        + json.dumps(chunk("stop") | {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}).encode()
        + b"\n\n"
    )
    assert b"usage" not in out
    assert any(isinstance(e, UsageSeen) for e in events)


@pytest.mark.parametrize(
    ("given", "twin"), [("reasoning", "reasoning_content"), ("reasoning_content", "reasoning")]
)
def test_thinking_that_passes_stands_where_either_kind_of_client_looks(given: str, twin: str) -> None:
    assert passed(chunk(**{given: "hm"}), chunk("stop"))[0]["delta"][twin] == "hm"
    assert twin not in passed(chunk(**{given: None}), chunk("stop"))[0]["delta"]


def test_a_stream_without_a_finish_reason_is_given_one() -> None:
    assert [c["finish_reason"] for c in passed(chunk(content="hi"))] == [None, "stop"]
    assert passed(chunk(tool_calls=[piece(id="c")]))[-1]["finish_reason"] == "tool_calls"


def test_a_whole_answer_that_passes_is_told_truly() -> None:
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "look", "arguments": "{}"}}],
    }
    plain = {"role": "assistant", "content": "hi", "reasoning_content": "hm", "tool_calls": None}
    body = {
        "id": "x",
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop"},
            {"index": 1, "message": plain, "finish_reason": "stop"},
        ],
    }
    out = json.loads(OpenAIFast(Dialect()).reply(json.dumps(body).encode(), shape("g"), None, NO_WORDS))
    first, second = out["choices"]
    assert first["finish_reason"] == "tool_calls"
    assert OURS.fullmatch(first["message"]["tool_calls"][0]["id"])
    assert (second["finish_reason"], second["message"]["reasoning"]) == ("stop", "hm")

"""Completions for editors: every provider is told the same two texts in its own way, and what it answers is read whole."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.errors import BadRequest
from agent_marketplace.rules import bundled
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Done,
    Finish,
    Finished,
    Malformed,
    StreamError,
    TextDelta,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.fim.client_side import USUAL_TOKENS, parse_request
from agent_marketplace.wires.fim.provider_side import Kind, Reader, Way, build_request
from agent_marketplace.wires.fim.templates import TEMPLATES, unfilled
from tests.fakes import fill_shapes, shapes

KINDS: dict[Kind, str] = {
    "suffix": "completions", "mistral": "openai", "template": "completions", "infill": "infill", "ollama": "generate",
}  # fmt: skip
BEFORE, AFTER = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "prompt": BEFORE, "suffix": AFTER, **fields}).encode()


def sent(kind: Kind, template: str = "", **fields: Any) -> dict[str, Any]:
    call = parse_request(body(**fields), strict=False)
    found: dict[str, Any] = json.loads(
        build_request(call, "up", Way(kind=kind, template=template), max_tokens=None).body
    )
    return found


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": None}, "model: is missing"),
        ({"prompt": None, "suffix": None}, "prompt: is missing"),
        ({"prompt": ["a", "b"]}, "prompt: expected one text"),
        ({"prompt": [1, 2]}, "prompt: expected one text"),
        ({"logprobs": 0}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": True}, "echo"),
        ({"n": 2}, "n: one completion"),
        ({"best_of": 3}, "best_of: one completion"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"suffix": 7}, "suffix"),
    ],
)
def test_what_is_not_served_is_refused_by_the_name_of_its_field(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        parse_request(body(**fields), strict=False)


def test_a_completion_without_a_length_is_short_since_one_comes_with_every_pause_of_typing() -> None:
    assert parse_request(body(), strict=True).max_tokens == USUAL_TOKENS == 256
    assert parse_request(body(max_tokens=900), strict=True).max_tokens == 900


def test_both_texts_reach_every_kind_of_provider() -> None:
    assert sent("suffix") | {"prompt": BEFORE, "suffix": AFTER, "model": "up"} == sent("suffix")
    assert (sent("mistral", seed=3)["suffix"], sent("mistral", seed=3)["random_seed"]) == (AFTER, 3)
    asked = sent("infill")
    assert (asked["input_prefix"], asked["input_suffix"], asked["n_predict"]) == (BEFORE, AFTER, 256)
    assert "model" not in asked
    asked = sent("ollama", temperature=0.0)
    assert (asked["prompt"], asked["suffix"], asked["options"]) == (
        BEFORE,
        AFTER,
        {"num_predict": 256, "temperature": 0.0},
    )
    asked = sent("template", "qwen", stop="\n\n")
    assert asked["prompt"] == f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
    assert asked["stop"][0] == "\n\n"
    assert "suffix" not in asked


def test_a_prompt_alone_is_not_put_into_a_chat_template_or_a_hole() -> None:
    assert sent("ollama", suffix=None)["raw"] is True
    assert sent("template", "qwen", suffix=None)["prompt"] == BEFORE


def test_a_stream_asks_for_its_usage_where_that_can_be_asked_for() -> None:
    assert sent("suffix", stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent("mistral", stream=True)


@given(st.sampled_from(sorted(TEMPLATES)), st.text(), st.text())
def test_an_editors_own_template_is_read_back_as_the_two_texts(name: str, prefix: str, suffix: str) -> None:
    template = TEMPLATES[name]
    marks = (template.opens, template.between, template.closes)
    if any(mark.strip() in text for text in (prefix, suffix) for mark in marks if mark.strip()):
        return
    if template.suffix_first and "[" in prefix + suffix:
        return
    read = template.unfilled(template.filled(prefix, suffix))
    assert read == (prefix, suffix)
    call = parse_request(
        json.dumps({"model": "m", "prompt": template.filled("a", "b")}).encode(), strict=False
    )
    assert call.fill is not None
    assert (call.fill.prefix, call.fill.suffix) == ("a", "b")


@pytest.mark.parametrize(
    "prompt",
    ["def f():", "<fim_prefix>a<fim_middle>", "x <PRE> a <SUF>b <MID>", "<fim_prefix>a<fim_suffix>b"],
)
def test_half_a_template_is_the_callers_text(prompt: str) -> None:
    assert unfilled(prompt) is None


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_read_the_same_however_it_is_cut(kind: Kind, size: int) -> None:
    wire = KINDS[kind]
    usage = shapes.usage_of(wire, 11, 7)  # type: ignore[arg-type]
    data = b"".join(f.data for f in shapes.stream(wire, "up", ["a + ", "b"], usage))  # type: ignore[arg-type]
    decoder = Reader(kind).decoder()
    events = [
        e for i in range(0, len(data), size) for e in decoder.feed(data[i : i + size])
    ] + decoder.close()
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "a + b"
    assert [e.reason for e in events if isinstance(e, Finished)] == [Finish.STOP]
    assert [e.usage for e in events if isinstance(e, UsageSeen)] == [Usage(input=11, output=7)]
    assert sum(isinstance(e, Done) for e in events) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_answer_is_read_with_its_usage(kind: Kind) -> None:
    wire = KINDS[kind]
    reply = Reader(kind).parse_reply(shapes.plain(wire, "up", "a + b", shapes.usage_of(wire, 11, 7)))  # type: ignore[arg-type]
    assert (reply.text, reply.finish, reply.usage) == ("a + b", Finish.STOP, Usage(input=11, output=7))


def test_a_cut_completion_says_so() -> None:
    assert (
        Reader("infill").parse_reply(b'{"content":"x","stop":true,"stop_type":"limit"}').finish
        is Finish.LENGTH
    )
    assert (
        Reader("infill").parse_reply(b'{"content":"x","stop":true,"stopped_limit":true}').finish
        is Finish.LENGTH
    )
    assert (
        Reader("ollama").parse_reply(b'{"response":"x","done":true,"done_reason":"length"}').finish
        is Finish.LENGTH
    )
    assert Reader("suffix").parse_reply(b'{"choices":[{"text":"x"}]}').finish is None


@pytest.mark.parametrize("answer", [b"<html>", b'{"error":{"message":"no"}}', b"{}", b'{"choices":[]}'])
def test_what_is_no_completion_is_a_failure_and_not_an_empty_answer(answer: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        Reader("suffix").parse_reply(answer)


def test_errors_and_noise_inside_a_stream_are_told_apart() -> None:
    decoder = Reader("suffix").decoder()
    events = decoder.feed(b'data: nonsense\n\ndata: {"error":{"message":"overloaded"}}\n\n')
    assert [type(e) for e in events] == [Malformed, StreamError]
    usage = decoder.feed(b'data: {"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":2}}\n\n')
    assert [type(e) for e in usage] == [Malformed]
    assert Reader("ollama").decoder().feed(b"\n{}\n") == []


def test_every_way_in_the_rulebook_is_one_that_is_written_here() -> None:
    rows = [row for row in bundled().rows if "fim" in row.holds]
    assert {row.holds["fim"] for row in rows} == set(get_args(Kind)) - {""}
    for row in rows:
        assert row.source
        assert (row.holds["fim"] == "template") == ("fim_template" in row.holds)
    assert [end for end, _ in fill_shapes.ENDS]

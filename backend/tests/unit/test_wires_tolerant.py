"""Providers that bend their own wire: what they did say arrives, and is never taken for something else."""

import json
from typing import Any

import msgspec
import pytest

from agent_marketplace.wires import codecs
from agent_marketplace.wires.anthropic.fast_path import Passthrough
from agent_marketplace.wires.base import (
    Done,
    Finish,
    Finished,
    Malformed,
    Shape,
    TextDelta,
    ToolCallDelta,
    UsageSeen,
)
from agent_marketplace.wires.openai.chunk import Chunk
from agent_marketplace.wires.shared import fields

CODECS = codecs()
SHAPE = Shape(id="gen_1", model="house-model", created=1)


def sse(*bodies: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(b).encode() + b"\n\n" for b in bodies)


def delta(finish: Any = None, **said: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def call(arguments: Any = "", *, name: Any = None, **more: Any) -> dict[str, Any]:
    return {"function": {"arguments": arguments, **({"name": name} if name else {})}, **more}


def calls_of(wire: str, data: bytes) -> list[tuple[str, str, Any]]:
    """(id, name, arguments) of every tool call in a stream, as a client puts the pieces together."""
    decoder = CODECS[wire].decoder()
    made: dict[int, list[str]] = {}
    for event in [*decoder.feed(data), *decoder.close()]:
        assert not isinstance(event, Malformed)
        if isinstance(event, ToolCallDelta):
            entry = made.setdefault(event.index, ["", "", ""])
            for i, piece in enumerate((event.id, event.name, event.arguments)):
                entry[i] += piece
    return [(i, n, json.loads(a or "{}")) for i, n, a in (made[k] for k in sorted(made))]


PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
BOTH = [("a", "look", PARIS), ("b", "look", ROME)]
BENT: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, Any]]]] = {
    "as documented": (
        [delta(tool_calls=[call("", name="look", id="a", index=0)]), delta(tool_calls=[call('{"city":"Paris"}', index=0)])],
        BOTH[:1],
    ),
    "whole calls without an index, one chunk each": (
        [delta(tool_calls=[call(json.dumps(PARIS), name="look", id="a")]), delta(tool_calls=[call(json.dumps(ROME), name="look", id="b")])],
        BOTH,
    ),
    "every call at index 0": (
        [delta(tool_calls=[call(json.dumps(PARIS), name="look", id="a", index=0)]),
         delta(tool_calls=[call(json.dumps(ROME), name="look", id="b", index=0)])],
        BOTH,
    ),
    "no ids": (
        [delta(tool_calls=[call(json.dumps(PARIS), name="look"), call(json.dumps(ROME), name="look")])],
        [("call_1_look", "look", PARIS), ("call_2_look", "look", ROME)],
    ),
    "id and name in every piece": (
        [delta(tool_calls=[call('{"city":', name="look", id="a", index=0)]),
         delta(tool_calls=[call('"Paris"}', name="look", id="a", index=0)])],
        BOTH[:1],
    ),
    "id and name in every piece, no index": (
        [delta(tool_calls=[call('{"city":', name="look", id="a")]), delta(tool_calls=[call('"Paris"}', name="look", id="a")])],
        BOTH[:1],
    ),
    "the rest of a call without an index or id": (
        [delta(tool_calls=[call('{"city":', name="look", id="a")]), delta(tool_calls=[call('"Paris"}')])],
        BOTH[:1],
    ),
    "the name after the id": (
        [delta(tool_calls=[call('{"city":', id="a", index=0)]), delta(tool_calls=[call('"Paris"}', name="look", index=0)])],
        BOTH[:1],
    ),
    "arguments as an object": ([delta(tool_calls=[call(PARIS, name="look", id="a", index=0)])], BOTH[:1]),
    "an index in quotes": ([delta(tool_calls=[call(json.dumps(PARIS), name="look", id="a", index="0")])], BOTH[:1]),
    "the deprecated function_call": (
        [delta(function_call={"name": "look", "arguments": ""}), delta(function_call={"arguments": json.dumps(PARIS)})],
        [("call_1_look", "look", PARIS)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BENT)
def test_no_tool_call_is_lost_or_grown_into_another(case: str) -> None:
    chunks, expected = BENT[case]
    assert calls_of("openai", sse(*chunks)) == expected


def test_an_ollama_call_with_its_arguments_as_text_is_a_call() -> None:
    line = {
        "message": {
            "content": "",
            "tool_calls": [{"function": {"name": "look", "arguments": json.dumps(PARIS)}}],
        }
    }
    assert calls_of("ollama", json.dumps(line | {"done": True}).encode()) == [("call_1_look", "look", PARIS)]
    [made] = CODECS["ollama"].parse_reply(json.dumps(line | {"done": True}).encode()).parts
    assert json.loads(made.arguments) == PARIS  # type: ignore[union-attr]


def test_gemini_arguments_as_text_and_anthropic_pieces_as_objects_are_arguments() -> None:
    part = {"functionCall": {"name": "look", "args": json.dumps(PARIS)}}
    chunk = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
    assert calls_of("gemini", sse(chunk)) == [("call_1_look", "look", PARIS)]
    start = {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "name": "look", "input": {}},
    }
    piece = {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": PARIS},
    }
    assert calls_of("anthropic", sse(start, piece)) == [("call_1_look", "look", PARIS)]


@pytest.mark.parametrize(
    "chunk",
    [
        {"id": 7, "model": 1, "created": "now", **delta(content="hi")},
        delta(content="hi", reasoning={"effort": "none"}, refusal=[]),
        delta(content="hi", tool_calls="none"),
        delta(content=[{"type": "text", "text": "hi"}, 7]),
        {"choices": [{"index": "0", "delta": {"content": "hi"}, "finish_reason": 0}]},
    ],
)
def test_a_field_of_another_type_costs_that_field_and_not_the_words_beside_it(chunk: dict[str, Any]) -> None:
    events = CODECS["openai"].decoder().feed(sse(chunk))
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["hi"]
    whole = {**chunk, "choices": [{"message": c["delta"], "finish_reason": "stop"} for c in chunk["choices"]]}
    assert CODECS["openai"].parse_reply(json.dumps(whole).encode()).text == "hi"


def test_what_is_no_object_is_still_no_answer() -> None:
    for body in (b"[]", b"3", b"null", b'"x"', b"{"):
        with pytest.raises(msgspec.DecodeError):
            fields.tolerant(msgspec.json.Decoder(Chunk).decode, Chunk, body)


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("STOP", Finish.STOP), ("Length", Finish.LENGTH), ("MAX_TOKENS", Finish.LENGTH), ("ERROR", Finish.ERROR),
        ("abort", Finish.ERROR), ("sensitive", Finish.CONTENT_FILTER), ("Tool_Calls", Finish.TOOL_CALLS),
        ("something new", Finish.STOP),
    ],
)  # fmt: skip
def test_a_finish_reason_counts_however_it_is_written(native: str, finish: Finish) -> None:
    assert CODECS["openai"].decoder().feed(sse(delta(native))) == [Finished(finish, native)]
    whole = {"choices": [{"message": {"content": "x"}, "finish_reason": native}]}
    assert CODECS["openai"].parse_reply(json.dumps(whole).encode()).finish is finish


def test_usage_where_vendors_put_it_is_found() -> None:
    inside = {**delta("stop"), "x_groq": {"id": "req", "usage": {"prompt_tokens": 4, "completion_tokens": 2}}}
    [_, seen] = CODECS["openai"].decoder().feed(sse(inside))
    assert isinstance(seen, UsageSeen)
    assert (seen.usage.input, seen.usage.output) == (4, 2)
    silent = {**delta("stop"), "x_groq": {"id": "req"}}
    assert CODECS["openai"].decoder().feed(sse(silent)) == [Finished(Finish.STOP, "stop")]


def test_claudes_clients_get_their_events_from_a_server_that_does_not_name_them() -> None:
    bodies: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {"id": "m", "content": [], "usage": {"input_tokens": 4, "output_tokens": 1}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    passing = Passthrough(SHAPE)
    out, events = passing.feed(sse(*bodies))
    named = [line[7:] for line in out.decode().split("\n") if line.startswith("event: ")]
    assert named == ["message_start", "content_block_start", "content_block_delta", "message_delta"]
    assert isinstance(events[-1], Done)
    assert passing.end(None, {}).startswith(b"event: message_stop")

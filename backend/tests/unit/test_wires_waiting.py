"""A tool's result that reaches another call's place tells the model a lie; finding the place must not take the square of the calls."""

import json
import time
from typing import Any

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import Call, ImagePart, Message, ToolCallPart, ToolResultPart
from agent_marketplace.wires.gemini.codec import GeminiCodec
from agent_marketplace.wires.gemini.provider_side import build
from agent_marketplace.wires.ollama.codec import OllamaCodec
from agent_marketplace.wires.shared.waiting import Waiting
from tests.unit.test_wires_forms import PNG


def pairs(call: Call) -> dict[str, str]:
    """Each result's words by the arguments of the call that it answers."""
    parts = [p for m in call.messages for p in m.parts]
    asked = {p.id: json.loads(p.arguments)["n"] for p in parts if isinstance(p, ToolCallPart)}
    return {asked.get(p.call_id, "?"): p.content for p in parts if isinstance(p, ToolResultPart)}


def of_gemini(calls: list[tuple[str, str]], results: list[tuple[str, str]]) -> Call:
    asked = [{"functionCall": {"name": "f", "args": {"n": n}, **({"id": i} if i else {})}} for n, i in calls]
    told = [
        {"functionResponse": {"name": "f", "response": {"r": r}, **({"id": i} if i else {})}}
        for r, i in results
    ]
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": asked},
            {"parts": told},
        ]
    }
    return GeminiCodec().parse_request(json.dumps(body).encode(), model="m", stream=False)


def of_ollama(calls: list[tuple[str, str]], results: list[tuple[str, str]]) -> Call:
    asked = [{"id": i, "function": {"name": "f", "arguments": {"n": n}}} for n, i in calls]
    told = [{"role": "tool", "content": r, "tool_name": "f", "tool_call_id": i or None} for r, i in results]
    turns: list[Any] = [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": asked}, *told]
    return OllamaCodec().parse_request(json.dumps({"model": "m", "messages": turns}).encode())


@pytest.mark.parametrize("read", [of_gemini, of_ollama])
def test_a_result_with_an_id_leaves_the_others_to_their_order(read: Any) -> None:
    found = pairs(read([("1", "a"), ("2", "b"), ("3", "c")], [("two", "b"), ("one", ""), ("three", "")]))
    assert {n: words for n, r in found.items() for words in ("one", "two", "three") if words in r} == {
        "1": "one", "2": "two", "3": "three",
    }  # fmt: skip


@pytest.mark.parametrize("read", [of_gemini, of_ollama])
def test_ids_that_no_call_has_count_only_where_calls_have_some(read: Any) -> None:
    assert "one" in pairs(read([("1", "")], [("one", "z")]))["1"]
    assert "?" in pairs(read([("1", "a")], [("one", "z")]))


def test_many_open_calls_take_linear_time() -> None:
    waiting, begun = Waiting(), time.process_time()
    for n in range(60_000):
        waiting.made(f"f{n}", "")
    for n in reversed(range(60_000)):
        assert waiting.answered(f"f{n}", "") == (f"call_{n + 1}_f{n}", f"f{n}")
    assert time.process_time() - begun < 3


def test_a_sound_is_no_picture_because_it_begins_alike() -> None:
    for data, taken in ((PNG, True), ("UklGRiQAAABXQVZFZm10", False), ("UklGRiQAAABXRUJQVlA4", True)):
        body = {"model": "m", "messages": [{"role": "user", "content": "x", "images": [data]}]}
        try:
            call = OllamaCodec().parse_request(json.dumps(body).encode())
        except BadRequest:
            assert not taken
        else:
            assert taken is any(isinstance(p, ImagePart) for m in call.messages for p in m.parts)


def test_pictures_of_results_stand_inside_them_from_gemini_3_on() -> None:
    """google-gemini/gemini-cli#17068: beside them they are counted as results."""
    picture = ImagePart(media_type="image/png", data=PNG)
    history = (
        Message("assistant", (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "g", "{}"))),
        Message("tool", (ToolResultPart("a", "1"), picture, ToolResultPart("b", "2"))),
    )
    call = Call(model="m", messages=history)
    levels = Call(model="m", messages=history, manner=type(call.manner)(thinking="level"))
    newer = json.loads(build(levels, "gemini-3-pro", stream=False).body)["contents"][-1]["parts"]
    assert [list(p) for p in newer] == [["functionResponse"], ["functionResponse"]]
    assert newer[0]["functionResponse"]["parts"][0]["inlineData"]["data"] == PNG
    older = json.loads(build(call, "gemini-2.5-pro", stream=False).body)["contents"][-1]["parts"]
    assert [next(iter(p)) for p in older] == ["functionResponse", "inlineData", "functionResponse"]

"""Clients and frameworks write nearly what a wire wants; whoever refuses that over a number in quotes refuses the whole client."""

import json
from typing import Any

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import Call, ImagePart, TextPart, ToolCallPart, ToolResultPart
from agent_marketplace.wires.gemini.codec import GeminiCodec
from agent_marketplace.wires.ollama.codec import OllamaCodec
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.responses.codec import ResponsesCodec
from tests.unit.test_wires_forms import PNG

HI = {"role": "user", "content": "hi"}


def read(*messages: Any, **fields: Any) -> Call:
    body = {"model": "m", "messages": list(messages) or [HI], **fields}
    return OpenAICodec().parse_request(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"max_tokens": "100"}, "max_tokens", 100), ({"max_tokens": 100.0}, "max_tokens", 100),
        ({"seed": "9007199254740993"}, "seed", 2**53 + 1),
        ({"max_tokens": -1}, "max_tokens", None), ({"top_k": 40.0}, "top_k", 40), ({"temperature": "0.5"}, "temperature", 0.5),
        ({"stream": "true"}, "stream", True), ({"user": 5}, "user", "5"), ({"stop": [None, "x"]}, "stop", ("x",)),
        ({"reasoning": "high"}, "reasoning_effort", "high"), ({"reasoning": False}, "reasoning_effort", "none"),
    ],
)  # fmt: skip
def test_numbers_in_quotes_and_the_like_are_what_they_mean(
    given: dict[str, Any], name: str, value: object
) -> None:
    call = read(**given)
    assert getattr(call, name) == value
    assert call.respelled
    assert OpenAICodec().fast is not None
    assert not OpenAICodec().fast.takes(b"{}", call, max_tokens=None, moved=False)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "given",
    [
        {"max_tokens": 0}, {"max_tokens": "many"}, {"temperature": 2.5}, {"n": 0}, {"stop": [1]}, {"temperature": "nan"},
        {"frequency_penalty": "1e400"}, {"presence_penalty": "-inf"}, {"max_tokens": 1e30}, {"max_tokens": "1e30"}, {"seed": "inf"},
    ],
)  # fmt: skip
def test_what_means_nothing_is_still_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=next(iter(given))):
        read(**given)


def test_a_field_that_is_given_twice_is_still_refused() -> None:
    with pytest.raises(BadRequest, match="twice"):
        OpenAICodec().parse_request(
            b'{"model":"m","max_tokens":"1","max_tokens":"2","messages":[{"role":"user","content":"x"}]}'
        )


def test_turns_in_other_frameworks_words_are_read() -> None:
    made = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}, "id": None}
    call = read(
        {"role": "human", "content": ["a", {"text": "b"}, {"type": "text", "text": None}]},
        {"role": "model", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "c", "content": {"rain": True}},
        tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    )
    parts = [p for m in call.messages for p in m.parts]
    assert [p.text for p in parts if isinstance(p, TextPart)] == ["a", "b", ""]
    assert [p.arguments for p in parts if isinstance(p, ToolCallPart)] == ['{"a":1}']
    assert [p.content for p in parts if isinstance(p, ToolResultPart)] == ['{"rain":true}']
    assert [t.name for t in call.tools] == ["f"]


@pytest.mark.parametrize(
    "url", [PNG, f"DATA:image/png;base64,{PNG}", f"data:application/octet-stream;base64,{PNG}"]
)
def test_a_picture_is_known_by_its_bytes(url: str) -> None:
    call = read({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})
    assert call.messages[0].parts == (ImagePart(media_type="image/png", data=PNG),)


def test_parts_of_the_responses_wire_are_read_on_the_older_one() -> None:
    said = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
    ]
    call = read(
        {"role": "user", "content": said},
        {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
    )
    assert call.messages[0].parts == (TextPart("a"), ImagePart(url="https://x/y.png", detail="low"))
    assert call.messages[1].parts == (TextPart("b"),)
    assert not call.strange


def test_ollamas_and_googles_clients_write_loosely_too() -> None:
    turns: list[Any] = [
        {**HI, "images": [f"data:image/png;base64,{PNG}"]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "content": None},
    ]
    call = OllamaCodec().parse_request(json.dumps({"model": "m", "messages": turns}).encode())
    parts = [p for m in call.messages for p in m.parts]
    assert [p.arguments for p in parts if isinstance(p, ToolCallPart)] == ['{"a":1}']
    assert [p.data for p in parts if isinstance(p, ImagePart)] == [PNG]
    body = {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}, {"role": "tool", "parts": [{"text": "b"}]}],
            "generationConfig": {"maxOutputTokens": "100"}}  # fmt: skip
    read_by = GeminiCodec().parse_request(json.dumps(body).encode(), model="m", stream=False)
    assert ([m.role for m in read_by.messages], read_by.max_tokens) == (["assistant", "user"], 100)


def test_items_of_responses_in_nearly_its_words_are_read() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "input": [
            "hi", {"type": "message", "role": "assistant", "content": None},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a": 1}},
            {"type": "function_call_output", "call_id": "c", "output": {"rain": True}},
            {"type": "function_call", "call_id": "d", "name": "f", "arguments": None},
            {"type": "function_call_output", "call_id": "d", "output": None},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }  # fmt: skip
    call = ResponsesCodec().parse_request(json.dumps(body).encode())
    parts = [p for m in call.messages for p in m.parts]
    assert [p.arguments for p in parts if isinstance(p, ToolCallPart)] == ['{"a":1}', "{}"]
    assert [p.content for p in parts if isinstance(p, ToolResultPart)] == ['{"rain":true}', ""]
    assert [t.name for t in call.tools] == ["f"]
    with pytest.raises(BadRequest, match="name"):
        ResponsesCodec().parse_request(
            b'{"model":"m","input":[{"type":"function_call","call_id":"c","arguments":{}}]}'
        )

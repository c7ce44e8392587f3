"""A call that is read the short way must be the call that the long way reads, and no body may be two calls."""

import json
from typing import Any

import msgspec
import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires import codecs
from agent_marketplace.wires.openai import client_side
from agent_marketplace.wires.shared import forms
from agent_marketplace.wires.shared.fields import check_names

CODECS = codecs()
HI = [{"role": "user", "content": "hi"}]
BODIES: tuple[dict[str, Any], ...] = (
    {"messages": HI},
    {"messages": [{"role": r, "content": r} for r in ("system", "developer", "user", "assistant")]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "\n"}]}
        ]
    },
    {"messages": HI, "stream": True, "stream_options": {"include_usage": True}},
    {"messages": HI, "stream": False, "stream_options": {}, "max_tokens": 5, "max_completion_tokens": 6},
    {"messages": HI, "stop": "x", "n": 2, "seed": 1, "top_k": 3, "user": "u", "reasoning_effort": "low"},
    {
        "messages": HI,
        "stop": ["x", " "],
        "temperature": 1,
        "top_p": 0.5,
        "presence_penalty": 1.5,
        "reasoning_effort": "",
    },
    {"messages": HI, "model": None, "max_tokens": None, "stop": None, "stream": None},
)


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_plain_body_is_the_same_call_as_by_the_long_way(
    body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = json.dumps(body).encode()
    short = CODECS["openai"].parse_request(raw, model="m")
    monkeypatch.setattr(client_side.plain, "read", lambda _body: None)
    long = CODECS["openai"].parse_request(raw, model="m")
    assert short.plain
    assert not long.plain
    assert msgspec.structs.replace(short, plain=False) == long
    assert forms.of_call(short) == forms.of_body(raw) == forms.of_any_body(raw)


@pytest.mark.parametrize(
    "more",
    [
        {"tools": []}, {"max_cost": 1}, {"store": True}, {"reasoning": {"effort": "low"}}, {"audio": None}, {"odd": 1},
        {"messages": [{"role": "user", "content": "hi", "name": "Bob"}]}, {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/"}}]}]},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_else_stands_in_a_body_it_is_looked_at(more: dict[str, Any]) -> None:
    assert not CODECS["openai"].parse_request(json.dumps({"messages": HI, **more}).encode(), model="m").plain


@pytest.mark.parametrize("role", ["tool", "function"])
def test_a_tools_turn_without_its_calls_id_is_refused_as_ever(role: str) -> None:
    with pytest.raises(BadRequest, match="tool_call_id: is missing"):
        CODECS["openai"].parse_request(
            json.dumps({"messages": [{"role": role, "content": "x"}]}).encode(), model="m"
        )


TWICE: tuple[tuple[str, bytes], ...] = (
    ("openai", b'{"messages":[{"role":"user","content":"cheap","content":"dear"}]}'),
    ("openai", b'{"messages":[{"role":"user","content":"hi"}],"max_tokens":1,"max_tokens":9}'),
    ("openai", b'{"messages":[{"role":"user","con\\u0074ent":"cheap","content":"dear"}]}'),
    ("openai", b'{"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}'),
    ("openai", b'{"messages":[{"role":"user","content":"\\u005c"}],"n":1,"n":2,"n":3}'),
    ("openai", b'{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"x","parameters":{"a":1,"a":2}}]}'),
    ("anthropic", b'{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}'),
    ("gemini", b'{"contents":[{"role":"user","parts":[{"text":"a","text":"b"}]}]}'),
)  # fmt: skip


@pytest.mark.parametrize(("wire", "body"), TWICE, ids=lambda v: str(v)[:60])
def test_no_body_is_one_call_here_and_another_at_its_provider(wire: str, body: bytes) -> None:
    """Bodies pass as bytes, and decoders differ in which of two fields of one name they take."""
    with pytest.raises(BadRequest, match="is given twice"):
        CODECS[wire].parse_request(body, model="m")


@pytest.mark.parametrize(
    "text", ["\\", '"', '\\"', "a\\", "\\\\", '\\"\\', "", "\u00fc", '{"a":1,"a":2}', "\\u005c", "/"]
)
def test_no_text_is_taken_for_a_field_given_twice(text: str) -> None:
    for raw in (
        json.dumps({"a": text, text: "b"}),
        json.dumps({"a": text, text: "b"}, ensure_ascii=False, indent=1),
        '{{"a":"{}"}}'.format("".join(f"\\u{ord(character):04x}" for character in text)),
    ):
        check_names(raw.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":"\xff"}',
        b'{"a":"\\u005c","b":' + b'{"b":' * 990 + b"1" + b"}" * 991 + b"]",
    ],
    ids=["cut", "deep", "latin", "deep and cut"],
)
def test_what_is_no_json_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(BadRequest):
        check_names(body)

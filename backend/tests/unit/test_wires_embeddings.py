"""Embeddings: each vector belongs to the text it was made of, on every wire, and what can't be sent is refused in words."""

import json
from typing import Any, get_args

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.wires.base import UpstreamFailure, WireName
from agent_marketplace.wires.embeddings import build_request, parse_reply, parse_request

WIRES: dict[WireName, Any] = {
    "openai": {
        "data": [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}],
        "usage": {"prompt_tokens": 4},
    },
    "gemini": {"embeddings": [{"values": [1.0]}, {"values": [2.0]}]},
    "ollama": {"embeddings": [[1.0], [2.0]], "prompt_eval_count": 4},
}


def call(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": ["one", "two"], **fields}).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"model": "m"}', "input: is missing"),
        (b'{"input": "x"}', "model: is missing"),
        (call(model=7), "model"),
        (call(dimensions=0), "dimensions"),
        (call(encoding_format="hex"), "encoding_format"),
        (call(input=[]), "non-empty"),
        (call(input={"a": 1}), "non-empty"),
        (call(input=["a"] * 2049), "at most 2048"),
        (call(input=["a", ""]), r"input\[1\]"),
        (call(input=[[1], [-1]]), r"input\[1\]"),
        (call(input=[[1, True]]), r"input\[0\]"),
        (call(input=["a", None]), r"input\[1\]"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_by_the_name_of_its_field(body: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        parse_request(body)


@pytest.mark.parametrize("wire", WIRES)
def test_vectors_come_back_in_the_order_of_the_texts(wire: WireName) -> None:
    sent = build_request(parse_request(call(dimensions=8)), "up/stream", wire)
    body = json.loads(sent.body)
    if wire == "gemini":
        assert sent.path == "v1beta/models/up%2Fstream:batchEmbedContents"
        assert [r["content"]["parts"][0]["text"] for r in body["requests"]] == ["one", "two"]
        assert {r["outputDimensionality"] for r in body["requests"]} == {8}
    else:
        assert (body["input"], body["dimensions"], body["model"]) == (["one", "two"], 8, "up/stream")
    reply = parse_reply(json.dumps(WIRES[wire]).encode(), wire, 2)
    assert reply.vectors == ([1.0], [2.0])
    assert (reply.usage is None) == (wire == "gemini")


@pytest.mark.parametrize("wire", WIRES)
def test_an_answer_with_too_few_vectors_or_of_another_shape_is_the_providers_failure(wire: WireName) -> None:
    for body, count in (
        (json.dumps(WIRES[wire]).encode(), 3),
        (b"{}", 2),
        (b"<html>", 2),
        (b"[" * 100_000, 2),
    ):
        with pytest.raises(UpstreamFailure):
            parse_reply(body, wire, count)


def test_an_impossible_count_of_tokens_is_not_believed() -> None:
    answer = WIRES["openai"] | {"usage": {"prompt_tokens": -5}}
    assert parse_reply(json.dumps(answer).encode(), "openai", 2).usage is None


def test_token_lists_go_only_where_they_are_understood() -> None:
    tokens = parse_request(call(input=[[1, 2], [3]]))
    assert json.loads(build_request(tokens, "m", "openai").body)["input"] == [[1, 2], [3]]
    assert parse_request(call(input=[1, 2, 3])).inputs == ((1, 2, 3),)
    for wire in get_args(WireName):
        if wire != "openai":
            with pytest.raises(UpstreamFailure):
                build_request(tokens, "m", wire)


def test_a_wire_without_embeddings_says_so() -> None:
    for wire in set(get_args(WireName)) - set(WIRES):
        with pytest.raises(UpstreamFailure, match="embeddings"):
            build_request(parse_request(call()), "m", wire)

"""Bytes and JSON that no provider or client should send: a codec answers with its own errors, never with another."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_marketplace.errors import BadRequest, ProviderFailure
from agent_marketplace.rules import bundled, fit
from agent_marketplace.wires.base import (
    Call,
    FailureClass,
    Finish,
    Reply,
    TextPart,
    UpstreamFailure,
)
from agent_marketplace.wires.ollama.codec import OllamaCodec
from tests.fakes.examples import examples
from tests.fakes.wired import (
    ALL,
    CALL,
    CODECS,
    SHAPE,
    USAGE,
    comparable,
    decode,
    texts,
)


@example("openai", b"event:error\ndata", False)
@given(st.sampled_from(ALL), st.binary(max_size=200), st.booleans())
@settings(max_examples=examples(1500))
def test_no_bytes_make_a_decoder_or_a_reader_of_answers_raise(wire: str, data: bytes, framed: bool) -> None:
    data = b"data: " + data + b"\n\n" if framed else data
    assert comparable(decode(wire, data, 3)) == comparable(decode(wire, data, 1 << 20))
    with suppress(UpstreamFailure):
        CODECS[wire].parse_reply(data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "role",
                    "content",
                    "text",
                    "parts",
                    "messages",
                    "contents",
                    "input",
                    "model",
                    "usage",
                    "choices",
                    "delta",
                    "message",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "error",
                    "candidates",
                    "index",
                    "item",
                    "output",
                    "tools",
                    "usageMetadata",
                    "promptTokenCount",
                    "usage",
                    "generationConfig",
                    "prompt",
                    "images",
                    "source",
                    "response",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(ALL),
    st.dictionaries(
        st.sampled_from(
            [
                "messages",
                "contents",
                "input",
                "inputs",
                "model",
                "system",
                "tools",
                "max_tokens",
                "options",
                "format",
                "generationConfig",
                "type",
                "choices",
                "candidates",
                "message",
                "delta",
                "content",
                "usage",
                "error",
                "output",
                "status",
                "item",
                "response",
                "done",
            ]
        ),
        JSON,
        max_size=6,
    ),
)
@settings(max_examples=examples(600))
def test_no_json_makes_a_codec_raise_anything_but_its_own_errors(wire: str, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    codec = CODECS[wire]
    with suppress(BadRequest):
        call = codec.parse_request(data, model="m", stream=False)
        for other in ALL:
            with suppress(UpstreamFailure):
                CODECS[other].build_request(call, "m", stream=True)
    with suppress(UpstreamFailure):
        codec.parse_reply(data)
    codec.classify_error(400, {}, data)
    codec.decoder().feed(b"data: " + data + b"\n\n" if wire != "ollama" else data + b"\n")


def test_ollamas_generate_speaks_of_a_response_not_a_message() -> None:
    codec = OllamaCodec(generate=True)
    call = codec.parse_request(
        b'{"model":"m","prompt":"Hi","system":"Be brief.","options":{"num_predict":5}}'
    )
    assert (texts(call), call.stream, call.max_tokens) == (["Be brief.", "Hi"], True, 5)
    body = json.loads(
        codec.render_reply(
            Reply(parts=(TextPart("Yo"),), finish=Finish.STOP, usage=USAGE), SHAPE, {"cost": 1}
        )
    )
    assert (body["response"], body["done"], body["eval_count"], body["cost"]) == ("Yo", True, 5, 1)
    with pytest.raises(BadRequest):
        codec.parse_request(b'{"model":"m"}')


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-opus-4-5-20251101", {"type": "enabled", "budget_tokens": 10_000}),
        ("claude-3-7-sonnet-20250219", {"type": "enabled", "budget_tokens": 10_000}),
        ("claude-sonnet-4-20250514", {"type": "enabled", "budget_tokens": 10_000}),
        ("claude-opus-4-6", {"type": "adaptive"}),
        ("claude-sonnet-5-5", {"type": "adaptive", "display": "summarized"}),
        ("claude-fable-5-2", {"type": "adaptive", "display": "summarized"}),
    ],
)
def test_claude_is_asked_to_think_as_its_generation_understands(model: str, thinking: dict[str, Any]) -> None:
    call = Call(
        model="m", messages=CALL.messages[4:], reasoning_effort="medium", max_tokens=20_000, temperature=0.3
    )
    fitted = fit(call, bundled().rules("anthropic", "anthropic", model))
    out = CODECS["anthropic"].build_request(fitted.call, model, stream=False)
    assert json.loads(out.body)["thinking"] == thinking
    assert [n.field for n in fitted.notes] == ["temperature"]


def test_counting_needs_no_max_tokens() -> None:
    from agent_marketplace.wires.anthropic.codec import AnthropicCodec

    codec = AnthropicCodec()
    assert codec.parse_count_request(b'{"model":"m","messages":[{"role":"user","content":"x"}]}').model == "m"
    assert codec.render_count(7) == b'{"input_tokens":7}'
    with pytest.raises(BadRequest, match="max_tokens"):
        codec.parse_request(b'{"model":"m","messages":[{"role":"user","content":"x"}]}')


@pytest.mark.parametrize("code", ["server_error", "api_error"])
def test_an_overloaded_provider_is_known_by_its_status_where_its_code_says_nothing(code: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": code, "message": "Busy"}}).encode()
    for wire in ("openai", "anthropic"):
        assert CODECS[wire].classify_error(529, {}, body).kind is FailureClass.OVERLOADED
        assert CODECS[wire].classify_error(500, {}, body).kind is FailureClass.SERVER


def test_an_anthropic_client_learns_of_overload_in_mid_stream_by_its_own_name() -> None:
    error = ProviderFailure("Busy", status=502, code="provider_overloaded")
    assert b'"type":"overloaded_error"' in CODECS["anthropic"].encoder(SHAPE).error(error, "r")

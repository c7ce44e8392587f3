"""OpenAI's custom tools on chat completions: their calls must not be lost, refused or turned into something else, whether the
provider knows such tools or takes functions only."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from agent_marketplace.rules import bundled, fit
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import (
    Call,
    Finish,
    Reply,
    Shape,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.shared import freeform

CODEC = OpenAICodec()
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/s"}}
TOOL = {"type": "custom", "custom": {"name": "apply_patch", "description": "Edits", "format": GRAMMAR}}
CALLED = {"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin\n"}}
BODY: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "edit"}, {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ],
    "tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "apply_patch"}},
}  # fmt: skip
RAW = json.dumps(BODY).encode()
SHAPE = Shape(id="g", model="m", created=1, tools=CODEC.parse_request(RAW).tools)


@pytest.fixture
def call() -> Call:
    return CODEC.parse_request(RAW)


def test_a_call_in_the_history_is_read(call: Call) -> None:
    asked, answered = call.messages[1].parts[0], call.messages[2].parts[0]
    assert asked == ToolCallPart("c1", "apply_patch", freeform.wrapped("*** Begin\n"), custom=True)
    assert answered == ToolResultPart("c1", "done")
    assert call.tool_choice == "apply_patch"
    assert not call.extra


@pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini", "ollama", "responses"])
def test_every_provider_is_told_a_tool_that_it_takes(call: Call, wire: str) -> None:
    plain = Call(**{**{f: getattr(call, f) for f in call.__struct_fields__}, "tool_choice": None})
    sent = codecs()[wire].build_request(plain, "older-model", stream=False).body.decode()
    for word in ("apply_patch", "Edits", "lark", "*** Begin", "done"):
        assert word in sent, word
    assert '"custom"' not in sent
    assert "custom_tool_call" not in sent


def test_openais_newer_models_are_told_the_tool_itself(call: Call) -> None:
    call = fit(call, bundled().rules("responses", "openai", "gpt-5.6-sol")).call
    sent = json.loads(codecs()["responses"].build_request(call, "gpt-5.6-sol", stream=False).body)
    form = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/s"}
    assert sent["tools"] == [
        {"type": "custom", "name": "apply_patch", "description": "Edits", "format": form}
    ]
    assert sent["tool_choice"] == {"type": "custom", "name": "apply_patch"}
    assert [i.get("type") for i in sent["input"][1:]] == ["custom_tool_call", "custom_tool_call_output"]


def test_bytes_pass_only_where_the_answer_is_of_the_same_kind(call: Call) -> None:
    native, foreign = OpenAICodec(Dialect(freeform=True)), OpenAICodec()
    assert native.fast is not None
    assert foreign.fast is not None
    assert native.fast.passes(call)
    assert not foreign.fast.passes(call)
    assert foreign.fast.passes(Call(model="m", messages=call.messages))


def test_a_functions_call_is_a_custom_one_towards_the_client() -> None:
    arguments = freeform.wrapped("*** Begin\n")
    reply = Reply(parts=(ToolCallPart("c1", "apply_patch", arguments),), finish=Finish.TOOL_CALLS)
    sent = json.loads(CODEC.render_reply(reply, SHAPE, {}))
    ChatCompletion.model_validate(sent)
    assert sent["choices"][0]["message"]["tool_calls"] == [CALLED]

    encoder = CODEC.encoder(SHAPE)
    pieces = [ToolCallDelta(0, "c1", "apply_patch", arguments[:7]), ToolCallDelta(0, arguments=arguments[7:])]
    stream = encoder.start() + encoder.feed(pieces) + encoder.end(Finish.TOOL_CALLS, None, {})
    chunks = [json.loads(line[6:]) for line in stream.decode().split("\n\n") if line.startswith("data: {")]
    calls = [c for chunk in chunks for c in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert (calls[0]["id"], calls[0]["type"], calls[0]["custom"]["name"]) == ("c1", "custom", "apply_patch")
    assert "".join(c["custom"]["input"] for c in calls) == "*** Begin\n"


def test_a_providers_own_custom_call_is_read_plain_and_streamed() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [CALLED]}
    whole = CODEC.parse_reply(
        json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    )
    assert whole.parts == (ToolCallPart("c1", "apply_patch", freeform.wrapped("*** Begin\n"), custom=True),)

    def chunk(call: dict[str, Any] | None, finish: str | None = None) -> bytes:
        delta = {"tool_calls": [{"index": 0, **call}]} if call else {}
        return (
            b"data: "
            + json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}).encode()
            + b"\n\n"
        )

    begun = {"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": ""}}
    decoder = CODEC.decoder()
    events = [
        *decoder.feed(chunk(begun)), *decoder.feed(chunk({"custom": {"input": '*** "Be'}})),
        *decoder.feed(chunk({"custom": {"input": "gin\n"}})), *decoder.feed(chunk(None, "tool_calls")),
    ]  # fmt: skip
    pieces = [e for e in events if isinstance(e, ToolCallDelta)]
    assert freeform.unwrapped("".join(p.arguments for p in pieces)) == '*** "Begin\n'


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{"input":"a"}', "a"),
        ('"a"', "a"),
        ("*** Begin", "*** Begin"),
        ('{"patch":"a"}', '{"patch":"a"}'),
        ("", ""),
    ],
)
def test_what_a_model_wrote_instead_is_not_lost(written: str, text: str) -> None:
    assert freeform.unwrapped(written) == text

"""What /v1/responses answers, held against the official SDK's own types: a client that validates must not choke on a reply.

Oracle: openai's `Response` and `ResponseStreamEvent`; and the fields that Open Responses' `ResponseResource` requires.
"""

import json
from typing import Any

import pytest
from openai.types.responses import Response
from pydantic import ValidationError

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.rules import bundled, fit
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Event,
    Finish,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from agent_marketplace.wires.responses.codec import ResponsesCodec
from tests.fakes import compliance

CODEC = ResponsesCodec()
FUNCTION = {
    "type": "function",
    "name": "read",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
PATCH = {
    "type": "custom", "name": "apply_patch", "description": "Edits files",
    "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "*** Begin" /.+/s'},
}  # fmt: skip
SPACE = {
    "type": "namespace",
    "name": "agents",
    "description": "Others",
    "tools": [{**FUNCTION, "name": "spawn"}, PATCH],
}
ASKED: dict[str, Any] = {
    "model": "m", "input": "Hi", "instructions": "Be brief", "temperature": 0.25, "top_p": 0.5, "max_output_tokens": 99,
    "metadata": {"a": "b"}, "tools": [FUNCTION, PATCH, SPACE], "tool_choice": "required", "parallel_tool_calls": False,
    "text": {"format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}}, "verbosity": "low"},
    "reasoning": {"effort": "high", "summary": "auto"}, "truncation": "auto", "prompt_cache_key": "k", "store": True,
    "service_tier": "auto", "safety_identifier": "s", "user": "u", "include": ["reasoning.encrypted_content"],
}  # fmt: skip


def shaped(body: dict[str, Any]) -> tuple[Call, Shape]:
    call = CODEC.parse_request(json.dumps(body).encode())
    return call, Shape(id="gen_1", model="m", created=1_700_000_000, echo=call.echo, tools=call.tools)


def streamed(shape: Shape, *events: Event, finish: Finish = Finish.TOOL_CALLS) -> list[dict[str, Any]]:
    encoder = CODEC.encoder(shape)
    sent = encoder.start() + encoder.feed(events) + encoder.end(finish, Usage(input=3, output=2), {"cost": 1})
    return compliance.events_of(sent)


@pytest.mark.parametrize("body", [{"model": "m", "input": "Hi"}, ASKED], ids=["bare", "everything"])
def test_a_client_that_validates_takes_every_reply(body: dict[str, Any]) -> None:
    _, shape = shaped(body)
    parts = (
        ReasoningPart("Hm", "responses#sealed"), TextPart("Soon", "commentary"), ToolCallPart("c1", "read", "{}"),
        ToolCallPart("c2", "apply_patch", '{"input":"*** Begin"}'), TextPart("Done", "final_answer"),
    )  # fmt: skip
    for finish in (Finish.STOP, Finish.LENGTH, Finish.CONTENT_FILTER, Finish.TOOL_CALLS):
        reply = Reply(parts=parts, finish=finish, usage=Usage(input=3, output=2))
        sent = json.loads(CODEC.render_reply(reply, shape, {"cost": 2}))
        compliance.checked(sent)
        assert (sent["completed_at"] is not None) == (sent["status"] == "completed")


def test_the_oracle_is_not_empty() -> None:
    _, shape = shaped(ASKED)
    sent = json.loads(CODEC.render_reply(Reply(parts=(TextPart("Hi"),), finish=Finish.STOP), shape, {}))
    sent["output"][0]["content"][0]["text"] = 7
    with pytest.raises(ValidationError):
        Response.model_validate(sent)


def test_a_reply_repeats_what_was_asked() -> None:
    _, shape = shaped(ASKED)
    for sent in (
        json.loads(CODEC.render_reply(Reply(parts=(), finish=Finish.STOP), shape, {})),
        *(e["response"] for e in streamed(shape) if "response" in e),
    ):
        for name in ASKED.keys() - {"model", "input", "store", "include", "text", "tools"}:
            assert sent[name] == ASKED[name], name
        assert sent["tools"] == [{"description": None, **FUNCTION}, PATCH, SPACE]
        assert sent["text"]["format"] == {**ASKED["text"]["format"], "description": None, "strict": False}
        assert sent["text"]["verbosity"] == "low"
        assert (sent["store"], sent["previous_response_id"]) == (
            False,
            None,
        )  # nothing is kept, whatever was asked for


def test_streams_are_what_the_sdk_expects() -> None:
    _, shape = shaped(ASKED)
    events = streamed(
        shape,
        ReasoningDelta("Let me "), ReasoningDelta("see"), ReasoningDelta(signature="responses#sealed"),
        TextDelta("First ", "commentary"), TextDelta("this", "commentary"), TextDelta("that", "final_answer"),
        ToolCallDelta(0, "c1", "read", '{"path":'), ToolCallDelta(1, "c2", "apply_patch", '{"input":"*** '),
        ToolCallDelta(0, arguments="1}"), ToolCallDelta(1, arguments='Begin\\n"}'),
        ToolCallDelta(2, "c3", "agents__spawn", "{}"), ToolCallDelta(3, "c4", "agents__apply_patch", '{"input":"x"}'),
    )  # fmt: skip
    output = events[-1]["response"]["output"]
    assert [(o["type"], o.get("namespace"), o.get("name")) for o in output[3:]] == [
        ("function_call", None, "read"), ("custom_tool_call", None, "apply_patch"),
        ("function_call", "agents", "spawn"), ("custom_tool_call", "agents", "apply_patch"),
    ]  # fmt: skip
    assert output[0]["encrypted_content"] == "responses#sealed"
    assert [o["phase"] for o in output[1:3]] == ["commentary", "final_answer"]
    assert output[3]["arguments"] == '{"path":1}'
    assert output[4]["input"] == "*** Begin\n"
    assert "arguments" not in output[4]
    done = {e["item_id"]: e["input"] for e in events if e["type"] == "response.custom_tool_call_input.done"}
    assert list(done.values()) == ["*** Begin\n", "x"]
    assert {e["output_index"] for e in events if e["type"] == "response.output_item.done"} == set(range(7))


def test_an_error_in_a_stream_ends_it_as_failed() -> None:
    _, shape = shaped(ASKED)
    encoder = CODEC.encoder(shape)
    error = MarketplaceError("Slow down", code="rate_limit_exceeded")
    sent = compliance.events_of(encoder.start() + encoder.error(error, "r"))
    assert [e["type"] for e in sent[-2:]] == ["error", "response.failed"]
    assert sent[-1]["response"]["error"]["code"] == "rate_limit_exceeded"


def test_calls_come_back_in_the_history_as_they_went_out() -> None:
    _, shape = shaped(ASKED)
    output = streamed(
        shape, ToolCallDelta(0, "c2", "apply_patch", '{"input":"*** Begin"}'), ToolCallDelta(1, "c3", "agents__spawn", "{}")
    )[-1]["response"]["output"]  # fmt: skip
    results = [
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        {"type": "function_call_output", "call_id": "c3", "output": [{"type": "input_text", "text": "fine"}]},
    ]
    call, _ = shaped({**ASKED, "input": [{"role": "user", "content": "go"}, *output, *results]})
    calls = [p for m in call.messages for p in m.parts if isinstance(p, ToolCallPart)]
    assert [(c.id, c.name, c.arguments, c.custom) for c in calls] == [
        ("c2", "apply_patch", '{"input":"*** Begin"}', True), ("c3", "agents__spawn", "{}", False),
    ]  # fmt: skip
    newer = fit(call, bundled().rules("responses", "openai", "gpt-5.4")).call
    sent = json.loads(CODEC.build_request(newer, "gpt-5.4", stream=False).body)
    kinds = [i.get("type") for i in sent["input"]]
    assert kinds[-4:] == [
        "custom_tool_call",
        "function_call",
        "custom_tool_call_output",
        "function_call_output",
    ]
    assert sent["tools"][1] == PATCH
    older = json.loads(CODEC.build_request(call, "gpt-4o", stream=False).body)  # takes functions only
    assert [i.get("type") for i in older["input"]][-4::2] == ["function_call", "function_call_output"]
    assert older["tools"][1]["type"] == "function"
    assert "lark" in older["tools"][1]["description"]


def test_a_tool_that_is_offered_in_the_history_too_is_sent_once_or_the_provider_refuses_it() -> None:
    newer = {**FUNCTION, "description": "newer"}
    body = {
        "model": "m", "tools": [FUNCTION, {"type": "web_search"}, PATCH, {"type": "web_search"}],
        "input": [{"type": "additional_tools", "tools": [newer, SPACE, SPACE]}, {"role": "user", "content": "Hi"}],
    }  # fmt: skip
    tools = shaped(body)[0].tools
    functions = [t.name for t in tools if t.native is None]
    assert functions[:2] == ["read", "apply_patch"]
    assert len(functions) == len(set(functions)) == 4
    assert len(tools) == 6
    assert tools[0].description == "newer"

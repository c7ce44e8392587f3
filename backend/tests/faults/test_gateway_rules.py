"""Through the whole gateway: a call that its provider would refuse as it stands is answered, or refused by name for nothing."""

import json
from typing import Any

import pytest

from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
LONG = "mcp__weather.server__" + "look_up_" * 8
TOOLS = [{"type": "function", "function": {"name": LONG, "parameters": SCHEMA}}]


def streamed_call(name: str) -> tuple[bytes, ...]:
    """A provider that names a tool and ends with `stop`."""
    function = {"name": name, "arguments": "{}"}
    delta = {
        "role": "assistant",
        "tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}],
    }
    chunks = [
        {"choices": [{"index": 0, "delta": delta}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    return (*(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks), b"data: [DONE]\n\n")


@on_rig()
async def test_a_call_that_its_model_refuses_costs_nothing_and_says_why(rig: Rig) -> None:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}], "stop": ["END"]}
    answer = await rig.call("/v1/chat/completions", body)
    assert answer.status == 400
    assert "stop: this model can't be told that" in answer.error["message"]
    assert rig.up.requests == []
    assert await rig.rows() == []


@on_rig()
async def test_what_was_fitted_is_on_the_receipt(rig: Rig) -> None:
    body = {
        "model": "gpt-5",
        "messages": [{"role": "developer", "content": "brief"}, {"role": "user", "content": "hi"}],
        "temperature": 0.2,
        "reasoning_effort": "xhigh",
    }
    answer = await rig.call("/v1/chat/completions", body)
    assert answer.status == 200
    sent = rig.up.requests[0].json
    assert "temperature" not in sent
    assert sent["reasoning_effort"] == "high"
    assert sent["messages"][0]["role"] == "developer"
    notes = {(n["field"], n["act"]) for n in (await rig.row()).detail["notes"]}
    assert {("temperature", "left_out"), ("reasoning_effort", "reencoded")} <= notes


@on_rig()
async def test_a_tool_without_arguments_does_not_turn_a_call_for_two_answers_away(rig: Rig) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    turns = [{"role": "user", "content": "hi", "name": "ada"}]
    body = {"model": "gpt-4o", "n": 2, "tools": tools, "messages": turns, "user": "u" * 65}
    answer = await rig.call("/v1/chat/completions", body)
    assert answer.status == 200
    sent = rig.up.requests[0].json
    assert (sent["n"], sent["messages"]) == (2, turns)
    assert sent["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}
    notes = [(n["field"], n["act"]) for n in (await rig.row()).detail["notes"]]
    assert sorted(notes) == [("tools.parameters", "reencoded"), ("user", "reencoded")]


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_with_a_name_that_is_too_long_is_called_by_it(tmp_path: Any, stream: bool) -> None:
    sent: dict[str, str] = {}

    @on_rig(Behaviour())
    async def first(rig: Rig) -> None:
        await rig.call(
            "/v1/chat/completions",
            {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}], "tools": TOOLS},
        )
        sent["name"] = rig.up.requests[0].json["tools"][0]["function"]["name"]

    first(tmp_path / "first")
    assert len(sent["name"]) <= 64
    call = {"id": "c1", "type": "function", "function": {"name": sent["name"], "arguments": "{}"}}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        "finish_reason": "stop",
    }
    plain = json.dumps({"id": "x", "choices": [choice]}).encode()
    script = Behaviour(frames=streamed_call(sent["name"])) if stream else Behaviour(raw=plain)

    @on_rig(script)
    async def run(rig: Rig) -> None:
        body = {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "x"}],
            "tools": TOOLS,
            "stream": stream,
        }
        answer = await rig.call("/v1/chat/completions", body)
        assert answer.status == 200
        assert json.dumps(LONG).encode() in answer.body
        assert sent["name"].encode() not in answer.body
        assert b'"finish_reason":"tool_calls"' in answer.body

    run(tmp_path / "run")

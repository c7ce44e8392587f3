"""Thinking that a router of models sealed must come back to it in a tool loop, through clients of every wire
(musistudio/claude-code-router#1057, LibreChat-AI/agents#37, OpenRouterTeam/openrouter-examples#67: 400 without it)."""

import json
from typing import Any

import pytest

from agent_marketplace.wires.base import Call, Message, TextPart, ToolCallPart
from agent_marketplace.wires.openai.codec import OpenAICodec
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

SEALED = {
    "type": "reasoning.encrypted",
    "data": "c2VhbA==",
    "format": "google-gemini-v1",
    "id": "c1",
    "index": 0,
}
SAID = {"type": "reasoning.text", "text": "hm", "index": 0}
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
OPENAI = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}


def streamed(*deltas: dict[str, Any]) -> Behaviour:
    def chunk(delta: dict[str, Any], end: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        return b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"

    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n\n'
    body = b"".join(chunk(d) for d in deltas) + chunk({}, "tool_calls") + usage + b"data: [DONE]\n\n"
    return Behaviour(raw=body, content_type="text/event-stream")


ANSWER = streamed(
    {"reasoning": "hm", "reasoning_details": [SAID]}, {"reasoning_details": [SEALED]}, {"tool_calls": [CALL]}
)


@on_rig(Behaviour(), balance=10**12, others={"openrouter": (Behaviour(),)})
async def test_sealed_thinking_comes_back_through_claudes_clients_also_where_they_drop_it(rig: Rig) -> None:
    name = next(m.id for m in rig.market.registry.get_all_models() if "openrouter" in m.providers and "gemini-3" in m.id
                and "tools" in m.supported_parameters)  # fmt: skip
    ask: dict[str, Any] = {
        "model": name, "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}], "provider": {"only": ["openrouter"]},
    }  # fmt: skip
    rig.at["openrouter"].script[:] = [ANSWER]
    told = await rig.call("/v1/messages", ask)
    blocks: dict[int, dict[str, Any]] = {}
    for event in told.data:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = event["content_block"]
        elif event["type"] == "content_block_delta":
            for field in ("thinking", "signature"):
                blocks[event["index"]][field] = blocks[event["index"]].get(field, "") + event["delta"].get(
                    field, ""
                )
    thinking = [{"type": "thinking", "thinking": b["thinking"], "signature": b["signature"]}
                for b in blocks.values() if b["type"] == "thinking"]  # fmt: skip
    use = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "rain"}
    for said in ([*thinking, use], [use]):
        turns = [
            *ask["messages"],
            {"role": "assistant", "content": said},
            {"role": "user", "content": [result]},
        ]
        rig.at["openrouter"].script[:] = [Behaviour()]
        again = await rig.call("/v1/messages", {**ask, "messages": turns})
        assert again.status == 200, again.body
        turn = next(m for m in rig.at["openrouter"].requests[-1].json["messages"] if m["role"] == "assistant")
        sealed = next(d for d in turn["reasoning_details"] if d["type"] == "reasoning.encrypted")
        assert sealed.items() >= SEALED.items()
        assert turn["reasoning"] == "hm"


@pytest.mark.parametrize("late", [False, True])
def test_geminis_signature_comes_back_over_its_openai_layer(late: bool) -> None:
    """8monkey-ai/hebo-gateway#226."""
    codec, extra = OpenAICodec(), {"extra_content": {"google": {"thought_signature": "U0lH"}}}
    first = CALL if late else {**CALL, **extra}
    rest = {"index": 0, "function": {"arguments": ""}, **extra}
    raw = streamed({"tool_calls": [first]}, *([{"tool_calls": [rest]}] if late else [])).raw
    assert isinstance(raw, bytes)
    (call,) = (p for p in codec.parse_reply(raw).parts if isinstance(p, ToolCallPart))
    assert call.signature == "gemini#U0lH"
    history = (Message("user", (TextPart("hi"),)), Message("assistant", (call,)))
    for model, signed in (("gemini-3-pro-preview", True), ("gpt-4o", False)):
        sent = json.loads(codec.build_request(Call(model="m", messages=history), model, stream=False).body)
        assert (sent["messages"][1]["tool_calls"][0].get("extra_content") == extra["extra_content"]) is signed

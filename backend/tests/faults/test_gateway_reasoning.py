"""Thinking between the steps of a tool loop: clients drop it, models refuse the next step or do worse without it. It comes back
whatever wire the client speaks, and only to the family that minted it."""

import json
from typing import Any

import pytest

from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

FUNCTION = {"type": "object", "properties": {"path": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "read", "parameters": FUNCTION}}
ARGUMENTS = {"path": "a"}
USER = {"role": "user", "content": "Read a"}


def sse(*events: dict[str, Any]) -> Behaviour:
    return Behaviour(frames=tuple(f"data: {json.dumps(e)}\n\n".encode() for e in events))


def raw(body: dict[str, Any]) -> Behaviour:
    return Behaviour(raw=json.dumps(body).encode(), content_type="application/json")


CALL_ITEM = {
    "type": "function_call",
    "call_id": "call_r1",
    "name": "read",
    "arguments": json.dumps(ARGUMENTS),
}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA-encrypted"}
RESPONSE = {
    "id": "r",
    "status": "completed",
    "output": [REASONING, CALL_ITEM],
    "usage": {"input_tokens": 5, "output_tokens": 5},
}
CLAUDE = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "I must read", "signature": "sig-claude"}, {"type": "text", "text": "Reading."},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": ARGUMENTS},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 5},
}  # fmt: skip
GEMINI = {
    "candidates": [{
        "content": {"role": "model", "parts": [
            {"functionCall": {"id": "fc_1", "name": "read", "args": ARGUMENTS}, "thoughtSignature": "c2lnLWdlbWluaQ=="},
        ]},
        "finishReason": "STOP", "index": 0,
    }],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 10},
}  # fmt: skip
DEEPSEEK = {
    "id": "d", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": "", "reasoning_content": "I must read it",
        "tool_calls": [{"id": "call_d1", "type": "function", "function": {"name": "read", "arguments": json.dumps(ARGUMENTS)}}],
    }}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10},
}  # fmt: skip
CASES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "responses": ("openai", "gpt-5.6-sol", RESPONSE, "gAAA-encrypted"),
    "anthropic": ("anthropic", "claude-sonnet-4-5", CLAUDE, "sig-claude"),
    "gemini": ("google", "gemini-3.5-flash", GEMINI, "c2lnLWdlbWluaQ=="),
    "deepseek": ("deepseek", "deepseek-v3.2", DEEPSEEK, "I must read it"),
}  # fmt: skip


async def chat_turn(rig: Rig, model: str) -> list[dict[str, Any]]:
    """A chat client's first step; its history keeps what a plain chat client keeps: text and calls."""
    asked = {
        "model": model,
        "messages": [USER],
        "tools": [CHAT_TOOL],
        "reasoning_effort": "low",
        "max_tokens": 4000,
    }
    answer = await rig.call("/v1/chat/completions", asked)
    assert answer.status == 200, answer.body
    message = answer.json["choices"][0]["message"]
    calls = [{k: c[k] for k in ("id", "type", "function")} for c in message["tool_calls"]]
    kept = {"role": "assistant", "content": message["content"], "tool_calls": calls}
    return [USER, kept, {"role": "tool", "tool_call_id": calls[0]["id"], "content": "text"}]


async def messages_turn(rig: Rig, model: str) -> list[dict[str, Any]]:
    """A step of an agent on Anthropic's wire; it keeps no thinking that is not signed for its own wire."""
    tool = {"name": "read", "input_schema": FUNCTION}
    asked = {
        "model": model,
        "messages": [USER],
        "tools": [tool],
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    answer = await rig.call("/v1/messages", asked)
    assert answer.status == 200, answer.body
    blocks = [
        {k: v for k, v in b.items() if k != "signature"}
        for b in answer.json["content"]
        if b["type"] == "tool_use"
    ]
    return [USER, {"role": "assistant", "content": blocks},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": blocks[0]["id"], "content": "text"}]}]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("client", ["chat", "messages"])
def test_what_a_client_drops_comes_back_with_the_calls_result(tmp_path: Any, case: str, client: str) -> None:
    provider, model, first, mark = CASES[case]
    script = [raw(first), raw(first)]
    others = {} if provider == "openai" else {provider: script}

    @on_rig(*(script if provider == "openai" else ()), others=others)
    async def run(rig: Rig) -> None:
        if client == "chat":
            history = await chat_turn(rig, model)
            body = {
                "model": model,
                "messages": history,
                "tools": [CHAT_TOOL],
                "reasoning_effort": "low",
                "max_tokens": 4000,
            }
            answer = await rig.call("/v1/chat/completions", body)
        else:
            history = await messages_turn(rig, model)
            tool = {"name": "read", "input_schema": FUNCTION}
            body = {
                "model": model,
                "messages": history,
                "tools": [tool],
                "max_tokens": 4000,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
            }
            answer = await rig.call("/v1/messages", body)
        assert answer.status == 200, answer.body
        assert mark not in json.dumps(history)  # the client really lost it
        sent = rig.at[provider].requests[-1].body.decode()
        assert mark in sent
        if case == "responses":
            kinds = [i.get("type") for i in json.loads(sent)["input"]]
            assert kinds[-3:] == ["reasoning", "function_call", "function_call_output"]
        if case == "anthropic":
            turn = json.loads(sent)["messages"][1]["content"]
            assert turn[0] == {"type": "thinking", "thinking": "I must read", "signature": "sig-claude"}

    run(tmp_path)


@on_rig(others={"anthropic": [raw(CLAUDE)], "google": [raw(GEMINI)]})
async def test_another_family_never_sees_it(rig: Rig) -> None:
    history = await chat_turn(rig, "claude-sonnet-4-5")
    for model, provider in (("gemini-3.5-flash", "google"), ("gpt-4o-mini", "openai")):
        asked = {"model": model, "messages": history, "tools": [CHAT_TOOL], "max_tokens": 4000}
        assert (await rig.call("/v1/chat/completions", asked)).status == 200
        sent = rig.at[provider].requests[-1].body
        assert b"sig-claude" not in sent
        assert b"I must read" not in sent


STREAM = sse(
    {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL_ITEM, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"pa'},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": 'th":"a"}'},
    {"type": "response.completed", "response": RESPONSE},
)


@on_rig(STREAM, raw(RESPONSE))
async def test_streams_are_kept_too_before_their_end_is_told(rig: Rig) -> None:
    asked = {
        "model": "gpt-5.6-sol",
        "messages": [USER],
        "tools": [CHAT_TOOL],
        "stream": True,
        "max_tokens": 4000,
    }
    answer = await rig.call("/v1/chat/completions", asked)
    assert answer.ending == "done"
    call = {"id": "call_r1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a"}'}}
    history = [
        USER,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_r1", "content": "t"},
    ]
    assert (
        await rig.call("/v1/chat/completions", {**asked, "stream": False, "messages": history})
    ).status == 200
    assert b"gAAA-encrypted" in rig.up.requests[-1].body


@on_rig(raw(RESPONSE), raw(RESPONSE))
async def test_a_store_that_fails_takes_no_answer_away(rig: Rig) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("no store")

    rig.market.reasoning.keep = broken  # type: ignore[method-assign, assignment]
    assert len(await chat_turn(rig, "gpt-5.6-sol")) == 3

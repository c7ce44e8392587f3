"""OpenAI's two wires: calls and models that its chat completions refuse are told over Responses, whatever wire the client
speaks; every other call stays where it was. And tools that agents offer with every call must not cost them the answer."""

import json
from typing import Any

import pytest

from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import Behaviour

FUNCTION = {"type": "object", "properties": {"path": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "read", "parameters": FUNCTION}}
TOOL = {"type": "function", "name": "read", "parameters": FUNCTION}
CLIENTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "openai": (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50},
        {"tools": [CHAT_TOOL], "reasoning_effort": "low"},
    ),
    "responses": ("/v1/responses", {"input": "Hi", "max_output_tokens": 50}, {"tools": [TOOL], "reasoning": {"effort": "low"}}),
    "anthropic": (
        "/v1/messages",
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50},
        {"tools": [{"name": "read", "input_schema": FUNCTION}], "thinking": {"type": "adaptive"}},
    ),
    "gemini": (
        "/v1beta/models/{model}:generateContent",
        {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 50}},
        {
            "tools": [{"functionDeclarations": [{"name": "read", "parameters": FUNCTION}]}],
            "generationConfig": {"maxOutputTokens": 50, "thinkingConfig": {"thinkingBudget": 4096}},
        },
    ),
    "ollama": (
        "/api/chat",
        {"messages": [{"role": "user", "content": "Hi"}], "stream": False, "options": {"num_predict": 50}},
        {"tools": [CHAT_TOOL], "think": True},
    ),
}  # fmt: skip


async def asked(rig: Rig, client: str, model: str, *, tools: bool) -> tuple[str, dict[str, Any]]:
    """The path and body that the provider got."""
    path, body, with_tools = CLIENTS[client]
    answer = await rig.call(
        path.format(model=model), {"model": model, **body, **(with_tools if tools else {})}
    )
    assert answer.status == 200, answer.body
    assert b"Hello from" in answer.body
    seen = rig.up.requests[-1]
    return seen.path, seen.json


@pytest.mark.parametrize("client", CLIENTS)
def test_tools_with_thinking_go_where_openai_takes_them(tmp_path: Any, client: str) -> None:
    @on_rig()
    async def run(rig: Rig) -> None:
        for model in ("gpt-5.4", "gpt-5.6-sol"):
            path, body = await asked(rig, client, model, tools=True)
            assert path.endswith("/responses"), model
            assert body["tools"][0]["name"] == "read"
            assert body["store"] is False
            assert "reasoning.encrypted_content" in body["include"]
        path, _ = await asked(rig, client, "gpt-5.4", tools=False)
        assert path.endswith("/chat/completions")
        path, _ = await asked(rig, client, "gpt-5-pro", tools=False)
        assert path.endswith("/responses")

    run(tmp_path)


@on_rig()
async def test_models_that_need_nothing_stay_on_chat_completions(rig: Rig) -> None:
    for client in ("openai", "responses"):
        path, _ = await asked(rig, client, MODEL, tools=False)
        assert path.endswith("/chat/completions")


def streamed(*items: dict[str, Any]) -> Behaviour:
    events = [
        {"type": "response.output_item.done", "output_index": i, "item": item} for i, item in enumerate(items)
    ]
    whole = {
        "id": "r",
        "status": "completed",
        "output": list(items),
        "usage": {"input_tokens": 9, "output_tokens": 5},
    }
    events.append({"type": "response.completed", "response": whole})
    return Behaviour(frames=tuple(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events))


@on_rig(streamed({"type": "function_call", "call_id": "c1", "name": "read", "arguments": '{"path":"a"}'}))
async def test_a_chat_client_gets_its_call_from_the_other_wire(rig: Rig) -> None:
    answer = await rig.chat(stream=True, model="gpt-5.6-sol", tools=[CHAT_TOOL])
    calls = [
        c for e in answer.data if isinstance(e, dict) for c in e["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert "".join(c["function"].get("arguments", "") for c in calls) == '{"path":"a"}'
    assert [c["function"]["name"] for c in calls if c["function"].get("name")] == ["read"]
    assert answer.ending == "done"
    row = await rig.row()
    assert (row.usage.prompt_tokens, row.usage.completion_tokens) == (9, 5)


HOSTED = [{"type": "web_search"}, {"type": "local_shell"}, {"type": "image_generation"}]


@on_rig()
async def test_tools_that_cannot_be_run_are_left_out_and_told(rig: Rig) -> None:
    answer = await rig.call(
        "/v1/responses", {"model": MODEL, "input": "Hi", "tools": [TOOL, *HOSTED], "max_output_tokens": 9}
    )
    assert answer.status == 200
    assert [t["function"]["name"] for t in rig.up.requests[-1].json["tools"]] == ["read"]
    noted = {n["field"] for n in (await rig.row()).detail["notes"]}
    assert noted >= {"tools.web_search", "tools.local_shell", "tools.image_generation"}
    alone = await rig.call(
        "/v1/responses", {"model": MODEL, "input": "Hi", "tools": HOSTED, "max_output_tokens": 9}
    )
    assert alone.status == 200
    assert "tools" not in rig.up.requests[-1].json
    search = [
        {"type": "web_search_call", "id": "ws", "status": "completed"},
        {"role": "user", "content": "and?"},
    ]
    later = await rig.call("/v1/responses", {"model": MODEL, "input": search, "max_output_tokens": 9})
    assert later.status == 200


@pytest.mark.parametrize("choice", [{"type": "web_search"}, "required"])
def test_who_demands_such_a_tool_gets_no_answer_without_it(tmp_path: Any, choice: Any) -> None:
    @on_rig()
    async def run(rig: Rig) -> None:
        asked = {
            "model": MODEL,
            "input": "Hi",
            "tools": HOSTED[:1],
            "tool_choice": choice,
            "max_output_tokens": 9,
        }
        answer = await rig.call("/v1/responses", asked)
        assert (answer.status, answer.code) == (400, "unpriced_option")
        assert not rig.up.requests

    run(tmp_path)


@on_rig(balance=10**12)  # a hold covers the dearest tokenizer of a dear model
async def test_on_openais_key_what_is_billed_apart_is_left_out_on_its_own_wire_too(rig: Rig) -> None:
    body = {"model": "gpt-5-pro", "input": "Hi", "tools": [TOOL, *HOSTED], "max_output_tokens": 9}
    answer = await rig.call("/v1/responses", body)
    assert answer.status == 200, answer.body
    sent = rig.up.requests[-1]
    assert sent.path.endswith("/responses")
    assert [t["type"] for t in sent.json["tools"]] == [
        "function",
        "local_shell",
    ]  # a shell costs nothing there

"""A choice among some of the tools: the model may call no other, whichever wire it is reached on."""

import json
from typing import Any

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.rules import bundled, fit
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call
from tests.fakes import official

CODECS = codecs()
NAMES = ("look", "book", "pay")
SCHEMA = {"type": "object", "properties": {}}


def chat(mode: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": n, "parameters": SCHEMA}} for n in NAMES]
    among = [{"type": "function", "function": {"name": n}} for n in NAMES[:2]]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": among}}
    return {"messages": [{"role": "user", "content": "x"}], "tools": tools, "tool_choice": choice}


def items(mode: str) -> dict[str, Any]:
    tools = [{"type": "function", "name": n, "parameters": SCHEMA} for n in NAMES]
    among = [{"type": "function", "name": n} for n in NAMES[:2]]
    return {
        "input": "x",
        "tools": tools,
        "tool_choice": {"type": "allowed_tools", "mode": mode, "tools": among},
    }


def contents(mode: str) -> dict[str, Any]:
    how = {"mode": {"auto": "VALIDATED", "required": "ANY"}[mode], "allowedFunctionNames": list(NAMES[:2])}
    return {
        "contents": [{"parts": [{"text": "x"}]}],
        "tools": [{"functionDeclarations": [{"name": n} for n in NAMES]}],
        "toolConfig": {"functionCallingConfig": how},
    }


CLIENTS = {"openai": chat, "responses": items, "gemini": contents}
KNOWING = [
    ("openai", "openai", "gpt-5.2"),
    ("responses", "openai", "gpt-5.6"),
    ("gemini", "google", "gemini-3-pro"),
]
OTHERS = [
    ("openai", "mistral", "mistral-large-4"), ("openai", "deepseek", "deepseek-chat"), ("openai", "vllm", "qwen3"),
    ("anthropic", "anthropic", "claude-opus-4-8"), ("ollama", "ollama", "qwen3:8b"),
]  # fmt: skip


def asked(client: str, mode: str) -> Call:
    return CODECS[client].parse_request(json.dumps(CLIENTS[client](mode)).encode(), model="m", stream=False)


@pytest.mark.parametrize("client", sorted(CLIENTS))
@pytest.mark.parametrize("mode", ["auto", "required"])
@pytest.mark.parametrize(("wire", "provider", "model"), KNOWING)
def test_a_provider_that_knows_such_a_list_gets_it_with_all_tools(
    client, mode, wire, provider, model
) -> None:
    fitted = fit(asked(client, mode), bundled().rules(wire, provider, model))
    out = CODECS[wire].build_request(fitted.call, model, stream=False)
    assert official.complaints(wire, out.body, provider) == []
    body = json.loads(out.body)
    assert all(name in json.dumps(body["tools"]) for name in NAMES)
    choice = json.dumps(body.get("tool_choice") or body["toolConfig"])
    assert [name in choice for name in NAMES] == [True, True, False]
    assert any(word in choice for word in ((mode,) if wire != "gemini" else ("VALIDATED", "ANY")))
    assert fitted.same


@pytest.mark.parametrize("client", sorted(CLIENTS))
@pytest.mark.parametrize(("wire", "provider", "model"), OTHERS)
def test_elsewhere_no_other_tool_is_offered_and_the_receipt_says_so(client, wire, provider, model) -> None:
    fitted = fit(asked(client, "auto"), bundled().rules(wire, provider, model, own=provider == "vllm"))
    out = CODECS[wire].build_request(fitted.call, model, stream=False)
    body = json.loads(out.body)
    assert [name in json.dumps(body["tools"]) for name in NAMES] == [True, True, False]
    assert "allowed" not in out.body.decode()
    assert any(n.field == "tool_choice" for n in fitted.notes)
    assert not fitted.same


def test_a_list_without_any_tool_of_the_call_is_refused_by_name() -> None:
    for client, place in (("openai", "allowed_tools"), ("responses", "tool_choice.tools")):
        body = json.dumps(CLIENTS[client]("auto")).replace('"tool_choice"', '"TOOL_CHOICE"')
        head, _, choice = body.partition('"TOOL_CHOICE"')
        wrong = head + '"tool_choice"' + choice.replace("look", "gone").replace("book", "gone")
        with pytest.raises(BadRequest, match=place):
            CODECS[client].parse_request(wrong.encode(), model="m", stream=False)


@pytest.mark.parametrize("choice", [{"mode": "maybe", "tools": []}, {"mode": "auto", "tools": 5}])
def test_an_odd_list_is_a_400_in_words(choice: dict[str, Any]) -> None:
    body = chat("auto") | {"tool_choice": {"type": "allowed_tools", "allowed_tools": choice}}
    with pytest.raises(BadRequest, match="tool_choice"):
        CODECS["openai"].parse_request(json.dumps(body).encode(), model="m", stream=False)

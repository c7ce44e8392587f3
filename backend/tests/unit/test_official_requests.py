"""What we send is what the provider's own SDK could have sent: a field that it does not know is a 400 for our user."""

import json
from typing import Any

import pytest

from agent_marketplace.providers.table import ROWS
from agent_marketplace.rules import bundled, fit, refusal
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, Codec, UpstreamFailure
from agent_marketplace.wires.openai.codec import OpenAICodec
from tests.fakes import official
from tests.fakes.refusals import refused

CODECS = codecs()
DIALECTS = {row.name: row.dialect for row in ROWS}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
URL = f"data:image/png;base64,{PNG}"
MARK = {"cache_control": {"type": "ephemeral"}}

TARGETS = [
    ("openai", "openai", "gpt-4o"), ("openai", "openai", "gpt-5"), ("openai", "openai", "gpt-5.2"), ("openai", "openai", "o3"),
    ("openai", "mistral", "mistral-large-4"), ("openai", "deepseek", "deepseek-v4-flash"), ("openai", "moonshotai", "kimi-k2.6"),
    ("openai", "zai", "glm-5"), ("openai", "groq", "openai/gpt-oss-120b"), ("openai", "perplexity", "sonar"),
    ("openai", "vllm", "qwen3.6-27b"), ("openai", "vllm", "gemma-3-27b-it"), ("responses", "openai", "gpt-5.6-sol"),
    ("anthropic", "anthropic", "claude-haiku-4-5"), ("anthropic", "anthropic", "claude-opus-4-5"),
    ("anthropic", "anthropic", "claude-opus-4-6"),
    ("anthropic", "anthropic", "claude-opus-4-8"), ("anthropic", "anthropic", "claude-fable-5-1"),
    ("gemini", "google", "gemini-2.5-pro"), ("gemini", "google", "gemini-3-pro-preview"),
    ("gemini", "google", "gemini-3.8-flash"), ("ollama", "ollama", "gemma3:12b"), ("huggingface", "mytgi", "plain-7b"),
]  # fmt: skip


def chat(**more: Any) -> dict[str, Any]:
    call = {
        "id": "functions.look:0",
        "type": "function",
        "function": {"name": "look.up", "arguments": '{"city":"Oslo"}'},
    }
    picture = {"type": "image_url", "image_url": {"url": URL, "detail": "low"}, **MARK}
    return {
        "model": "m",
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "brief", **MARK}]},
            {"role": "user", "content": [{"type": "text", "text": "weather?", **MARK}, picture]},
            {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [call]},
            {
                "role": "tool",
                "tool_call_id": "functions.look:0",
                "content": [{"type": "text", "text": "see"}, picture],
            },
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": " "},
            {"role": "user", "content": "and?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "look.up", "description": "w", "parameters": SCHEMA},
                **MARK,
            }
        ],
        "temperature": 0.3,
        "top_p": 0.9,
        "seed": 7,
        **more,
    }


def messages(**more: Any) -> dict[str, Any]:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": "see"}, picture],
    }
    return {
        "model": "m",
        "max_tokens": 9000,
        "system": [{"type": "text", "text": "brief", **MARK}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "weather?", **MARK}, picture]},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Oslo"}}],
            },
            {"role": "user", "content": [result, {"type": "text", "text": "and?"}]},
        ],
        "tools": [{"name": "look", "description": "w", "input_schema": SCHEMA, **MARK}],
        "temperature": 0.3,
        **more,
    }


def inputs(**more: Any) -> dict[str, Any]:
    output = [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": URL}]
    return {
        "model": "m",
        "instructions": "brief",
        "input": [
            {"role": "developer", "content": "kind"},
            {"role": "user", "content": [{"type": "input_text", "text": "weather?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": output},
        ],
        "tools": [
            {"type": "function", "name": "look", "description": "w", "parameters": SCHEMA, "strict": False}
        ],
        **more,
    }


def contents(**more: Any) -> dict[str, Any]:
    data = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    answer = {"name": "look", "response": {"r": "see"}, "parts": [data]}
    return {
        "systemInstruction": {"parts": [{"text": "brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "weather?"}, data]},
            {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"city": "Oslo"}}}]},
            {"role": "user", "parts": [{"functionResponse": answer}]},
        ],
        "tools": [
            {"functionDeclarations": [{"name": "look", "description": "w", "parametersJsonSchema": SCHEMA}]}
        ],
        "generationConfig": {"temperature": 0.3, "topK": 40, **more},
    }


def turns(**more: Any) -> dict[str, Any]:
    return {
        "model": "m",
        "messages": [
            {"role": "system", "content": "brief"},
            {"role": "user", "content": "weather?", "images": [PNG]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "hm",
                "tool_calls": [{"function": {"name": "look", "arguments": {}}}],
            },
            {"role": "tool", "tool_name": "look", "content": "rain"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "w", "parameters": SCHEMA}}
        ],
        "options": {"temperature": 0.2, "num_predict": 500},
        **more,
    }


FORM = {"type": "json_schema", "json_schema": {"name": "p", "strict": True, "schema": SCHEMA}}
CLIENTS: list[tuple[str, dict[str, Any]]] = [
    ("openai", chat()), ("openai", chat(reasoning_effort="high")), ("openai", chat(tool_choice="required")),
    ("openai", chat(response_format=FORM, tools=[])), ("openai", chat(max_tokens=50, tool_choice="none")),
    ("openai", {"model": "m", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}),
    ("anthropic", messages()), ("anthropic", messages(thinking={"type": "adaptive"}, output_config={"effort": "xhigh"})),
    ("anthropic", messages(thinking={"type": "enabled", "budget_tokens": 2000})), ("anthropic", messages(thinking={"type": "disabled"})),
    ("anthropic", messages(tool_choice={"type": "any", "disable_parallel_tool_use": True})), ("responses", inputs()),
    ("responses", inputs(reasoning={"effort": "minimal", "summary": "auto"}, tool_choice={"type": "function", "name": "look"})),
    ("gemini", contents()), ("gemini", contents(thinkingConfig={"thinkingBudget": 0})),
    ("gemini", contents(thinkingConfig={"thinkingLevel": "MEDIUM"})),
    ("ollama", turns()), ("ollama", turns(think=True)), ("ollama", turns(format=SCHEMA, tools=None)),
]  # fmt: skip


def asked(wire: str, body: dict[str, Any]) -> Call:
    return CODECS[wire].parse_request(json.dumps(body).encode(), model="m", stream=False)


def towards(wire: str, provider: str) -> Codec:
    """The codec in the provider's own dialect."""
    return OpenAICodec(DIALECTS.get(provider)) if wire == "openai" else CODECS[wire]


@pytest.mark.parametrize(("wire", "provider", "model"), TARGETS)
@pytest.mark.parametrize("number", range(len(CLIENTS)))
@pytest.mark.parametrize("stream", [False, True])
def test_what_any_client_asks_goes_out_as_the_official_sdk_could_say_it(
    wire: str, provider: str, model: str, number: int, stream: bool
) -> None:
    client, body = CLIENTS[number]
    call, rules = asked(client, body), bundled().rules(wire, provider, model, own=provider == "vllm")
    if refusal(call, rules) is not None:
        return
    try:
        out = towards(wire, provider).build_request(fit(call, rules).call, model, stream=stream)
    except UpstreamFailure:
        return  # refused by name: nothing is sent
    found = official.complaints(wire, out.body, provider)  # type: ignore[arg-type]
    assert found == [], (client, json.loads(out.body))
    assert refused(f"/{out.path}", out.body) is None, (client, json.loads(out.body))


WRONG: dict[official.Wire, dict[str, Any]] = {
    "openai": {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "odd": 1}]}],
    },
    "responses": {
        "model": "m",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "x", "odd": 1}]}],
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 1,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "odd": 1}]}],
    },
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "x", "odd": 1}]}]},
    "ollama": {"model": "m", "messages": [{"role": "user", "content": "x", "odd": 1}]},
    "embeddings": {"model": "m", "input": ["x"], "odd": 1},
    "huggingface": {"inputs": "x", "parameters": {"temperature": 0.5, "odd": 1}},
}


@pytest.mark.parametrize("wire", sorted(WRONG))
def test_the_judge_sees_one_wrong_field_however_deep_it_stands(wire: official.Wire) -> None:
    body = json.dumps(WRONG[wire])
    assert official.complaints(wire, body.encode())
    assert official.complaints(wire, body.replace(', "odd": 1', "").encode()) == []


def test_mistral_is_judged_by_its_own_sdk_however_deep() -> None:
    """Its API is like OpenAI's and refuses what is not its own, so that OpenAI's types alone are no judge of it."""
    said: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": "x"}]}
    body: dict[str, Any] = {"model": "m", "messages": [said], "random_seed": 7}
    assert official.complaints("openai", json.dumps(body).encode(), "mistral") == []
    odd = {**said, "content": [{"type": "text", "text": "x", "odd": 1}]}
    for wrong in (
        {**body, "seed": 7},
        {**body, "messages": [odd]},
        {**body, "stream_options": {"include_usage": True}},
    ):
        assert official.complaints("openai", json.dumps(wrong).encode(), "mistral"), wrong


def test_a_field_that_one_provider_adds_is_wrong_at_another() -> None:
    said = {"role": "assistant", "content": "x", "reasoning_content": "hm"}
    body = json.dumps({"model": "m", "messages": [said]}).encode()
    assert official.complaints("openai", body, "deepseek") == []
    assert official.complaints("openai", body, "groq")


def test_every_extension_and_omission_says_where_it_comes_from() -> None:
    assert all(row["source"] and row["date"] for row in (*official.extensions(), *official.omissions()))


@pytest.mark.parametrize(("wire", "provider", "model"), TARGETS)
def test_what_is_not_fitted_would_be_refused(wire: str, provider: str, model: str) -> None:
    """The scripted refusals bite: of all that is asked above, something would fail at every provider that is strict."""
    words = set()
    for client, body in CLIENTS:
        try:
            out = CODECS[wire].build_request(asked(client, body), model, stream=False)
        except UpstreamFailure:
            continue
        words.add(refused(f"/{out.path}", out.body))
    assert (words != {None}) is (wire in ("openai", "anthropic")), (provider, words)

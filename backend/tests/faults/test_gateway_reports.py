"""What users of gateways reported, asked of ours: what a client sends, and what has to reach the provider or come back. One server
with strict providers; a row a report, the wires and models tried with it beside it."""

import json
from typing import Any

from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour
from tests.unit.test_wires_forms import PNG

HI = {"role": "user", "content": "hi"}
BEGUN = [HI, {"role": "assistant", "content": "Once upon"}]
OTHERS = {name: (Behaviour(),) for name in ("anthropic", "google", "mistral", "vllm")}
NULLS = dict.fromkeys(
    ("tools", "tool_choice", "temperature", "stop", "functions", "response_format", "seed", "logit_bias", "user")
)  # fmt: skip
INSIDE = {
    "type": "function",
    "name": "ask",
    "description": "d",
    "parameters": {"type": "object", "properties": {}},
}
LATER = {
    "type": "additional_tools", "role": "developer", "id": "at_1",
    "tools": [{"type": "namespace", "name": "team", "description": "d", "tools": [INSIDE]}],
}  # fmt: skip


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = [HI, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
LOST = [HI, {"role": "tool", "tool_call_id": "call_0", "content": "rain"}]
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
TOOL = {"type": "function", "function": {"name": "f"}}


CURSOR = {
    "messages": [
        HI,
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, USE]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "rain"}]},
    ],
    "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
    "tool_choice": {"type": "auto"},
}  # fmt: skip


ROOTLESS = {
    "name": "f", "description": "d",
    "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}]},
}  # fmt: skip
LISTS = {
    "name": "f",
    "description": "d",
    "input_schema": {"type": "object", "properties": {"a": {"type": "array"}}},
}
CARDS = {
    "type": "object",
    "properties": {"cards": {"type": "array", "minItems": 8, "items": {"type": "string"}}},
}


def as_function(tool: dict[str, Any]) -> dict[str, Any]:
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    return {"type": "function", "function": function}


def picture(kind: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": PNG}}


def shown(url: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]}


CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
CASES: tuple[tuple[str, str, str, dict[str, Any], str, str], ...] = (
    # (the report, path, model, body, provider, what its request must hold; "!" before it: must not)
    ("clients that write null for what they do not say", CHAT, "gpt-4o-mini", NULLS, "openai", "!null"),
    ("the same", MESSAGES, "claude-sonnet-4-5", {"metadata": None, "stop_sequences": None}, "anthropic", "!null"),
    ("NEKOparapa/AiNiee#641: Mistral continues marked turns only", CHAT, "mistral-large", {"messages": BEGUN},
     "mistral", '"prefix":true'),
    ("OPENAI_BASE_URL before GPT-5: its word for the length", CHAT, "gpt-5", {"reasoning_effort": "low"}, "openai",
     '"max_completion_tokens"'),
    ("Claude Code asks every model to think as it likes", MESSAGES, "gpt-4o-mini",
     {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "openai", "!effort"),
    ("10/chatgpt-codex-proxy#9: Codex offers tools in its input", RESPONSES, "gpt-4o-mini",
     {"input": [LATER, HI]}, "openai", '"team__ask"'),
    ("the same elsewhere", RESPONSES, "claude-sonnet-4-5", {"input": [LATER, HI]}, "anthropic", '"input_schema"'),
    ("a picture that is not what its name says", MESSAGES, "claude-sonnet-4-5",
     {"messages": [{"role": "user", "content": [picture("image/jpeg")]}]}, "anthropic", '"image/png"'),
    ("the same from OpenAI's clients", CHAT, "claude-sonnet-4-5", shown({"url": f"data:image/jpg;base64,{PNG}"}),
     "anthropic", '"image/png"'),
    ("the same to Google", CHAT, "gemini-2.5-pro", shown({"url": f"data:image/JPEG;base64,{PNG}"}), "google",
     '"image/png"'),
    ("a picture's URL without its object", CHAT, "gpt-4o-mini", shown(f"data:image/png;base64,{PNG}"), "openai",
     '"image_url":{"url":'),
    ("a session that was stopped in a call", CHAT, "claude-sonnet-4-5", {"messages": [*CALLED, HI], "tools": [TOOL]},
     "anthropic", "not answered"),
    ("the same on one wire", MESSAGES, "claude-sonnet-4-5",
     {"messages": [HI, {"role": "assistant", "content": [USE]}, HI]}, "anthropic", "not answered"),
    ("the same at Google", CHAT, "gemini-2.5-pro", {"messages": [*CALLED, HI], "tools": [TOOL]}, "google", "not answered"),
    ("the same at OpenAI", CHAT, "gpt-4o-mini", {"messages": [*CALLED, HI], "tools": [TOOL]}, "openai", "not answered"),
    ("a history that was cut behind a call", CHAT, "claude-sonnet-4-5", {"messages": LOST}, "anthropic", "!tool_result"),
    ("the same at Mistral", CHAT, "mistral-large", {"messages": LOST}, "mistral", '!"tool"'),
    ("Mistral takes no speakers' names", CHAT, "mistral-large", {"messages": [{**HI, "name": "Bob"}]}, "mistral", "!Bob"),
    ("and wants parameters of every tool", CHAT, "mistral-large", {"tools": [TOOL]}, "mistral", '"parameters"'),
    ("a description that is null", CHAT, "gpt-4o-mini",
     {"tools": [{"type": "function", "function": {"name": "f", "description": None}}]}, "openai", "!null"),
    ("aider's thinking for Claude on OpenAI's wire", CHAT, "claude-sonnet-4-5",
     {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 3000}, "anthropic", '"budget_tokens":1024'),
    ("BerriAI/litellm#25669: an editor's Anthropic blocks on OpenAI's wire", CHAT, "claude-sonnet-4-5", CURSOR,
     "anthropic", '"tool_use_id":"t1"'),
    ("the same to OpenAI", CHAT, "gpt-4o-mini", CURSOR, "openai", '"tool_call_id":"t1"'),
    ("the same to Google", CHAT, "gemini-2.5-pro", CURSOR, "google", '"functionResponse"'),
    ("anthropics/claude-code#40075: alternatives at a tool's root", MESSAGES, "claude-sonnet-4-5", {"tools": [ROOTLESS]},
     "anthropic", "!anyOf"),
    ("the same from OpenAI's clients to OpenAI", CHAT, "gpt-4o-mini", {"tools": [as_function(ROOTLESS)]}, "openai",
     "!anyOf"),
    ("NousResearch/hermes-agent#25846: a list of anything", CHAT, "gpt-4o-mini", {"tools": [as_function(LISTS)]},
     "openai", '"items":{}'),
    ("looplj/axonhub#1669: Claude Code names its user in 150 letters", MESSAGES, "gpt-4o-mini",
     {"metadata": {"user_id": "u" * 150}}, "openai", "!uuu"),
    ("BerriAI/litellm#10106: a user who is an address", CHAT, "claude-sonnet-4-5", {"user": "ada@example.com"},
     "anthropic", "!@"),
    ("ENTERPILOT/GoModel#963: JSON mode for Claude", CHAT, "claude-sonnet-4-5",
     {"response_format": {"type": "json_object"}}, "anthropic", "one JSON object"),
    ("ghostlobster/memorize-everything#93: bounds in an answer's schema", CHAT, "claude-sonnet-4-5",
     {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": CARDS}}}, "anthropic",
     '!"minItems"'),
    ("vercel/ai#14369: a tool's result that speaks of schemas", CHAT, "gemini-2.5-pro",
     {"messages": [*CALLED, {"role": "tool", "tool_call_id": "call_1", "content": '{"$ref":"#/a"}'}], "tools": [TOOL]},
     "google", '"result":"{'),
    ("decolua/9router#1170: a summary of a conversation with tools, without them", CHAT, "claude-sonnet-4-5",
     {"messages": [*CALLED, {"role": "tool", "tool_call_id": "call_1", "content": "rain"}, HI]}, "anthropic",
     '"tool_choice":{"type":"none"}'),
    ("OpenRouter's base URL", "/api/v1/chat/completions", "gpt-4o-mini", {}, "openai", '"messages"'),
)  # fmt: skip


@on_rig(Behaviour(), balance=10**11, others=OTHERS)
async def test_what_clients_send_reaches_providers_as_they_take_it(rig: Rig) -> None:
    for report, path, model, more, provider, holds in CASES:
        base = {"input": "hi"} if path == RESPONSES else {"messages": [HI]}
        if path == MESSAGES:
            base["max_tokens"] = 50  # type: ignore[assignment]
        answer = await rig.call(path, {"model": model, **base, **more})
        assert answer.status == 200, (report, answer.body)
        sent = rig.at[provider].requests[-1].body.decode()
        assert (holds.lstrip("!") in sent) is not holds.startswith("!"), (report, sent)


@on_rig(Behaviour(), balance=10**11, others=OTHERS)
async def test_a_model_without_thinking_says_so_where_thinking_was_demanded(rig: Rig) -> None:
    budget = {"type": "enabled", "budget_tokens": 1024}
    for path, more in (
        (MESSAGES, {"thinking": budget, "max_tokens": 2000}),
        (CHAT, {"reasoning_effort": "low"}),
    ):
        answer = await rig.call(path, {"model": "gpt-4o-mini", "messages": [HI], **more})
        assert (answer.status, "reasoning mode" in answer.body.decode()) == (400, True)
    adaptive = {"model": "gpt-4o-mini", "max_tokens": 9, "messages": [HI], "thinking": {"type": "adaptive"}}
    assert (await rig.call(MESSAGES, adaptive)).headers["x-marketplace-notes"] == "thinking"


TOO_LONG = Behaviour(
    status=400, words="This model's maximum context length is 8192 tokens, you asked for 9000"
)


@on_rig(TOO_LONG, balance=10**11)
async def test_a_conversation_that_is_too_long_is_told_in_the_words_by_which_clients_shorten_it(
    rig: Rig,
) -> None:
    ask = {"model": "gpt-4o-mini", "max_tokens": 9, "messages": [HI]}
    told = (await rig.call(MESSAGES, ask)).json["error"]
    assert told["message"].startswith("prompt is too long: ")  # Claude Code looks for these
    assert (await rig.call(CHAT, ask)).json["error"]["code"] == "context_length_exceeded"
    gemini = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    said = (await rig.call("/v1beta/models/gpt-4o-mini:generateContent", gemini)).json["error"]["message"]
    assert "exceeds the maximum number of tokens allowed" in said  # Google's own


def vector(*values: list[float]) -> Behaviour:
    data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(values)]
    body = {"object": "list", "model": "e", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    return Behaviour(raw=json.dumps(body).encode())


SILENT = Behaviour(raw=b'{"id":"x","model":"m","choices":[{"index":0,"finish_reason":"stop"}]}')


@on_rig(Behaviour(), balance=10**11)
async def test_an_empty_answer_is_no_success_and_costs_nothing(rig: Rig) -> None:
    for empty, path, ask in (  # garrytan/gbrain#328; a choice without a message
        (vector([], []), "/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}),
        (vector([0.5]), "/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}),
        (SILENT, CHAT, {"model": "gpt-4o-mini", "messages": [HI]}),
    ):
        rig.up.script[:] = [empty]
        answer = await rig.call(path, {**ask, "fallback": False})
        assert answer.status == 502, answer.body
    assert await rig.spent() == 0


@on_rig(Behaviour(), balance=10**11)
async def test_anthropics_clients_turn_the_pages_of_the_models(rig: Rig) -> None:
    async def page(query: str) -> Any:
        head = {"anthropic-version": "2023-06-01", "x-api-key": rig.key}
        return (await rig.call(f"/v1/models?{query}", b"", head, method="GET")).json

    first = await page("limit=2")
    assert (len(first["data"]), first["has_more"]) == (2, True)
    second = await page(f"limit=2&after_id={first['last_id']}")
    assert not {m["id"] for m in first["data"]} & {m["id"] for m in second["data"]}
    assert (await page(f"limit=2&before_id={second['first_id']}"))["data"] == first["data"]
    assert (await page(""))["has_more"] is False
    assert (await page("after_id=nonsense"))["type"] == "error"


@on_rig(Behaviour(), balance=10**11)
async def test_who_allows_auto_no_model_is_told_what_was_asked_and_what_is_near(rig: Rig) -> None:
    ask = {"model": "auto", "messages": [HI], "auto": {"allow": ["openai/gtp-4o-mini"]}}
    answer = await rig.call(CHAT, ask)
    assert (answer.status, answer.code) == (404, "constraint_filtered"), answer.body
    assert answer.error["message"].startswith(
        "auto.allow: no model here is called openai/gtp-4o-mini; near: "
    )
    assert "gpt-4o-mini" in answer.error["metadata"]["nearest"]
    blind = {**ask, "auto": {"allow": ["text-embedding-3-small"]}}
    assert (
        "none of the models that text-embedding-3-small names"
        in (await rig.call(CHAT, blind)).error["message"]
    )


WHOLE = Behaviour(
    raw=b'{"id":"x","choices":[{"message":{"role":"assistant","content":"he\\nllo"},"finish_reason":"stop"}],\n'
    b'"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}'
)
STREAM = Behaviour(
    raw=b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n\ndata: [DONE]\n\n',
    content_type="text/plain",
)


@on_rig(Behaviour(), balance=10**11)
async def test_servers_that_answer_in_the_other_form_than_was_asked_for_are_understood(rig: Rig) -> None:
    ask = {"model": "gpt-4o-mini", "max_tokens": 9, "messages": [HI], "fallback": False}
    for path in (CHAT, MESSAGES):
        rig.up.script[:] = [WHOLE]
        told = await rig.call(path, {**ask, "stream": True})
        assert (told.status, told.whole, told.body.count(b"he\\nllo")) == (200, True, 1), told.body
        rig.up.script[:] = [STREAM]
        whole = await rig.call(path, ask)
        assert (whole.status, b'"hello"' in whole.body) == (200, True), whole.body
    assert await rig.spent() == 4 * rig.cost(5, 3)

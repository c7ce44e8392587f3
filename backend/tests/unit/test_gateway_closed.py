"""What no price list here covers, or nobody here understands, goes out on the operator's key: it would be billed to the
operator, not to the caller. And: clients that mean no harm are refused for what they always send."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway import closed
from agent_marketplace.gateway.hosted import without_hosted
from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger import Price
from agent_marketplace.ledger.pricing import PriceTier
from agent_marketplace.providers.endpoints import Endpoint, EndpointTable
from agent_marketplace.settings import load
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, OpaquePart, OutboundCall, WireName
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.vocabularies import VOCABULARIES

CODECS = codecs()
ENDPOINTS = EndpointTable(load({"MARKETPLACE_DATA_DIR": "/nowhere"}), {})
AT: dict[str, str] = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
CLAUDES = {"name": "f", "description": "d", "input_schema": SCHEMA}
OPEN = {
    "parameters",
    "input_schema",
    "schema",
    "input",
    "args",
    "response",
    "arguments",
    "parametersJsonSchema",
}
"""Fields that hold the caller's own content, of any shape."""


def endpoint(name: str) -> Endpoint:
    found = ENDPOINTS.get(name)
    assert found is not None
    return found


def at(name: str) -> tuple[Endpoint, WireName]:
    found = endpoint(name)
    return found, found.wire


def asked(wire: str, **fields: Any) -> dict[str, Any]:
    """A plain call of a wire, with more fields."""
    if wire == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **fields}
    if wire == "responses":
        return {"model": "m", "input": "hi", "max_output_tokens": 9, **fields}
    if wire == "huggingface":
        return {"model": "m", "inputs": "hi", **fields}
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}


def read(wire: str, body: dict[str, Any]) -> Call:
    return CODECS[wire].parse_request(json.dumps(body).encode(), model="m")


def refused(wire: str, provider: str = "", /, **fields: Any) -> str | None:
    return closed.refusal(read(wire, asked(wire, **fields)), *at(provider or AT[wire]))


def sent(wire: str, body: dict[str, Any], provider: str = "") -> OutboundCall:
    """What leaves on the operator's key for the same wire: the client's bytes where the wire has a fast path."""
    call = read(wire, body)
    name = provider or AT.get(wire)
    place = endpoint(name) if name else Endpoint(name="p", wire=call.wire or "openai", base_url="https://p")
    codec = ENDPOINTS.codec(place.name, CODECS) if name else CODECS[wire]
    narrow, told = without_hosted(call, codec.name, own_key=False)
    raw = json.dumps(body).encode()
    if codec.fast is not None and codec.fast.takes(raw, call, max_tokens=9, moved=False):
        out = codec.fast.request(raw, "m", max_tokens=9, stream=False)
    else:
        out = codec.build_request(narrow, "m", stream=False)
    out = closed.closed(out, call, codec.name, place)
    return OutboundCall(path=out.path, body=out.body, dropped=out.dropped, notes=out.notes + told)


# Sources: each provider's price list and reference, as named in docs/billing.md, "Options".
@pytest.mark.parametrize(
    ("wire", "provider", "fields", "name"),
    [
        ("openai", "openai", {"service_tier": "priority"}, "service_tier"),
        ("openai", "openai", {"serviceTier": "priority"}, "serviceTier"),
        ("openai", "openai", {"service_tier": "flex"}, "service_tier"),
        ("openai", "anthropic", {"service_tier": "priority"}, "service_tier"),
        ("openai", "openai", {"web_search_options": {}}, "web_search_options"),
        ("openai", "openrouter", {"plugins": [{"id": "web"}]}, "plugins"),
        ("openai", "openrouter", {"plugins": [{"id": "file-parser"}]}, "plugins"),
        ("openai", "xai", {"search_parameters": {"mode": "on"}}, "search_parameters"),
        ("openai", "alibaba", {"enable_search": True}, "enable_search"),
        ("openai", "venice", {"venice_parameters": {"enable_web_search": "on"}}, "venice_parameters"),
        ("openai", "groq", {"compound_custom": {"tools": {}}}, "compound_custom"),
        ("openai", "groq", {"tools": [{"type": "browser_search"}]}, "browser_search"),
        ("openai", "groq", {"tools": [{"type": "code_interpreter"}]}, "code_interpreter"),
        ("openai", "xai", {"tools": [{"type": "x_search"}]}, "x_search"),
        ("openai", "xai", {"tools": [{"type": "live_search"}]}, "live_search"),
        ("openai", "openai", {"tools": [{"type": "shell"}]}, "shell"),
        ("openai", "mistral", {"tools": [{"type": "web_search"}]}, "web_search"),
        ("openai", "moonshotai", {"tools": [{"type": "builtin_function", "function": {"name": "$web_search"}}]}, "builtin_function"),
        ("openai", "zai", {"tools": [{"type": "web_search", "web_search": {"enable": True}}]}, "web_search"),
        ("openai", "openrouter", {"tools": [{"type": "openrouter:web_search"}]}, "openrouter:web_search"),
        ("openai", "openai", {"tools": [FUNCTION, {"type": "of_tomorrow"}], "tool_choice": {"type": "of_tomorrow"}}, "of_tomorrow"),
        ("openai", "openai", {"prompt": {"id": "pmpt_1"}}, "prompt"),
        ("responses", "openai", {"prompt": {"id": "pmpt_1"}}, "prompt"),
        ("responses", "openai", {"tools": [{"type": "web_search"}]}, "web_search"),
        ("responses", "openai", {"tools": [{"type": "mcp", "server_url": "https://x"}]}, "mcp"),
        ("responses", "openai", {"tools": [{"type": "image_generation"}]}, "image_generation"),
        ("responses", "openai", {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, "code_interpreter"),
        ("responses", "openai", {"service_tier": "priority"}, "service_tier"),
        ("anthropic", "anthropic", {"speed": "fast"}, "speed"),
        ("anthropic", "anthropic", {"inference_geo": "us"}, "inference_geo"),
        ("anthropic", "anthropic", {"container": "container_1"}, "container"),
        ("anthropic", "anthropic", {"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}, "mcp_servers"),
        ("anthropic", "anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search"),
        ("anthropic", "anthropic", {"tools": [{"type": "web_fetch_20260318", "name": "web_fetch"}]}, "web_fetch"),
        ("anthropic", "anthropic", {"tools": [{"type": "code_execution_20260521", "name": "code_execution"}]}, "code_execution"),
        ("anthropic", "anthropic", {"tools": [{"type": "advisor_20260301", "name": "advisor"}]}, "advisor"),
        ("anthropic", "anthropic",
         {"tools": [{"type": "web_search_20990101", "name": "w"}, CLAUDES], "tool_choice": {"type": "tool", "name": "w"}}, "w"),
        ("gemini", "google", {"serviceTier": "priority"}, "serviceTier"),
        ("gemini", "google", {"service_tier": "PRIORITY"}, "service_tier"),
        ("gemini", "google", {"cachedContent": "cachedContents/1"}, "cachedContent"),
        ("gemini", "google", {"cached_content": "cachedContents/1"}, "cached_content"),
        ("gemini", "google", {"tools": [{"googleSearch": {}}]}, "googleSearch"),
        ("gemini", "google", {"tools": [{"google_maps": {}}]}, "googleMaps"),
        ("gemini", "google", {"tools": [{"urlContext": {}}]}, "urlContext"),
        ("gemini", "google", {"tools": [{"codeExecution": {}}]}, "codeExecution"),
        ("gemini", "google", {"tools": [{"exaAiSearch": {}}]}, "exaAiSearch"),
    ],
)  # fmt: skip
def test_what_is_billed_apart_is_refused_by_its_name(
    wire: str, provider: str, fields: dict[str, Any], name: str
) -> None:
    words = refused(wire, provider, **fields)
    assert words is not None
    assert name in words.split()[0] or words.startswith(name)


@pytest.mark.parametrize(
    ("wire", "content", "name"),
    [
        ("openai", {"type": "file", "file": {"file_id": "file-1"}}, "file_id"),
        ("openai", {"type": "a_part_of_tomorrow", "x": 1}, "messages[0].content[0]"),
        ("openai", {"type": "document_url", "document_url": "https://example.com/1000-pages.pdf"}, "messages[0].content[0]"),
        ("anthropic", {"type": "document", "source": {"type": "file", "file_id": "file_1"}}, "messages[0].content[0]"),
        ("anthropic", {"type": "image", "source": {"type": "file", "file_id": "file_1"}}, "messages[0].content[0]"),
        ("anthropic", {"type": "container_upload", "file_id": "file_1"}, "messages[0].content[0]"),
        ("anthropic", {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, "messages[0].content[0]"),
        ("responses", {"type": "input_file", "file_id": "file-1"}, "file_id"),
        ("responses", {"type": "input_image", "file_id": "file-1"}, "file_id"),
        ("gemini", {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}, "fileData"),
        ("gemini", {"file_data": {"file_uri": "gs://bucket/film.mp4"}}, "fileData"),
        ("gemini", {"executableCode": {"code": "x"}}, "contents[0].parts[0]"),
    ],
)  # fmt: skip
def test_objects_in_the_operators_account_and_unknown_content_are_refused_by_name(
    wire: str, content: dict[str, Any], name: str
) -> None:
    body = asked(wire)
    if wire == "gemini":
        body["contents"] = [{"role": "user", "parts": [content, {"text": "hi"}]}]
    elif wire == "responses":
        body["input"] = [{"role": "user", "content": [content, {"type": "input_text", "text": "hi"}]}]
    else:
        body["messages"] = [{"role": "user", "content": [content, {"type": "text", "text": "hi"}]}]
    words = closed.refusal(read(wire, body), *at(AT.get(wire, "openai")))
    assert words is not None
    assert name in words


@pytest.mark.parametrize(
    ("wire", "provider", "fields"),
    [
        ("openai", "openai", {"service_tier": "auto", "metadata": {"a": "b"}, "store": True}),
        ("openai", "openai", {"service_tier": "default", "user": "u", "prediction": {"type": "content", "content": "x"}}),
        ("openai", "openai", {"tools": [FUNCTION, {"type": "web_search"}], "tool_choice": "auto"}),
        ("openai", "openai", {"tools": [{"type": "custom", "custom": {"name": "apply_patch"}}]}),
        ("openai", "alibaba", {"enable_search": False}),
        ("openai", "openrouter", {"plugins": [], "transforms": ["middle-out"]}),
        ("anthropic", "anthropic", {"speed": "standard", "service_tier": "auto", "inference_geo": None}),
        ("anthropic", "anthropic", {"tools": [{"type": "bash_20250124", "name": "bash"}]}),
        ("anthropic", "anthropic", {"tools": [CLAUDES, {"type": "web_search_20250305", "name": "web_search"}]}),
        ("anthropic", "anthropic", {"tools": [{"type": "tool_search_tool_regex_20251119", "name": "t"}, CLAUDES]}),
        ("gemini", "google", {"tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]}),
        ("gemini", "google", {"tools": [{"functionDeclarations": [{"name": "f"}], "googleSearch": {}}]}),
        ("responses", "openai", {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "web_search"}]}),
        ("responses", "openai", {"store": True, "client_metadata": {"x": "y"}, "include": ["reasoning.encrypted_content"]}),
    ],
)  # fmt: skip
def test_what_clients_send_beside_what_they_mean_refuses_nobody(
    wire: str, provider: str, fields: dict[str, Any]
) -> None:
    assert refused(wire, provider, **fields) is None


def test_hosted_tools_beside_others_are_left_out_and_named_on_the_receipt() -> None:
    out = sent("openai", asked("openai", tools=[FUNCTION, {"type": "web_search"}]))
    assert json.loads(out.body)["tools"] == [FUNCTION]
    assert [n.field for n in out.told()] == ["tools.web_search"]
    search = {"type": "web_search_20250305", "name": "web_search"}
    out = sent("anthropic", asked("anthropic", tools=[CLAUDES, search]))
    assert json.loads(out.body)["tools"] == [CLAUDES]
    assert [n.field for n in out.told()] == ["tools.web_search"]
    both = [{"functionDeclarations": [{"name": "f"}], "google_search": {}}]
    out = sent("gemini", asked("gemini", tools=both))
    assert json.loads(out.body)["tools"] == [{"functionDeclarations": [{"name": "f"}]}]
    assert [n.field for n in out.told()] == ["tools.googleSearch"]
    tools = [{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "web_search"}]
    out = sent("responses", asked("responses", tools=tools))
    assert [t["type"] for t in json.loads(out.body)["tools"]] == ["function"]
    assert [n.field for n in out.told()] == ["tools.web_search"]


def test_a_hosted_tool_that_must_not_be_called_is_left_out_with_the_choice() -> None:
    out = sent("openai", asked("openai", tools=[{"type": "web_search"}], tool_choice="none"))
    assert {"tools", "tool_choice"}.isdisjoint(json.loads(out.body))


def test_nothing_is_kept_at_the_provider_whatever_the_caller_says() -> None:
    for store in (True, False, None):
        assert json.loads(sent("openai", asked("openai", store=store)).body)["store"] is False
        assert json.loads(sent("responses", asked("responses", store=store)).body)["store"] is False
    assert "store" not in json.loads(sent("openai", asked("openai", store=True), "groq").body)
    assert json.loads(sent("openai", asked("openai")).body)["store"] is False
    foreign = read("anthropic", asked("anthropic"))
    out = closed.closed(
        OpenAICodec().build_request(foreign, "m", stream=True), foreign, "openai", endpoint("openai")
    )
    assert json.loads(out.body)["store"] is False
    assert [n.field for n in sent("openai", asked("openai", store=True)).told()] == ["store"]


RICH: dict[str, dict[str, Any]] = {
    "openai": {
        "model": "m", "max_tokens": 9, "temperature": 1, "stream": False, "tools": [FUNCTION], "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        "logit_bias": {"1": 2}, "reasoning_effort": "low", "stop": ["x"], "user": "u",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "t"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "r"}]},
        ],
    },
    "anthropic": {
        "model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "tools": [{**CLAUDES, "cache_control": {"type": "ephemeral", "ttl": "1h"}}], "tool_choice": {"type": "auto"},
        "metadata": {"user_id": "u"}, "thinking": {"type": "disabled"}, "output_config": {"effort": "low"},
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 3}}]},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "document", "title": "d", "citations": {"enabled": True},
                 "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "h", "signature": "s"},
                {"type": "text", "text": "a", "citations": [{"type": "char_location", "cited_text": "x", "document_index": 0}]},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "r"}]}]},
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "s"}]}, "safetySettings": [{"category": "C", "threshold": "T"}],
        "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "generationConfig": {"maxOutputTokens": 9, "temperature": 1, "thinkingConfig": {"thinkingBudget": 0},
                             "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "v"}}}},
        "contents": [
            {"role": "user", "parts": [
                {"text": "t"}, {"inlineData": {"mimeType": "image/png", "data": PNG}},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/x"}, "videoMetadata": {"fps": 1}}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"r": 1}}}]},
        ],
    },
    "responses": {
        "model": "m", "max_output_tokens": 9, "instructions": "s", "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}], "include": ["reasoning.encrypted_content"],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "t"},
                                         {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]},
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "h"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "r"},
        ],
    },
    "ollama": {
        "model": "m", "stream": False, "options": {"num_predict": 9, "temperature": 1}, "keep_alive": "5m",
        "tools": [FUNCTION],
        "messages": [
            {"role": "user", "content": "t", "images": [PNG]},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "r", "tool_name": "f"},
        ],
    },
    "huggingface": {"model": "m", "inputs": "t", "parameters": {"max_new_tokens": 9}},
}  # fmt: skip
"""A call of every wire with every part that is understood."""


def objects(value: Any, path: str = "") -> Iterator[str]:
    """Places of every object that is not the caller's own content."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            if key not in OPEN and key != "logit_bias":
                yield from objects(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from objects(inner, f"{path}[{i}]")


def planted(body: dict[str, Any], place: str, key: str, value: Any) -> dict[str, Any]:
    """The body with one more field in the object at a place."""
    made = copy.deepcopy(body)
    found: Any = made
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", place):
        found = found[int(step[1:-1])] if step.startswith("[") else found[step]
    found[key] = value
    return made


PLACES = [(wire, place) for wire, body in RICH.items() for place in objects(body)]


@pytest.mark.parametrize("wire", RICH)
def test_a_call_of_things_that_are_understood_has_nothing_unread(wire: str) -> None:
    assert VOCABULARIES[wire].found(json.dumps(RICH[wire]).encode()) == ((), ())  # type: ignore[index]
    assert sent(wire, RICH[wire]).told() == ()


@pytest.mark.parametrize(("wire", "place"), PLACES, ids=[f"{w}:{p or 'top'}" for w, p in PLACES])
def test_an_unknown_field_at_any_depth_is_not_sent_and_is_named_on_the_receipt(wire: str, place: str) -> None:
    for value in ("canary-4711", {"deep": ["canary-4711"]}, 4711):
        body = planted(RICH[wire], place, "zz_of_tomorrow", value)
        out = sent(wire, body)
        assert b"4711" not in out.body
        assert b"zz_of_tomorrow" not in out.body
        assert any(n.field.endswith(("zz_of_tomorrow", "zzOfTomorrow")) for n in out.told()), out.told()
        plain = json.loads(sent(wire, RICH[wire]).body)
        assert json.loads(out.body) == plain  # and nothing else is missing


def test_to_another_wire_an_unread_field_is_named_all_the_same() -> None:
    call = read("anthropic", planted(RICH["anthropic"], "messages[1].content[1]", "zz", 1))
    text = plain_words(call)
    out = OpenAICodec().build_request(text, "m", stream=False)
    told = closed.closed(out, text, "openai", endpoint("openai")).told()
    assert "messages[1].content[1].zz" in [n.field for n in told]


def plain_words(call: Call) -> Call:
    """The call without what only its own wire can say."""
    turns = tuple(
        replace(m, parts=tuple(p for p in m.parts if not isinstance(p, OpaquePart))) for m in call.messages
    )
    return replace(call, messages=turns, extra={})


@pytest.mark.parametrize(
    "fields",
    [
        {"generationConfig": {"maxOutputTokens": 9}, "generation_config": {"maxOutputTokens": 60000}},
        {"generationConfig": {"maxOutputTokens": 9, "max_output_tokens": 60000}},
        {
            "systemInstruction": {"parts": [{"text": "x"}]},
            "system_instruction": {"parts": [{"text": "long"}]},
        },
        {
            "contents": [
                {"parts": [{"text": "x", "inlineData": {"mimeType": "a/b", "mime_type": "c/d", "data": ""}}]}
            ]
        },
    ],
)
def test_a_field_in_both_spellings_is_refused_as_given_twice(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="twice"):
        read("gemini", asked("gemini", **fields))


def test_snake_case_is_the_same_field_and_reaches_google() -> None:
    fields = {"system_instruction": {"parts": [{"text": "s"}]}, "generation_config": {"max_output_tokens": 9}}
    out = sent("gemini", asked("gemini", **fields))
    assert out.told() == ()
    assert "system_instruction" in json.loads(out.body)


def test_the_callers_own_key_sends_what_its_owner_pays_for() -> None:
    price = Price(input=1, output=1)
    target = Target(model="m", provider="openai", upstream_id="m", credential="byok", price=price)
    call = read("openai", asked("openai", service_tier="priority", tools=[{"type": "web_search"}]))
    assert closed.left_out_because(call, target, *at("openai")) is None
    assert without_hosted(call, "openai", own_key=True) == (call, ())


@pytest.mark.parametrize(
    ("provider", "url", "code"),
    [
        ("vllm", "http://169.254.169.254/latest/meta-data/", "unsupported"),
        ("vllm", "http://2130706433/x.png", "unsupported"),
        ("vllm", "https://example.com/x.png", None),
        ("openai", "http://127.0.0.1/x.png", None),  # its servers fetch from the outside
    ],
)
@pytest.mark.parametrize("part", ["image_url", "video_url"])
def test_a_private_server_is_not_sent_to_fetch_its_neighbours(
    provider: str, url: str, code: str | None, part: str
) -> None:
    content = [{"type": part, part: {"url": url}}]
    call = read("openai", asked("openai", messages=[{"role": "user", "content": content}]))
    target = Target(model="m", provider=provider, upstream_id="m", credential="byok", price=None)
    found = closed.left_out_because(call, target, *at(provider))
    assert (found[0] if found else None) == code


def test_a_reseller_may_not_pay_others_more_than_is_charged_for_here() -> None:
    """OpenRouter names a model's lowest price and routes to whom it likes."""
    assert [e.name for e in ENDPOINTS.all() if e.resells] == ["openrouter"]
    tier = PriceTier(above_input_tokens=200_000, input=2_500_000_000)
    price = Price(input=1_250_000_000, output=10_000_000_001, tiers=(tier,))
    out = closed.at_list_price(sent("openai", asked("openai"), "openrouter"), price)
    body = json.loads(out.body, parse_float=str)
    assert body["provider"] == {"max_price": {"prompt": "2.5", "completion": "10.000000001"}}
    free = closed.at_list_price(sent("openai", asked("openai"), "openrouter"), Price(input=0, output=0))
    assert json.loads(free.body)["provider"] == {"max_price": {"prompt": 0, "completion": 0}}

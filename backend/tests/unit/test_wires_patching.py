"""One tool without arguments, or a long name of a user, costs a client what only its own words can ask for."""

import json
from typing import Any

import pytest

from agent_marketplace import rules
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import OutboundCall, Tool
from agent_marketplace.wires.shared.patching import Patch, patched

CODECS = codecs()
HI = [{"role": "user", "content": "hi"}]
BARE = {"type": "object"}
LIST = {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}
MENDED = {"type": "object", "properties": {"a": {"type": "array", "items": {"anyOf": [{"type": "string"}]}}}}
OPENAI, CLAUDE, GEMINI = ("openai", "openai", "gpt-4.1"), ("anthropic", "anthropic", "claude-opus-4-8"), (
    "gemini", "google", "gemini-3-pro"
)  # fmt: skip


def sent(place: tuple[str, str, str], body: bytes) -> tuple[OutboundCall, list[tuple[str, str]]]:
    """What leaves for a provider of the client's own wire, as the gateway makes it; and the notes on it."""
    wire, provider, model = place
    codec = CODECS[wire]
    call = codec.parse_request(body, model="m", stream=False)
    fitted = rules.fit(call, rules.bundled().rules(wire, provider, model))
    assert codec.fast is not None
    assert codec.fast.takes(body, call, max_tokens=None, moved=False)
    if fitted.patch is not None:
        body = patched(body, wire, fitted.patch)
    assert fitted.same or fitted.patch is not None
    return codec.fast.request(body, model, stream=False), [(n.field, n.act) for n in fitted.notes]


def function(name: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


def test_a_tool_without_arguments_does_not_cost_the_second_answer_or_the_names_of_speakers() -> None:
    turns = b'[ {"role":"user","content":"a\\u00e9","name":"ada"} ]'
    tools = json.dumps(
        [function("f", BARE), function("g", LIST, x=1), {"type": "custom", "custom": {"name": "c"}}]
    )
    body = b'{"model":"m","n":2,"logprobs":true,"top_logprobs":2,"temperature":0.70,"messages":%b,"tools":%b}'
    out, notes = sent(OPENAI, body % (turns, tools.encode()))
    told = json.loads(out.body)
    assert (told["n"], told["logprobs"], told["top_logprobs"]) == (2, True, 2)
    assert turns in out.body
    assert b'"temperature":0.70' in out.body
    assert told["tools"][0] == function("f", {"type": "object", "properties": {}})
    assert told["tools"][1]["function"]["x"] == 1
    assert told["tools"][1]["function"]["parameters"] == MENDED
    assert told["tools"][2] == {"type": "custom", "custom": {"name": "c"}}
    assert notes == [("tools.parameters", "reencoded")]


def test_a_long_name_of_a_user_does_not_cost_the_second_answer() -> None:
    body = json.dumps({"model": "m", "n": 2, "messages": HI, "user": "u" * 65}).encode()
    out, notes = sent(OPENAI, body)
    told = json.loads(out.body)
    assert (told["n"], len(told["user"])) == (2, 29)
    assert told["user"].startswith("user_")
    assert notes == [("user", "reencoded")]


MORE = {
    "defer_loading": True, "eager_input_streaming": True, "allowed_callers": ["direct"], "input_examples": [{"a": ["x"]}],
}  # fmt: skip


@pytest.mark.parametrize("schema", [BARE, LIST])
def test_one_tool_of_many_does_not_cost_all_of_them_what_claude_alone_knows(schema: dict[str, Any]) -> None:
    tools = [{"name": "f", "input_schema": schema, **MORE}, {"name": "g", "input_schema": BARE, **MORE},
             {"type": "bash_20250124", "name": "bash"}]  # fmt: skip
    asked = {
        "model": "m",
        "max_tokens": 9,
        "messages": HI,
        "tools": tools,
        "metadata": {"user_id": "a@b", "x": 1},
    }
    out, notes = sent(CLAUDE, json.dumps(asked).encode())
    told = json.loads(out.body)
    wanted = MENDED if schema is LIST else BARE
    assert told["tools"] == [{**tools[0], "input_schema": wanted}, *tools[1:]]
    assert told["metadata"]["user_id"].startswith("user_")
    assert told["metadata"]["x"] == 1
    assert ("user", "reencoded") in notes
    assert (("tools.parameters", "reencoded") in notes) is (schema is LIST)


def test_a_tool_without_arguments_is_left_alone_where_claude_takes_it() -> None:
    body = json.dumps(
        {"model": "m", "max_tokens": 9, "messages": HI, "tools": [{"name": "f", "input_schema": BARE}]}
    )
    assert rules.fit(CODECS["anthropic"].parse_request(body.encode()), rules.bundled().rules(*CLAUDE)).same


@pytest.mark.parametrize("word", ["functionDeclarations", "function_declarations"])
def test_a_list_of_anything_does_not_cost_the_second_candidate(word: str) -> None:
    given = {"type": "OBJECT", "properties": {"a": {"type": "ARRAY"}}}
    body = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"candidateCount": 2},
        "tools": [{word: [{"name": "f", "parameters": given}, {"name": "g", "behavior": "BLOCKING"}]}, {"googleSearch": {}}],
    }  # fmt: skip
    out, _ = sent(GEMINI, json.dumps(body).encode())
    told = json.loads(out.body)
    assert told["generationConfig"] == {"candidateCount": 2}
    mended = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    assert told["tools"] == [
        {word: [{"name": "f", "parametersJsonSchema": mended}, {"name": "g", "behavior": "BLOCKING"}]}, {"googleSearch": {}},
    ]  # fmt: skip


def test_what_is_no_matter_of_schemas_or_users_is_written_anew() -> None:
    for more in ({"stop_sequences": [" "]}, {"temperature": 2.0}):
        asked = {
            "model": "m",
            "max_tokens": 9,
            "messages": HI,
            "tools": [{"name": "f", "input_schema": LIST}],
            **more,
        }
        call = CODECS["anthropic"].parse_request(json.dumps(asked).encode())
        fitted = rules.fit(call, rules.bundled().rules(*CLAUDE))
        assert (fitted.same, fitted.patch) == (False, None)
    two = {"model": "m", "messages": HI, "tools": [function("f", BARE), function("f", LIST)]}
    fitted = rules.fit(
        CODECS["openai"].parse_request(json.dumps(two).encode()), rules.bundled().rules(*OPENAI)
    )
    assert fitted.patch is None  # nobody can say which of the two is meant


def test_a_body_written_anew_keeps_the_fields_of_tools_or_says_which_it_lost() -> None:
    asked = {
        "model": "m",
        "max_tokens": 9,
        "messages": HI,
        "tools": [{"name": "f", "input_schema": LIST, **MORE}],
    }
    call = CODECS["anthropic"].parse_request(json.dumps(asked).encode())
    told = json.loads(CODECS["anthropic"].build_request(call, "m", stream=False).body)
    assert told["tools"] == asked["tools"]
    body = {"model": "m", "messages": HI, "tools": [{**function("f", LIST, x=1), "y": 2}]}
    openai = CODECS["openai"].parse_request(json.dumps(body).encode())
    assert (
        json.loads(CODECS["openai"].build_request(openai, "m", stream=False).body)["tools"] == body["tools"]
    )
    for found, place, lost in (
        (call, OPENAI, sorted(MORE)), (openai, CLAUDE, ["x", "y"]),
    ):  # fmt: skip
        fitted = rules.fit(found, rules.bundled().rules(*place))
        assert [n.field for n in fitted.notes if n.act == "left_out"] == [f"tools.{name}" for name in lost]
        out = CODECS[place[0]].build_request(fitted.call, "m", stream=False).body
        assert not any(name.encode() in out for name in MORE)


def test_tools_in_shapes_that_name_nothing_stay_as_they_are() -> None:
    body = b'{"tools":[{"type":"x","function":null},{"functionDeclarations":null},{"function":{}}]}'
    for wire in ("openai", "gemini", "anthropic"):
        assert json.loads(patched(body, wire, Patch(schemas={"f": BARE}))) == json.loads(body)
    assert Tool("f").extra == {}

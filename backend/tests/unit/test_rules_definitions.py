"""One tool's schema that a provider refuses takes the whole conversation with it; one that is bent says another thing."""

import tracemalloc
from typing import Any

import pytest

from agent_marketplace.rules import bundled, fit
from agent_marketplace.rules.definitions import Mender, Work, rooted
from agent_marketplace.wires.base import Call, Message, TextPart, Tool, ToolCallPart, ToolResultPart

HI = (Message("user", (TextPart("hi"),)),)
A, B = {"type": "string"}, {"type": "integer"}


def offered(provider: str, model: str, schema: dict[str, Any], wire: str = "openai", **more: Any) -> Any:
    made = Call(model="m", messages=HI, tools=(Tool("f", parameters=schema, **more),))
    return fit(made, bundled().rules(wire, provider, model))


PLACES = (
    ("anthropic", "claude-opus-4-8", "anthropic"), ("openai", "gpt-4o", "openai"), ("openai", "gpt-5.6-sol", "responses"),
    ("google", "gemini-3-pro", "gemini"), ("deepseek", "deepseek-v4-flash", "openai"),
)  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "wire"), PLACES)
@pytest.mark.parametrize(
    ("schema", "fields", "required"),
    [
        # anthropics/claude-code#40075, anomalyco/opencode#35516: "at least one of these" beside the fields
        ({"type": "object", "properties": {"a": A, "b": B}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
         {"a": A, "b": B}, None),
        # dearlordylord/huly-mcp#66: alternatives that are objects of their own
        ({"oneOf": [{"type": "object", "properties": {"k": {"enum": ["x"]}, "a": A}, "required": ["k", "a"]},
                    {"type": "object", "properties": {"k": {"enum": ["y"]}}, "required": ["k"]}]},
         {"k": {"anyOf": [{"enum": ["x"]}, {"enum": ["y"]}]}, "a": A}, ["k"]),
        ({"allOf": [{"properties": {"a": A}, "required": ["a"]}, {"properties": {"b": B}, "required": ["b"]}]},
         {"a": A, "b": B}, ["a", "b"]),
        # zod-to-json-schema
        ({"$ref": "#/definitions/F", "definitions": {"F": {"type": "object", "properties": {"a": A}, "required": ["a"]}}},
         {"a": A}, ["a"]),
        ({"type": ["object", "null"], "properties": {"a": A}}, {"a": A}, None),
        ({"properties": {"a": A}}, {"a": A}, None),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, {}, None),
        ({"type": "object", "properties": {"oneOf": A, "items": B}}, {"oneOf": A, "items": B}, None),
    ],
)  # fmt: skip
def test_a_tool_is_one_plain_object_at_its_root(
    provider: str, model: str, wire: str, schema: dict[str, Any], fields: object, required: object
) -> None:
    made = offered(provider, model, schema, wire).call.tools[0].parameters
    assert (made["type"], made["properties"], made.get("required")) == ("object", fields, required)
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & made.keys()


def test_a_tool_without_arguments_is_told_to_openai_with_an_empty_list_of_them() -> None:
    for provider, model, wire in PLACES:
        made = offered(provider, model, {"type": "object", "description": "x"}, wire).call.tools[0].parameters
        # langchain-ai/langchain-mcp-adapters#137: "object schema missing properties"; Claude's own clients leave them out
        assert ("properties" in made) is (provider != "anthropic")


def test_what_fits_is_not_touched_so_that_bytes_may_pass() -> None:
    plain = {"type": "object", "properties": {"a": {"type": "array", "items": A}}, "required": ["a"]}
    for provider, model, wire in PLACES:
        found = offered(provider, model, plain, wire)
        assert found.same
        assert found.call.tools[0].parameters is plain


def test_a_list_says_of_what_it_is_also_inside_alternatives() -> None:
    inner = {"anyOf": [{"type": "array"}, {"type": ["array", "null"]}]}
    made = offered("openai", "gpt-4o", {"type": "object", "properties": {"a": inner}}).call.tools[0]
    assert made.parameters["properties"]["a"]["anyOf"] == [
        {"type": "array", "items": {}}, {"type": ["array", "null"], "items": {}},
    ]  # fmt: skip
    pair = {"type": "object", "properties": {"a": {"type": "array", "items": [A, B]}}}
    made = offered("anthropic", "claude-opus-4-8", pair, "anthropic").call.tools[0]
    assert made.parameters["properties"]["a"]["items"] == {"anyOf": [A, B]}


def test_words_of_older_drafts_are_said_in_those_of_the_newest() -> None:
    old = {
        "type": "integer",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 9,
        "exclusiveMaximum": False,
        "required": True,
    }
    made = offered("anthropic", "claude-opus-4-8", {"type": "object", "properties": {"n": old}}, "anthropic")
    assert made.call.tools[0].parameters["properties"]["n"] == {
        "type": "integer",
        "exclusiveMinimum": 0,
        "maximum": 9,
    }


def test_googles_references_stand_alone_and_a_constant_is_a_list_of_one() -> None:
    schema = {
        "type": "object", "$defs": {"d": A},
        "properties": {"a": {"$ref": "#/$defs/d", "description": "x"}, "b": {"const": "y"}, "c": {"type": "array"}},
    }  # fmt: skip
    made = offered("google", "gemini-3-pro", schema, "gemini").call.tools[0].parameters
    assert made["properties"] == {
        "a": {"$ref": "#/$defs/d"}, "b": {"enum": ["y"]}, "c": {"type": "array", "items": {"type": "string"}},
    }  # fmt: skip


def test_a_schema_that_refers_to_itself_at_the_root_or_is_very_deep_ends() -> None:
    assert rooted({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})["type"] == "object"
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"type": "array", "items": deep}
    assert Mender().mend(deep)["type"] == "array"
    wide = {"anyOf": [{"$ref": "#/$defs/a"}] * 50, "$defs": {}}
    wide["$defs"] = {"a": {"anyOf": [{"$ref": "#/$defs/a"}] * 50}}
    work = Work()
    rooted(wide, work)
    assert Work().left - work.left == 100  # not fifty to the power of eight


class Counted(str):
    """A name that counts how often it is hashed: once for each set or mapping that it is put into."""

    __slots__ = ()
    hashed = 0

    def __hash__(self) -> int:
        Counted.hashed += 1
        return super().__hash__()


class Compared(dict[str, Any]):
    """A kind that counts how often it is compared."""

    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


def test_one_definition_named_thousands_of_times_does_not_hold_up_every_other_caller() -> None:
    names = [Counted(f"k{i}") for i in range(1000)]
    definition = {"properties": dict.fromkeys(names, A), "required": names}
    schema = {"$defs": {"A": definition}, "anyOf": [{"$ref": "#/$defs/A"}] * 1000}
    Counted.hashed = 0
    tracemalloc.start()
    made = rooted(schema)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made["properties"]) == len(made["required"]) == len(names)
    assert Counted.hashed < 20 * len(names)  # not a set of all names for each option
    assert most < 5_000_000  # nor all these sets at once


def test_a_field_of_thousands_of_kinds_is_not_compared_with_each_of_them() -> None:
    kinds = [Compared(const=i % 500) for i in range(1000)]
    made = rooted({"anyOf": [{"properties": {"a": kind}} for kind in kinds]})
    assert made["properties"]["a"]["anyOf"] == [{"const": i} for i in range(500)]
    assert Compared.times <= 500  # those of the line above


def test_definitions_that_each_lead_to_thousands_of_names_stay_as_they_are() -> None:
    names = [f"k{i}" for i in range(1000)]
    ways = {f"D{i}": {"$ref": "#/$defs/A"} for i in range(1000)}
    schema = {
        "type": "object",
        "$defs": {"A": {"properties": dict.fromkeys(names, A), "required": names}, **ways},
        "anyOf": [{"$ref": f"#/$defs/{way}"} for way in ways],
    }
    work = Work()
    assert rooted(schema, work) is schema
    small = {"anyOf": [{"properties": {"a": A}}]}
    assert rooted(small, work) is small  # the next tool of the same call costs no more either
    assert rooted(small)["properties"] == {"a": A}


def test_claude_is_told_the_tools_of_a_history_that_offers_none() -> None:
    history = (
        *HI, Message("assistant", (ToolCallPart("c", "look", "{}"),)), Message("tool", (ToolResultPart("c", "rain"),)),
        Message("user", (TextPart("Sum up."),)),
    )  # fmt: skip
    rules = bundled().rules("anthropic", "anthropic", "claude-opus-4-8")
    found = fit(Call(model="m", messages=history, wire="openai"), rules)
    assert ([t.name for t in found.call.tools], found.call.tool_choice) == (["look"], "none")
    assert fit(Call(model="m", messages=history, wire="anthropic"), rules).same


@pytest.mark.parametrize(
    ("provider", "wire", "user", "kept"),
    [
        ("anthropic", "anthropic", "ada@example.com", False), ("anthropic", "anthropic", "+49 170 1234567", False),
        ("anthropic", "anthropic", "user_1f9c", True), ("openai", "openai", "ada@example.com", True),
        ("openai", "openai", "u" * 65, False), ("zai", "openai", "u" * 150, False), ("openai", "responses", "u" * 65, False),
    ],
)  # fmt: skip
def test_a_users_name_that_a_provider_refuses_goes_as_a_digest(
    provider: str, wire: str, user: str, kept: bool
) -> None:
    made = Call(model="m", messages=HI, user=user)
    found = fit(
        made, bundled().rules(wire, provider, "gpt-4o" if provider == "openai" else "claude-opus-4-8")
    )
    assert (found.call.user == user) is kept
    assert kept or (found.call.user or "").startswith("user_")
    assert found.same is kept


def test_bounds_that_claudes_grammar_refuses_are_told_in_words() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "minItems": 8, "maxItems": 9, "items": {"type": "string", "maxLength": 3}},
                       "n": {"type": "integer", "minimum": 1, "description": "how many"}, "minimum": {"type": "string"}},
    }  # fmt: skip
    made = Call(model="m", messages=HI, response_format="json_schema", response_schema=schema)
    found = fit(made, bundled().rules("anthropic", "anthropic", "claude-opus-4-8"))
    told = found.call.response_schema
    assert told is not None
    assert told["properties"] == {
        "a": {"type": "array", "items": {"type": "string", "description": "(maxLength: 3)"},
              "description": "(maxItems: 9, minItems: 8)"},
        "n": {"type": "integer", "description": "how many (minimum: 1)"}, "minimum": {"type": "string"},
    }  # fmt: skip
    assert ("response_format", "reencoded") in [(n.field, n.act) for n in found.notes]


def test_json_without_a_schema_is_asked_of_claude_in_words() -> None:
    made = Call(model="m", messages=HI, response_format="json_object", wire="openai")
    found = fit(made, bundled().rules("anthropic", "anthropic", "claude-opus-4-8"))
    assert found.call.response_format is None
    assert "JSON object" in str(found.call.messages[0])

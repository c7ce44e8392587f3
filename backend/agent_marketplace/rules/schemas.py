"""PURE: OpenAI's strict mode: what was asked of one provider is asked of another only where its schema fits."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.rules.definitions import Mender
from agent_marketplace.wires.base import Call, Tool
from agent_marketplace.wires.notes import Note

_INNER = ("properties", "$defs", "definitions")
_REFUSED = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"}
)  # fmt: skip
"""Keywords of JSON schema that strict mode does not take (OpenAI, "Structured outputs", "Supported schemas")."""


def strict(schema: Any) -> bool:
    """Whether strict mode takes the schema: every object closed, every property required."""
    if isinstance(schema, list):
        return all(strict(s) for s in schema)
    if not isinstance(schema, Mapping):
        return True
    if _REFUSED & schema.keys():
        return False
    if schema.get("type") == "object" or "properties" in schema:
        named = set(schema.get("properties") or {})
        if schema.get("additionalProperties") is not False or set(schema.get("required") or ()) != named:
            return False
    nested = [v for key in _INNER if isinstance(schema.get(key), Mapping) for v in schema[key].values()]
    return all(strict(s) for s in (*nested, schema.get("items"), schema.get("anyOf")))


def fitted(call: Call, notes: list[Note]) -> Call:
    """The call without strict mode where a schema does not fit it; for a wire that is not the client's own."""
    changes: dict[str, Any] = {}
    if call.response_strict and not strict(call.response_schema):
        changes["response_strict"] = None
        notes.append(
            Note("response_format.json_schema.strict", "lowered", "the schema does not fit strict mode")
        )
    tools = tuple(msgspec.structs.replace(t, strict=None) if _loose(t) else t for t in call.tools)
    if tools != call.tools:
        changes["tools"] = tools
        notes.append(Note("tools.strict", "lowered", "a schema does not fit strict mode"))
    return msgspec.structs.replace(call, **changes) if changes else call


def _loose(tool: Tool) -> bool:
    return bool(tool.strict) and not strict(tool.parameters or None)


_BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
     "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties"}
)  # fmt: skip


def unbounded(call: Call, notes: list[Note]) -> Call:
    """The call whose answer's schema, and those of strict tools, are without bounds, which a grammar can't hold: a model that
    reads them goes by them all the same, so that each stands in its description."""
    mender = Mender(_without_bounds)
    schema = call.response_schema and mender.mend(call.response_schema)
    tools = tuple(
        msgspec.structs.replace(t, parameters=mender.mend(t.parameters)) if t.strict else t
        for t in call.tools
    )
    if schema == call.response_schema and tools == call.tools:
        return call
    words = "this provider enforces no bounds of numbers, texts and lists: they are told in words"
    notes.append(Note("response_format", "reencoded", words))
    return msgspec.structs.replace(call, response_schema=schema, tools=tools)


def _without_bounds(schema: dict[str, Any]) -> None:
    gone = {word: schema.pop(word) for word in _BOUNDS & schema.keys()}
    if schema.get("minItems", 0) not in (0, 1):
        gone["minItems"] = schema.pop("minItems")
    if isinstance(options := schema.get("oneOf"), list):
        schema.setdefault("anyOf", options)
        del schema["oneOf"]
    if gone:
        told = ", ".join(f"{word}: {msgspec.json.encode(gone[word]).decode()}" for word in sorted(gone))
        said = schema.get("description")
        schema["description"] = f"{said} ({told})" if isinstance(said, str) and said else f"({told})"

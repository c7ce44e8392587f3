"""A client's own body with the few words in it changed that its provider would refuse; every other byte stays."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.shared.fields import guarded, raw_fields, value
from agent_marketplace.wires.shared.vocabulary import camel

_Fields = Mapping[str, msgspec.Raw]
_NULL = b"null"
_list = msgspec.json.Decoder(list[msgspec.Raw])


class Patch(msgspec.Struct, frozen=True):
    """user: another name for the client's user, None = its own. schemas: what tools take, by the names of those that change."""

    user: str | None = None
    schemas: Mapping[str, Mapping[str, Any]] = {}


def patched(body: bytes, wire: str, patch: Patch) -> bytes:
    """The body on its wire (openai, anthropic, gemini) with the patch. Raises BadRequest for a body that is none of that wire."""
    out: dict[str, Any] = dict(raw_fields(body))
    if patch.user is not None:
        if wire == "anthropic":
            out["metadata"] = {**raw_fields(bytes(out["metadata"])), "user_id": patch.user}
        else:
            out["user"] = patch.user
    if patch.schemas:
        out["tools"] = [
            _tool(raw_fields(bytes(tool)), wire, patch.schemas) for tool in _items(bytes(out["tools"]))
        ]
    return json.encode(out)


def _items(raw: bytes) -> list[msgspec.Raw]:
    return guarded(_list.decode, raw)


def _tool(tool: _Fields, wire: str, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    if wire == "anthropic":
        return _takes(tool, "input_schema", schemas)
    out: dict[str, Any] = dict(tool)
    for name, inner in tool.items():
        if bytes(inner) == _NULL:
            continue
        if wire == "openai" and name == "function":
            out[name] = _takes(raw_fields(bytes(inner)), "parameters", schemas)
        elif wire == "gemini" and camel(name) == "functionDeclarations":
            out[name] = [_declared(raw_fields(bytes(f)), schemas) for f in _items(bytes(inner))]
    return out


def _takes(tool: _Fields, field: str, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    called = value(tool["name"]) if "name" in tool else None
    return {**tool, field: schemas[called]} if isinstance(called, str) and called in schemas else tool


def _declared(function: _Fields, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of Google's two words for a schema, the one for JSON schemas: the other has a dialect of its own."""
    out = _takes(function, "parametersJsonSchema", schemas)
    if out is function:
        return out
    other = ("parameters", "parametersJsonSchema")
    return {k: v for k, v in out.items() if k == "parametersJsonSchema" or camel(k) not in other}

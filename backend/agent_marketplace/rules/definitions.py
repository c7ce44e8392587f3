"""PURE: what the tools on offer take (JSON schemas), in a form that a target takes. Providers refuse the whole request for one
tool's schema: one that is no plain object at its root, a list that does not say of what, words of older drafts.

What a schema says is kept as far as it can be said; linear in the schemas' size.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent_marketplace.rules.book import Traits
from agent_marketplace.wires.base import Call, Tool, ToolCallPart, ToolResultPart
from agent_marketplace.wires.notes import Note

_CHOICES = ("anyOf", "oneOf", "allOf")
_NOT_AT_THE_ROOT = frozenset({*_CHOICES, "enum", "const", "not", "$ref"})
_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_LISTS = frozenset({*_CHOICES, "prefixItems"})
_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_DEEPEST = 100
_MOST = 20_000
_LOCAL = re.compile(r"#/(\$defs|definitions|properties)/([^/]+)")
_MOST_REFS = 8
_MOST_NAMES = 100_000

Schema = Mapping[str, Any]


def fitted(call: Call, traits: Traits, notes: list[Note], *, own: bool) -> Call:
    """The call with the schemas of its tools as the target takes them. own: it came in the target's own wire."""
    found = call
    if traits.tools_named and not own and not call.tools and not call.plain:
        found = _named(call, notes)
    if traits.tool_schemas == "any" or not any(t.native is None and t.parameters for t in found.tools):
        return found
    mender, work = Mender(_current, *_OF.get(traits.tool_schemas, ())), Work()
    tools = tuple(_tool(tool, mender, work, bare=traits.tool_schemas == "object") for tool in found.tools)
    if all(a is b for a, b in zip(tools, found.tools, strict=True)):
        return found
    notes.append(Note("tools.parameters", "reencoded", "this provider takes other schemas of tools"))
    return msgspec.structs.replace(found, tools=tools)


def _named(call: Call, notes: list[Note]) -> Call:
    """The call with the tools that its history names, which the model is told not to call."""
    parts = [p for m in call.messages for p in m.parts if isinstance(p, ToolCallPart | ToolResultPart)]
    if not parts:
        return call
    names = dict.fromkeys(p.name for p in parts if isinstance(p, ToolCallPart))
    words = "this provider wants the tools that a history names: they are named, and not to be called"
    notes.append(Note("tools", "reencoded", words))
    tools = tuple(Tool(name, parameters={"type": "object", "properties": {}}) for name in names or ("tool",))
    return msgspec.structs.replace(call, tools=tools, tool_choice="none")


def _tool(tool: Tool, mender: "Mender", work: "Work", *, bare: bool) -> Tool:
    """bare: a tool without arguments may leave its `properties` out, as Claude takes it and OpenAI does not."""
    if tool.native is not None or not tool.parameters:
        return tool
    plain = bare and tool.parameters.get("type") == "object" and not _NOT_AT_THE_ROOT & tool.parameters.keys()
    made = mender.mend(tool.parameters if plain else rooted(tool.parameters, work))
    return tool if made == tool.parameters else msgspec.structs.replace(tool, parameters=made)


# -- at the root ------------------------------------------------------------------------------------------------------


class Work:
    """What may still be looked at for the tools of one call, counted in options and names (`_MOST_NAMES` of them): a schema's
    references can say much more than its bytes hold."""

    def __init__(self) -> None:
        self.left = _MOST_NAMES

    def spend(self, amount: int) -> None:
        """Raises _TooMuch where no more is left."""
        self.left -= amount
        if self.left < 0:
            raise _TooMuch


class _TooMuch(Exception):
    pass


def rooted(schema: Schema, work: Work | None = None) -> Schema:
    """A schema that is one object at its root: what is referred to there stands there, the fields of alternatives are its own.

    A field of several alternatives may be what it is in any of them; one that not all of them want is not wanted. A schema
    that is more than `work` allows stays as it is.
    """
    if schema.get("type") == "object" and "properties" in schema and not _NOT_AT_THE_ROOT & schema.keys():
        return schema
    root = _Root(schema, work or Work())
    try:
        wanted = root.gather(schema)
    except _TooMuch:
        return schema
    out = {k: v for k, v in root.followed(schema).items() if k not in _NOT_AT_THE_ROOT}
    out |= {
        "type": "object",
        "properties": {name: _any_of([*kinds.values()]) for name, kinds in root.fields.items()},
    }
    out.pop("required", None)
    if required := [name for name in wanted if name in root.fields]:
        out["required"] = required
    return out


class _Root:
    """What stands at a schema's root: the fields of all alternatives (by name, the kinds that each may be by their JSON), and
    each definition that is referred to read once."""

    def __init__(self, schema: Schema, work: Work) -> None:
        self.fields: dict[str, dict[bytes, Any]] = {}
        self._schema = schema
        self._work = work
        self._wanted: dict[str, frozenset[str]] = {}
        self._read: set[int] = set()  # objects of the schema, which outlives this

    def followed(self, schema: Schema) -> Schema:
        """The schema with what it refers to in place of the reference, without a copy of it."""
        chain: list[Any] = [schema]
        for _ in range(_MOST_REFS):
            match = _LOCAL.fullmatch(ref) if isinstance(ref := chain[0].get("$ref"), str) else None
            group = self._schema.get(match[1]) if match else None
            found = group.get(match[2]) if match and isinstance(group, Mapping) else None
            if not isinstance(found, Mapping):
                break
            chain.insert(0, found)
        return ChainMap(*chain) if len(chain) > 1 else schema

    def gather(self, schema: Schema) -> list[str]:
        """Adds the fields of the schema and of its alternatives; gives the names that every one of them wants. Raises
        _TooMuch."""
        if isinstance(ref := schema.get("$ref"), str):
            self._wanted[ref] = frozenset()
        return self._gather(self.followed(schema), _MOST_REFS)

    def _option(self, schema: Schema, depth: int) -> frozenset[str]:
        """As `gather`, for one alternative."""
        ref = schema.get("$ref")
        if not isinstance(ref, str):
            return frozenset(self._gather(schema, depth))
        if ref not in self._wanted:
            self._wanted[ref] = frozenset()  # while it is read: it may be part of itself
            self._wanted[ref] = frozenset(self._gather(self.followed(schema), depth))
        return self._wanted[ref]

    def _gather(self, schema: Schema, depth: int) -> list[str]:
        own = schema.get("properties")
        if isinstance(own, Mapping) and id(own) not in self._read:
            self._work.spend(len(own))
            self._read.add(id(own))
            for name, kind in own.items():
                self.fields.setdefault(name, {}).setdefault(_canonical(kind), kind)
        named = _texts(schema.get("required"))
        self._work.spend(len(named))
        wanted = dict.fromkeys(named)
        for word in _CHOICES if depth else ():
            options = schema.get(word)
            shared = self._shared(options, word, depth - 1) if isinstance(options, list) else frozenset()
            self._work.spend(len(shared))
            wanted |= dict.fromkeys(sorted(shared))
        return list(wanted)

    def _shared(self, options: list[Any], word: str, depth: int) -> frozenset[str]:
        """What all options want, each reference among them looked at once; for `allOf` what any of them wants."""
        shared: frozenset[str] | None = None
        seen: set[str] = set()
        self._work.spend(len(options))
        for option in options:
            if not isinstance(option, Mapping) or option.get("type", "object") != "object":
                continue
            if isinstance(ref := option.get("$ref"), str):
                if ref in seen:
                    continue
                seen.add(ref)
            names = self._option(option, depth)
            if shared is None:
                shared = names
            elif word == "allOf":
                self._work.spend(len(shared) + len(names))
                shared |= names
            else:
                self._work.spend(min(len(shared), len(names)))
                shared &= names
        return shared or frozenset()


def _canonical(kind: Any) -> bytes:
    return msgspec.json.encode(kind, order="sorted")


def _texts(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _any_of(kinds: list[Any]) -> Any:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


# -- anywhere ---------------------------------------------------------------------------------------------------------

_Way = Callable[[dict[str, Any]], None]
"""Changes one schema, whose inner ones have been changed already."""


class Mender:
    """Changes each schema inside a schema by each of the ways. What lies very deep stays as it is, and so does what comes behind
    the first 20,000: nobody else waits for a hostile one."""

    def __init__(self, *ways: _Way) -> None:
        self._ways = ways
        self._left = _MOST

    def mend(self, schema: Any, depth: int = 0) -> Any:
        """The schema, changed; what is no schema as it is."""
        if not isinstance(schema, Mapping) or depth > _DEEPEST or self._left <= 0:
            return schema
        self._left -= 1
        out = dict(schema)
        for word, value in schema.items():
            if word in _BY_NAME and isinstance(value, Mapping):
                out[word] = {name: self.mend(inner, depth + 1) for name, inner in value.items()}
            elif word in _ONE and isinstance(value, Mapping):
                out[word] = self.mend(value, depth + 1)
            elif isinstance(value, list) and (word in _LISTS or word == "items"):
                out[word] = [self.mend(inner, depth + 1) for inner in value]
        for way in self._ways:
            way(out)
        return out


def _current(schema: dict[str, Any]) -> None:
    """Words of earlier drafts in those of 2020-12, the one that providers check against."""
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(word), bool):
            exclusive = schema.pop(word)
            if exclusive and bound in schema:
                schema[word] = schema.pop(bound)
    if "required" in schema and not isinstance(schema["required"], list):
        del schema["required"]
    if isinstance(items := schema.get("items"), list):
        schema["items"] = {"anyOf": items} if items else {}


def _listed(schema: dict[str, Any]) -> None:
    """A list says of what it is."""
    kind = schema.get("type")
    if "items" not in schema and (kind == "array" or (isinstance(kind, list) and "array" in kind)):
        schema["items"] = {}


def _googles(schema: dict[str, Any]) -> None:
    """Google's subset: a reference stands alone, a constant is a list of one, and every list says of what it is."""
    if "$ref" in schema:
        for word in [w for w in schema if w[:1] != "$"]:
            del schema[word]
        return
    if "const" in schema:
        schema.setdefault("enum", [schema.pop("const")])
    kind = schema.get("type")
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        schema.setdefault("items", {"type": "string"})
        if schema["items"] == {}:
            schema["items"] = {"type": "string"}


_OF: Mapping[str, tuple[_Way, ...]] = {"listed": (_listed,), "google": (_googles,)}

"""A tool's schema that is made one object at its root says what its alternatives say, however cheaply they are read."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.rules.definitions import rooted

CHOICES = ("anyOf", "oneOf", "allOf")
DROPPED = {*CHOICES, "enum", "const", "not", "$ref"}


class Plain:
    """The same, without a thought for its cost: every set whole, every kind compared with every other."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self.fields: dict[str, list[Any]] = {}
        self.wanted: dict[str, list[str]] = {}

    def followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(8):
            match = re.fullmatch(r"#/(\$defs|definitions|properties)/([^/]+)", schema.get("$ref", ""))
            found = self.schema.get(match[1], {}).get(match[2]) if match else None
            if not isinstance(found, dict):
                return schema
            schema = {**{k: v for k, v in schema.items() if k != "$ref"}, **found}
        return schema

    def gather(self, schema: dict[str, Any], depth: int = 8) -> list[str]:
        ref = schema.get("$ref")
        if ref is None:
            return self.read(schema, depth)
        if ref not in self.wanted:
            self.wanted[ref] = []
            self.wanted[ref] = self.read(self.followed(schema), depth)
        return self.wanted[ref]

    def read(self, schema: dict[str, Any], depth: int) -> list[str]:
        for name, kind in schema.get("properties", {}).items():
            kinds = self.fields.setdefault(name, [])
            if kind not in kinds:
                kinds.append(kind)
        wanted = dict.fromkeys(schema.get("required", ()))
        for word in CHOICES if depth else ():
            options = [o for o in schema.get(word, ()) if o.get("type", "object") == "object"]
            if inner := [set(self.gather(o, depth - 1)) for o in options]:
                shared = set.union(*inner) if word == "allOf" else set.intersection(*inner)
                wanted |= dict.fromkeys(sorted(shared))
        return list(wanted)

    def made(self) -> dict[str, Any]:
        wanted = self.gather(self.schema)
        out = {k: v for k, v in self.followed(self.schema).items() if k not in DROPPED}
        kinds = {n: k[0] if len(k) == 1 else {"anyOf": k} for n, k in self.fields.items()}
        out |= {"type": "object", "properties": kinds}
        out.pop("required", None)
        if required := [name for name in wanted if name in self.fields]:
            out["required"] = required
        return out


NAMES = st.sampled_from("abc")
KINDS = st.sampled_from([{"type": "string"}, {"type": "integer"}, {"enum": ["x"], "type": "string"}, {}])
REFS = st.sampled_from(["#/$defs/A", "#/$defs/B", "#/$defs/C", "#/properties/a", "elsewhere"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    optional = {
        "type": st.sampled_from(["object", "object", "string"]),
        "properties": st.dictionaries(NAMES, st.one_of(KINDS, inner), max_size=2),
        "required": st.lists(NAMES, max_size=3),
        "$ref": REFS,
        "description": st.just("x"),
    }
    return st.fixed_dictionaries({}, optional=optional | dict.fromkeys(CHOICES, st.lists(inner, max_size=3)))


SCHEMA = st.recursive(schemas(st.just({})), schemas, max_leaves=6)
ROOT = st.builds(
    lambda schema, defs: {**schema, "$defs": defs}, SCHEMA, st.dictionaries(st.sampled_from("ABC"), SCHEMA)
)


@given(ROOT)
def test_a_schema_read_cheaply_says_nothing_but_what_its_alternatives_say(schema: dict[str, Any]) -> None:
    if schema.get("type") == "object" and "properties" in schema and not DROPPED & schema.keys():
        assert rooted(schema) is schema
    else:
        made = rooted(schema)
        assert made == Plain(schema).made()
        assert list(made.get("required", ())) == Plain(schema).made().get("required", [])

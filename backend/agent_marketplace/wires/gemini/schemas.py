"""Google's dialect of schemas as JSON schema."""

from typing import Any

from agent_marketplace.wires.shared.vocabulary import camel

_BY_NAME = ("properties", "defs", "$defs")
_SCHEMAS = ("items", "anyOf", "any_of", "prefixItems", "additionalProperties")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_UNSAID = ("nullable", "propertyOrdering", "example")


def lower_types(schema: Any) -> Any:
    """Google's schema dialect as JSON schema: `STRING`, `nullable`, names in snake_case, counts as texts (its 64 bit numbers)."""
    if isinstance(schema, list):
        return [lower_types(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        name = key if key[:1] == "$" else camel(key)
        if name in _BY_NAME and isinstance(value, dict):
            out[name] = {field: lower_types(kind) for field, kind in value.items()}
        elif name in _SCHEMAS:
            out[name] = lower_types(value)
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal():
            out[name] = int(value)
        elif name not in _UNSAID:
            out[name] = value
    if out.get("type") == "TYPE_UNSPECIFIED":
        del out["type"]
    if isinstance(out.get("type"), str):
        out["type"] = out["type"].lower()
        if schema.get("nullable") is True:
            out["type"] = [out["type"], "null"]
    return out

"""A client's body in a wire's own words, where it was written in nearly those."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_marketplace import json


def rewritten(body: bytes, meant: Callable[[Mapping[str, Any]], dict[str, Any]]) -> bytes:
    """The body with the object that `meant` makes of its own; itself where that changes nothing, or where it is no object."""
    try:
        given = json.decode(body)
    except ValueError:  # whoever reads it has the words for it
        return body
    if not isinstance(given, dict):
        return body
    made = meant(given)
    return body if made == given and _kinds(made) == _kinds(given) else json.encode(made)


def _kinds(fields: Mapping[str, Any]) -> list[type]:
    return [type(value) for value in fields.values()]  # 100.0 and 100 are equal

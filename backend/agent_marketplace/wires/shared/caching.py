"""Prompt-cache marks: Anthropic's `cache_control`, which OpenAI's clients send too where they know that Claude answers."""

from collections.abc import Mapping
from typing import Any

FIELD = "cache_control"
_LIVES = ("5m", "1h")


def read(value: Mapping[str, Any]) -> str:
    """The life of the mark on a part, a tool or a body; "" where there is none that is known."""
    mark = value.get(FIELD)
    if not isinstance(mark, Mapping) or mark.get("type") != "ephemeral":
        return ""
    life = mark.get("ttl", _LIVES[0])
    return life if life in _LIVES else ""


def taken(extra: dict[str, Any]) -> str:
    """As `read`, of a body's fields without a name of ours; the field is taken out of them."""
    life = read(extra)
    if life:
        del extra[FIELD]
    return life


def written(life: str) -> dict[str, Any]:
    """The mark beside other fields of a block; nothing for ""."""
    if not life:
        return {}
    return {FIELD: {"type": "ephemeral"} if life == _LIVES[0] else {"type": "ephemeral", "ttl": life}}

"""Families of models and their generations, read off a model's name wherever it stands in it."""

import re

NEWEST = (999, 0)
_END = r"(?=$|[^\d])"
_FAMILIES = {
    "claude": re.compile(r"claude-(?:(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?" + _END + ")?"),
    "deepseek": re.compile(r"deepseek-?(?:v?(\d{1,2})(?:[-.](\d{1,2}))?" + _END + ")?"),
    "gemini": re.compile(r"gemini-(?:(\d{1,2})(?:\.(\d{1,2}))?" + _END + ")?"),
    "glm": re.compile(r"glm-(?:(\d{1,2})(?:[.-](\d{1,2}))?" + _END + ")?"),
    "gpt": re.compile(r"(?<![a-z])gpt-(\d{1,2})(?:\.(\d{1,2}))?" + _END),
    "grok": re.compile(r"grok-(?:(\d{1,2})(?:[.-](\d{1,2}))?" + _END + ")?"),
    "kimi": re.compile(r"kimi-(?:k(\d{1,2})(?:\.(\d{1,2}))?" + _END + ")?"),
    "o": re.compile(r"(?:^|[/:_.])o(\d)(?=$|-)"),
}
FAMILIES = frozenset(_FAMILIES)


def generation(family: str, model: str) -> tuple[int, int] | None:
    """(major, minor) of a model in lower case, or None if it is not of that family. A name without a number (an alias such as
    `claude-latest`) counts as the newest. Raises KeyError for a family that is not one of `FAMILIES`."""
    found = _FAMILIES[family].search(model)
    if found is None:
        return None
    groups = found.groups()
    if groups[0] is None:
        return NEWEST
    return int(groups[0]), int((groups[1] if len(groups) > 1 else None) or 0)


def number(text: str) -> tuple[int, int]:
    """`4.7` as (4, 7). Raises ValueError."""
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)

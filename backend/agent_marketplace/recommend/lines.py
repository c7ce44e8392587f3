"""Which line a model belongs to (maker, family, tier) and its place in it: `gpt-6.1-sol` follows `gpt-5.6-sol`. Pure.

A line is what remains of an id without its version, its date and words that name no tier; `_LINES` joins lines that a maker
renamed. Sizes (`70b`, `a3b`) are tiers. A version is compared number by number, a date (`-0731`, `-2507`) after it.
"""

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from agent_marketplace.catalog import AIModel


class Place(NamedTuple):
    """Where a model stands: its line, its version in it, and the date in its name (yyyymmdd or mmdd; 0: none)."""

    maker: str
    line: str
    version: tuple[int, ...]
    dated: int


_NO_TIER = frozenset({
    "preview", "latest", "instruct", "chat", "it", "hf", "exp", "reasoning", "thinking", "terminus", "base", "model", "api",
    "fp8", "beta",
})  # fmt: skip
_LINES: Mapping[tuple[str, str], str] = {
    ("openai", "gpt"): "gpt sol",
    ("openai", "gpt codex"): "gpt sol",
    ("openai", "gpt codex max"): "gpt sol",
    ("openai", "gpt mini"): "gpt terra",
    ("openai", "gpt nano"): "gpt luna",
    ("google", "gemini argon"): "gemini pro",
    ("google", "gemini"): "gemini pro",
    ("moonshotai", "kimi k pro"): "kimi k",
    ("moonshotai", "kimi k code"): "kimi k",
    ("deepseek", "deepseek v"): "deepseek v flash",
    ("deepseek", "deepseek chat"): "deepseek v flash",
    ("deepseek", "deepseek flash"): "deepseek v flash",
    ("xai", "grok code fast"): "grok build",
    ("alibaba", "qwq plus"): "qwen plus",
}
"""Renamed tiers: what a maker called it -> what it is called now."""

_VERSIONS: Mapping[str, tuple[int, ...]] = {"4.20": (4, 2), "4o": (4,)}
"""Spellings that are no plain numbers: xAI's 4.20 stands between 4.1 and 4.3, OpenAI's 4o is its fourth."""

_SIZE = re.compile(r"(?:\d+(?:\.\d+)?|a\d+(?:\.\d+)?|e\d+)[bmt]|\d+x\d+b|\d+e|\d+k")
_DATE = re.compile(r"20\d\d-?[01]\d-?[0-3]\d|(?:0\d|1[0-2])[0-3]\d|2[3-7](?:0\d|1[0-2])")


@functools.lru_cache(maxsize=8192)
def place(maker: str, model_id: str) -> Place:
    """The place that an id names. An id without a number has the version ()."""
    words: list[str] = []
    version: list[int] = []
    dated = 0
    name = re.sub(r"(?<=\d)_(?=\d)", ".", model_id.lower())
    for part in re.split(r"[-_ :/]+", re.sub(r"20(\d\d)-([01]\d)-([0-3]\d)", r"20\1\2\3", name)):
        if _SIZE.fullmatch(part):
            words.append(part)
        elif _DATE.fullmatch(part):
            dated = int(part)
        elif part in _VERSIONS:
            version += _VERSIONS[part]
        elif part.isdigit() and len(version) < 3:
            version.append(int(part))
        elif (found := re.fullmatch(r"([a-z]*?)(\d{1,2}(?:\.\d{1,3})*)([a-z]*)", part)) and len(version) < 3:
            version += [int(n) for n in found[2].split(".")]
            words += [w for w in (found[1], found[3]) if w and w not in _NO_TIER]
        elif part and part not in _NO_TIER:
            words.append(part)
    line = " ".join(words)
    return Place(maker, _LINES.get((maker, line), line), tuple(version), dated)


def of(model: AIModel) -> Place:
    """The place of a card."""
    return place(model.maker, model.id)


def age_key(model: AIModel) -> tuple[tuple[int, ...], str, int]:
    """Sorts the models of one line from old to new: version, then the day of release, then the date in the name."""
    found = of(model)
    return found.version, model.released_on or "", found.dated


def newer(a: AIModel, b: AIModel) -> bool:
    """Whether `a` follows `b` in the same line; models of no version are in no order."""
    x, y = of(a), of(b)
    if (x.maker, x.line) != (y.maker, y.line) or not x.maker or a.id == b.id:
        return False
    if not (x.version and y.version):
        return x.version == y.version and 0 < y.dated < x.dated
    if x.version != y.version:
        return x.version > y.version
    if a.released_on and b.released_on and a.released_on != b.released_on:
        return a.released_on > b.released_on
    return x.dated > y.dated

"""PURE: whether an answer says whose it is: then the vote was not blind and does not count."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent_marketplace.arena.types import Comparison


def names_itself(found: Comparison, names: Mapping[str, Sequence[str]]) -> bool:
    """Whether an answer holds a name of one of the compared models or its maker that the question does not hold.

    names: model id -> its name, family and maker
    """
    told = {
        name.casefold() for answer in found.answers for name in names.get(answer.model, ()) if len(name) > 2
    }
    asked = " ".join(_texts(found.messages)).casefold()
    given_away = [name for name in told if not _holds(asked, name)]
    return any(_holds(answer.content.casefold(), name) for answer in found.answers for name in given_away)


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        if not value.startswith("data:"):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)

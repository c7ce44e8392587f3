"""What a model is asked where the head and the encoder are unsure of the kind of task, and what its answer says. Pure.

Off unless the operator wants it (`MARKETPLACE_SETTLE_TYPES`); who makes the call and what it costs is not known here.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

CHARACTERS = 1_500
ANSWER_TOKENS = 16
CONFIDENCE = 0.8
"""What is believed of such an answer: an assumption, no measurement."""

KINDS = {
    "debugging": "find or fix a fault", "code_generation": "write new code", "code_review": "judge existing code",
    "documentation": "write documentation", "explain_concept": "explain something", "brainstorming": "ideas, marketing, stories, letters",
    "summarisation": "shorten a text", "translation": "translate", "data_extraction": "pull facts or labels out of texts",
    "maths": "a calculation or proof", "vision": "look at a picture", "tool_use": "look up today's facts, or act through tools",
    "quick_task": "a short factual answer",
}  # fmt: skip
_LABEL = re.compile(r"[a-z]+(?:_[a-z]+)?")


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said. cost_nano: what the asker's wallet paid for it now (0: it was remembered); request_id: of its receipt."""

    kind: str
    model: str
    cost_nano: int
    request_id: str


Ask = Callable[[str], Awaitable[Opinion | None]]
"""Asks about a request's own words. None: nobody answered in time, for so little money, or with one of KINDS."""


def question(asked: str) -> str:
    """The prompt. asked: the words that ask; the request's first CHARACTERS are given, as material."""
    kinds = "\n".join(f"{name}: {means}" for name, means in KINDS.items())
    return (
        f"Name the one kind of task that fits the request between the lines best. Do not do the task.\n{kinds}\n"
        f"---\n{asked[:CHARACTERS]}\n---\nAnswer with the kind's name only."
    )


def kind_of(answer: str) -> str | None:
    """The kind that an answer names; None unless it names exactly one."""
    named = {word for word in _LABEL.findall(answer[:400].lower()) if word in KINDS}
    return named.pop() if len(named) == 1 else None


def shown(opinion: Opinion | None, dollars: Callable[[int], Any]) -> dict[str, Any] | None:
    """As in the reply."""
    if opinion is None:
        return None
    return {
        "type": opinion.kind,
        "model_id": opinion.model,
        "cost": dollars(opinion.cost_nano),
        "request_id": opinion.request_id,
    }

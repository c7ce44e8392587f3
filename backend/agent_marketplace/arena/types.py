"""What goes into and comes out of comparisons. Money in nano-dollars, times in ms since the epoch."""

from typing import Any, Literal

import msgspec

SIDES = ("a", "b", "c", "d")
CRITERIA = ("accuracy", "completeness", "clarity", "brevity", "instructions")
TIE, BOTH_BAD = "tie", "both_bad"
WAITS_MS = 86_400_000
"""How long a blind comparison waits for its vote: after a day it is open, so that the account's books do not stay veiled."""
# running: on its way; partial: it ended early and what came is kept.
Status = Literal["ok", "running", "partial", "failed"]


class NewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One side as it begins. asked: a model or an agent; model, provider: what answers; request_id: of its receipt, "": a run
    of an agent has one of its own."""

    side: str
    asked: str
    model: str
    run_id: str
    request_id: str
    provider: str = ""
    status: Status = "running"
    extra: dict[str, Any] = {}


class Answer(NewAnswer, frozen=True, kw_only=True):
    """One side as it is. extra: usage, timings, finish_reason, error, reasoning: sealed with the content."""

    content: str = ""
    cost_nano: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer ended. model, provider: None keeps what was stored."""

    content: str
    status: Status
    cost_nano: int
    model: str | None = None
    provider: str | None = None
    extra: dict[str, Any] = {}


class NewComparison(msgspec.Struct, frozen=True, kw_only=True):
    """messages: of the question, as they were sent; parameters: of every call."""

    comparison_id: str
    blind: bool
    task: str
    messages: list[Any]
    parameters: dict[str, Any] = {}
    after_id: str | None = None


class Comparison(NewComparison, frozen=True, kw_only=True):
    """A stored comparison. vote: a side, `tie`, `both_bad`; veiled: whose answer is whose is not told yet.

    readable False: its key is gone, the texts are empty.
    """

    created_at: int
    veiled: bool
    vote: str | None
    criteria: tuple[str, ...]
    reason: str
    voted_at: int | None
    revealed_at: int | None
    answers: tuple[Answer, ...]
    readable: bool = True

    def answer(self, side: str) -> Answer | None:
        """The answer of a side."""
        return next((a for a in self.answers if a.side == side), None)

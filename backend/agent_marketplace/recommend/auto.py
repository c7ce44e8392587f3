"""`model: "auto"`: which models to try, in order, and why. Pure, and it answers for every input."""

import fnmatch
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from agent_marketplace.recommend.difficulty import is_chatter
from agent_marketplace.recommend.question import Choice
from agent_marketplace.recommend.reasons import money
from agent_marketplace.recommend.scoring import Candidate, Priority, choose, is_demo
from agent_marketplace.recommend.tasks import Analysis

ATTEMPTS = 4
STICKY_LOSS = 8.0
"""A conversation keeps its model unless the best one for the new turn is this many points better."""

_SORTS: dict[str | None, Priority] = {"price": "cost", "throughput": "speed", "latency": "speed"}
_REMEMBERED = 10_000


class Wishes(Protocol):
    """The caller's routing fields, as far as `auto` reads them. Prices: nano-dollars (max_price_*: per million tokens)."""

    @property
    def only(self) -> Collection[str]: ...
    @property
    def ignore(self) -> Collection[str]: ...
    @property
    def sort(self) -> str | None: ...
    @property
    def byok(self) -> str: ...
    @property
    def max_price_input(self) -> int | None: ...
    @property
    def max_price_output(self) -> int | None: ...
    @property
    def max_cost(self) -> int | None: ...
    @property
    def session_id(self) -> str | None: ...
    @property
    def auto_allow(self) -> Collection[str]: ...
    @property
    def auto_exclude(self) -> Collection[str]: ...
    @property
    def cost_tier(self) -> int | None: ...


class Message(Protocol):
    """A message of the canonical call; parts with `text` are read."""

    @property
    def role(self) -> str: ...
    @property
    def parts(self) -> Sequence[Any]: ...


class Call(Protocol):
    """The canonical call."""

    @property
    def messages(self) -> Sequence[Message]: ...
    @property
    def max_tokens(self) -> int | None: ...
    @property
    def reasoning_effort(self) -> str | None: ...


class CallNeeds(Protocol):
    """What the gateway read off the call."""

    @property
    def tools(self) -> bool: ...
    @property
    def images(self) -> bool: ...
    @property
    def structured(self) -> bool: ...
    @property
    def reasoning(self) -> bool: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int | None: ...


def allowed(candidate: Candidate, wishes: Wishes, *, at_any_cost: bool = False) -> bool:
    """Whether the caller's constraints on models, providers and prices let this offer through. at_any_cost: without `max_cost`."""
    offer = candidate.offer
    names = (candidate.model.id, f"{candidate.model.maker}/{candidate.model.id}")
    if wishes.auto_allow and not _matches(names, wishes.auto_allow):
        return False
    if _matches(names, wishes.auto_exclude):
        return False
    if wishes.only and offer.provider not in wishes.only:
        return False
    if offer.provider in wishes.ignore or (wishes.byok == "only" and not candidate.own_key):
        return False
    if not at_any_cost and wishes.max_cost is not None and candidate.list_cost.p95 > wishes.max_cost:
        return False
    if offer.price is None:
        return True
    dear_input = wishes.max_price_input is not None and offer.price.input > wishes.max_price_input
    return not dear_input and (
        wishes.max_price_output is None or offer.price.output <= wishes.max_price_output
    )


def _matches(names: Sequence[str], patterns: Collection[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)


def priority_of(wishes: Wishes) -> Priority:
    """`sort`, else the dial from 0 (cheapest) to 10 (best), else balanced."""
    if wishes.cost_tier is not None and wishes.sort is None:
        return "cost" if wishes.cost_tier <= 3 else "balanced" if wishes.cost_tier <= 7 else "quality"
    return _SORTS.get(wishes.sort, "balanced")


def order(
    candidates: Sequence[Candidate], analysis: Analysis, wishes: Wishes, sticky: str | None = None
) -> list[Choice]:
    """What to try, the first first; the conversation's own model first while it is good enough."""
    picks = choose(candidates, priority_of(wishes), analysis.type, ATTEMPTS, analysis.difficulty)
    if not picks:
        return []
    best = picks[0].candidate
    chosen = [p.candidate for p in picks]
    kept = next((c for c in candidates if c.model.id == sticky), None)
    if (
        kept is not None
        and not is_demo(kept.model)
        and kept.quality.points >= best.quality.points - STICKY_LOSS
    ):
        chosen = [kept, *(c for c in chosen if c.model.id != sticky)][:ATTEMPTS]
    return [Choice(c.model.id, _why(c, analysis, kept=c.model.id == sticky), c.effort) for c in chosen]


def _why(c: Candidate, analysis: Analysis, *, kept: bool) -> str:
    if is_demo(c.model):
        return "the only model that can answer here"
    task = analysis.type.replace("_", " ")
    lead = (
        "this conversation's model"
        if kept
        else f"best fit for {task}" + (" (unsure)" if analysis.uncertain else "")
    )
    effort = f"; {c.effort} effort" if c.effort not in (None, "none") else ""
    return f"{lead}{effort}; {c.quality.why}; about {money(c.list_cost.p50)} a call"


def last_text(call: Call) -> str:
    """The newest words of the user that ask something: "ok thanks" is about what was asked before it."""
    newest = ""
    for message in reversed(call.messages):
        if message.role == "user":
            text = "\n".join(t for part in message.parts if (t := getattr(part, "text", "")))
            newest = newest or text
            if text and not is_chatter(text):
                return text
    return newest


def conversation_key(user_id: str, wishes: Wishes) -> str | None:
    """The caller's session under the caller's way of choosing; a conversation without an id is not remembered."""
    if not wishes.session_id:
        return None
    return f"{user_id}/{wishes.session_id}/{priority_of(wishes)}"


class Memory:
    """Which model a conversation had; the 10,000 most recent ones of this process."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, str] = OrderedDict()

    def get(self, key: str | None) -> str | None:
        return None if key is None else self._models.get(key)

    def put(self, key: str | None, model_id: str) -> None:
        if key is None:
            return
        self._models[key] = model_id
        self._models.move_to_end(key)
        while len(self._models) > _REMEMBERED:
            self._models.popitem(last=False)

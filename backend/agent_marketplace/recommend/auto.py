"""`model: "auto"`: which models to try, in order, and why. Pure, and it answers for every input."""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Protocol

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


def allowed(candidate: Candidate, wishes: Wishes) -> bool:
    """Whether the caller's constraints on providers and prices let this offer through."""
    offer = candidate.offer
    if wishes.only and offer.provider not in wishes.only:
        return False
    if offer.provider in wishes.ignore or (wishes.byok == "only" and not candidate.own_key):
        return False
    if wishes.max_cost is not None and candidate.list_cost.p95 > wishes.max_cost:
        return False
    if offer.price is None:
        return True
    dear_input = wishes.max_price_input is not None and offer.price.input > wishes.max_price_input
    return not dear_input and (
        wishes.max_price_output is None or offer.price.output <= wishes.max_price_output
    )


def order(
    candidates: Sequence[Candidate], analysis: Analysis, wishes: Wishes, sticky: str | None = None
) -> list[tuple[str, str]]:
    """(model id, why), the first to be tried first; the conversation's own model first while it is good enough."""
    picks = choose(candidates, _SORTS.get(wishes.sort, "balanced"), analysis.type, ATTEMPTS)
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
    return [(c.model.id, _why(c, analysis, kept=c.model.id == sticky)) for c in chosen]


def _why(c: Candidate, analysis: Analysis, *, kept: bool) -> str:
    if is_demo(c.model):
        return "the only model that can answer here"
    task = analysis.type.replace("_", " ")
    lead = (
        "this conversation's model"
        if kept
        else f"best fit for {task}" + (" (unsure)" if analysis.uncertain else "")
    )
    return f"{lead}; {c.quality.why}; about {money(c.list_cost.p50)} a call"


def last_text(call: Call) -> str:
    """The newest words of the user; earlier turns only name the conversation."""
    for message in reversed(call.messages):
        if message.role == "user":
            text = "\n".join(t for part in message.parts if (t := getattr(part, "text", "")))
            if text:
                return text
    return ""


def conversation_key(user_id: str, call: Call, wishes: Wishes) -> str:
    """The caller's session, else the digest of the first user message: every turn of a conversation carries it."""
    if wishes.session_id:
        return f"{user_id}/s/{wishes.session_id}"
    first = next((m for m in call.messages if m.role == "user"), None)
    words = "\n".join(str(getattr(p, "text", "")) for p in first.parts) if first is not None else ""
    return f"{user_id}/m/{hashlib.sha256(words.encode(errors='replace')).hexdigest()}"


class Memory:
    """Which model a conversation had; the 10,000 most recent ones of this process."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, str] = OrderedDict()

    def get(self, key: str) -> str | None:
        return self._models.get(key)

    def put(self, key: str, model_id: str) -> None:
        self._models[key] = model_id
        self._models.move_to_end(key)
        while len(self._models) > _REMEMBERED:
            self._models.popitem(last=False)

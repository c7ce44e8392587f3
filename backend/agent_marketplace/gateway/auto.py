"""`model: "auto"`: which models to try for a call, in order, and why. It answers for every input.

The engine (`recommend`) finds and judges models; here stand what a call asks for, its caller's limits and the conversation's model.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.preferences import Preferences, called
from agent_marketplace.recommend import needs as filters
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.difficulty import is_chatter
from agent_marketplace.recommend.question import Choice, Request, Wallet
from agent_marketplace.recommend.reasons import money
from agent_marketplace.recommend.scoring import Candidate, Priority, choose, is_demo
from agent_marketplace.recommend.tasks import Analysis
from agent_marketplace.wires.base import Call, TextPart

log = logging.getLogger(__name__)

ATTEMPTS = 4
STICKY_LOSS = 8.0
"""A conversation keeps its model unless the best one for the new turn is this many points better."""

_SORTS: dict[str | None, Priority] = {"price": "cost", "throughput": "speed", "latency": "speed"}
_REMEMBERED = 10_000


def allowed(candidate: Candidate, wishes: Preferences, *, at_any_cost: bool = False) -> bool:
    """Whether the caller's constraints on models, providers and prices let this offer through. at_any_cost: without `max_cost`."""
    offer = candidate.offer
    if wishes.auto_allow and not called(candidate.model, wishes.auto_allow):
        return False
    if called(candidate.model, wishes.auto_exclude):
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


def priority_of(wishes: Preferences) -> Priority:
    """`sort`, else the dial from 0 (cheapest) to 10 (best), else balanced."""
    if wishes.cost_tier is not None and wishes.sort is None:
        return "cost" if wishes.cost_tier <= 3 else "balanced" if wishes.cost_tier <= 7 else "quality"
    return _SORTS.get(wishes.sort, "balanced")


def order(
    candidates: Sequence[Candidate], analysis: Analysis, wishes: Preferences, sticky: str | None = None
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
            text = "\n".join(p.text for p in message.parts if isinstance(p, TextPart) and p.text)
            newest = newest or text
            if text and not is_chatter(text):
                return text
    return newest


def conversation_key(user_id: str, wishes: Preferences) -> str | None:
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


class Auto:
    """Chooses with the engine, and remembers which model a conversation had."""

    def __init__(self, engine: RecommendationEngine) -> None:
        self._engine = engine
        self._memory = Memory()

    def choose(
        self, user_id: str, call: Call, wants: Needs, wishes: Preferences, wallet: Wallet
    ) -> list[Choice]:
        """`model: "auto"`: what to try, the first first. Never raises; empty only if nothing could answer."""
        try:
            return self._choose(user_id, call, wants, wishes, wallet)
        except Exception:  # a fault of ours must not fail a call: fall back to popularity
            log.exception("auto: could not choose; taking the most popular models")
            found = [
                m
                for m in self._engine.registry.get_all_models()
                if m.is_available and filters.answers_text(m)
            ]
            found.sort(key=is_demo)
            return [
                Choice(m.id, "the most popular model here: choosing by task failed") for m in found[:ATTEMPTS]
            ]

    def _choose(
        self, user_id: str, call: Call, wants: Needs, wishes: Preferences, wallet: Wallet
    ) -> list[Choice]:
        analysis = self._engine.analysed(last_text(call), input_tokens=wants.input_tokens)
        required = (
            ("tools", wants.tools),
            ("structured_output", wants.structured),
            ("reasoning", wants.reasoning),
        )
        needs = filters.Needs(
            input_tokens=wants.input_tokens,
            output_tokens=wants.output_tokens or 0,
            names=frozenset(name for name, asked in required if asked),
            vision=wants.images,
        )
        request = Request(
            analysis=analysis,
            needs=needs,
            wallet=wallet,
            priority=priority_of(wishes),
            max_cost_nano=wishes.max_cost,
            output_tokens=analysis.wanted_output_tokens,
            effort=call.reasoning_effort,
            user_id=user_id,
        )
        usable, blocked = self._engine.candidates(request)
        key = conversation_key(user_id, wishes)
        fitting = [c for c in usable if allowed(c, wishes)]
        ordered = order(fitting, analysis, wishes, self._memory.get(key))
        if ordered:
            self._memory.put(key, ordered[0].model)
            return ordered
        if (
            wishes.max_cost is not None
        ):  # what only the cap rules out is tried, so that the refusal names the cap
            usable, _ = self._engine.candidates(msgspec.structs.replace(request, max_cost_nano=None))
            dearer = [c for c in usable if allowed(c, wishes, at_any_cost=True)]
            if dearer:
                return order(sorted(dearer, key=lambda c: c.list_cost.p95)[:1], analysis, wishes)
        lacking = [b.candidate for b in blocked if allowed(b.candidate, wishes)]
        return order(lacking, analysis, wishes)

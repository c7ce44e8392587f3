"""Which models can answer a request, each with the effort that suits it best; what the others lack. Pure."""

import math
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from agent_marketplace.catalog import AIModel, MarketplaceRegistry, Offer
from agent_marketplace.ledger import Price
from agent_marketplace.recommend import efforts, hosting, lines
from agent_marketplace.recommend import needs as filters
from agent_marketplace.recommend.difficulty import relative
from agent_marketplace.recommend.estimate import (
    CostRange,
    Lengths,
    expected_cost,
    result_cost,
    result_lengths,
)
from agent_marketplace.recommend.quality import Quality, QualityTable
from agent_marketplace.recommend.question import Blocked, Request
from agent_marketplace.recommend.reasons import money
from agent_marketplace.recommend.scoring import EASY, Candidate, seconds_for, utility

Lengthener = Callable[[AIModel, Request, str | None], Lengths]
Judge = Callable[[AIModel, str, str | None], Quality]
NEAREST = 3
TRIVIAL = 0.5
"""Requests this much easier than is usual for their task need no hard thinking."""

RESULT_SECONDS = {"image": 15.0, "video": 90.0, "speech": 10.0, "embedding": 1.0, "rerank": 1.0}
"""Guesses: nobody publishes how long results that are no text take."""

WIDEST = 1_500
"""Models that are compared for one question, twice what ships: a thousand take a tenth of a second."""

WORSE = 1.5
"""Points by which a measured successor must be worse for its predecessor to stay a pick."""


_UNKNOWN = {
    "not known whether": "whether data is used for training",
    "not known where": "the region",
    "nobody says how much it reads": "the context",
    "nobody says how much it writes": "how long an answer may be",
}


class Near(msgspec.Struct, frozen=True):
    """A model that does not fit, and everything that it breaks."""

    candidate: Candidate
    breaks: tuple[str, ...]


class Found(msgspec.Struct, frozen=True):
    """usable: can be called and paid now; blocked: lack a key or money; unknown: what nobody says -> how many models it cost."""

    usable: list[Candidate]
    blocked: list[Blocked]
    unknown: dict[str, int]


class Selection:
    """One request against the whole catalogue."""

    def __init__(
        self,
        registry: MarketplaceRegistry,
        quality: QualityTable,
        judge: Judge,
        lengths: Lengthener,
        request: Request,
        today: date,
    ) -> None:
        self._registry, self._quality, self._judge, self._lengths = registry, quality, judge, lengths
        self._request, self._today = request, today

    def run(self) -> Found:
        """Every model that meets the needs; a model whose successor is usable and no dearer is none of them."""
        usable: list[Candidate] = []
        blocked: list[Blocked] = []
        unknown: dict[str, int] = {}
        for model in self._models():
            if next(filters.unfit(model, self._request.needs), None) is not None:
                continue
            lacking = [
                (o, filters.lacks(o, self._request.needs, self._today, model.context_window))
                for o in self._registry.offers(model.id)
            ]
            found = self._first_usable(model, [o for o, lack in lacking if lack is None])
            if isinstance(found, Candidate):
                usable.append(found)
            elif found is not None:
                blocked.append(found)
            for said in {_unknown_fact(lack) for _, lack in lacking if lack} - {""} if found is None else ():
                unknown[said] = unknown.get(said, 0) + 1
        return Found(self._undominated(usable), blocked, unknown)

    def nearest(self) -> list[Near]:
        """Where nothing fits: the models that break least, the best first; a missing key is something broken too."""
        near: list[Near] = []
        for model in self._models():
            own = tuple(filters.unfit(model, self._request.needs))
            ways = [
                n for o in self._registry.offers(model.id) if (n := self._near(model, o, own)) is not None
            ]
            if ways and all(n.breaks for n in ways):
                near.append(min(ways, key=lambda n: (len(n.breaks), n.candidate.list_cost.p50)))
        near.sort(
            key=lambda n: (len(n.breaks), self._excess(n), -n.candidate.quality.points, n.candidate.model.id)
        )
        return near[:NEAREST]

    def _excess(self, n: Near) -> int:
        """How far beyond the cap or the deadline, in doublings; what runs elsewhere is further off than what lacks a key."""
        request, c = self._request, n.candidate
        over = 1.0
        if request.max_cost_nano is not None:
            over = max(over, c.list_cost.p95 / max(1, request.max_cost_nano))
        if request.deadline_s is not None:
            over = max(over, c.seconds / request.deadline_s)
        far = request.needs.local and c.offer.provider not in hosting.HERE
        return round(math.log2(over)) + 10 * far

    def _models(self) -> list[AIModel]:
        """Of a very large catalogue the most popular, those with public results, and those that are named."""
        return [
            m
            for place, m in enumerate(self._registry.get_all_models())
            if not m.retired
            and (
                place < WIDEST or m.id in self._request.needs.models or self._quality.result(m.id) is not None
            )
            and filters.gives(m, self._request.needs.output)
            and not filters.old_experiment(m, self._today)
        ]

    def _near(self, model: AIModel, offer: Offer, own: tuple[str, ...]) -> Near | None:
        if offer.price is None:
            return None
        request = self._request
        options = [self._candidate(model, offer, offer.price, e) for e in self._options(model)]
        hurried = request.deadline_s is not None
        candidate = min(options, key=lambda c: (c.seconds if hurried else c.list_cost.p50, c.list_cost.p50))
        breaks = [*own, *filters.unmet(offer, request.needs, self._today, model.context_window)]
        if not candidate.own_key and (reason := self._registry.unavailable_reason(offer)) is not None:
            breaks.append(reason)
        if not request.within(candidate.list_cost):
            breaks.append(f"it may cost {money(candidate.list_cost.p95)} a call")
        if request.deadline_s is not None and candidate.seconds > request.deadline_s:
            breaks.append(f"a whole answer takes about {candidate.seconds:.0f} s")
        short = self._missing_money(candidate)
        return Near(candidate, tuple(dict.fromkeys([*breaks, *([short] if short else [])])))

    def _undominated(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Without those that a newer model of the same line replaces: usable as well, no dearer per token, no worse."""
        by_line: dict[tuple[str, str], list[Candidate]] = {}
        for c in candidates:
            by_line.setdefault(lines.of(c.model)[:2], []).append(c)
        return [
            c for c in candidates if not any(self._replaces(o, c) for o in by_line[lines.of(c.model)[:2]])
        ]

    def _replaces(self, new: Candidate, old: Candidate) -> bool:
        if not lines.newer(new.model, old.model) or not _no_dearer(new, old):
            return False
        task = self._request.analysis.type
        # At the effort of their results: the efforts that were chosen need not be the same.
        return self._judge(new.model, task, None).points >= self._judge(old.model, task, None).points - WORSE

    def _first_usable(self, model: AIModel, offers: Sequence[Offer]) -> Candidate | Blocked | None:
        """The first offer that can be called and paid, own keys first; else what stands in the way of the first one."""
        blocked: Blocked | None = None
        own_keys = self._request.wallet.own_keys
        for offer in sorted(offers, key=lambda o: o.provider not in own_keys):
            if offer.price is None:
                continue  # nobody can say what it would cost, not even on an own key: no range, no cap and no "cheapest" would be true
            own_key = offer.provider in own_keys
            reason = None if own_key else self._registry.unavailable_reason(offer)
            if reason is not None and blocked is not None:
                continue
            fitting = [
                c
                for e in self._options(model)
                if self._fits(c := self._candidate(model, offer, offer.price, e))
            ]
            if not fitting:
                continue
            paid = [c for c in fitting if self._missing_money(c) is None]
            best = self._best(paid or fitting)
            missing = reason or self._missing_money(best)
            if missing is None:
                return best
            blocked = blocked or Blocked(best, missing)
        return blocked

    def _fits(self, c: Candidate) -> bool:
        request = self._request
        if not request.within(c.list_cost):
            return False
        return request.deadline_s is None or c.seconds <= request.deadline_s

    def _best(self, candidates: Sequence[Candidate]) -> Candidate:
        """The effort that is worth most to this user."""
        task, priority = self._request.analysis, self._request.priority
        return max(
            candidates, key=lambda c: (utility(c, priority, task.type, task.difficulty), -c.list_cost.p50)
        )

    def _options(self, model: AIModel) -> tuple[str | None, ...]:
        asked = self._request.effort
        offered = efforts.offered(model, self._quality.basis(model).measured)
        if self._request.needs.output != "text":
            return (None,)
        if asked is not None:
            return (asked,) if efforts.thinks(model) else (None,)
        if "reasoning" in self._request.needs.names:
            return tuple(e for e in offered if e != "none") or (None,)
        analysis, trivial = self._request.analysis, self._request.priority != "quality"
        if trivial and analysis.type in EASY:
            offered = (
                tuple(e for e in offered if e is None or efforts.factor(e) <= efforts.factor("high"))
                or offered
            )
        if trivial and relative(analysis.difficulty, analysis.type) <= TRIVIAL:
            return tuple(e for e in offered if e is None or efforts.factor(e) <= efforts.factor("low"))
        return offered

    def _candidate(self, model: AIModel, offer: Offer, price: Price, effort: str | None) -> Candidate:
        analysis = self._request.analysis
        own_key = offer.provider in self._request.wallet.own_keys
        told = effort
        if told is None and self._quality.basis(model).measured:
            told = efforts.usual(model) or "none"
        output = self._request.needs.output
        lengths = (
            self._lengths(model, self._request, effort)
            if output == "text"
            else result_lengths(output, self._request.output_tokens, analysis.input_tokens)
        )
        cost = (
            expected_cost(price, analysis.input_tokens, lengths)
            if output == "text"
            else result_cost(price, analysis.input_tokens, output, lengths)
        )
        return Candidate(
            model=model,
            offer=offer,
            quality=self._judge(model, analysis.type, told),
            lengths=lengths,
            cost=CostRange(0, 0) if own_key else cost,
            list_cost=cost,
            seconds=seconds_for(model, lengths) if output == "text" else RESULT_SECONDS[output],
            own_key=own_key,
            effort=effort,
        )

    def _missing_money(self, candidate: Candidate) -> str | None:
        available = self._request.wallet.available_nano
        if available is not None and candidate.cost.p95 > max(0, available):
            return f"{money(candidate.cost.p95 - max(0, available))} more in the wallet"
        return None


def _no_dearer(new: Candidate, old: Candidate) -> bool:
    """By the offers that were chosen, or by the cards: per token of output, and of a usual mix."""
    return any(
        a is not None
        and b is not None
        and a.output <= b.output
        and 3 * a.input + a.output <= 3 * b.input + b.output
        for a, b in ((new.offer.price, old.offer.price), (new.model.price, old.model.price))
    )


def _unknown_fact(lack: str | None) -> str:
    """The kind of fact that nobody states, of a lack's words."""
    if lack is None:
        return ""
    return next((kind for said, kind in _UNKNOWN.items() if said in lack), "")

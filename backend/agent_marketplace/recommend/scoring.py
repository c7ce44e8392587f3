"""Ranking, pure: hard filters have been passed; quality against cost and time by the user's priority; different kinds of picks.

Utility in points of quality: a tenfold price has to buy `per_decade` points more, a doubled waiting time `per_doubling`.
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from agent_marketplace.catalog import AIModel, Offer
from agent_marketplace.recommend.difficulty import relative
from agent_marketplace.recommend.estimate import CostRange, Lengths
from agent_marketplace.recommend.quality import Quality

Priority = Literal["quality", "balanced", "cost", "speed", "within"]
"""within: a cap on the price was said, and nothing of what matters most."""

Role = Literal["recommended", "best", "value", "cheapest", "fastest", "alternative"]

FLOOR_NANO = 100_000
"""$0.0001: below this, differences of cost are of no interest to anyone."""

EASY = {
    "quick_task": 0.45,
    "translation": 0.8,
    "summarisation": 0.8,
    "brainstorming": 0.85,
    "documentation": 0.9,
    "data_extraction": 0.8,
}
"""Tasks at which weaker models do nearly as well: differences of quality count for this share."""

_PER_DECADE = {"quality": 0.3, "within": 2.0, "balanced": 6.5, "cost": 12.0, "speed": 3.0}
_PER_DOUBLING = {"quality": 0.1, "within": 0.4, "balanced": 0.6, "cost": 0.2, "speed": 4.5}
GOOD_ENOUGH = 9.0
"""Points below the best candidate within which a model is good enough (about one standard deviation of current models)."""

FAR_BELOW = 30.0
"""Points below the best usable model from which on no model is recommended, however cheap or fast it is: it would fail too often."""

SPEED_SAMPLES = 20
"""Own calls of a model from which on its speed is known."""

TRIVIAL = 0.05
"""Difficulty up to which every model gets it right: thanks, a small sum, a capital."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One model that can answer, through one offer at one effort. cost: what the user's wallet pays; list_cost: at list price.

    effort: to be sent with the call; None: the call names none. quality, lengths, costs and seconds are of that effort.
    """

    model: AIModel
    offer: Offer
    quality: Quality
    lengths: Lengths
    cost: CostRange
    list_cost: CostRange
    seconds: float
    own_key: bool = False
    effort: str | None = None


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A ranked candidate. score 1..10; role: what it was picked for; also: the other superlatives that it holds."""

    candidate: Candidate
    role: Role
    score: float
    also: tuple[Role, ...] = ()


def score_of(points: float) -> float:
    """Quality points to the guide's 1..10: 35 points are 1, the best known models (about 92) are 10."""
    return round(max(1.0, min(10.0, 1 + 9 * (points - 35) / 57)), 1)


def utility(c: Candidate, priority: Priority, task: str, difficulty: float | None = None) -> float:
    """Points of quality, less what cost and waiting are worth to this user.

    difficulty: 0..1 of this very request, None: as usual for its task; the easier, the less do differences of quality matter.
    """
    decades = math.log10(max(c.list_cost.p50, FLOOR_NANO) / FLOOR_NANO)
    doublings = math.log2(max(c.seconds, 0.5))
    weight = (
        1.0
        if priority == "quality"
        else EASY.get(task, 1.0) * (1.0 if difficulty is None else relative(difficulty, task))
    )
    return c.quality.points * weight - _PER_DECADE[priority] * decades - _PER_DOUBLING[priority] * doublings


def _order(c: Candidate, value: float) -> tuple[float, int, str]:
    return (-round(value, 6), c.list_cost.p50, c.model.id)


def choose(
    candidates: Sequence[Candidate],
    priority: Priority,
    task: str,
    limit: int,
    difficulty: float | None = None,
    *,
    judged: bool = True,
) -> list[Pick]:
    """At most `limit` picks, the recommended first; then best, cheapest that is good enough, fastest, then by utility.

    judged: results and speeds of this kind of model are known; else nothing is called best, good enough or fastest.
    """
    real = [c for c in candidates if not is_demo(c.model)] or list(candidates)
    if not real or limit < 1:
        return []
    top = max(c.quality.points for c in real)
    careful = judged and (difficulty is None or difficulty > TRIVIAL)

    def rank(c: Candidate) -> tuple[float, float, int, str]:
        if not judged and priority == "cost":
            return (float(c.list_cost.p50), *_order(c, c.quality.points))
        return (
            float(careful and c.quality.points < top - FAR_BELOW),
            *_order(c, utility(c, priority, task, difficulty)),
        )

    ranked = sorted(real, key=rank)
    slack = GOOD_ENOUGH / EASY.get(task, 1.0)
    # What is recommended is good enough by that: else "cheapest" and "fastest" could be dearer and slower than it.
    floor = min(top - slack, ranked[0].quality.points)
    enough = [c for c in ranked if c.quality.points >= floor]
    roles: list[tuple[Role, Candidate]] = [
        ("recommended", ranked[0]),
        ("best", min(real, key=lambda c: _order(c, c.quality.points))),
        ("value", min(enough, key=lambda c: _order(c, utility(c, "balanced", task, difficulty)))),
        ("cheapest", min(enough, key=lambda c: (c.list_cost.p50, *_order(c, c.quality.points)))),
        ("fastest", min(enough, key=lambda c: (c.seconds, *_order(c, c.quality.points)))),
    ]
    if not judged:
        roles = [
            roles[0],
            ("cheapest", min(real, key=lambda c: (c.list_cost.p50, *_order(c, c.quality.points)))),
        ]
    elif priority == "speed":
        roles.insert(1, roles.pop())
    chosen: dict[str, Pick] = {}
    for role, candidate in roles:
        also = tuple(r for r, c in roles if c.model.id == candidate.model.id and r != role)
        chosen.setdefault(candidate.model.id, _pick(candidate, role, also))
    others = _spread(enough, {p.candidate.model.maker for p in chosen.values()})
    for candidate in (*others, *(c for c in ranked if c.quality.points < floor)):
        chosen.setdefault(candidate.model.id, _pick(candidate, "alternative"))
    return list(chosen.values())[:limit]


def _pick(candidate: Candidate, role: Role, also: tuple[Role, ...] = ()) -> Pick:
    return Pick(candidate=candidate, role=role, score=score_of(candidate.quality.points), also=also)


def _spread(ranked: Sequence[Candidate], seen: set[str]) -> list[Candidate]:
    """The ranking with the best model of each maker not yet shown first."""
    fresh: list[Candidate] = []
    rest: list[Candidate] = []
    makers = set(seen)
    for candidate in ranked:
        (rest if candidate.model.maker in makers else fresh).append(candidate)
        makers.add(candidate.model.maker)
    return [*fresh, *rest]


def is_demo(model: AIModel) -> bool:
    """The tiny model that runs in the server itself: a last resort."""
    return model.provider == "local" or "demo" in model.tags


def speed_measured(model: AIModel) -> bool:
    """Whether this installation's own calls tell how fast a model writes."""
    return model.stats.samples >= SPEED_SAMPLES and bool(model.stats.throughput_p50)


def seconds_for(model: AIModel, lengths: Lengths) -> float:
    """Seconds to the end of a median answer: own measurements with at least SPEED_SAMPLES, else a guess from the price."""
    stats = model.stats
    rate, first = None, None
    if speed_measured(model):
        rate, first = stats.throughput_p50, stats.first_token_p50
    if rate is None or rate <= 0:
        price = model.price.output / 10**9 if model.price is not None else 10.0
        rate = 150.0 if price < 1.5 else 90.0 if price < 6 else 65.0 if price < 20 else 45.0
    return (first if first is not None else 0.8) + lengths.p50 / rate

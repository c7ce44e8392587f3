"""PURE: strengths from pairwise results, after Bradley and Terry (1952), Biometrika 39: P(a beats b) = 1 / (1 + exp(s_b - s_a)).

What is found is the strengths' mode under a normal prior around `around` (0 where nothing is said), so that there is always one
answer, also where somebody never lost: the sum of w * log P over all results, less pull * (s - around)^2 for each model. A tie
is half a win for each. The function is strictly concave; one strength after the other goes to its own maximum (Newton's step,
held within one logit) until none moves. Strengths are in logits.
"""

import math
import random
from collections.abc import Mapping, Sequence

import msgspec

WEAK_PULL = 0.125
"""A prior with a standard deviation of two logits: about as much as one result."""

_ENOUGH = 1e-9
_ROUNDS = 2_000


class Duel(msgspec.Struct, frozen=True):
    """One result of a against b. score: 1 = a won, 0 = b won, between: shared; weight: 0 to 1."""

    a: str
    b: str
    score: float
    weight: float = 1.0


def strengths(
    duels: Sequence[Duel],
    *,
    pull: float = WEAK_PULL,
    around: Mapping[str, float] | None = None,
    begin: Mapping[str, float] | None = None,
    enough: float = _ENOUGH,
) -> dict[str, float]:
    """Model -> strength in logits. pull: of the prior, over 0; begin: where to start; enough: the last step of the search."""
    meets = _meetings(duels)
    centre = around or {}
    start = begin or centre
    at = {model: start.get(model, 0.0) for model in meets}
    for _ in range(_ROUNDS):
        moved = 0.0
        for model, others in meets.items():
            here = at[model]
            slope, bend = -2 * pull * (here - centre.get(model, 0.0)), 2 * pull
            for other, (won, all_) in others.items():
                p = _wins(here - at[other])
                slope += won - all_ * p
                bend += all_ * p * (1 - p)
            step = max(-1.0, min(1.0, slope / bend))
            at[model] = here + step
            moved = max(moved, abs(step))
        if moved < enough:
            break
    return at


def intervals(
    duels: Sequence[Duel], found: Mapping[str, float], *, rounds: int = 100, seed: int = 20_261_130
) -> dict[str, tuple[float, float]]:
    """Model -> where 95 % of the strengths lie that other draws of as many results would give (bootstrap, percentiles)."""
    drawn = random.Random(seed)  # noqa: S311  the same votes must give the same intervals
    seen: dict[str, list[float]] = {model: [] for model in found}
    for _ in range(rounds):
        some = drawn.choices(duels, k=len(duels)) if duels else []
        again = strengths(some, begin=found, enough=1e-4)
        for model, values in seen.items():
            values.append(again.get(model, 0.0))
    return {model: (_at(values, 0.025), _at(values, 0.975)) for model, values in seen.items()}


def linked(duels: Sequence[Duel]) -> frozenset[str]:
    """The largest set of models that a chain of results connects (of two as large, the one with more results): only their
    strengths can be compared."""
    meets = _meetings(duels)
    left, best = set(meets), (0, 0, frozenset[str]())
    while left:
        reached, ahead = set[str](), [min(left)]
        while ahead:
            model = ahead.pop()
            if model not in reached:
                reached.add(model)
                ahead += meets[model]
        left -= reached
        results = sum(duel.a in reached for duel in duels)
        best = max(best, (len(reached), results, frozenset(reached)), key=lambda found: found[:2])
    return best[2]


def _meetings(duels: Sequence[Duel]) -> dict[str, dict[str, tuple[float, float]]]:
    """Model -> other -> (won, all), weighted."""
    meets: dict[str, dict[str, tuple[float, float]]] = {}
    for duel in duels:
        for model, other, score in ((duel.a, duel.b, duel.score), (duel.b, duel.a, 1 - duel.score)):
            won, all_ = meets.setdefault(model, {}).get(other, (0.0, 0.0))
            meets[model][other] = won + duel.weight * score, all_ + duel.weight
    return dict(sorted(meets.items()))


def _wins(difference: float) -> float:
    if difference >= 0:
        return 1 / (1 + math.exp(-difference))
    small = math.exp(difference)
    return small / (1 + small)


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0

"""PURE: which votes are heard, and how loud. One voice a user, pair of models and day; nothing without money that was paid.

The rule is that of stars (`recommend/learning.py`): a vote is as loud as what its user paid for the lesser of the two models, from
$0.05 a full voice, where spending beyond what was ever paid in counts in proportion. So sign-up credit alone has no voice, and who
paid is heard before that credit is used up. Both answers must have cost their user something. An account that an administrator
trusts is heard in full, also with own keys, local and free models. Several votes of one user on one pair on one day (UTC) are one
voice: their mean.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from agent_marketplace.arena.bradley_terry import Duel
from agent_marketplace.arena.types import BOTH_BAD, TIE

FULL_VOICE_NANO = 50_000_000
DAY_MS = 86_400_000


class Voices(Protocol):
    """Who is heard."""

    def paid(self, user: str, model: str) -> int:
        """Nano-dollars that a user paid for a model and that are no sign-up credit."""

    def trusts(self, user: str) -> bool:
        """Whether a user's own keys, local and free calls count as payment."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One whole answer of a comparison that was voted on. charge_nano: what its user's wallet paid for it;
    list_nano: at list price, None = not known; by_name: the model itself was asked, no agent and not `auto`."""

    side: str
    model: str
    by_name: bool
    charge_nano: int
    list_nano: int | None
    characters: int


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """A vote, with the whole answers in the order of their sides. at: ms."""

    user_id: str
    at: int
    task: str
    vote: str
    answers: tuple[Shown, ...]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What one vote says of two answers. first: was shown before the other; score: 1 = first won."""

    ballot: Ballot
    first: Shown
    second: Shown
    score: float
    weight: float


def pairs(ballots: Iterable[Ballot], voices: Voices) -> list[Pair]:
    """Every pair that a ballot says something of and that is heard; weight: of this vote alone."""
    found = []
    for ballot in ballots:
        for n, first in enumerate(ballot.answers):
            for second in ballot.answers[n + 1 :]:
                score = _score(ballot.vote, first.side, second.side)
                weight = _voice(ballot, first, second, voices)
                if score is not None and weight > 0 and first.model != second.model:
                    found.append(Pair(ballot=ballot, first=first, second=second, score=score, weight=weight))
    return found


def duels(heard: Sequence[Pair], *, now: int | None = None, half_life_days: float = 0) -> list[Duel]:
    """One voice a user, pair and day, in a fixed order. now, half_life_days: with age a voice gets quieter; 0 = it does not."""
    said: dict[tuple[str, str, str, int], list[Pair]] = {}
    for pair in heard:
        a, b = sorted((pair.first.model, pair.second.model))
        said.setdefault((a, b, pair.ballot.user_id, pair.ballot.at // DAY_MS), []).append(pair)
    found = []
    for (a, b, _, _), of_day in sorted(said.items()):
        score = sum(p.score if p.first.model == a else 1 - p.score for p in of_day) / len(of_day)
        weight = max(p.weight for p in of_day)
        if now is not None and half_life_days:
            age = max(0, now - max(p.ballot.at for p in of_day)) / DAY_MS
            weight *= math.pow(0.5, age / half_life_days)
        found.append(Duel(a, b, score, weight))
    return found


def _score(vote: str, first: str, second: str) -> float | None:
    """None: a vote for a third answer says nothing of these two."""
    if vote in (TIE, BOTH_BAD):
        return 0.5
    return 1.0 if vote == first else 0.0 if vote == second else None


def _voice(ballot: Ballot, first: Shown, second: Shown, voices: Voices) -> float:
    if not (first.by_name and second.by_name):
        return 0.0
    if voices.trusts(ballot.user_id):
        return 1.0
    if first.charge_nano <= 0 or second.charge_nano <= 0:
        return 0.0
    paid = min(voices.paid(ballot.user_id, shown.model) for shown in (first, second))
    return min(1.0, max(0, paid) / FULL_VOICE_NANO)

"""What this installation learns from its own paid calls: ratings, output lengths, trends. Pure: rows in, one snapshot out.

A user's word counts by what the user paid for calls of that model, capped, so that neither many accounts with free credit nor
one heavy user moves a rating: weight = min(1, paid / $0.05), zero without payment; at most one voice per user and model.
Ratings are drawn towards 3.5 stars with the strength of eight paying users, and halve in weight every 90 days.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from agent_marketplace.recommend.estimate import Lengths, percentiles

FULL_VOICE_NANO = 50_000_000
HALF_LIFE_DAYS = 90.0
PRIOR_STARS, PRIOR_VOICES = 3.5, 8.0
POINTS_PER_STAR = 5.0
_DAY_MS = 86_400_000
SIGNALS: Mapping[str, float] = {
    "thumb_up": 4.5,
    "thumb_down": 1.5,
    "regenerate": 2.5,
    "switch": 2.0,
    "abandon": 2.5,
}
"""Outcome signals as stars: an explicit thumb says more than a regenerated answer; each is one quiet vote (see `voices`)."""

SIGNAL_VOICE = 0.25
TREND_FLOOR = 5
"""A model needs this many calls in the period to be called trending."""


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One word of one user on one model. kind: `stars` or a name of SIGNALS; paid_nano: what the user paid for the model."""

    user_id: str
    model: str
    kind: str
    stars: float
    at: int
    paid_nano: int


class Rating(msgspec.Struct, frozen=True):
    """stars: shrunk mean 1..5; voices: the weight behind it, in paying users; raters: users with stars (what is shown)."""

    stars: float
    voices: float
    raters: int


class Experience(msgspec.Struct, frozen=True):
    """A snapshot. lengths, ratings: per model id; trending: period -> model ids, the strongest growth first."""

    lengths: Mapping[str, Lengths] = {}
    ratings: Mapping[str, Rating] = {}
    trending: Mapping[str, tuple[str, ...]] = {}

    def shown_ratings(self) -> dict[str, Decimal]:
        """Stars to show, 1..5 with two places, for models that paying users gave stars; others keep their plain mean."""
        return {m: Decimal(r.stars).quantize(Decimal("0.01")) for m, r in self.ratings.items() if r.raters}

    def shift(self, model_id: str) -> tuple[float, str]:
        """Quality points to add for own ratings, and the words for it; (0, "") below one voice."""
        rating = self.ratings.get(model_id)
        if rating is None or rating.voices < 1:
            return 0.0, ""
        who = "a paying user" if rating.raters == 1 else f"{rating.raters} paying users"
        said = (
            f"rated {rating.stars:.1f} of 5 here by {who}"
            if rating.raters
            else "adjusted by how answers were used here"
        )
        return (rating.stars - PRIOR_STARS) * POINTS_PER_STAR, said


def voice(vote: Vote, now_ms: int) -> float:
    """The weight of one vote, 0..1: paid share, age, and a quarter for signals."""
    paid = min(1.0, max(0, vote.paid_nano) / FULL_VOICE_NANO)
    age_days = max(0.0, (now_ms - vote.at) / _DAY_MS)
    fresh = math.pow(0.5, age_days / HALF_LIFE_DAYS)
    return paid * fresh * (1.0 if vote.kind == "stars" else SIGNAL_VOICE)


def rate(votes: Iterable[Vote], now_ms: int) -> dict[str, Rating]:
    """Ratings per model: one combined voice of at most 1 per user and model, drawn towards the prior."""
    heard: dict[tuple[str, str], list[tuple[float, Vote]]] = {}
    for vote in votes:
        weight = voice(vote, now_ms)
        if weight > 0:
            heard.setdefault((vote.model, vote.user_id), []).append((weight, vote))
    sums: dict[str, tuple[float, float, int]] = {}
    for (model, _), found in heard.items():
        total = sum(w for w, _ in found)
        mean = sum(w * v.stars for w, v in found) / total
        capped = min(1.0, total)
        weight, stars, raters = sums.get(model, (0.0, 0.0, 0))
        sums[model] = (
            weight + capped,
            stars + capped * mean,
            raters + any(v.kind == "stars" for _, v in found),
        )
    return {
        model: Rating((stars + PRIOR_STARS * PRIOR_VOICES) / (weight + PRIOR_VOICES), weight, raters)
        for model, (weight, stars, raters) in sums.items()
    }


def trend(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[str, ...]:
    """Models by growth of users' calls: (now + floor) / (before + floor), at least TREND_FLOOR calls now and growing."""
    growth = {
        m: (n + TREND_FLOOR) / (before.get(m, 0) + TREND_FLOOR) for m, n in now.items() if n >= TREND_FLOOR
    }
    return tuple(m for m in sorted(growth, key=lambda m: (-growth[m], -now[m], m)) if growth[m] > 1)


def lengths_of(outputs: Mapping[str, Sequence[int]]) -> dict[str, Lengths]:
    """Percentiles of observed output tokens per model."""
    return {model: percentiles(seen) for model, seen in outputs.items() if seen}

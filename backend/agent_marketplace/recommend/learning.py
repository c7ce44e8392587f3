"""What this installation learns from its own paid calls: ratings, output lengths, trends. Pure: rows in, one snapshot out.

A user's word counts by what the user paid for calls of that model, capped, so that neither many accounts with free credit nor
one heavy user moves a rating: weight = min(1, paid / $0.05), zero without payment; at most one voice per user and model.
Ratings are drawn towards 3.5 stars with the strength of eight paying users, and halve in weight every 90 days.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from agent_marketplace.arena.leaderboard import Standing
from agent_marketplace.recommend.estimate import Lengths, percentiles, weighted_percentiles

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

REASONS = ("wrong", "incomplete", "instructions", "too_long", "style", "refused")
"""Why a thumb points down; a thumb that points up needs none."""

SIGNAL_VOICE = 0.25
TREND_FLOOR = 5
"""A model needs this many calls in the period to be called trending."""


CALLS_PER_USER = 20
"""Calls of one user that count for a model's uses and trend: a flood by one account is none."""

MIN_USERS, USER_CALLS, OWN_CALLS = 3, 5, 200
"""Lengths: how many users have to speak, and how many calls of one of them count for others and for the user."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One delivered answer. output: tokens; task, effort: as its estimate read them; voice: paid, or by a trusted account."""

    user_id: str
    model: str
    task: str
    effort: str
    output: int
    voice: bool = False
    trusted: bool = False


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One word of one user on one model. kind: `stars` or a name of SIGNALS; paid_nano: what the user paid for the model.

    trusted: an account that an administrator vouches for: a full voice without payment.
    """

    user_id: str
    model: str
    kind: str
    stars: float
    at: int
    paid_nano: int
    trusted: bool = False
    reason: str = ""


class Thumbs(msgspec.Struct, frozen=True, kw_only=True):
    """Thumbs that are heard. users: how many gave them; reasons: of those that point down, the most usual first."""

    up: int
    down: int
    users: int
    reasons: Mapping[str, int]


class Rating(msgspec.Struct, frozen=True):
    """stars: shrunk mean 1..5; voices: the weight behind it, in paying users; raters: users with stars (what is shown)."""

    stars: float
    voices: float
    raters: int


Asked = tuple[str, str, str]
"""(model id, task type, effort): what a length depends on."""


class Experience(msgspec.Struct, frozen=True):
    """A snapshot. lengths: of everybody's calls, robust; own: (user, *Asked) -> of that user's calls; holds, ratings: per model.

    trending: period -> model ids, the strongest growth first; uses: per model, by the same rule as ratings; arena: what blind
    votes add.
    """

    lengths: Mapping[Asked, Lengths] = {}
    own: Mapping[tuple[str, str, str, str], Lengths] = {}
    holds: Mapping[str, Lengths] = {}
    ratings: Mapping[str, Rating] = {}
    trending: Mapping[str, tuple[str, ...]] = {}
    uses: Mapping[str, int] = {}
    arena: Mapping[str, Standing] = {}
    thumbs: Mapping[str, Thumbs] = {}

    def shown_ratings(self) -> dict[str, tuple[Decimal, int]]:
        """(stars 1..5 with two places, how many gave them) of models that users with a voice gave stars; others show none."""
        return {
            m: (Decimal(r.stars).quantize(Decimal("0.01")), r.raters)
            for m, r in self.ratings.items()
            if r.raters
        }

    def shift(self, model_id: str) -> tuple[float, str]:
        """Quality points to add for own ratings and blind votes, and the words for it; (0, "") where there are none."""
        points, words = self._rated(model_id)
        standing = self.arena.get(model_id)
        if standing is not None and standing.votes:
            votes = "1 vote" if standing.votes == 1 else f"{standing.votes} votes"
            voted = f"{standing.points:+.1f} points by this installation's own blind comparisons, {votes}"
            points, words = points + standing.points, f"{words}; {voted}" if words else voted
        return points, words

    def _rated(self, model_id: str) -> tuple[float, str]:
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
    paid = 1.0 if vote.trusted else min(1.0, max(0, vote.paid_nano) / FULL_VOICE_NANO)
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


def thumbs_of(votes: Iterable[Vote], now_ms: int) -> dict[str, Thumbs]:
    """Thumbs by model, of users with a voice."""
    heard: dict[str, list[Vote]] = {}
    for vote in votes:
        if vote.kind in ("thumb_up", "thumb_down") and voice(vote, now_ms) > 0:
            heard.setdefault(vote.model, []).append(vote)
    found = {}
    for model, given in heard.items():
        down = [vote for vote in given if vote.kind == "thumb_down"]
        reasons = Counter(vote.reason for vote in down if vote.reason)
        found[model] = Thumbs(
            up=len(given) - len(down), down=len(down), users=len({vote.user_id for vote in given}),
            reasons=dict(reasons.most_common()),
        )  # fmt: skip
    return found


def trend(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[str, ...]:
    """Models by growth of users' calls: (now + floor) / (before + floor), at least TREND_FLOOR calls now and growing."""
    growth = {
        m: (n + TREND_FLOOR) / (before.get(m, 0) + TREND_FLOOR) for m, n in now.items() if n >= TREND_FLOOR
    }
    return tuple(m for m in sorted(growth, key=lambda m: (-growth[m], -now[m], m)) if growth[m] > 1)


def lengths_of(answers: Iterable[Answer]) -> dict[Asked, Lengths]:
    """What everybody's answers tell of lengths, where MIN_USERS users or a trusted one speak.

    Of one user USER_CALLS calls count (of a trusted one OWN_CALLS), spread evenly over what the user has: whoever pays for a
    flood of long answers moves the percentiles no further than with a few.
    """
    grouped: dict[Asked, dict[str, list[int]]] = {}
    trusted: set[str] = set()
    for a in answers:
        if a.voice:
            grouped.setdefault((a.model, a.task, a.effort), {}).setdefault(a.user_id, []).append(a.output)
        if a.trusted:
            trusted.add(a.user_id)
    found = {}
    for asked, by_user in grouped.items():
        if len(by_user) < MIN_USERS and not trusted & by_user.keys():
            continue
        most = {user: OWN_CALLS if user in trusted else USER_CALLS for user in by_user}
        weighted = [
            (output, min(1.0, most[user] / len(outputs)))
            for user, outputs in by_user.items()
            for output in outputs
        ]
        found[asked] = weighted_percentiles(weighted)
    return found


def own_lengths(answers: Iterable[Answer]) -> dict[tuple[str, str, str, str], Lengths]:
    """What a user's own answers tell that user; the newest OWN_CALLS."""
    grouped: dict[tuple[str, str, str, str], list[int]] = {}
    for a in answers:
        seen = grouped.setdefault((a.user_id, a.model, a.task, a.effort), [])
        if len(seen) < OWN_CALLS:
            seen.append(a.output)
    return {key: percentiles(seen) for key, seen in grouped.items()}


def holds_of(answers: Sequence[Answer]) -> dict[str, Lengths]:
    """Per model, over all tasks: what a hold without a stated cap should buy."""
    pooled = [msgspec.structs.replace(a, task="", effort="") for a in answers]
    return {model: lengths for (model, _, _), lengths in lengths_of(pooled).items()}

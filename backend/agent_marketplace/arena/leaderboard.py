"""PURE: the leaderboard of this installation's own blind votes, and what they add to what public results say."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from agent_marketplace.arena.ballots import Ballot, Pair, Voices, duels, pairs
from agent_marketplace.arena.bradley_terry import Duel, intervals, linked, strengths

LEAST_VOTES = 10
"""Voices that a model needs for a rank."""

_ELO = 400 / math.log(10)
_MIDDLE = 1000

POINTS_PER_LOGIT = 10.0
PRIOR_PULL = 6.0
"""Q Assistant: public results say where a model stands, with a standard deviation of 0.29 logits; that weighs as much as 48 votes."""

MOST_POINTS = 15.0
HALF_LIFE_DAYS = 90.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A model. rating: 1000 + 400 log10 of the odds; low, high: 95 % of them; votes: one a user, pair and day; wins, losses,
    ties: of those, whole; cost_per_win_nano: list price of all its answers by wins and half ties; rank None: why says it."""

    model: str
    rank: int | None
    rating: int
    low: int
    high: int
    votes: int
    users: int
    wins: int
    losses: int
    ties: int
    cost_nano: int | None
    cost_per_win_nano: int | None
    characters: int
    why: str = ""


class Share(msgspec.Struct, frozen=True):
    """share None: of nothing."""

    share: float | None
    of: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """rows: ranked first. longer_won, first_won: of decided votes, by length and by place; tasks: those with votes."""

    rows: tuple[Row, ...]
    votes: int
    users: int
    longer_won: Share
    first_won: Share
    tasks: Mapping[str, int]


class Standing(NamedTuple):
    """What own votes add to a model's quality: points, and the votes behind them."""

    points: float
    votes: int


def board(ballots: Sequence[Ballot], voices: Voices, *, task: str | None = None) -> Board:
    """task None: of all tasks."""
    heard = pairs(ballots, voices)
    tasks: dict[str, int] = {}
    for ballot in {id(p.ballot): p.ballot for p in heard}.values():
        tasks[ballot.task] = tasks.get(ballot.task, 0) + 1
    if task is not None:
        heard = [p for p in heard if p.ballot.task == task]
    counted = duels(heard)
    found, together = strengths(counted), linked(counted)
    within = intervals(counted, found)
    rows = [_row(model, heard, counted, found, within, together) for model in found]
    ranked = [_ranked(row, rows) for row in rows]
    ranked.sort(key=lambda r: (r.rank is None, -r.rating, r.model))
    decided = [p for p in heard if p.score in (0.0, 1.0)]
    unlike = [p for p in decided if p.first.characters != p.second.characters]
    longer = sum((p.first.characters > p.second.characters) == (p.score == 1.0) for p in unlike)
    return Board(
        rows=tuple(ranked),
        votes=len(counted),
        users=len({p.ballot.user_id for p in heard}),
        longer_won=Share(longer / len(unlike) if unlike else None, len(unlike)),
        first_won=Share(sum(p.score for p in decided) / len(decided) if decided else None, len(decided)),
        tasks=dict(sorted(tasks.items())),
    )


def standings(
    ballots: Sequence[Ballot], voices: Voices, quality: Mapping[str, float], now: int
) -> dict[str, Standing]:
    """How far own votes move models from where public results put them. quality: points by those; others are left out."""
    known = [
        duel
        for duel in duels(pairs(ballots, voices), now=now, half_life_days=HALF_LIFE_DAYS)
        if duel.a in quality and duel.b in quality
    ]
    around = {model: points / POINTS_PER_LOGIT for model, points in quality.items()}
    found = strengths(known, pull=PRIOR_PULL, around=around, enough=1e-6)
    return {
        model: Standing(
            max(-MOST_POINTS, min(MOST_POINTS, (value - around[model]) * POINTS_PER_LOGIT)),
            sum(model in (duel.a, duel.b) for duel in known),
        )
        for model, value in found.items()
    }


def _row(
    model: str,
    heard: Sequence[Pair],
    counted: Sequence[Duel],
    found: Mapping[str, float],
    within: Mapping[str, tuple[float, float]],
    together: frozenset[str],
) -> Row:
    mine = [
        duel.score if duel.a == model else 1 - duel.score for duel in counted if model in (duel.a, duel.b)
    ]
    wins, losses = sum(s > 0.5 for s in mine), sum(s < 0.5 for s in mine)
    ties = len(mine) - wins - losses
    users = {p.ballot.user_id for p in heard if model in (p.first.model, p.second.model)}
    shown = {(id(p.ballot), s.side): s for p in heard for s in (p.first, p.second) if s.model == model}
    prices = [s.list_nano for s in shown.values() if s.list_nano is not None]
    cost = sum(prices) if len(prices) == len(shown) else None
    halves = 2 * wins + ties
    why = ""
    if len(mine) < LEAST_VOTES:
        why = f"{len(mine)} of {LEAST_VOTES} votes"
    elif model not in together:
        why = "no chain of votes connects it with the others"
    low, high = within[model]
    return Row(
        model=model, rank=None, rating=_elo(found[model]), low=_elo(low), high=_elo(high), votes=len(mine),
        users=len(users), wins=wins, losses=losses, ties=ties, cost_nano=cost,
        cost_per_win_nano=None if cost is None or halves == 0 else cost * 2 // halves,
        characters=sum(s.characters for s in shown.values()) // max(1, len(shown)), why=why,
    )  # fmt: skip


def _ranked(row: Row, rows: Sequence[Row]) -> Row:
    """One more than there are models that are better for sure: whose interval begins above the end of this one's."""
    if row.why:
        return row
    better = sum(other.low > row.high for other in rows if not other.why)
    return msgspec.structs.replace(row, rank=better + 1)


def _elo(logits: float) -> int:
    return round(_MIDDLE + _ELO * logits)

"""Comparisons of answers, blind votes, and the leaderboard that they make."""

from agent_marketplace.arena.comparisons import Comparisons
from agent_marketplace.arena.sets.evaluations import Evaluations
from agent_marketplace.arena.types import (
    CRITERIA,
    SIDES,
    Answer,
    Comparison,
    NewAnswer,
    NewComparison,
    Outcome,
)

__all__ = [
    "CRITERIA",
    "SIDES",
    "Answer",
    "Comparison",
    "Comparisons",
    "Evaluations",
    "NewAnswer",
    "NewComparison",
    "Outcome",
]

"""How hard a model is made to think: which efforts a caller can ask a model for, and what each does to score and length. Pure.

Public results are measured at one effort, mostly the highest. What another effort scores is estimated: the gain of thinking per
measure (`thinking_gain` of quality.json, ten models measured with and without) times the share of it that the effort keeps.
Thinking tokens follow FACTOR, relative to medium. Both tables are assumptions, concave as published curves of score over tokens are.
"""

import re
from collections.abc import Mapping

from agent_marketplace.catalog import AIModel
from agent_marketplace.recommend import lines

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
FACTOR: Mapping[str, float] = {
    "none": 0.0, "minimal": 0.15, "low": 0.4, "medium": 1.0, "high": 2.0, "xhigh": 3.5, "max": 5.0,
}  # fmt: skip
"""Thinking tokens of an effort, medium = 1."""

SHARE: Mapping[str, float] = {
    "none": 0.0, "minimal": 0.35, "low": 0.65, "medium": 0.85, "high": 0.95, "xhigh": 1.0, "max": 1.0,
}  # fmt: skip
"""The share of what thinking adds that an effort brings."""

_SAID = re.compile(r"\bat (max|xhigh|high|medium|low) effort|\bwith thinking\b")
_SILENT_FROM: Mapping[str, tuple[int, ...]] = {"gpt sol": (5, 1), "gpt luna": (5, 4), "gpt terra": (5, 4)}
"""OpenAI's lines whose thinking can be switched off, from this version on."""


def thinks(model: AIModel) -> bool:
    """Whether a model can spend hidden tokens before it answers."""
    return "reasoning" in model.supported_parameters or "reasoning" in model.capabilities


def usual(model: AIModel) -> str | None:
    """The effort of a call that names none: Anthropic's think only when asked; None for a model that never thinks."""
    if not thinks(model):
        return None
    return "none" if model.maker == "anthropic" else "medium"


def measured_at(said: str) -> str | None:
    """The effort that a public result was reached at, of its words ("at max effort"); None if they name none."""
    found = _SAID.search(said)
    return None if found is None else found[1] or "high"


def offered(model: AIModel, measured: str | None) -> tuple[str | None, ...]:
    """Efforts that a pick of this model may come with; (None,) where nothing says that the setting is known to it."""
    if not thinks(model) or "reasoning" not in model.supported_parameters:
        return (None,)
    place = lines.of(model)
    if model.maker == "anthropic":
        steps = ["none", "low", "medium", "high"]
    elif model.maker == "openai" and place.version >= (5,):
        silent = place.version >= _SILENT_FROM.get(place.line, (99,))
        steps = ["none"] * silent + ["low", "medium", "high"]
    elif model.maker == "google" and place.version >= (2, 5):
        steps = ["low", "medium", "high"]
    else:
        return (None,)
    if measured in ("xhigh", "max"):
        steps.append(measured)
    return tuple(steps)


def factor(effort: str | None) -> float:
    """Thinking tokens against medium; an effort nobody knows counts as medium."""
    return FACTOR.get(effort or "medium", 1.0)


def share(effort: str | None) -> float:
    """The share of the gain of thinking; an effort nobody knows counts as medium."""
    return SHARE.get(effort or "medium", SHARE["medium"])

"""How good a model is at a task, from dated public results, shrunk by how much evidence there is; what is a proxy says so.

Scale: 70 points is the mean and 10 the standard deviation of the models in LiveBench 2026-06-25 (scripts/build_quality.py).
A task's value is the weighted mean of the measures that bear on it, drawn towards the model's overall mean, and that in turn
towards a prior; the pull is as strong as the evidence is thin. No public source rates code review, documentation, translation,
brainstorming, vision or quick facts of current models directly: their measures are named as proxies.
"""

import functools
import math
from collections.abc import Mapping
from datetime import date
from importlib import resources

import msgspec

from agent_marketplace.catalog import AIModel, Evidence, MarketplaceRegistry

MEASURES: Mapping[str, str] = {
    "coding": "LiveBench Coding", "agentic_coding": "LiveBench Agentic Coding", "mathematics": "LiveBench Mathematics",
    "data_analysis": "LiveBench Data Analysis", "language": "LiveBench Language", "reasoning": "LiveBench Reasoning",
    "instruction_following": "LiveBench Instruction Following", "summarize": "LiveBench summarize and simplify",
    "story": "LiveBench story generation", "tables": "LiveBench table tasks", "aider": "Aider polyglot",
}  # fmt: skip
OVERALL = (
    "coding",
    "agentic_coding",
    "mathematics",
    "data_analysis",
    "language",
    "reasoning",
    "instruction_following",
)

TASK_MEASURES: Mapping[str, Mapping[str, float]] = {
    "code_generation": {"coding": 0.6, "aider": 0.4, "agentic_coding": 0.25},
    "debugging": {"agentic_coding": 0.5, "coding": 0.35, "aider": 0.4},
    "code_review": {"reasoning": 0.4, "agentic_coding": 0.35, "coding": 0.25, "aider": 0.2},
    "documentation": {"instruction_following": 0.5, "summarize": 0.2, "coding": 0.3, "aider": 0.1},
    "explain_concept": {"language": 0.35, "instruction_following": 0.35, "reasoning": 0.3},
    "brainstorming": {"story": 0.5, "instruction_following": 0.3, "language": 0.2},
    "summarisation": {"summarize": 0.7, "instruction_following": 0.3},
    "translation": {"language": 0.6, "instruction_following": 0.4},
    "data_extraction": {"tables": 0.5, "data_analysis": 0.2, "instruction_following": 0.3},
    "maths": {"mathematics": 0.75, "reasoning": 0.25},
    "vision": {"reasoning": 0.5, "instruction_following": 0.5},
    "tool_use": {"agentic_coding": 0.5, "data_analysis": 0.2, "instruction_following": 0.3, "aider": 0.2},
    "quick_task": {"language": 0.4, "instruction_following": 0.3, "reasoning": 0.3},
}
DIRECT = frozenset({"code_generation", "debugging", "summarisation", "data_extraction", "maths"})
"""Tasks that a measure above tests as such; for all others the measures are proxies."""

_RELEASES = ("livebench", "livebench_2026_01")

OVERALL_PULL = 0.5
PRIOR_PULL = 1.5
PRIOR_CEILING = 66.0
NO_EVIDENCE_PENALTY = 3.0


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """points: see the module; level: measured, proxy, family or prior; why: one clause with its source for a buyer."""

    points: float
    level: str
    why: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One model's public results: standardised and raw scores per measure, output tokens per question, row names and effort by source."""

    measures: dict[str, float] = {}
    raw: dict[str, float] = {}
    sources: dict[str, str] = {}
    effort: dict[str, str] = {}
    output_tokens: dict[str, int] = {}


class PublicSource(msgspec.Struct, frozen=True):
    """Where results come from, and how they may be used."""

    name: str
    cite: str
    licence: str
    as_of: str


class Prior(msgspec.Struct, frozen=True):
    """A line through the measured models: points at $1 output per 1M tokens, per doubling of it, per year of age; its error."""

    base: float
    per_price_doubling: float
    per_year: float
    error: float
    models: int


class QualityFile(msgspec.Struct, frozen=True):
    """`recommend/data/quality.json`."""

    built_on: str
    sources: dict[str, PublicSource]
    prior: Prior
    models: dict[str, Result]


@functools.cache
def bundled_quality() -> QualityFile:
    """The table shipped with the program."""
    data = resources.files("agent_marketplace.recommend").joinpath("data/quality.json").read_bytes()
    return msgspec.json.decode(data, type=QualityFile)


def overall(measures: Mapping[str, float]) -> float | None:
    """Mean over the general measures that a model has; Aider alone counts when nothing else is known."""
    values = [measures[m] for m in OVERALL if m in measures] or [
        measures[m] for m in ("aider",) if m in measures
    ]
    return sum(values) / len(values) if values else None


def estimate(measures: Mapping[str, float], weights: Mapping[str, float], prior: float) -> float:
    """Weighted mean of the measures that bear on a task, drawn to the model's overall mean and the prior."""
    general = overall(measures)
    if general is None:
        return prior
    known = sum(1 for m in OVERALL if m in measures) + 0.5 * ("aider" in measures)
    centre = (known * general + PRIOR_PULL * prior) / (known + PRIOR_PULL)
    total = sum(w for m, w in weights.items() if m in measures)
    mean = sum(w * measures[m] for m, w in weights.items() if m in measures)
    return (mean + OVERALL_PULL * centre) / (total + OVERALL_PULL)


def _source_of(measure: str, result: Result) -> str:
    """Where a measure of this model comes from: Aider, or the LiveBench release that has the model."""
    return (
        "aider" if measure == "aider" else next((s for s in _RELEASES if s in result.sources), _RELEASES[0])
    )


class QualityTable:
    """Quality of every model of a catalogue. Immutable; make a new one when the catalogue changes."""

    def __init__(self, registry: MarketplaceRegistry, today: date, file: QualityFile | None = None) -> None:
        self._file = file or bundled_quality()
        self._today = today
        self._families = self._family_means(registry)

    def result(self, model_id: str) -> Result | None:
        """Public results of a model, or None."""
        return self._file.models.get(model_id)

    def of(self, model: AIModel, task: str) -> Quality:
        """Quality of a model at a task; any unknown task is judged by the overall mean."""
        weights = TASK_MEASURES.get(task, dict.fromkeys(OVERALL, 1 / len(OVERALL)))
        result = self._file.models.get(model.id)
        prior, level, why = self._prior(model)
        if result is None or not result.measures:
            return Quality(points=prior, level=level, why=why)
        points = estimate(result.measures, weights, prior)
        used = sorted((m for m in weights if m in result.measures), key=lambda m: (-weights[m], m))
        if not used:
            shown = ", ".join(f"{MEASURES[m]} {result.raw[m]:g}" for m in list(result.measures)[:1])
            return Quality(
                points=points,
                level="proxy",
                why=f"proxy: {shown} ({self._cited(result, list(result.measures)[:1])})",
            )
        shown = ", ".join(f"{MEASURES[m]} {result.raw[m]:g}" for m in used[:2])
        level = "measured" if task in DIRECT else "proxy"
        lead = "" if level == "measured" else "proxy: "
        return Quality(points=points, level=level, why=f"{lead}{shown} ({self._cited(result, used[:2])})")

    def evidence(self) -> dict[str, tuple[Evidence, ...]]:
        """Results per model id as the catalogue shows them."""
        return {
            model_id: tuple(
                Evidence(label=MEASURES[m], score=raw, source=source.cite, as_of=source.as_of)
                for m, raw in result.raw.items()
                for source in (self._file.sources[_source_of(m, result)],)
                if m in OVERALL or m == "aider"
            )
            for model_id, result in self._file.models.items()
        }

    def overall_share(self, registry: MarketplaceRegistry) -> dict[str, float]:
        """0..1 per model with results: its rank by overall quality (the catalogue's order while there is no traffic)."""
        ranked = sorted(
            (
                (self.of(m, "overall").points, m.id)
                for m in registry.get_all_models()
                if self._has_results(m.id)
            ),
            reverse=True,
        )
        return {model_id: 1 - i / len(ranked) for i, (_, model_id) in enumerate(ranked)}

    def _has_results(self, model_id: str) -> bool:
        result = self._file.models.get(model_id)
        return result is not None and bool(result.measures)

    def _cited(self, result: Result, measures: list[str]) -> str:
        found = dict.fromkeys(_source_of(m, result) for m in measures)
        return "; ".join(
            f"{self._file.sources[s].name}{' ' * (s in result.effort)}{result.effort.get(s, '')}, as of {self._file.sources[s].as_of}"
            for s in found
            if s in result.sources
        )

    def _family_means(self, registry: MarketplaceRegistry) -> dict[tuple[str, str], tuple[float, str]]:
        """Per maker and family: the mean of the measured members, and the name of the best of them."""
        members: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for model in registry.get_all_models():
            result = self._file.models.get(model.id)
            general = overall(result.measures) if result else None
            if general is not None and model.family:
                members.setdefault((model.maker, model.family), []).append((general, model.name))
        return {key: (sum(p for p, _ in found) / len(found), max(found)[1]) for key, found in members.items()}

    def _prior(self, model: AIModel) -> tuple[float, str, str]:
        line = self._file.prior
        years = (
            (self._today - date.fromisoformat(model.released_on)).days / 365.25 if model.released_on else 2.0
        )
        price = model.price.output / 10**9 if model.price is not None and model.price.output > 0 else 0.1
        guess = (
            line.base
            + line.per_price_doubling * math.log2(max(price, 0.02))
            + line.per_year * max(0.0, years)
        )
        guess = max(25.0, min(PRIOR_CEILING, guess)) - NO_EVIDENCE_PENALTY
        family = self._families.get((model.maker, model.family))
        if family is not None and not model.retired:
            mean = min(72.0, 0.5 * family[0] + 0.5 * guess)
            return (
                mean,
                "family",
                f"no public result of its own found; judged by its relative {family[1]}, its price and its age",
            )
        if "demo" in model.tags or model.provider == "local":
            return 20.0, "prior", "a small demo model that runs on this machine; no public result"
        return guess, "prior", "no public result found; a weak guess from its price and age only"

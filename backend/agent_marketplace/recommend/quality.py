"""How good a model is at a task, from dated public results, shrunk by how much evidence there is; what is a proxy says so.

Scale: 70 points is the mean and 10 the standard deviation of the models in LiveBench 2026-06-25 (scripts/build_quality.py).
A task's value is the weighted mean of the measures that bear on it, drawn towards the model's overall mean, and that in turn
towards a prior; the pull is as strong as the evidence is thin. No public source rates code review, documentation, translation,
brainstorming, vision or quick facts of current models directly: their measures are named as proxies.
"""

import functools
import itertools
import math
import re
import statistics
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources

import msgspec

from agent_marketplace.catalog import AIModel, Evidence, MarketplaceRegistry
from agent_marketplace.recommend import efforts, lines

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
RELATIVES = 3
PRIOR_MEASURED_AT = "high"
UNKNOWN_AGE = 0.75
INHERITED_CEILING = 95.0
SUCCESSIONS = 8
WELL_MEASURED = 5
"""From this many general measures on, price and age say nothing more about a model."""

USUAL_STEP, LARGEST_STEP, FURTHER_STEP = 4.0, 8.0, 1.0
"""Points that a successor gains: without enough successions to learn from, at most, and for each model skipped beyond."""


_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])")
SIZE_BILLIONS, SIZE_POINTS, SIZE_AT = 27, 56.0, date(2026, 4, 22)
PER_SIZE_DOUBLING, PER_SIZE_YEAR, SIZED_UNKNOWN_AGE = 4.0, 15.0, 1.25
"""Read off the measured models whose names tell billions of parameters: Qwen3.6 27B of April 2026 is worth 56 points, Qwen3 32B of
April 2025 26, Qwen3 Next 80B of September 2025 36, Gemma 3 27B 8: a doubling is worth little, a year much. Rounded, in their favour."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """points: see the module; level: measured, proxy, family or prior; why: one clause with its source for a buyer."""

    points: float
    level: str
    why: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One model's public results: standardised and raw scores per measure, row names and effort by source.

    output_tokens: per question and subtask; question_tokens: output tokens that the cost of a question of a task's kind
    comes to, thinking included, at the effort of the newest row.
    """

    measures: dict[str, float] = {}
    raw: dict[str, float] = {}
    sources: dict[str, str] = {}
    effort: dict[str, str] = {}
    output_tokens: dict[str, int] = {}
    question_tokens: dict[str, int] = {}


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
    thinking_gain: dict[str, float] = {}


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


class Basis(msgspec.Struct, frozen=True):
    """The results that a model is judged by, its own or its predecessor's, and the effort they were measured at."""

    result: Result | None = None
    measured: str | None = None


class QualityTable:
    """Quality of every model of a catalogue. Immutable; make a new one when the catalogue changes."""

    def __init__(self, registry: MarketplaceRegistry, today: date, file: QualityFile | None = None) -> None:
        self._file = file or bundled_quality()
        self._today = today
        self._families = self._family_means(registry)
        self._members = self._by_line(registry.get_all_models())
        self._lines = self._by_line(m for m in registry.get_all_models() if self._has_results(m.id))
        self.step = self._learnt_step()
        self._known: dict[tuple[str, str], Quality] = {}
        self._bases: dict[str, Basis] = {}

    def result(self, model_id: str) -> Result | None:
        """Public results of a model, or None."""
        return self._file.models.get(model_id)

    def of(self, model: AIModel, task: str, effort: str | None = None) -> Quality:
        """Quality of a model at a task; any unknown task is judged by the overall mean.

        effort: how hard the model shall think; None: as hard as in the results.
        """
        known = self._known.get((model.id, task))
        if known is None:
            known = self._known[model.id, task] = self._judged(model, task)
        measured = self.basis(model).measured
        if effort is None or effort == measured:
            return known
        loss = self.thinking_gain(task) * max(0.0, efforts.share(measured) - efforts.share(effort))
        if loss < 0.05:
            return known
        words = "without thinking" if effort == "none" else f"at {effort} effort"
        said = f"; {words}, estimated {loss:.1f} points below that"
        return Quality(points=known.points - loss, level=known.level, why=known.why + said)

    def basis(self, model: AIModel) -> Basis:
        """What a model is judged by."""
        known = self._bases.get(model.id)
        if known is None:
            known = self._bases[model.id] = self._basis(model)
        return known

    def _basis(self, model: AIModel) -> Basis:
        result = self._file.models.get(model.id)
        if result is None or not result.measures:
            before = self._predecessor(model)
            result = self._file.models.get(before.id) if before is not None else None
        if result is None or not result.measures:
            return Basis(
                None, PRIOR_MEASURED_AT
            )  # judged by relatives, and those were measured at a high effort
        said = next((result.effort[s] for s in _RELEASES if s in result.sources and s in result.effort), "")
        return Basis(result, efforts.measured_at(said))

    def thinking_gain(self, task: str) -> float:
        """Points that thinking adds at a task, over all models measured with and without."""
        gain = self._file.thinking_gain
        if not gain:
            return 0.0
        weights = TASK_MEASURES.get(task, {})
        total = sum(w for m, w in weights.items() if m in gain)
        mean = sum(w * gain[m] for m, w in weights.items() if m in gain)
        return (mean + OVERALL_PULL * (overall(gain) or 0.0)) / (total + OVERALL_PULL)

    def _judged(self, model: AIModel, task: str) -> Quality:
        weights = TASK_MEASURES.get(task, dict.fromkeys(OVERALL, 1 / len(OVERALL)))
        result = self._file.models.get(model.id)
        if result is None or not result.measures:
            return self._inherited(model, task) or self._prior(model)
        known = sum(m in result.measures for m in OVERALL)
        prior = PRIOR_CEILING if known >= WELL_MEASURED else self._prior(model).points
        points = estimate(result.measures, weights, prior)
        used = sorted((m for m in weights if m in result.measures), key=lambda m: (-weights[m], m))
        shown = used[:2] or list(result.measures)[:1]
        words = ", ".join(f"{MEASURES[m]} {result.raw[m]:g}" for m in shown)
        level = "measured" if task in DIRECT and used else "proxy"
        lead = "" if level == "measured" else "proxy: "
        return Quality(points=points, level=level, why=f"{lead}{words} ({self._cited(result, shown)})")

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

    @staticmethod
    def _by_line(models: Iterable[AIModel]) -> dict[tuple[str, str], tuple[AIModel, ...]]:
        """Per maker and line, the newest first."""
        found: dict[tuple[str, str], list[AIModel]] = {}
        for model in models:
            found.setdefault(lines.of(model)[:2], []).append(model)
        return {k: tuple(sorted(v, key=lines.age_key, reverse=True)) for k, v in found.items()}

    def _family_means(self, registry: MarketplaceRegistry) -> dict[tuple[str, str], tuple[float, str]]:
        """Per maker and family: the mean of its RELATIVES newest measured members, and the name of the best of them."""
        members: dict[tuple[str, str], list[tuple[str, float, str]]] = {}
        for model in registry.get_all_models():
            result = self._file.models.get(model.id)
            general = overall(result.measures) if result else None
            if general is not None and model.family:
                key = (model.maker, model.family)
                members.setdefault(key, []).append((model.released_on or "", general, model.name))
        newest = {key: sorted(found, reverse=True)[:RELATIVES] for key, found in members.items()}
        return {
            key: (sum(p for _, p, _ in found) / len(found), max((p, name) for _, p, name in found)[1])
            for key, found in newest.items()
        }

    def _predecessor(self, model: AIModel) -> AIModel | None:
        """The nearest older model of its line that has results."""
        older = self._lines.get(lines.of(model)[:2], ())
        return next((m for m in older if lines.newer(model, m)), None)

    def _inherited(self, model: AIModel, task: str) -> Quality | None:
        """Of the nearest predecessor of its line that has results, and the usual step; None without a predecessor."""
        before = self._predecessor(model)
        if before is None:
            return None
        place = lines.of(model)[:2]
        own = self.of(before, task)
        between = sum(lines.newer(model, m) and lines.newer(m, before) for m in self._members.get(place, ()))
        step = self.step + FURTHER_STEP * between
        return Quality(
            points=min(INHERITED_CEILING, own.points + step),
            level="inherited",
            why=f"inherited from {before.name} (no own results yet), plus {step:.1f} points as successors usually "
            f"gain; {before.name}: {own.why}",
        )

    def _learnt_step(self) -> float:
        """The median gain of measured successors over their nearest measured predecessor, in points."""
        gains = []
        for members in self._lines.values():
            for newer, older in itertools.pairwise(members):
                both = [self._file.models[m.id].measures for m in (newer, older)]
                if lines.newer(newer, older) and all(
                    sum(m in r for m in OVERALL) >= WELL_MEASURED for r in both
                ):
                    gains.append((overall(both[0]) or 0.0) - (overall(both[1]) or 0.0))
        if len(gains) < SUCCESSIONS:
            return USUAL_STEP
        return max(0.0, min(LARGEST_STEP, statistics.median(gains)))

    def _ceiling(self, model: AIModel) -> float:
        """The most that a model without results can be worth where its name tells its size: no sibling's results make it larger."""
        sized = _SIZE.search(model.id)
        if sized is None:
            return PRIOR_CEILING
        years = SIZED_UNKNOWN_AGE
        if model.released_on:
            years = max(0.0, (SIZE_AT - date.fromisoformat(model.released_on)).days / 365.25)
        doublings = math.log2(max(0.1, float(sized[1])) / SIZE_BILLIONS)
        return max(10.0, SIZE_POINTS + PER_SIZE_DOUBLING * doublings - PER_SIZE_YEAR * years)

    def _prior(self, model: AIModel) -> Quality:
        """A guess from price and age (an unknown day of release says nothing), and from the newest relatives with results."""
        if "demo" in model.tags or model.provider == "local":
            return Quality(
                points=20.0,
                level="prior",
                why="a small demo model that runs on this machine; no public result",
            )
        line = self._file.prior
        years = (
            (self._today - date.fromisoformat(model.released_on)).days / 365.25
            if model.released_on
            else UNKNOWN_AGE
        )
        price = model.price.output / 10**9 if model.price is not None and model.price.output > 0 else 0.1
        guess = (
            line.base
            + line.per_price_doubling * math.log2(max(price, 0.02))
            + line.per_year * max(0.0, years)
        )
        guess = max(25.0, min(PRIOR_CEILING, guess)) - NO_EVIDENCE_PENALTY
        small = self._ceiling(model)
        guess = min(guess, small)
        family = self._families.get((model.maker, model.family))
        if family is None or model.retired:
            why = "no public result found; a weak guess from its price and age only"
            return Quality(points=guess, level="prior", why=why)
        return Quality(
            points=min(72.0, small, 0.5 * family[0] + 0.5 * guess),
            level="family",
            why=f"no public result of its own found; judged by its relative {family[1]}, its price and its age",
        )

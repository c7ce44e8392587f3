"""Builds `recommend/data/quality.json`: dated, sourced results per model of ours, from the tables in `scripts/data/quality`.

Every measure is put on one scale: 70 is the mean and 10 the standard deviation of the models that LiveBench 2026-06-25 lists.
The prior for models without results is a least-squares line through those that have some: log2 of the output price and age.
Run from the repository's root: `PYTHONPATH=backend python scripts/build_quality.py`.
"""

import csv
import datetime
import json
import math
import pathlib
import re
import statistics
from collections.abc import Mapping

from agent_marketplace.catalog import AIModel, MarketplaceRegistry

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ROOT / "scripts/data/quality"
OUT = ROOT / "backend/agent_marketplace/recommend/data/quality.json"
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "coding": ("code_generation", "code_completion"),
    "agentic_coding": ("javascript", "typescript", "python"),
    "mathematics": ("AMPS_Hard", "integrals_with_game", "math_comp", "olympiad"),
    "data_analysis": ("consecutive_events", "tablejoin", "tablereformat"),
    "language": ("connections", "plot_unscrambling", "typos"),
    "instruction_following": ("paraphrase", "simplify", "story_generation", "summarize"),
    "reasoning": ("theory_of_mind", "zebra_puzzle", "spatial", "logic_with_navigation"),
    "summarize": ("summarize", "simplify"),
    "story": ("story_generation",),
    "tables": ("tablejoin", "tablereformat"),
}
_EFFORT = re.compile(r"-(?:thinking.*|xhigh.*|high.*|medium.*|max)$")
AIDER_AT_MEAN, AIDER_SLOPE = 85.0, 0.45
"""Aider's pass rate worth 70 points, and points per percent: the 2025 leaders (85-88 %) were about as good as 2026's mean."""


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open() as f:
        return list(csv.DictReader(f))


def ours(registry: MarketplaceRegistry, name: str) -> AIModel | None:
    return registry.resolve(name) or registry.resolve(_EFFORT.sub("", name))


def add(models: dict[str, dict], model_id: str) -> dict:
    return models.setdefault(model_id, {"measures": {}, "raw": {}, "sources": {}})


def livebench(registry: MarketplaceRegistry, models: dict[str, dict]) -> None:
    table = rows("livebench_2026_06_25_scores")
    raw = {
        row["model"]: {k: statistics.fmean(float(row[c]) for c in columns) for k, columns in CATEGORIES.items()}
        for row in table
    }
    for measure in CATEGORIES:
        values = [r[measure] for r in raw.values()]
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        for name, scores in raw.items():
            model = ours(registry, name)
            if model is None:
                continue
            entry = add(models, model.id)
            entry["measures"][measure] = round(70 + 10 * (scores[measure] - mean) / spread, 2)
            entry["raw"][measure] = round(scores[measure], 1)
            entry["sources"]["livebench"] = name
    for row in rows("livebench_2026_06_25_output"):
        model = ours(registry, row["model"])
        if model is not None:
            add(models, model.id)["output_tokens"] = {k: int(v) for k, v in row.items() if k != "model"}


def aider(registry: MarketplaceRegistry, models: dict[str, dict]) -> None:
    for row in rows("aider_polyglot"):
        model = ours(registry, row["model"])
        if model is None:
            continue
        entry, rate = add(models, model.id), float(row["pass_rate_2"])
        if rate <= entry["raw"].get("aider", -1):
            continue
        entry["measures"]["aider"] = round(70 + (rate - AIDER_AT_MEAN) * AIDER_SLOPE, 2)
        entry["raw"]["aider"] = rate
        entry["sources"]["aider"] = f"{row['model']}, {row['date']}"


def age(model: AIModel, today: datetime.date) -> float:
    """Years since release; two where the date is unknown."""
    return (today - datetime.date.fromisoformat(model.released_on)).days / 365.25 if model.released_on else 2.0


def solve(a: list[list[float]], b: list[float]) -> list[float]:
    """Gauss-Jordan for a small symmetric system."""
    n = len(b)
    m = [[*row, value] for row, value in zip(a, b, strict=True)]
    for i in range(n):
        pivot = m[i][i]
        m[i] = [v / pivot for v in m[i]]
        for j in range(n):
            if j != i:
                m[j] = [v - m[j][i] * w for v, w in zip(m[j], m[i], strict=True)]
    return [row[n] for row in m]


def prior(registry: MarketplaceRegistry, models: dict[str, dict], today: datetime.date) -> dict[str, float]:
    points: list[tuple[list[float], float]] = []
    for model_id, entry in models.items():
        model = registry.get_model_by_id(model_id)
        if model is None or model.price is None or not entry["measures"] or model.price.output <= 0:
            continue
        x = [1.0, math.log2(model.price.output / 10**9), age(model, today)]
        points.append((x, statistics.fmean(entry["measures"].values())))
    gram = [[sum(x[i] * x[j] for x, _ in points) + (0.5 if i == j and i else 0) for j in range(3)] for i in range(3)]
    base, per_doubling, per_year = solve(gram, [sum(x[i] * y for x, y in points) for i in range(3)])
    errors = [y - (base + per_doubling * x[1] + per_year * x[2]) for x, y in points]
    return {
        "base": round(base, 3), "per_price_doubling": round(per_doubling, 3), "per_year": round(per_year, 3),
        "error": round(math.sqrt(statistics.fmean(e * e for e in errors)), 2), "models": len(points),
    }  # fmt: skip


def main() -> None:
    registry = MarketplaceRegistry()
    today = datetime.datetime.now(datetime.UTC).date()
    models: dict[str, dict] = {}
    livebench(registry, models)
    aider(registry, models)
    table = {
        "built_on": today.isoformat(), "sources": json.loads((TABLES / "sources.json").read_text()),
        "prior": prior(registry, models, today), "models": dict(sorted(models.items())),
    }  # fmt: skip
    OUT.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(models)} models, prior {table['prior']}")  # noqa: T201


if __name__ == "__main__":
    main()

"""Builds `recommend/data/quality.json`: dated, sourced results per model of ours, from the tables in `scripts/data/quality`.

Every measure is put on one scale: 70 is the mean and 10 the standard deviation of the models that LiveBench 2026-06-25 lists.
Older and cheaper models come from its release 2026-01-08: the same questions, except those of agentic coding, whose scores are moved
by the mean difference of the rows that both releases have (an assumption: they are few).
The prior for models without results is a least-squares line through those that have some: log2 of the output price and age.
Deterministic: its date is that of the newest source. Run from the repository's root: `PYTHONPATH=backend python scripts/build_quality.py`.
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
_EFFORT = re.compile(r"-(?:thinking.*|xhigh.*|high.*|medium.*|max.*|base)$")
NAMES = {
    "claude-4-1-opus-20250805": "claude-opus-4-1", "claude-4-sonnet-20250514": "claude-sonnet-4",
    "gemini-2.5-flash-06-05": "gemini-2.5-flash", "gemini-2.5-pro-06-05": "gemini-2.5-pro",
    "gemini-3-pro-preview-11-2025": "gemini-3-pro-preview", "grok-code-fast-1-0825": "grok-code-fast-1",
}  # fmt: skip
"""Rows whose names no alias of the catalogue carries."""


THINKING_PAIRS = (
    ("claude-4-1-opus-20250805-base", "claude-4-1-opus-20250805-thinking-32k"),
    ("claude-4-sonnet-20250514-base", "claude-4-sonnet-20250514-thinking-64k"),
    ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001-thinking-64k"),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929-thinking-64k"),
    ("deepseek-v3.2", "deepseek-v3.2-thinking"), ("deepseek-v3.2-exp", "deepseek-v3.2-exp-thinking"),
    ("grok-4-1-fast-non-reasoning", "grok-4-1-fast-reasoning"), ("kimi-k2-instruct", "kimi-k2-thinking"),
    ("qwen3-235b-a22b-instruct-2507", "qwen3-235b-a22b-thinking-2507"),
    ("qwen3-next-80b-a3b-instruct", "qwen3-next-80b-a3b-thinking"),
)  # fmt: skip
"""Rows of LiveBench 2026-01-08 that are one model without and with thinking."""

QUESTIONS: Mapping[str, int] = {
    "AMPS_Hard": 100, "code_completion": 46, "code_generation": 71, "connections": 50, "consecutive_events": 47,
    "integrals_with_game": 100, "javascript": 22, "logic_with_navigation": 50, "math_comp": 102, "olympiad": 77,
    "paraphrase": 50, "plot_unscrambling": 50, "python": 20, "simplify": 50, "spatial": 50, "story_generation": 50,
    "summarize": 50, "tablejoin": 52, "tablereformat": 51, "theory_of_mind": 52, "typescript": 30, "typos": 50,
    "zebra_puzzle": 50,
}  # fmt: skip
TASK_SUBTASKS: Mapping[str, tuple[str, ...]] = {
    "debugging": ("code_generation", "code_completion"), "code_generation": ("code_generation", "code_completion"),
    "code_review": ("code_generation", "code_completion"), "documentation": ("summarize", "simplify"),
    "explain_concept": ("connections", "plot_unscrambling", "typos", "paraphrase", "simplify"),
    "brainstorming": ("story_generation",), "summarisation": ("summarize", "simplify"), "translation": ("typos", "simplify"),
    "data_extraction": ("tablejoin", "tablereformat"), "maths": ("AMPS_Hard", "math_comp", "olympiad"),
    "vision": ("theory_of_mind",), "tool_use": ("tablejoin", "tablereformat"), "quick_task": ("typos",),
}  # fmt: skip
"""The single-turn questions nearest to a task: what the whole category cost is what such a question costs."""


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open() as f:
        return list(csv.DictReader(f))


def ours(registry: MarketplaceRegistry, name: str) -> AIModel | None:
    plain = _EFFORT.sub("", name)
    return registry.resolve(name) or registry.resolve(NAMES.get(plain, plain))


def add(models: dict[str, dict], model_id: str) -> dict:
    return models.setdefault(model_id, {"measures": {}, "raw": {}, "sources": {}, "effort": {}})


def effort_of(registry: MarketplaceRegistry, row: str) -> str:
    """How hard a row's model was made to think, in words; nothing where the ending is part of the model's own name."""
    if registry.resolve(row) is not None:
        return ""
    found = re.search(r"(?:^|-)(max|xhigh|high|medium|low)(?:-effort)?$", row)
    if found:
        return f"at {found[1]} effort"
    return "with thinking" if re.search(r"thinking(?:-\d+k)?$", row) else ""


def averages(table: str) -> dict[str, dict[str, float]]:
    """Row -> category -> mean of its subtasks."""
    return {
        row["model"]: {
            k: statistics.fmean(float(row[c]) for c in columns) for k, columns in CATEGORIES.items()
        }
        for row in rows(table)
    }


def livebench(registry: MarketplaceRegistry, models: dict[str, dict]) -> None:
    """The newest release first; the older one only for models that it alone has. Of several rows of a model the last counts."""
    newest, older = averages("livebench_2026_06_25_scores"), averages("livebench_2026_01_08_scores")
    both = newest.keys() & older.keys()
    moved = statistics.fmean(newest[m]["agentic_coding"] - older[m]["agentic_coding"] for m in both)
    scale = {
        k: (statistics.fmean(r[k] for r in newest.values()), statistics.stdev(r[k] for r in newest.values()))
        for k in CATEGORIES
    }
    for source, table in (("livebench", newest), ("livebench_2026_01", older)):
        listed = {m for m, entry in models.items() if entry["measures"]}
        for name, scores in table.items():
            model = ours(registry, name)
            if model is None or model.id in listed:
                continue
            entry = add(models, model.id)
            for measure, (mean, spread) in scale.items():
                shift = moved if source != "livebench" and measure == "agentic_coding" else 0.0
                entry["measures"][measure] = round(70 + 10 * (scores[measure] + shift - mean) / spread, 2)
                entry["raw"][measure] = round(scores[measure], 1)
            entry["sources"][source] = name
            effort = effort_of(registry, name)
            if effort:
                entry["effort"][source] = effort
    for row in rows("livebench_2026_06_25_cost"):
        model = ours(registry, row["model"])
        entry = models.get(model.id) if model is not None else None
        if model is None or model.price is None or not model.price.output or entry is None:
            continue
        if entry["sources"].get("livebench") == row["model"]:
            entry["question_tokens"] = {
                task: round(
                    sum(float(row[s]) for s in subs)
                    / sum(QUESTIONS[s] for s in subs)
                    * 10**15
                    / model.price.output
                )
                for task, subs in TASK_SUBTASKS.items()
            }
    for row in rows("livebench_2026_06_25_output"):
        model = ours(registry, row["model"])
        if model is not None:
            add(models, model.id)["output_tokens"] = {k: int(v) for k, v in row.items() if k != "model"}


def thinking_gain() -> dict[str, float]:
    """Points per measure that thinking adds, the median of THINKING_PAIRS; where it takes some away, none."""
    newest, older = averages("livebench_2026_06_25_scores"), averages("livebench_2026_01_08_scores")
    return {
        k: round(
            max(
                0.0,
                statistics.median(
                    10
                    * (older[after][k] - older[before][k])
                    / statistics.stdev(r[k] for r in newest.values())
                    for before, after in THINKING_PAIRS
                ),
            ),
            2,
        )
        for k in CATEGORIES
    }


def aider(registry: MarketplaceRegistry, models: dict[str, dict]) -> None:
    """Aider's best pass rate per model, put on LiveBench's scale by the line through the models that both have rated."""
    best: dict[str, dict[str, str]] = {}
    for row in rows("aider_polyglot"):
        model = ours(registry, row["model"])
        if model is not None and float(row["pass_rate_2"]) > float(
            best.get(model.id, {"pass_rate_2": "-1"})["pass_rate_2"]
        ):
            best[model.id] = row
    shared = [
        (
            float(row["pass_rate_2"]),
            statistics.fmean(models[i]["measures"][m] for m in ("coding", "agentic_coding")),
        )
        for i, row in best.items()
        if models.get(i, {}).get("measures")
    ]
    slope, base = statistics.linear_regression([x for x, _ in shared], [y for _, y in shared])
    for model_id, row in best.items():
        entry, rate = add(models, model_id), float(row["pass_rate_2"])
        entry["measures"]["aider"] = round(base + slope * rate, 2)
        entry["raw"]["aider"] = rate
        entry["sources"]["aider"] = f"{row['model']}, {row['date']}"


def age(model: AIModel, today: datetime.date) -> float:
    """Years since release; two where the date is unknown."""
    return (
        (today - datetime.date.fromisoformat(model.released_on)).days / 365.25 if model.released_on else 2.0
    )


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
    gram = [
        [sum(x[i] * x[j] for x, _ in points) + (0.5 if i == j and i else 0) for j in range(3)]
        for i in range(3)
    ]
    base, per_doubling, per_year = solve(gram, [sum(x[i] * y for x, y in points) for i in range(3)])
    errors = [y - (base + per_doubling * x[1] + per_year * x[2]) for x, y in points]
    return {
        "base": round(base, 3), "per_price_doubling": round(per_doubling, 3), "per_year": round(per_year, 3),
        "error": round(math.sqrt(statistics.fmean(e * e for e in errors)), 2), "models": len(points),
    }  # fmt: skip


def table() -> dict[str, object]:
    registry = MarketplaceRegistry()
    sources = json.loads((TABLES / "sources.json").read_text())
    today = datetime.date.fromisoformat(max(source["as_of"] for source in sources.values()))
    models: dict[str, dict] = {}
    livebench(registry, models)
    aider(registry, models)
    return {
        "built_on": today.isoformat(), "sources": sources,
        "prior": prior(registry, models, today), "thinking_gain": thinking_gain(), "models": dict(sorted(models.items())),
    }  # fmt: skip


def text() -> str:
    return json.dumps(table(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    OUT.write_text(text())


if __name__ == "__main__":
    main()

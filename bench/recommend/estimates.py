"""How long answers really were against what is said before the call. One command:

    PYTHONPATH=backend .venv/bin/python bench/recommend/estimates.py

Visible: 240 prompts of data/answer_lengths.jsonl with the lengths of real answers (lmarena/arena-hard-auto, commit 196f6b8, Apache-2.0:
o3-mini of 2025-01-31 with the counts of the file, gpt-4-0314 at four characters a token). The prompts are harder than most, which makes
answers longer. With thinking: no public list has hidden tokens per prompt, so the mean that LiveBench 2026-06-25 paid per question of a
task's kind stands against the range for the same model at the same effort. No history of own calls, no encoder, no network.
"""

import csv
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from run import QUESTIONS, TABLES
from situations import engine

from agent_marketplace.recommend.estimate import TYPICAL_INPUT, expected_cost
from agent_marketplace.recommend.tasks import analyze

ROWS = pathlib.Path(__file__).resolve().parent / "data/answer_lengths.jsonl"
EFFORT = {"o3-mini": "none", "gpt-4": None}
KINDS = {
    "code_generation": ("code_generation", "code_completion"), "maths": ("AMPS_Hard", "math_comp", "olympiad"),
    "data_extraction": ("tablejoin", "tablereformat"), "summarisation": ("summarize", "simplify"),
    "brainstorming": ("story_generation",),
}  # fmt: skip


def shares(seen: list[tuple[float, float, float]]) -> str:
    """seen: (what it was, p50, p95)."""
    n = len(seen)
    inside, at_most = sum(a <= x <= b for x, a, b in seen) / n, sum(x <= b for x, _, b in seen) / n
    ratio = statistics.median(x / a for x, a, _ in seen)
    return f"n {n}, inside p50 to p95 {inside:.2f}, at most p95 {at_most:.2f}, median of real over p50 {ratio:.2f}"


def main() -> None:
    asked = engine()
    visible: dict[str, list[tuple[float, float, float]]] = {}
    for line in ROWS.read_text().splitlines():
        row = json.loads(line)
        read, model = analyze(row["text"]), asked.registry.resolve(row["model"])
        said = asked._expected(model, read.type, read.wanted_output_tokens, EFFORT[row["model"]], "")
        for key in (row["model"], "all"):
            visible.setdefault(key, []).append((row["tokens"], said.p50, said.p95))
    for name, seen in visible.items():
        print(f"visible, {name}: {shares(seen)}")
    with (TABLES / "livebench_2026_06_25_cost.csv").open() as file:
        paid = {row["model"]: row for row in csv.DictReader(file)}
    thinking = []
    for model in asked.registry.get_all_models():
        sources = asked.quality._file.models[model.id].sources if model.id in asked.quality._file.models else {}
        row = paid.get(sources.get("livebench", ""))
        if row is None or model.price is None:
            continue
        basis = asked.quality.basis(model)
        for task, parts in KINDS.items():
            mean = sum(float(row[p]) for p in parts) / sum(QUESTIONS[p] for p in parts)
            cost = expected_cost(model.price, TYPICAL_INPUT, asked._expected(model, task, None, basis.measured, ""))
            thinking.append((mean * 1e9, cost.p50, cost.p95))
    print(f"with thinking, LiveBench's mean cost: {shares(thinking)}")


if __name__ == "__main__":
    main()

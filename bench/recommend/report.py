"""Renders measured results into docs/q-assistant.md, between the markers."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

DOC = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/q-assistant.md"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
_SHORT = {
    "debugging": "debug", "code_generation": "code", "code_review": "review", "documentation": "docs", "explain_concept": "explain",
    "brainstorming": "ideas", "summarisation": "summary", "translation": "transl", "data_extraction": "extract", "maths": "maths",
    "vision": "vision", "tool_use": "tools", "quick_task": "quick",
}  # fmt: skip


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c) for c in line) + " |" for line in lines)


def confusion(matrix: Mapping[str, Mapping[str, int]]) -> str:
    labels = sorted(matrix)
    rows = [[f"**{label}**", *(matrix[label].get(p, 0) or "·" for p in labels)] for label in labels]
    return markdown_table(["truth \\ said", *(_SHORT[p] for p in labels)], rows)


def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    rows = [[f"{b['from']:.2f}", b["prompts"], f"{b['confidence']:.2f}", f"{b['right']:.2f}"] for b in bins]
    return markdown_table(["confidence from", "prompts", "mean confidence", "share right"], rows)


SETS = (
    ("blind_F", "blind F, 30 Nov 2026: own, only scored"),
    ("blind_E", "blind E, 30 Nov 2026: own, errors read after the first scoring"),
    ("fresh_D_public", "D, public prompts of eight sources"),
    ("fresh_D_own", "D, own prompts in many registers"),
    ("fresh_C_public", "C, public, errors read"),
    ("fresh_C_own", "C, own, errors read"),
    ("task_types_B", "B, public, measured often"),
    ("task_types_A", "A, public, tuned on"),
    ("task_types", "a file of the caller's"),
)


def _sets(result: Mapping[str, Any]) -> str:
    """A row a set: the n-grams alone, and with the sentence encoder where it was there."""
    rows = []
    for key, name in SETS:
        alone, both = result.get(key), result.get(f"{key}_encoder")
        if alone is None:
            continue
        foreign = [f"{f['not_english']:.2f}" if f and f["not_english"] is not None else "-" for f in (alone, both)]
        cells = [f"{f['macro_f1']:.3f} ({f['macro_f1_95'][0]:.2f} to {f['macro_f1_95'][1]:.2f})" if f else "-" for f in (alone, both)]
        ece = [f"{f['ece']:.3f}" if f else "-" for f in (alone, both)]
        rows.append([name, alone["prompts"], cells[0], ece[0], cells[1], ece[1], " / ".join(foreign)])
    head = ["set", "prompts", "macro-F1, n-grams (95 %)", "ECE", "with the encoder (95 %)", "ECE", "right, not English"]
    return markdown_table(head, rows)


def render(result: Mapping[str, Any], folds: Mapping[str, Any]) -> None:
    """Replaces the measured part of the page; the rest is written by hand."""
    parts = [f"Measured on {result['date']}, commit {result['commit']}.", "### Task type", _sets(result)]
    shown = result.get("blind_F_encoder") or result["blind_F"]
    parts += ["Set F, truth against what was said:", confusion(shown["confusion"]), "Its calibration:", calibration(shown["calibration"])]
    parts.append(
        f"Own text, held-out folds: {folds['prompts']} prompts, accuracy {folds['accuracy']:.3f}, macro-F1 {folds['macro_f1']:.3f}."
    )
    regret = result["regret"]
    rows = [
        [name, f"{p['mean']:.2f}", f"{p['mean_95'][0]:.2f} to {p['mean_95'][1]:.2f}", f"{p['within_2_points']:.0%}"]
        for name, p in regret["policies"].items()
    ]
    parts += [
        "### Regret at budget",
        (
            f"{regret['release']}, {regret['models']} rows (a model at an effort), one category left out at a time, "
            "price caps from $0.01 to $9 a question."
        ),
        markdown_table(["policy", "mean regret, points", "95 %", "within 2 points of the best"], rows),
    ]
    stable, fast = result["stability"], result["latency"]
    parts.append("### Stability and time")
    parts.append(
        f"Of {stable['pairs']} reworded pairs, {stable['same_type']:.0%} keep their type and "
        f"{stable['same_first_pick']:.0%} their first pick."
    )
    parts.append(
        f"CPU time, on a busy machine: loading the head {fast['load_ms']} ms; analysis p50 {fast['analyze_ms']['p50']} ms, "
        f"p99 {fast['analyze_ms']['p99']} ms (a pasted page: p50 {fast['analyze_page_ms']['p50']} ms; a text of 1 MB: "
        f"p50 {fast['analyze_1MB_ms']['p50']} ms); a recommendation over the whole catalogue p50 {fast['recommend_ms']['p50']} ms."
    )
    page = DOC.read_text()
    before, rest = page.split(START)
    after = rest.split(END)[1]
    DOC.write_text(before + START + "\n\n" + "\n\n".join(parts) + "\n\n" + END + after)

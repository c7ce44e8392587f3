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


def _types(title: str, found: Mapping[str, Any]) -> list[str]:
    interval = found.get("macro_f1_95")
    spread = f" (95 % bootstrap interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else ""
    summary = f"{found['prompts']} prompts: accuracy {found['accuracy']:.3f}, macro-F1 {found['macro_f1']:.3f}{spread}."
    return [f"### {title}", summary, confusion(found["confusion"]), "Calibration:", calibration(found["calibration"])]


def render(result: Mapping[str, Any], folds: Mapping[str, Any]) -> None:
    """Replaces the measured part of the page; the rest is written by hand."""
    parts = [f"Measured on {result['date']}, commit {result['commit']}.", *_types("Own text, held-out folds", folds)]
    parts += _types("Fresh public prompts D, kept aside", result["fresh_D_public"])
    parts += _types("Fresh own prompts D in many registers, kept aside", result["fresh_D_own"])
    parts.append("### Files whose errors were looked at, or that were measured before")
    names = {
        "task_types_B": "public B (kept aside, measured again)", "task_types_A": "public A (tuned on)",
        "fresh_C_public": "fresh public C (errors read)", "fresh_C_own": "fresh own C (errors read)",
        "task_types": "earlier validation file (known to the authors)",
    }  # fmt: skip
    rows = [
        [name, f["prompts"], f"{f['accuracy']:.3f}", f"{f['macro_f1']:.3f}", "{:.2f} to {:.2f}".format(*f["macro_f1_95"])]
        for key, name in names.items()
        if (f := result.get(key))
    ]
    parts.append(markdown_table(["file", "prompts", "accuracy", "macro-F1", "95 %"], rows))
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

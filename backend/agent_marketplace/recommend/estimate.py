"""How long an answer will be and what it will cost, before it is asked for. Money in nano-dollars, lengths in tokens.

A length has a stated prior per task (visible tokens) and, for models that think, thinking tokens: what a question of the
task's kind took in LiveBench 2026-06-25 (cost over price), scaled to the effort of the call. The answers of this installation
replace the prior as they are seen (20 calls weigh as much as the prior).
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from agent_marketplace.catalog import AIModel
from agent_marketplace.ledger import Price, price_usage
from agent_marketplace.recommend.efforts import factor, thinks, usual
from agent_marketplace.recommend.quality import Result
from agent_marketplace.recommend.results import (
    FILM_TOKENS,
    SPEECH_TOKENS,
    SPOKEN_PER_TOKEN,
    USUAL_FILM_S,
    USUAL_SPEECH_S,
)
from agent_marketplace.usage import Usage

DEFAULT_CAP = 1024
PRIOR_CALLS = 20
TYPICAL_QUESTION: Mapping[str, int] = {
    "debugging": 2970, "code_generation": 2930, "code_review": 2840, "documentation": 6870, "explain_concept": 5100,
    "brainstorming": 6560, "summarisation": 7100, "translation": 4380, "data_extraction": 3940, "maths": 3670, "vision": 7320,
    "tool_use": 3980, "quick_task": 1220,
}  # fmt: skip
"""The median over LiveBench 2026-06-25's models of hidden tokens per question of a task's kind, brought to medium effort."""

TYPICAL_INPUT = 1_000
"""Tokens in of the typical call that models are set beside each other with."""

TAIL = 1.3
"""Everyday answers of models that think have a longer tail than the table of their usual lengths says (measured on o3-mini)."""

MEDIAN_OF_MEAN, P95_OF_MEAN = 0.55, 2.2
"""Thinking is skewed: its median against the mean that a benchmark's cost tells, and its 95th percentile."""
VISIBLE: Mapping[str, tuple[int, int]] = {
    "debugging": (550, 2200), "code_generation": (600, 3000), "code_review": (700, 2200), "documentation": (600, 2500),
    "explain_concept": (450, 1600), "brainstorming": (450, 1800), "summarisation": (180, 900), "translation": (150, 1500),
    "data_extraction": (200, 1500), "maths": (350, 1800), "vision": (150, 800), "tool_use": (150, 1200), "quick_task": (60, 400),
}  # fmt: skip
THINKING: Mapping[str, tuple[int, int]] = {
    "debugging": (1500, 9000), "code_generation": (1500, 9000), "code_review": (1500, 8000), "documentation": (600, 4000),
    "explain_concept": (500, 3000), "brainstorming": (600, 3500), "summarisation": (400, 2500), "translation": (350, 2500),
    "data_extraction": (500, 4000), "maths": (1500, 10000), "vision": (400, 2500), "tool_use": (500, 3500), "quick_task": (200, 1200),
}  # fmt: skip
GENERAL = "explain_concept"


class Lengths(msgspec.Struct, frozen=True):
    """Output of one call: median and 95th percentile; `samples` calls of this installation behind it (0: stated prior)."""

    p50: int
    p95: int
    samples: int = 0


class CostRange(msgspec.Struct, frozen=True):
    """Nano-dollars: median and 95th percentile."""

    p50: int
    p95: int

    @property
    def mean(self) -> int:
        """What one of many calls comes to: the mean of the log-normal with these percentiles, at most the 95th."""
        if not 0 < self.p50 < self.p95:
            return self.p50
        sigma = math.log(self.p95 / self.p50) / 1.645
        return min(self.p95, round(self.p50 * math.exp(sigma * sigma / 2)))


def prior_lengths(
    model: AIModel,
    task: str,
    wanted_tokens: int | None = None,
    result: Result | None = None,
    *,
    effort: str | None = None,
    measured: str | None = None,
) -> Lengths:
    """wanted_tokens: the length asked for, if the text said one; result: the public results the model is judged by.

    effort: of this call (None: what the model does when not told); measured: the effort of the result.
    """
    p50, p95 = VISIBLE.get(task, VISIBLE[GENERAL])
    if wanted_tokens is not None:
        p50, p95 = wanted_tokens, round(wanted_tokens * 1.5)
    if thinks(model):
        hidden = _thinking(model, task, result, effort, measured)
        p50, p95 = p50 + hidden[0], p95 + hidden[1]
    limit = model.max_output or p95
    return Lengths(min(p50, limit), min(p95, limit))


def _thinking(
    model: AIModel, task: str, result: Result | None, effort: str | None, measured: str | None
) -> tuple[int, int]:
    """Hidden tokens, median and 95th percentile.

    Up to medium effort: everyday requests. At the effort of a benchmark: its questions, which are harder. Between them the
    logarithm is interpolated, so that an effort costs what its own evidence says.
    """
    task = task if task in THINKING else GENERAL
    per_question = result.question_tokens.get(task) if result is not None else None
    # A row that names no effort was measured as the model comes, which is much nearer to high than to medium.
    reached = measured or ("high" if per_question else "max")
    told = effort or ((measured and usual(model)) or reached if per_question else usual(model))
    at_medium = per_question / factor(reached) if per_question else TYPICAL_QUESTION[task]
    usual_p50, usual_p95 = THINKING[task]
    middle = usual_p50 * min(4.0, max(0.4, at_medium / TYPICAL_QUESTION[task]))
    top = max(1.0, at_medium * factor(reached) * MEDIAN_OF_MEAN)
    asked = factor(told)
    if asked <= 1.0 or factor(reached) <= 1.0:
        return round(middle * asked), round(middle * asked * usual_p95 / usual_p50 * TAIL)
    along = min(1.0, math.log(asked) / math.log(factor(reached)))
    p50 = middle ** (1 - along) * top**along * max(1.0, asked / factor(reached))
    tail = (usual_p95 / usual_p50 * TAIL) ** (1 - along) * (P95_OF_MEAN / MEDIAN_OF_MEAN) ** along
    return round(p50), round(p50 * tail)


def blend(prior: Lengths, history: Lengths | None) -> Lengths:
    """The prior and what was seen, in logarithms, weighted as PRIOR_CALLS to the number of calls seen."""
    if history is None or history.samples <= 0:
        return prior
    share = history.samples / (history.samples + PRIOR_CALLS)
    p50 = _between(prior.p50, history.p50, share)
    return Lengths(p50, max(p50, _between(prior.p95, history.p95, share)), history.samples)


def _between(a: int, b: int, share: float) -> int:
    """The geometric mean, `share` of it `b`: a few absurd lengths move it little."""
    return round(math.exp((1 - share) * math.log(max(1, a)) + share * math.log(max(1, b))))


def weighted_percentiles(seen: Sequence[tuple[int, float]]) -> Lengths:
    """Median and 95th percentile of (tokens, weight); `samples` is the sum of weights."""
    ordered = sorted(seen)
    total = sum(w for _, w in ordered)

    def at(share: float) -> int:
        reached = 0.0
        for tokens, weight in ordered:
            reached += weight
            if reached >= share * total - 1e-9:
                return tokens
        return ordered[-1][0]

    return Lengths(at(0.5), at(0.95), round(total))


def percentiles(lengths: Sequence[int]) -> Lengths:
    """Median and 95th percentile (nearest rank) of observed outputs; at least one."""
    ordered = sorted(lengths)
    n = len(ordered)
    return Lengths(ordered[(n - 1) // 2], ordered[math.ceil(0.95 * n) - 1], n)


def expected_cost(price: Price, input_tokens: int, lengths: Lengths) -> CostRange:
    """What a call with this input will probably cost (the most that it can cost is `ledger.worst_case`)."""
    return CostRange(
        p50=price_usage(price, Usage(input=input_tokens, output=lengths.p50)),
        p95=price_usage(price, Usage(input=input_tokens, output=lengths.p95)),
    )


PICTURE_TOKENS = 1_300
"""Output tokens that a picture of 1024 x 1024 is billed as where the price is per token (OpenAI, Google)."""


def result_lengths(output: str, wanted_tokens: int | None = None, input_tokens: int = 0) -> Lengths:
    """Tokens of a result that is no text.

    wanted_tokens: of a film or speech whose length was said; input_tokens: of the text that is spoken.
    """
    if output == "video":
        tokens = wanted_tokens or USUAL_FILM_S * FILM_TOKENS
        return Lengths(tokens, round(1.15 * tokens))
    if output == "speech":
        text = (
            round(input_tokens * SPOKEN_PER_TOKEN)
            if input_tokens > TEXT_TO_SPEAK
            else USUAL_SPEECH_S * SPEECH_TOKENS
        )
        tokens = wanted_tokens or text
        return Lengths(tokens, round(1.3 * tokens))
    tokens = 0 if output in ("embedding", "rerank") else PICTURE_TOKENS
    return Lengths(tokens, tokens)


TEXT_TO_SPEAK = 60
"""Tokens in from which on the text itself is taken to be there; less is only the request for it."""


def result_cost(price: Price, input_tokens: int, output: str, lengths: Lengths | None = None) -> CostRange:
    """What one result that is no text will probably cost: a picture, a film or speech of that length, or the vectors of the text.

    A price per picture holds for the usual size; where pictures are billed by tokens, the best quality takes four times as many.
    """
    if output == "embedding":
        cost = price_usage(price, Usage(input=max(1, input_tokens)))
        return CostRange(cost, cost)
    if output in ("video", "speech") and lengths is not None:
        p50, p95 = (
            price_usage(
                price,
                Usage(input=input_tokens, output=n)
                if output == "video"
                else Usage(input=input_tokens, audio_output=n),
            )
            for n in (lengths.p50, lengths.p95)
        )
        return CostRange(p50, p95)
    if price.per_image:
        cost = price_usage(price, Usage(input=input_tokens, images=1))
        return CostRange(cost, cost)
    cost = price_usage(price, Usage(input=input_tokens, image_output=PICTURE_TOKENS))
    return CostRange(cost, 4 * cost)


def hold_tokens(history: Lengths | None) -> int:
    """Output tokens that a hold should buy when the caller named no cap: p95 of this model's own calls, 1,024 at first."""
    if history is None or history.samples < PRIOR_CALLS:
        return DEFAULT_CAP
    return max(256, history.p95)

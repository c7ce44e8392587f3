"""How long an answer will be and what it will cost, before it is asked for. Money in nano-dollars, lengths in tokens.

A length has a stated prior per task (visible tokens) and, for models that think, thinking tokens scaled by how wordy the model
was in LiveBench 2026-06-25; own history replaces the prior as calls are seen (20 calls weigh as much as the prior).
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from agent_marketplace.catalog import AIModel
from agent_marketplace.ledger import Price, price_usage
from agent_marketplace.recommend.quality import Result
from agent_marketplace.usage import Usage

DEFAULT_CAP = 1024
PRIOR_CALLS = 20
MEDIAN_LIVEBENCH_TOKENS = 14_000
VISIBLE: Mapping[str, tuple[int, int]] = {
    "debugging": (550, 2200), "code_generation": (600, 3000), "code_review": (700, 2200), "documentation": (600, 2500),
    "explain_concept": (450, 1300), "brainstorming": (450, 1500), "summarisation": (180, 700), "translation": (150, 1500),
    "data_extraction": (200, 1500), "maths": (350, 1400), "vision": (150, 700), "tool_use": (150, 800), "quick_task": (60, 300),
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


def thinks(model: AIModel) -> bool:
    """True for models that spend hidden tokens unless told not to. Anthropic's think only when asked."""
    return "reasoning" in (*model.supported_parameters, *model.capabilities) and model.maker != "anthropic"


def prior_lengths(
    model: AIModel, task: str, wanted_tokens: int | None = None, result: Result | None = None
) -> Lengths:
    """wanted_tokens: the length the user asked for, if the text said one; result: the model's public results."""
    p50, p95 = VISIBLE.get(task, VISIBLE[GENERAL])
    if wanted_tokens is not None:
        p50, p95 = wanted_tokens, round(wanted_tokens * 1.5)
    if thinks(model):
        average = (
            result.output_tokens.get("average", MEDIAN_LIVEBENCH_TOKENS)
            if result is not None
            else MEDIAN_LIVEBENCH_TOKENS
        )
        wordy = math.sqrt(min(4.0, max(0.1, average / MEDIAN_LIVEBENCH_TOKENS)))
        hidden = THINKING.get(task, THINKING[GENERAL])
        p50, p95 = p50 + round(hidden[0] * wordy), p95 + round(hidden[1] * wordy)
    limit = model.max_output or p95
    return Lengths(min(p50, limit), min(p95, limit))


def blend(prior: Lengths, history: Lengths | None) -> Lengths:
    """The prior and what was seen, weighted as 20 calls to the number of calls seen."""
    if history is None or history.samples <= 0:
        return prior
    share = history.samples / (history.samples + PRIOR_CALLS)
    return Lengths(
        round(history.p50 * share + prior.p50 * (1 - share)),
        max(
            round(history.p95 * share + prior.p95 * (1 - share)),
            round(history.p50 * share + prior.p50 * (1 - share)),
        ),
        history.samples,
    )


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


def hold_tokens(history: Lengths | None) -> int:
    """Output tokens that a hold should buy when the caller named no cap: p95 of this model's own calls, 1,024 at first."""
    if history is None or history.samples < PRIOR_CALLS:
        return DEFAULT_CAP
    return max(256, history.p95)

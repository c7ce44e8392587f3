"""The whole catalogue under arbitrary budgets, needs and keys: the first pick is never one that the buyer cannot use."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import ManualClock
from agent_marketplace.ledger import nano
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.needs import CONTEXT_MARGIN, REQUIREMENTS
from tests.fakes import calendar

PROVIDERS = ("openai", "anthropic", "google", "mistral", "deepseek", "groq")
TASKS = (
    "Debug this Python code", "Translate this letter into French", "What is in this picture?", "Book a table for two",
    "Summarize the report", "Who wrote Hamlet?", "Solve 3x + 4 = 19", "",
)  # fmt: skip


class _Customer:
    def __init__(self, keys: Mapping[str, str]) -> None:
        self.balance, self.api_keys = Decimal(5), keys


class _Accounts:
    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = keys

    async def get_user(self, _user_id: str) -> _Customer:
        return _Customer(self.keys)


CLOCK = ManualClock(calendar.NOVEMBER_2026)
REGISTRY = MarketplaceRegistry(clock=CLOCK)
ENGINE = RecommendationEngine(REGISTRY, _Accounts({}), clock=CLOCK)


def _ask(task: str, own: frozenset[str] = frozenset(), **options: Any) -> list[dict[str, Any]]:
    ENGINE.auth = _Accounts(dict.fromkeys(own, "sk-…"))
    return asyncio.run(ENGINE.recommend("u", task, **options)).recommendations


@settings(max_examples=25)
@given(
    operator=st.frozensets(st.sampled_from(PROVIDERS)),
    own=st.frozensets(st.sampled_from(PROVIDERS), max_size=2),
    task=st.sampled_from(TASKS),
    available=st.integers(0, 10**10),
    cap=st.none() | st.integers(0, 10**9),
    tokens=st.none() | st.integers(0, 1_500_000),
    require=st.frozensets(st.sampled_from(["vision", "tools", "structured_output", "reasoning"])),
    priority=st.sampled_from(["quality", "balanced", "cost", "speed"]),
    limit=st.integers(1, 8),
)
def test_no_pick_is_unaffordable_unavailable_retiring_or_incapable(  # type: ignore[no-untyped-def]
    operator, own, task, available, cap, tokens, require, priority, limit
) -> None:
    REGISTRY.set_availability(dict.fromkeys(operator))
    options = {
        "available_nano": available, "max_cost": None if cap is None else Decimal(cap).scaleb(-9), "input_tokens": tokens,
        "require": sorted(require), "priority": priority, "limit": limit,
    }  # fmt: skip
    picks = _ask(task, own, **options)
    assert [(p["model"].id, p["reasons"]) for p in picks] == [
        (p["model"].id, p["reasons"]) for p in _ask(task, own, **options)
    ]
    assert len(picks) <= limit
    assert len({p["model"].id for p in picks}) == len(picks)
    soon = (
        datetime.fromtimestamp(calendar.NOVEMBER_2026 / 1000, UTC).date() + timedelta(days=14)
    ).isoformat()
    for pick in picks:
        mine = pick["provider"] in own
        offer = next(o for o in REGISTRY.offers(pick["model"].id) if o.provider == pick["provider"])
        assert mine or REGISTRY.unavailable_reason(offer) is None
        assert mine or nano(pick["cost_range"]["p95"]) <= available
        assert cap is None or nano(pick["cost_range"]["p95"]) <= cap
        assert not pick["model"].retired
        assert offer.retires_on is None or offer.retires_on > soon
        context = offer.context or pick["model"].context_window
        assert tokens is None or not context or context >= tokens * CONTEXT_MARGIN - 1
        assert "vision" not in require or "image" in offer.input_modalities
        for name in require - {"vision"}:
            assert REQUIREMENTS[name] & set(offer.supported_parameters)


@settings(max_examples=20)
@given(
    task=st.sampled_from([t for t in TASKS if t]),
    case=st.sampled_from([str.lower, str.capitalize, str]),
    prefix=st.sampled_from(["", "Please ", "Hi, could you please ", "Hello! "]),
    end=st.sampled_from(["", ".", "!", " thanks"]),
)
def test_polite_words_case_and_punctuation_do_not_change_the_first_pick(task, case, prefix, end) -> None:  # type: ignore[no-untyped-def]
    REGISTRY.set_availability(dict.fromkeys(("openai", "anthropic", "google")))
    worded = prefix + case(task).rstrip(".") + end
    assert _ask(worded, limit=1)[0]["model"].id == _ask(task, limit=1)[0]["model"].id

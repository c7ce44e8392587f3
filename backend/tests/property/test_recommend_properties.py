"""Ranking and learning under arbitrary input."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import ManualClock
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.estimate import Lengths, blend, percentiles
from agent_marketplace.recommend.learning import FULL_VOICE_NANO, PRIOR_STARS, Vote, rate
from agent_marketplace.recommend.tasks import analyze

NOW = 1_790_000_000_000


class _Customer:
    balance = Decimal(5)
    api_keys: Mapping[str, str] = {}


class _Accounts:
    async def get_user(self, _user_id: str) -> _Customer:
        return _Customer()


CLOCK = ManualClock(1_795_300_000_000)
ENGINE = RecommendationEngine(MarketplaceRegistry(clock=CLOCK), _Accounts(), clock=CLOCK)


@given(st.text(max_size=3000))
def test_any_text_is_analysed_the_same_way_twice(text: str) -> None:
    first = analyze(text)
    assert analyze(text) == first
    assert 0 <= first.confidence <= 1
    assert first.uncertain == (first.question is not None)


@settings(max_examples=15)
@given(
    text=st.text(max_size=200),
    available=st.integers(0, 10**9),
    cap=st.none() | st.integers(0, 10**9),
    tokens=st.none() | st.integers(0, 3_000_000),
    priority=st.sampled_from(["quality", "balanced", "cost", "speed"]),
)
def test_no_pick_breaks_the_budget_the_context_or_availability(
    text, available, cap, tokens, priority
) -> None:  # type: ignore[no-untyped-def]
    money = None if cap is None else Decimal(cap).scaleb(-9)
    advice = asyncio.run(
        ENGINE.recommend(
            "u", text, 5, available_nano=available, max_cost=money, input_tokens=tokens, priority=priority
        )
    )
    picks = advice.recommendations
    assert [p["rank"] for p in picks] == list(range(1, len(picks) + 1))
    for pick in picks:
        high = pick["cost_range"]["p95"]
        assert high <= Decimal(available).scaleb(-9)
        assert money is None or high <= money
        offers = [o for o in ENGINE.registry.offers(pick["model"].id) if o.provider == pick["provider"]]
        assert tokens is None or any((o.context or pick["model"].context_window) >= tokens for o in offers)
        assert pick["model"].is_available
        assert not pick["model"].retired


_votes = st.builds(
    Vote,
    user_id=st.sampled_from(["a", "b", "c"]),
    model=st.just("m"),
    kind=st.sampled_from(["stars", "thumb_down", "regenerate"]),
    stars=st.floats(1, 5),
    at=st.integers(NOW - 10**10, NOW),
    paid_nano=st.integers(0, 10**10),
)


@given(st.lists(_votes, max_size=60))
def test_one_user_never_has_more_than_one_voice(votes: list[Vote]) -> None:
    rating = rate(votes, NOW).get("m")
    if rating is not None:
        assert 0 < rating.voices <= len({v.user_id for v in votes}) + 1e-9
        assert 1 <= rating.stars <= 5


@given(st.lists(st.floats(1, 5), min_size=1, max_size=200))
def test_many_accounts_that_paid_nothing_move_no_rating(stars: list[float]) -> None:
    crowd = [
        Vote(user_id=f"sock{i}", model="m", kind="stars", stars=s, at=NOW, paid_nano=0)
        for i, s in enumerate(stars)
    ]
    assert rate(crowd, NOW) == {}
    honest = Vote(user_id="x", model="m", kind="stars", stars=5, at=NOW, paid_nano=FULL_VOICE_NANO)
    assert rate([*crowd, honest], NOW) == rate([honest], NOW)


def test_a_small_spend_is_a_small_voice() -> None:
    cheap = [
        Vote(user_id=f"u{i}", model="m", kind="stars", stars=1, at=NOW, paid_nano=50_000) for i in range(100)
    ]
    assert abs(rate(cheap, NOW)["m"].stars - PRIOR_STARS) < 0.1


def test_old_votes_fade() -> None:
    old = Vote(user_id="u", model="m", kind="stars", stars=1, at=NOW - 360 * 86_400_000, paid_nano=10**9)
    assert rate([old], NOW)["m"].voices < 0.1


@given(
    st.lists(st.integers(1, 100_000), min_size=1, max_size=500), st.integers(1, 5000), st.integers(0, 50_000)
)
def test_lengths_keep_their_order_and_history_wins_with_many_calls(
    seen: list[int], p50: int, extra: int
) -> None:
    history, prior = percentiles(seen), Lengths(p50, p50 + extra)
    mixed = blend(prior, history)
    assert mixed.p50 <= mixed.p95
    assert min(prior.p50, history.p50) <= mixed.p50 <= max(prior.p50, history.p50)
    assert blend(prior, None) == prior

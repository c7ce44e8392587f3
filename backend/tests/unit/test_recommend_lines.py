"""Newcomers: a model that no benchmark knows yet is judged by its line, and never loses to the model that it replaces."""

from datetime import date

import msgspec
import pytest

from agent_marketplace.catalog import MarketplaceRegistry, bundled
from agent_marketplace.clock import ManualClock
from agent_marketplace.recommend import efforts, lines
from agent_marketplace.recommend import needs as filters
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine, Wallet
from agent_marketplace.recommend.quality import TASK_MEASURES, QualityTable
from agent_marketplace.recommend.tasks import Analysis
from tests.fakes import calendar

TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def registry() -> MarketplaceRegistry:
    made = MarketplaceRegistry(clock=ManualClock(calendar.NOVEMBER_2026))
    made.set_availability(dict.fromkeys(("openai", "anthropic", "google", "huggingface", "openrouter")))
    return made


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("claude-fable-5-1", "claude-fable-5"),
        ("claude-opus-5-5", "claude-opus-5"),
        ("claude-sonnet-4-5", "claude-3.7-sonnet"),
        ("gpt-5.6-sol", "gpt-5.5"),
        ("gpt-6.1-sol", "gpt-6-sol"),
        ("gpt-6-luna", "gpt-5.4-nano"),
        ("gpt-5.6-terra", "gpt-5.4-mini"),
        ("gemini-3.8-flash", "gemini-3-flash-preview"),
        ("gemini-4-argon", "gemini-3.1-pro-preview"),
        ("deepseek-v4-flash-0731", "deepseek-v4-flash"),
        ("deepseek-v4.1-flash", "deepseek-v4-flash-0731"),
        ("kimi-k3.1-pro", "kimi-k3"),
        ("kimi-k3", "kimi-k2.6"),
        ("glm-5.3", "glm-5.2"),
        ("grok-4.3", "grok-4.20"),
        ("grok-4.20", "grok-4"),
        ("qwen3.8-max", "qwen3.7-max"),
        ("mistral-small-2603", "mistral-small-2506"),
        ("llama-3.3-70b-instruct", "llama-3.1-70b-instruct"),
    ],
)
def test_a_successor_is_known_as_one(registry: MarketplaceRegistry, new: str, old: str) -> None:
    a, b = registry.get_model_by_id(new), registry.get_model_by_id(old)
    assert a is not None
    assert b is not None
    assert lines.newer(a, b)
    assert not lines.newer(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("gpt-6-luna", "gpt-5.6-sol"),
        ("claude-sonnet-5-5", "claude-opus-5"),
        ("gemini-3.5-flash-lite", "gemini-3-flash-preview"),
        ("llama-3.3-70b-instruct", "llama-3.1-8b-instruct"),
        ("glm-5.3-flash", "glm-5.2"),
        ("gpt-oss-120b", "gpt-5"),
    ],
)
def test_another_tier_or_size_is_no_successor(registry: MarketplaceRegistry, a: str, b: str) -> None:
    first, second = registry.get_model_by_id(a), registry.get_model_by_id(b)
    assert first is not None
    assert second is not None
    assert not lines.newer(first, second)
    assert not lines.newer(second, first)


def test_no_model_is_older_and_newer_than_another(registry: MarketplaceRegistry) -> None:
    models = registry.get_all_models()
    assert not [(a.id, b.id) for a in models for b in models if lines.newer(a, b) and lines.newer(b, a)]


def test_a_newcomer_inherits_and_says_from_whom(registry: MarketplaceRegistry) -> None:
    table = QualityTable(registry, TODAY)
    new, old = registry.get_model_by_id("gpt-6.1-sol"), registry.get_model_by_id("gpt-5.6-sol")
    assert new is not None
    assert old is not None
    found = table.of(new, "code_generation")
    assert found.level == "inherited"
    assert "inherited from GPT-5.6 Sol (no own results yet)" in found.why
    assert found.points > table.of(old, "code_generation").points
    assert 0 < table.step <= 8


def test_an_unknown_day_of_release_is_not_two_years_of_age(registry: MarketplaceRegistry) -> None:
    table = QualityTable(registry, TODAY)
    known = registry.get_model_by_id("gpt-6-astra")
    assert known is not None
    undated = msgspec.structs.replace(known, id="new-thing-x", released_on=None, maker="nobody", family="x")
    old = msgspec.structs.replace(undated, id="old-thing-x", released_on="2024-11-30")
    assert table.of(undated, "maths").points > table.of(old, "maths").points


@pytest.mark.parametrize("task", sorted(TASK_MEASURES))
def test_no_pick_is_replaced_by_a_newer_usable_and_no_dearer_model_of_its_line(
    registry: MarketplaceRegistry, task: str
) -> None:
    engine = RecommendationEngine(registry, None, clock=ManualClock(calendar.NOVEMBER_2026))  # type: ignore[arg-type]
    analysis = Analysis(
        type=task, confidence=0.9, uncertain=False, keywords=(), labels=((task, 0.9),), decided_by=(), language="en",
        input_tokens=500, has_images=task == "vision",
    )  # fmt: skip
    request = engine.request(analysis, Wallet(5 * 10**9))
    able = [
        m
        for m in registry.get_all_models()
        if m.is_available
        and not m.retired
        and filters.answers_text(m)
        and m.price is not None
        and not filters.old_experiment(m, TODAY)
        and any(
            filters.lacks(o, request.needs, TODAY, m.context_window) is None
            and registry.unavailable_reason(o) is None
            for o in registry.offers(m.id)
        )
    ]
    for c in engine.candidates(request)[0]:
        assert c.model.price is not None
        better = [
            m.id
            for m in able
            if lines.of(m)[:2] == lines.of(c.model)[:2]
            and lines.newer(m, c.model)
            and m.price is not None
            and m.price.output <= c.model.price.output
            and m.price.input <= c.model.price.input
            and engine.quality.of(m, task).points >= engine.quality.of(c.model, task).points - 1.5
        ]
        assert not better, (c.model.id, better)


def test_an_old_experiment_is_never_picked(registry: MarketplaceRegistry) -> None:
    old = registry.get_model_by_id("gemini-exp-1206")
    if old is not None:
        assert filters.old_experiment(old, TODAY)
    fresh = registry.get_model_by_id("gemini-3.1-pro-preview")
    assert fresh is not None
    assert not filters.old_experiment(fresh, TODAY)


def test_thinking_costs_what_it_costs_and_brings_what_it_brings(registry: MarketplaceRegistry) -> None:
    engine = RecommendationEngine(registry, None, clock=ManualClock(calendar.NOVEMBER_2026))  # type: ignore[arg-type]
    model = registry.get_model_by_id("claude-opus-5")
    assert model is not None
    steps = efforts.offered(model, "max")
    assert steps == ("none", "low", "medium", "high", "max")
    lengths = [engine._expected(model, "debugging", None, e, "") for e in steps]
    points = [engine.quality.of(model, "debugging", e).points for e in steps]
    assert [x.p50 for x in lengths] == sorted(x.p50 for x in lengths)
    assert points == sorted(points)
    assert lengths[0].p50 < lengths[-1].p50
    assert points[0] < points[-1]
    assert "without thinking" in engine.quality.of(model, "debugging", "none").why


def test_a_length_that_no_answer_here_could_have_rules_no_model_out(registry: MarketplaceRegistry) -> None:
    """A run asks for up to 4,096 tokens a step: the demo model, alone on a new server, writes 2,048 and reads the rest."""
    (offer,) = registry.offers("smollm2-135m")
    assert (offer.context, offer.max_output) == (4096, 2048)
    fits = filters.Needs(input_tokens=500, output_tokens=4096)
    assert filters.lacks(offer, fits, TODAY) is None
    full = filters.Needs(input_tokens=2500, output_tokens=4096)
    assert "context" in (filters.lacks(offer, full, TODAY) or "")


def test_a_feeds_new_model_and_a_new_year_are_judged_without_a_restart() -> None:
    whole = bundled()
    small = msgspec.structs.replace(whole, models=whole.models[::2])
    clock = ManualClock(calendar.NOVEMBER_2026)
    told = MarketplaceRegistry(small, clock=clock)
    engine = RecommendationEngine(told, None, clock=clock)  # type: ignore[arg-type]
    before = engine.public_points()
    told.set_snapshot(whole)
    fresh = RecommendationEngine(MarketplaceRegistry(clock=clock), None, clock=clock)  # type: ignore[arg-type]
    assert engine.public_points() == fresh.public_points() != before
    clock.advance(400 * 86_400)
    told.set_stats({})  # as the learner does every minute
    later = RecommendationEngine(MarketplaceRegistry(clock=clock), None, clock=clock)  # type: ignore[arg-type]
    assert engine.public_points() == later.public_points()

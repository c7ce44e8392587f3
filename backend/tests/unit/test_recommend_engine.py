"""Recommendations: never a model that can't be used, paid or meant; reasons that hold; `auto` within the caller's limits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import ManualClock
from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway.auto import Auto
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.recommend import efforts, selecting
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine, Recommendations, Wallet
from agent_marketplace.recommend.estimate import TYPICAL_INPUT, Lengths, expected_cost
from agent_marketplace.recommend.learning import Experience, Rating
from agent_marketplace.wires.base import Call, Message, TextPart
from tests.fakes import calendar

BIG = {"openai": None, "anthropic": None, "google": None}
TASK = "Debug this Python code"


@dataclass(frozen=True)
class _Customer:
    balance: Decimal = Decimal(5)
    api_keys: Mapping[str, str] = field(default_factory=dict)


class _Accounts:
    def __init__(self, customer: _Customer) -> None:
        self.customer = customer

    async def get_user(self, _user_id: str) -> _Customer:
        return self.customer


def _engine(
    available: Mapping[str, None] | None = None, customer: _Customer | None = None
) -> RecommendationEngine:
    clock = ManualClock(calendar.NOVEMBER_2026)
    registry = MarketplaceRegistry(clock=clock)
    registry.set_availability(BIG if available is None else available)
    return RecommendationEngine(registry, _Accounts(customer or _Customer()), clock=clock)


def _ask(engine: RecommendationEngine, task: str = TASK, **options: Any) -> Recommendations:
    return asyncio.run(engine.recommend("u", task, **options))


def _call(text: str) -> Call:
    return Call(model="auto", messages=(Message("user", (TextPart(text),)),))


def test_three_picks_with_the_fields_that_callers_rely_on() -> None:
    picks = _ask(_engine()).recommendations
    assert [p["rank"] for p in picks] == [1, 2, 3]
    for pick in picks:
        assert pick["is_available"]
        assert pick["model"].is_available
        assert 1 <= pick["score"] <= 10
        assert 0 < pick["cost_range"]["p50"] <= pick["cost_range"]["p95"]
        assert pick["estimated_cost"] == pick["cost_range"]["p50"]
        assert pick["reasoning"]
    assert len({p["model"].id for p in picks}) == 3


def test_the_same_question_gets_the_same_answer() -> None:
    first, second = (
        [(p["model"].id, p["score"], p["reasoning"]) for p in _ask(_engine(), limit=6).recommendations]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("cap", ["0.0001", "0.001", "0.01", "0.1"])
@pytest.mark.parametrize("priority", ["quality", "balanced", "cost", "speed"])
def test_no_pick_can_cost_more_than_the_cap(cap: str, priority: Any) -> None:
    for pick in _ask(_engine(), limit=20, max_cost=cap, priority=priority).recommendations:
        assert pick["cost_range"]["p95"] <= Decimal(cap)


@pytest.mark.parametrize("nano", [0, 100_000, 5_000_000])
def test_no_pick_can_cost_more_than_the_wallet_holds(nano: int) -> None:
    advice = _ask(_engine(), limit=20, available_nano=nano)
    for pick in advice.recommendations:
        assert pick["cost_range"]["p95"] <= Decimal(nano).scaleb(-9)
    assert advice.blocked
    assert any("in the wallet" in b["missing"] for b in advice.blocked)


def test_a_model_without_a_key_is_never_a_pick_but_named_with_what_it_lacks() -> None:
    advice = _ask(_engine({"local": None}))
    assert [p["model"].provider for p in advice.recommendations] == ["local"]
    assert "demo" in advice.recommendations[0]["reasoning"]
    assert len(advice.blocked) == 3
    assert all(b["missing"].startswith("no key for") for b in advice.blocked)


def test_nothing_usable_gives_no_pick_instead_of_an_unusable_one() -> None:
    advice = _ask(_engine({}))
    assert advice.recommendations == []
    assert advice.blocked


def test_the_demo_model_stays_away_while_a_real_model_can_answer() -> None:
    picks = _ask(_engine({**BIG, "local": None}), "hello", limit=20, priority="cost").recommendations
    assert all(p["model"].provider != "local" for p in picks)


def test_an_own_key_opens_its_provider_even_with_an_empty_wallet() -> None:
    advice = _ask(_engine({}, _Customer(Decimal(0), {"anthropic": "sk-…"})))
    assert advice.recommendations
    assert {p["provider"] for p in advice.recommendations} == {"anthropic"}
    assert all(p["paid_by"] == "your own key" for p in advice.recommendations)


def test_pictures_need_a_model_that_sees() -> None:
    for pick in _ask(_engine(), "What is this?", attachments=["image/png"], limit=20).recommendations:
        assert "image" in pick["model"].input_modalities


def test_a_long_input_needs_a_context_that_holds_it_with_room() -> None:
    for pick in _ask(_engine(), "Summarise this book", input_tokens=500_000, limit=20).recommendations:
        assert pick["model"].context_window >= 600_000


def test_required_abilities_are_hard_filters() -> None:
    for pick in _ask(_engine(), require=["tools", "structured_output"], limit=20).recommendations:
        assert "tools" in pick["model"].supported_parameters
        assert {"structured_outputs", "response_format"} & set(pick["model"].supported_parameters)
    with pytest.raises(BadRequest, match="teleport"):
        _ask(_engine(), require=["teleport"])


def test_a_model_that_retires_soon_is_not_recommended() -> None:
    engine = _engine()
    soon = {m.id for m in engine.registry.get_all_models() if m.retires_on and m.retires_on < "2026-12-31"}
    assert soon
    assert not soon & {p["model"].id for p in _ask(engine, limit=20).recommendations}


def test_priorities_pull_the_first_pick_where_they_say() -> None:
    first = {
        p: _ask(_engine(), priority=p).recommendations[0] for p in ("quality", "balanced", "cost", "speed")
    }
    assert (
        first["cost"]["estimated_cost"]
        <= first["balanced"]["estimated_cost"]
        <= first["quality"]["estimated_cost"]
    )
    assert first["cost"]["score"] <= first["quality"]["score"]


def test_a_cap_alone_means_the_best_within_it() -> None:
    engine = _engine()
    best = _ask(engine, max_cost="0.02").recommendations[0]
    assert all(best["score"] >= p["score"] for p in _ask(engine, max_cost="0.02", limit=20).recommendations)


def test_own_calls_replace_the_stated_length() -> None:
    engine = _engine()
    before = _ask(engine).recommendations[0]
    model, effort = before["model"].id, before["effort"]
    short = {(model, "debugging", e): Lengths(10, 20, 2000) for e in efforts.EFFORTS}
    engine.set_experience(Experience(lengths=short, holds={model: Lengths(10, 20, 2000)}))
    after = next(p for p in _ask(engine, limit=20, effort=effort).recommendations if p["model"].id == model)
    assert after["estimated_cost"] < before["estimated_cost"]
    assert "2000 calls" in after["reasoning"]
    assert engine.usual_output(model) == 256


def test_what_somebody_elses_long_answers_cost_is_not_what_mine_do() -> None:
    engine = _engine()
    own = {("long-winded", "gpt-5.5", "debugging", "medium"): Lengths(60_000, 60_000, 10)}
    before = engine.output_range("gpt-5.5", TASK, user_id="u")
    engine.set_experience(Experience(own=own))
    assert engine.output_range("gpt-5.5", TASK, user_id="u") == before
    assert engine.output_range("gpt-5.5", TASK, user_id="long-winded").p50 > before.p50


def test_ratings_by_paying_users_move_the_score_and_are_named() -> None:
    engine = _engine()
    model = engine.registry.resolve("gpt-5.5")
    assert model is not None
    before = engine.score_model_for_task(model, "debugging")
    engine.set_experience(Experience(ratings={model.id: Rating(1.5, 30.0, 30)}))
    assert engine.score_model_for_task(model, "debugging") < before


def test_a_model_without_public_results_says_so() -> None:
    engine = _engine()
    unknown = [
        m
        for m in engine.registry.get_all_models()
        if engine.quality.result(m.id) is None and m.provider != "local"
    ]
    assert len(unknown) > 100
    for model in unknown:
        said = engine.quality.of(model, "debugging")
        own = "no own results yet" if said.level == "inherited" else "no public result"
        assert own in said.why


def test_proxies_are_called_proxies() -> None:
    engine = _engine()
    model = engine.registry.resolve("gpt-5.5")
    assert model is not None
    assert engine.quality.of(model, "translation").why.startswith("proxy")
    assert not engine.quality.of(model, "maths").why.startswith("proxy")


def test_the_guide_s_sync_methods_answer_in_the_guide_s_shape() -> None:
    engine = _engine()
    analysis = engine.analyze_task("Debug this Python code")
    assert analysis["type"] == "debugging"
    assert analysis["keywords"] == ["debug", "python", "code"]
    assert 0 < analysis["confidence"] < 1
    trending = engine.get_trending_models("week")
    assert len(trending) == 5
    engine.set_experience(Experience(trending={"week": ("gpt-4o-mini",)}))
    assert engine.get_trending_models("week")[0].id == "gpt-4o-mini"
    with pytest.raises(BadRequest):
        engine.get_trending_models("century")


def test_auto_keeps_the_callers_constraints() -> None:
    engine, wallet = _engine(), Wallet(5 * 10**9)
    for choice in Auto(engine).choose("u", _call(TASK), Needs(), Preferences(only=("google",)), wallet):
        assert any(o.provider == "google" for o in engine.registry.offers(choice.model))
    assert Auto(engine).choose("u", _call(TASK), Needs(), Preferences(only=("nobody",)), wallet) == []
    cheap = Auto(engine).choose("u", _call(TASK), Needs(), Preferences(max_price_output=10**9), wallet)
    for choice in cheap:
        assert min(o.price.output for o in engine.registry.offers(choice.model) if o.price) <= 10**9
    allowed = Preferences(auto_allow=("anthropic/*",), auto_exclude=("*fable*",))
    for choice in Auto(engine).choose("u", _call(TASK), Needs(), allowed, wallet):
        assert choice.model.startswith("claude")
        assert "fable" not in choice.model


def test_auto_keeps_a_conversation_with_its_model() -> None:
    auto, wallet = Auto(_engine()), Wallet(5 * 10**9)
    wishes = Preferences(session_id="s")
    first = auto.choose("u", _call("What is the capital of Peru?"), Needs(), wishes, wallet)[0]
    second = auto.choose("u", _call("What is the capital of Chile?"), Needs(), wishes, wallet)[0]
    assert second.model == first.model
    assert "this conversation's model" in second.reason


def test_thanks_never_move_a_conversation_and_the_same_words_elsewhere_do_not_stick() -> None:
    auto, wallet = Auto(_engine()), Wallet(5 * 10**9)
    question = Message("user", (TextPart("What is the capital of Peru?"),))
    turns = (question, Message("assistant", (TextPart("Lima"),)), Message("user", (TextPart("ok thanks"),)))
    for wishes in (Preferences(), Preferences(session_id="s")):
        first = auto.choose("u", Call(model="auto", messages=(question,)), Needs(), wishes, wallet)[0]
        later = auto.choose("u", Call(model="auto", messages=turns), Needs(), wishes, wallet)[0]
        assert later.model == first.model
    best = auto.choose("u", _call(TASK), Needs(), Preferences(cost_tier=10), wallet)[0]
    cheap = auto.choose("u", _call(TASK), Needs(), Preferences(cost_tier=0), wallet)[0]
    assert best.model != cheap.model


def test_a_sum_is_no_proof_and_the_callers_effort_stands() -> None:
    engine, wallet = _engine(), Wallet(5 * 10**9)

    def cost(text: str) -> Decimal:
        return Decimal(_ask(engine, text).recommendations[0]["estimated_cost"])

    assert cost("What is 2+2?") < Decimal("0.01")
    assert cost("What is 2+2?") < cost("Now prove that sqrt(2) is irrational and write a Lean proof")
    call = Call(model="auto", messages=_call(TASK).messages, reasoning_effort="low")
    assert {c.effort for c in Auto(engine).choose("u", call, Needs(), Preferences(), wallet)} <= {"low", None}


def test_auto_never_fails_because_choosing_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _engine()
    monkeypatch.setattr(engine, "candidates", lambda _request: 1 / 0)
    chosen = Auto(engine).choose("u", _call(TASK), Needs(), Preferences(), Wallet(5 * 10**9))
    assert chosen
    assert "failed" in chosen[0][1]


def test_auto_names_models_even_when_nobody_can_pay_so_that_the_refusal_can_say_why() -> None:
    engine = _engine()
    assert Auto(engine).choose("u", _call(TASK), Needs(), Preferences(), Wallet(0))


def test_a_cap_that_nothing_fits_is_refused_as_a_cap_not_as_a_model_that_is_not_served() -> None:
    engine = _engine()
    dear = Preferences(max_cost=1, ignore=("local", "ollama"))
    (choice,) = Auto(engine).choose("u", _call(TASK), Needs(), dear, Wallet(5 * 10**9))
    offers = engine.registry.offers(choice.model)
    assert any(o.price and o.price.output and engine.registry.unavailable_reason(o) is None for o in offers)


def test_a_model_whose_context_nobody_names_is_no_pick_for_a_long_input() -> None:
    """Before, an unknown context passed for an unlimited one, and ten million tokens found takers."""
    advice = _ask(_engine(customer=_Customer(Decimal(10_000))), limit=20, input_tokens=200_000)
    for pick in [*advice.recommendations, *advice.blocked]:
        offer = next(o for o in _engine().registry.offers(pick["model"].id) if o.provider == pick["provider"])
        assert (offer.context or pick["model"].context_window) >= 200_000


def test_models_that_refuse_plain_chat_are_never_picks() -> None:
    """Audio chat models answer text alone with an error; safety filters and patch appliers answer something else."""
    seen = _ask(_engine(), limit=20, max_cost="0.01", priority="speed")
    names = [p["model"].id for p in [*seen.recommendations, *seen.blocked]]
    assert names
    assert not [n for n in names if "audio" in n or "safety" in n or "apply" in n]


def test_an_offer_without_a_price_is_no_pick_even_on_an_own_key() -> None:
    """It was "costs nothing", the cheapest, and within every cap."""
    engine = _engine({}, _Customer(api_keys={"perplexity": "pplx-…", "openrouter": "sk-or-…"}))
    for options in ({}, {"max_cost": "0.0001"}, {"priority": "cost"}):
        for pick in _ask(engine, limit=20, **options).recommendations:
            offers = [o for o in engine.registry.offers(pick["model"].id) if o.provider == pick["provider"]]
            assert any(o.price is not None for o in offers)
            assert pick["reasons"][2] != "Costs nothing" or any(o.is_free for o in offers)


def test_what_a_pick_gives_up_is_what_the_shown_scores_say() -> None:
    picks = _ask(_engine(), limit=8).recommendations
    by_name = {p["model"].name: p for p in picks}
    said = [(p, p["gives_up"]) for p in picks if (p["gives_up"] or "").startswith("some quality")]
    assert said
    for pick, words in said:
        better = words.removeprefix("some quality: ").partition(" is rated ")[0]
        gap = float(words.partition(" is rated ")[2].partition(" of 10")[0])
        assert gap == pytest.approx(by_name[better]["score"] - pick["score"], abs=0.051)


@pytest.mark.parametrize("task", ["??", "picture", "What is in this picture?", "Book a table", "tool"])
def test_no_reason_claims_an_ability_that_the_offer_lacks(task: str) -> None:
    engine = _engine()
    for pick in _ask(engine, task, limit=20).recommendations:
        offer = next(o for o in engine.registry.offers(pick["model"].id) if o.provider == pick["provider"])
        assert "Takes images" not in pick["reasons"] or "image" in offer.input_modalities
        assert "Calls tools" not in pick["reasons"] or "tools" in offer.supported_parameters


def test_the_end_of_a_models_own_name_is_not_told_as_an_effort() -> None:
    """Qwen's "-max" is a size; "at max effort" was said of it."""
    engine = _engine()
    for model_id in ("qwen3.7-max", "qwen3.8-max"):
        model = engine.registry.get_model_by_id(model_id)
        assert model is not None
        assert "effort" not in engine.quality.of(model, "maths").why
    sol = engine.registry.get_model_by_id("gpt-5.6-sol")
    assert sol is not None
    assert "at max effort" in engine.quality.of(sol, "maths").why


def test_an_answer_longer_than_a_model_writes_is_not_promised_by_it() -> None:
    advice = _ask(_engine(), "translate this novel", limit=20, said={"output_tokens": 121_500})
    picks = advice.recommendations
    assert picks
    for pick in picks:
        limits = [o.max_output for o in _engine().registry.offers(pick["model"].id) if o.max_output]
        assert max(limits, default=10**9) >= 121_500


def test_where_only_the_demo_model_is_left_the_nearest_others_are_named() -> None:
    advice = _ask(_engine({**BIG, "local": None}), "EU only: summarise this letter")
    assert [p["model"].provider for p in advice.recommendations] in ([], ["local"])
    assert advice.nearest
    assert all(n["breaks"] for n in advice.nearest)


def test_what_no_public_result_compares_is_called_neither_best_nor_fastest() -> None:
    advice = _ask(_engine(), "Draw a logo for a bakery")
    assert advice.recommendations
    for pick in advice.recommendations:
        assert not {"best", "fastest", "value"} & set(pick["roles"])
        assert "quality" not in (pick["gives_up"] or "")


def test_a_kind_of_model_that_nobody_has_is_said_to_be_missing() -> None:
    advice = _ask(_engine(), "I need a reranker")
    assert advice.recommendations == []
    assert any("no model of this catalogue" in note for note in advice.notes)


def test_reasons_for_a_type_are_words_that_mean_something() -> None:
    for text in ("Make me a poem, at most 2 cents", "What is 2+2?", "Fix the bug in my parser of dates"):
        by = _ask(_engine(), text).analysis["decided_by"]
        assert not {'"a"', '"the"', '"0"', '"?"', '"to"', '"of"'} & set(by)


def test_price_and_quality_are_those_of_the_one_estimator() -> None:

    engine = RecommendationEngine(calendar.registry(), None)  # type: ignore[arg-type]
    placed = {one.model.id: one for one in engine.placed("maths")}
    one = placed["gpt-5.5"]
    assert one.model.price is not None
    lengths = engine._expected(one.model, "maths", None, None, "")
    assert one.cost_nano == expected_cost(one.model.price, TYPICAL_INPUT, lengths).p50 > 0
    assert one.level in ("measured", "proxy")
    assert not [m for m in placed.values() if m.model.retired or "text" not in m.model.output_modalities]
    # An embedding model is cheaper than everything, and answers no question: it would stand on the line of the best.
    assert not [m for m in placed.values() if "embeddings" in m.model.capabilities]


def test_a_very_large_catalogue_is_not_compared_whole_for_each_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = _engine()
    order = [m.id for m in engine.registry.get_all_models()]
    measured = {m for m in order if engine.quality.result(m) is not None}
    widest = next(n for n, m in enumerate(order) if m not in measured and n > 20)
    monkeypatch.setattr(selecting, "WIDEST", widest)
    looked: list[str] = []
    usable = selecting.Selection._first_usable
    monkeypatch.setattr(
        selecting.Selection, "_first_usable", lambda s, m, o: (looked.append(m.id), usable(s, m, o))[1]
    )
    assert len(_ask(engine).recommendations) == 3
    assert set(looked) <= {*order[:widest], *measured}
    assert not {*order[widest:]} - measured <= set(looked)

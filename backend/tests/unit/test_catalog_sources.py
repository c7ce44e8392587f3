"""Price lists are read exactly; what can't be right is refused."""

import json
from decimal import Decimal

import pytest

from agent_marketplace.catalog import sources
from agent_marketplace.catalog.feed import rss
from agent_marketplace.catalog.models import AIModel
from agent_marketplace.catalog.names import is_slug


def _litellm(**facts):
    base = {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05,
    }
    return sources.litellm(sources.parse(json.dumps({"gpt-x": {**base, **facts}})))


def test_prices_never_pass_through_a_float():
    row = sources.litellm(sources.parse('{"m": {"litellm_provider":"openai","mode":"chat","input_cost_per_token":0.000000123456789,'
                                        '"output_cost_per_token":2.9999999999999997e-07}}')).rows[0]  # fmt: skip
    assert (row.price.input, row.price.output) == (123_456_789, 300_000_000)
    assert isinstance(sources.parse("[0.1]")[0], Decimal)


def test_litellm_tiers_cache_and_flags_are_read():
    row = _litellm(
        cache_read_input_token_cost=1.25e-07, cache_creation_input_token_cost=3.75e-06, cache_creation_input_token_cost_above_1hr=6e-06,
        input_cost_per_token_above_200k_tokens=2.5e-06, output_cost_per_token_above_200k_tokens=1.5e-05,
        supports_vision=True, supports_function_calling=True, supports_sampling_params=False, deprecation_date="2026-12-11",
        max_input_tokens=272000,
    ).rows[0]  # fmt: skip
    assert (row.price.cache_read, row.price.cache_write_5m, row.price.cache_write_1h) == (
        125_000_000,
        3_750_000_000,
        6_000_000_000,
    )
    assert [(t.above_input_tokens, t.input, t.output) for t in row.price.tiers] == [
        (200_000, 2_500_000_000, 15_000_000_000)
    ]
    assert "image" in row.input_modalities
    assert "tools" in row.supported_parameters
    assert "temperature" not in row.supported_parameters
    assert (row.retires_on, row.max_input) == ("2026-12-11", 272_000)


@pytest.mark.parametrize("price", [-1e-06, 1, "1e400"])
def test_a_negative_or_absurd_price_refuses_the_row_and_names_it(price):
    reading = _litellm(input_cost_per_token=price)
    assert reading.rows == []
    assert reading.refused[0].startswith("gpt-x")


def test_models_dev_rows():
    document = {
        "openai": {"models": {"gpt-y": {
            "name": "GPT Y", "cost": {"input": 2.5, "output": 15, "cache_read": 0.25, "context_over_200k": {"input": 5, "output": 22.5}},
            "limit": {"context": 400000, "output": 128000}, "modalities": {"input": ["text", "image"], "output": ["text"]},
            "tool_call": True, "reasoning": True, "temperature": False, "release_date": "2026-11", "status": "deprecated"}}}
    }  # fmt: skip
    row = sources.models_dev(sources.parse(json.dumps(document))).rows[0]
    assert (row.price.input, row.price.tiers[0].output, row.context) == (
        2_500_000_000,
        22_500_000_000,
        400_000,
    )
    assert (row.released_on, row.retired) == ("2026-11-01", True)
    assert "reasoning" in row.supported_parameters
    assert "top_p" not in row.supported_parameters


def test_openrouter_rows_and_routers_of_unknown_price_are_left_out():
    document = {"data": [
        {"id": "a/b", "pricing": {"prompt": "0.00000015", "completion": "0.0000006", "internal_reasoning": "0"}, "context_length": 8192,
         "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]}, "supported_parameters": ["tools"]},
        {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
    ]}  # fmt: skip
    rows = sources.openrouter(sources.parse(json.dumps(document))).rows
    assert [(r.upstream_id, r.price.input, r.price.output, r.price.reasoning) for r in rows] == [
        ("a/b", 150_000_000, 600_000_000, None)
    ]


def test_genai_prices_takes_the_price_in_force_today_not_a_future_or_off_peak_one():
    prices = [
        {"prices": {"input_mtok": "5", "output_mtok": "30"}},
        {"constraint": {"start_date": "2026-08-21"},
         "prices": {"input_mtok": {"base": "4", "tiers": [{"start": 200000, "price": "8"}]}, "output_mtok": "20"}},
        {"constraint": {"start_time": "00:00"}, "prices": {"input_mtok": "1", "output_mtok": "1"}},
        {"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": "9", "output_mtok": "9"}},
    ]  # fmt: skip
    document = [{"id": "openai", "models": [{"id": "gpt-z", "prices": prices, "context_window": 1_050_000}]}]
    row = sources.genai_prices(document, today="2026-11-22").rows[0]
    assert (row.price.input, row.price.output, row.price.tiers[0].input) == (4 * 10**9, 20 * 10**9, 8 * 10**9)
    assert sources.genai_prices(document, today="2026-01-01").rows[0].price.input == 5 * 10**9


@pytest.mark.parametrize(("value", "day"), [("2026-04-23", "2026-04-23"), ("2026-04-23T10:00:00Z", "2026-04-23"), ("2026-04", "2026-04-01"),
                                            ("2026-13-01", None), ("soon", None), (20260423, None), (None, None)])  # fmt: skip
def test_dates(value, day):
    assert sources.iso_date(value) == day


def _model(model_id, name, released_on):
    return AIModel(
        id=model_id, name=name, provider="p", model_id="u", pricing_tier="paid", cost_per_1k=None, context_window=0, capabilities=(),
        released_on=released_on, description="<b>&",
    )  # fmt: skip


def test_the_feed_of_new_models_is_newest_first_and_escapes_foreign_words():
    assert is_slug("b")
    text = rss(
        [_model("a", "A", "2026-01-01"), _model("b", "B <script>", "2026-02-01"), _model("c", "C", None)],
        "http://x",
    )
    assert text.index("B &lt;script&gt;") < text.index("<title>A</title>")
    assert "<title>C</title>" not in text
    assert "&lt;b&gt;&amp;" in text
    assert "Sun, 01 Feb 2026 00:00:00 +0000" in text
    assert "<title>C</title>" in rss([_model("c", "C", None)], "http://x", added_at={"c": 1_790_000_000_000})

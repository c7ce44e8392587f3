"""A model that bills each request or search besides its tokens is never served at a loss on the operator's key."""

import pytest

from agent_marketplace.catalog import fees
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.overlay import offer_from, overlay, version_of
from agent_marketplace.catalog.snapshot import ModelRecord, bundled
from agent_marketplace.catalog.sources import Row, litellm
from agent_marketplace.catalog.store import PriceRow
from agent_marketplace.catalog.sync import compare
from agent_marketplace.ledger import Price, price_usage
from agent_marketplace.usage import Usage
from tests.fakes import calendar

TOKENS_ONLY = Price(input=10**9, output=10**9)


def offers(model: str) -> dict[str, Offer]:
    return {o.provider: o for o in calendar.registry().offers(model)}


@pytest.mark.parametrize(
    ("model", "provider", "dollars_a_thousand"),
    [
        ("sonar", "perplexity", 5),
        ("sonar-pro", "perplexity", 6),
        ("sonar-reasoning-pro", "perplexity", 6),
        ("gpt-4o-search-preview", "openai", 25),
        ("gpt-4o-mini-search-preview", "openai", 25),
    ],
)
def test_the_published_fee_of_each_request_is_in_the_price(model, provider, dollars_a_thousand) -> None:
    offer = offers(model)[provider]
    assert offer.price is not None
    assert price_usage(offer.price, Usage()) == dollars_a_thousand * 10**9 // 1000
    assert offer.price_version == version_of(offer.price, offer.as_of)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-5-search-api",
        "o3-deep-research",
        "o4-mini-deep-research",
        "sonar-deep-research",
        "sonar-pro-search",
    ],
)
def test_a_model_whose_fees_are_unknown_or_unbounded_has_no_price_anywhere(model) -> None:
    for provider, offer in offers(model).items():
        assert offer.price is None
        assert fees.why_unpriced(provider, offer.upstream_id)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-9-search-preview"), ("openai", "gpt-9-search-api-2027"), ("openrouter", "x/deepsearch-2"),
        ("perplexity", "sonar-ultra"), ("openrouter", "openai/o9-deep-research"),
    ],
)  # fmt: skip
def test_a_searching_model_that_comes_tomorrow_is_not_sold_at_the_price_of_its_tokens(provider, name) -> None:
    assert fees.fitted(provider, name, TOKENS_ONLY) is None
    assert fees.why_unpriced(provider, name)


def test_a_list_that_names_a_fee_of_time_or_of_queries_gives_no_price() -> None:
    tokens = {
        "mode": "chat",
        "litellm_provider": "openai",
        "input_cost_per_token": 1e-6,
        "output_cost_per_token": 1e-6,
    }
    for unit in ("input_cost_per_second", "output_cost_per_second", "input_cost_per_query"):
        rows = litellm({"m": {**tokens, unit: 0.01}, "n": {**tokens, unit: 0}}).rows
        assert [row.price is None for row in rows] == [True, False], unit


def test_every_bundled_offer_stands_at_its_price_with_its_fee() -> None:
    for model in bundled().models:
        for offer in model.offers:
            fitted = fees.fitted(offer.provider, offer.upstream_id, offer.price)
            assert fitted == offer.price, offer.id


def test_a_feed_that_lists_tokens_only_does_not_take_the_fee_away() -> None:
    row = Row(source="litellm", provider="perplexity", upstream_id="sonar", price=TOKENS_ONLY)
    changes = compare(bundled(), [row], "litellm", 1, "2027-01-01")
    assert [p.price.per_request for p in changes.prices if p.price] in ([], [5_000_000])
    assert all(p.offer_id == "perplexity/sonar" for p in changes.prices)
    assert offer_from(row, "perplexity", "sonar", "2027-01-01").price == fees.fitted(
        "perplexity", "sonar", TOKENS_ONLY
    )
    assert offer_from(row, "somewhere", "sonar", "2027-01-01").price is None


def test_a_stored_price_without_the_fee_is_fitted_and_the_operators_own_word_stands() -> None:
    offer = offers("sonar")["perplexity"]
    record = ModelRecord(id="sonar", name="Sonar", maker="perplexity", family="sonar", offers=(offer,))
    base = type(bundled())(schema=1, built_on="2026-11-30", sources=(), models=(record,))
    for source, fee in (("litellm", 5_000_000), ("operator", 0)):
        row = PriceRow(offer.id, 1, TOKENS_ONLY, "v", source, "2027-01-01")
        (made,) = overlay(base, prices={offer.id: row}).models
        assert made.offers[0].price is not None
        assert made.offers[0].price.per_request == fee


def test_every_fee_says_where_it_is_published() -> None:
    assert all(fee.source and fee.as_of and (fee.per_request or fee.why) for fee in fees.FEES)
    assert fees.fitted("openai", "gpt-4.1", TOKENS_ONLY) == TOKENS_ONLY
    assert fees.fitted("perplexity", "sonar", None) is None

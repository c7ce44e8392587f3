"""Whatever is typed or fed: search and readers never raise, and prices stay whole numbers."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.catalog import bundled
from agent_marketplace.catalog.names import is_slug, key, slug
from agent_marketplace.catalog.sources import PRICE_CEILING, parse, per_token
from agent_marketplace.catalog.sync import compare, jump, read
from agent_marketplace.ledger.pricing import Price
from tests.fakes import calendar
from tests.fakes.examples import examples

REGISTRY = calendar.registry()
WORDS = st.sampled_from(
    [
        "gpt",
        "claud",
        "free",
        "cheap",
        "vision",
        "3.3",
        "70b",
        "-",
        "//",
        "lama",
        "long context",
        "\x00",
        "💥",
        "o1",
        "%",
    ]
)


@given(st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join)))
@settings(max_examples=examples(300))
def test_no_query_breaks_search_or_runs_away(query):
    begun = time.perf_counter()
    found = REGISTRY.search_models(query, 20)
    assert time.perf_counter() - begun < 0.5  # two orders of magnitude above what it takes
    assert len(found) <= 20 or not query.strip()
    assert len({m.id for m in found}) == len(found)
    assert len(REGISTRY.nearest(query)) <= 3
    REGISTRY.resolve(query)


def test_a_huge_query_costs_no_more_than_a_long_one():
    begun = time.perf_counter()
    REGISTRY.search_models("gpt claude llama " * 200_000)
    assert time.perf_counter() - begun < 0.5


@given(st.text(max_size=300))
@settings(max_examples=examples(200))
def test_any_name_becomes_a_legal_id_and_a_key(text):
    assert is_slug(slug(text))
    assert isinstance(key(text), str)


@given(st.decimals(min_value=0, max_value=Decimal("0.001"), places=15))
def test_a_price_per_token_is_exact_to_the_nano_dollar_per_million(value):
    assert abs(per_token(str(value)) - value * 10**15) <= Decimal("0.5")


@given(st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()))
def test_anything_as_a_price_is_a_whole_number_nothing_or_refused(value):
    try:
        price = per_token(value)
    except ValueError:
        return
    assert price is None or (isinstance(price, int) and 0 <= price <= PRICE_CEILING)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)
KEYS = st.sampled_from(["mode", "litellm_provider", "input_cost_per_token", "output_cost_per_token", "max_input_tokens", "id", "models",
                        "cost", "limit", "data", "pricing", "prices", "tiers", "context_length"])  # fmt: skip


@given(
    st.sampled_from(["litellm", "models.dev", "openrouter", "genai-prices"]),
    st.one_of(JSON, st.dictionaries(KEYS, st.dictionaries(KEYS, JSON))),
)
@settings(max_examples=examples(300))
def test_no_document_gets_past_a_reader_but_as_rows_or_a_value_error(source, document):
    try:
        reading = read(source, json.dumps(document).encode(), "2026-11-22")
    except ValueError:
        return
    compare(bundled(), reading.rows, source, 0, "2026-11-22")


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', "[" * 100_000, "", "\xff", "{"])
def test_bad_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011  any words will do
        parse(text)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_jump_is_a_jump_in_both_directions(old, new):
    there = jump(Price(input=old, output=old), Price(input=new, output=old))
    back = jump(Price(input=new, output=old), Price(input=old, output=old))
    assert (there is None) == (back is None) == (new <= 3 * old and old <= 3 * new)

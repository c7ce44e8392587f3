"""A price list from the network may be wrong, hostile or of another shape: no price that a person should see slips in."""

import pytest

from agent_marketplace.catalog.hosts import host_names
from agent_marketplace.catalog.snapshot import bundled
from agent_marketplace.catalog.sources import Row
from agent_marketplace.catalog.sync import FEEDS, MAX_BYTES, MOST_NEW, Changes, compare, jump, read, suspect
from agent_marketplace.ledger.pricing import Price, PriceTier

TODAY = "2026-11-22"


def price(**tier: int) -> Price:
    return Price(
        input=1000, output=4000, cache_read=100, tiers=(PriceTier(above_input_tokens=200_000, **tier),)
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (price(input=2000), price(input=7000)),
        (price(input=7000), price(input=2000)),
        (price(input=2000), price(input=0)),
        (price(output=4000), price(output=13_000)),
        (price(cache_read=200), price(cache_read=700)),
        (Price(input=1000, output=4000), price(input=3001)),
        (Price(input=1000, output=4000), Price(input=1000, output=0)),
    ],
)
def test_a_price_that_jumps_above_a_threshold_or_in_one_class_waits_for_a_person(
    before: Price, after: Price
) -> None:
    assert jump(before, after) is not None


def test_an_ordinary_change_of_price_does_not_wait() -> None:
    assert jump(price(input=2000, output=6000), price(input=2500, output=5000)) is None
    assert jump(Price(input=1000, output=4000), price(input=2000, output=6000)) is None


@pytest.mark.parametrize("name", [feed.name for feed in FEEDS])
@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"[]", b"{}", b'"text"', b'{"data": 7}', b'[{"id": 1}]', b'{"a": NaN}']
)
def test_a_document_of_another_shape_is_refused_as_a_whole(name: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(name, body, TODAY)


def test_a_document_without_end_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ValueError, match="larger than"):
        read("litellm", b" " * (MAX_BYTES + 1), TODAY)


def test_pointers_batch_prices_free_lunches_and_resellers_bring_no_new_model() -> None:
    paid, free = Price(input=1000, output=1000), Price(input=0, output=0)
    hosts = host_names("litellm")
    assert hosts["openai"] == "openai"
    reseller = next(
        name for name, host in hosts.items() if host not in ("openai", "huggingface", "openrouter")
    )
    names = [("openai", "gpt-99-latest", paid), ("openai", "gpt-99:batch", paid), ("openai", "~gpt-99", paid)]
    names += [
        ("openai", "gpt-99", free),
        ("openai", "gpt-99", None),
        (reseller, "gpt-99", paid),
        ("nobody", "gpt-99", paid),
    ]
    rows = [Row(source="litellm", provider=p, upstream_id=n, price=cost) for p, n, cost in names]
    changes = compare(bundled(), rows, "litellm", 0, TODAY)
    assert (changes.models, changes.offers, changes.prices, changes.reviews) == ((), (), (), ())
    real = compare(
        bundled(),
        [Row(source="litellm", provider="openai", upstream_id="gpt-99", price=paid)],
        "litellm",
        0,
        TODAY,
    )
    assert [m.id for m in real.models] == ["gpt-99"]


def test_a_list_that_is_checked_less_often_does_not_overrule_a_better_one() -> None:
    offer = next(
        o for m in bundled().models for o in m.offers if o.source == "litellm" and o.price and o.price.input
    )
    assert offer.price is not None
    host = next(name for name, host in host_names("models.dev").items() if host == offer.provider)
    dearer = Price(input=offer.price.input * 2, output=offer.price.output * 2)
    row = Row(
        source="models.dev",
        provider=host,
        upstream_id=offer.upstream_id,
        price=dearer,
        retires_on="2031-01-01",
    )
    changes = compare(bundled(), [row], "models.dev", 0, TODAY)
    assert (changes.prices, changes.reviews) == ((), ())
    assert [o.retires_on for o in changes.offers] == ["2031-01-01"]


def test_a_flood_of_new_models_makes_the_whole_list_suspect() -> None:
    model = bundled().models[0]
    feed = next(feed for feed in FEEDS if feed.name == "openrouter")
    everything = sum(1 for m in bundled().models for o in m.offers)
    assert suspect(Changes((), (), (model,) * MOST_NEW, (), everything), bundled(), feed) is None
    assert "new models" in str(
        suspect(Changes((), (), (model,) * (MOST_NEW + 1), (), everything), bundled(), feed)
    )

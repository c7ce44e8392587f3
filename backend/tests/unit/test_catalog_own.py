"""A model of one's own is refused nothing that its server takes, and is given nothing that its owner denied it."""

import itertools

import pytest

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.catalog.own import Said, declared, with_ollama
from agent_marketplace.catalog.snapshot import bundled
from agent_marketplace.gateway.needs import Needs, missing
from agent_marketplace.ledger.pricing import Price

FREE = Price(input=0, output=0)
AS_OF = "2026-11-30"
NEEDS = {
    "tools": Needs(tools=True),
    "vision": Needs(images=True),
    "structured": Needs(structured=True),
    "reasoning": Needs(reasoning=True),
}
KNOWN = {m.id: m for m in bundled().models}


def own(said: Said, model: str = "house-7b"):
    like = KNOWN.get(model)
    return declared(model, "mine", model, price=FREE, said=said, as_of=AS_OF, like=like)


def lacks(offer, need: str) -> bool:
    return (
        missing(NEEDS[need], frozenset(offer.supported_parameters), frozenset(offer.input_modalities))
        is not None
    )


@pytest.mark.parametrize("said", list(itertools.product([None, True, False], repeat=4)))
def test_a_call_is_refused_only_for_what_the_owner_denied(said) -> None:
    told = dict(zip(NEEDS, said, strict=True))
    offer = own(Said(**told)).offers[-1]
    assert {need: lacks(offer, need) for need in NEEDS} == {k: v is False for k, v in told.items()}


@pytest.mark.parametrize("model", ["llama-3.3-70b-instruct", "qwen3-8b", "gemma-3-12b-it"])
@pytest.mark.parametrize("need", NEEDS)
def test_what_the_owner_says_of_a_known_model_beats_what_other_providers_take(model, need) -> None:
    for value in (True, False):
        offer = own(Said(**{need: value}), model).offers[-1]
        assert offer.provider == "mine"
        assert lacks(offer, need) is (not value)
    others = {o.id: o for o in KNOWN[model].offers}
    assert {o.id: o for o in own(Said(), model).offers[:-1]} == others


def test_a_card_boasts_of_nothing_that_nobody_said() -> None:
    quiet = own(Said())
    assert not {"tools", "vision", "json", "reasoning"} & set(quiet.capabilities)
    assert quiet.input_modalities == ("text",)
    told = own(
        Said(name="House 7B", context=131072, max_output=4096, tools=True, vision=True, structured=True)
    )
    assert {"tools", "vision", "json", "code"} <= set(told.capabilities)
    assert (told.name, told.context, told.max_output) == ("House 7B", 131072, 4096)
    offer = told.offers[-1]
    assert (offer.context, offer.max_output) == (131072, 4096)
    assert own(Said(name="Ours"), "qwen3-8b").name == "Ours"


def test_ones_own_embedding_model_makes_embeddings() -> None:
    assert own(Said(kind="embedding")).capabilities == ("embeddings",)


@pytest.mark.parametrize("tag", ["my-own", "my-own:latest", "nomic-embed-text", "nomic-embed-text:latest"])
def test_an_ollama_model_is_called_with_or_without_latest(tag) -> None:
    registry = MarketplaceRegistry(with_ollama(bundled(), {tag: None}, AS_OF))
    name = tag.removesuffix(":latest")
    assert registry.resolve(name) is not None
    assert registry.resolve(name).id == registry.resolve(f"{name}:latest").id
    assert registry.resolve(f"ollama/{name}").id == registry.resolve(f"ollama/{name}:latest").id


@pytest.mark.parametrize("tag", ["lab-llama:1b", "qwen3:8b", "qwen3:14b", "llava:7b", "house/coder:latest"])
@pytest.mark.parametrize("can", [True, False])
def test_what_an_ollama_says_of_a_tag_beats_the_catalogue_whose_offers_are_other_servers(tag, can) -> None:
    said = Said(tools=can, vision=can, structured=True, reasoning=can, context=32768)
    snapshot = with_ollama(bundled(), {tag: said}, AS_OF)
    registry = MarketplaceRegistry(snapshot)
    offer = registry.resolve_offer(f"ollama/{tag}")
    assert offer.price.free
    assert offer.context == 32768
    assert {need: lacks(offer, need) for need in NEEDS} == {
        "tools": not can,
        "vision": not can,
        "structured": False,
        "reasoning": not can,
    }


def test_an_unknown_embedding_tag_makes_embeddings() -> None:
    registry = MarketplaceRegistry(
        with_ollama(bundled(), {"lab-embed:latest": Said(kind="embedding")}, AS_OF)
    )
    assert registry.resolve("lab-embed").capabilities == ("embeddings",)


def test_two_tags_of_one_known_model_are_both_served() -> None:
    tags = {"qwen3:14b": Said(tools=True), "qwen3:14b-instruct": Said(tools=False)}
    registry = MarketplaceRegistry(with_ollama(bundled(), tags, AS_OF))
    for tag in tags:
        assert registry.resolve_offer(f"ollama/{tag}").upstream_id == tag

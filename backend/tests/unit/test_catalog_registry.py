"""The guide's criteria for the registry, and the promises of the snapshot that ships."""

from decimal import Decimal

import msgspec
import pytest

from agent_marketplace.catalog import Evidence, MarketplaceRegistry, Stats, bundled, search
from agent_marketplace.catalog.facts import CAPABILITIES
from agent_marketplace.catalog.models import PREMIUM_OUTPUT, AIModel, cost_per_1k, prices_dict, tier_of
from agent_marketplace.catalog.names import RESERVED_IDS, is_slug, key, maker_and_family, slug
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.clock import ManualClock
from agent_marketplace.errors import BadRequest
from agent_marketplace.json import encode
from agent_marketplace.ledger.pricing import Price, PriceTier, validate_price
from tests.fakes import calendar

GUIDE_IDS = (
    "gpt4",
    "gpt3.5",
    "claude3-opus",
    "claude3-sonnet",
    "gemini-pro",
    "mistral-7b",
    "llama2-7b",
    "mistral-large",
)
GUIDE_FIELDS = (
    "id", "name", "provider", "model_id", "pricing_tier", "cost_per_1k", "context_window", "capabilities", "rating", "use_count",
    "is_available",
)  # fmt: skip


@pytest.fixture(scope="module")
def registry():
    return calendar.registry()


# --- the snapshot ---


def test_the_catalogue_is_not_smaller_than_promised():
    models = bundled().models
    assert sum(m.kind == "chat" and "text" in m.output_modalities for m in models) >= 500
    assert sum(len(m.offers) for m in models) >= 2000


def test_no_two_models_or_offers_share_an_id_and_every_id_is_a_slug():
    models = bundled().models
    ids = [m.id for m in models]
    offers = [o.id for m in models for o in m.offers]
    assert len(set(ids)) == len(ids)
    assert len(set(offers)) == len(offers)
    assert [i for i in ids if not is_slug(i)] == []
    assert not RESERVED_IDS & set(ids)


def test_every_bundled_price_is_a_whole_number_of_nano_dollars_within_reason():
    for model in bundled().models:
        for offer in model.offers:
            if offer.price is not None:
                validate_price(offer.price)
                assert offer.price.output <= 1_000 * 10**9, offer.id
                assert offer.price_version.startswith(offer.as_of), offer.id
                assert offer.source, offer.id


def test_no_paid_provider_is_free_by_accident():
    free = [o for m in bundled().models for o in m.offers if o.is_free]
    assert {o.provider for o in free} <= {
        "local",
        "ollama",
        "huggingface",
        "openrouter",
        "baseten",
        "novita",
        "nearai",
        "vercel",
        "venice",
    }
    hosted = [o for o in free if o.provider not in ("local", "ollama")]
    assert [o.id for o in hosted if "free" not in o.upstream_id.lower()] == [
        "huggingface/llama2-7b",
        "huggingface/mistral-7b",
    ]


def test_every_id_of_the_guide_is_there_and_the_retired_name_a_successor_that_lives(registry):
    for model_id in GUIDE_IDS:
        model = registry.get_model_by_id(model_id)
        assert model is not None, model_id
        if model.retires_on:
            assert registry.get_model_by_id(model.successor).retires_on is None


def test_every_successor_exists():
    ids = {m.id for m in bundled().models}
    assert [m.id for m in bundled().models if m.successor is not None and m.successor not in ids] == []


def test_every_model_has_a_description_a_source_and_known_capabilities():
    for model in bundled().models:
        assert model.description, model.id
        assert model.sources, model.id
        assert model.capabilities, model.id
        assert set(model.capabilities) <= set(CAPABILITIES), model.id


def test_an_alias_never_names_two_models():
    owners: dict[str, str] = {}
    ids = {m.id for m in bundled().models}
    for model in bundled().models:
        for alias in model.aliases:
            assert alias not in ids
            assert owners.setdefault(alias, model.id) == model.id


def test_the_demo_model_is_listed_free_and_labelled(registry):
    demo = registry.get_model_by_id("smollm2-135m")
    assert (demo.provider, demo.pricing_tier, demo.context_window) == ("local", "free", 4096)
    assert demo.name == "SmolLM2 135M (local demo)"
    assert "demo" in demo.description


def test_known_list_prices_are_exact(registry):
    want = {"gpt-4o": ("2.5", "10"), "gpt-4o-mini": ("0.15", "0.6"), "gpt-5": ("1.25", "10"), "claude-opus-4-8": ("5", "25"),
            "claude-haiku-4-5": ("1", "5"), "gemini-2.5-pro": ("1.25", "10"), "claude3-opus": ("15", "75")}  # fmt: skip
    for model_id, (given, out) in want.items():
        prices = registry.get_model_by_id(model_id).to_dict()["prices"]
        assert (prices["input"], prices["output"]) == (given, out), model_id
    assert registry.get_model_by_id("claude-opus-4-8").price.cache_write_1h == 10 * 10**9
    tiers = registry.get_model_by_id("gemini-2.5-pro").price.tiers
    assert (tiers[0].above_input_tokens, tiers[0].input, tiers[0].output) == (
        200_000,
        2_500_000_000,
        15 * 10**9,
    )


# --- the guide's methods ---


def test_get_all_models_returns_every_model_with_the_guides_fields(registry):
    models = registry.get_all_models()
    assert len(models) >= 20
    assert all(hasattr(models[0], field) for field in GUIDE_FIELDS)


def test_filters_keep_only_what_they_say(registry):
    for tier in ("free", "paid", "premium"):
        found = registry.filter_by_tier(tier)
        assert found
        assert {m.pricing_tier for m in found} == {tier}
    for capability in ("code", "text", "image", "vision"):
        found = registry.filter_by_capability(capability)
        assert found
        assert all(capability in m.capabilities for m in found)
    assert registry.filter_by_tier("gold") == registry.filter_by_capability("telepathy") == []


def test_an_unknown_id_is_none_not_an_error(registry):
    assert registry.get_model_by_id("no-such-model") is None
    assert registry.resolve("no-such-model") is None
    assert registry.offers("no-such-model") == ()


def test_popular_models_follow_real_use_and_say_so():
    registry = calendar.registry()
    assert len(registry.get_popular_models()) == 5
    assert "providers" in registry.popular_basis
    registry.set_evidence(
        {"gpt-5": [Evidence("LiveBench", 71.5, "https://livebench.ai", "2026-06-25")]}, {"gpt-5": 1.0}
    )
    assert registry.get_popular_models(1)[0].id == "gpt-5"
    assert registry.popular_basis == "public benchmarks"
    registry.set_stats({"mistral-7b": Stats(use_count=3)})
    assert registry.get_popular_models(1)[0].id == "mistral-7b"
    assert registry.popular_basis == "calls on this server"
    assert registry.get_model_by_id("gpt-5").to_dict()["evidence"][0]["source"] == "https://livebench.ai"


def test_a_fresh_install_shows_no_rating_and_invents_none(registry):
    model = registry.get_model_by_id("gpt-5").to_dict()
    assert (model["rating"], model["rating_count"], model["use_count"]) == (None, 0, 0)


# --- names ---


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("gpt4", "gpt4"), ("GPT-4-Turbo", "gpt4"), ("openai/gpt-4o-mini", "gpt-4o-mini"), ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-opus-4.5", "claude-opus-4-5"), ("anthropic/claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("claude-3-opus-20240229", "claude3-opus"), ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"),
        ("huggingface/meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"), ("mistral-large-latest", "mistral-large"),
        ("groq/llama-3.3-70b-versatile", "llama-3.3-70b-instruct"), ("llama3.2:3b", "llama-3.2-3b-instruct"),
        ("local/smollm2-135m", "smollm2-135m"), ("  gpt-5 ", "gpt-5"),
    ],
)  # fmt: skip
def test_a_model_is_found_by_every_name_people_use(registry, name, model_id):
    if name.startswith("groq/") and not any(o.provider == "groq" for o in registry.offers(model_id)):
        pytest.skip("groq no longer sells it")
    assert registry.resolve(name).id == model_id


def test_provider_slash_model_pins_that_offer_and_a_bare_name_pins_none(registry):
    assert registry.resolve_offer("openrouter/gpt-4o").provider == "openrouter"
    assert registry.resolve_offer("openai/gpt-4o").provider == "openai"
    assert registry.resolve_offer("gpt-4o") is None


@pytest.mark.parametrize(
    "name", ["", " ", "/", "=", "x" * 10_000, "gpt\x00", "../../etc/passwd", "=gpt-4-turbo", "🦙"]
)
def test_hostile_names_find_nothing(registry, name):
    assert registry.resolve(name) is None


class Unread(str):
    """A text that nobody may look through."""

    __slots__ = ()

    def strip(self, chars: str | None = None, /) -> str:
        raise AssertionError("a huge name was read to its end")


def test_a_model_name_of_megabytes_is_not_read_on_the_event_loop() -> None:
    registry = calendar.registry()
    assert registry.resolve(Unread("gpt-4.1" + " " * 10_000)) is None
    assert registry.resolve(" gpt-4.1 ") is not None


def test_a_wrong_or_retired_name_is_answered_with_what_was_meant(registry):
    assert registry.nearest("gtp-5-mini")[0] == "gpt-5-mini"
    assert registry.nearest("claude3-opus")[0] == registry.get_model_by_id("claude3-opus").successor
    assert len(registry.nearest("zzzzzz")) == 3


def test_spellings_of_one_model_share_a_key_and_different_models_do_not():
    same = ["claude-opus-4.5", "anthropic.claude-opus-4-5-20251101-v1:0", "us.anthropic.claude-opus-4-5-20251101-v1:0",
            "claude-opus-4-5@20251101", "anthropic/claude-4.5-opus"]  # fmt: skip
    assert len({key(s) for s in same}) == 1
    different = ["gpt-4", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "qwen3-8b",
                 "qwen3-80b", "qwen3-235b-a22b-thinking-2507", "qwen3-235b-a22b-instruct-2507", "deepseek-r1",
                 "deepseek-r1-0528"]  # fmt: skip
    assert len({key(s) for s in different}) == len(different)


def test_a_slug_is_always_a_legal_id():
    for text in ("search", "Ünïcode Model!", "", "///", "a" * 500, "-._x"):
        assert is_slug(slug(text)), text


def test_a_distilled_model_belongs_to_who_distilled_it():
    assert maker_and_family("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B")[0] == "deepseek"


# --- availability ---


def test_a_model_whose_only_providers_have_no_key_says_why():
    registry = calendar.registry()
    registry.set_availability({"openai": None, "local": "the demo model is not installed"})
    assert registry.get_model_by_id("gpt-5.4").is_available
    claude = registry.get_model_by_id("claude-opus-5-5")
    assert not claude.is_available
    assert claude.unavailable_reason == "no key for Anthropic is configured"
    assert registry.get_model_by_id("smollm2-135m").unavailable_reason == "the demo model is not installed"


def test_the_card_shows_the_offer_that_can_be_called():
    registry = calendar.registry()
    registry.set_availability(lambda offer: None if offer.provider == "openrouter" else "no key")
    card = registry.get_model_by_id("claude-opus-5-5")
    assert (card.provider, card.is_available) == ("openrouter", True)
    assert card.model_id == registry.resolve_offer("openrouter/claude-opus-5-5").upstream_id
    assert registry.endpoints("claude-opus-5-5")[0]["unavailable_reason"] == "no key"


def test_a_retired_model_is_unavailable_until_the_operator_serves_it_himself():
    registry = MarketplaceRegistry(clock=ManualClock(1_795_000_000_000))
    registry.set_availability({"anthropic": None})
    gone = registry.get_model_by_id("claude3-opus")
    assert gone.retired
    assert not gone.is_available
    assert "claude-opus-5-5" in gone.unavailable_reason
    registry.set_availability({"anthropic": None}, serves_retired={"anthropic"})
    assert registry.get_model_by_id("claude3-opus").is_available


def test_a_model_retires_on_its_day_and_not_before():
    day = 1_797_206_400_000  # 2026-12-14; gpt-5 retires on 2026-12-11
    assert not MarketplaceRegistry(clock=ManualClock(day - 10 * 86_400_000)).get_model_by_id("gpt-5").retired
    assert MarketplaceRegistry(clock=ManualClock(day)).get_model_by_id("gpt-5").retired


def test_a_reader_holding_the_old_list_never_sees_half_a_change():
    registry = calendar.registry()
    before = registry.get_all_models()
    registry.set_availability(lambda offer: "down")
    assert all(m.is_available is False for m in registry.get_all_models())
    assert any(m.is_available for m in before)


# --- prices and the reply ---


def test_what_a_start_tells_together_is_shown_together_and_not_by_halves():
    registry = calendar.registry()
    before = registry.revision
    model = registry.get_all_models()[0]
    with registry.together():
        registry.set_stats({model.id: Stats(use_count=7)})
        registry.set_availability({})
        assert registry.revision is before
    assert registry.get_model_by_id(model.id).use_count == 7
    assert all(registry.unavailable_reason(offer) for offer in registry.offers(model.id))


def test_tiers_and_blend_follow_the_written_rule():
    assert tier_of(Price(input=0, output=0)) == "free"
    assert tier_of(Price(input=0, output=0, per_image=1)) == "paid"
    assert tier_of(Price(input=0, output=0, tiers=(PriceTier(above_input_tokens=1, input=5),))) == "paid"
    assert tier_of(Price(input=1, output=PREMIUM_OUTPUT - 1)) == "paid"
    assert tier_of(Price(input=1, output=PREMIUM_OUTPUT)) == "premium"
    assert tier_of(None) == "paid"
    assert cost_per_1k(Price(input=1_250_000_000, output=10 * 10**9)) == Decimal("0.0034375")
    assert cost_per_1k(None) is None
    assert prices_dict(Price(input=150_000_000, output=1)) == {"input": "0.15", "output": "0.000000001"}


def test_the_reply_prints_money_exactly_and_holds_no_float_price(registry):
    for model in registry.get_all_models():
        reply = model.to_dict()
        assert reply["cost_per_1k"] is None or isinstance(reply["cost_per_1k"], Decimal)
        stack = [reply["prices"] or {}]
        while stack:
            for value in stack.pop().values():
                if isinstance(value, list):
                    stack += value
                else:
                    assert type(value) in (str, int)
    assert b'"cost_per_1k":0.0034375,' in encode(registry.get_model_by_id("gpt-5").to_dict())
    assert b'"rating":null' in encode(registry.get_model_by_id("gpt-5").to_dict())


def test_no_price_field_of_the_catalogue_is_a_float():
    for struct in (Price, PriceTier):
        assert all("float" not in str(f.type) for f in msgspec.structs.fields(struct))
    assert not isinstance(AIModel.__annotations__["cost_per_1k"], float)


# --- GET /models ---


def test_query_filters_sorts_and_pages(registry):
    page = registry.query(
        {
            "tier": "paid",
            "capability": "vision,tools",
            "sort": "price",
            "limit": "10",
            "max_output_price": "5",
        }
    )
    assert page.total > 10 >= len(page.models)
    assert {m.pricing_tier for m in page.models} == {"paid"}
    assert all({"vision", "tools"} <= set(m.capabilities) for m in page.models)
    assert all(m.price.output <= 5 * 10**9 for m in page.models)
    costs = [m.cost_per_1k for m in page.models]
    assert costs == sorted(costs)
    second = registry.query({"sort": "name", "limit": "5", "offset": "5"})
    assert [m.id for m in second.models] == [
        m.id for m in registry.query({"sort": "name", "limit": "10"}).models
    ][5:]


def test_query_counts_facets_over_all_pages(registry):
    page = registry.query({"limit": "0"})
    assert (page.models, page.total) == ((), len(registry.get_all_models()))
    assert sum(page.facets["tier"].values()) == page.total
    assert page.facets["provider"]["openai"] > 20
    assert page.to_dict()["count"] == 0


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_missing_data_sorts_last_in_both_directions(registry, order):
    dates = [
        m.released_on for m in registry.query({"sort": "newest", "order": order, "limit": "1000"}).models
    ]
    first_missing = dates.index(None)
    assert all(d is None for d in dates[first_missing:])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tier", "gold"), ("capability", "telepathy"), ("sort", "magic"), ("order", "sideways"), ("limit", "-1"), ("limit", "100001"),
        ("limit", "ten"), ("limit", "٣"), ("offset", "1e3"), ("min_context", "-5"), ("max_input_price", "cheap"),
        ("max_input_price", "NaN"),
        ("max_output_price", "-1"), ("max_output_price", "Infinity"), ("local", "maybe"), ("available", "2"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_a_400_that_names_it(registry, name, value):
    with pytest.raises(BadRequest) as caught:
        registry.query({name: value})
    assert caught.value.extra["parameter"] == name
    assert name in caught.value.message


def test_query_with_words_orders_by_relevance_and_with_provider_and_local_keeps_to_them(registry):
    assert registry.query({"q": "claud opus"}).models[0].family == "claude"
    assert registry.query({"q": "claud opus"}).basis == "relevance"
    assert all("groq" in m.providers for m in registry.query({"provider": "groq"}).models)
    assert registry.query({"local": "true"}).models == ()  # nothing runs: nothing is on this computer
    assert all(m.context_window >= 1_000_000 for m in registry.query({"min_context": "1000000"}).models)


def test_on_this_computer_is_what_runs_and_not_what_could():
    registry = calendar.registry()
    registry.set_availability({"local": None, "ollama": "no Ollama is running", "openai": None})
    assert [m.id for m in registry.query({"local": "true"}).models] == ["smollm2-135m"]
    assert registry.get_model_by_id("smollm2-135m").to_dict()["runs_here"] is True
    assert registry.get_model_by_id("llama2-7b").runs_here is False


def test_how_old_prices_are_is_told_and_grows():
    clock = ManualClock(1_795_996_800_000)  # 30 November 2026
    registry = MarketplaceRegistry(clock=clock)
    fresh = registry.prices_as_of()
    assert fresh.as_of == registry.snapshot.built_on
    assert (fresh.age_days, fresh.old) == (0, 0)
    assert fresh.priced > 2000
    clock.advance(100 * 86_400)
    assert registry.prices_as_of().age_days == 100
    assert registry.prices_as_of().old > 2000
    assert registry.query({}).to_dict()["prices"]["age_days"] == 100


def test_the_same_statistics_again_change_nothing_but_a_new_day_does():
    clock = ManualClock(1_795_000_000_000)
    registry = MarketplaceRegistry(clock=clock)
    registry.set_stats({"gpt-5": Stats(use_count=1)})
    before = registry.revision
    registry.set_stats({"gpt-5": Stats(use_count=1)})
    assert registry.revision is before
    clock.advance(86_400)
    registry.set_stats({"gpt-5": Stats(use_count=1)})
    assert registry.revision is not before


def test_a_price_that_changes_reads_no_name_again_and_a_name_that_changes_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = bundled()
    registry = MarketplaceRegistry(snapshot)
    read: list[int] = []
    words = search.Words._add
    monkeypatch.setattr(
        search.Words, "_add", lambda self, doc, *rest: (read.append(doc), words(self, doc, *rest))[1]
    )
    model = next(m for m in snapshot.models if m.offers[0].price is not None)
    assert model.offers[0].price is not None

    def with_(changed: ModelRecord) -> Snapshot:
        models = tuple(changed if m.id == model.id else m for m in snapshot.models)
        return msgspec.structs.replace(snapshot, models=models)

    price = msgspec.structs.replace(model.offers[0].price, input=123)
    offers = (msgspec.structs.replace(model.offers[0], price=price), *model.offers[1:])
    registry.set_snapshot(with_(msgspec.structs.replace(model, offers=offers)))
    assert read == []
    assert registry.offers(model.id)[0].price == price
    registry.set_snapshot(with_(msgspec.structs.replace(model, name="Quokka Deluxe")))
    assert registry.search_models("quokka deluxe", 1)[0].id == model.id
    assert len(read) == len(snapshot.models)

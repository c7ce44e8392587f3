"""What a person types and what they mean: at rank 1, or among the first three."""

import pytest

from tests.fakes import calendar


@pytest.fixture(scope="module")
def registry():
    return calendar.registry()


FIRST = [
    ("claud opus", "claude-opus"), ("cluade opus", "claude-opus"), ("opus 5.5", "claude-opus-5-5"), ("opus 5 5", "claude-opus-5-5"),
    ("gpt 5 mini", "gpt-5-mini"), ("gpt5mini", "gpt-5-mini"), ("gpt-5-mini", "gpt-5-mini"), ("GPT5 MINI", "gpt-5-mini"),
    ("gpt4", "gpt4"), ("gpt 4 turbo", "gpt4"), ("gpt-4o", "gpt-4o"), ("4o mini", "gpt-4o-mini"), ("gpt 3.5", "gpt3.5"),
    ("lama 3 70b", "llama-3"), ("llama 3.3 70b", "llama-3.3-70b"), ("lama 3.3", "llama-3.3"), ("lama2", "llama2-7b"),
    ("sonet", "claude-sonnet|claude-3"), ("sonnet 4.5", "claude-sonnet-4-5"), ("hiaku", "claude-haiku|claude-3"),
    ("claude 3 opus", "claude3-opus"), ("deepsek", "deepseek"), ("deepseek v3.2", "deepseek-v3.2"), ("r1", "deepseek-r1"),
    ("deep seek r1", "deepseek-r1"), ("qwen coder", "qwen"), ("qwen3 235b", "qwen3-235b"), ("gemni pro", "gemini"),
    ("gemini flash", "gemini"), ("gemini 2.5 flash", "gemini-2.5-flash"), ("gemma 27b", "gemma"), ("mistral large", "mistral-large"),
    ("mistrl 7b", "mistral-7b"), ("mixtral 8x7b", "mixtral-8x7b"), ("codestral", "codestral"), ("kimi k2", "kimi-k2"),
    ("kimi k3", "kimi-k3"), ("glm 5", "glm-5"), ("grok", "grok"), ("gork 4", "grok"), ("gpt oss", "gpt-oss"), ("o3", "o3"),
    ("phi 4", "phi-4"), ("nova pro", "nova-pro"), ("command r+", "command-r"), ("nemotron", "nemotron"), ("minimax", "minimax"),
    ("smol", "smollm2-135m"), ("claude-opus-4.5", "claude-opus-4-5"), ("jamba", "jamba"), ("chatgpt", "gpt"),
]  # fmt: skip


def _named(model, prefixes):
    return any(model.id.startswith(p) for p in prefixes.split("|"))


@pytest.mark.parametrize(("query", "prefixes"), FIRST)
def test_what_was_meant_comes_first(registry, query, prefixes):
    found = registry.search_models(query)
    assert found, query
    assert _named(found[0], prefixes), [m.id for m in found[:5]]


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("cheap vision", lambda m: "vision" in m.capabilities and m.cost_per_1k < 1),
        ("cheapest code", lambda m: "code" in m.capabilities and m.cost_per_1k < 1),
        ("free code", lambda m: "code" in m.capabilities and (m.pricing_tier == "free" or "free_offer" in m.tags)),
        ("free", lambda m: m.pricing_tier == "free" or "free_offer" in m.tags),
        ("long context", lambda m: m.context_window >= 1_000_000),
        ("image generation", lambda m: "image" in m.capabilities),
        ("embeddings", lambda m: "embeddings" in m.capabilities),
        ("cheap reasoning", lambda m: "reasoning" in m.capabilities),
        ("tool calling", lambda m: "tools" in m.capabilities),
        ("voice", lambda m: "audio" in m.capabilities),
        ("open source coding", lambda m: "open_weights" in m.tags and "code" in m.capabilities),
        ("local", lambda m: {"local", "ollama"} & set(m.providers)),
        ("anthropic", lambda m: m.maker == "anthropic"),
        ("openai", lambda m: m.maker == "openai"),
        ("google vision", lambda m: m.maker == "google" and "vision" in m.capabilities),
        ("llama vision", lambda m: m.family == "llama"),
        ("kimi thinking", lambda m: m.family == "kimi" and "reasoning" in m.capabilities),
        ("newest claude", lambda m: m.family == "claude" and not m.retired),
    ],
)  # fmt: skip
def test_words_of_intent_hold_for_the_first_three(registry, query, holds):
    found = registry.search_models(query)[:3]
    assert len(found) == 3
    assert all(holds(m) for m in found), [m.id for m in found]


def test_an_exact_id_comes_first_for_every_model(registry):
    wrong = [m.id for m in registry.get_all_models() if registry.search_models(m.id, 1)[0].id != m.id]
    assert wrong == []


def test_an_empty_query_gives_everything_popular_first(registry):
    assert [m.id for m in registry.search_models("  ")] == [m.id for m in registry.get_all_models()]


def test_results_carry_the_newest_availability_not_that_of_the_index():
    registry = calendar.registry()
    registry.set_availability(lambda offer: "down")
    assert registry.search_models("gpt 5 mini")[0].unavailable_reason == "down"


def test_results_are_bounded(registry):
    assert len(registry.search_models("gpt", 7)) == 7
    assert len(registry.search_models("a b c d e f g h i j k l m n o p q r s t")) <= 50


@pytest.mark.parametrize(
    ("query", "prefixes"),
    [
        ("deepseek", "deepseek-v4.1"), ("grok", "grok-4.7"), ("gemma", "gemma-4"), ("kimi", "kimi-k3"), ("glm", "glm-5.3"),
        ("claude", "claude-opus-5-5"), ("sonnet", "claude-sonnet-5-5"), ("openai", "gpt-6"), ("open ai", "gpt-6"), ("gpt", "gpt-6"),
        ("claude opus", "claude-opus-5-5"), ("gpt 5.5", "gpt-5.5"),
    ],
)  # fmt: skip
def test_of_a_line_the_newest_comes_first_and_a_version_is_that_version(registry, query, prefixes):
    assert _named(registry.search_models(query)[0], prefixes), query


@pytest.mark.parametrize(
    "query", ["fastest", "schnell", "rapide", "rápido", "快", "быстрый", "高速", "तेज", "سريع"]
)
def test_the_fastest_are_living_models_of_quick_tiers(registry, query):
    for model in registry.search_models(query)[:5]:
        assert not model.retired
        assert any(t in model.id for t in ("flash", "luna", "haiku", "mini", "nano", "lite")), (
            query,
            model.id,
        )


@pytest.mark.parametrize(
    ("query", "capability"),
    [
        ("Spracherkennung", "audio"), ("voz a texto", "audio"), ("语音识别", "audio"), ("speech to text", "audio"),
        ("génération d'images", "image"), ("generación de imágenes", "image"), ("图像生成", "image"), ("画像生成", "image"),
        ("Bilder", "vision"), ("视觉模型", "vision"), ("视频", "video"), ("编程", "code"), ("推理", "reasoning"),
        ("工具调用", "tools"), ("埋め込み", "embeddings"), ("reranker", "embeddings"), ("翻译", "text"),
    ],
)  # fmt: skip
def test_a_capability_is_found_in_other_languages(registry, query, capability):
    found = registry.search_models(query)[:5]
    assert found, query
    assert all(capability in m.capabilities for m in found), [m.id for m in found]


def test_text_to_speech_gives_models_that_speak(registry):
    assert all("audio" in m.output_modalities for m in registry.search_models("text to speech")[:3])


def test_flux_schnell_is_a_name_and_no_wish(registry):
    assert "flux" in registry.search_models("flux schnell")[0].id

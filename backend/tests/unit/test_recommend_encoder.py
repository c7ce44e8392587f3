"""The sentence encoder: asked only where the head is unsure, never in the way, and nothing breaks without it."""

import asyncio

import pytest

from agent_marketplace.recommend import encoder as module
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.classifier import default_classifier
from agent_marketplace.recommend.encoder import Encoder, EncoderHead, bundled_head, default_encoder, mixed
from agent_marketplace.recommend.tasks import analyze
from tests.fakes import calendar

UNSURE = "And of Chile?"


class _Vectors:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def query(self, texts: str) -> list[float]:
        self.asked.append(texts)
        return [1.0, 0.0]


def _head(winner: str) -> EncoderHead:
    labels = default_classifier().labels
    weights = b"".join((32_000 if name == winner else 0).to_bytes(2, "little") + b"\0\0" for name in labels)
    return EncoderHead(
        labels=labels,
        bias=(0.0,) * len(labels),
        dim=2,
        weights=weights,
        scale=0.001,
        temperature=1.0,
        trained_on="x",
    )


def test_the_shipped_head_speaks_of_the_same_types_in_the_same_order() -> None:
    head = bundled_head()
    assert head.labels == default_classifier().labels
    assert len(head.weights) == 2 * head.dim * len(head.labels)


def test_only_the_unsure_are_asked_and_the_answer_counts() -> None:
    vectors = _Vectors()
    asked = Encoder(_head("vision"), vectors).probabilities
    sure = analyze("Translate this letter into German", encode=asked)
    assert vectors.asked == []
    assert sure.type == "translation"
    unsure = analyze(UNSURE, encode=asked)
    assert vectors.asked == [UNSURE]
    assert unsure.type == "vision"
    assert 0 < unsure.confidence <= 1


def test_a_text_is_encoded_once_and_what_is_known_needs_no_wait() -> None:
    vectors = _Vectors()
    encoder = Encoder(_head("maths"), vectors)
    assert encoder.known(UNSURE) is None
    first = encoder.probabilities(UNSURE)
    assert encoder.probabilities(UNSURE) == first == encoder.known(UNSURE)
    assert len(vectors.asked) == 1
    assert encoder.probabilities("   ") is None
    assert Encoder(_head("maths")).probabilities(UNSURE) is None


def test_two_opinions_make_one_that_sums_to_one() -> None:
    both = mixed((0.7, 0.2, 0.1), (0.1, 0.8, 0.1))
    assert sum(both) == pytest.approx(1)
    assert both[1] > both[0] > both[2]


def test_without_the_wheel_and_with_a_broken_one_everything_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    default_encoder.cache_clear()
    monkeypatch.setattr(module, "installed", lambda: False)
    assert default_encoder() is None
    default_encoder.cache_clear()
    monkeypatch.setattr(module, "installed", lambda: True)
    monkeypatch.setattr(module.importlib, "import_module", lambda _name: 1 / 0)
    assert default_encoder() is None
    default_encoder.cache_clear()


def test_the_engine_listens_off_the_loop_and_reads_the_same_later() -> None:
    vectors = _Vectors()
    encoder = Encoder(_head("vision"), vectors)
    engine = RecommendationEngine(calendar.registry(), None, encoder=lambda: encoder)  # type: ignore[arg-type]
    assert engine._heard(UNSURE) is None
    asyncio.run(engine.listen(UNSURE))
    assert engine._heard(UNSURE) is not None
    assert engine.analyze_task(UNSURE)["type"] == "vision"
    assert len(vectors.asked) == 1


def test_an_engine_without_an_encoder_asks_once_and_never_again() -> None:
    tried = []
    engine = RecommendationEngine(calendar.registry(), None, encoder=lambda: tried.append(1))  # type: ignore[arg-type,func-returns-value]
    for _ in range(3):
        asyncio.run(engine.listen(UNSURE))
    assert len(tried) == 1

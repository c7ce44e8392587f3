"""What takes long to count is counted beside the event loop, in whatever part of a call it stands."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from agent_marketplace.gateway import embedding
from agent_marketplace.providers.ollama import Pulled
from agent_marketplace.wires.base import Call, Message, OpaquePart, TextPart, Tool
from agent_marketplace.wires.embeddings import EmbeddingCall
from agent_marketplace.wires.shared.bounds import BEYOND, measure
from agent_marketplace.wires.shared.tokens import count_text, is_long

SAID = (Message("user", (TextPart("hi"),)),)
MANY = list(range(3_000))
DEEP = {"properties": {f"f{i}": {"type": "string"} for i in range(1_500)}}


@pytest.mark.parametrize(
    ("call", "long"),
    [
        (Call(model="m", messages=SAID, wire="openai"), False),
        (Call(model="m", messages=SAID, wire="openai", extra={"numbers": MANY}), True),
        (Call(model="m", messages=SAID, wire="openai", stop=("a",) * 3_000), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", parameters=DEEP),)), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", native=DEEP),)), True),
        (Call(model="m", messages=SAID, wire="openai", response_schema=DEEP), True),
        (Call(model="m", messages=(Message("user", (OpaquePart("openai", {"data": "A" * 200_000}),)),), wire="openai"), True),
        (Call(model="m", messages=SAID, wire="openai", tools=(Tool("f", parameters={"type": "object"}),)), False),
    ],
)  # fmt: skip
def test_no_part_of_a_call_is_gone_through_on_the_event_loop_however_many_it_has(
    call: Call, long: bool
) -> None:
    assert is_long(call) is long


def test_a_name_of_megabytes_is_not_searched_for_a_tag() -> None:
    name = "m" * 1_000_000 + ":7b"
    assert (Pulled().unheard(name), Pulled().unheard("m:7b") is None) == (None, False)


def test_texts_to_embed_are_counted_beside_the_loop_once_they_are_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[bool] = []

    def count(text: str) -> int:
        counted.append(threading.current_thread() is threading.main_thread())
        return len(text)

    monkeypatch.setattr(embedding, "count_text", count)
    parts = SimpleNamespace(
        planner=SimpleNamespace(resolve=lambda _: SimpleNamespace(id="m", capabilities={"embeddings"}))
    )
    for text in ("short", "long " * 20_000):
        job = embedding.EmbeddingJob(EmbeddingCall(model="m", inputs=(text,)))
        _, tokens, _ = asyncio.run(job.measure(parts, job.request("r", "u", None)))  # type: ignore[arg-type]
        assert tokens == len(text)
    assert counted == [True, False]


@pytest.mark.parametrize(
    "words", ["It is the same again, and again it is the same. ", "Noch ist es früh; ähnlich wie gestern. "]
)
def test_a_body_that_no_model_can_read_is_not_counted_word_by_word_and_counts_for_no_less(words: str) -> None:
    """Thirty megabytes took twelve seconds of CPU, for nothing: the widest window is full long before."""
    text = words * (BEYOND // len(words) + 1)
    part = words * (len(text) // len(words) // 64)
    for family in ("openai", "claude", "small", "closed"):
        assert measure(text).tokens(family) == len(text.encode()) >= measure(part).tokens(family) * 64  # type: ignore[arg-type]
    assert abs(count_text(text) - 64 * count_text(part)) < count_text(text) // 10

"""The offline token counter against counts of real vocabularies, and against hostile texts."""

import base64
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.shared.tokens import count_call, count_image, count_text, is_long

ENGLISH = (
    "The committee met on Thursday to discuss the proposed changes to the city's public transport network. Several "
    "members expressed concern that the new timetable would leave residents of the northern suburbs without a late "
    "evening service, while others argued that the savings could be spent on more reliable trains. After nearly three "
    "hours of debate, a compromise was reached: the last bus will leave at half past eleven, and the council will review "
    "passenger numbers after six months. "
)
PYTHON = '''def merge(left: list[int], right: list[int]) -> list[int]:
    """Merges two sorted lists."""
    result, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            result.append(left[i])
            i += 1
        else:
            result.append(right[j])
            j += 1
    return result + left[i:] + right[j:]
'''
TYPESCRIPT = """export async function fetchModels(signal?: AbortSignal): Promise<Model[]> {
  const response = await fetch(`${baseUrl}/models?limit=100`, { signal, headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`Request failed with status ${response.status}`);
  const { models } = (await response.json()) as { models: Model[] };
  return models.filter((model) => model.isAvailable).sort((a, b) => b.rating - a.rating);
}
"""
JSON = (
    '{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, '
    '"required": ["city"]}}'
)
# Counts of the o200k vocabulary (cl100k's and DeepSeek's differ by at most 5) and of SmolLM2's.
TRUTH = [(ENGLISH, 86, 87), (PYTHON, 98, 113), (TYPESCRIPT, 106, 135), (JSON, 36, 37)]


@pytest.mark.parametrize(("text", "large", "small"), TRUTH)
def test_estimates_stay_within_15_percent_of_real_counts(text: str, large: int, small: int) -> None:
    assert abs(count_text(text) - large) <= 0.15 * large
    assert abs(count_text(text, small_vocabulary=True) - small) <= 0.15 * small


@given(st.text(max_size=300))
def test_no_text_is_free_and_none_costs_more_than_its_bytes(text: str) -> None:
    count = count_text(text)
    assert (count == 0) == (text == "")
    assert count <= 2 * len(text.encode("utf-8", "surrogatepass")) + 2


@pytest.mark.parametrize("text", ["a" * 100_000, "A" * 100_000, "aA" * 50_000, "1" * 100_000, "=" * 100_000, "\n" * 100_000,
                                  " " * 100_000, "日" * 100_000, "🎉" * 50_000, "é" * 100_000])  # fmt: skip
def test_a_flood_of_one_character_is_not_counted_as_next_to_nothing(text: str) -> None:
    assert count_text(text) >= len(text) // 40


def test_lone_surrogates_are_counted_not_fatal() -> None:
    assert count_text("\ud800 broken") >= 1


def picture(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return base64.b64encode(head + b"\0" * 100).decode()


def jpeg(width: int, height: int) -> str:
    app = b"\xff\xe0\x00\x10" + b"\0" * 14
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\0" * 20
    return base64.b64encode(b"\xff\xd8" + app + frame).decode()


@pytest.mark.parametrize(
    ("image", "tokens"),
    [
        (ImagePart(media_type="image/png", data=picture(1024, 1024)), 1399),
        (ImagePart(media_type="image/png", data=picture(512, 512)), 350),
        (ImagePart(media_type="image/jpeg", data=jpeg(2048, 4096)), 1600),
        (ImagePart(media_type="image/png", data=picture(100, 100), detail="low"), 85),
        (ImagePart(url="https://example.org/unknown.png"), 1600),
        (ImagePart(media_type="image/png", data="!!!"), 1600),
        (ImagePart(media_type="image/png", data=picture(0, 5)), 1600),
    ],
)
def test_images_count_by_their_size(image: ImagePart, tokens: int) -> None:
    assert count_image(image) == tokens


def test_every_part_of_a_call_counts() -> None:
    bare = Call(model="m", messages=(Message("user", (TextPart("hi"),)),))
    tools = (Tool("look", "Looks around carefully", {"type": "object"}),)
    history = (*bare.messages, Message("assistant", (ToolCallPart("1", "look", '{"where": "left"}'),)),
               Message("tool", (ToolResultPart("1", "There is a very large door here."),)))  # fmt: skip
    assert count_call(bare) < count_call(Call(model="m", messages=bare.messages, tools=tools))
    assert count_call(bare) + 20 < count_call(Call(model="m", messages=history))
    assert count_call(
        Call(model="m", messages=bare.messages, response_schema={"type": "object"})
    ) > count_call(bare)


def test_counting_stays_cheap_on_long_prompts() -> None:
    text = ENGLISH * 200
    assert timeit.timeit(lambda: count_text(text), number=3) / 3 < 0.25


def test_a_long_text_is_counted_in_pieces_to_the_same_sum() -> None:
    whole = ENGLISH * 1000
    assert len(whole) > 1 << 18
    assert count_text(whole) == pytest.approx(1000 * count_text(ENGLISH), rel=0.01)


def test_only_what_takes_milliseconds_is_long() -> None:
    def of(*parts: TextPart | ToolResultPart | ImagePart) -> Call:
        return Call(model="m", messages=(Message("user", parts),))

    assert not is_long(of(TextPart("x" * 100_000), ImagePart(data="x" * 900_000)))
    assert is_long(of(TextPart("x" * 100_000), ToolResultPart("id", "x" * 100_000)))

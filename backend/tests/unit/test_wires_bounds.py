"""A hold that is sized below what a provider counts lets a wallet spend what it does not have; one far above refuses calls.

The oracle is the counts of ten public vocabularies over our own prose and code, every script block and hostile text, which
`scripts/build_token_pieces.py` wrote down.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.wires.shared import bounds
from agent_marketplace.wires.shared.bounds import Family, TextSize, family_of, measure

ROWS = json.loads((Path(__file__).parents[1] / "golden" / "token_counts.json").read_text())
COUNTED: dict[Family, tuple[str, ...]] = {
    "openai": ("gpt4o", "gpt35turbo"),
    "public": ("gpt4o", "gpt35turbo", "deepseek_v3", "gemini", "gemma3", "llama3", "qwen3", "tekken"),
    "small": ("llama2",),
    "claude": ("claude",),
    "claude_newest": ("claude",),
    "closed": ("gpt4o", "gpt35turbo", "deepseek_v3", "gemini", "gemma3", "llama3", "qwen3", "tekken"),
}
FAMILIES = tuple(COUNTED)
measure("the vocabularies are read once, before anything is timed")


@pytest.mark.parametrize("family", FAMILIES)
def test_no_public_vocabulary_counts_more_than_is_held_for_in_any_script(family: Family) -> None:
    for row in ROWS:
        size = measure(row["text"])
        for name in COUNTED[family]:
            # One token for the beginning of a text; Claude's old vocabulary rewrites rare characters into longer ones first.
            counted = min(row["counts"][name] - 1, size.size)
            assert counted <= size.tokens(family), (row["name"], name)


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_english_code_and_chat_hold_little_more_than_they_cost(family: Family) -> None:
    for row in ROWS:
        if row["name"].startswith("plain"):
            held = measure(row["text"]).tokens(family)
            assert held <= 1.6 * max(row["counts"][name] for name in COUNTED[family]), (row["name"], family)


@given(st.text(max_size=400), st.sampled_from(FAMILIES))
def test_a_bound_is_never_more_than_a_token_a_byte_and_never_nothing(text: str, family: Family) -> None:
    size = measure(text)
    assert size.size == len(text.encode("utf-8", "surrogatepass"))
    assert bool(text) <= size.tokens(family) <= size.size


@given(st.lists(st.text(max_size=50), max_size=4))
def test_a_text_cannot_be_made_cheaper_by_putting_more_into_it(texts: list[str]) -> None:
    for family in FAMILIES:
        assert measure("\n".join(texts)).tokens(family) >= max(
            [measure(t).tokens(family) for t in texts], default=0
        )


def test_a_long_text_is_cut_without_losing_any_of_it() -> None:
    text = "word " * 40_000
    assert measure(text).tokens("openai") >= 40_000
    assert measure(text).size == len(text)


def test_a_lone_surrogate_is_counted_by_its_bytes() -> None:
    assert measure("\ud800").tokens("public") == 3


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4.1 gpt-4.1-2025-04-14", "openai"), ("gpt4 gpt-4-turbo", "openai"), ("o3 o3", "openai"),
        ("claude-sonnet-4-5 x", "claude"), ("claude-opus-4-8", "claude_newest"), ("claude-fable-5", "claude_newest"),
        ("gemini-2.5-pro", "public"), ("llama2-7b llama-2-7b-chat", "small"), ("grok-4", "closed"), ("?", "closed"),
    ],
)  # fmt: skip
def test_a_model_nobody_knows_is_held_for_by_the_widest_margin(model: str, family: Family) -> None:
    assert family_of(model) == family


def test_no_call_waits_for_the_vocabularies_to_be_read() -> None:
    """Nor does the collector walk them: what a process has read before it listens is set aside."""
    bounds._vocabulary.cache_clear()
    bounds.warm()
    measure("words")
    assert bounds._vocabulary.cache_info().misses == 1


def test_nothing_is_nothing() -> None:
    assert measure("") == TextSize()

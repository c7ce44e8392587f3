"""A rule that covers the wrong models, or that nobody can trace, breaks calls that worked; one that is misread breaks all."""

import re
import tomllib
from importlib.resources import files

import pytest

from agent_marketplace.rules.book import Rulebook, RuleError, bundled, read_rows
from agent_marketplace.rules.generations import NEWEST, generation
from agent_marketplace.wires.base import Call, Message, TextPart, Tool

HI = (Message("user", (TextPart("hi"),)),)


def call(**fields: object) -> Call:
    return Call(model="m", messages=HI, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "model", "found"),
    [
        ("claude", "claude-opus-4-7", (4, 7)),
        ("claude", "anthropic/claude-opus-4.7", (4, 7)),
        ("claude", "claude-sonnet-4-20250514", (4, 0)),
        ("claude", "claude-3-5-sonnet-20240620", (3, 5)),
        ("claude", "anthropic.claude-3-7-sonnet-20250219-v1:0", (3, 7)),
        ("claude", "claude-3-opus@20240229", (3, 0)),
        ("claude", "claude-opus-5", (5, 0)),
        ("claude", "claude-mythos-preview", NEWEST),
        ("claude", "gpt-5", None),
        ("gpt", "gpt-5.4-mini", (5, 4)),
        ("gpt", "openai/gpt-6-sol", (6, 0)),
        ("gpt", "gpt-4o-mini", (4, 0)),
        ("gpt", "gpt-oss-120b", None),
        ("gpt", "chatgpt-4o-latest", None),
        ("o", "o3-mini", (3, 0)),
        ("o", "openai/o4-mini", (4, 0)),
        ("o", "gpt-4o", None),
        ("o", "olmo3-7b", None),
        ("gemini", "gemini-2.5-pro", (2, 5)),
        ("gemini", "gemini-flash-latest", NEWEST),
        ("kimi", "kimi-k2.6", (2, 6)),
        ("deepseek", "deepseek-v4-flash", (4, 0)),
        ("grok", "grok-4.20-0309", (4, 20)),
        ("glm", "glm-4.6v", (4, 6)),
    ],
)  # fmt: skip
def test_a_generation_is_read_off_any_form_of_a_name(family: str, model: str, found: object) -> None:
    assert generation(family, model) == found


def test_every_row_says_where_it_comes_from_and_of_what_day() -> None:
    entries = tomllib.loads((files("agent_marketplace.rules") / "rulebook.toml").read_text("utf-8"))["rule"]
    assert len({e["name"] for e in entries}) == len(entries)
    for entry in entries:
        assert entry["source"], entry["name"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", entry["date"]), entry["name"]
        assert entry["known"] in ("documented", "reported", "assumed"), entry["name"]
    assert len(bundled().rows) == len(entries)


def test_a_rule_covers_its_generations_and_no_others() -> None:
    book = bundled()
    for model, takes in (("claude-opus-4-6", True), ("claude-opus-4-7", False), ("claude-haiku-5-5", False)):
        traits = book.rules("anthropic", "anthropic", model).of(call())
        assert ("top_k" not in traits.refuses) is takes, model
    assert "temperature" in book.rules("openai", "openrouter", "anthropic/claude-opus-4.8").of(call()).refuses
    assert not book.rules("openai", "openai", "gpt-4o-mini").of(call()).refuses


@pytest.mark.parametrize(
    ("model", "fields", "refused"),
    [
        ("gpt-5", {}, True), ("gpt-5-mini", {"reasoning_effort": "minimal"}, True), ("gpt-5-chat", {}, False),
        ("gpt-5.2", {}, False), ("gpt-5.2", {"reasoning_effort": "high"}, True),
        ("gpt-5.2", {"reasoning_effort": "none"}, False), ("gpt-5.6-sol", {}, True),
        ("gpt-5.6-sol", {"reasoning_effort": "none"}, False), ("o4-mini", {"reasoning_effort": "none"}, True),
        ("gpt-5.2", {"reasoning_max_tokens": 0}, False), ("gpt-5.2", {"reasoning_max_tokens": 99}, True),
    ],
)  # fmt: skip
def test_a_rule_for_thinking_holds_only_where_the_model_thinks(
    model: str, fields: dict[str, object], refused: bool
) -> None:
    traits = bundled().rules("openai", "openai", model).of(call(**fields))
    assert ("temperature" in traits.refuses) is refused


def test_a_switch_in_the_clients_own_body_says_whether_the_model_thinks() -> None:
    rules = bundled().rules("openai", "deepseek", "deepseek-v4-flash")
    assert rules.of(call()).reasoning_required
    assert not rules.of(call(extra={"thinking": {"type": "disabled"}})).reasoning_required
    assert not bundled().rules("openai", "deepseek", "deepseek-chat").of(call()).reasoning_required


@pytest.mark.parametrize("model", ["gpt-5.3-codex", "gpt-5-pro", "gpt-5.4-pro", "o3-pro", "o3-deep-research"])
def test_models_that_have_only_the_newer_path_are_asked_there(model: str) -> None:
    assert bundled().rules("openai", "openai", model).of(call()).endpoint == "responses"


def test_functions_beside_reasoning_take_the_newer_path_from_5_4_on() -> None:
    tools = (Tool("f"),)
    for model, fields, path in (
        ("gpt-5.4", {"tools": tools, "reasoning_effort": "low"}, "responses"), ("gpt-5.4", {"tools": tools}, "chat"),
        ("gpt-5.6-sol", {"tools": tools}, "responses"), ("gpt-5.6-sol", {}, "chat"), ("gpt-5.2", {"tools": tools}, "chat"),
        ("gpt-5.6-sol", {"tools": tools, "reasoning_effort": "none"}, "chat"),
    ):  # fmt: skip
        assert bundled().rules("openai", "openai", model).of(call(**fields)).endpoint == path, (model, fields)


def test_an_operators_row_takes_the_place_of_the_bundled_one() -> None:
    given = read_rows(
        [
            {"name": "claude-sampling", "off": True},
            {"name": "odd", "providers": ["lab"], "refuses": ["seed"], "system": "first"},
        ]
    )
    book = bundled().with_rows(given)
    assert not book.rules("anthropic", "anthropic", "claude-opus-4-8").of(call()).refuses & {"temperature"}
    odd = book.rules("openai", "lab", "m").of(call())
    assert (odd.refuses, odd.system) == (frozenset({"seed"}), "first")
    assert "temperature" in bundled().rules("anthropic", "anthropic", "claude-opus-4-8").of(call()).refuses


def test_rows_add_to_each_other_and_the_last_one_counts() -> None:
    rows = read_rows(
        [
            {"name": "a", "refuses": ["seed"], "most": {"temperature": 1}, "prefill": "prefix"},
            {"name": "b", "refuses": ["top_k"], "most": {"top_p": 1}, "prefill": "refused"},
        ]
    )
    traits = Rulebook(rows).rules("openai", "x", "y").of(call())
    assert traits.refuses == {"seed", "top_k"}
    assert dict(traits.most) == {"temperature": 1, "top_p": 1}
    assert traits.prefill == "refused"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"name": "x", "refusses": ["a"]}, "refusses"), ({"name": "x", "system": "last"}, "last"),
        ({"name": "x", "family": "claud"}, "family is one of"), ({"name": "x", "when": ["asleep"]}, "when is one of"),
        ({"name": "x", "models": "("}, "rule 'x'"), ({"name": "x", "call_ids": "["}, "rule 'x'"),
        ({"name": "x", "first_byte_s": 0}, "rule 'x': first_byte_s is seconds, above 0 and at most 3600"),
        ({"name": "x", "first_content_s": 3601}, "above 0"), ({"name": "x", "first_content_s": float("nan")}, "above 0"),
        ({"name": "x", "first_byte_s": "60"}, "rule 'x'"),
        ({"name": "x", "since": "four"}, "rule 'x'"), ({"name": 3}, "rule 3"), ({"refuses": []}, "rule None"),
    ],
)  # fmt: skip
def test_a_row_that_can_not_be_read_is_named(row: dict[str, object], words: str) -> None:
    with pytest.raises(RuleError, match=re.escape(words)):
        read_rows([row])

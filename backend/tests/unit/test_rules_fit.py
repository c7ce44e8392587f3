"""A call that is not fitted to its target is a 400 for the user; one that is bent in silence is worse."""

import re
from typing import Any

import pytest

from agent_marketplace.rules import Fitted, Rulebook, bundled, fit, refusal
from agent_marketplace.rules.book import Traits, read_rows
from agent_marketplace.rules.ids import digest, with_ids, with_names
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    UpstreamFailure,
)
from agent_marketplace.wires.notes import Note

PICTURE = ImagePart(media_type="image/png", data="AAAA")


def said(role: str, *parts: Part | str) -> Message:
    return Message(role, tuple(TextPart(p) if isinstance(p, str) else p for p in parts))  # type: ignore[arg-type]


def call(*messages: Message, **fields: Any) -> Call:
    return Call(model="m", messages=messages or (said("user", "hi"),), **fields)


def at(provider: str, model: str, made: Call, wire: str = "openai") -> Fitted:
    return fit(made, bundled().rules(wire, provider, model))


def under(made: Call, **holds: Any) -> Fitted:
    return fit(made, Rulebook(read_rows([{"name": "x", **holds}])).rules("openai", "p", "m"))


def acts(found: Fitted) -> list[tuple[str, str]]:
    return [(n.field, n.act) for n in found.notes]


def loop(*ids: str, thinking: str = "", results: tuple[str, ...] | None = None) -> tuple[Message, ...]:
    head: tuple[Part, ...] = (ReasoningPart(thinking),) if thinking else ()
    return (
        said("user", "weather?"),
        said("assistant", *head, *(ToolCallPart(i, "look", "{}") for i in ids)),
        *(
            said("tool", ToolResultPart(i, f"rain {n}"))
            for n, i in enumerate(ids if results is None else results)
        ),
    )


def pairs(found: Fitted) -> tuple[list[str], list[str]]:
    parts = [p for m in found.call.messages for p in m.parts]
    return (
        [p.id for p in parts if isinstance(p, ToolCallPart)],
        [p.call_id for p in parts if isinstance(p, ToolResultPart)],
    )


def test_what_fits_is_not_touched_so_that_bytes_may_pass() -> None:
    made = call(*loop("call_1"), tools=(Tool("look"),), temperature=0.3, stop=("x",))
    for provider, model, wire in (
        ("openai", "gpt-4o", "openai"),
        ("anthropic", "claude-sonnet-4-5", "anthropic"),
    ):
        found = at(provider, model, made, wire)
        assert found.same
        assert found.call.messages is made.messages
        assert not found.names


# -- ids of calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "model", "wire", "pattern"),
    [
        ("anthropic", "claude-opus-4-8", "anthropic", r"[a-zA-Z0-9_-]{1,64}"),
        ("mistral", "mistral-large-2512", "openai", r"[a-zA-Z0-9]{9}"),
        ("openrouter", "mistralai/mistral-small", "openai", r"[a-zA-Z0-9]{9}"),
        ("openai", "gpt-4o", "openai", r"\S{1,64}"),
        ("google", "gemini-3-pro", "gemini", r"\S{1,64}"),
    ],
)
@pytest.mark.parametrize(
    "ids",
    [
        ("functions.look:0", "functions.look:1"),
        ("",),
        ("", ""),
        ("a" * 65,),
        ("same", "same"),
        ("call_1_Zürich x",),
    ],
)
def test_any_id_reaches_any_provider_in_its_own_shape_and_with_its_result(
    provider: str, model: str, wire: str, pattern: str, ids: tuple[str, ...]
) -> None:
    found = at(provider, model, call(*loop(*ids), tools=(Tool("look"),)), wire)
    calls, results = pairs(found)
    assert calls == results
    assert len(set(calls)) == len(ids)
    assert all(re.fullmatch(pattern, i) for i in calls)


def test_the_same_history_gets_the_same_ids_in_every_turn_or_prompts_would_not_stay_cached() -> None:
    shorter = call(*loop("functions.look:0"))
    longer = call(*loop("functions.look:0"), said("assistant", "Rain."), *loop("functions.look:1"))
    assert (
        pairs(at("mistral", "mistral-large-4", longer))[0][:1]
        == pairs(at("mistral", "mistral-large-4", shorter))[0]
    )


def test_a_provider_that_counts_from_zero_in_every_turn_can_be_left_for_one_that_wants_each_id_once() -> None:
    twice = call(*loop("call_0"), said("assistant", "Rain."), *loop("call_0"))
    calls, results = pairs(at("anthropic", "claude-opus-4-8", twice, "anthropic"))
    assert calls == results
    assert len(set(calls)) == 2
    assert calls[0] == "call_0"


def test_results_in_another_order_than_their_calls_stay_with_them() -> None:
    calls, results = pairs(
        at("mistral", "mistral-large-4", call(*loop("a:1", "b:2", results=("b:2", "a:1"))))
    )
    assert calls == results[::-1]


def test_results_without_ids_go_to_the_calls_of_their_names() -> None:
    made = call(
        said("assistant", ToolCallPart("", "one", "{}"), ToolCallPart("", "two", "{}")),
        said("tool", ToolResultPart("", "2", "two")),
        said("tool", ToolResultPart("", "1", "one")),
    )
    calls, results = pairs(at("mistral", "mistral-large-4", made))
    assert calls == results[::-1]


def test_a_result_whose_call_was_cut_off_is_told_as_words() -> None:
    found = at("mistral", "mistral-large-4", call(said("tool", ToolResultPart("toolu_01", "rain"))))
    assert pairs(found)[1] == []
    assert "rain" in str(found.call.messages)


# -- names of tools ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mcp__" + "x" * 70, "look.up", "größe", "9lives.of", "a b"])
def test_a_name_that_the_provider_refuses_goes_out_as_another_and_comes_back_as_itself(name: str) -> None:
    made = call(
        said("assistant", ToolCallPart("c", name, "{}")), said("tool", ToolResultPart("c", "x", name)),
        tools=(Tool(name), Tool("fine")), tool_choice=name,
    )  # fmt: skip
    found = at("openai", "gpt-4o", made)
    sent = found.call.tools[0].name
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", sent)
    assert found.names == {sent: name}
    assert found.call.tools[1].name == "fine"
    assert found.call.tool_choice == sent
    assert [p.name for m in found.call.messages for p in m.parts] == [sent, sent]  # type: ignore[union-attr]
    assert (f"tools.{name}", "renamed") in acts(found)


def test_names_that_begin_alike_stay_apart() -> None:
    long = "mcp__server__" + "x" * 60
    found = at("openai", "gpt-4o", call(tools=(Tool(long + "a"), Tool(long + "b"))))
    assert len({t.name for t in found.call.tools}) == 2


def test_a_providers_own_tool_keeps_its_name() -> None:
    own = Tool("google search", native={"googleSearch": {}})
    assert at("google", "gemini-3-pro", call(tools=(own,)), "gemini").same


# -- sampling, effort, thinking, forced tools ---------------------------------------------------------------------------


def test_what_a_generation_refuses_is_left_out_and_noted() -> None:
    found = at("anthropic", "claude-opus-4-8", call(temperature=0.2, top_p=0.9, top_k=5, seed=1), "anthropic")
    assert (found.call.temperature, found.call.top_p, found.call.top_k, found.call.seed) == (
        None,
        None,
        None,
        1,
    )
    assert acts(found) == [("temperature", "left_out"), ("top_k", "left_out"), ("top_p", "left_out")]
    assert not found.same


def test_one_sampler_of_two_is_left_out_where_both_are_refused() -> None:
    found = at("openrouter", "anthropic/claude-sonnet-4.5", call(temperature=0.2, top_p=0.9))
    assert (found.call.temperature, found.call.top_p) == (0.2, None)
    assert at("openrouter", "anthropic/claude-sonnet-4.5", call(top_p=0.9)).call.top_p == 0.9


def test_a_field_of_the_clients_own_body_is_left_out_too() -> None:
    found = at("openai", "o3", call(extra={"logit_bias": {"1": 2}, "metadata": {}}, parallel_tool_calls=True))
    assert found.call.extra == {"metadata": {}}
    assert ("logit_bias", "left_out") in acts(found)
    assert ("parallel_tool_calls", "left_out") in acts(found)


def test_a_temperature_above_what_is_taken_is_lowered() -> None:
    found = at("anthropic", "claude-sonnet-4-5", call(temperature=1.7), "anthropic")
    assert found.call.temperature == 1.0
    assert acts(found) == [("temperature", "lowered")]


@pytest.mark.parametrize(
    ("provider", "model", "wire", "asked", "told"),
    [
        ("openai", "gpt-5", "openai", "none", "minimal"), ("openai", "gpt-5.1", "openai", "minimal", "low"),
        ("openai", "gpt-5.2", "openai", "xhigh", "xhigh"), ("openai", "gpt-5.1", "openai", "xhigh", "high"),
        ("openai", "o3", "openai", "minimal", "low"), ("openai", "gpt-5.4-pro", "openai", "low", "medium"),
        ("anthropic", "claude-opus-4-8", "anthropic", "minimal", "low"),
        ("anthropic", "claude-opus-4-6", "anthropic", "xhigh", "high"), ("mistral", "mistral-medium-3-5", "openai", "low", "high"),
        ("google", "gemini-3-pro-preview", "gemini", "medium", "low"), ("groq", "openai/gpt-oss-120b", "openai", "max", "high"),
        ("google", "gemini-3.1-flash-lite", "gemini", "minimal", "minimal"), ("openai", "gpt-5", "openai", "odd", "odd"),
    ],
)  # fmt: skip
def test_an_effort_becomes_the_nearest_one_that_the_model_knows(
    provider: str, model: str, wire: str, asked: str, told: str
) -> None:
    found = at(provider, model, call(reasoning_effort=asked), wire)
    assert found.call.reasoning_effort == told
    assert bool(found.notes) is (asked != told)


def test_a_budget_becomes_an_effort_where_budgets_are_gone() -> None:
    for budget, effort in ((0, "none"), (2000, "low"), (8000, "medium"), (30_000, "high")):
        found = at("anthropic", "claude-opus-4-7", call(reasoning_max_tokens=budget), "anthropic")
        assert (found.call.reasoning_effort, found.call.reasoning_max_tokens) == (effort, None)
        assert ("reasoning.max_tokens", "reencoded") in acts(found)
    assert at("anthropic", "claude-opus-4-6", call(reasoning_max_tokens=2000), "anthropic").same


def test_a_budget_below_the_models_least_is_that() -> None:
    assert (
        at("google", "gemini-2.5-pro", call(reasoning_max_tokens=0), "gemini").call.reasoning_max_tokens
        == 128
    )


@pytest.mark.parametrize("choice", ["required", "look"])
def test_a_tool_is_not_forced_on_a_model_that_refuses_it(choice: str) -> None:
    tools = (Tool("look"),)
    for provider, model, wire in (
        ("anthropic", "claude-fable-5-1", "anthropic"), ("anthropic", "claude-mythos-5-2", "anthropic"),
        ("deepseek", "deepseek-v4-flash", "openai"), ("moonshotai", "kimi-k2.6", "openai"), ("zai", "glm-5", "openai"),
    ):  # fmt: skip
        found = at(provider, model, call(tools=tools, tool_choice=choice), wire)
        assert found.call.tool_choice == "auto", model
        assert ("tool_choice", "lowered") in acts(found)
    quiet = call(tools=tools, tool_choice=choice, reasoning_effort="none")
    assert at("deepseek", "deepseek-v4-flash", quiet).call.tool_choice == choice
    assert at("anthropic", "claude-opus-4-8", call(tools=tools, tool_choice=choice), "anthropic").same


def test_a_forced_tool_comes_before_thinking_where_they_exclude_each_other() -> None:
    found = at(
        "anthropic", "claude-opus-4-8", call(tools=(Tool("look"),), tool_choice="look", reasoning_effort="high"), "anthropic"
    )  # fmt: skip
    assert found.call.reasoning_effort is None
    assert acts(found) == [("reasoning", "left_out")]


# -- what must not go unsaid ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "model", "made", "field"),
    [
        ("openai", "gpt-5", call(stop=("END",)), "stop"), ("openai", "o3", call(extra={"logprobs": True}), "logprobs"),
        ("openai", "gpt-4o", call(stop=("a", "b", "c", "d", "e")), "stop"), ("xai", "grok-4.6", call(stop=("a",)), "stop"),
    ],
)  # fmt: skip
def test_what_an_answer_must_hold_refuses_the_target_by_name(
    provider: str, model: str, made: Call, field: str
) -> None:
    rules = bundled().rules("openai", provider, model)
    assert (refusal(made, rules) or "").startswith(f"{field}: ")
    with pytest.raises(UpstreamFailure, match=f"^{field}: "):
        fit(made, rules)


def test_nothing_is_refused_that_says_nothing() -> None:
    for provider, model in (("openai", "gpt-5"), ("openai", "gpt-4o"), ("deepseek", "deepseek-v4-flash")):
        assert refusal(call(extra={"logprobs": False}), bundled().rules("openai", provider, model)) is None


@pytest.mark.parametrize(
    ("holds", "made", "field"),
    [
        ({"forced_tool": "refused"}, call(tools=(Tool("f"),), tool_choice="required"), "tool_choice"),
        ({"formats": ["text"]}, call(response_format="json_object"), "response_format"),
        ({"formats": ["text"]}, call(response_format="json_schema"), "response_format"),
        ({"prefill": "refused"}, call(said("user", "a"), said("assistant", "b")), "messages"),
    ],
)
def test_an_operators_row_may_refuse_by_name(holds: dict[str, Any], made: Call, field: str) -> None:
    with pytest.raises(UpstreamFailure, match=f"^{field}: "):
        under(made, **holds)


def test_a_schema_is_told_in_words_where_there_is_only_json_mode() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    made = call(
        said("system", "be brief"), said("user", "hi"), response_format="json_schema", response_schema=schema
    )
    found = at("deepseek", "deepseek-chat", made)
    assert found.call.response_format == "json_object"
    assert [m.role for m in found.call.messages] == ["system", "system", "user"]
    assert '"city"' in found.call.messages[1].parts[0].text  # type: ignore[union-attr]
    assert "JSON" in found.call.messages[1].parts[0].text  # type: ignore[union-attr]
    assert ("response_format", "reencoded") in acts(found)
    alone = call(said("system", "x"), response_format="json_schema", response_schema=schema)
    assert len(at("deepseek", "deepseek-chat", alone).call.messages) == 2


# -- turns -----------------------------------------------------------------------------------------------------------


def test_a_developer_turn_is_a_system_turn_where_that_role_is_not_known() -> None:
    made = call(Message("system", (TextPart("x"),), developer=True), said("user", "hi"))
    for provider in ("deepseek", "mistral", "groq", "somebody"):
        found = at(provider, "m", made)
        assert not found.same
        assert found.call.messages[0] == said("system", "x")
    assert at("openai", "gpt-5.4", made).same


def test_blank_texts_do_not_reach_a_provider_that_refuses_them() -> None:
    made = call(
        said("user", "hi", " "),
        said("assistant", "\n"),
        said("user", ""),
        said("assistant"),
        said("user", "on"),
    )
    for provider, model, wire in (
        ("anthropic", "claude-opus-4-5", "anthropic"),
        ("google", "gemini-3-pro", "gemini"),
    ):
        found = at(provider, model, made, wire)
        assert found.call.messages == (said("user", "hi"), said("user", "."), said("user", "on"))
        assert acts(found) == [("messages.content", "left_out")]


def test_a_blank_stop_is_left_out_where_it_is_refused() -> None:
    found = at("anthropic", "claude-opus-4-5", call(stop=("\n", "END")), "anthropic")
    assert found.call.stop == ("END",)
    assert acts(found) == [("stop", "left_out")]


def test_pictures_of_results_follow_the_last_result_of_their_step() -> None:
    step = loop("a", "b")
    with_picture = (
        *step[:2],
        said("tool", ToolResultPart("a", "see"), PICTURE),
        step[3],
        said("assistant", "ok"),
    )
    found = at("openai", "gpt-4o", call(*with_picture))
    assert [m.role for m in found.call.messages] == ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert found.call.messages[4] == said("user", PICTURE)
    assert acts(found) == [("messages.content", "moved")]
    last = at("ollama", "gemma3:12b", call(*with_picture[:3]), "ollama")
    assert last.call.messages[-1] == said("user", PICTURE)
    again = call(*with_picture, said("user", "x"), tools=(Tool("look"),))
    assert at("anthropic", "claude-opus-4-8", again, "anthropic").same


def test_the_system_speaks_first_and_once_where_a_template_wants_it() -> None:
    made = call(
        said("system", "a"),
        said("system", "b"),
        said("user", "hi"),
        said("system", "c"),
        said("assistant", "d"),
    )
    found = at("vllm", "qwen3.6-27b", made)
    assert found.call.messages == (
        said("system", "a\n\nb"),
        said("user", "hi"),
        said("user", "c"),
        said("assistant", "d"),
    )
    assert acts(found) == [("messages.role", "moved")]
    late = at("together", "Qwen/Qwen3-Next", call(said("user", "hi"), said("system", "c")))
    assert [m.role for m in late.call.messages] == ["user", "user"]
    assert at("openai", "gpt-4o", made).same


def test_turns_of_one_role_are_one_where_roles_must_alternate() -> None:
    made = call(
        said("user", "a"),
        said("user", "b"),
        said("assistant", "c"),
        said("assistant", PICTURE),
        said("user", PICTURE, "x"),
    )
    found = at("perplexity", "sonar", made)
    assert found.call.messages == (
        said("user", "a", "\n\n", "b"), said("assistant", "c", "\n\n", PICTURE), said("user", PICTURE, "x"),
    )  # fmt: skip
    pictures = call(said("user", PICTURE), said("user", "b"))
    assert at("perplexity", "sonar", pictures).call.messages == (said("user", PICTURE, "b"),)


def test_an_assistants_turn_stands_between_a_tool_and_the_user_at_mistral() -> None:
    found = at("mistral", "mistral-large-2512", call(*loop("abcdefghi"), said("user", "stop")))
    assert [m.role for m in found.call.messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert acts(found) == [("messages", "reencoded")]


@pytest.mark.parametrize(
    ("provider", "model", "wire"),
    [("anthropic", "claude-opus-4-6", "anthropic"), ("anthropic", "claude-haiku-5-5", "anthropic"), ("perplexity", "sonar", "openai")],
)  # fmt: skip
def test_a_model_that_takes_no_beginning_of_its_answer_is_asked_to_go_on(
    provider: str, model: str, wire: str
) -> None:
    found = at(provider, model, call(said("user", "a"), said("assistant", "b")), wire)
    assert [m.role for m in found.call.messages] == ["user", "assistant", "user"]
    assert acts(found) == [("messages", "reencoded")]


def test_a_beginning_of_the_answer_is_kept_where_it_is_taken() -> None:
    prefilled = call(said("user", "a"), said("assistant", "b"))
    assert at("anthropic", "claude-sonnet-4-5", prefilled, "anthropic").same
    assert at("mistral", "mistral-large-4", prefilled).call.manner.prefix


# -- thinking of earlier turns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "model"), [("deepseek", "deepseek-v4-pro"), ("moonshotai", "kimi-k2.6")]
)
def test_thinking_goes_back_where_a_tool_loop_needs_it(provider: str, model: str) -> None:
    kept = at(provider, model, call(*loop("call_1", thinking="let me look")))
    assert kept.same
    assert kept.call.manner.reasoning_field == "reasoning_content"
    lost = at(provider, model, call(*loop("call_1"), said("assistant", "Rain.")))
    assert isinstance(lost.call.messages[1].parts[0], ReasoningPart)
    assert not isinstance(lost.call.messages[3].parts[0], ReasoningPart)
    assert acts(lost) == [("messages.reasoning_content", "reencoded")]
    assert at(provider, model, call(*loop("call_1"), reasoning_effort="none")).same


def test_thinking_that_another_family_sealed_is_not_shown_to_a_provider() -> None:
    sealed = (
        said("user", "a"),
        said("assistant", ReasoningPart("secret", "anthropic#sig"), "b"),
        said("user", "c"),
    )
    found = at("deepseek", "deepseek-v4-pro", call(*sealed, wire="anthropic"))
    assert found.call.messages[1] == said("assistant", "b")


@pytest.mark.parametrize("provider", ["mistral", "groq", "cerebras"])
def test_thinking_does_not_go_where_it_is_refused(provider: str) -> None:
    found = at(provider, "m", call(*loop("abcdefghi", thinking="hm")))
    assert not any(isinstance(p, ReasoningPart) for m in found.call.messages for p in m.parts)
    assert acts(found) == [("messages.reasoning_content", "left_out")]
    assert at(provider, "m", call(*loop("abcdefghi"))).same


def test_a_digest_is_letters_and_digits_of_any_text() -> None:
    assert re.fullmatch("[a-zA-Z0-9]{24}", digest("\ud800ü", 24))
    assert digest("a", 9) != digest("b", 9)


@pytest.mark.parametrize("pattern", ["x{9}", r"\S{1,64}", "[A-Z]+"])
def test_a_call_without_tools_has_neither_names_nor_ids_to_write_anew(pattern: str) -> None:
    """`fit` leaves both stages out for it, whatever the target takes."""
    traits = Traits(call_ids=pattern, tool_names=pattern)
    plain = (
        call(),
        call(said("user", "a"), said("assistant", ReasoningPart("hm"), "b"), said("user", PICTURE)),
    )
    for made in plain:
        notes: list[Note] = []
        assert with_ids(made, traits, notes) is made
        assert with_names(made, traits, notes) == (made, {})
        assert not notes
    with_tool = under(call(tools=(Tool(name="a b", description="", parameters={}),)), tool_names=pattern)
    assert [n.act for n in with_tool.notes] == ["renamed"]
    in_history = under(call(*loop("not nine")), call_ids="x{9}|[a-z0-9]{9}")
    assert ("tool_calls.id", "reencoded") in acts(in_history)

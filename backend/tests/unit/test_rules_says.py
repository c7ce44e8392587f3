"""A trait that no rule names is not asked for: one that is named and not told of would send a call on the wrong wire."""

from typing import Any

from agent_marketplace.rules import bundled
from agent_marketplace.rules.book import Traits
from agent_marketplace.wires.base import Call, Message, TextPart, Tool


def _call(**fields: Any) -> Call:
    return Call(model="m", messages=(Message("user", (TextPart("hi"),)),), **fields)


def test_rules_say_which_traits_they_name() -> None:
    for model in ("gpt-4o-mini", "gpt-5.5", "gpt-5-codex", "o3-pro", "claude-opus-4-7", "deepseek-chat"):
        rules = bundled().rules("openai", "openai", model)
        tools = (Tool(name="a", description="", parameters={}),)
        for made in (
            _call(),
            _call(tools=tools),
            _call(reasoning_effort="high"),
            _call(tools=tools, reasoning_effort="low"),
        ):
            told = rules.of(made)
            named = {n for n in Traits.__struct_fields__ if getattr(told, n) != getattr(Traits(), n)}
            assert named <= rules.says

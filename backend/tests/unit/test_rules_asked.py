"""What a client asks in words that its target's generation does not know: said otherwise, or refused before money is held."""

import json

from agent_marketplace.rules import bundled, fit, refusal
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, Message, TextPart, Tool


def test_a_claude_before_adaptive_thinking_is_never_passed_that_word() -> None:
    """Bytes of Anthropic's own client pass untouched, so that Claude Code's words reached models that refuse them."""
    ask = {"model": "m", "max_tokens": 9000, "messages": [{"role": "user", "content": "hi"}]}
    codec = codecs()["anthropic"]
    for model, thinking, effort, same in (
        ("claude-haiku-4-5", "adaptive", None, False), ("claude-sonnet-4-5", "adaptive", "high", False),
        ("claude-opus-4-5", "adaptive", None, False), ("claude-opus-4-5", None, "high", True),
        ("claude-haiku-4-5", None, "high", False), ("claude-opus-4-6", "adaptive", "high", True),
        ("claude-haiku-4-5", "disabled", None, True),
    ):  # fmt: skip
        body = ask | ({"thinking": {"type": thinking}} if thinking else {})
        body |= {"output_config": {"effort": effort}} if effort else {}
        call = codec.parse_request(json.dumps(body).encode())
        made = fit(call, bundled().rules("anthropic", "anthropic", model))
        assert made.same is same, (model, thinking, effort)
        if not same:
            sent = json.loads(codec.build_request(made.call, model, stream=False).body)
            assert sent["thinking"]["type"] == "enabled"
            assert sent["thinking"]["budget_tokens"] >= 1024
            assert "output_config" not in sent
            assert [n.act for n in made.notes] == ["reencoded"]


def test_a_tool_that_is_forced_at_ollama_is_refused_before_money_is_held() -> None:
    tool = Tool("look", "w", {"type": "object"})
    call = Call(
        model="m", messages=(Message("user", (TextPart("x"),)),), tools=(tool,), tool_choice="required"
    )
    words = refusal(call, bundled().rules("ollama", "ollama", "qwen3:8b"))
    assert words is not None
    assert "tool_choice" in words

"""What a provider can't be told is refused by its name where the answer would be another one, and dropped only where it is a wish."""

from typing import Any

import pytest

from agent_marketplace import json
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, FailureClass, Message, TextPart, UpstreamFailure

CODECS = codecs()
ALL = ["openai", "responses", "anthropic", "gemini", "ollama", "huggingface"]
ASKED = (Message("user", (TextPart("And now?"),)),)

MEANT: list[tuple[str, dict[str, Any]]] = [
    ("openai", {"n": 2}),
    ("openai", {"extra": {"logprobs": True}}),
    ("openai", {"extra": {"functions": [{"name": "look"}]}}),
    ("openai", {"extra": {"modalities": ["text", "audio"]}}),
    ("openai", {"extra": {"tool_choice": {"type": "allowed_tools"}}}),
    ("responses", {"extra": {"prompt": {"id": "pmpt_1"}}}),
    ("anthropic", {"extra": {"mcp_servers": [{"url": "https://example.org"}]}}),
    ("gemini", {"extra": {"cachedContent": "cachedContents/1"}}),
    ("gemini", {"extra": {"generationConfig": {"responseModalities": ["IMAGE"]}}}),
    ("ollama", {"extra": {"suffix": "return x"}}),
]


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize(("client", "fields"), MEANT)
def test_half_of_what_was_asked_for_is_never_sold_as_the_whole(
    wire: str, client: Any, fields: dict[str, Any]
) -> None:
    if wire == client and "n" not in fields:
        return  # its own provider is told
    if wire == "openai" and "generationConfig" in fields.get("extra", {}):
        return  # pictures are asked for there too, in a word of its own: see below
    call = Call(model="m", messages=ASKED, wire=client, max_tokens=10, **fields)
    with pytest.raises(UpstreamFailure) as refused:
        CODECS[wire].build_request(call, "m", stream=False)
    assert refused.value.kind is FailureClass.UNSUPPORTED
    named = next(iter(fields.get("extra", fields)))
    inner = fields.get("extra", {}).get("generationConfig", {})
    assert next(iter(inner), named) in refused.value.words


def test_pictures_asked_for_in_geminis_words_are_asked_for_in_openais() -> None:
    extra = {"generationConfig": {"responseModalities": ["IMAGE"]}}
    call = Call(model="m", messages=ASKED, wire="gemini", max_tokens=10, extra=extra)
    assert json.decode(CODECS["openai"].build_request(call, "m", stream=False).body)["modalities"] == [
        "image"
    ]


def test_a_stop_word_is_said_or_refused() -> None:
    with pytest.raises(UpstreamFailure, match="stop"):
        CODECS["responses"].build_request(Call(model="m", messages=ASKED, stop=("END",)), "m", stream=False)


def test_a_field_that_says_nothing_is_no_reason_to_refuse() -> None:
    extra = {"logprobs": False, "modalities": ["text"], "top_logprobs": None, "functions": []}
    call = Call(model="m", messages=ASKED, wire="openai", n=1, max_tokens=10, extra=extra)
    assert set(CODECS["gemini"].build_request(call, "m", stream=False).dropped) >= set(extra)

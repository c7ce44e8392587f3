"""A form of content that is not counted, or a film that is taken for a line of text, is paid by the operator."""

import base64
import json
import struct
from typing import Any

import msgspec
import pytest

from agent_marketplace.gateway import loads
from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger import Price
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    Message,
    OpaquePart,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.shared import forms, media, plain
from agent_marketplace.wires.shared.forms import Forms, Picture

LONG = "The quick brown fox jumps over the lazy dog. " * 200
WORDS = 1_800
PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1024, 768) + b"\x08\x02\0\0\0"
).decode()


def read(**fields: Any) -> Forms:
    return forms.of_body(json.dumps(fields).encode())


def user(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "hi"}]}]


def wav(seconds: float, rate: int = 16_000, form: int = 1) -> str:
    samples = b"\0\0" * int(rate * seconds)
    head = struct.pack("<HHIIHH", form, 1, rate, rate * 2, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(samples)) + samples
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(body)) + body).decode()


TEXTS: dict[str, dict[str, Any]] = {
    "plain": {"messages": [{"role": "user", "content": LONG}]},
    "a text part": {"messages": user({"type": "text", "text": LONG})},
    "Anthropic's system": {"system": [{"type": "text", "text": LONG}], "messages": user()},
    "Anthropic's document": {"messages": user({"type": "document", "source": {"type": "text", "data": LONG}})},
    "Anthropic's document of parts": {
        "messages": user({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": LONG}]}})
    },
    "Anthropic's search result": {
        "messages": user({"type": "search_result", "source": "https://x/", "content": [{"type": "text", "text": LONG}]})
    },
    "a tool's result": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": LONG}]}]
    },
    "a tool's arguments": {
        "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": LONG}}]}]
    },
    "Gemini's system": {"systemInstruction": {"parts": [{"text": LONG}]}, "contents": []},
    "Gemini's other system": {"system_instruction": {"parts": [{"text": LONG}]}, "contents": []},
    "Gemini's text": {"contents": [{"role": "user", "parts": [{"text": LONG}]}]},
    "Gemini's text as data": {
        "contents": [{"parts": [{"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(LONG.encode()).decode()}}]}]
    },
    "Gemini's answer of a function": {
        "contents": [{"parts": [{"functionResponse": {"name": "f", "response": {"x": [{"y": LONG}]}}}]}]
    },
    "Responses": {"input": [{"role": "user", "content": [{"type": "input_text", "text": LONG}]}]},
    "Ollama": {"messages": [{"role": "user", "content": LONG, "images": [PNG]}]},
    "tools": {"messages": [], "tools": [{"type": "function", "function": {"name": "f", "description": LONG}}]},
    "older functions": {"messages": [], "functions": [{"name": "f", "description": LONG}]},
    "Gemini's functions": {"contents": [], "tools": [{"functionDeclarations": [{"name": "f", "description": LONG}]}]},
    "a schema": {"messages": [], "response_format": {"type": "json_schema", "json_schema": {"schema": {"title": LONG}}}},
    "Gemini's schema": {"contents": [], "generationConfig": {"responseSchema": {"description": LONG}}},
    "a field nobody knows": {"messages": [], "something": {"new": {"deep": [LONG]}}},
    "thinking": {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": LONG}]}]},
    "redacted thinking": {"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": LONG}]}]},
    "a refusal": {"messages": [{"role": "assistant", "content": None, "refusal": LONG}]},
    "reasoning beside content": {"messages": [{"role": "assistant", "content": "", "reasoning_content": LONG}]},
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_counted_wherever_a_wire_holds_it(name: str) -> None:
    read_ = read(**TEXTS[name])
    assert WORDS <= read_.text.tokens("openai") <= 1.6 * WORDS
    assert read_.unsized == ()


UNSIZED: dict[str, dict[str, Any]] = {
    "a PDF": {"messages": user({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}})},
    "a text that is no text": {"contents": [{"parts": [{"inlineData": {"mimeType": "text/plain", "data": "Information" * 40}}]}]},
    "a text in another charset": {
        "contents": [{"parts": [{"inlineData": {"mimeType": "text/html; charset=utf-16", "data": "aGk="}}]}]
    },
    "a text by Anthropic in base64": {
        "messages": user({"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": "Information" * 40}})
    },
    "a document by URL": {"messages": user({"type": "document", "source": {"type": "url", "url": "https://x/"}})},
    "a document by id": {"messages": user({"type": "document", "source": {"type": "file", "file_id": "f"}})},
    "a file": {"messages": user({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}})},
    "a file of Responses": {"input": user({"type": "input_file", "file_id": "f"})},
    "a film by URI": {"contents": [{"parts": [{"fileData": {"fileUri": "https://x/"}}]}]},
    "a film by URI, in snake case": {"contents": [{"parts": [{"file_data": {"file_uri": "https://x/"}}]}]},
    "a film inside": {"contents": [{"parts": [{"inlineData": {"mimeType": "video/mp4", "data": "AA"}}]}]},
    "a film of others": {"messages": user({"type": "video_url", "video_url": {"url": "https://x/"}})},
    "sound that is compressed": {"messages": user({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}})},
    "sound in Gemini": {"contents": [{"parts": [{"inline_data": {"mime_type": "audio/ogg", "data": "AA"}}]}]},
    "a stored cache": {"contents": [], "cachedContent": "cachedContents/1"},
    "a container": {"messages": [], "container": "c"},
    "a stored conversation": {"input": "x", "previous_response_id": "r"},
    "something new with a link": {"messages": user({"type": "hologram", "url": "https://x/"})},
}  # fmt: skip


def test_tools_that_agents_offer_with_every_call_hold_no_whole_context() -> None:
    """On the operator's key they are never sent, and on a caller's own nothing is held."""
    for tools in (
        [{"urlContext": {}}], [{"type": "web_search_20250305", "name": "web_search"}], [{"type": "local_shell"}],
        [{"type": "namespace", "name": "n", "description": "", "tools": [{"type": "function", "name": "f"}]}],
    ):  # fmt: skip
        assert read(messages=[], tools=tools).unsized == ()


@pytest.mark.parametrize("name", UNSIZED)
def test_what_has_no_size_is_named_and_held_for_as_the_largest_input(name: str) -> None:
    read_ = read(**UNSIZED[name])
    assert read_.unsized
    target = Target(
        model="m", provider="p", upstream_id="m", credential="operator", price=None, context=100_000
    )
    sizes = loads.inputs(read_, target, Price(input=1, output=1))
    assert sum(load.tokens for load in sizes) == 100_000


PICTURES: dict[str, dict[str, Any]] = {
    "OpenAI": {"messages": user({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})},
    "OpenAI, as text": {"messages": user({"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"})},
    "Responses": {"input": user({"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"})},
    "a tool's answer": {
        "messages": [{"role": "tool", "tool_call_id": "c", "content": [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]}]
    },
    "Anthropic": {"messages": user({"type": "image", "source": {"type": "base64", "data": PNG}})},
    "a tool's answer in Anthropic": {
        "messages": user({"type": "tool_result", "content": [{"type": "image", "source": {"type": "base64", "data": PNG}}]})
    },
    "Gemini": {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}]}]},
    "Ollama": {"messages": [{"role": "user", "content": "hi", "images": [PNG]}]},
}  # fmt: skip


@pytest.mark.parametrize("wire", PICTURES)
def test_a_picture_is_measured_in_pixels_wherever_it_stands(wire: str) -> None:
    read_ = read(**PICTURES[wire])
    assert read_.pictures == (Picture(1024, 768),)
    assert read_.text.size < 200


def test_a_picture_by_url_counts_as_the_largest_its_provider_takes() -> None:
    read_ = read(messages=user({"type": "image_url", "image_url": {"url": "https://x/", "detail": "low"}}))
    assert read_.pictures == (Picture(low=True),)
    assert read_.unsized == ()
    by_id = read(input=user({"type": "input_image", "file_id": "f"}))
    assert by_id.pictures == (Picture(),)
    assert read(
        messages=user({"type": "image", "source": {"type": "url", "url": "https://x/"}})
    ).pictures == (Picture(),)


@pytest.mark.parametrize(
    ("marks", "life"),
    [((None,), ""), (({"type": "ephemeral"},), "5m"), (({"ttl": "5m"}, {"ttl": "1h"}), "1h"), (({"ttl": "1h"}, {}), "1h"),
     (({"ttl": "9h"},), "1h")],
)  # fmt: skip
def test_the_longest_cache_life_that_is_asked_for_anywhere_is_seen(marks: tuple[Any, ...], life: str) -> None:
    assert (
        read(messages=user(*({"type": "text", "text": "x", "cache_control": m} for m in marks))).cache == life
    )
    tools = [{"name": "f", "input_schema": {}, "cache_control": m} for m in marks]
    assert read(messages=user(), tools=tools).cache == life
    assert read(messages=user(), cache_control=marks[0]).cache in (life, "5m")


def test_an_answer_as_speech_and_a_prediction_are_seen() -> None:
    assert read(messages=user(), modalities=["text", "audio"]).speaks
    assert read(contents=[], generationConfig={"responseModalities": ["AUDIO"]}).speaks
    assert read(contents=[], generation_config={"speechConfig": {}}).speaks
    assert not read(messages=user(), modalities=["text"]).speaks
    predicted = read(messages=user(), prediction={"type": "content", "content": LONG})
    assert predicted.predicted.tokens("openai") >= WORDS
    assert predicted.text.size < 50


def test_tools_are_told_apart_from_what_a_provider_runs_itself() -> None:
    tools = [
        {"type": "bash_20250124", "name": "bash"},
        {"name": "f", "input_schema": {}},
        {"type": "custom", "name": "g"},
    ]
    read_ = read(messages=user(), tools=tools)
    assert (read_.tools, read_.native, read_.unsized) == (2, 1, ())
    assert read(messages=user(), tools=["x", {}]).native == 1
    assert read(messages=user(), tools="x", generationConfig=[]).tools == 0


def test_sound_is_as_long_as_its_samples_say_and_compressed_sound_has_no_length() -> None:
    part = {"type": "input_audio", "input_audio": {"data": wav(2), "format": "wav"}}
    assert 2_000 <= read(messages=user(part)).audio_ms <= 2_010
    assert media.wav_ms(wav(1, form=85)) is None
    assert media.wav_ms(wav(1, rate=10)) is None
    assert media.wav_ms("!") is None
    assert read(messages=user({"type": "input_audio", "input_audio": {}})).unsized == ("audio",)


def test_a_canonical_call_is_read_like_the_body_it_came_from() -> None:
    call = Call(
        model="m",
        messages=(
            Message("user", (TextPart(LONG), ImagePart(media_type="image/png", data=PNG))),
            Message("assistant", (ReasoningPart(LONG, "sig"), ToolCallPart("c", "f", LONG))),
            Message("tool", (ToolResultPart("c", LONG), OpaquePart("file", {"type": "file", "file": {}}))),
        ),
        tools=(Tool("f", LONG, {"type": "object"}), Tool("web", native={"type": "web_search"})),
        response_schema={"description": LONG},
        extra={"functions": [{"name": "g", "description": LONG}], "seed": 3},
    )
    read_ = forms.of_call(call)
    assert 7 * WORDS <= read_.text.tokens("openai") <= 7 * WORDS * 1.3
    assert read_.pictures == (Picture(1024, 768),)
    assert set(read_.unsized) == {"file"}  # a tool that is run elsewhere is never sent on the operator's key
    assert (read_.messages, read_.tools, read_.native) == (3, 2, 1)


_VALUES = (
    None, True, 3, -1.5, "", "words of it", "https://x/y", [], ["a", "b"], {}, {"a": "text"}, {"cache_control": {"ttl": "1h"}},
    {"include_usage": True}, [{"role": "user", "content": "hi"}], {"type": "json_schema", "json_schema": {"schema": {}}},
)  # fmt: skip
_CONTENTS = (
    "", "some words", "two\n\nlines  \n", "wide: 中文 ü", None, 5, {"type": "text", "text": "a"}, [], ["loose"],
    [{"type": "text", "text": "a"}, {"type": "text", "text": " b"}], [{"type": "text"}], [{"type": "text", "text": None}],
    [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}], [{"type": "text", "text": "a", "more": "b"}],
    [{"type": "input_text", "text": "a"}], [{"type": "image_url", "image_url": {"url": "https://x/"}}],
    [{"type": "file", "text": "a"}],
)  # fmt: skip


@pytest.mark.parametrize("name", sorted({*plain.Plain.__struct_fields__, "system", "tools", "audio", "odd"}))
def test_the_short_way_through_a_body_reads_what_the_long_way_reads(name: str) -> None:
    """Each field with values of every kind, in front of the turns and behind them."""
    for value in _VALUES:
        for turns in (
            [{"role": "user", "content": "a  b"}],
            [{"role": "system", "content": c} for c in _CONTENTS[:3]],
        ):
            for body in ({name: value, "messages": turns}, {"messages": turns, name: value}):
                raw = json.dumps(body).encode()
                assert forms.of_body(raw) == forms.of_any_body(raw), body


@pytest.mark.parametrize("content", _CONTENTS, ids=repr)
@pytest.mark.parametrize("more", [{}, {"name": "Bob"}, {"role": 7}, {"tool_calls": []}, {"images": ["AAAA"]}])
def test_no_turn_is_read_shorter_than_it_is(content: Any, more: dict[str, Any]) -> None:
    turn = {"role": "user", "content": content, **more}
    for turns in ([turn], [turn, turn], [{"role": "user"}, turn], "text", None, [], ["text"], turn):
        raw = json.dumps({"messages": turns, "model": "m"}).encode()
        assert forms.of_body(raw) == forms.of_any_body(raw)


def test_of_a_field_given_twice_both_ways_read_the_last() -> None:
    turn = b'[{"role":"user","content":"%b"}]'
    for one, other in ((b"short", b"the longer one of two"), (b"the longer one of two", b"short")):
        raw = b'{"messages":%b,"messages":%b}' % (turn % one, turn % other)
        assert (
            forms.of_body(raw)
            == forms.of_any_body(raw)
            == read(messages=[{"role": "user", "content": other.decode()}])
        )


def test_an_ordinary_call_takes_the_short_way() -> None:
    raw = json.dumps(
        {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    )
    found = plain.read(raw.encode())
    assert found is not None
    assert found.messages[0].content == "hi"


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "claude-opus-4-8", "gemini-3-pro", "llama2", "nobody-knows"]
)
def test_words_cost_the_same_with_a_picture_beside_them_and_without(model: str) -> None:
    price = Price(input=10**9, output=10**9, cache_write_5m=2 * 10**9)
    target = Target(
        model=model, provider="p", upstream_id=model, credential="operator", price=price, context=1000
    )
    plain = read(
        messages=[{"role": "user", "content": LONG}], tools=[{"type": "function", "function": {"name": "f"}}]
    )
    beside = msgspec.structs.replace(plain, pictures=(Picture(10, 10),), audio_ms=1)
    assert loads.inputs(plain, target, price) == loads.inputs(beside, target, price)[:1]
    assert loads.predicted(plain, target) == 0


def test_a_search_among_tools_that_reads_the_call_again_each_time_is_held_for_each_time() -> None:
    """Anthropic samples up to ten times for one answer, and bills the input of each."""
    tool = {"name": "f", "description": LONG, "input_schema": {"type": "object"}, "defer_loading": True}
    search = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
    price = Price(input=3 * 10**9, output=15 * 10**9)
    claude = Target(
        model="claude-sonnet-4-5", provider="anthropic", upstream_id="claude-sonnet-4-5", credential="operator",
        price=price, context=200_000,
    )  # fmt: skip
    once, often = (
        sum(load.tokens for load in loads.inputs(read(messages=user(), tools=tools), claude, price))
        for tools in ([tool], [tool, search])
    )
    assert often >= 10 * once


def test_instructions_that_a_maker_puts_first_and_counts_are_held_for() -> None:
    """A "Hi" is 686 tokens to grok-4, so that every short call of it cost more than was held."""
    price = Price(input=3 * 10**9, output=15 * 10**9)
    for model, billed in (("grok-4", 687), ("grok-code-fast-1", 206), ("command-a", 500), ("gpt-4.1", 8)):
        target = Target(model=model, provider="p", upstream_id=model, credential="operator", price=price)
        (load,) = loads.inputs(read(messages=[{"role": "user", "content": "Hi"}]), target, price)
        assert billed <= load.tokens <= 1_300


def test_passages_that_are_marked_for_citing_are_held_for() -> None:
    """Two thousand passages of two letters are mostly marks."""
    source = {"type": "content", "content": [{"type": "text", "text": "a."}] * 2_000}
    price = Price(input=3 * 10**9, output=15 * 10**9)
    claude = Target(
        model="claude-opus-4-5", provider="anthropic", upstream_id="claude-opus-4-5", credential="operator", price=price
    )  # fmt: skip
    sizes = []
    for cited in (False, True):
        document = {"type": "document", "source": source, "citations": {"enabled": cited}}
        (load,) = loads.inputs(read(messages=user(document)), claude, price)
        sizes.append(load.tokens)
    assert sizes[1] - sizes[0] >= 2_000 * 10

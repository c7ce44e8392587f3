"""Whatever a call is made of and however its provider bills it, what is held covers the bill.

The bills are the oracle: counts of public vocabularies, the providers' published rules for images and sound, and for what has no
size everything that the model's window leaves.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from agent_marketplace.gateway import needs, sizing
from agent_marketplace.gateway.plan import Target
from agent_marketplace.gateway.sizing import Asked
from agent_marketplace.ledger import price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.shared import forms
from tests.fakes import calendar
from tests.unit.test_wires_forms import PNG, wav

ROWS = json.loads((Path(__file__).parents[1] / "golden" / "token_counts.json").read_text())
LARGE = ("gpt4o", "gpt35turbo", "deepseek_v3", "gemini", "gemma3", "llama3", "qwen3", "tekken")
CODECS = codecs()
REGISTRY = calendar.registry()


class Seller(NamedTuple):
    """A wire with a model on it, its provider, and the vocabularies that it may count with."""

    wire: str
    model: str
    provider: str
    vocabularies: tuple[str, ...]
    picture: int  # tokens of a picture of 1024 x 768 pixels by the provider's own rule


SELLERS = (
    Seller("openai", "gpt-4.1", "openai", ("gpt4o", "gpt35turbo"), 85 + 4 * 170),
    Seller("openai", "gpt-4o-mini", "openai", ("gpt4o",), 2_833 + 4 * 5_667),
    Seller("anthropic", "claude-sonnet-4-5", "anthropic", ("claude",), 1024 * 768 // 750),
    Seller("anthropic", "claude-opus-4-8", "anthropic", ("claude",), 1024 * 768 // 750),
    Seller("gemini", "gemini-2.5-pro", "google", LARGE, 4 * 258),
    Seller("gemini", "gemini-2.5-flash-image", "google", LARGE, 4 * 258),
    Seller("openai", "sonar-pro", "perplexity", LARGE, 0),
)


@cache
def target_of(seller: Seller) -> Target:
    """The model as the catalogue sells it."""
    offer = next(o for o in REGISTRY.offers(seller.model) if o.provider == seller.provider)
    return Target(
        model=seller.model, provider=seller.provider, upstream_id=offer.upstream_id, credential="operator",
        price=offer.price, context=offer.context, max_output=offer.max_output, max_input=offer.max_input,
    )  # fmt: skip


def window_of(seller: Seller) -> int:
    """The most input that the seller takes: of Claude Sonnet 4.5 a part of its window, unless a beta header asks for it all."""
    target = target_of(seller)
    most = target.max_input if seller.wire == "anthropic" else None
    return min(target.context or 0, most or target.context or 0)


class Part(NamedTuple):
    """A piece of content: its text row, picture, seconds of sound, or something without a size."""

    kind: str
    row: int = 0
    seconds: int = 0


parts = st.lists(
    st.one_of(
        st.builds(Part, st.just("text"), st.integers(0, len(ROWS) - 1), st.just(0)),
        st.just(Part("picture", 0, 0)),
        st.builds(Part, st.just("sound"), st.just(0), st.integers(1, 3)),
        st.just(Part("film")),
    ),
    min_size=1,
    max_size=5,
)


def said(seller: Seller, part: Part, life: str) -> dict[str, Any]:
    """The part in the seller's wire."""
    text = ROWS[part.row]["text"]
    if seller.wire == "gemini":
        data = {"picture": ("image/png", PNG), "sound": ("audio/wav", wav(part.seconds))}.get(part.kind)
        if part.kind == "text":
            return {"text": text}
        if data is None:
            return {"fileData": {"fileUri": "https://example.com/film"}}
        return {"inlineData": {"mimeType": data[0], "data": data[1]}}
    if seller.wire == "anthropic":
        mark = {"cache_control": {"type": "ephemeral", "ttl": life}} if life else {}
        if part.kind == "text":
            return {"type": "text", "text": text or "x", **mark}
        if part.kind == "picture":
            return {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                **mark,
            }
        return {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, **mark}
    if part.kind == "text":
        return {"type": "text", "text": text}
    if part.kind == "picture":
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    if part.kind == "sound":
        return {"type": "input_audio", "input_audio": {"data": wav(part.seconds), "format": "wav"}}
    return {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUFB"}}


def body_of(seller: Seller, given_: list[Part], life: str, cap: int, choices: int) -> bytes:
    content = [said(seller, part, life) for part in given_]
    if seller.wire == "gemini":
        config = {"maxOutputTokens": cap, "candidateCount": choices}
        return json.dumps(
            {"contents": [{"role": "user", "parts": content}], "generationConfig": config}
        ).encode()
    extra: dict[str, Any] = {"n": choices} if seller.wire == "openai" else {}
    messages = [{"role": "user", "content": content}]
    return json.dumps({"model": seller.model, "max_tokens": cap, "messages": messages, **extra}).encode()


def bill(seller: Seller, given_: list[Part], window: int, share: str, life: str) -> dict[str, int]:
    """The dearest usage of the input that the seller may report."""
    counted = {"text": 12, "pictures": 0, "sound": 0}
    for part in given_:
        if part.kind == "text":
            row = ROWS[part.row]
            size = len(row["text"].encode())
            counted["text"] += min(size, max(row["counts"][name] for name in seller.vocabularies))
        elif part.kind == "picture":
            counted["pictures"] += seller.picture
        elif part.kind == "sound" and seller.wire != "anthropic":
            counted["sound"] += 32 * part.seconds
    rest = 0
    if any(p.kind == "film" or (p.kind == "sound" and seller.wire == "anthropic") for p in given_):
        rest = max(0, window - sum(counted.values()))
    text = {"5m": "cache_write_5m", "1h": "cache_write_1h"}.get(life, "input")
    usage = {text: counted["text"] + (counted["pictures"] if life else 0)}
    usage["image_input"] = 0 if life else counted["pictures"]
    usage["audio_input"] = counted["sound"]
    usage[share if not life else text] = usage.get(share if not life else text, 0) + rest
    return usage


@given(
    st.sampled_from(SELLERS), parts, st.sampled_from(("", "5m", "1h")), st.integers(1, 4000), st.integers(1, 4),
    st.sampled_from(("input", "audio_input", "image_input")), st.sampled_from(("output", "reasoning", "image_output")),
)  # fmt: skip
def test_no_provider_can_bill_more_than_is_held(
    seller: Seller, given_: list[Part], life: str, cap: int, choices: int, share: str, answer: str
) -> None:
    life = life if seller.wire == "anthropic" else ""
    choices = choices if seller.wire != "anthropic" else 1
    assume(all(ROWS[p.row]["text"].strip() for p in given_ if p.kind == "text"))
    target = target_of(seller)
    price = target.price
    assert price is not None
    body = body_of(seller, given_, life, cap, choices)
    call = CODECS[seller.wire].parse_request(body, model=seller.model, stream=False)
    asked = Asked(call=call, needs=needs.read(call, 1), input_tokens=1, forms=forms.of_body(body))
    length = sizing.wanted_tokens(asked, target)
    assert length == min(cap, target.max_output or cap) * choices
    usage = bill(seller, given_, window_of(seller), share, life)
    billed = length + 8 * choices
    outputs = {"reasoning": {"output": billed, "reasoning": billed}}.get(answer, {"output": billed})
    if answer == "image_output" and price.image_output is not None:
        outputs = {"image_output": billed}
    cost = price_usage(price, Usage(**usage, **outputs))
    assert cost <= sizing.bound(asked, target, length)

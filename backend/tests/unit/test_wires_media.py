"""Media are billed by their size, so nobody may make a large one look small to us and large to its provider."""

import base64
import struct
from typing import Any

import pytest

from agent_marketplace import json
from agent_marketplace.errors import BadRequest
from agent_marketplace.wires import codecs
from agent_marketplace.wires.shared import forms
from agent_marketplace.wires.shared.media import image_size, wav_ms
from tests.unit.test_wires_forms import PNG, wav

LONG = "word " * 200
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def packed(*pieces: bytes) -> str:
    return base64.b64encode(b"".join(pieces)).decode()


def frame(width: int, height: int) -> bytes:
    """A JPEG's start of frame."""
    return b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + b"\x03" + bytes(9)


def read(**body: Any) -> forms.Forms:
    return forms.of_any_body(json.encode({"model": "m", **body}))


def said(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def test_fill_bytes_hide_no_jpegs_real_size() -> None:
    """A decoder skips any number of 0xFF in front of a marker; who takes the second for a marker is led to a small frame."""
    small = b"\xff\xe1" + struct.pack(">H", 2 + 19) + frame(8, 8)
    assert image_size(packed(b"\xff\xd8\xff", small, frame(4000, 3000))) == (4000, 3000)
    assert image_size(packed(b"\xff\xd8\xff\x01\xff\xd0", frame(640, 480))) == (640, 480)


def test_a_gif_whose_frames_outgrow_its_screen_is_not_sized_by_the_screen() -> None:
    assert image_size(packed(b"GIF89a", struct.pack("<HH", 1, 1), bytes(60))) is None


def test_a_png_whose_first_chunk_is_another_has_no_size() -> None:
    assert (
        image_size(packed(b"\x89PNG\r\n\x1a\n", struct.pack(">I", 4), b"CgBI", struct.pack(">II", 8, 8)))
        is None
    )


def test_base64_that_decoders_read_differently_has_no_size() -> None:
    """Who skips foreign characters reads a small picture where another decoder reads something else."""
    assert image_size(PNG) is not None
    assert image_size("-" + PNG) != image_size(PNG)
    assert image_size(PNG[:4] + "!!!!" + PNG[4:]) is None
    assert image_size(PNG[:76] + "\r\n" + PNG[76:]) == image_size(PNG)
    assert wav_ms("*" + wav(1)) is None


@pytest.mark.parametrize("form", ["mp3", "", "ogg"])
def test_hours_of_mp3_behind_a_wavs_head_are_not_held_for_as_a_moment(form: str) -> None:
    part = {"type": "input_audio", "input_audio": {"data": wav(1), "format": form}}
    assert read(messages=said(part)).unsized == ("audio",)
    inline = {"inlineData": {"mimeType": f"audio/{form}", "data": wav(1)}}
    assert read(contents=[{"parts": [inline]}]).unsized == ("audio",)


@pytest.mark.parametrize("kind", ["application/pdf", "video/mp4", "audio/mp3", ""])
def test_a_pdf_called_an_image_reaches_no_provider(kind: str) -> None:
    """Sized as a picture of a few tokens, Gemini would read all of its pages."""
    source = {"type": "base64", "media_type": kind, "data": PNG}
    image = {"type": "image", "source": source}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    for part in (image, result):
        body = {"model": "m", "max_tokens": 9, "messages": said(part)}
        with pytest.raises(BadRequest, match="media_type"):
            codecs()["anthropic"].parse_request(json.encode(body))
    pages = base64.b64encode(b"%PDF-1.7 of many pages").decode()
    for url in (f"data:{kind};base64,{pages}", f"data:{kind};base64,{PNG}"):
        chat = {"model": "m", "messages": said({"type": "image_url", "image_url": {"url": url}})}
        items = {"model": "m", "input": said({"type": "input_image", "image_url": url})}
        for wire, body in (("openai", chat), ("responses", items)):
            if wire == "openai" and url.endswith(
                PNG
            ):  # a picture by its bytes: it goes on as one, and is sized as one
                (part,) = codecs()[wire].parse_request(json.encode(body)).messages[0].parts
                assert (part.media_type, part.data) == ("image/png", PNG)
                continue
            with pytest.raises(BadRequest):
                codecs()[wire].parse_request(json.encode(body))


@pytest.mark.parametrize("place", ["entry", "function", "custom"])
def test_a_tools_cache_mark_is_held_for_wherever_its_client_writes_it(place: str) -> None:
    inner: dict[str, Any] = {"name": "f", "description": LONG, "parameters": {}}
    kind = "custom" if place == "custom" else "function"
    tool = {"type": kind, kind: inner | (MARK if place != "entry" else {})} | (
        MARK if place == "entry" else {}
    )
    assert read(messages=said(), tools=[tool]).cache == "1h"


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_cache_mark_is_held_for_also_where_the_clients_bytes_are_gone(wire: str) -> None:
    """An agent's calls are made of the canonical call alone."""
    marked = {"type": "text", "text": LONG, **MARK}
    top: dict[str, Any] = {
        "model": "m",
        "max_tokens": 9,
        "messages": said({"type": "text", "text": LONG}),
        **MARK,
    }
    inner: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": said(marked)}
    for body in (top, inner):
        assert forms.of_call(codecs()[wire].parse_request(json.encode(body))).cache == "1h"  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "tool", "tool_call_id": LONG, "content": "x"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": LONG, "function": {"name": "f"}}]}]},
        {
            "messages": [
                {"role": "assistant", "reasoning_details": [{"type": "x", "id": LONG, "format": LONG}]}
            ]
        },
        {"messages": said({"type": "image_url", "image_url": {"url": "https://a.example/", "detail": LONG}})},
        {
            "messages": said(
                {"type": "input_audio", "input_audio": {"data": wav(1), "format": "wav", "name": LONG}}
            )
        },
        {
            "contents": [
                {"parts": [{"inlineData": {"mimeType": "image/png", "data": PNG, "displayName": LONG}}]}
            ]
        },
        {"messages": said(), "user": LONG},
        {"messages": said(), "tool_choice": {"type": "function", "function": {"name": LONG}}},
    ],
)
def test_an_essay_in_a_field_for_a_name_is_held_for_as_text(body: dict[str, Any]) -> None:
    """Some servers write ids and names into their model's prompt."""
    assert read(**body).text.size >= len(LONG)


def test_names_of_usual_length_cost_no_hold() -> None:
    call = {"id": "call_" + "a" * 24, "function": {"name": "f", "arguments": "{}"}}
    short = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    one = read(messages=[{"role": "assistant", "tool_calls": [call]}], user="u" * 36)
    two = read(messages=[{"role": "assistant", "tool_calls": [short]}], user="u")
    assert one == two

"""Gemini's clients lose nothing on the way to Gemini and back: grounding, every candidate, images, signatures."""

import json
from typing import Any

import pytest

from agent_marketplace.errors import ProviderFailure
from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Done, Malformed, Shape, StreamError, UpstreamFailure
from agent_marketplace.wires.gemini.fast_path import GeminiFast, Passthrough

CODEC = codecs()["gemini"]
SHAPE = Shape(id="gen_1", model="house-model", created=1)
ASKED: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {"candidateCount": 2, "responseLogprobs": True, "max_output_tokens": 900},
    "provider": {"only": ["google"]},
}
GROUNDED = {"groundingMetadata": {"webSearchQueries": ["q"]}, "avgLogprobs": -0.1}
USAGE = {"promptTokenCount": 4, "candidatesTokenCount": 6, "totalTokenCount": 10}


def chunk(text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"index": index, "content": {"role": "model", "parts": [{"text": text}]}, **more}],
        "responseId": "theirs",
    }


def sse(*bodies: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(b).encode() + b"\r\n\r\n" for b in bodies)


def read(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.removeprefix(b"data: ")) for event in data.split(b"\r\n\r\n") if event]


def test_the_clients_own_words_go_on_but_for_ours_and_the_length_that_is_paid_for() -> None:
    out = GeminiFast().request(json.dumps(ASKED).encode(), "gemini/x", max_tokens=50, stream=True)
    sent = json.loads(out.body)
    assert out.path == "v1beta/models/gemini%2Fx:streamGenerateContent?alt=sse"
    assert sent["generationConfig"] == {"candidateCount": 2, "responseLogprobs": True, "maxOutputTokens": 50}
    assert set(sent) == {"contents", "safetySettings", "generationConfig"}
    plain = GeminiFast().request(
        b'{"contents": [], "generation_config": {"seed": 1}}', "m", max_tokens=7, stream=False
    )
    assert json.loads(plain.body)["generation_config"] == {"seed": 1, "maxOutputTokens": 7}
    assert json.loads(GeminiFast().request(b'{"contents": []}', "m", max_tokens=7, stream=False).body)[
        "generationConfig"
    ]
    assert json.loads(GeminiFast().request(b'{"contents": []}', "m", stream=False).body) == {"contents": []}


def test_short_forms_and_other_families_signatures_are_written_anew() -> None:
    def takes(contents: Any) -> bool:
        body = json.dumps({"contents": contents}).encode()
        call = CODEC.parse_request(body, model="m", stream=False)
        return GeminiFast().takes(body, call, max_tokens=None, moved=False)

    assert takes(ASKED["contents"])
    assert not takes(ASKED["contents"][0])
    signed = {
        "role": "model",
        "parts": [{"text": "Hm", "thought": True, "thoughtSignature": "anthropic#U0lH"}],
    }
    assert not takes([*ASKED["contents"], signed])


def test_a_whole_answer_keeps_everything_but_its_names() -> None:
    body = {**chunk("a", finishReason="STOP", **GROUNDED), "usageMetadata": USAGE}
    got = json.loads(GeminiFast().reply(json.dumps(body).encode(), SHAPE, Usage(input=1), {"cost": 3}))
    assert got == {**body, "responseId": "gen_1", "modelVersion": "house-model", "cost": 3}
    silent = json.loads(GeminiFast().reply(json.dumps(chunk("a")).encode(), SHAPE, Usage(input=1), {}))
    assert silent["usageMetadata"]["promptTokenCount"] == 1
    with pytest.raises(UpstreamFailure):
        GeminiFast().reply(b"<html>", SHAPE, None, {})


def test_the_last_chunk_waits_for_the_charge_and_holds_the_cost() -> None:
    passing = Passthrough(SHAPE)
    out, events = passing.feed(
        sse(chunk("a"), {**chunk("b", finishReason="STOP", **GROUNDED), "usageMetadata": USAGE})
    )
    assert [c["candidates"][0]["content"]["parts"][0]["text"] for c in read(out)] == ["a"]
    assert isinstance(events[-1], Done)
    [last] = read(passing.end(Usage(input=9), {"cost": 3}))
    assert last["candidates"][0]["groundingMetadata"] == GROUNDED["groundingMetadata"]
    assert (last["usageMetadata"], last["cost"], last["responseId"], last["modelVersion"]) == (
        USAGE,
        3,
        "gen_1",
        "house-model",
    )


def test_usage_after_the_last_candidate_or_never_stands_in_the_end() -> None:
    late = Passthrough(SHAPE)
    late.feed(sse(chunk("a", finishReason="STOP"), {"usageMetadata": USAGE}))
    assert [c.get("usageMetadata") for c in read(late.end(Usage(input=9), {}))] == [None, USAGE]
    never = Passthrough(SHAPE)
    never.feed(sse(chunk("a", finishReason="STOP")))
    assert read(never.end(Usage(input=9), {}))[-1]["usageMetadata"]["promptTokenCount"] == 9
    assert read(Passthrough(SHAPE).end(None, {"cost": 1})) == [
        {"modelVersion": "house-model", "responseId": "gen_1", "cost": 1}
    ]


def test_the_stream_is_over_when_every_candidate_is() -> None:
    passing = Passthrough(SHAPE, choices=2)
    out, events = passing.feed(sse(chunk("a", finishReason="STOP"), chunk("b", 1)))
    assert not any(isinstance(e, Done) for e in events)
    assert [c["candidates"][0]["index"] for c in read(out)] == [1]
    _, events = passing.feed(sse(chunk("c", 1, finishReason="MAX_TOKENS")))
    assert [type(e) for e in events] == [Done]
    assert [c["candidates"][0]["index"] for c in read(passing.end(None, {}))] == [0, 1]


def test_errors_and_noise_are_held_back_and_ours_is_typed() -> None:
    passing = Passthrough(SHAPE)
    out, events = passing.feed(
        sse({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}})
        + b"data: {\r\n\r\ndata:\r\n\r\n"
    )
    assert out == b""
    assert [type(e) for e in events] == [StreamError, Malformed]
    assert passing.close() == (b"", [])
    assert read(passing.error(ProviderFailure("gone"), "r"))[0]["error"]["code"] == 502


def test_a_signature_of_another_family_travels_in_the_bytes_that_googles_clients_insist_on() -> None:
    tagged = "anthropic#EqMBCkYIARgCIkA="
    reply = codecs()["anthropic"].parse_reply(
        json.dumps(
            {
                "content": [{"type": "thinking", "thinking": "Hm", "signature": tagged.partition("#")[2]}],
                "stop_reason": "end_turn",
            }
        ).encode()
    )
    shown = json.loads(CODEC.render_reply(reply, SHAPE, {}))["candidates"][0]["content"]
    sent = shown["parts"][0]["thoughtSignature"]
    assert sent.isascii()
    assert "#" not in sent
    again = CODEC.parse_request(
        json.dumps({"contents": [{"role": "user", "parts": [{"text": "x"}]}, shown]}).encode(), model="m"
    )
    assert again.messages[1].parts[0].signature == tagged  # type: ignore[union-attr]

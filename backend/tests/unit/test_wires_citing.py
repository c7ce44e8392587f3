"""An answer's sources reach the client on whichever wire it speaks, at the words that they belong to."""

import json
from typing import Any

import pytest

from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Citation, Cited, Event, Finish, Finished, Shape, TextDelta

CODECS = codecs()
TEXT = "Größe: 3. Rain in Oslo."
CITED = "Rain in Oslo."
URL, TITLE = "https://example.com/oslo", "Oslo"
START, END = TEXT.index(CITED), len(TEXT)
SHAPE = Shape(id="gen_1", model="m", created=1)
FLAT = {"type": "url_citation", "url": URL, "title": TITLE, "start_index": START, "end_index": END}
NESTED = {"type": "url_citation", "url_citation": {k: v for k, v in FLAT.items() if k != "type"}}
_BYTES = {"startIndex": len(TEXT[:START].encode()), "endIndex": len(TEXT.encode())}
GROUNDING = {
    "groundingChunks": [{"web": {"uri": URL, "title": TITLE}}],
    "groundingSupports": [{"segment": _BYTES, "groundingChunkIndices": [0]}],
}
LOCATION = {
    "type": "web_search_result_location",
    "url": URL,
    "title": TITLE,
    "cited_text": "x",
    "encrypted_index": "y",
}

PLAIN: dict[str, dict[str, Any]] = {
    "openai": {"choices": [{"index": 0, "message": {"content": TEXT, "annotations": [NESTED]}, "finish_reason": "stop"}]},
    "responses": {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT, "annotations": [FLAT]}]}],
    },
    "anthropic": {
        "type": "message", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": TEXT[:START]}, {"type": "text", "text": CITED, "citations": [LOCATION]}],
    },
    "gemini": {
        "candidates": [{"content": {"parts": [{"text": TEXT}]}, "finishReason": "STOP", "groundingMetadata": GROUNDING}]
    },
}  # fmt: skip
STREAMS: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {"choices": [{"index": 0, "delta": {"content": TEXT}}]},
        {"choices": [{"index": 0, "delta": {"annotations": [NESTED]}, "finish_reason": "stop"}]},
    ],
    "responses": [
        {"type": "response.output_item.added", "item": {"type": "message"}},
        {"type": "response.content_part.added"},
        {"type": "response.output_text.delta", "delta": TEXT},
        {"type": "response.output_text.annotation.added", "annotation": FLAT},
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    ],
    "anthropic": [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT[:START]}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": LOCATION}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": CITED}},
        {"type": "content_block_stop", "index": 1},
    ],
    "gemini": [
        {"candidates": [{"content": {"parts": [{"text": TEXT}]}}]},
        {"candidates": [{"content": {"parts": []}, "finishReason": "STOP", "groundingMetadata": GROUNDING}]},
    ],
}  # fmt: skip
SOURCE = Citation(URL, TITLE, START, END)


@pytest.mark.parametrize("wire", sorted(PLAIN))
def test_sources_of_a_whole_answer_are_read_at_their_places(wire: str) -> None:
    reply = CODECS[wire].parse_reply(json.dumps(PLAIN[wire]).encode())
    assert reply.text == TEXT
    assert reply.citations == (SOURCE,)


@pytest.mark.parametrize("wire", sorted(STREAMS))
def test_sources_of_a_stream_are_read_at_their_places(wire: str) -> None:
    decoder, events = CODECS[wire].decoder(), []
    for event in STREAMS[wire]:
        events += decoder.feed(f"data: {json.dumps(event)}\n\n".encode())
    assert [e.citations for e in events if isinstance(e, Cited)] == [(SOURCE,)]


def test_perplexitys_pages_are_sources_once_in_a_stream_that_repeats_them() -> None:
    said = {"citations": [URL], "search_results": [{"title": TITLE, "url": URL}]}
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": TEXT}}], **said},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **said},
    ]
    decoder, events = CODECS["openai"].decoder(), []
    for chunk in chunks:
        events += decoder.feed(f"data: {json.dumps(chunk)}\n\n".encode())
    assert [e.citations for e in events if isinstance(e, Cited)] == [(Citation(URL, TITLE),)]
    whole = {
        "choices": [{"index": 0, "message": {"content": TEXT}, "finish_reason": "stop"}],
        "citations": [URL],
    }
    assert CODECS["openai"].parse_reply(json.dumps(whole).encode()).citations == (Citation(URL),)


def shown(wire: str, events: list[Event]) -> list[dict[str, Any]]:
    encoder = CODECS[wire].encoder(SHAPE)
    data = (encoder.start() + encoder.feed(events) + encoder.end(Finish.STOP, None, {})).decode()
    lines = [line[5:].strip() for line in data.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


EVENTS: list[Event] = [TextDelta(TEXT), Cited((SOURCE,)), Finished(Finish.STOP)]


@pytest.mark.parametrize("provider", sorted(PLAIN))
def test_every_client_that_has_a_place_for_sources_gets_them(provider: str) -> None:
    reply = CODECS[provider].parse_reply(json.dumps(PLAIN[provider]).encode())

    def told(wire: str) -> Any:
        return json.loads(CODECS[wire].render_reply(reply, SHAPE, {}))

    assert told("openai")["choices"][0]["message"]["annotations"] == [NESTED]
    items = [c for i in told("responses")["output"] for c in i["content"]]
    assert [
        TEXT[TEXT.index(c["text"]) :][a["start_index"] : a["end_index"]]
        for c in items
        for a in c["annotations"]
    ] == [CITED]
    found = told("gemini")["candidates"][0]["groundingMetadata"]
    assert found["groundingSupports"][0]["segment"] == {**_BYTES, "text": CITED}
    for wire in ("anthropic", "ollama"):
        assert CITED in json.dumps(told(wire)), "an answer is whole without its sources"


def test_every_stream_that_has_a_place_for_sources_tells_them() -> None:
    chunks = [c["choices"][0]["delta"] for c in shown("openai", EVENTS) if c.get("choices")]
    assert [d["annotations"] for d in chunks if "annotations" in d] == [[NESTED]]
    events = shown("responses", EVENTS)
    assert [e["annotation"] for e in events if e["type"] == "response.output_text.annotation.added"] == [FLAT]
    assert events[-1]["response"]["output"][0]["content"][0]["annotations"] == [FLAT]
    last = shown("gemini", EVENTS)[-1]["candidates"][0]
    assert last["groundingMetadata"]["groundingChunks"] == GROUNDING["groundingChunks"]


@pytest.mark.parametrize(
    "odd", [5, {}, [None], [{"type": "url_citation"}], [{"type": "url_citation", "url": 7}]]
)
def test_odd_sources_cost_no_answer(odd: Any) -> None:
    whole = {
        "choices": [{"index": 0, "message": {"content": TEXT, "annotations": odd}, "finish_reason": "stop"}]
    }
    reply = CODECS["openai"].parse_reply(json.dumps(whole | {"citations": odd}).encode())
    assert (reply.text, reply.citations) == (TEXT, ())
    candidate = {"content": {"parts": [{"text": TEXT}]}, "finishReason": "STOP", "groundingMetadata": odd}
    assert CODECS["gemini"].parse_reply(json.dumps({"candidates": [candidate]}).encode()).citations == ()

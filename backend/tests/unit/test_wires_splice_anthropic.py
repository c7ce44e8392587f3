"""The same-wire fast path of Anthropic Messages."""

import json

import pytest

from agent_marketplace.errors import ProviderFailure
from agent_marketplace.wires.anthropic.fast_path import AnthropicFast, Passthrough
from agent_marketplace.wires.base import (
    Done,
    Event,
    Finished,
    Malformed,
    ReasoningDelta,
    Shape,
    StreamError,
    TextDelta,
    UpstreamFailure,
    UsageSeen,
)

SHAPE = Shape(id="gen_1", model="claude-house", created=5)
BODY = (
    b'{"model":"claude-house","max_tokens":900,"stream":true,"provider":{"order":[]},'
    b'"system":[{"type":"text","text":"long","cache_control":{"type":"ephemeral"}}],'
    b'"messages":[ {"role":"user","content":"a\\u00e9"} ],"thinking":{"type":"adaptive"},"top_p":0.50}'
)


def test_cache_marks_and_messages_reach_anthropic_byte_for_byte() -> None:
    out = AnthropicFast().request(BODY, "claude-opus-5-5", max_tokens=100, stream=True)
    assert b'"cache_control":{"type":"ephemeral"}' in out.body
    assert b'[ {"role":"user","content":"a\\u00e9"} ]' in out.body
    sent = json.loads(out.body)
    assert (out.path, sent["model"], sent["max_tokens"], sent["stream"]) == (
        "v1/messages",
        "claude-opus-5-5",
        100,
        True,
    )
    assert "provider" not in sent


@pytest.mark.parametrize(("cap", "sent"), [(100, 100), (5000, 900), (None, 900)])
def test_anthropic_never_gets_more_output_than_the_hold_buys(cap: int | None, sent: int) -> None:
    assert (
        json.loads(AnthropicFast().request(BODY, "m", max_tokens=cap, stream=False).body)["max_tokens"]
        == sent
    )


def event(name: str, **body: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


START = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "claude-up",
    "content": [],
    "usage": {"input_tokens": 7, "output_tokens": 1},
}
STREAM = (
    event("message_start", message=START)
    + event(
        "content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}
    )
    + event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "SIG"})
    + event("ping")
    + event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Hello"})
    + b"event: content_block_delta\ndata: {broken\n\n"
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
    + event("message_stop")
)


def run(stream: bytes, size: int) -> tuple[bytes, list[Event]]:
    through, sent, seen = Passthrough(SHAPE), b"", list[Event]()
    for i in range(0, len(stream), size):
        out, events = through.feed(stream[i : i + size])
        assert out == b"" or out.endswith(b"\n\n")
        sent += out
        seen += events
    out, events = through.close()
    return sent + out, seen + events


def test_only_the_opening_changes_and_the_end_mark_is_held_back_at_every_split() -> None:
    whole = run(STREAM, len(STREAM))
    for size in (1, 3, 17):
        assert run(STREAM, size) == whole
    sent, events = whole
    assert [type(e) for e in events] == [
        UsageSeen,
        ReasoningDelta,
        TextDelta,
        Malformed,
        UsageSeen,
        Finished,
        Done,
    ]
    assert b"message_stop" not in sent
    assert b"broken" not in sent
    assert b'"signature": "SIG"' in sent
    opening = json.loads(sent.split(b"\n")[1].removeprefix(b"data: "))["message"]
    assert (opening["id"], opening["model"], opening["usage"]["input_tokens"]) == ("gen_1", "claude-house", 7)
    assert (
        Passthrough(SHAPE).end(None, {"cost": 1})
        == b'event: message_stop\ndata: {"type":"message_stop","cost":1}\n\n'
    )


def test_the_placeholder_output_of_the_opening_is_no_final_usage() -> None:
    first, last = (e.usage for e in run(STREAM, 1 << 20)[1] if isinstance(e, UsageSeen))
    assert (first.input, first.estimated, last.output, last.estimated) == (7, True, 5, False)


def test_an_error_event_is_typed_and_not_forwarded_raw() -> None:
    sent, events = run(
        event("message_start", message=START)
        + event("error", error={"type": "overloaded_error", "message": "host 10.0.0.3"}),
        1 << 20,
    )
    assert b"10.0.0.3" not in sent
    assert isinstance(events[-1], StreamError)
    assert events[-1].error.status == 503
    assert b"overloaded_error" in Passthrough(SHAPE).error(ProviderFailure("Busy", status=503), "r")


def test_a_plain_message_keeps_its_blocks() -> None:
    content = b'[{"type":"text","text":"x","citations":[1.50]}]'
    sent = AnthropicFast().reply(
        b'{"id":"u","model":"up","content":' + content + b"}", SHAPE, None, {"cost": 2}
    )
    assert content in sent
    assert json.loads(sent) | {"content": 0} == {
        "id": "gen_1",
        "model": "claude-house",
        "content": 0,
        "cost": 2,
    }
    with pytest.raises(UpstreamFailure):
        AnthropicFast().reply(b"<html>", SHAPE, None, {})

"""The same-wire fast path."""

import json
import timeit
from typing import Any

import pytest

from agent_marketplace.errors import ProviderFailure
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Done,
    Event,
    Finished,
    Malformed,
    Shape,
    StreamError,
    TextDelta,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.openai.fast_path import OpenAIFast, Passthrough

SHAPE = Shape(id="gen_1", model="gpt4", created=5, include_usage=True)
BODY = (
    b'{"model":"gpt4","messages":[ {"role":"user","content":"a\\u00e9","x":1.50} ],"stream":true,"provider":{"order":[]},'
    b'"byok":"never","temperature":0.70,"max_tokens":900,"logit_bias":{"5":1}}'
)


def test_messages_reach_the_provider_byte_for_byte_and_our_fields_do_not() -> None:
    out = OpenAIFast(Dialect()).request(BODY, "gpt-4o", max_tokens=100, stream=True)
    assert b'[ {"role":"user","content":"a\\u00e9","x":1.50} ]' in out.body
    assert b'"temperature":0.70' in out.body
    sent = json.loads(out.body)
    assert (sent["model"], sent["max_tokens"], sent["stream_options"], sent["logit_bias"]) == (
        "gpt-4o",
        100,
        {"include_usage": True},
        {"5": 1},
    )
    assert not {"provider", "byok"} & sent.keys()


@pytest.mark.parametrize(
    ("given", "cap", "sent"),
    [(900, 100, 100), (50, 100, 50), (None, 100, 100), (900, None, 900), (None, None, None)],
)
def test_the_provider_never_gets_more_output_than_the_hold_buys(
    given: int | None, cap: int | None, sent: int | None
) -> None:
    body = {"model": "m", "messages": [], **({"max_completion_tokens": given} if given else {})}
    out = OpenAIFast(Dialect(max_tokens_field="max_completion_tokens")).request(
        json.dumps(body).encode(), "m", max_tokens=cap, stream=False
    )
    assert json.loads(out.body).get("max_completion_tokens") == sent
    assert b"stream" not in out.body


def test_a_strict_provider_gets_only_fields_it_knows() -> None:
    out = OpenAIFast(Dialect(accepts=frozenset(), refuses=frozenset({"temperature"}))).request(
        BODY, "m", stream=False
    )
    assert set(out.dropped) == {"logit_bias", "temperature"}
    assert "temperature" not in json.loads(out.body)


def test_openrouters_reasoning_object_is_respelled() -> None:
    out = OpenAIFast(Dialect()).request(b'{"messages":[],"reasoning":{"max_tokens":9000}}', "m", stream=False)
    assert json.loads(out.body)["reasoning_effort"] == "high"
    assert out.dropped == ()


def event(text: str | None = None, finish: str | None = None, **more: object) -> bytes:
    delta = {} if text is None else {"content": text}
    fields = {
        "id": "chatcmpl-9",
        "object": "chat.completion.chunk",
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps({**fields, **more}).encode() + b"\n\n"


USAGE = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2})
STREAM = (
    event("Hel", logprobs={"a": 1})
    + event('"id":"chatcmpl-9"')
    + b"data: {oops\n\n"
    + event(finish="stop")
    + USAGE
    + b"data: [DONE]\n\n"
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


def test_end_mark_usage_and_broken_events_are_held_back_at_every_split() -> None:
    whole = run(STREAM, len(STREAM))
    for size in (1, 2, 5, 64):
        assert run(STREAM, size) == whole
    for ending in (b"\r\n", b"\r"):
        assert run(STREAM.replace(b"\n", ending), 3) == whole
    sent, events = whole
    assert b"[DONE]" not in sent
    assert b"usage" not in sent
    assert b"oops" not in sent
    kinds = [type(e) for e in events]
    assert kinds == [TextDelta, TextDelta, Malformed, Finished, UsageSeen, Done]


def test_only_id_and_model_change_on_the_way() -> None:
    sent, _ = run(STREAM, len(STREAM))
    chunks = [json.loads(c.removeprefix(b"data: ")) for c in sent.split(b"\n\n") if c]
    assert [(c["id"], c["model"]) for c in chunks] == [("gen_1", "gpt4")] * 3
    assert chunks[0]["logprobs"] == {"a": 1}
    assert chunks[1]["choices"][0]["delta"]["content"] == '"id":"chatcmpl-9"'


def test_an_upstream_that_changes_its_id_midway_is_still_rewritten() -> None:
    sent, _ = run(event("a") + event("b", id="other") + event("c", model=None), 1000)
    chunks = [json.loads(c.removeprefix(b"data: ")) for c in sent.split(b"\n\n") if c]
    assert {(c["id"], c["model"]) for c in chunks} == {("gen_1", "gpt4")}


def test_a_providers_error_event_is_typed_and_not_forwarded_raw() -> None:
    sent, events = run(
        event("a") + b'data: {"error":{"message":"internal host 10.0.0.3 fell over","code":500}}\n\n', 1000
    )
    assert b"10.0.0.3" not in sent
    assert isinstance(events[-1], StreamError)
    assert b'data: {"error":' in Passthrough(SHAPE).error(ProviderFailure("gone"), "r")


def test_the_usage_chunk_leaves_only_when_the_client_asked() -> None:
    def usage_of(wish: bool | None) -> dict[str, Any] | None:
        pipe = Passthrough(Shape(id="g", model="m", created=1, include_usage=wish))
        pipe.feed(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n')
        *chunks, last, _ = pipe.end(Usage(input=3, output=2), {"cost": 7}).split(b"\n\n")
        assert last == b"data: [DONE]"
        return json.loads(chunks[0].removeprefix(b"data: ")) if chunks else None

    asked, unsaid = usage_of(True), usage_of(None)
    assert usage_of(False) is None
    assert asked is not None
    assert unsaid is not None
    assert (asked["choices"], asked["usage"]["cost"]) == ([], 7)
    assert unsaid["usage"] == asked["usage"]
    assert unsaid["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}]


def test_a_plain_reply_keeps_every_choice_and_logprobs() -> None:
    choices = b'[{"index":0,"logprobs":{"z":[1.50]}},{"index":1}]'
    upstream = b'{"id":"u","model":"up","choices":' + choices + b',"usage":{},"system_fingerprint":"fp"}'
    sent = OpenAIFast(Dialect()).reply(upstream, SHAPE, Usage(input=1, output=1), {"cost": 2})
    assert choices in sent
    body = json.loads(sent)
    assert (body["id"], body["model"], body["usage"]["cost"], body["system_fingerprint"]) == (
        "gen_1",
        "gpt4",
        2,
        "fp",
    )
    with pytest.raises(UpstreamFailure):
        OpenAIFast(Dialect()).reply(b"<html>", SHAPE, None, {})


def test_a_chunk_costs_microseconds_not_milliseconds() -> None:
    through, data = Passthrough(SHAPE), event("token ")
    assert timeit.timeit(lambda: through.feed(data), number=2000) / 2000 < 100e-6

"""OpenAI chat completions, both directions."""

import json

import pytest

from agent_marketplace.errors import BadRequest, PaymentRequired
from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    FailureClass,
    Finish,
    Finished,
    ImagePart,
    Malformed,
    Message,
    OpaquePart,
    ReasoningDelta,
    ReasoningPart,
    Shape,
    StreamError,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.openai.dialect import Dialect

CODEC = codecs()["openai"]
SHAPE = Shape(id="gen_1", model="gpt4", created=1_790_000_000, include_usage=True)
FULL = {
    "model": "gpt4",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "A cat."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks",
                "strict": True,
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "animal", "schema": {"type": "object"}},
    },
    "max_completion_tokens": 50,
    "temperature": 0.5,
    "stop": "END",
    "seed": 7,
    "logprobs": True,
    "reasoning_effort": "low",
    "stream": True,
    "stream_options": {"include_usage": True},
    "models": ["gpt4", "claude3-opus"],
    "provider": {"order": ["openai"]},
    "max_cost": "0.01",
    "fallback": False,
}


def parse(body: object) -> Call:
    return CODEC.parse_request(json.dumps(body).encode())


def test_every_field_of_a_request_reaches_the_canonical_call() -> None:
    call = parse(FULL)
    assert (call.model, call.stream, call.include_usage, call.max_tokens, call.stop, call.seed) == (
        "gpt4",
        True,
        True,
        50,
        ("END",),
        7,
    )
    assert call.messages[0] == Message("system", (TextPart("Be brief."),), developer=True)
    assert call.messages[1].parts[1:] == (
        ImagePart(media_type="image/png", data="aGk=", detail="low"),
        ImagePart(url="https://example.org/a.png"),
    )
    assert call.messages[2].parts == (ReasoningPart("Hm."), ToolCallPart("c1", "look", '{"a":1}'))
    assert call.messages[3] == Message("tool", (ToolResultPart("c1", "A cat."),))
    assert (call.tool_choice, call.tools[0].strict, call.response_schema_name) == ("look", True, "animal")
    assert call.routing == {k: FULL[k] for k in ("models", "provider", "max_cost", "fallback")}
    assert call.extra == {"logprobs": True}


def test_our_routing_fields_never_reach_a_provider_and_same_wire_extras_do() -> None:
    sent = json.loads(CODEC.build_request(parse(FULL), "gpt-4o", stream=True).body)
    assert not {"models", "provider", "max_cost", "fallback"} & sent.keys()
    assert (sent["model"], sent["logprobs"], sent["max_tokens"]) == ("gpt-4o", True, 50)
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["messages"][2] == {
        "role": "assistant",
        "content": None,
        "tool_calls": FULL["messages"][2]["tool_calls"],
    }  # type: ignore[index]
    assert sent["messages"][1]["content"][1]["image_url"]["url"] == "data:image/png;base64,aGk="
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "A cat."}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b"[1]", "body"),
        (b'{"model":"m"}', "messages"),
        (b'{"model":"m","messages":[]}', "messages"),
        (b'{"model":3,"messages":[{"role":"user","content":"x"}]}', "model"),
        (b'{"model":"m","messages":[{"role":"boss","content":"x"}]}', "messages[0].role"),
        (b'{"model":"m","messages":[{"role":"user","content":7}]}', "content"),
        (
            b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}',
            "messages[0].content[0].image_url",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///x"}}]}]}',
            "url",
        ),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0}', "max_tokens"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":9}', "temperature"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":NaN}', "JSON"),
        (b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}', "JSON"),
        (b'{"model":"m","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        (
            b'{"model":"m","x":'
            + b"[" * 100_000
            + b"]" * 100_000
            + b',"messages":[{"role":"user","content":"x"}]}',
            "",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}]}',
            "tools[0].function",
        ),
        (
            b'{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema"}}',
            "response_format",
        ),
    ],
)
def test_a_malformed_request_is_refused_with_words_that_name_the_field(body: bytes, words: str) -> None:
    with pytest.raises(BadRequest) as e:
        CODEC.parse_request(body)
    assert words in e.value.message
    assert e.value.status == 400


def test_content_of_another_wire_is_refused_not_dropped() -> None:
    call = Call(model="m", wire="anthropic", messages=(Message("user", (OpaquePart("document", {}),)),))
    with pytest.raises(UpstreamFailure) as e:
        CODEC.build_request(call, "m", stream=False)
    assert e.value.kind is FailureClass.UNSUPPORTED
    native = Call(
        model="m",
        wire="gemini",
        messages=(Message("user", (TextPart("x"),)),),
        tools=(Tool("search", native={"a": 1}),),
    )
    with pytest.raises(UpstreamFailure):
        CODEC.build_request(native, "m", stream=False)


@pytest.mark.parametrize(
    "said", [{}, {"tool_choice": "auto", "parallel_tool_calls": True}, {"tool_choice": "none"}]
)
@pytest.mark.parametrize("none", [b"[]", b"[ ]", b"null"])
def test_an_empty_list_of_tools_is_not_passed_to_providers_that_refuse_it(
    none: bytes, said: dict[str, object]
) -> None:
    """OpenAI: "empty array. Expected an array with minimum length 1"; Mistral refuses the field."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **said}
    body = json.dumps(asked).encode()[:-1] + b', "tools": ' + none + b"}"
    fast = codecs()["openai"].fast
    assert fast is not None
    sent = json.loads(fast.request(body, "m", stream=False).body)
    assert sent.keys() == {"model", "messages"}


def test_a_tool_that_must_be_called_and_is_not_there_stays_the_providers_refusal() -> None:
    body = b'{"model":"m","messages":[],"tools":[],"tool_choice":"required"}'
    fast = codecs()["openai"].fast
    assert fast is not None
    assert json.loads(fast.request(body, "m", stream=False).body)["tool_choice"] == "required"


def test_a_dialect_drops_what_its_provider_rejects_and_says_so() -> None:
    codec = OpenAICodec(
        Dialect(
            refuses=frozenset({"seed"}),
            accepts=frozenset(),
            stream_usage=False,
            max_tokens_field="max_completion_tokens",
        )
    )
    call = parse({k: v for k, v in FULL.items() if k != "logprobs"} | {"logit_bias": {"1": 2}})
    out = codec.build_request(call, "m", stream=True)
    sent = json.loads(out.body)
    assert set(out.dropped) == {"seed", "logit_bias"}
    with pytest.raises(UpstreamFailure, match="logprobs"):
        codec.build_request(parse(FULL), "m", stream=True)
    assert "stream_options" not in sent
    assert sent["max_completion_tokens"] == 50


def chunk(**fields: object) -> bytes:
    return (
        b"data: "
        + json.dumps({"id": "u1", "object": "chat.completion.chunk", "model": "up", **fields}).encode()
        + b"\n\n"
    )


def delta(finish: str | None = None, **d: object) -> bytes:
    return chunk(choices=[{"index": 0, "delta": d, "finish_reason": finish}])


STREAM = (
    b": warming up\n\n"
    + delta(role="assistant", content="")
    + delta(reasoning_content="Let me think")
    + delta(content="Hé")
    + b"data: {broken\n\n"
    + delta(
        tool_calls=[
            {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": ""}}
        ]
    )
    + delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}])
    + delta(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}])
    + delta("tool_calls")
    + chunk(choices=[], usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
    + b"data: [DONE]\n\n"
)
EVENTS: list[Event] = [
    ReasoningDelta("Let me think"),
    TextDelta("Hé"),
    Malformed("an event that is no chunk"),
    ToolCallDelta(0, "c1", "look", ""),
    ToolCallDelta(0, "", "", '{"a":'),
    ToolCallDelta(0, "", "", "1}"),
    Finished(Finish.TOOL_CALLS, "tool_calls"),
    UsageSeen(Usage(input=10, output=5)),
    Done(),
]


def test_one_broken_event_among_good_ones_is_skipped_and_counted_at_every_split() -> None:
    for size in (1, 2, 3, 7, 50, len(STREAM)):
        decoder = CODEC.decoder()
        events: list[Event] = []
        for i in range(0, len(STREAM), size):
            events += decoder.feed(STREAM[i : i + size])
        assert events + decoder.close() == EVENTS


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 1e300, "completion_tokens": 1},
        {"prompt_tokens": 2.5, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        "many",
    ],
)
def test_a_hostile_usage_is_refused_not_billed(usage: object) -> None:
    events = CODEC.decoder().feed(chunk(choices=[], usage=usage))
    assert len(events) == 1
    assert isinstance(events[0], Malformed)
    reply = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    assert CODEC.parse_reply(json.dumps(reply).encode()).usage is None


def test_an_error_inside_a_stream_is_typed() -> None:
    events = CODEC.decoder().feed(
        b'data: {"error":{"message":"Rate limit, key sk-abcdefghijklmnop","code":429,"type":"requests"}}\n\n'
    )
    assert isinstance(events[0], StreamError)
    assert (events[0].error.status, events[0].error.code) == (429, "rate_limit_exceeded")
    assert "sk-abc" not in events[0].error.message


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>busy</html>", b"{}", b'{"choices":[]}', b'{"error":{"message":"no"}}', b"[]", b"null"],
)
def test_a_200_that_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        CODEC.parse_reply(body)


def test_a_reply_without_finish_reason_is_not_a_success() -> None:
    assert CODEC.parse_reply(b'{"choices":[{"message":{"content":"cut"}}]}').finish is None


def test_a_reply_survives_the_way_to_the_client() -> None:
    upstream = {
        "id": "u",
        "model": "up",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "reasoning_content": "Hm",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}},
    }
    reply = CODEC.parse_reply(json.dumps(upstream).encode())
    body = json.loads(CODEC.render_reply(reply, SHAPE, {"cost": 1, "balance_remaining": 2}))
    assert (body["id"], body["model"], body["balance_remaining"]) == ("gen_1", "gpt4", 2)
    message = body["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"], message["tool_calls"][0]["id"]) == (
        "Hi",
        "Hm",
        "c",
    )
    assert (
        body["usage"]["prompt_tokens"],
        body["usage"]["prompt_tokens_details"]["cached_tokens"],
        body["usage"]["cost"],
    ) == (9, 3, 1)


def test_a_rendered_stream_reads_back_as_the_same_events() -> None:
    encoder = CODEC.encoder(SHAPE)
    out = (
        encoder.start()
        + encoder.feed(EVENTS)
        + encoder.end(Finish.TOOL_CALLS, Usage(input=10, output=5), {"cost": 3})
    )
    assert CODEC.decoder().feed(out) == [e for e in EVENTS if not isinstance(e, Malformed)]
    silent = CODEC.encoder(Shape(id="g", model="m", created=1))
    assert b"usage" not in silent.start() + silent.end(Finish.STOP, Usage(input=1), {})


def test_errors_have_openai_shape_and_keep_machine_fields() -> None:
    error = PaymentRequired("Not enough", extra={"required": 3})
    body = json.loads(CODEC.render_error(error, "req_1"))["error"]
    assert (body["message"], body["code"], body["param"]) == ("Not enough", "payment_required", None)
    assert body["metadata"] == {"required": 3, "error_type": "payment_required", "request_id": "req_1"}
    stream = CODEC.encoder(SHAPE).error(error, "req_1")
    told = json.loads(stream.removeprefix(b"data: "))
    # Vercel's client reads a chunk with choices as content and never looks for an error in it.
    assert set(told) == {"error"}
    assert told["error"]["code"] == "payment_required"
    assert b"[DONE]" not in stream


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            429,
            {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}},
            FailureClass.RATE_LIMITED,
        ),
        (
            429,
            {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
            FailureClass.QUOTA,
        ),
        (
            401,
            {"error": {"message": "Incorrect API key provided: sk-live-1234567", "code": "invalid_api_key"}},
            FailureClass.AUTH,
        ),
        (
            400,
            {
                "error": {
                    "message": "Your prompt passes the maximum context length",
                    "code": "string_above_max",
                }
            },
            FailureClass.CONTEXT,
        ),
        (
            400,
            {"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long"}},
            FailureClass.CONTEXT,
        ),
        (
            400,
            {"error": {"message": "Blocked by our content management policy", "code": "content_filter"}},
            FailureClass.CONTENT,
        ),
        (
            404,
            {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}},
            FailureClass.NOT_FOUND,
        ),
        (422, {"detail": "Extra inputs are not permitted"}, FailureClass.BAD_REQUEST),
        (500, {"error": {"message": "The server had an error"}}, FailureClass.SERVER),
        (503, None, FailureClass.SERVER),
        (529, None, FailureClass.OVERLOADED),
        (504, None, FailureClass.TIMEOUT),
        (402, None, FailureClass.QUOTA),
    ],
)
def test_failures_are_classified(status: int, body: object, kind: FailureClass) -> None:
    failed = CODEC.classify_error(
        status, {"Retry-After": "2"}, json.dumps(body).encode() if body else b"<html>oops</html>"
    )
    assert (failed.kind, failed.status, failed.retry_after) == (kind, status, 2.0)
    assert "html" not in failed.words
    assert "sk-live" not in failed.words


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 10.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
    ],
)
def test_retry_after_is_understood_in_all_its_forms(headers: dict[str, str], wait: float | None) -> None:
    assert CODEC.classify_error(429, headers, b"").retry_after == wait

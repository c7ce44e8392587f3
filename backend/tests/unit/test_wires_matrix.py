"""Every wire against every other: what a client says reaches any provider, and what a provider says reaches any client."""

import json

import msgspec
import pytest

from agent_marketplace.errors import ProviderFailure, RateLimited
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    FailureClass,
    Finish,
    Finished,
    ImagePart,
    Manner,
    Message,
    OpaquePart,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    StreamError,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UpstreamFailure,
)
from tests.fakes.wired import (
    ALL,
    CALL,
    CODECS,
    FULL,
    PNG,
    SCHEMA,
    SHAPE,
    USAGE,
    decode,
    encode,
    kinds,
    summary,
    texts,
    through,
)


@pytest.mark.parametrize("wire", FULL)
def test_what_a_client_says_survives_the_way_to_the_provider(wire: str) -> None:
    asked = CALL if wire != "responses" else msgspec.structs.replace(CALL, stop=())  # it has no room for stop
    seen = through(wire, asked)
    assert texts(seen) == texts(CALL)
    assert kinds(seen, ImagePart)[0].data == PNG
    made, answered = kinds(seen, ToolCallPart)[0], kinds(seen, ToolResultPart)[0]
    assert (made.name, json.loads(made.arguments), made.id == answered.call_id) == (
        "look",
        {"city": "Paris"},
        True,
    )
    assert json.loads(answered.content) == {"seen": "a cat"}
    assert (seen.max_tokens, seen.temperature) == (2000, 0.5)
    assert (seen.tools[0].name, seen.tools[0].parameters["properties"]) == ("look", SCHEMA["properties"])
    assert seen.stop == asked.stop


@pytest.mark.parametrize("wire", FULL)
def test_structured_output_is_said_or_refused_never_dropped(wire: str) -> None:
    seen = through(
        wire,
        Call(
            model="m",
            messages=CALL.messages[:1] + CALL.messages[4:],
            response_format="json_schema",
            response_schema=SCHEMA,
        ),
    )
    assert (seen.response_format, seen.response_schema) == ("json_schema", SCHEMA)


@pytest.mark.parametrize("choice", ["required", "none", "look"])
@pytest.mark.parametrize("wire", FULL)
def test_a_tool_choice_is_said_or_refused(wire: str, choice: str) -> None:
    call = Call(model="m", messages=CALL.messages[4:], tools=CALL.tools, tool_choice=choice)
    if wire == "ollama":
        if choice == "none":
            assert through(wire, call).tools == ()
        else:
            with pytest.raises(UpstreamFailure):
                through(wire, call)
        return
    assert through(wire, call).tool_choice == choice


@pytest.mark.parametrize("wire", FULL)
def test_reasoning_is_asked_for_on_every_wire_that_knows_it(wire: str) -> None:
    seen = through(
        wire, Call(model="m", messages=CALL.messages[4:], reasoning_effort="high", max_tokens=20_000)
    )
    assert seen.reasoning_effort is not None or seen.reasoning_max_tokens is not None
    off = through(wire, Call(model="m", messages=CALL.messages[4:], reasoning_effort="none", max_tokens=2000))
    assert off.reasoning_effort in ("none", "low")


@pytest.mark.parametrize("wire", ALL)
def test_content_of_another_wire_is_refused_before_it_is_paid_for(wire: str) -> None:
    call = Call(
        model="m",
        wire="openai" if wire != "openai" else "gemini",
        messages=(Message("user", (OpaquePart("input_audio", {}),)),),
    )
    with pytest.raises(UpstreamFailure) as refused:
        CODECS[wire].build_request(call, "m", stream=False)
    assert refused.value.kind is FailureClass.UNSUPPORTED


@pytest.mark.parametrize("bad", [CALL.tools, ()])
def test_a_plain_model_takes_text_only(bad: tuple[Tool, ...]) -> None:
    call = Call(model="m", messages=CALL.messages[1:2] if not bad else CALL.messages[4:], tools=bad)
    with pytest.raises(UpstreamFailure):
        CODECS["huggingface"].build_request(call, "m", stream=False)
    sent = json.loads(
        CODECS["huggingface"]
        .build_request(Call(model="m", messages=(CALL.messages[0], CALL.messages[4])), "m", stream=True)
        .body
    )
    assert sent["inputs"] == "Be brief.\n\nUser: And now?\n\nAssistant:"


def test_unknown_parameters_are_listed_not_lost_silently() -> None:
    call = Call(
        model="m",
        messages=CALL.messages[4:],
        wire="openai",
        seed=7,
        n=1,
        extra={"logit_bias": {}},
        max_tokens=10,
    )
    assert set(CODECS["anthropic"].build_request(call, "m", stream=False).dropped) == {
        "seed",
        "n",
        "logit_bias",
    }
    assert "logit_bias" in CODECS["gemini"].build_request(call, "m", stream=False).dropped
    assert "n" in CODECS["ollama"].build_request(call, "m", stream=False).dropped


def test_a_signature_never_reaches_a_family_that_did_not_mint_it() -> None:
    thought = ReasoningPart("Hm", "anthropic#SIG")
    turn = Message("assistant", (thought, ToolCallPart("c", "look", "{}", "gemini#G")))
    call = Call(
        model="m",
        messages=(CALL.messages[4], turn, Message("tool", (ToolResultPart("c", "x"),))),
        max_tokens=10,
    )
    to_claude = json.loads(CODECS["anthropic"].build_request(call, "claude-opus-5", stream=False).body)
    assert to_claude["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "Hm",
        "signature": "SIG",
    }
    to_gemini = CODECS["gemini"].build_request(call, "gemini-3-pro", stream=False).body
    assert b"SIG" not in to_gemini
    assert b'"thoughtSignature":"G"' in to_gemini
    assert b"#" not in CODECS["responses"].build_request(call, "m", stream=False).body
    foreign = Call(
        model="m",
        messages=(CALL.messages[4], Message("assistant", (ToolCallPart("c", "look", "{}"),))),
        manner=Manner(thinking="level"),
    )
    assert (
        b"skip_thought_signature_validator"
        in CODECS["gemini"].build_request(foreign, "gemini-3-pro", stream=False).body
    )


def test_geminis_signature_comes_back_through_an_openai_client() -> None:
    call = ToolCallPart("c1", "look", "{}", "gemini#G")
    reply = json.loads(
        CODECS["openai"].render_reply(Reply(parts=(call,), finish=Finish.TOOL_CALLS), SHAPE, {})
    )
    again = {"model": "m", "messages": [{"role": "user", "content": "x"}, reply["choices"][0]["message"]]}
    back = CODECS["openai"].parse_request(json.dumps(again).encode())
    assert kinds(back, ToolCallPart) == [call]
    streamed = CODECS["openai"].encoder(SHAPE).feed([ToolCallDelta(0, "c1", "look", "{}", "gemini#G")])
    assert b'"thought_signature":"gemini#G"' in streamed


TEXT: list[Event] = [TextDelta("Hé"), TextDelta('llo "world"\n'), TextDelta("日本 \u2028")]
TOOLS: list[Event] = [
    TextDelta("Look"),
    ToolCallDelta(0, "call_1_look", "look", '{"city":'),
    ToolCallDelta(0, arguments='"Paris"}'),
    ToolCallDelta(1, "call_2_look", "look", '{"city":"Rome"}'),
]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("wire", ALL)
def test_a_stream_of_text_reads_back_unchanged_at_any_split(wire: str, size: int) -> None:
    found = summary(decode(wire, encode(wire, TEXT, Finish.LENGTH), size))
    assert found == {
        "text": "".join(e.text for e in TEXT if isinstance(e, TextDelta)),
        "thinking": "",
        "calls": [],
        "finish": [Finish.LENGTH],
        "usage": USAGE,
        "done": 1,
        "bad": 0,
    }


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("wire", FULL)
def test_streamed_tools_and_thinking_read_back_unchanged(wire: str, size: int) -> None:
    found = summary(decode(wire, encode(wire, [ReasoningDelta("Hm"), *TOOLS], Finish.TOOL_CALLS), size))
    paris, rome = ("call_1_look", "look", {"city": "Paris"}), ("call_2_look", "look", {"city": "Rome"})
    assert (found["thinking"], found["text"], found["calls"]) == ("Hm", "Look", [paris, rome])
    assert (found["finish"], found["done"], found["bad"]) == ([Finish.TOOL_CALLS], 1, 0)


@pytest.mark.parametrize("wire", FULL)
def test_fragments_of_two_calls_out_of_order_stay_apart(wire: str) -> None:
    mixed: list[Event] = [
        ToolCallDelta(0, "a", "look", '{"x"'),
        ToolCallDelta(1, "b", "look", '{"y"'),
        ToolCallDelta(0, arguments=":1}"),
        ToolCallDelta(1, arguments=":2}"),
    ]
    found = summary(decode(wire, encode(wire, mixed, Finish.TOOL_CALLS), 1 << 20))
    assert [arguments for _, _, arguments in found["calls"]] == [{"x": 1}, {"y": 2}]


@pytest.mark.parametrize("wire", ALL)
def test_a_plain_answer_reads_back_unchanged(wire: str) -> None:
    parts: tuple[Part, ...] = (TextPart("Hello"),)
    if wire != "huggingface":
        parts = (
            ReasoningPart("Hm", "anthropic#S" if wire == "anthropic" else ""),
            *parts,
            ToolCallPart("call_3_look", "look", '{"city":"Paris"}'),
        )
    finish = Finish.STOP if wire == "huggingface" else Finish.TOOL_CALLS
    codec = CODECS[wire]
    back = codec.parse_reply(codec.render_reply(Reply(parts=parts, finish=finish, usage=USAGE), SHAPE, {}))
    assert (back.text, back.finish, back.usage) == ("Hello", finish, USAGE)
    assert [(p.name, json.loads(p.arguments)) for p in back.parts if isinstance(p, ToolCallPart)] == (
        [] if wire == "huggingface" else [("look", {"city": "Paris"})]
    )


@pytest.mark.parametrize("wire", ALL)
def test_an_error_in_mid_stream_is_typed_on_every_wire_and_is_no_end(wire: str) -> None:
    encoder = CODECS[wire].encoder(SHAPE)
    out = (
        encoder.start()
        + encoder.feed(TEXT)
        + encoder.error(ProviderFailure("The provider went away", status=503), "req_1")
    )
    found = decode(wire, out, 1 << 20)
    assert sum(isinstance(e, StreamError) for e in found) == 1
    assert not any(isinstance(e, Finished | Done) for e in found)


@pytest.mark.parametrize("wire", ALL)
def test_a_refusal_reads_back_as_the_same_failure(wire: str) -> None:
    codec = CODECS[wire]
    body = codec.render_error(RateLimited("Slow down", retry_after=3), "req_1")
    failed = codec.classify_error(429, {"retry-after": "3"}, body)
    assert (failed.kind, failed.retry_after, failed.words) == (FailureClass.RATE_LIMITED, 3.0, "Slow down")
    assert codec.classify_error(502, {}, b"<html>").kind is FailureClass.SERVER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b'{"error":{"message":"no","type":"api_error"}}',
        b'{"error":"no"}',
    ],
)
@pytest.mark.parametrize("wire", ALL)
def test_a_200_that_is_no_answer_is_a_failure_on_every_wire(wire: str, body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        CODECS[wire].parse_reply(body)


@pytest.mark.parametrize("wire", ALL)
def test_an_early_end_shows_no_finish_reason(wire: str) -> None:
    whole = encode(wire, TEXT, Finish.STOP)
    encoder = CODECS[wire].encoder(SHAPE)
    cut = len(encoder.start() + encoder.feed(TEXT[:1]))
    found = decode(wire, whole[:cut], 1 << 20)
    assert not any(isinstance(e, Finished | Done) for e in found)

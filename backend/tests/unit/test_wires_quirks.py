"""How servers stream in other ways than OpenAI: a strict client breaks at what a lenient one reads over. Each row is a report."""

import json
from typing import Any

import pytest

from agent_marketplace.wires.anthropic.client_side import Encoder as Messages
from agent_marketplace.wires.base import (
    Event,
    Finish,
    ImagePart,
    Shape,
    StreamError,
    TextDelta,
    TextPart,
    ToolCallDelta,
    UpstreamFailure,
)
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.openai.fast_path import Passthrough
from agent_marketplace.wires.openai.provider_side import Decoder
from agent_marketplace.wires.responses.codec import ResponsesCodec
from agent_marketplace.wires.shared.called import Calls

SHAPE = Shape(id="gen_1", model="m", created=7)
TAIL = {"usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}


def sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks) + b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


def call(index: int = 0, arguments: Any = "", **more: Any) -> dict[str, Any]:
    function = {k: more.pop(k) for k in ("name",) if k in more}
    return chunk({"tool_calls": [{"index": index, **more, "function": {**function, "arguments": arguments}}]})


def passed(body: bytes) -> list[dict[str, Any]]:
    """The chunks that a client of the same wire gets."""
    out, _ = Passthrough(SHAPE).feed(body)
    return [json.loads(part[6:]) for part in out.decode().split("\n\n") if part]


def blocks(body: bytes) -> list[dict[str, Any]]:
    """The content that a client of Anthropic's puts together."""
    encoder, made = Messages(SHAPE), dict[int, dict[str, Any]]()
    out = encoder.feed(Decoder().feed(body)) + encoder.end(Finish.STOP, None, {})
    for part in out.decode().split("\n\n"):
        event = json.loads(part.partition("data: ")[2] or "{}")
        if event.get("type") == "content_block_start":
            made[event["index"]] = {**event["content_block"], "json": ""}
        elif event.get("type") == "content_block_delta":
            block, delta = made[event["index"]], event["delta"]
            block["json"] += delta.get("partial_json", "")
            block["text"] = block.get("text", "") + delta.get("text", "")
    return list(made.values())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", None), ("eos", "stop"), ("end_turn", "stop"), ("MAX_TOKENS", "length"), ("sensitive", "content_filter"),
        ("guardrail_intervened", "content_filter"), ("error", None), ("network_error", None), ("malformed_function_call", None),
        ("something_new", "stop"), ("stop", "stop"), ("length", "length"), (None, None),
    ],
)  # fmt: skip
def test_a_stream_ends_in_a_word_of_openais_own(given: str | None, told: str | None) -> None:
    """pydantic/pydantic-ai#2844, #7816, #7678; BerriAI/litellm#21348, #20732: another loses the whole answer."""
    assert passed(sse(chunk({"content": "a"}, given)))[0]["choices"][0]["finish_reason"] == told


def test_a_chunk_has_what_strict_clients_insist_on() -> None:
    """NVIDIA/TensorRT-Edge-LLM#93, spring-projects/spring-ai#6928, microsoft/foundry-local#31."""
    for given in (
        {"choices": [{"delta": {"content": "a"}}]},
        {
            "id": "",
            "object": "chat.completion",
            "created": None,
            "model": None,
            "choices": [{"delta": {"content": "a"}}],
        },
        {"id": "x", "created": 1.5, "choices": [{"index": None, "message": {"content": "a"}}]},
    ):
        (told,) = passed(sse(given))
        assert (told["id"], told["object"], told["created"]) == ("gen_1", "chat.completion.chunk", 7)
        assert (told["choices"][0]["index"], told["choices"][0]["delta"]) == (0, {"content": "a"})
    assert passed(sse(None, chunk({"content": "a"}), None)) == [{**chunk({"content": "a"}), "id": "gen_1"}]


SNAPSHOTS = (
    ('{"a":', '{"a":1', '{"a":1}'), ('{"a":1}', '{"a":1}'), ("{", '{"a":1}', "", '{"a":1}'), ('{"a"', ":1", "}", '{"a":1}'),
    ('{"a":1}',), ('{"a"', ":", "1}"),
)  # fmt: skip


@pytest.mark.parametrize("pieces", SNAPSHOTS)
def test_arguments_that_are_sent_again_from_their_beginning_are_told_once(pieces: tuple[str, ...]) -> None:
    """saberjack/SHTUCodeProxy#1 (snapshots), sgl-project/sglang#32167 (the whole once more in the last piece)."""
    body = sse(call(id="c", name="f"), *(call(arguments=p) for p in pieces), chunk(finish="tool_calls"))
    told = [c["choices"][0]["delta"].get("tool_calls", [{}])[0].get("function", {}) for c in passed(body)]
    assert "".join(f.get("arguments", "") for f in told) == '{"a":1}'
    assert [b["json"] for b in blocks(body)] == ['{"a":1}']


def test_an_object_inside_an_object_is_no_repetition() -> None:
    calls, said = Calls(), ""
    for piece in ('{"properties":', "{", '"properties":', "{}", "}", "}"):
        made = calls.piece(0, "c", "f", piece)
        said += made.arguments if made else ""
    assert said == '{"properties":{"properties":{}}}'


NESTED = (
    (('{"node":', '{"node":{"x":1}}}'), '{"node":{"node":{"x":1}}}'), (('{"a":', '{"a":1}', "}"), '{"a":{"a":1}}'),
    (('{"a":', '{"a":', "1", "}}"), '{"a":{"a":1}}'), (('{"a":', '{"a":1', "}}"), '{"a":{"a":1}}'),
    (('{"a":', '{"a":1}', ',"b":[2]}'), '{"a":{"a":1},"b":[2]}'), (('{"a":[', '{"a":[1]}', "]}"), '{"a":[{"a":[1]}]}'),
    (('{"a":', '{"a":1}', "}", '{"a":{"a":1}}'), '{"a":{"a":1}}'), (('{"a":', '{"a":1}'), '{"a":1}'),
)  # fmt: skip


@pytest.mark.parametrize(("pieces", "meant"), NESTED)
@pytest.mark.parametrize("finish", ["tool_calls", None])
def test_an_object_that_begins_as_the_one_round_it_keeps_both_levels(
    pieces: tuple[str, ...], meant: str, finish: str | None
) -> None:
    body = sse(call(id="c", name="f"), *(call(arguments=p) for p in pieces), chunk(finish=finish))
    through = Passthrough(SHAPE)
    out = through.feed(body)[0] + through.end(None, {})
    chunks = [json.loads(part[6:]) for part in out.decode().split("\n\n") if part and "[DONE]" not in part]
    calls = [c for one in chunks for c in one["choices"][0]["delta"].get("tool_calls") or ()]
    assert "".join(c["function"]["arguments"] for c in calls) == meant
    assert {c["index"] for c in calls} == {0}
    assert [b["json"] for b in blocks(body)] == [meant]


def test_words_between_the_pieces_of_a_call_do_not_tear_it_apart() -> None:
    """A block of Anthropic's can't be gone on with: the rest of the call stood in one without id and name."""
    torn = sse(
        call(arguments='{"a"', id="c", name="f"), chunk({"content": "mid"}), chunk({"reasoning_content": "hm"}),
        call(arguments=":1}"), chunk({"content": "dle"}), chunk(finish="tool_calls"),
    )  # fmt: skip
    found = blocks(torn)
    assert [(b["type"], b.get("id"), b["json"]) for b in found[:1]] == [("tool_use", "c", '{"a":1}')]
    assert "".join(b["text"] for b in found if b["type"] == "text") == "middle"
    behind = sse(
        call(arguments='{"a":1}', id="c", name="f"), chunk({"content": "now"}), chunk({"content": " this"})
    )
    encoder = Messages(SHAPE)
    assert b"now" in encoder.feed(Decoder().feed(behind))  # what follows a whole call need not wait


def shown(*events: Event) -> list[tuple[str, str, str]]:
    """(kind, id and name, text or arguments) of the blocks that a client of Anthropic's gets."""
    encoder, found = Messages(SHAPE), dict[int, list[str]]()
    for part in (encoder.feed(events) + encoder.end(Finish.STOP, None, {})).decode().split("\n\n"):
        event = json.loads(part.partition("data: ")[2] or "{}")
        if block := event.get("content_block"):
            found[event["index"]] = [block["type"], block.get("id", "") + block.get("name", ""), ""]
        elif delta := event["type"] == "content_block_delta" and event["delta"] if event else None:
            found[event["index"]][2] += delta.get("partial_json", "") + delta.get("text", "")
    return [(kind, name, said) for kind, name, said in found.values()]


def test_calls_that_overlap_round_words_keep_their_names_and_arguments() -> None:
    first, second = ToolCallDelta(0, "a", "f", '{"x":'), ToolCallDelta(1, "b", "g", '{"y":')
    rest, more = ToolCallDelta(0, arguments="1}"), ToolCallDelta(1, arguments="2}")
    assert sorted(shown(first, second, rest, TextDelta("T"), more)) == [
        ("text", "", "T"),
        ("tool_use", "af", '{"x":1}'),
        ("tool_use", "bg", '{"y":2}'),
    ]
    assert shown(first, rest, TextDelta("T"), ToolCallDelta(0, arguments="\n")) == [
        ("tool_use", "af", '{"x":1}'),
        ("text", "", "T"),
    ]


def test_words_behind_a_call_without_arguments_need_not_wait_and_do_not_tear_it() -> None:
    empty = ToolCallDelta(0, "a", "f")
    encoder = Messages(SHAPE)
    assert b"now" in encoder.feed([empty, TextDelta("now")])
    assert shown(empty, TextDelta("now")) == [("text", "", "now"), ("tool_use", "af", "")]
    late = ToolCallDelta(0, arguments='{"x":1}')
    assert shown(empty, TextDelta("now"), late) == [("text", "", "now"), ("tool_use", "af", '{"x":1}')]


@pytest.mark.parametrize(
    "given",
    [
        {"error": "boom"}, {"error": {"message": "boom", "code": 400}}, {"object": "error", "message": "boom", "code": 400},
        {"detail": "boom"}, {"code": 1113, "msg": "boom"},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "boom"}}]},
    ],
)  # fmt: skip
def test_an_error_in_any_of_its_forms_is_told_in_its_words(given: dict[str, Any]) -> None:
    found: list[Event] = Decoder().feed(sse(given))
    assert [e.error.message for e in found if isinstance(e, StreamError)] == ["boom"]
    assert not passed(sse(given))


def test_a_stream_is_read_where_a_whole_answer_was_asked_for() -> None:
    """BYK/loreai#605, Wei-Shaw/sub2api#2826, openclaw/openclaw#96497: servers that stream whatever they are asked for."""
    codec = OpenAICodec()
    body = b": hello\n\n" + sse(
        chunk({"reasoning_content": "hm"}), chunk({"content": "he"}), chunk({"content": "llo"}),
        call(id="c", name="f", arguments='{"a":1}'), chunk(finish="tool_calls", **TAIL),
    )  # fmt: skip
    reply = codec.parse_reply(body)
    assert (reply.text, reply.finish, reply.usage and reply.usage.total_tokens) == (
        "hello",
        Finish.TOOL_CALLS,
        8,
    )
    assert codec.fast is not None
    told = json.loads(codec.fast.reply(body, SHAPE, reply.usage, {}))
    message = told["choices"][0]["message"]
    assert (message["content"], message["tool_calls"][0]["function"]["arguments"]) == ("hello", '{"a":1}')
    with pytest.raises(UpstreamFailure, match="boom"):
        codec.parse_reply(sse({"error": "boom"}))


def cut(body: bytes) -> bytes:
    return body.removesuffix(b"data: [DONE]\n\n")


def test_half_an_answer_that_came_as_a_stream_is_no_answer() -> None:
    codec = OpenAICodec()
    half = sse(chunk({"content": "hel"}))
    for body in (cut(half), b"event: response.created\ndata: {}\n\n"):
        with pytest.raises(UpstreamFailure, match="cut short"):
            codec.parse_reply(body)
    with pytest.raises(UpstreamFailure, match="cut short"):
        ResponsesCodec().parse_reply(
            b'data: {"type":"response.output_text.delta","output_index":0,"delta":"hel"}\n\n'
        )
    assert codec.parse_reply(half).finish == Finish.STOP  # the provider says itself that this is the end
    assert codec.parse_reply(cut(sse(chunk({"content": "a"}, "stop")))).text == "a"


def test_every_choice_and_picture_of_a_streamed_answer_is_told() -> None:
    codec, second = OpenAICodec(), chunk({"content": "two"}, "length")
    second["choices"][0]["index"] = 1
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    body = sse(second, chunk({"content": "one", "images": [picture]}), chunk(finish="stop", **TAIL))
    reply = codec.parse_reply(body)
    assert [type(part) for part in reply.parts] == [TextPart, ImagePart]
    assert codec.fast is not None
    told = json.loads(codec.fast.reply(body, SHAPE, reply.usage, {}))
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in told["choices"]] == [
        (0, "one", "stop"),
        (1, "two", "length"),
    ]
    assert told["choices"][0]["message"]["images"][0]["image_url"]["url"] == picture["image_url"]["url"]
    assert told["usage"]["total_tokens"] == 8
    second["choices"][0]["finish_reason"] = None
    with pytest.raises(UpstreamFailure, match="cut short"):
        codec.parse_reply(cut(sse(second, chunk({"content": "one"}, "stop"))))


def test_a_whole_answer_ends_in_a_word_of_openais_own() -> None:
    codec = OpenAICodec()
    assert codec.fast is not None
    for given, told in (("", "stop"), ("eos", "stop"), ("guardrail_intervened", "content_filter")):
        body = json.dumps({"choices": [{"message": {"content": "a"}, "finish_reason": given}]}).encode()
        choice = json.loads(codec.fast.reply(body, SHAPE, None, {}))["choices"][0]
        assert (choice["finish_reason"], choice["index"]) == (told, 0)

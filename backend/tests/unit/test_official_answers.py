"""What our clients get is what their own SDK reads: a field of the wrong type or one that is missing breaks them, not us."""

import json
from typing import Any

import ollama._types as ollama_types
import pytest
from anthropic.types import Message as ClaudeMessage
from anthropic.types import RawMessageStreamEvent
from google.genai import types as google
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs, embeddings
from agent_marketplace.wires.base import (
    Event,
    Finish,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)

CODECS = codecs()
PLAIN: dict[str, Any] = {
    "openai": ChatCompletion,
    "anthropic": ClaudeMessage,
    "gemini": google.GenerateContentResponse,
    "ollama": ollama_types.ChatResponse,
}
STREAMED: dict[str, Any] = {**PLAIN, "openai": ChatCompletionChunk, "anthropic": RawMessageStreamEvent}
SHAPE = Shape(id="gen_1", model="m", created=1_790_000_000, include_usage=True)
USAGE = Usage(input=5, output=7, reasoning=3, cache_read=2)
COST: dict[str, Any] = {}
ANSWERS: list[tuple[tuple[Part, ...], Finish, Usage | None]] = [
    ((TextPart("hi"),), Finish.STOP, USAGE),
    ((TextPart(""),), Finish.LENGTH, None),
    ((ReasoningPart("hm", "anthropic#c2ln"), TextPart("hi")), Finish.STOP, USAGE),
    ((TextPart("so"), ToolCallPart("c1", "look", "{}"), ToolCallPart("c2", "look", '{"a":1}')), Finish.TOOL_CALLS, USAGE),
    ((), Finish.CONTENT_FILTER, USAGE),
]  # fmt: skip


def events(parts: tuple[Part, ...]) -> list[Event]:
    out: list[Event] = []
    for number, part in enumerate(parts):
        if isinstance(part, TextPart) and part.text:
            out.append(TextDelta(part.text))
        elif isinstance(part, ReasoningPart):
            out += [ReasoningDelta(part.text), ReasoningDelta(signature=part.signature)]
        elif isinstance(part, ToolCallPart):
            out += [
                ToolCallDelta(number, part.id, part.name),
                ToolCallDelta(number, arguments=part.arguments),
            ]
    return out


def documents(body: bytes) -> list[Any]:
    lines = body.decode().replace("\r\n", "\n").split("\n")
    texts = [line.removeprefix("data: ") for line in lines if line.startswith(("data: ", "{"))]
    return [json.loads(text) for text in texts if text != "[DONE]"]


@pytest.mark.parametrize("wire", sorted(PLAIN))
@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_a_whole_answer_is_one_that_the_clients_own_sdk_reads(wire: str, number: int) -> None:
    parts, finish, usage = ANSWERS[number]
    body = CODECS[wire].render_reply(Reply(parts=parts, finish=finish, usage=usage), SHAPE, COST)
    TypeAdapter(PLAIN[wire]).validate_python(json.loads(body), strict=False)


@pytest.mark.parametrize("wire", sorted(STREAMED))
@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_every_event_of_a_stream_is_one_that_the_clients_own_sdk_reads(wire: str, number: int) -> None:
    parts, finish, usage = ANSWERS[number]
    encoder = CODECS[wire].encoder(SHAPE)
    body = encoder.start() + encoder.feed(events(parts)) + encoder.end(finish, usage, COST)
    judge = TypeAdapter(STREAMED[wire])
    seen = documents(body)
    assert seen
    for event in seen:
        judge.validate_python(event)


@pytest.mark.parametrize("wire", sorted(PLAIN))
def test_a_judge_of_answers_sees_what_is_wrong(wire: str) -> None:
    body = CODECS[wire].render_reply(
        Reply(parts=(TextPart("x"),), finish=Finish.STOP, usage=USAGE), SHAPE, COST
    )
    wrong = json.loads(body) | {"choices": 3, "content": 3, "candidates": 3, "message": 3}
    with pytest.raises(ValueError, match="validation error"):
        TypeAdapter(PLAIN[wire]).validate_python(wrong)


@pytest.mark.parametrize("vector", [[0.25, -0.5], "AACAPgAAAL8="])
@pytest.mark.parametrize("base64", [False, True])
def test_vectors_come_in_the_form_that_was_asked_for(vector: Any, base64: bool) -> None:
    body = json.loads(
        embeddings.render_reply(embeddings.EmbeddingReply(vectors=(vector,)), "m", COST, base64=base64)
    )
    assert body["data"][0]["embedding"] == ("AACAPgAAAL8=" if base64 else [0.25, -0.5])
    if not base64:
        CreateEmbeddingResponse.model_validate(body)

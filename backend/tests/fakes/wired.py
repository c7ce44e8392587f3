"""A call that says everything the wires share, and its ways through every codec."""

import json
from typing import Any

from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    Finish,
    Finished,
    ImagePart,
    Malformed,
    Message,
    Part,
    ReasoningDelta,
    Shape,
    StreamError,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UsageSeen,
)

CODECS = codecs()
FULL = ["openai", "responses", "anthropic", "gemini", "ollama"]
ALL = [*FULL, "huggingface"]
SHAPE = Shape(id="gen_1", model="house-model", created=1_790_000_000, include_usage=True)
USAGE = Usage(input=10, output=5)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CALL = Call(
    model="house-model",
    messages=(
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("What is this?"), ImagePart(media_type="image/png", data=PNG))),
        Message(
            "assistant", (TextPart("Let me look."), ToolCallPart("call_1_look", "look", '{"city":"Paris"}'))
        ),
        Message("tool", (ToolResultPart("call_1_look", '{"seen":"a cat"}', "look"),)),
        Message("user", (TextPart("And now?"),)),
    ),
    max_tokens=2000,
    temperature=0.5,
    stop=("END",),
    tools=(Tool("look", "Looks", SCHEMA),),
    tool_choice="auto",
)


def through(wire: str, call: Call, *, stream: bool = False) -> Call:
    """The call as that wire's own reader understands what its writer sent."""
    codec = CODECS[wire]
    sent = codec.build_request(call, "house-model", stream=stream)
    return codec.parse_request(sent.body, model="house-model")


def texts(call: Call) -> list[str]:
    return [p.text for m in call.messages for p in m.parts if isinstance(p, TextPart)]


def kinds(call: Call, kind: type[Part]) -> list[Any]:
    return [p for m in call.messages for p in m.parts if isinstance(p, kind)]


def encode(wire: str, events: list[Event], finish: Finish) -> bytes:
    encoder = CODECS[wire].encoder(SHAPE)
    out = encoder.start()
    for event in events:
        out += encoder.feed([event]) + CODECS[wire].keep_alive()
    return out + encoder.end(finish, USAGE, {})


def decode(wire: str, data: bytes, size: int) -> list[Event]:
    decoder = CODECS[wire].decoder()
    events: list[Event] = []
    for i in range(0, len(data), size):
        events += decoder.feed(data[i : i + size])
    return events + decoder.close()


def comparable(events: list[Event]) -> list[Any]:
    """Errors by what they say: two exceptions are never equal."""
    return [
        (type(e.error), e.error.status, e.error.code, str(e.error)) if isinstance(e, StreamError) else e
        for e in events
    ]


def summary(events: list[Event]) -> dict[str, Any]:
    calls: dict[int, list[str]] = {}
    for e in events:
        if isinstance(e, ToolCallDelta):
            call = calls.setdefault(e.index, ["", "", ""])
            for i, piece in enumerate((e.id, e.name, e.arguments)):
                call[i] += piece
    usages = [e.usage for e in events if isinstance(e, UsageSeen)]
    return {
        "text": "".join(e.text for e in events if isinstance(e, TextDelta)),
        "thinking": "".join(e.text for e in events if isinstance(e, ReasoningDelta)),
        "calls": [(c[0], c[1], json.loads(c[2])) for _, c in sorted(calls.items())],
        "finish": [e.reason for e in events if isinstance(e, Finished)],
        "usage": usages[-1] if usages else None,
        "done": sum(isinstance(e, Done) for e in events),
        "bad": sum(isinstance(e, Malformed | StreamError) for e in events),
    }

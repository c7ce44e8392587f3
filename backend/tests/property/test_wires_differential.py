"""Every client's wire against every provider's: the same conversation arrives the same; and bytes cut anywhere read the same."""

import itertools
import json
import os
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.usage import Usage
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import (
    Call,
    Event,
    Finish,
    Finished,
    ImagePart,
    Message,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UsageSeen,
)

CODECS = codecs()
CLIENTS = ("openai", "responses", "anthropic", "gemini", "ollama")
PROVIDERS = CLIENTS
PAIRS = [(c, p) for c in CLIENTS for p in PROVIDERS]
SPLITS = int(os.environ.get("WIRES_SPLITS", "200000"))  # a million by hand
SHAPE = Shape(id="gen_1", model="house-model", created=1_790_000_000, include_usage=True)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30
).filter(str.strip)
plain_json = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(st.sampled_from(["city", "unit", "größe"]), plain_json, max_size=3)


@st.composite
def conversations(draw: st.DrawFn) -> Call:
    """A conversation that every wire can say: text, images, tool calls with their results, structured output, reasoning."""
    messages = [Message("system", (TextPart(draw(words)),))] if draw(st.booleans()) else []
    tools: tuple[Tool, ...] = ()
    for turn in range(draw(st.integers(1, 3))):
        parts: list[Part] = [TextPart(draw(words))]
        if draw(st.booleans()):
            parts.append(ImagePart(media_type="image/png", data=PNG))
        messages.append(Message("user", tuple(parts)))
        if draw(st.booleans()):
            tools = (Tool("look", "Looks", {"type": "object", "properties": {"city": {"type": "string"}}}),)
            made = [f"call_{turn}_{i}" for i in range(draw(st.integers(1, 2)))]
            calls = tuple(ToolCallPart(n, "look", json.dumps(draw(arguments))) for n in made)
            said = (TextPart(draw(words)),) if draw(st.booleans()) else ()
            messages.append(Message("assistant", (*said, *calls)))
            messages += [
                Message("tool", (ToolResultPart(n, json.dumps({"seen": draw(words)}), "look"),)) for n in made
            ]
        else:
            messages.append(Message("assistant", (TextPart(draw(words)),)))
    messages.append(Message("user", (TextPart(draw(words)),)))
    structured = not tools and draw(st.booleans())
    return Call(
        model="house-model",
        messages=tuple(messages),
        max_tokens=draw(st.integers(3000, 50_000)),
        temperature=draw(st.sampled_from([None, 0.5, 1.0])),
        tools=tools,
        response_format="json_schema" if structured else None,
        response_schema={
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "additionalProperties": False,
        }
        if structured
        else None,
        reasoning_effort=draw(st.sampled_from([None, "high"])),
    )


def said(call: Call) -> dict[str, Any]:
    """What a call says, in a form that does not depend on the wire: ids become the order in which calls were made."""
    numbers: dict[str, int] = {}
    turns: list[tuple[str, list[Any]]] = []
    for message in call.messages:
        parts: list[Any] = []
        for part in message.parts:
            match part:
                case TextPart():
                    parts.append(("text", part.text))
                case ImagePart():
                    parts.append(("image", part.media_type, part.data))
                case ToolCallPart():
                    parts.append(
                        (
                            "call",
                            numbers.setdefault(part.id, len(numbers)),
                            part.name,
                            json.loads(part.arguments),
                        )
                    )
                case ToolResultPart():
                    parts.append(("result", numbers[part.call_id], json.loads(part.content)))
        role = "user" if message.role == "tool" else message.role
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(parts)
        else:
            turns.append((role, parts))
    return {
        "turns": turns,
        "max_tokens": call.max_tokens,
        "tools": [(t.name, t.description, t.parameters.get("properties")) for t in call.tools],
        "format": (call.response_format, call.response_schema),
        "reasons": call.reasoning_effort not in (None, "none") or call.reasoning_max_tokens is not None,
    }


def across(wire: str, call: Call) -> Call:
    """The call, written in a wire and read again."""
    sent = CODECS[wire].build_request(call, "house-model", stream=False)
    return CODECS[wire].parse_request(sent.body, model="house-model")


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_conversation_reaches_any_provider_the_same_from_any_client(client: str, provider: str) -> None:
    @given(conversations())
    @settings(max_examples=25)
    def check(call: Call) -> None:
        from_client = across(client, call)
        assert from_client.wire == client
        assert said(from_client) == said(call)
        assert said(across(provider, from_client)) == said(call)

    check()


ANSWERS: dict[str, Reply] = {
    "text": Reply(
        parts=(TextPart('Hé "日本" \u2028\n'),), finish=Finish.STOP, usage=Usage(input=10, output=5)
    ),
    "cut": Reply(parts=(TextPart("Hello"),), finish=Finish.LENGTH, usage=Usage(input=10, output=5)),
    "tools": Reply(
        parts=(
            TextPart("Look"),
            ToolCallPart("call_1_look", "look", '{"city":"Paris"}'),
            ToolCallPart("call_2_look", "look", '{"city":"Rome","n":[1,2]}'),
        ),
        finish=Finish.TOOL_CALLS,
        usage=Usage(input=10, output=5),
    ),
    "thinking": Reply(
        parts=(ReasoningPart("Hm"), TextPart("Yes")), finish=Finish.STOP, usage=Usage(input=10, output=5)
    ),
}


def answered(reply: Reply) -> dict[str, Any]:
    """What an answer says."""
    return {
        "text": reply.text,
        "thinking": "".join(p.text for p in reply.parts if isinstance(p, ReasoningPart)),
        "calls": [(p.name, json.loads(p.arguments)) for p in reply.parts if isinstance(p, ToolCallPart)],
        "finish": reply.finish,
        "usage": reply.usage,
    }


def events_of(reply: Reply) -> list[Event]:
    """The answer as a stream of small pieces."""
    out: list[Event] = []
    index = 0
    for part in reply.parts:
        if isinstance(part, TextPart):
            out += [TextDelta(part.text[i : i + 2]) for i in range(0, len(part.text), 2)]
        elif isinstance(part, ReasoningPart):
            out.append(ReasoningDelta(part.text))
        elif isinstance(part, ToolCallPart):
            out.append(ToolCallDelta(index, part.id, part.name))
            out += [
                ToolCallDelta(index, arguments=part.arguments[i : i + 5])
                for i in range(0, len(part.arguments), 5)
            ]
            index += 1
    return out


def streamed(wire: str, events: list[Event], finish: Finish, usage: Usage | None) -> bytes:
    """A client's stream of that wire."""
    encoder = CODECS[wire].encoder(SHAPE)
    return encoder.start() + b"".join(encoder.feed([e]) for e in events) + encoder.end(finish, usage, {})


def gathered(events: list[Event]) -> dict[str, Any]:
    """What a stream said, in the form of `answered`."""
    calls: dict[int, list[str]] = {}
    for e in events:
        if isinstance(e, ToolCallDelta):
            call = calls.setdefault(e.index, ["", ""])
            call[0] += e.name
            call[1] += e.arguments
    return {
        "text": "".join(e.text for e in events if isinstance(e, TextDelta)),
        "thinking": "".join(e.text for e in events if isinstance(e, ReasoningDelta)),
        "calls": [(name, json.loads(text)) for _, (name, text) in sorted(calls.items())],
        "finish": next((e.reason for e in events if isinstance(e, Finished)), None),
        "usage": next((e.usage for e in reversed(events) if isinstance(e, UsageSeen)), None),
    }


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_an_answer_reaches_any_client_the_same_from_any_provider(
    client: str, provider: str, kind: str
) -> None:
    meant, one, other = ANSWERS[kind], CODECS[provider], CODECS[client]
    read = one.parse_reply(one.render_reply(meant, SHAPE, {}))
    again = other.parse_reply(other.render_reply(read, SHAPE, {}))
    assert answered(read) == answered(again) == answered(meant)
    decoder = one.decoder()
    events = (
        decoder.feed(streamed(provider, events_of(meant), Finish(meant.finish or ""), meant.usage))
        + decoder.close()
    )
    found = gathered(events)
    passed: list[Event] = [e for e in events if isinstance(e, TextDelta | ReasoningDelta | ToolCallDelta)]
    decoder = other.decoder()
    last = decoder.feed(streamed(client, passed, found["finish"], found["usage"])) + decoder.close()
    assert found == gathered(last) == answered(meant)


def test_no_cut_of_the_bytes_changes_what_a_stream_says() -> None:
    chance = random.Random(7)
    bodies = []
    for wire, kind in itertools.product((*CLIENTS, "huggingface"), ANSWERS):
        reply = ANSWERS[kind]
        if wire == "huggingface" and kind in ("tools", "thinking"):
            continue
        body = streamed(wire, events_of(reply), Finish(reply.finish or ""), reply.usage)
        decoder = CODECS[wire].decoder()
        whole = decoder.feed(body) + decoder.close()
        assert gathered(whole) == answered(reply)
        bodies.append((wire, body, whole))
    done = 0
    while done < SPLITS:
        wire, body, whole = chance.choice(bodies)
        decoder = CODECS[wire].decoder()
        events: list[Event] = []
        last = 0
        for at in sorted(chance.choices(range(len(body) + 1), k=chance.choice((1, 3, 20, 200)))):
            events += decoder.feed(body[last:at])
            last = at
            done += 1
        assert events + decoder.feed(body[last:]) + decoder.close() == whole, (wire, done)

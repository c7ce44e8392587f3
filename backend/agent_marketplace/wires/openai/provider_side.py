"""OpenAI chat completions towards providers: the request out, their answer, stream and errors in."""

from collections.abc import Sequence
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import (
    Call,
    Cited,
    Done,
    Event,
    FailureClass,
    Finished,
    ImagePart,
    Malformed,
    Message,
    OpaquePart,
    OutboundCall,
    Part,
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
    UsageSeen,
)
from agent_marketplace.wires.openai import details
from agent_marketplace.wires.openai.chunk import (
    Choice,
    Chunk,
    DeltaFunction,
    arguments_text,
    called,
    decode_chunk,
    finish_of,
    texts,
)
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.shared import (
    allowed,
    caching,
    citing,
    failures,
    freeform,
    meant,
    pictures,
    reported,
    signatures,
)
from agent_marketplace.wires.shared.called import Calls, call_id
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.shared.gathering import thoughts
from agent_marketplace.wires.shared.media import type_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser


def build_request(call: Call, upstream_model: str, *, stream: bool, dialect: Dialect) -> OutboundCall:
    """The provider's body. Raises UpstreamFailure(UNSUPPORTED)."""
    body: dict[str, Any] = {
        "model": upstream_model,
        "messages": [m for x in call.messages for m in _messages(x, call)],
    }
    if "gemini" in upstream_model and call.manner.reasoning_field != details.FIELD:
        _signed(body["messages"], call)
    if call.manner.prefix and body["messages"] and body["messages"][-1]["role"] == "assistant":
        body["messages"][-1]["prefix"] = True
    dropped: list[str] = []
    call = _shown(call)
    optional = {
        call.manner.max_tokens_field or dialect.max_tokens_field: call.max_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "top_k": call.top_k,
        "stop": list(call.stop) or None,
        "seed": call.seed,
        "frequency_penalty": call.frequency_penalty,
        "presence_penalty": call.presence_penalty,
        "parallel_tool_calls": call.parallel_tool_calls if call.tools else None,
        "user": call.user,
        **_thinking(call),
    }
    mark = caching.written(call.cache)
    for name, value in (*call.extra.items(), *mark.items()):
        own = call.wire == "openai" or (name == "modalities" and call.wire == "gemini")
        if own and (dialect.accepts is None or name in dialect.accepts):
            optional[name] = value
        else:
            dropped.append(name)
    for name, value in optional.items():
        if value is None:
            continue
        if name in dialect.refuses:
            dropped.append(name)
        else:
            body[dialect.renames.get(name, name)] = value
    meant.check_call(call, dropped)
    body |= _tools(call) | _format(call)
    if stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True}
    return OutboundCall(path=dialect.path, body=json.encode(body), dropped=tuple(dropped))


def _shown(call: Call) -> Call:
    """Pictures that a client of Google's asks for (`responseModalities`), as OpenRouter is asked for them."""
    config = call.extra.get("generationConfig") if call.wire == "gemini" else None
    asked = pictures.modalities(config.get("responseModalities")) if isinstance(config, dict) else []
    if not asked or not isinstance(config, dict):
        return call
    left = {k: v for k, v in config.items() if k != "responseModalities"}
    extra = {k: v for k, v in call.extra.items() if k != "generationConfig"}
    return msgspec.structs.replace(
        call, extra={**extra, **({"generationConfig": left} if left else {}), "modalities": asked}
    )


def _thinking(call: Call) -> dict[str, Any]:
    """How hard to think, in the provider's words: an effort, a switch, or both."""
    effort = call.reasoning_effort or effort_of(call.reasoning_max_tokens)
    manner = call.manner.effort_as
    if effort is None or manner == "effort":
        return {"reasoning_effort": effort}
    switch = {"thinking": {"type": "disabled" if effort == "none" else "enabled"}}
    return switch | ({"reasoning_effort": effort} if manner == "both" and effort != "none" else {})


def _tools(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {}
    body: dict[str, Any] = {"tools": [_tool(t, call) for t in call.tools]}
    choice = call.tool_choice
    if call.allowed_tools and (among := allowed.offered(call)):
        named = [{"type": "function", "function": {"name": t.name}} for t in among if t.native is None]
        inner = {"mode": choice or "auto", "tools": named}
        body["tool_choice"] = {"type": allowed.KIND, allowed.KIND: inner}
    elif choice in ("auto", "none", "required"):
        body["tool_choice"] = choice
    elif choice is not None:
        body["tool_choice"] = {"type": "function", "function": {"name": choice}}
    return body


def _tool(tool: Tool, call: Call) -> dict[str, Any]:
    if tool.native is not None:
        if call.wire != "openai":
            raise failures.unsupported(f"The tool {tool.name} exists only at the provider it was written for")
        return dict(tool.native)
    extra = tool.extra if call.wire == "openai" else {}
    function: dict[str, Any] = {
        **extra.get("function", {}),
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {**extra, "type": "function", "function": function}


def _format(call: Call) -> dict[str, Any]:
    if call.response_format == "json_object":
        return {"response_format": {"type": "json_object"}}
    if call.response_format == "json_schema":
        schema: dict[str, Any] = {"name": call.response_schema_name, "schema": call.response_schema or {}}
        schema |= {"strict": call.response_strict} if call.response_strict is not None else {}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {}


def _messages(message: Message, call: Call) -> list[dict[str, Any]]:
    """One canonical turn; tool results become messages of their own, before the rest of their turn."""
    out: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": p.call_id, "content": p.content}
        for p in message.parts
        if isinstance(p, ToolResultPart)
    ]
    rest = [p for p in message.parts if not isinstance(p, ToolResultPart | ReasoningPart)]
    if not rest and (out or message.role == "tool"):
        return out
    calls = [p for p in rest if isinstance(p, ToolCallPart)]
    content = [p for p in rest if not isinstance(p, ToolCallPart)]
    turn: dict[str, Any] = {"role": _role(message), "content": _content(content, call)}
    thinking = "".join(p.text for p in message.parts if isinstance(p, ReasoningPart))
    if message.role == "assistant" and call.manner.reasoning_field == details.FIELD:
        turn |= details.written([p for p in message.parts if isinstance(p, ReasoningPart)], call.wire)
    elif thinking and call.manner.reasoning_field and message.role == "assistant":
        turn[call.manner.reasoning_field] = thinking
    if calls:
        turn["content"] = turn["content"] or None
        turn["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in calls
        ]
    return [*out, turn]


def _signed(turns: list[dict[str, Any]], call: Call) -> None:
    """Gemini's signatures beside the calls that it made, as its OpenAI layer wants them back."""
    kept = {p.id: p.signature for m in call.messages for p in m.parts if isinstance(p, ToolCallPart)}
    for made in (c for turn in turns for c in turn.get("tool_calls") or ()):
        if signature := signatures.own("gemini", kept.get(made["id"], ""), None):
            made["extra_content"] = {"google": {"thought_signature": signature}}


def _role(message: Message) -> str:
    """What a tool's result holds beside its text is said by the user: tool messages are text here."""
    if message.role == "tool":
        return "user"
    return "developer" if message.developer else message.role


def _content(parts: Sequence[Part], call: Call) -> str | list[dict[str, Any]]:
    if all(isinstance(p, TextPart) for p in parts):
        return "".join(p.text for p in parts if isinstance(p, TextPart))
    out: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, TextPart):
            out.append({"type": "text", "text": part.text})
        elif isinstance(part, ImagePart):
            image: dict[str, Any] = {
                "url": part.url or f"data:{type_of(part.media_type, part.data)};base64,{part.data}"
            }
            if part.detail:
                image["detail"] = part.detail
            out.append({"type": "image_url", "image_url": image})
        elif isinstance(part, OpaquePart):
            if call.wire != "openai":
                raise failures.unsupported(f"Content of type {part.kind} cannot be sent to this provider")
            out.append(dict(part.value))
    return out


class Decoder:
    """A provider's stream -> canonical events."""

    def __init__(self) -> None:
        self._parser = SSEParser()
        self._calls = Calls()

    def feed(self, data: bytes) -> list[Event]:
        """Events of the stream items completed by these bytes."""
        return self._read(self._parser.feed(data))

    def close(self) -> list[Event]:
        """Flushes an event whose blank line is missing."""
        return self._read(self._parser.close())

    def _read(self, items: list[SSEEvent]) -> list[Event]:
        events: list[Event] = []
        for item in items:
            read_event(item, events, self._calls)
        return events


def read_event(item: SSEEvent, events: list[Event], calls: Calls) -> Chunk | None:
    """Appends what one stream item says; gives its chunk, None for the end mark and what was not understood."""
    if item.oversized:
        events.append(Malformed("an event larger than the bound"))
        return None
    if item.event == "error":
        events.append(StreamError(failures.as_error(failures.classify_error(0, {}, item.data))))
        return None
    return read_data(item.data, events, calls)


def read_data(data: bytes, events: list[Event], calls: Calls) -> Chunk | None:
    """As `read_event`, of an event without a name."""
    chunk = decode_chunk(data)
    if chunk is None:
        words = data.strip()
        if words == b"[DONE]":
            events += (*calls.closed(), Done())
        elif words:
            events.append(Malformed("an event that is no chunk"))
        return None
    if (problem := chunk.problem) is not None:
        events.append(StreamError(failures.as_error(failures.error_of(problem, 0, {}))))
        return None
    for choice in chunk.choices or ():
        if choice.index in (0, None):
            read_choice(choice, events, calls)
            if choice.finish_reason and (
                pages := citing.from_perplexity(chunk.search_results, chunk.citations)
            ):
                events.insert(-1, Cited(tuple(pages)))
    if chunk.usage is not None:
        _read_usage(chunk.usage, events)
    elif isinstance(chunk.x_groq, dict):
        _read_usage(chunk.x_groq.get("usage"), events)
    return chunk


def read_choice(choice: Choice, events: list[Event], calls: Calls) -> None:
    """Appends what a chunk says of one choice."""
    delta = choice.delta or choice.message
    if delta is not None:
        text, thinking = (delta.content, "") if isinstance(delta.content, str) else texts(delta.content)
        thinking = thinking or delta.reasoning_content or delta.reasoning or ""
        if thinking or delta.reasoning_details:  # most chunks have neither
            events += details.read(delta.reasoning_details, thinking)
        if text := text or delta.refusal or "":
            events.append(TextDelta(text))
        if delta.images:
            events += pictures.from_openai(delta.images)
        if delta.annotations and (cited := citing.from_openai(delta.annotations)):
            events.append(Cited(tuple(cited)))
        for call in called(delta):
            function = call.function or DeltaFunction()
            if (custom := call.custom) is not None:
                piece = calls.text(call.index, call.id or "", custom.name or "", custom.input or "")
            else:
                piece = calls.piece(
                    call.index, call.id or "", function.name or "", arguments_text(function.arguments)
                )
            if piece is not None:
                events.append(msgspec.structs.replace(piece, signature=call.signature))
            elif call.signature and (number := calls.number(call.index)) is not None:
                events.append(ToolCallDelta(number, signature=call.signature))
    if choice.finish_reason:
        events += calls.closed()
        events.append(Finished(finish_of(choice.finish_reason), choice.finish_reason))


def _read_usage(usage: Any, events: list[Event]) -> None:
    try:
        seen = reported.from_openai(usage)
    except reported.UsageRefused as e:
        events.append(Malformed(f"usage refused: {e}"))
        return
    if seen is not None:
        events.append(UsageSeen(seen))


def parse_reply(body: bytes) -> Reply:
    """A whole answer. Raises UpstreamFailure for HTML, nothing, an error object in a 200, an answer without choices."""
    chunk = decode_chunk(body)
    if chunk is None:
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood")
    if (problem := chunk.problem) is not None:
        raise failures.error_of(problem, 200, {})
    if not chunk.choices:
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no choices")
    choice = chunk.choices[0]
    message = choice.message or choice.delta
    if message is None:
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no message")
    text, thinking = texts(message.content)
    parts: list[Part] = []
    said = thinking or message.reasoning_content or message.reasoning or ""
    parts += thoughts(list(details.read(message.reasoning_details, said)))
    if text := text or message.refusal or "":
        parts.append(TextPart(text))
    parts += pictures.from_openai(message.images)
    for number, call in enumerate(called(message)):
        function = call.function or DeltaFunction()
        if (custom := call.custom) is not None:
            text = freeform.wrapped(custom.input or "")
            parts.append(ToolCallPart(call.id or call_id(number, ""), custom.name or "", text, custom=True))
            continue
        name = function.name or ""
        arguments = arguments_text(function.arguments) or "{}"
        parts.append(ToolCallPart(call.id or call_id(number, name), name, arguments, call.signature))
    try:
        usage = reported.from_openai(chunk.usage)
    except reported.UsageRefused:
        usage = None
    native = choice.finish_reason or ""
    return Reply(
        parts=tuple(parts),
        finish=finish_of(native) if native else None,
        native_finish=native,
        usage=usage,
        upstream_id=chunk.id or "",
        upstream_model=chunk.model or "",
        citations=tuple(
            citing.from_openai(message.annotations)
            or citing.from_perplexity(chunk.search_results, chunk.citations)
        ),
    )

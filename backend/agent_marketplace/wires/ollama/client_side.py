"""Ollama's /api/chat and /api/generate towards our clients: their request in, our answer, stream and errors out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Event,
    Finish,
    ImagePart,
    Message,
    Part,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Role,
    Shape,
    StreamEncoder,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.ollama.vocabulary import MORE_OPTIONS, VOCABULARY
from agent_marketplace.wires.shared import fields, pictures
from agent_marketplace.wires.shared.called import arguments_of
from agent_marketplace.wires.shared.media import kind_of
from agent_marketplace.wires.shared.waiting import Waiting


class _Function(msgspec.Struct):
    name: str
    arguments: dict[str, Any] | str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str = ""


class _Message(msgspec.Struct):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[_Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class _Options(msgspec.Struct):
    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


class _Request(msgspec.Struct):
    model: str | None = None
    messages: list[_Message] | None = None
    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None
    stream: bool | None = None
    tools: list[_Call] | None = None
    format: Literal["", "json"] | dict[str, Any] | None = None
    options: _Options | None = None
    think: bool | str | None = None


_request = msgspec.json.Decoder(_Request)
_KNOWN = frozenset(_Request.__struct_fields__)
# Reads as nothing said: Ollama's clients parse every line, so an empty one would break them.
_CHAT_PULSE = b'{"model":"","created_at":"1970-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":false}\n'
_GENERATE_PULSE = b'{"model":"","created_at":"1970-01-01T00:00:00Z","response":"","done":false}\n'


def parse(body: bytes, *, model: str | None, stream: bool | None, generate: bool) -> Call:
    """The canonical call. Raises BadRequest with words that name the field."""
    r = fields.guarded(_request.decode, body)
    raw = fields.raw_fields(body)
    routing, extra = fields.split_fields(raw, _KNOWN)
    extra |= _runners(raw)
    name = model or r.model
    if not name:
        raise BadRequest("model: is missing")
    if generate:
        turns = [_Message("system", r.system)] if r.system else []
        turns.append(_Message("user", r.prompt or "", images=r.images))
    else:
        turns = r.messages or []
    if not turns or (generate and not r.prompt):
        raise BadRequest("prompt: is missing" if generate else "messages: must not be empty")
    o = r.options or _Options()
    think = r.think
    unread, strange = VOCABULARY.found(body)
    return Call(
        model=name,
        messages=tuple(_messages(turns)),
        wire="ollama",
        stream=(r.stream is not False) if stream is None else stream,
        include_usage=True,
        max_tokens=o.num_predict if o.num_predict is not None and o.num_predict > 0 else None,
        temperature=o.temperature,
        top_p=o.top_p,
        top_k=o.top_k,
        stop=(o.stop,) if isinstance(o.stop, str) else tuple(o.stop or ()),
        seed=o.seed,
        frequency_penalty=o.frequency_penalty,
        presence_penalty=o.presence_penalty,
        tools=tuple(
            Tool(t.function.name, t.function.description or "", t.function.parameters or {})
            for t in (r.tools or ())
        ),
        response_format="json_schema"
        if isinstance(r.format, dict)
        else "json_object"
        if r.format == "json"
        else None,
        response_schema=r.format if isinstance(r.format, dict) else None,
        reasoning_effort=None
        if think is None
        else think
        if isinstance(think, str)
        else "medium"
        if think
        else "none",
        routing=routing,
        extra=extra,
        unread=unread,
        strange=strange,
    )


def _runners(raw: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """Options of Ollama's runner, by their places; those of another kind than they should be are `unread`."""
    given = fields.value(raw["options"]) if "options" in raw else None
    return {
        f"options.{name}": value
        for name, value in (given or {}).items()
        if name in MORE_OPTIONS and value is not None and MORE_OPTIONS[name].takes(value)
    }


def _messages(turns: list[_Message]) -> list[Message]:
    """Calls get ids in order; a tool's answer without one belongs to the oldest open call of its name."""
    out: list[Message] = []
    calls = Waiting()
    for i, m in enumerate(turns):
        if m.role == "tool":
            call_id, name = calls.answered(m.tool_name or "", m.tool_call_id or "")
            out.append(Message("tool", (ToolResultPart(call_id, m.content or "", name),)))
            continue
        parts: list[Part] = [ReasoningPart(m.thinking)] if m.thinking else []
        parts += [TextPart(m.content)] if m.content else []
        parts += [_image(data, f"messages[{i}].images[{j}]") for j, data in enumerate(m.images or ())]
        for call in m.tool_calls or ():
            call_id = calls.made(call.function.name, call.id)
            parts.append(ToolCallPart(call_id, call.function.name, _arguments(call.function.arguments)))
        role: Role = m.role
        out.append(Message(role, tuple(parts or [TextPart("")])))
    return out


def _arguments(given: dict[str, Any] | str | None) -> str:
    """As text; OpenAI's clients on this wire send text already."""
    return given if isinstance(given, str) and given else json.encode(given or {}).decode()


def _image(data: str, where: str) -> ImagePart:
    if data.startswith("data:"):
        data = data.partition(";base64,")[2]
    kind = kind_of(data)
    if not kind:
        raise BadRequest(f"{where}: must be a base64 PNG, JPEG, GIF or WebP")
    return ImagePart(media_type=kind, data=data)


def _counts(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    return {"prompt_eval_count": usage.prompt_tokens, "eval_count": usage.completion_tokens}


_DONE = {Finish.LENGTH: "length"}


def _call(name: str, arguments: str) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments_of(ToolCallPart("", name, arguments))}}


class Encoder:
    """Canonical events -> lines. Tool calls leave whole, before the last line."""

    def __init__(self, shape: Shape, *, generate: bool) -> None:
        self._generate = generate
        self._base = {"model": shape.model, "created_at": stamp(shape.created)}
        self._calls: dict[int, list[str]] = {}

    def start(self) -> bytes:
        """Nothing: this wire has no opening."""
        return b""

    def line(self, content: str = "", *, done: bool = False, **more: Any) -> bytes:
        """One line; `more`: thinking and tool_calls of the message, or fields of the last line."""
        said: dict[str, Any] = {k: more.pop(k) for k in ("thinking", "tool_calls") if k in more}
        message: dict[str, Any] = {"role": "assistant", "content": content, **said}
        body: dict[str, Any] = {"response": content, **said} if self._generate else {"message": message}
        return json.encode({**self._base, **body, "done": done, **more}) + b"\n"

    def feed(self, events: Sequence[Event]) -> bytes:
        """One line an event."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, ImagePart):
                out.append(self.line(pictures.in_words(event).text))
            elif isinstance(event, TextDelta):
                out.append(self.line(event.text))
            elif isinstance(event, ReasoningDelta) and event.text:
                out.append(self.line(thinking=event.text))
            elif isinstance(event, ToolCallDelta):
                call = self._calls.setdefault(event.index, ["", ""])
                call[0] += event.name
                call[1] += event.arguments
        return b"".join(out)

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The tool calls' line and the line with `done: true`."""
        calls = [_call(*self._calls[i]) for i in sorted(self._calls)]
        out = self.line(tool_calls=calls) if calls else b""
        return out + self.line(done=True, done_reason=_DONE.get(finish, "stop"), **_counts(usage), **extra)

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """A line with `error`; Ollama's clients raise on it."""
        return error_line(error, request_id) + b"\n"


def stamp(seconds: int) -> str:
    """Unix seconds as Ollama prints times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def error_line(error: MarketplaceError, request_id: str) -> bytes:
    """Ollama's error body: bare words, our stable fields beside them."""
    return json.encode({"error": error.message, "code": error.code, "request_id": request_id, **error.extra})


class Inward:
    """The codec's half that faces our clients. generate: /api/generate instead of /api/chat."""

    content_type_stream = "application/x-ndjson"

    def __init__(self, *, generate: bool = False) -> None:
        self._generate = generate

    @property
    def generates(self) -> bool:
        """Whether it faces clients of /api/generate."""
        return self._generate

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body; it streams unless told not to. Raises BadRequest with words that name the field."""
        return parse(body, model=model, stream=stream, generate=self._generate)

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A whole answer, `done: true`."""
        said: dict[str, Any] = {}
        if thinking := "".join(p.text for p in reply.parts if isinstance(p, ReasoningPart)):
            said["thinking"] = thinking
        if calls := [_call(p.name, p.arguments) for p in reply.parts if isinstance(p, ToolCallPart)]:
            said["tool_calls"] = calls
        done = _DONE.get(reply.finish or Finish.ERROR, "stop")
        encoder = Encoder(shape, generate=self._generate)
        words = [pictures.in_words(p).text for p in reply.parts if isinstance(p, ImagePart)]
        text = "\n".join([reply.text, *words]) if words else reply.text
        return encoder.line(text, done=True, done_reason=done, **said, **_counts(reply.usage), **extra)

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """Ollama's error body."""
        return error_line(error, request_id)

    def encoder(self, shape: Shape) -> StreamEncoder:
        """Lines of JSON."""
        return Encoder(shape, generate=self._generate)

    def keep_alive(self) -> bytes:
        """A line that says nothing."""
        return _GENERATE_PULSE if self._generate else _CHAT_PULSE

"""Anthropic Messages towards our clients: their request in, our answer, stream and errors out."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.anthropic.vocabulary import VOCABULARY
from agent_marketplace.wires.base import (
    Call,
    Event,
    Finish,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    RanTool,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    StreamEncoder,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.shared import caching, fields, pictures
from agent_marketplace.wires.shared.called import arguments_of


class _Message(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[dict[str, Any]]


class _ToolChoice(msgspec.Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None


class _Format(msgspec.Struct):
    type: str
    schema: dict[str, Any] | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None
    format: _Format | None = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    model: str | None = None
    max_tokens: int | None = None
    system: str | list[dict[str, Any]] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: _ToolChoice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    metadata: _Metadata | None = None


_request = msgspec.json.Decoder(_Request)
KNOWN = frozenset(_Request.__struct_fields__)

STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.CONTENT_FILTER: "refusal",
    Finish.ERROR: "end_turn",
}
_NATIVE = frozenset({"stop_sequence", "pause_turn", "model_context_window_exceeded"})


def parse(body: bytes, *, model: str | None, stream: bool | None, counting: bool = False) -> Call:
    """The canonical call. counting: of `count_tokens`, where max_tokens has no place. Raises BadRequest."""
    fields.check_names(body)
    r = fields.guarded(_request.decode, body)
    routing, extra = fields.split_fields(fields.raw_fields(body), KNOWN)
    name = model or r.model
    if not name:
        raise BadRequest("model: is missing")
    if not r.messages:
        raise BadRequest("messages: must not be empty")
    if not counting and (r.max_tokens is None or r.max_tokens < 1):
        raise BadRequest("max_tokens: must be a positive number")
    messages = [] if r.system is None else [Message("system", tuple(_blocks(r.system, "system")))]
    messages += [
        Message(m.role, tuple(_blocks(m.content, f"messages[{i}].content"))) for i, m in enumerate(r.messages)
    ]
    effort, budget = _reasoning(r)
    form = r.output_config.format if r.output_config else None
    choice = r.tool_choice
    unread, strange = VOCABULARY.found(body)
    return Call(
        model=name,
        messages=tuple(messages),
        wire="anthropic",
        stream=bool(r.stream) if stream is None else stream,
        include_usage=True,
        max_tokens=r.max_tokens,
        temperature=r.temperature,
        top_p=r.top_p,
        top_k=r.top_k,
        stop=tuple(r.stop_sequences or ()),
        tools=tuple(_tool(t, f"tools[{i}]") for i, t in enumerate(r.tools or ())),
        adaptive=r.thinking is not None and r.thinking.type == "adaptive",
        tool_choice=None
        if choice is None
        else {"any": "required", "tool": choice.name or ""}.get(choice.type, choice.type),
        parallel_tool_calls=False if choice and choice.disable_parallel_tool_use else None,
        response_format="json_schema" if form else None,
        response_schema=form.schema if form else None,
        reasoning_effort=effort,
        reasoning_max_tokens=budget,
        user=r.metadata.user_id if r.metadata else None,
        routing=routing,
        extra=extra,
        unread=unread,
        strange=strange,
    )


def _reasoning(r: _Request) -> tuple[str | None, int | None]:
    effort = r.output_config.effort if r.output_config else None
    if r.thinking is None:
        return effort, None
    if r.thinking.type == "disabled":
        return "none", None
    if r.thinking.type == "enabled":
        return effort, r.thinking.budget_tokens or 1024
    return effort or "medium", None


def _tool(tool: dict[str, Any], where: str) -> Tool:
    if tool.get("type") not in (None, "custom"):
        return Tool(name=str(tool.get("name") or tool["type"]), native=tool)
    name, schema = tool.get("name"), tool.get("input_schema")
    if not isinstance(name, str) or not name:
        raise BadRequest(f"{where}.name: is missing")
    if not isinstance(schema, dict):
        raise BadRequest(f"{where}.input_schema: expected object")
    strict = tool.get("strict")
    asked = strict if isinstance(strict, bool) else None
    known = ("type", "name", "description", "input_schema", "strict", "cache_control")
    extra = {k: v for k, v in tool.items() if k not in known}
    words = str(tool.get("description") or "")
    return Tool(name, words, schema, asked, cache=caching.read(tool), extra=extra)


def _blocks(content: str | list[dict[str, Any]], where: str) -> list[Part]:
    if isinstance(content, str):
        return [TextPart(content)]
    parts: list[Part] = []
    for i, block in enumerate(content):
        parts += _block(block, f"{where}[{i}]")
    return parts


def _text(block: dict[str, Any], name: str, where: str) -> str:
    value = block.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{where}.{name}: expected str")
    return value


def _block(block: dict[str, Any], where: str) -> list[Part]:
    kind = block.get("type")
    if kind == "text":
        return [TextPart(_text(block, "text", where), cache=caching.read(block))]
    if kind == "image":
        image = _image(block, where)
        marked = isinstance(image, ImagePart) and (mark := caching.read(block))
        return [msgspec.structs.replace(image, cache=mark) if marked else image]
    if kind == "tool_use":
        arguments = json.encode(block.get("input") or {}).decode()
        return [ToolCallPart(_text(block, "id", where), _text(block, "name", where), arguments)]
    if kind == "tool_result":
        return _tool_result(block, where)
    if kind == "thinking":
        return [ReasoningPart(_text(block, "thinking", where), str(block.get("signature") or ""))]
    if kind == "redacted_thinking":
        return [ReasoningPart("", _text(block, "data", where), redacted=True)]
    if not isinstance(kind, str):
        raise BadRequest(f"{where}.type: expected str")
    return [OpaquePart(kind, block)]


def _image(block: dict[str, Any], where: str) -> Part:
    source = block.get("source")
    if not isinstance(source, dict):
        raise BadRequest(f"{where}.source: expected object")
    if source.get("type") == "base64":
        kind = _text(source, "media_type", f"{where}.source")
        if not kind.lower().startswith("image/"):  # sized as a picture, it would be read as whatever it is
            raise BadRequest(f"{where}.source.media_type: must be an image's")
        return ImagePart(
            media_type=kind,
            data=_text(source, "data", f"{where}.source"),
        )
    if source.get("type") == "url":
        url = _text(source, "url", f"{where}.source")
        if not url.startswith(("http://", "https://")):
            raise BadRequest(f"{where}.source.url: must be an http(s) URL")
        return ImagePart(url=url)
    return OpaquePart("image", block)


def _tool_result(block: dict[str, Any], where: str) -> list[Part]:
    """The result's text; its images follow as parts of their own, since no other wire has room for them inside a result."""
    content = block.get("content")
    inner: list[Part] = []
    if isinstance(content, str | list):
        inner = _blocks(content, f"{where}.content")
    text = "".join(p.text for p in inner if isinstance(p, TextPart))
    result = ToolResultPart(
        _text(block, "tool_use_id", where),
        text,
        is_error=block.get("is_error") is True,
        cache=caching.read(block),
    )
    return [result, *(p for p in inner if not isinstance(p, TextPart))]


def usage_json(usage: Usage) -> dict[str, Any]:
    """`usage` as Anthropic's clients read it: input without both cache classes."""
    return {
        "input_tokens": usage.input + usage.audio_input + usage.image_input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
    }


_ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Inside a stream the status says only that the provider failed: there the code says how.
_ERROR_TYPES_IN_STREAMS = {
    "provider_overloaded": "overloaded_error",
    "rate_limit_exceeded": "rate_limit_error",
    "timeout": "timeout_error",
}

TOO_LONG = "context_length_exceeded"
_TOO_LONG = "prompt is too long"


def error_json(error: MarketplaceError, request_id: str) -> dict[str, Any]:
    """Anthropic's error envelope; our stable code and fields in `metadata`."""
    by_code = _ERROR_TYPES_IN_STREAMS.get(error.code)
    kind = (
        by_code
        or _ERROR_TYPES.get(error.status)
        or ("invalid_request_error" if error.status < 500 else "api_error")
    )
    message = error.message
    if error.code == TOO_LONG and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"  # by these words Claude's clients know that they have to shorten the conversation
    detail = {"type": kind, "message": message, "metadata": {**error.extra, "error_type": error.code}}
    return {"type": "error", "error": detail, "request_id": request_id}


def frame(name: str, body: dict[str, Any]) -> bytes:
    """One stream event."""
    return b"event: " + name.encode() + b"\ndata: " + json.encode({"type": name} | body) + b"\n\n"


def ran_blocks(ran: RanTool) -> list[dict[str, Any]]:
    """A tool that ran on our side, as Anthropic's clients know those of their MCP connector."""
    given = arguments_of(ToolCallPart(ran.id, ran.name, ran.arguments))
    name = f"mcptoolu_{ran.id}"
    return [
        {"type": "mcp_tool_use", "id": name, "name": ran.name, "server_name": ran.server, "input": given},
        {
            "type": "mcp_tool_result", "tool_use_id": name, "is_error": ran.is_error,
            "content": [{"type": "text", "text": ran.output}],
        },
    ]  # fmt: skip


class Encoder:
    """Canonical events -> Messages stream events: one content block after the other."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._index = -1
        self._open: tuple[str, int] | None = None
        self._late: dict[int, list[ToolCallDelta]] = {}
        self._over: set[int] = set()  # calls whose block is closed: it can't be gone on with
        self._waiting: list[TextDelta | ReasoningDelta | RanTool] = []
        self._arguments: list[str] = []  # of the call that is open

    def start(self) -> bytes:
        """`message_start`; usage is not known yet."""
        message: dict[str, Any] = {
            "id": self._shape.id,
            "type": "message",
            "role": "assistant",
            "model": self._shape.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return frame("message_start", {"message": message})

    def feed(self, events: Sequence[Event]) -> bytes:
        """Blocks and deltas. A second tool call waits until the first is complete: blocks can't be interleaved."""
        return b"".join(self._one(event) for event in events)

    def _one(self, event: Event) -> bytes:
        if isinstance(event, ImagePart):
            event = pictures.in_words(event)
        if isinstance(event, TextDelta | ReasoningDelta | RanTool) and not self._may_speak():
            self._waiting.append(event)
            return b""
        if isinstance(event, TextDelta):
            opened = self._block("text", 0, {"type": "text", "text": ""})
            return opened + self._delta({"type": "text_delta", "text": event.text})
        if isinstance(event, ReasoningDelta):
            out = self._block("thinking", 0, {"type": "thinking", "thinking": "", "signature": ""})
            if event.text:
                out += self._delta({"type": "thinking_delta", "thinking": event.text})
            if event.signature:
                out += self._delta({"type": "signature_delta", "signature": event.signature})
            return out
        if isinstance(event, ToolCallDelta):
            return self._called(event)
        if isinstance(event, RanTool):
            out = self._close()
            for block in ran_blocks(event):
                self._index += 1
                out += frame("content_block_start", {"index": self._index, "content_block": block})
                out += frame("content_block_stop", {"index": self._index})
            return out
        return b""

    def _called(self, event: ToolCallDelta) -> bytes:
        """A call begins with its first argument, so that words may come before that; and not while another one is open."""
        kind, number = self._open or ("", -1)
        if event.index in self._over:
            return b""
        if (kind, number) != ("tool", event.index) and (kind == "tool" or not event.arguments):
            self._late.setdefault(event.index, []).append(event)
            return b""
        return b"".join(self._tool(piece) for piece in (*self._late.pop(event.index, ()), event))

    def _may_speak(self) -> bool:
        """Whether no call is half written: words between its pieces wait, since a block can't be gone on with."""
        if self._open is None or self._open[0] != "tool" or self._waiting:
            return not self._waiting
        try:
            json.decode("".join(self._arguments))
        except ValueError:
            return False
        return True

    def _tool(self, event: ToolCallDelta) -> bytes:
        if self._open != ("tool", event.index):
            self._arguments = []
        self._arguments.append(event.arguments)
        out = self._block(
            "tool", event.index, {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
        )
        if event.arguments:
            out += self._delta({"type": "input_json_delta", "partial_json": event.arguments})
        return out

    def _block(self, kind: str, number: int, block: dict[str, Any]) -> bytes:
        if self._open == (kind, number):
            return b""
        out = self._close()
        self._open = (kind, number)
        self._index += 1
        return out + frame("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return frame("content_block_delta", {"index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        if self._open[0] == "tool":
            self._over.add(self._open[1])
        self._open = None
        return frame("content_block_stop", {"index": self._index})

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """Waiting tool calls, `message_delta` with the stop reason and usage, `message_stop`."""
        out = self._close()
        waiting, self._waiting = self._waiting, []
        out += b"".join(self._one(event) for event in waiting) + self._close()
        for index in sorted(self._late):
            out += b"".join(self._tool(event) for event in self._late[index]) + self._close()
        body: dict[str, Any] = {"delta": {"stop_reason": STOP_REASONS[finish], "stop_sequence": None}}
        body["usage"] = usage_json(usage) if usage is not None else {"output_tokens": 0}
        return out + frame("message_delta", body | dict(extra)) + frame("message_stop", {})

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """An `error` event; nothing follows it."""
        return frame("error", error_json(error, request_id))


class Inward:
    """The codec's half that faces our clients."""

    content_type_stream = "text/event-stream"

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body. Raises BadRequest with words that name the field."""
        return parse(body, model=model, stream=stream)

    def parse_count_request(self, body: bytes) -> Call:
        """The body of `count_tokens`. Raises BadRequest."""
        return parse(body, model=None, stream=False, counting=True)

    def render_count(self, input_tokens: int) -> bytes:
        """The answer of `count_tokens`."""
        return json.encode({"input_tokens": input_tokens})

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A whole message; `extra` stands at the top level."""
        content: list[dict[str, Any]] = []
        for part in reply.parts:
            if isinstance(part, TextPart) and part.text:
                content.append({"type": "text", "text": part.text})
            elif isinstance(part, ImagePart):
                content.append({"type": "text", "text": pictures.in_words(part).text})
            elif isinstance(part, ReasoningPart) and part.redacted:
                content.append({"type": "redacted_thinking", "data": part.signature})
            elif isinstance(part, ReasoningPart):
                content.append({"type": "thinking", "thinking": part.text, "signature": part.signature})
            elif isinstance(part, ToolCallPart):
                content.append(
                    {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_of(part)}
                )
            elif isinstance(part, RanTool):
                content += ran_blocks(part)
        native = reply.native_finish if reply.native_finish in _NATIVE else None
        body = {
            "id": shape.id,
            "type": "message",
            "role": "assistant",
            "model": shape.model,
            "content": content,
            "stop_reason": native or STOP_REASONS[reply.finish or Finish.ERROR],
            "stop_sequence": None,
            "usage": usage_json(reply.usage)
            if reply.usage is not None
            else {"input_tokens": 0, "output_tokens": 0},
        }
        return json.encode(body | dict(extra))

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """Anthropic's error body."""
        return json.encode(error_json(error, request_id))

    def encoder(self, shape: Shape) -> StreamEncoder:
        """Messages stream events."""
        return Encoder(shape)

    def keep_alive(self) -> bytes:
        """A `ping`."""
        return frame("ping", {})

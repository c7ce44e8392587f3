"""OpenAI Responses towards OpenAI: the request out, its answer, stream and errors in."""

from typing import Any

import msgspec

from agent_marketplace import json
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
    OutboundCall,
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
    UsageSeen,
)
from agent_marketplace.wires.shared import failures, fields, meant, reported, signatures
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser


class _Item(msgspec.Struct):
    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[dict[str, Any]] | None = None
    summary: list[dict[str, Any]] | None = None
    encrypted_content: str | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Response(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[_Item] | None = None
    usage: Any = None
    error: Any = None
    incomplete_details: _Incomplete | None = None


class _Event(msgspec.Struct):
    type: str = ""
    delta: str | None = None
    output_index: int = 0
    item: _Item | None = None
    response: _Response | None = None
    code: Any = None
    message: str | None = None
    error: Any = None


_event = msgspec.json.Decoder(_Event)
_response = msgspec.json.Decoder(_Response)


def build(call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
    """The body of POST /responses. Raises UpstreamFailure(UNSUPPORTED)."""
    unsaid = ("top_k", "seed", "frequency_penalty", "presence_penalty", "n")
    dropped = [n for n in unsaid if getattr(call, n) is not None] + (["stop"] if call.stop else [])
    body: dict[str, Any] = {
        "model": upstream_model,
        "store": False,
        "input": [i for m in call.messages for i in _items(m, call)],
    }
    optional = {
        "max_output_tokens": call.max_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "parallel_tool_calls": call.parallel_tool_calls if call.tools else None,
        "user": call.user,
        "stream": True if stream else None,
    }
    body |= {k: v for k, v in optional.items() if v is not None}
    effort = call.reasoning_effort or effort_of(call.reasoning_max_tokens)
    if effort is not None:
        body["reasoning"] = {"effort": effort, "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if call.tools:
        body["tools"] = [_tool(t, call) for t in call.tools]
        if call.tool_choice is not None:
            plain = call.tool_choice in ("auto", "none", "required")
            body["tool_choice"] = (
                call.tool_choice if plain else {"type": "function", "name": call.tool_choice}
            )
    if call.response_format == "json_object":
        body["text"] = {"format": {"type": "json_object"}}
    elif call.response_format == "json_schema":
        schema = {"name": call.response_schema_name, "schema": call.response_schema or {}, "strict": True}
        body["text"] = {"format": {"type": "json_schema", **schema}}
    if call.wire == "responses":
        body |= call.extra
    else:
        dropped += call.extra
    meant.check_call(call, dropped)
    return OutboundCall(path="responses", body=json.encode(body), dropped=tuple(dropped))


def _tool(tool: Tool, call: Call) -> dict[str, Any]:
    if tool.native is not None:
        if call.wire != "responses":
            raise failures.unsupported(f"The tool {tool.name} exists only at the provider it was written for")
        return dict(tool.native)
    schema = dict(tool.parameters) or {"type": "object", "properties": {}}
    out: dict[str, Any] = {
        "type": "function",
        "name": tool.name,
        "parameters": schema,
        "strict": bool(tool.strict),
    }
    return out | ({"description": tool.description} if tool.description else {})


def _items(message: Message, call: Call) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    content: list[dict[str, Any]] = []
    kind = "output_text" if message.role == "assistant" else "input_text"
    for part in message.parts:
        match part:
            case TextPart():
                content.append({"type": kind, "text": part.text})
            case ImagePart():
                url = part.url or f"data:{part.media_type};base64,{part.data}"
                content.append({"type": "input_image", "image_url": url, "detail": part.detail or "auto"})
            case ToolCallPart():
                items.append(
                    {
                        "type": "function_call",
                        "call_id": part.id,
                        "name": part.name,
                        "arguments": part.arguments,
                    }
                )
            case ToolResultPart():
                items.append(
                    {"type": "function_call_output", "call_id": part.call_id, "output": part.content}
                )
            case ReasoningPart():
                if signature := signatures.own("responses", part.signature, call.wire):
                    items.append({"type": "reasoning", "summary": [], "encrypted_content": signature})
            case OpaquePart():
                if call.wire != "responses":
                    raise failures.unsupported(f"Content of type {part.kind} cannot be sent to this provider")
                (content if part.kind.startswith("input_") else items).append(dict(part.value))
    if not content:
        return items
    said = {"role": "user" if message.role == "tool" else message.role, "content": content}
    calls = [i for i, item in enumerate(items) if item["type"] in ("function_call", "function_call_output")]
    at = calls[0] if calls and message.role == "assistant" else len(items)
    return [*items[:at], said, *items[at:]]


def _finish(response: _Response) -> tuple[Finish | None, str]:
    status = response.status or ""
    if status == "completed":
        calls = any(i.type == "function_call" for i in response.output or ())
        return (Finish.TOOL_CALLS if calls else Finish.STOP), status
    if status == "incomplete":
        reason = (
            response.incomplete_details.reason if response.incomplete_details else None
        ) or "max_output_tokens"
        return (Finish.CONTENT_FILTER if reason == "content_filter" else Finish.LENGTH), reason
    return None, status


class Decoder:
    """OpenAI's Responses stream -> canonical events."""

    def __init__(self) -> None:
        self._parser = SSEParser()
        self._calls: dict[int, int] = {}
        self._failed = False

    def feed(self, data: bytes) -> list[Event]:
        """Events of the stream items completed by these bytes."""
        return [e for item in self._parser.feed(data) for e in self._read(item)]

    def close(self) -> list[Event]:
        """Flushes an event whose blank line is missing."""
        return [e for item in self._parser.close() for e in self._read(item)]

    def _read(self, item: SSEEvent) -> list[Event]:
        if item.data.strip() == b"[DONE]":
            return []
        try:
            event = fields.tolerant(_event.decode, _Event, item.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return (
                [Malformed("an event that is no Responses event")]
                if item.data.strip() or item.oversized
                else []
            )
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                return [TextDelta(event.delta)] if event.delta else []
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [ReasoningDelta(event.delta)] if event.delta else []
            case "response.function_call_arguments.delta":
                number = self._calls.get(event.output_index)
                return (
                    [ToolCallDelta(number, arguments=event.delta)]
                    if number is not None and event.delta
                    else []
                )
            case "response.output_item.added":
                return self._added(event)
            case "response.output_item.done":
                signature = (
                    event.item.encrypted_content if event.item and event.item.type == "reasoning" else None
                )
                return (
                    [ReasoningDelta(signature=signatures.tagged("responses", signature))] if signature else []
                )
            case "response.completed" | "response.incomplete":
                return self._ended(event.response or _Response())
            case "response.failed" | "error":
                return self._error(event)
            case _:
                return []

    def _added(self, event: _Event) -> list[Event]:
        item = event.item
        if item is None or item.type != "function_call":
            return []
        number = self._calls[event.output_index] = len(self._calls)
        return [ToolCallDelta(number, item.call_id or item.id or "", item.name or "", item.arguments or "")]

    def _ended(self, response: _Response) -> list[Event]:
        events: list[Event] = []
        try:
            if (usage := reported.from_responses(response.usage)) is not None:
                events.append(UsageSeen(usage))
        except reported.UsageRefused as e:
            events.append(Malformed(f"usage refused: {e}"))
        finish, native = _finish(response)
        if finish is not None:
            events.append(
                Finished(Finish.TOOL_CALLS if self._calls and finish is Finish.STOP else finish, native)
            )
        return [*events, Done()]

    def _error(self, event: _Event) -> list[Event]:
        if self._failed:
            return []
        self._failed = True
        problem = event.response.error if event.response else event.error
        problem = problem if isinstance(problem, dict) else {"code": event.code, "message": event.message}
        return [StreamError(failures.as_error(failures.error_of(problem, 0, {})))]


def parse_reply(body: bytes) -> Reply:
    """A whole answer. Raises UpstreamFailure for a body that is no answer."""
    try:
        response = fields.tolerant(_response.decode, _Response, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
    if response.error:
        raise failures.error_of(response.error, 200, {})
    if response.output is None:
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no output")
    try:
        usage = reported.from_responses(response.usage)
    except reported.UsageRefused:
        usage = None
    finish, native = _finish(response)
    return Reply(
        parts=tuple(p for item in response.output for p in _parts(item)),
        finish=finish,
        native_finish=native,
        usage=usage,
        upstream_id=response.id or "",
        upstream_model=response.model or "",
    )


def _parts(item: _Item) -> list[Part]:
    if item.type == "message":
        texts = (c.get("text") or c.get("refusal") for c in item.content or ())
        return [TextPart(t) for t in texts if isinstance(t, str)]
    if item.type == "function_call":
        return [ToolCallPart(item.call_id or "", item.name or "", item.arguments or "{}")]
    if item.type == "reasoning":
        text = "".join(str(s.get("text") or "") for s in item.summary or ())
        return [ReasoningPart(text, signatures.tagged("responses", item.encrypted_content or ""))]
    return []

"""OpenAI Responses towards OpenAI: the request out, its answer, stream and errors in."""

from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import (
    Call,
    Citation,
    Cited,
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
from agent_marketplace.wires.shared import (
    allowed,
    citing,
    failures,
    fields,
    freeform,
    meant,
    reported,
    signatures,
)
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.shared.media import type_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser


class _Item(msgspec.Struct):
    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    namespace: str | None = None
    phase: str | None = None
    content: list[dict[str, Any]] | None = None
    summary: list[dict[str, Any]] | None = None
    encrypted_content: str | None = None
    result: str | None = None


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
    annotation: Any = None


_event = msgspec.json.Decoder(_Event)
_response = msgspec.json.Decoder(_Response)


_ENCRYPTED = "reasoning.encrypted_content"


def build(call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
    """The body of POST /responses; nothing is stored there. Raises UpstreamFailure(UNSUPPORTED)."""
    unsaid = ("top_k", "seed", "frequency_penalty", "presence_penalty", "n")
    dropped = [n for n in unsaid if getattr(call, n) is not None] + (["stop"] if call.stop else [])
    native = call.manner.freeform
    written = _History(call, native)
    body: dict[str, Any] = {
        "model": upstream_model,
        "input": [i for m in call.messages for i in written.items(m)],
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
    if call.tools:
        body["tools"] = [_tool(t, call, native=native) for t in call.tools]
        if call.tool_choice is not None:
            body["tool_choice"] = _choice(call, native=native)
    if (text := _text(call)) is not None:
        body["text"] = text
    if call.wire == "responses":
        body |= {k: v for k, v in call.extra.items() if k != "verbosity"}
    else:
        dropped += (name for name in call.extra if name != "verbosity")
    effort = call.reasoning_effort or effort_of(call.reasoning_max_tokens)
    if effort is not None or call.reasoning_summary is not None:
        told = {"effort": effort, "summary": call.reasoning_summary or "auto"}
        body["reasoning"] = {k: v for k, v in told.items() if v is not None}
    if "reasoning" in body or call.manner.sealed_thinking:
        others = call.extra.get("include") if call.wire == "responses" else None
        body["include"] = [*(others if isinstance(others, list) else ()), _ENCRYPTED]
    body["store"] = False  # last: whatever a client's own fields say
    meant.check_call(call, dropped)
    return OutboundCall(path="responses", body=json.encode(body), dropped=tuple(dropped))


def _choice(call: Call, *, native: bool) -> Any:
    choice = call.tool_choice
    if call.allowed_tools and (among := allowed.offered(call)):
        named = [_named(t, native=native) for t in among]
        return {"type": allowed.KIND, "mode": choice or "auto", "tools": named}
    if choice in ("auto", "none", "required"):
        return choice
    custom = native and any(t.custom is not None and t.name == choice for t in call.tools)
    return {"type": "custom" if custom else "function", "name": choice}


def _named(tool: Tool, *, native: bool) -> dict[str, Any]:
    if tool.native is not None:
        return {"type": tool.native.get("type")}
    return {"type": "custom" if native and tool.custom is not None else "function", "name": tool.name}


def _text(call: Call) -> dict[str, Any] | None:
    """`text`: what form the answer has, and how wordy it is."""
    text: dict[str, Any] = {}
    if call.response_format == "json_object":
        text["format"] = {"type": "json_object"}
    elif call.response_format == "json_schema":
        schema: dict[str, Any] = {"name": call.response_schema_name, "schema": call.response_schema or {}}
        schema |= {"strict": call.response_strict} if call.response_strict is not None else {}
        text["format"] = {"type": "json_schema", **schema}
    if isinstance(verbosity := call.extra.get("verbosity"), str):
        text["verbosity"] = verbosity
    return text or None


def _tool(tool: Tool, call: Call, *, native: bool) -> dict[str, Any]:
    if tool.native is not None:
        if call.wire != "responses":
            raise failures.unsupported(f"The tool {tool.name} exists only at the provider it was written for")
        return dict(tool.native)
    if tool.custom is not None and native:
        return _custom(tool)
    schema = dict(tool.parameters) or {"type": "object", "properties": {}}
    out: dict[str, Any] = {
        "type": "function",
        "name": tool.name,
        "parameters": schema,
        "strict": bool(tool.strict),
    }
    return out | ({"description": tool.description} if tool.description else {})


def _custom(tool: Tool) -> dict[str, Any]:
    """A freeform tool as this wire writes it; chat completions hold its grammar one level deeper."""
    given = tool.custom or {}
    out: dict[str, Any] = {"type": "custom", "name": tool.name}
    if isinstance(description := given.get("description"), str):
        out["description"] = description
    if isinstance(form := given.get("format"), dict):
        inner = form.get("grammar")
        out["format"] = {"type": "grammar", **inner} if isinstance(inner, dict) else form
    return out


class _History:
    """The turns of a call as items, in the order in which they came about: thinking stands before what it led to, or OpenAI
    refuses the whole request. native: the model takes freeform tools, and calls of them."""

    def __init__(self, call: Call, native: bool) -> None:
        self._call = call
        self._customs: set[str] = set()
        self._native = native

    def items(self, message: Message) -> list[dict[str, Any]]:
        """One turn. Raises UpstreamFailure(UNSUPPORTED) for content that can't be said."""
        out: list[dict[str, Any]] = []
        content: list[dict[str, Any]] = []
        phase = ""
        for part in message.parts:
            if isinstance(part, TextPart) and part.phase != phase:
                self._said(message, content, phase, out)
                phase = part.phase
            if (said := self._content(part, message)) is not None:
                content.append(said)
            elif (item := self._item(part)) is not None:
                self._said(message, content, phase, out)
                out.append(item)
        self._said(message, content, phase, out)
        return out

    def _said(
        self, message: Message, content: list[dict[str, Any]], phase: str, out: list[dict[str, Any]]
    ) -> None:
        if not content:
            return
        role = "user" if message.role == "tool" else "developer" if message.developer else message.role
        item: dict[str, Any] = {"role": role, "content": list(content)}
        if role == "assistant" and all(c["type"] == "input_text" for c in content):
            item["content"] = "".join(c["text"] for c in content)
        out.append(item | ({"phase": phase} if phase else {}))
        content.clear()

    def _content(self, part: Part, message: Message) -> dict[str, Any] | None:
        match part:
            case TextPart():
                return (
                    {"type": "input_text", "text": part.text}
                    if part.text or message.role != "assistant"
                    else None
                )
            case ImagePart():
                url = part.url or f"data:{type_of(part.media_type, part.data)};base64,{part.data}"
                return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
            case OpaquePart():
                if self._call.wire != "responses":
                    raise failures.unsupported(f"Content of type {part.kind} cannot be sent to this provider")
                return dict(part.value) if part.kind.startswith("input_") else None
            case _:
                return None

    def _item(self, part: Part) -> dict[str, Any] | None:
        match part:
            case ToolCallPart():
                if part.custom and self._native:
                    self._customs.add(part.id)
                    said: dict[str, Any] = {
                        "type": "custom_tool_call",
                        "input": freeform.unwrapped(part.arguments),
                    }
                else:
                    said = {"type": "function_call", "arguments": part.arguments}
                return said | {"call_id": part.id, "name": part.name}
            case ToolResultPart():
                kind = "custom_tool_call_output" if part.call_id in self._customs else "function_call_output"
                return {"type": kind, "call_id": part.call_id, "output": part.content}
            case ReasoningPart():
                signature = signatures.own("responses", part.signature, self._call.wire)
                return (
                    {"type": "reasoning", "summary": [], "encrypted_content": signature}
                    if signature
                    else None
                )
            case OpaquePart():
                return dict(part.value)
            case _:
                return None


_CALLS = ("function_call", "custom_tool_call")


def _finish(response: _Response) -> tuple[Finish | None, str]:
    status = response.status or ""
    if status == "completed":
        calls = any(i.type in _CALLS for i in response.output or ())
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
        self._silent: set[int] = set()
        self._phase = ""
        self._failed = False
        self._said = self._before = 0  # characters of the answer, and of it before the present part

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
                self._said += len(event.delta or "")
                return [TextDelta(event.delta, self._phase)] if event.delta else []
            case "response.output_text.annotation.added" | "response.content_part.added":
                return self._cited(event)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [ReasoningDelta(event.delta)] if event.delta else []
            case "response.function_call_arguments.delta":
                return self._arguments(event.output_index, event.delta or "")
            case "response.custom_tool_call_input.delta":
                return self._arguments(event.output_index, json.encode(event.delta or "").decode()[1:-1])
            case "response.output_item.added":
                return self._added(event)
            case "response.output_item.done":
                return self._done(event)
            case "response.completed" | "response.incomplete":
                return self._ended(event.response or _Response())
            case "response.failed" | "error":
                return self._error(event)
            case _:
                return []

    def _cited(self, event: _Event) -> list[Event]:
        """Sources count in the part of the message that they stand in."""
        if event.type == "response.content_part.added":
            self._before = self._said
        cited = citing.from_openai([event.annotation], self._before)
        return [Cited(tuple(cited))] if cited else []

    def _arguments(self, index: int, piece: str) -> list[Event]:
        number = self._calls.get(index)
        if number is None or not piece:
            return []
        self._silent.discard(index)
        return [ToolCallDelta(number, arguments=piece)]

    def _added(self, event: _Event) -> list[Event]:
        item = event.item
        if item is None:
            return []
        if item.type == "message":
            self._phase = item.phase or ""
        if item.type not in _CALLS:
            return []
        number = self._calls[event.output_index] = len(self._calls)
        self._silent.add(event.output_index)
        # Free text becomes the one string of a function's arguments, closed when the item is done.
        begun = '{"input":"' if item.type == "custom_tool_call" else item.arguments or ""
        if item.arguments:
            self._silent.discard(event.output_index)
        return [ToolCallDelta(number, item.call_id or item.id or "", _name(item), begun)]

    def _done(self, event: _Event) -> list[Event]:
        item = event.item
        if item is None:
            return []
        if item.type == "reasoning" and item.encrypted_content:
            return [ReasoningDelta(signature=signatures.tagged("responses", item.encrypted_content))]
        if item.type == "image_generation_call" and item.result:
            return [_picture(item.result)]
        if item.type not in _CALLS:
            return []
        # Some servers send the item whole and nothing before it.
        events = (
            []
            if event.output_index in self._calls
            else self._added(msgspec.structs.replace(event, item=_bare(item)))
        )
        number = self._calls[event.output_index]
        silent = event.output_index in self._silent
        custom = item.type == "custom_tool_call"
        rest = (item.input if custom else item.arguments) or "" if silent else ""
        if custom:
            rest = json.encode(rest).decode()[1:-1] + '"}'
        self._silent.discard(event.output_index)
        return [*events, ToolCallDelta(number, arguments=rest)] if rest else events

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
        citations=tuple(_citations(response.output)),
    )


def _citations(output: list[_Item]) -> list[Citation]:
    said, found = 0, []
    for content in (c for item in output if item.type == "message" for c in item.content or ()):
        found += citing.from_openai(content.get("annotations"), said)
        text = content.get("text") or content.get("refusal")
        said += len(text) if isinstance(text, str) else 0
    return found


def _name(item: _Item) -> str:
    return freeform.grouped(item.namespace or "", item.name or "")


def _bare(item: _Item) -> _Item:
    return msgspec.structs.replace(item, arguments=None, input=None)


def _picture(data: str) -> ImagePart:
    return ImagePart(media_type=type_of("image/png", data), data=data)


def _parts(item: _Item) -> list[Part]:
    if item.type == "message":
        texts = (c.get("text") or c.get("refusal") for c in item.content or ())
        return [TextPart(t, item.phase or "") for t in texts if isinstance(t, str)]
    if item.type == "function_call":
        return [ToolCallPart(item.call_id or "", _name(item), item.arguments or "{}")]
    if item.type == "custom_tool_call":
        return [
            ToolCallPart(item.call_id or "", _name(item), freeform.wrapped(item.input or ""), custom=True)
        ]
    if item.type == "image_generation_call" and item.result:
        return [_picture(item.result)]
    if item.type == "reasoning":
        text = "".join(str(s.get("text") or "") for s in item.summary or ())
        return [ReasoningPart(text, signatures.tagged("responses", item.encrypted_content or ""))]
    return []

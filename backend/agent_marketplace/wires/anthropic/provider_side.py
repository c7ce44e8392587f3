"""Anthropic Messages towards Anthropic: the request out, its answer, stream and errors in."""

from collections.abc import Mapping
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
    StreamDecoder,
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
from agent_marketplace.wires.shared import caching, citing, failures, fields, meant, reported, signatures
from agent_marketplace.wires.shared.called import arguments_of, call_id
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.shared.media import type_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser

DEFAULT_MAX_TOKENS = 4096
_LEAST_THINKING = 1024
# Shares of the output that an effort may spend thinking, where the wire wants tokens (OpenRouter, "Reasoning tokens").
_EFFORT_PERCENT = {"minimal": 10, "low": 20, "medium": 50, "high": 80, "xhigh": 90, "max": 95}

FINISH = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "pause_turn": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}


def build(call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
    """The body of POST /v1/messages. Raises UpstreamFailure(UNSUPPORTED)."""
    dropped = [
        n for n in ("seed", "frequency_penalty", "presence_penalty", "n") if getattr(call, n) is not None
    ]
    max_tokens = call.max_tokens or DEFAULT_MAX_TOKENS
    body: dict[str, Any] = {"model": upstream_model, "max_tokens": max_tokens}
    said = [
        p for m in call.messages if m.role == "system" for p in m.parts if isinstance(p, TextPart) and p.text
    ]
    if any(p.cache for p in said):
        body["system"] = [_block(p, call) for p in said]
    elif said:
        body["system"] = "\n\n".join(p.text for p in said)
    body |= caching.written(call.cache)
    body["messages"] = _turns(call)
    if call.stop:
        body["stop_sequences"] = list(call.stop)
    if call.user is not None:
        body["metadata"] = {"user_id": call.user}
    if call.wire == "anthropic":
        body |= call.extra
    else:
        dropped += call.extra
    body |= _tools(call)
    thinking = _thinking(call, max_tokens, dropped)
    sampling = {"temperature": call.temperature, "top_p": call.top_p, "top_k": call.top_k}
    body |= thinking | {name: value for name, value in sampling.items() if value is not None}
    meant.check_call(call, dropped)
    if call.response_format == "json_object":
        raise UpstreamFailure(
            FailureClass.UNSUPPORTED, "Anthropic models need a JSON schema: json_object can't be said"
        )
    if call.response_format == "json_schema":
        form = {"type": "json_schema", "schema": closed(call.response_schema or {"type": "object"})}
        body["output_config"] = {**body.get("output_config", {}), "format": form}
    if stream:
        body["stream"] = True
    return OutboundCall(path="v1/messages", body=json.encode(body), dropped=tuple(dropped))


def _thinking(call: Call, max_tokens: int, dropped: list[str]) -> dict[str, Any]:
    effort, budget = call.reasoning_effort, call.reasoning_max_tokens
    if effort is None and budget is None:
        return {}
    if effort == "none" or budget == 0:
        return {"thinking": {"type": "disabled"}}
    if call.manner.thinking != "budget":
        wish = effort or effort_of(budget) or "medium"
        level = {"minimal": "low"}.get(wish, wish)
        shown = {"display": call.manner.thinking_shown} if call.manner.thinking_shown else {}
        return {"thinking": {"type": "adaptive", **shown}, "output_config": {"effort": level}}
    if _calls_unsigned(call):
        dropped.append(
            "reasoning"
        )  # the turn's thinking was not handed back: Anthropic would refuse the whole request
        return {}
    wanted = budget if budget is not None else max_tokens * _EFFORT_PERCENT.get(effort or "", 50) // 100
    wanted = min(max(wanted, _LEAST_THINKING), max_tokens - 1)
    if wanted < _LEAST_THINKING:
        dropped.append("reasoning")
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": wanted}}


def _calls_unsigned(call: Call) -> bool:
    """Whether the tool calls being answered stand in a turn without thinking that Anthropic itself signed."""
    turn: list[Part] = []
    answered = False
    for message in reversed(call.messages):
        if message.role == "assistant":
            turn += message.parts
        elif turn:
            break
        else:
            answered |= any(isinstance(p, ToolResultPart) for p in message.parts)
    signed = any(
        isinstance(p, ReasoningPart) and signatures.own("anthropic", p.signature, call.wire) for p in turn
    )
    return answered and not signed and any(isinstance(p, ToolCallPart) for p in turn)


def _tools(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {}
    choice: dict[str, Any] | None = None
    if call.tool_choice is not None:
        kinds = {"auto": "auto", "none": "none", "required": "any"}
        kind = kinds.get(call.tool_choice)
        choice = {"type": kind} if kind else {"type": "tool", "name": call.tool_choice}
    if call.parallel_tool_calls is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    body: dict[str, Any] = {"tools": [_tool(t, call) for t in call.tools]}
    return body | ({"tool_choice": choice} if choice else {})


def _tool(tool: Tool, call: Call) -> dict[str, Any]:
    if tool.native is not None:
        if call.wire != "anthropic":
            raise UpstreamFailure(
                FailureClass.UNSUPPORTED,
                f"The tool {tool.name} exists only at the provider it was written for",
            )
        return dict(tool.native)
    schema = {"type": "object", **tool.parameters}
    out: dict[str, Any] = dict(tool.extra) if call.wire == "anthropic" else {}
    out |= {"name": tool.name, "input_schema": closed(schema) if tool.strict else schema}
    if tool.description:
        out["description"] = tool.description
    if tool.strict:
        out["strict"] = True
    return out | caching.written(tool.cache)


def closed(schema: Any) -> Any:
    """The schema with `additionalProperties: false` on every object, which strict mode demands."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {k: closed(v) for k, v in schema.items()}
    if out.get("type") == "object" and "additionalProperties" not in out:
        out["additionalProperties"] = False
    return out


def _turns(call: Call) -> list[dict[str, Any]]:
    """User and assistant turns in alternation; tool results open the user's turn that answers them."""
    turns: list[dict[str, Any]] = []
    for message in call.messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message, call)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        turn["content"].sort(key=lambda b: b["type"] != "tool_result") if turn["role"] == "user" else None
    return turns or [{"role": "user", "content": [{"type": "text", "text": "."}]}]


def _blocks(message: Message, call: Call) -> list[dict[str, Any]]:
    return [block for part in message.parts if (block := _block(part, call)) is not None]


def _block(part: Part, call: Call) -> dict[str, Any] | None:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text, **caching.written(part.cache)} if part.text else None
        case ImagePart():
            source = {"type": "base64", "media_type": type_of(part.media_type, part.data), "data": part.data}
            source = {"type": "url", "url": part.url} if part.url else source
            return {"type": "image", "source": source, **caching.written(part.cache)}
        case ToolCallPart():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_of(part)}
        case ToolResultPart():
            result: dict[str, Any] = {
                "type": "tool_result",
                "tool_use_id": part.call_id,
                "content": part.content,
                **caching.written(part.cache),
            }
            return result | ({"is_error": True} if part.is_error else {})
        case ReasoningPart():
            signature = signatures.own("anthropic", part.signature, call.wire)
            if not signature:
                return None  # minted elsewhere, or unsigned: Anthropic would refuse the whole request
            if part.redacted:
                return {"type": "redacted_thinking", "data": signature}
            return {"type": "thinking", "thinking": part.text, "signature": signature}
        case OpaquePart():
            if call.wire != "anthropic":
                raise UpstreamFailure(
                    FailureClass.UNSUPPORTED, f"Content of type {part.kind} cannot be sent to this provider"
                )
            return dict(part.value)


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    partial_json: Any = None
    citations: Any = None
    citation: Any = None
    stop_reason: str | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: dict[str, Any] | None = None


class _Item(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Block | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class _Whole(_Message):
    type: str = ""
    error: Any = None


_item = msgspec.json.Decoder(_Item)
_whole = msgspec.json.Decoder(_Whole)


class Decoder:
    """Anthropic's stream -> canonical events."""

    def __init__(self) -> None:
        self._parser = SSEParser()
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, int] = {}
        self._said = self._before = 0  # characters of the answer, and of it before the present block
        self._cited: list[Any] = []
        self.kind = ""  # of the item read last

    def feed(self, data: bytes) -> list[Event]:
        """Events of the stream items completed by these bytes."""
        return [e for item in self._parser.feed(data) for e in self.read(item)]

    def close(self) -> list[Event]:
        """Flushes an event whose blank line is missing."""
        return [e for item in self._parser.close() for e in self.read(item)]

    def read(self, event: SSEEvent) -> list[Event]:
        """What one stream item says."""
        self.kind = ""
        if event.oversized:
            return [Malformed("an event larger than the bound")]
        try:
            item = fields.tolerant(_item.decode, _Item, event.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [Malformed("an event that is no Messages event")] if event.data.strip() else []
        self.kind = item.type
        match item.type:
            case "content_block_delta":
                return self._delta(item)
            case "content_block_start":
                self._before = self._said
                return self._start(item)
            case "content_block_stop":
                cited, self._cited = citing.from_anthropic(self._cited, self._before, self._said), []
                return [Cited(tuple(cited))] if cited else []
            case "message_start":
                return self._usage_seen(item.message.usage if item.message else None, partial=True)
            case "message_delta":
                reason = item.delta.stop_reason if item.delta else None
                ended: list[Event] = [Finished(FINISH.get(reason, Finish.STOP), reason)] if reason else []
                return self._usage_seen(item.usage) + ended
            case "message_stop":
                return [Done()]
            case "error":
                return [StreamError(failures.as_error(error_of(item.error, 0, {})))]
            case _:
                return []  # ping, and what future versions add

    def _start(self, item: _Item) -> list[Event]:
        block = item.content_block
        if block is None:
            return []
        if block.type == "tool_use":
            number = self._calls[item.index] = len(self._calls)
            name, arguments = block.name or "", json.encode(block.input).decode() if block.input else ""
            return [ToolCallDelta(number, block.id or call_id(number, name), name, arguments)]
        if block.type == "redacted_thinking":
            return []  # no room for it in a stream's canonical events; a signed block follows or none does
        self._said += len(block.text or "")
        out: list[Event] = [TextDelta(block.text)] if block.text else []
        return out + ([ReasoningDelta(block.thinking)] if block.thinking else [])

    def _delta(self, item: _Item) -> list[Event]:
        delta = item.delta
        if delta is None:
            return []
        if delta.type == "text_delta" and delta.text:
            self._said += len(delta.text)
            return [TextDelta(delta.text)]
        if delta.type == "input_json_delta" and item.index in self._calls:
            piece = delta.partial_json
            text = piece if isinstance(piece, str) else "" if piece is None else json.encode(piece).decode()
            return [ToolCallDelta(self._calls[item.index], arguments=text)]
        if delta.type == "thinking_delta" and delta.thinking:
            return [ReasoningDelta(delta.thinking)]
        if delta.type == "citations_delta":
            self._cited.append(delta.citation)
        if delta.type == "signature_delta" and delta.signature:
            return [ReasoningDelta(signature=signatures.tagged("anthropic", delta.signature))]
        return []

    def _usage_seen(self, usage: dict[str, Any] | None, *, partial: bool = False) -> list[Event]:
        """partial: the input is final, the output still a placeholder, so the whole is marked as estimated."""
        if usage is None:
            return []
        self._usage |= {k: v for k, v in usage.items() if v is not None}
        try:
            seen = reported.from_anthropic(self._usage)
        except reported.UsageRefused as e:
            return [Malformed(f"usage refused: {e}")]
        if seen is None:
            return []
        return [UsageSeen(msgspec.structs.replace(seen, estimated=True) if partial else seen)]


def error_of(error: Any, status: int, headers: Mapping[str, str]) -> UpstreamFailure:
    """Classifies `error: {type, message}`."""
    wait = failures.retry_after(headers)
    if not isinstance(error, dict):
        return failures.failure(status, (), "", wait=wait)
    return failures.failure(
        status, (str(error.get("type") or ""),), str(error.get("message") or ""), wait=wait
    )


class Outward:
    """The codec's half that faces Anthropic."""

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED)."""
        return build(call, upstream_model, stream=stream)

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        try:
            message = fields.tolerant(_whole.decode, _Whole, body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        if message.type == "error" or message.error:
            raise error_of(message.error, 200, {})
        if message.content is None:
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no content")
        try:
            usage = reported.from_anthropic(message.usage)
        except reported.UsageRefused:
            usage = None
        native = message.stop_reason or ""
        return Reply(
            parts=tuple(p for i, b in enumerate(message.content) if (p := _part(b, i)) is not None),
            finish=FINISH.get(native, Finish.STOP) if native else None,
            native_finish=native,
            usage=usage,
            upstream_id=message.id or "",
            upstream_model=message.model or "",
            citations=tuple(_citations(message.content)),
        )

    def decoder(self) -> StreamDecoder:
        """Reads Anthropic's stream."""
        return Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        try:
            decoded = json.decode(body)
        except ValueError:
            decoded = None
        return error_of(decoded.get("error") if isinstance(decoded, dict) else None, status, headers)


def _citations(content: list[_Block]) -> list[Citation]:
    said, found = 0, []
    for block in content:
        if block.type == "text":
            end = said + len(block.text or "")
            found += citing.from_anthropic(block.citations, said, end)
            said = end
    return found


def _part(block: _Block, number: int) -> Part | None:
    if block.type == "text":
        return TextPart(block.text or "")
    if block.type == "tool_use":
        name = block.name or ""
        return ToolCallPart(block.id or call_id(number, name), name, json.encode(block.input or {}).decode())
    if block.type == "thinking":
        return ReasoningPart(block.thinking or "", signatures.tagged("anthropic", block.signature or ""))
    if block.type == "redacted_thinking":
        return ReasoningPart("", signatures.tagged("anthropic", block.data or ""), redacted=True)
    return None

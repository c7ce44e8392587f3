"""Ollama's /api/chat towards an Ollama server: the request out, its answer, stream and errors in."""

from collections.abc import Mapping
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
    StreamDecoder,
    StreamError,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.shared import failures, fields, meant, reported
from agent_marketplace.wires.shared.called import arguments_of, call_id
from agent_marketplace.wires.sse import LineReader

_RUNNERS = "options."
_PASSED = frozenset({"keep_alive", "truncate", "shift"})


def _unsupported(words: str) -> UpstreamFailure:
    return UpstreamFailure(FailureClass.UNSUPPORTED, words)


def build(call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
    """The body of POST /api/chat. Raises UpstreamFailure(UNSUPPORTED)."""
    dropped = [n for n in ("n", "parallel_tool_calls", "user") if getattr(call, n) is not None]
    names = {p.id: p.name for m in call.messages for p in m.parts if isinstance(p, ToolCallPart)}
    body: dict[str, Any] = {"model": upstream_model, "stream": stream}
    body["messages"] = [turn for m in call.messages for turn in _turns(m, names)]
    options = {
        "num_predict": call.max_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "top_k": call.top_k,
        "seed": call.seed,
        "stop": list(call.stop) or None,
        "frequency_penalty": call.frequency_penalty,
        "presence_penalty": call.presence_penalty,
    }
    if call.wire == "ollama":
        options |= {k.removeprefix(_RUNNERS): v for k, v in call.extra.items() if k.startswith(_RUNNERS)}
    if options := {k: v for k, v in options.items() if v is not None}:
        body["options"] = options
    if any(t.native is not None for t in call.tools):
        raise _unsupported("A tool of another provider can't be sent to Ollama")
    if call.tools and call.tool_choice != "none":
        if call.tool_choice not in (None, "auto"):
            raise _unsupported("Ollama can't be told which tool to call")
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": t.parameters},
            }
            for t in call.tools
        ]
    if call.response_format == "json_schema":
        body["format"] = call.response_schema
    elif call.response_format == "json_object":
        body["format"] = "json"
    if call.reasoning_effort is not None or call.reasoning_max_tokens is not None:
        body["think"] = _think(call, upstream_model)
    for name, value in call.extra.items():
        if call.wire == "ollama" and name in _PASSED:
            body[name] = value
        elif call.wire == "ollama" and name.startswith(_RUNNERS):
            continue  # among the options
        else:
            dropped.append(name)
    meant.check_call(call, dropped)
    return OutboundCall(path="api/chat", body=json.encode(body), dropped=tuple(dropped))


def _think(call: Call, model: str) -> bool | str:
    effort = call.reasoning_effort or ("none" if call.reasoning_max_tokens == 0 else "medium")
    if effort == "none":
        return False
    levels = {"minimal": "low", "xhigh": "high", "max": "high"}
    return levels.get(effort, effort) if model.startswith("gpt-oss") else True  # only gpt-oss knows levels


def _turns(message: Message, names: Mapping[str, str]) -> list[dict[str, Any]]:
    turn: dict[str, Any] = {"role": "user" if message.role == "tool" else message.role, "content": ""}
    out: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case TextPart():
                turn["content"] += part.text
            case ReasoningPart():
                turn["thinking"] = turn.get("thinking", "") + part.text
            case ImagePart():
                if part.url:
                    raise _unsupported("Ollama takes images as data, not as URLs")
                turn.setdefault("images", []).append(part.data)
            case ToolCallPart():
                made = {"function": {"name": part.name, "arguments": arguments_of(part)}}
                turn.setdefault("tool_calls", []).append(made)
            case ToolResultPart():
                name = part.name or names.get(part.call_id, "")
                out.append({"role": "tool", "content": part.content, "tool_name": name})
            case OpaquePart():
                raise _unsupported(f"Content of type {part.kind} can't be sent to Ollama")
    if len(turn) > 2 or turn["content"] or not out:
        out.append(turn)
    return out


class _Function(msgspec.Struct):
    name: str = ""
    arguments: Any = None

    @property
    def text(self) -> str:
        """The arguments as JSON text; some servers send that instead of an object."""
        given = self.arguments
        return given if isinstance(given, str) and given else json.encode(given or {}).decode()


class _Call(msgspec.Struct):
    function: _Function = msgspec.field(default_factory=_Function)
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct):
    model: str | None = None
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    error: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None


_line = msgspec.json.Decoder(_Line)


def _usage(line: _Line) -> Any:
    return reported.from_ollama({"prompt_eval_count": line.prompt_eval_count, "eval_count": line.eval_count})


def _finish(line: _Line, *, calls: bool) -> Finish:
    if line.done_reason == "length":
        return Finish.LENGTH
    return Finish.TOOL_CALLS if calls else Finish.STOP


class Decoder:
    """Ollama's lines -> canonical events."""

    def __init__(self) -> None:
        self._lines = LineReader()
        self._calls = 0

    def feed(self, data: bytes) -> list[Event]:
        """Events of the lines completed by these bytes."""
        return [e for line in self._lines.feed(data) for e in self._read(line)]

    def close(self) -> list[Event]:
        """Flushes a last line whose end is missing."""
        return [e for line in self._lines.close() for e in self._read(line)]

    def _read(self, data: bytes | None) -> list[Event]:
        try:
            line = fields.tolerant(_line.decode, _Line, data or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [Malformed("a line larger than the bound" if data is None else "a line that is no answer")]
        if line.error:
            return [StreamError(failures.as_error(failures.error_of(line.error, 0, {})))]
        message = line.message or _Message()
        events: list[Event] = []
        if message.thinking:
            events.append(ReasoningDelta(message.thinking))
        if message.content:
            events.append(TextDelta(message.content))
        for call in message.tool_calls or ():
            number, name = self._calls, call.function.name
            self._calls += 1
            events.append(ToolCallDelta(number, call.id or call_id(number, name), name, call.function.text))
        if line.done:
            events += self._done(line)
        return events

    def _done(self, line: _Line) -> list[Event]:
        events: list[Event] = []
        try:
            if (usage := _usage(line)) is not None:
                events.append(UsageSeen(usage))
        except reported.UsageRefused as e:
            events.append(Malformed(f"usage refused: {e}"))
        return [*events, Finished(_finish(line, calls=self._calls > 0), line.done_reason or "stop"), Done()]


class Outward:
    """The codec's half that faces Ollama."""

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED)."""
        return build(call, upstream_model, stream=stream)

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        try:
            line = fields.tolerant(_line.decode, _Line, body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        if line.error:
            raise failures.error_of(line.error, 200, {})
        if line.message is None:
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no message")
        parts: list[Part] = [ReasoningPart(line.message.thinking)] if line.message.thinking else []
        parts += [TextPart(line.message.content)] if line.message.content else []
        calls = line.message.tool_calls or ()
        parts += [
            ToolCallPart(c.id or call_id(i, c.function.name), c.function.name, c.function.text)
            for i, c in enumerate(calls)
        ]
        try:
            usage = _usage(line)
        except reported.UsageRefused:
            usage = None
        return Reply(
            parts=tuple(parts),
            finish=_finish(line, calls=bool(calls)) if line.done else None,
            native_finish=line.done_reason or "",
            usage=usage,
            upstream_model=line.model or "",
        )

    def decoder(self) -> StreamDecoder:
        """Reads Ollama's lines."""
        return Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        try:
            decoded = json.decode(body)
        except ValueError:
            decoded = None
        return failures.error_of(decoded.get("error") if isinstance(decoded, dict) else None, status, headers)

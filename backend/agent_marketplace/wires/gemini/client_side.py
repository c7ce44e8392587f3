"""Gemini generateContent towards our clients: their request in, our answer, stream and errors out.

Google's JSON mapping reads camelCase and snake_case names alike; so does this.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Citation,
    Cited,
    Event,
    Finish,
    ImagePart,
    Message,
    OpaquePart,
    Part,
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
from agent_marketplace.wires.gemini.schemas import lower_types
from agent_marketplace.wires.gemini.vocabulary import VOCABULARY
from agent_marketplace.wires.shared import citing, fields, pictures
from agent_marketplace.wires.shared.called import arguments_of
from agent_marketplace.wires.shared.vocabulary import camel
from agent_marketplace.wires.shared.waiting import Waiting

_NUMERAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
_TAGGED = re.compile(r"[a-z]+#")
_KNOWN = frozenset(
    {"contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config", "generationConfig",
     "generation_config", "model", "stream"}
)  # fmt: skip
_GENERATION = frozenset(
    {"maxOutputTokens", "temperature", "topP", "topK", "stopSequences", "seed", "frequencyPenalty", "presencePenalty",
     "candidateCount", "responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig"}
)  # fmt: skip

FINISH = {
    Finish.STOP: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL_CALLS: "STOP",
    Finish.CONTENT_FILTER: "SAFETY",
    Finish.ERROR: "OTHER",
}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _get(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    return value if value is not None else body.get(_snake(name))


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{where}: expected object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"{where}: expected array")
    return value


def _str(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"{where}: expected str")
    return value


_MOST = 2.0**53  # beyond it a JSON number is no exact whole number


class _Config:
    """generationConfig with checked types."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.values = {camel(k): v for k, v in raw.items()}

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and _NUMERAL.fullmatch(
            value
        ):  # Google's JSON mapping reads numbers in quotes
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"generationConfig.{name}: expected number")
        return float(value)

    def whole(self, name: str, least: int | None = None) -> int | None:
        value = self.number(name)
        if value is None:
            return None
        if not value.is_integer() or abs(value) > _MOST or (least is not None and value < least):
            raise BadRequest(
                f"generationConfig.{name}: expected a whole number{'' if least is None else f' of at least {least}'}"
            )
        return int(value)


def parse(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    """The canonical call. Raises BadRequest with words that name the field."""
    fields.check_names(body)
    raw = {name: fields.value(value) for name, value in fields.raw_fields(body).items()}
    name = model or raw.get("model")
    if not isinstance(name, str) or not name:
        raise BadRequest("model: is missing")
    contents = raw.get("contents")
    contents = [contents] if isinstance(contents, dict) else _list(contents, "contents")
    if not contents:
        raise BadRequest("contents: must not be empty")
    config = _Config(_object(_get(raw, "generationConfig"), "generationConfig"))
    extra = {k: v for k, v in raw.items() if k not in _KNOWN and k not in fields.ROUTING_FIELDS}
    if left := {k: v for k, v in config.values.items() if k not in _GENERATION}:
        extra["generationConfig"] = left
    schema, form = _format(config)
    effort, budget = _thinking(config)
    system = _get(raw, "systemInstruction")
    calls = Waiting()
    messages = (
        [] if system is None else [Message("system", tuple(_parts(system, "systemInstruction", calls)))]
    )
    messages += [_content(c, f"contents[{i}]", calls) for i, c in enumerate(contents)]
    stop = [
        _str(s, "generationConfig.stopSequences")
        for s in _list(config.values.get("stopSequences"), "stopSequences")
    ]
    unread, strange = VOCABULARY.found(body)
    return Call(
        model=name.removeprefix("models/"),
        messages=tuple(messages),
        wire="gemini",
        stream=bool(stream),
        include_usage=True,
        max_tokens=config.whole("maxOutputTokens", 1),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.whole("topK"),
        stop=tuple(stop),
        seed=config.whole("seed"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        n=config.whole("candidateCount", 1),
        tools=tuple(_tools(raw)),
        tool_choice=_choice(raw)[0],
        allowed_tools=_choice(raw)[1],
        response_format=form,
        response_schema=schema,
        reasoning_effort=effort,
        reasoning_max_tokens=budget,
        routing={k: v for k, v in raw.items() if k in fields.ROUTING_FIELDS},
        extra=extra,
        unread=unread,
        strange=strange,
    )


def _format(config: _Config) -> tuple[dict[str, Any] | None, Any]:
    given = config.values.get("responseJsonSchema")
    if given is None and config.values.get("responseSchema") is not None:
        given = lower_types(config.values["responseSchema"])
    if given is not None:
        return _object(given, "generationConfig.responseSchema"), "json_schema"
    return None, "json_object" if config.values.get("responseMimeType") == "application/json" else None


def _thinking(config: _Config) -> tuple[str | None, int | None]:
    thinking = _object(config.values.get("thinkingConfig"), "generationConfig.thinkingConfig")
    level, budget = _get(thinking, "thinkingLevel"), _get(thinking, "thinkingBudget")
    if isinstance(level, str):
        return level.lower(), None
    if not isinstance(budget, int) or isinstance(budget, bool):
        return None, None
    return ("medium", None) if budget < 0 else ("none", None) if budget == 0 else (None, budget)


def _tools(raw: dict[str, Any]) -> list[Tool]:
    tools: list[Tool] = []
    for i, entry in enumerate(_list(raw.get("tools"), "tools")):
        for name, value in _object(entry, f"tools[{i}]").items():
            if camel(name) != "functionDeclarations":
                tools.append(Tool(name=camel(name), native={name: value}))
                continue
            for j, f in enumerate(_list(value, f"tools[{i}].functionDeclarations")):
                where = f"tools[{i}].functionDeclarations[{j}]"
                f = _object(f, where)
                schema = _get(f, "parametersJsonSchema")
                if schema is None:
                    schema = lower_types(f.get("parameters") or {})
                called = _str(f.get("name"), f"{where}.name")
                tools.append(
                    Tool(called, str(f.get("description") or ""), _object(schema, f"{where}.parameters"))
                )
    return tools


def _choice(raw: dict[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """(choice, the names that it is among)."""
    config = _object(
        _get(_object(_get(raw, "toolConfig"), "toolConfig"), "functionCallingConfig"), "functionCallingConfig"
    )
    names = _list(_get(config, "allowedFunctionNames"), "allowedFunctionNames")
    if config.get("mode") == "ANY" and len(names) == 1:
        return _str(names[0], "allowedFunctionNames"), ()
    choice = {"ANY": "required", "AUTO": "auto", "NONE": "none", "VALIDATED": "auto"}.get(
        str(config.get("mode"))
    )
    return choice, tuple(_str(n, "allowedFunctionNames") for n in names) if choice != "none" else ()


def _content(content: Any, where: str, calls: Waiting) -> Message:
    content = _object(content, where)
    role = content.get("role") or "user"
    if role not in ("user", "model", "function", "tool", "assistant", "system"):
        raise BadRequest(f"{where}.role: must be user or model")
    return Message(
        "assistant" if role in ("model", "assistant") else "user", tuple(_parts(content, where, calls))
    )


def _parts(content: Any, where: str, calls: Waiting) -> list[Part]:
    if isinstance(content, str):
        return [TextPart(content)]
    parts = _object(content, where).get("parts")
    parts = [parts] if isinstance(parts, dict) else _list(parts, f"{where}.parts")
    out: list[Part] = []
    for i, part in enumerate(parts):
        here = f"{where}.parts[{i}]"
        part = _object(part, here)
        out.append(_part(part, here, calls))
        out += _pictures(_get(part, "functionResponse"), here)
    return out


def _pictures(answer: Any, where: str) -> list[Part]:
    """What a function answered beside its JSON: it follows the result."""
    parts = _get(answer, "parts") if isinstance(answer, dict) else None
    found = [
        _object(p, f"{where}.functionResponse.parts") for p in _list(parts, f"{where}.functionResponse.parts")
    ]
    return [_media(_object(_get(p, "inlineData"), f"{where}.inlineData"), p, where) for p in found]


def _part(part: dict[str, Any], where: str, calls: Waiting) -> Part:
    signature = _read_signature(str(_get(part, "thoughtSignature") or ""))
    if (text := part.get("text")) is not None:
        text = _str(text, f"{where}.text")
        return ReasoningPart(text, signature) if part.get("thought") is True else TextPart(text)
    if (data := _get(part, "inlineData")) is not None:
        return _media(_object(data, f"{where}.inlineData"), part, where)
    if (made := _get(part, "functionCall")) is not None:
        made = _object(made, f"{where}.functionCall")
        name = _str(made.get("name"), f"{where}.functionCall.name")
        arguments = json.encode(_object(made.get("args"), f"{where}.functionCall.args")).decode()
        return ToolCallPart(calls.made(name, _id(made)), name, arguments, signature)
    if (answer := _get(part, "functionResponse")) is not None:
        answer = _object(answer, f"{where}.functionResponse")
        name = _str(answer.get("name"), f"{where}.functionResponse.name")
        content = json.encode(answer.get("response") or {}).decode()
        return ToolResultPart(calls.answered(name, _id(answer))[0], content, name)
    return OpaquePart(next((camel(k) for k in part), "empty"), part)


def _id(value: Mapping[str, Any]) -> str:
    given = value.get("id")
    return given if isinstance(given, str) else ""


def _read_signature(text: str) -> str:
    """A signature as it was tagged here: this wire's clients carry bytes only, so `_written_signature` packed the tag in."""
    try:
        inner = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True).decode("ascii")
    except ValueError:
        return text
    return inner if _TAGGED.match(inner) else text


def _written_signature(signature: str) -> dict[str, Any]:
    """`thoughtSignature` in base64, which Google's clients insist on."""
    if not signature:
        return {}
    tagged = _TAGGED.match(signature)
    return {"thoughtSignature": base64.b64encode(signature.encode()).decode() if tagged else signature}


def _media(data: dict[str, Any], part: dict[str, Any], where: str) -> Part:
    kind = _str(_get(data, "mimeType"), f"{where}.inlineData.mimeType")
    content = _str(data.get("data"), f"{where}.inlineData.data")
    if not kind.startswith("image/"):
        return OpaquePart(kind, part)
    return ImagePart(media_type=kind, data=content.replace("-", "+").replace("_", "/"))


def usage_json(usage: Usage) -> dict[str, Any]:
    """`usageMetadata`: thoughts stand beside the candidates' tokens."""
    return {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "cachedContentTokenCount": usage.cache_read,
        "totalTokenCount": usage.total_tokens,
    }


_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    409: "ABORTED", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip


_TOO_LONG = "exceeds the maximum number of tokens allowed"


def error_json(error: MarketplaceError, request_id: str) -> dict[str, Any]:
    """Google's error object; our stable code as ErrorInfo, the wait as RetryInfo."""
    metadata = {**error.extra, "request_id": request_id}
    details: list[dict[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": error.code.upper(), "domain": "agent-marketplace",
         "metadata": metadata}
    ]  # fmt: skip
    if error.retry_after is not None:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{error.retry_after:g}s"}
        )
    status = _STATUS.get(error.status, "INTERNAL")
    message = error.message
    if error.code == "context_length_exceeded" and _TOO_LONG not in message:
        message = f"The input token count {_TOO_LONG}: {message}"  # Google's words, by which clients know it
    return {"error": {"code": error.status, "message": message, "status": status, "details": details}}


def _call_json(call_id: str, name: str, arguments: str, signature: str) -> dict[str, Any]:
    part: dict[str, Any] = {
        "functionCall": {"id": call_id, "name": name, "args": arguments_of(ToolCallPart("", "", arguments))}
    }
    return part | _written_signature(signature)


class Encoder:
    """Canonical events -> chunks of streamGenerateContent. Function calls leave whole, at the end."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._tail = json.encode({"modelVersion": shape.model, "responseId": shape.id})[1:]
        self._calls: dict[int, list[str]] = {}
        self._text: list[str] = []
        self._cited: list[Citation] = []

    def start(self) -> bytes:
        """Nothing: this wire has no opening."""
        return b""

    def _chunk(
        self,
        parts: list[dict[str, Any]],
        more: Mapping[str, Any],
        finish: str | None = None,
        sources: Mapping[str, Any] | None = None,
    ) -> bytes:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        candidate |= {**({"finishReason": finish} if finish else {}), **(sources or {})}
        return (
            b"data: "
            + json.encode({"candidates": [candidate], **more})[:-1]
            + b","
            + self._tail
            + b"\r\n\r\n"
        )

    def feed(self, events: Sequence[Event]) -> bytes:
        """One chunk an event."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, TextDelta):
                out.append(self._chunk([{"text": event.text}], {}))
                self._text.append(event.text)
            elif isinstance(event, Cited):
                self._cited += event.citations
            elif isinstance(event, ImagePart):
                out.append(self._chunk([pictures.inline(event)], {}))
            elif isinstance(event, ReasoningDelta) and (event.text or event.signature):
                part = {"text": event.text, "thought": True}
                out.append(self._chunk([part | _written_signature(event.signature)], {}))
            elif isinstance(event, ToolCallDelta):
                call = self._calls.setdefault(event.index, ["", "", "", ""])
                for i, piece in enumerate((event.id, event.name, event.arguments, event.signature)):
                    call[i] += piece
        return b"".join(out)

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The chunk with the function calls, the finish reason and usage."""
        parts = [_call_json(*self._calls[i]) for i in sorted(self._calls)] or [{"text": ""}]
        more = {**({"usageMetadata": usage_json(usage)} if usage is not None else {}), **extra}
        return self._chunk(parts, more, FINISH[finish], citing.grounding(self._cited, "".join(self._text)))

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """The error object as the last chunk."""
        return b"data: " + json.encode(error_json(error, request_id)) + b"\r\n\r\n"


class Inward:
    """The codec's half that faces our clients."""

    content_type_stream = "text/event-stream"

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body; model and stream stand in the path. Raises BadRequest with words that name the field."""
        return parse(body, model=model, stream=stream)

    def render_count(self, input_tokens: int) -> bytes:
        """The answer of `countTokens`."""
        return json.encode({"totalTokens": input_tokens})

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A whole answer; `extra` stands at the top level."""
        parts: list[dict[str, Any]] = []
        for part in reply.parts:
            if isinstance(part, TextPart):
                parts.append({"text": part.text})
            elif isinstance(part, ReasoningPart) and not part.redacted:
                thought = {"text": part.text, "thought": True}
                parts.append(thought | _written_signature(part.signature))
            elif isinstance(part, ToolCallPart):
                parts.append(_call_json(part.id, part.name, part.arguments, part.signature))
            elif isinstance(part, ImagePart):
                parts.append(pictures.inline(part))
        candidate = {"content": {"role": "model", "parts": parts or [{"text": ""}]}, "index": 0}
        candidate["finishReason"] = FINISH[reply.finish or Finish.ERROR]
        candidate |= citing.grounding(reply.citations, reply.text)
        body: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": shape.model,
            "responseId": shape.id,
        }
        if reply.usage is not None:
            body["usageMetadata"] = usage_json(reply.usage)
        return json.encode(body | dict(extra))

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """Google's error body."""
        return json.encode(error_json(error, request_id))

    def encoder(self, shape: Shape) -> StreamEncoder:
        """Chunks of streamGenerateContent."""
        return Encoder(shape)

    def keep_alive(self) -> bytes:
        """An empty line: google-genai takes a comment for a broken answer."""
        return b"\r\n"

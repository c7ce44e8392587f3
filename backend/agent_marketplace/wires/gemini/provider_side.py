"""Gemini generateContent towards Google: the request out, its answer, stream and errors in."""

import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import (
    Call,
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
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.shared import citing, failures, fields, meant, pictures, reported, signatures
from agent_marketplace.wires.shared.allowed import offered
from agent_marketplace.wires.shared.called import arguments_of, call_id
from agent_marketplace.wires.shared.media import type_of
from agent_marketplace.wires.sse import SSEEvent, SSEParser

FINISH = {
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "MODEL_ARMOR",
         "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
        Finish.CONTENT_FILTER,
    ),
    **dict.fromkeys(
        ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE", "OTHER",
         "MISSING_THOUGHT_SIGNATURE", "IMAGE_OTHER", "NO_IMAGE"),
        Finish.ERROR,
    ),
}  # fmt: skip
# Gemini 2.5 takes budgets, from 3 on levels (Gemini API, "Thinking"; the token figures are its OpenAI compatibility layer's).
_BUDGETS = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
_LEVELS = {"none": "low", "xhigh": "high", "max": "high"}
# Stands in for the signature of a call that another model made (Gemini API, "Thought signatures", FAQ).
_FOREIGN_SIGNATURE = "skip_thought_signature_validator"


def path_of(upstream_model: str, *, stream: bool) -> str:
    """Where Google generates content, below its base URL."""
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"v1beta/models/{quote(upstream_model, safe='')}:{method}"


def build(call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
    """The body of generateContent. Raises UpstreamFailure(UNSUPPORTED)."""
    dropped = [n for n in ("parallel_tool_calls", "user") if getattr(call, n) is not None]
    levels = call.manner.thinking == "level"
    body: dict[str, Any] = {}
    extra = dict(call.extra) if call.wire == "gemini" else {}
    config = _config(call, levels) | _shown(call)
    if call.wire != "gemini":
        told = _SHOWN if "responseModalities" in config else ()
        dropped += [name for name in call.extra if name not in told]
    meant.check_call(call, dropped)
    system = "\n\n".join(
        p.text for m in call.messages if m.role == "system" for p in m.parts if isinstance(p, TextPart)
    )
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    body["contents"] = _contents(call, levels)
    config |= extra.pop("generationConfig", {})
    if config:
        body["generationConfig"] = config
    body |= _tools(call) | extra
    return OutboundCall(
        path=path_of(upstream_model, stream=stream), body=json.encode(body), dropped=tuple(dropped)
    )


_SHOWN = ("modalities", "image_config")


def _shown(call: Call) -> dict[str, Any]:
    """Pictures that an OpenAI client asks for as OpenRouter's do (`modalities`, `image_config`)."""
    asked = pictures.modalities(call.extra.get("modalities")) if call.wire == "openai" else []
    if not asked:
        return {}
    form = call.extra.get("image_config")
    names = {"aspect_ratio": "aspectRatio", "image_size": "imageSize"}
    told = {names[k]: v for k, v in form.items() if k in names} if isinstance(form, Mapping) else {}
    return {"responseModalities": [m.upper() for m in asked]} | ({"imageConfig": told} if told else {})


def _config(call: Call, levels: bool) -> dict[str, Any]:
    config: dict[str, Any] = {
        "maxOutputTokens": call.max_tokens,
        "temperature": call.temperature,
        "topP": call.top_p,
        "topK": call.top_k,
        "stopSequences": list(call.stop) or None,
        "seed": call.seed,
        "frequencyPenalty": call.frequency_penalty,
        "presencePenalty": call.presence_penalty,
    }
    if call.response_format in ("json_object", "json_schema"):
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = call.response_schema
    effort, budget = call.reasoning_effort, call.reasoning_max_tokens
    shown = not call.manner.thinking_hidden and effort != "none" and budget != 0
    if budget is not None:
        config["thinkingConfig"] = {"thinkingBudget": budget, "includeThoughts": shown}
    elif effort is not None and levels:
        config["thinkingConfig"] = {"thinkingLevel": _LEVELS.get(effort, effort), "includeThoughts": shown}
    elif effort is not None:
        config["thinkingConfig"] = {"thinkingBudget": _BUDGETS.get(effort, 8192), "includeThoughts": shown}
    return {k: v for k, v in config.items() if v is not None}


def _tools(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {}
    declared: list[dict[str, Any]] = []
    natives: list[dict[str, Any]] = []
    for tool in call.tools:
        if tool.native is not None:
            if call.wire != "gemini":
                raise UpstreamFailure(
                    FailureClass.UNSUPPORTED,
                    f"The tool {tool.name} exists only at the provider it was written for",
                )
            natives.append(dict(tool.native))
            continue
        entry: dict[str, Any] = {"name": tool.name, "description": tool.description or tool.name}
        if tool.parameters:
            entry["parametersJsonSchema"] = tool.parameters
        declared.append(entry)
    body: dict[str, Any] = {"tools": ([{"functionDeclarations": declared}] if declared else []) + natives}
    if call.tool_choice is not None:
        mode = {"auto": "AUTO", "none": "NONE", "required": "ANY"}.get(call.tool_choice)
        chosen: dict[str, Any] = {"mode": mode}
        if mode is None:
            chosen = {"mode": "ANY", "allowedFunctionNames": [call.tool_choice]}
        elif call.allowed_tools and mode != "NONE":  # names stand with these two modes only
            names = [t.name for t in offered(call) if t.native is None]
            chosen = {"mode": "VALIDATED" if mode == "AUTO" else mode, "allowedFunctionNames": names}
        body["toolConfig"] = {"functionCallingConfig": chosen}
    return body


def _contents(call: Call, levels: bool) -> list[dict[str, Any]]:
    names = {p.id: p.name for m in call.messages for p in m.parts if isinstance(p, ToolCallPart)}
    turns: list[dict[str, Any]] = []
    for message in call.messages:
        if message.role == "system":
            continue
        role = "model" if message.role == "assistant" else "user"
        parts = _message(message, call, names, levels)
        if levels:
            parts = _beside(parts)
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        elif parts:
            turns.append({"role": role, "parts": parts})
    return turns or [{"role": "user", "parts": [{"text": " "}]}]


def _beside(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pictures inside the function's answer that they stand behind, from Gemini 3 on: beside it they are counted as answers of
    calls that were not made (google-gemini/gemini-cli#17068)."""
    out: list[dict[str, Any]] = []
    for part in parts:
        answer = out[-1].get("functionResponse") if out else None
        if answer is not None and "inlineData" in part:
            answer.setdefault("parts", []).append(part)
        else:
            out.append(part)
    return out


def _message(message: Message, call: Call, names: Mapping[str, str], levels: bool) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    unsigned = levels
    for part in message.parts:
        made = _part(part, call, names)
        if made is None:
            continue
        if "functionCall" in made:
            if "thoughtSignature" not in made and unsigned:
                made["thoughtSignature"] = _FOREIGN_SIGNATURE
            unsigned = False  # only the first call of a turn carries one
        out.append(made)
    return out


def _part(part: Part, call: Call, names: Mapping[str, str]) -> dict[str, Any] | None:
    match part:
        case TextPart():
            return {"text": part.text} if part.text else None
        case ImagePart():
            if part.url:
                kind = mimetypes.guess_type(part.url.partition("?")[0])[0] or "image/jpeg"
                return {"fileData": {"mimeType": kind, "fileUri": part.url}}
            return {"inlineData": {"mimeType": type_of(part.media_type, part.data), "data": part.data}}
        case ToolCallPart():
            made: dict[str, Any] = {"functionCall": {"name": part.name, "args": arguments_of(part)}}
            signature = signatures.own("gemini", part.signature, call.wire)
            return made | ({"thoughtSignature": signature} if signature else {})
        case ToolResultPart():
            name = part.name or names.get(part.call_id) or part.call_id
            return {"functionResponse": {"name": name, "response": _response(part)}}
        case ReasoningPart():
            signature = signatures.own("gemini", part.signature, call.wire)
            return {"text": part.text, "thought": True, "thoughtSignature": signature} if signature else None
        case OpaquePart():
            if call.wire != "gemini":
                raise UpstreamFailure(
                    FailureClass.UNSUPPORTED, f"Content of type {part.kind} cannot be sent to this provider"
                )
            return dict(part.value)


_REFERENCES = ('"$ref"', '"$defs"')


def _response(part: ToolResultPart) -> dict[str, Any]:
    """A function's answer as an object. One that speaks of schemas stays a text: Google looks for what their references name and
    refuses the request (vercel/ai#14369)."""
    value: Any = part.content
    if not any(word in part.content for word in _REFERENCES):
        try:
            value = json.decode(part.content)
        except ValueError:
            pass
    if isinstance(value, dict) and not part.is_error:
        return value
    return {"error" if part.is_error else "result": value}


class _FunctionCall(msgspec.Struct, rename="camel"):
    name: str = ""
    args: Any = None
    id: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None
    inline_data: Any = None


class _Content(msgspec.Struct, rename="camel"):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    index: int | None = 0
    grounding_metadata: Any = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: Any = None
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


_answer = msgspec.json.Decoder(_Answer)


def _blocked(answer: _Answer) -> UpstreamFailure | None:
    reason = answer.prompt_feedback.block_reason if answer.prompt_feedback else None
    if reason is None or answer.candidates:
        return None
    return UpstreamFailure(
        FailureClass.CONTENT, f"The provider's policy refused the prompt ({reason[:60]})", status=200
    )


class Decoder:
    """Google's stream -> canonical events."""

    def __init__(self) -> None:
        self._parser = SSEParser()
        self._calls = 0
        self._text: list[str] = []

    def feed(self, data: bytes) -> list[Event]:
        """Events of the chunks completed by these bytes."""
        return [e for item in self._parser.feed(data) for e in self.read(item)]

    def close(self) -> list[Event]:
        """Flushes a chunk whose blank line is missing."""
        return [e for item in self._parser.close() for e in self.read(item)]

    def read(self, item: SSEEvent) -> list[Event]:
        """What one chunk says of the first candidate."""
        if item.oversized:
            return [Malformed("an event larger than the bound")]
        try:
            answer = fields.tolerant(_answer.decode, _Answer, item.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [Malformed("an event that is no chunk")] if item.data.strip() else []
        if answer.error:
            return [StreamError(failures.as_error(error_of(answer.error, 0, {})))]
        if (refused := _blocked(answer)) is not None:
            return [StreamError(failures.as_error(refused))]
        candidate = next((c for c in answer.candidates or () if c.index in (0, None)), None)
        events: list[Event] = []
        for part in (candidate.content.parts if candidate and candidate.content else None) or ():
            events += self._part(part)
        if candidate is not None and candidate.grounding_metadata is not None:
            cited = citing.from_gemini(candidate.grounding_metadata, "".join(self._text))
            events += [Cited(tuple(cited))] if cited else []
        if answer.usage_metadata is not None:
            events += _usage(answer.usage_metadata)
        if candidate is not None and candidate.finish_reason:
            events += (
                Finished(_finish(candidate.finish_reason, calls=self._calls > 0), candidate.finish_reason),
                Done(),
            )
        return events

    def _part(self, part: _Part) -> list[Event]:
        signature = signatures.tagged("gemini", part.thought_signature or "")
        if part.function_call is not None:
            call, number = part.function_call, self._calls
            self._calls += 1
            return [
                ToolCallDelta(
                    number, call.id or call_id(number, call.name), call.name, _arguments(call), signature
                )
            ]
        if part.thought:
            return [ReasoningDelta(part.text or "", signature)]
        out: list[Event] = [TextDelta(part.text)] if part.text else []
        out += pictures.from_gemini(part.inline_data)
        self._text += [part.text] if part.text else []
        return out + ([ReasoningDelta(signature=signature)] if signature else [])


def _arguments(call: _FunctionCall) -> str:
    return call.args if isinstance(call.args, str) and call.args else json.encode(call.args or {}).decode()


def _finish(native: str, *, calls: bool) -> Finish:
    finish = FINISH.get(native.upper(), Finish.STOP)
    return Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish


def _usage(report: Any) -> list[Event]:
    try:
        seen = reported.from_gemini(report)
    except reported.UsageRefused as e:
        return [Malformed(f"usage refused: {e}")]
    return [UsageSeen(seen)] if seen is not None else []


def error_of(error: Any, status: int, headers: Mapping[str, str]) -> UpstreamFailure:
    """Classifies `error: {code, message, status, details}`; RetryInfo counts as Retry-After."""
    wait = failures.retry_after(headers)
    if not isinstance(error, dict):
        return failures.failure(status, (), "", wait=wait)
    code = error.get("code")
    if status in (0, 200) and isinstance(code, int) and 400 <= code <= 599:
        status = code
    for detail in error.get("details") or ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if wait is None and isinstance(delay, str) and delay.endswith("s"):
            wait = failures.retry_after({"retry-after": delay[:-1]})
    return failures.failure(
        status, (str(error.get("status") or ""),), str(error.get("message") or ""), wait=wait
    )


class Outward:
    """The codec's half that faces Google."""

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED)."""
        return build(call, upstream_model, stream=stream)

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        try:
            answer = fields.tolerant(_answer.decode, _Answer, body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        if answer.error:
            raise error_of(answer.error, 200, {})
        if (refused := _blocked(answer)) is not None:
            raise refused
        if not answer.candidates:
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no candidates")
        return _reply(answer, answer.candidates[0])

    def decoder(self) -> StreamDecoder:
        """Reads Google's stream."""
        return Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        try:
            decoded = json.decode(body)
        except ValueError:
            decoded = None
        if isinstance(decoded, list) and decoded:
            decoded = decoded[0]
        return error_of(decoded.get("error") if isinstance(decoded, dict) else None, status, headers)


def _reply(answer: _Answer, candidate: _Candidate) -> Reply:
    parts: list[Part] = []
    for part in (candidate.content.parts if candidate.content else None) or ():
        signature = signatures.tagged("gemini", part.thought_signature or "")
        if part.function_call is not None:
            made = part.function_call
            parts.append(
                ToolCallPart(
                    made.id or call_id(len(parts), made.name), made.name, _arguments(made), signature
                )
            )
        elif part.thought:
            parts.append(ReasoningPart(part.text or "", signature))
        else:
            parts += [TextPart(part.text)] if part.text else []
            parts += pictures.from_gemini(part.inline_data)
    try:
        usage = reported.from_gemini(answer.usage_metadata)
    except reported.UsageRefused:
        usage = None
    native = candidate.finish_reason or ""
    return Reply(
        parts=tuple(parts),
        finish=_finish(native, calls=any(isinstance(p, ToolCallPart) for p in parts)) if native else None,
        native_finish=native,
        usage=usage,
        upstream_id=answer.response_id or "",
        upstream_model=answer.model_version or "",
        citations=tuple(
            citing.from_gemini(
                candidate.grounding_metadata, "".join(p.text for p in parts if isinstance(p, TextPart))
            )
        ),
    )

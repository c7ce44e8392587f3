"""Hugging Face text generation, for plain models without a chat template (TGI and the hf-inference task).

Chat models speak the OpenAI wire at Hugging Face's router. Here messages become one text, in turns named User and Assistant.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    FailureClass,
    FastPath,
    Finish,
    Finished,
    Malformed,
    Message,
    OutboundCall,
    ReasoningPart,
    Reply,
    Shape,
    StreamDecoder,
    StreamEncoder,
    StreamError,
    TextDelta,
    TextPart,
    UpstreamFailure,
    UsageSeen,
    WireName,
)
from agent_marketplace.wires.huggingface.vocabulary import VOCABULARY
from agent_marketplace.wires.shared import failures, fields, meant
from agent_marketplace.wires.shared.reported import MAX_TOKENS
from agent_marketplace.wires.sse import SSEEvent, SSEParser

_FINISH = {
    "length": Finish.LENGTH,
    "eos_token": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "stop": Finish.STOP,
}
_NATIVE = {Finish.LENGTH: "length", Finish.STOP: "eos_token"}


class _Parameters(msgspec.Struct):
    max_new_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None


class _Request(msgspec.Struct):
    inputs: str
    model: str | None = None
    parameters: _Parameters | None = None
    stream: bool = False


class _Details(msgspec.Struct):
    finish_reason: str | None = None
    generated_tokens: Any = None
    input_length: Any = None
    prefill: list[Any] | None = None


class _Token(msgspec.Struct):
    text: str = ""
    special: bool = False


class _Answer(msgspec.Struct):
    token: _Token | None = None
    generated_text: str | None = None
    details: _Details | None = None
    error: Any = None


_request = msgspec.json.Decoder(_Request)
_answer = msgspec.json.Decoder(_Answer)
_answers = msgspec.json.Decoder(list[_Answer] | _Answer)


def prompt_of(messages: Sequence[Message]) -> str:
    """All turns as one text that ends where the model goes on. Raises UpstreamFailure(UNSUPPORTED) for anything but text."""
    lines: list[str] = []
    for message in messages:
        for part in message.parts:
            if not isinstance(part, TextPart | ReasoningPart):
                raise UpstreamFailure(FailureClass.UNSUPPORTED, "This model takes text only")
        text = "".join(p.text for p in message.parts if isinstance(p, TextPart))
        lines.append(text if message.role == "system" else f"{message.role.capitalize()}: {text}")
    if len(messages) == 1 and messages[0].role == "user":
        return lines[0].removeprefix("User: ")
    return "\n\n".join([*lines, "Assistant:"])


def _usage(details: _Details | None) -> Usage | None:
    if details is None or not _plausible(details.generated_tokens):
        return None
    prompt = details.input_length if details.input_length is not None else len(details.prefill or ()) or None
    if not _plausible(prompt):
        return None
    return Usage(input=prompt, output=details.generated_tokens)


def _plausible(count: Any) -> TypeGuard[int]:
    return isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= MAX_TOKENS


class Decoder:
    """TGI's stream -> canonical events."""

    def __init__(self) -> None:
        self._parser = SSEParser()

    def feed(self, data: bytes) -> list[Event]:
        """Events of the stream items completed by these bytes."""
        return [e for item in self._parser.feed(data) for e in self._read(item)]

    def close(self) -> list[Event]:
        """Flushes an event whose blank line is missing."""
        return [e for item in self._parser.close() for e in self._read(item)]

    def _read(self, item: SSEEvent) -> list[Event]:
        try:
            answer = _answer.decode(item.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [Malformed("an event that is no token")] if item.data.strip() or item.oversized else []
        if answer.error:
            return [StreamError(failures.as_error(failures.failure(0, (), str(answer.error))))]
        events: list[Event] = []
        if answer.token is not None and answer.token.text and not answer.token.special:
            events.append(TextDelta(answer.token.text))
        if answer.details is not None and answer.details.finish_reason:
            if (usage := _usage(answer.details)) is not None:
                events.append(UsageSeen(usage))
            native = answer.details.finish_reason
            events += (Finished(_FINISH.get(native, Finish.STOP), native), Done())
        return events


class Encoder:
    """Canonical events -> TGI's stream."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def start(self) -> bytes:
        """Nothing: this wire has no opening."""
        return b""

    def _event(self, text: str, whole: str | None, details: dict[str, Any] | None) -> bytes:
        token = {"id": 0, "text": text, "logprob": 0, "special": whole is not None}
        body = {"index": len(self._text), "token": token, "generated_text": whole, "details": details}
        return b"data:" + json.encode(body) + b"\n\n"

    def feed(self, events: Sequence[Event]) -> bytes:
        """One event a piece of text."""
        out = b""
        for event in events:
            if isinstance(event, TextDelta):
                self._text.append(event.text)
                out += self._event(event.text, None, None)
        return out

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The event with the whole text and the details."""
        return self._event("", "".join(self._text), _details(finish, usage) | dict(extra))

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """An event with `error`."""
        return b"data:" + _error(error, request_id) + b"\n\n"


def _details(finish: Finish, usage: Usage | None) -> dict[str, Any]:
    counts = (
        {"generated_tokens": usage.completion_tokens, "input_length": usage.prompt_tokens} if usage else {}
    )
    return {"finish_reason": _NATIVE.get(finish, "eos_token"), "seed": None, **counts}


def _error(error: MarketplaceError, request_id: str) -> bytes:
    return json.encode(
        {"error": error.message, "error_type": error.code, "request_id": request_id, **error.extra}
    )


class HuggingFaceCodec:
    """Both directions of the text-generation task."""

    name: WireName = "huggingface"
    fast: FastPath | None = None
    content_type_stream = "text/event-stream"

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body. Raises BadRequest with words that name the field."""
        r = fields.guarded(_request.decode, body)
        routing, extra = fields.split_fields(fields.raw_fields(body), frozenset(_Request.__struct_fields__))
        name = model or r.model
        if not name:
            raise BadRequest("model: is missing")
        p = r.parameters or _Parameters()
        unread, strange = VOCABULARY.found(body)
        return Call(
            model=name,
            messages=(Message("user", (TextPart(r.inputs),)),),
            wire="huggingface",
            stream=r.stream if stream is None else stream,
            include_usage=True,
            max_tokens=p.max_new_tokens,
            temperature=p.temperature,
            top_p=p.top_p,
            top_k=p.top_k,
            stop=tuple(p.stop or ()),
            seed=p.seed,
            frequency_penalty=p.frequency_penalty,
            routing=routing,
            extra=extra,
            unread=unread,
            strange=strange,
        )

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        """A list of one generation."""
        details = _details(reply.finish or Finish.ERROR, reply.usage) | dict(extra)
        return json.encode([{"generated_text": reply.text, "details": details, "model": shape.model}])

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """The task API's error body."""
        return _error(error, request_id)

    def encoder(self, shape: Shape) -> StreamEncoder:  # noqa: ARG002 (this wire's stream names no model)
        """TGI's stream."""
        return Encoder()

    def keep_alive(self) -> bytes:
        """A comment."""
        return b": keep-alive\n\n"

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED) for tools, structured output and anything but text."""
        if call.tools or call.response_format in ("json_object", "json_schema"):
            raise UpstreamFailure(
                FailureClass.UNSUPPORTED, "This model knows neither tools nor structured output"
            )
        parameters = {
            "max_new_tokens": call.max_tokens,
            "temperature": call.temperature or None,
            "top_p": call.top_p if call.top_p is not None and 0 < call.top_p < 1 else None,
            "top_k": call.top_k,
            "stop": list(call.stop) or None,
            "seed": call.seed,
            "frequency_penalty": call.frequency_penalty,
            "return_full_text": False,
            "details": True,
        }
        body = {"inputs": prompt_of(call.messages), "stream": stream}
        body["parameters"] = {k: v for k, v in parameters.items() if v is not None}
        unsaid = [
            n for n in ("n", "presence_penalty", "user", "reasoning_effort") if getattr(call, n) is not None
        ]
        meant.check_call(call, call.extra)
        path = f"models/{upstream_model}"
        return OutboundCall(path=path, body=json.encode(body), dropped=(*unsaid, *call.extra))

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer."""
        try:
            answers = _answers.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        answer = answers if isinstance(answers, _Answer) else answers[0] if answers else _Answer()
        if answer.error:
            raise failures.failure(200, (), str(answer.error))
        if answer.generated_text is None:
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no text")
        # Without details the task says nothing of its end: a whole 200 is all the proof there is.
        native = (answer.details.finish_reason if answer.details else None) or "stop"
        return Reply(
            parts=(TextPart(answer.generated_text),),
            finish=_FINISH.get(native, Finish.STOP),
            native_finish=native,
            usage=_usage(answer.details),
        )

    def decoder(self) -> StreamDecoder:
        """Reads TGI's stream."""
        return Decoder()

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """A non-2xx answer, classified."""
        try:
            decoded = json.decode(body)
        except ValueError:
            decoded = None
        words = decoded.get("error") if isinstance(decoded, dict) else None
        kind = str(decoded.get("error_type") or "") if isinstance(decoded, dict) else ""
        words = (
            " ".join(map(str, words)) if isinstance(words, list) else words if isinstance(words, str) else ""
        )
        return failures.failure(status, (kind,), words, wait=failures.retry_after(headers))

"""Completions at providers: four ways to say prefix and suffix (the rulebook's `fim` names a model's), and their answers."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Done,
    Event,
    FailureClass,
    Fill,
    Finish,
    Finished,
    Malformed,
    OutboundCall,
    Reply,
    StreamError,
    TextDelta,
    TextPart,
    UpstreamFailure,
    UsageSeen,
)
from agent_marketplace.wires.fim.templates import TEMPLATES
from agent_marketplace.wires.openai.chunk import finish_of
from agent_marketplace.wires.shared import failures, fields, reported
from agent_marketplace.wires.sse import LineReader, SSEParser

Kind = Literal["", "suffix", "mistral", "template", "infill", "ollama"]
"""suffix: OpenAI's older wire, which has a field for it. mistral: its own path and a chat's answer. template: the older wire
without that field, the prompt in the model's own marks. infill: llama.cpp's. ollama: /api/generate. "": the model can't."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How one model at one provider is told. path: "" = the kind's own; template: a name in `TEMPLATES`."""

    kind: Kind
    path: str = ""
    template: str = ""


_PATHS: Mapping[Kind, str] = {
    "suffix": "completions",
    "mistral": "fim/completions",
    "template": "completions",
    "infill": "/infill",
    "ollama": "api/generate",
}


def build_request(call: Call, upstream_model: str, way: Way, *, max_tokens: int | None) -> OutboundCall:
    """The provider's request for a call with a `fill`. max_tokens: output that the hold buys, None = what the caller gave."""
    if (fill := call.fill) is None:
        raise AssertionError("a completion has a fill")
    limit = max_tokens if max_tokens is not None else call.max_tokens
    builders = {"infill": _infill, "ollama": _ollama}
    body = builders.get(way.kind, _openai)(call, fill, way, limit)
    if way.kind != "infill":
        body = {"model": upstream_model, **body}
    given = {k: v for k, v in body.items() if v is not None}
    return OutboundCall(path=way.path or _PATHS[way.kind], body=json.encode(given), dropped=fill.ignored)


def _openai(call: Call, fill: Fill, way: Way, limit: int | None) -> dict[str, Any]:
    prompt, suffix, stops = fill.prefix, fill.suffix, call.stop
    if way.kind == "template":
        template = TEMPLATES[way.template]
        if suffix is not None:
            prompt, suffix = template.filled(prompt, suffix), None
        stops = tuple(dict.fromkeys((*stops, *template.stops)))
    body: dict[str, Any] = {
        "prompt": prompt,
        "suffix": suffix,
        "max_tokens": limit,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "stop": list(stops) or None,
        "stream": call.stream or None,
    }
    if way.kind == "mistral":
        return body | {"random_seed": call.seed}
    return body | {
        "seed": call.seed,
        "frequency_penalty": call.frequency_penalty,
        "presence_penalty": call.presence_penalty,
        "stream_options": {"include_usage": True} if call.stream else None,
    }


def _infill(call: Call, fill: Fill, _way: Way, limit: int | None) -> dict[str, Any]:
    return {
        "input_prefix": fill.prefix,
        "input_suffix": fill.suffix or "",
        "n_predict": limit,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "seed": call.seed,
        "stop": list(call.stop) or None,
        "stream": call.stream,
        "cache_prompt": True,  # the next pause of typing begins with the same text
    }


def _ollama(call: Call, fill: Fill, _way: Way, limit: int | None) -> dict[str, Any]:
    options = {
        "num_predict": limit,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "seed": call.seed,
        "stop": list(call.stop) or None,
        "frequency_penalty": call.frequency_penalty,
        "presence_penalty": call.presence_penalty,
    }
    return {
        "prompt": fill.prefix,
        "suffix": fill.suffix or None,
        "raw": None if fill.suffix else True,  # else the chat template would be put round it
        "stream": call.stream,
        "options": {k: v for k, v in options.items() if v is not None},
    }


# -- answers -----------------------------------------------------------------------------------------------------------


class _Said(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    text: str | None = None
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    index: int | None = None


class _Answer(msgspec.Struct):
    """Every shape's fields in one: `choices` of OpenAI's and Mistral's, `content` of llama.cpp's, `response` of Ollama's."""

    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    content: str | None = None
    stop: bool | None = None
    stop_type: str | None = None
    stopped_limit: bool | None = None
    tokens_evaluated: Any = None
    tokens_predicted: Any = None
    response: str | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    model: str | None = None


_answer = msgspec.json.Decoder(_Answer)
_TERMINAL = {"infill", "ollama"}  # whose last object is the end mark


class Reader:
    """What a provider answers to one way of asking: the half of a codec that dispatch needs, without its errors."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.content_type_stream = "application/x-ndjson" if kind == "ollama" else "text/event-stream"

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no completion."""
        try:
            answer = fields.tolerant(_answer.decode, _Answer, body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        if answer.error:
            raise failures.error_of(answer.error, 200, {})
        text, native = _said(answer, self._kind)
        if text is None:
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer holds no completion")
        try:
            usage = _usage(answer, self._kind)
        except reported.UsageRefused:
            usage = None
        return Reply(
            parts=(TextPart(text),) if text else (),
            finish=finish_of(native) if native else None,
            native_finish=native,
            usage=usage,
            upstream_model=answer.model or "",
        )

    def decoder(self) -> "Decoder":
        """Reads its stream."""
        return Decoder(self._kind)


class Decoder:
    """A provider's stream -> canonical events."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._lines = LineReader()
        self._events = SSEParser()

    def feed(self, data: bytes) -> list[Event]:
        """Events of what these bytes complete."""
        if self._kind == "ollama":
            return [e for line in self._lines.feed(data) for e in self._read(line)]
        return [
            e for item in self._events.feed(data) for e in self._read(None if item.oversized else item.data)
        ]

    def close(self) -> list[Event]:
        """Flushes what has no end of its own."""
        if self._kind == "ollama":
            return [e for line in self._lines.close() for e in self._read(line)]
        return [e for item in self._events.close() for e in self._read(None if item.oversized else item.data)]

    def _read(self, data: bytes | None) -> list[Event]:
        if data is None:
            return [Malformed("an event larger than the bound")]
        try:
            answer = fields.tolerant(_answer.decode, _Answer, data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            words = data.strip()
            return (
                [Done()] if words == b"[DONE]" else [Malformed("an event that is no chunk")] if words else []
            )
        if answer.error:
            return [StreamError(failures.as_error(failures.error_of(answer.error, 0, {})))]
        text, native = _said(answer, self._kind)
        events: list[Event] = [TextDelta(text)] if text else []
        try:
            if (native or self._kind not in _TERMINAL) and (usage := _usage(answer, self._kind)) is not None:
                events.append(UsageSeen(usage))
        except reported.UsageRefused as e:
            events.append(Malformed(f"usage refused: {e}"))
        if native:
            events.append(Finished(finish_of(native), native))
            events += [Done()] if self._kind in _TERMINAL else []
        return events


def _said(answer: _Answer, kind: Kind) -> tuple[str | None, str]:
    """(text, the provider's word for the end; "" = it goes on)."""
    if kind == "ollama":
        return answer.response, (answer.done_reason or "stop") if answer.done else ""
    if kind == "infill":
        cut = answer.stopped_limit or answer.stop_type == "limit"
        return answer.content, (Finish.LENGTH.value if cut else Finish.STOP.value) if answer.stop else ""
    choice = next((c for c in answer.choices or () if c.index in (0, None)), None)
    if choice is None:
        return None, ""
    inner = choice.delta or choice.message
    text = choice.text if choice.text is not None else inner.content if inner is not None else None
    return text or "", choice.finish_reason or ""


def _usage(answer: _Answer, kind: Kind) -> Usage | None:
    if kind == "ollama":
        return reported.from_ollama(
            {"prompt_eval_count": answer.prompt_eval_count, "eval_count": answer.eval_count}
        )
    if kind == "infill":
        return reported.from_ollama(
            {"prompt_eval_count": answer.tokens_evaluated, "eval_count": answer.tokens_predicted}
        )
    return reported.from_openai(answer.usage)

"""Our own API's wire (`/api/v1/agents/*`): the guide's reply fields, and the event stream of docs/api.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Event,
    Finish,
    ImagePart,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    ToolCallDelta,
    ToolCallPart,
)
from agent_marketplace.wires.shared import pictures


def usage_fields(usage: Usage | None) -> dict[str, Any]:
    """Usage as our API shows it: disjoint classes, and whether we had to estimate."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0, "estimated": True}
    return {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "reasoning_tokens": usage.reasoning,
        "estimated": usage.estimated,
    }


def done_fields(
    text: str,
    calls: Sequence[Mapping[str, Any]],
    finish: Finish,
    usage: Usage | None,
    shape: Shape,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """The fields of a finished answer, the guide's first."""
    fields: dict[str, Any] = {
        "success": True,
        "result": text,
        "tokens_used": usage.total_tokens if usage is not None else 0,
        "cost": 0,
        "balance_remaining": 0,
        "model": shape.model,
        "provider": shape.provider,
        "finish_reason": str(finish),
        "usage": usage_fields(usage),
        "request_id": shape.id,
    }
    if calls:
        fields["tool_calls"] = list(calls)
    return fields | dict(extra)


class AgentMouth:
    """The client's side. start: fields of the `start` event beside ids and names (run_id, conversation_id, ...)."""

    content_type_stream = "text/event-stream"

    def __init__(self, start: Mapping[str, Any] | None = None) -> None:
        self._start = dict(start or {})

    def encoder(self, shape: Shape) -> "AgentEncoder":
        return AgentEncoder(shape, self._start)

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        calls = [
            {"id": p.id, "name": p.name, "arguments": p.arguments}
            for p in reply.parts
            if isinstance(p, ToolCallPart)
        ]
        thought = "".join(p.text for p in reply.parts if isinstance(p, ReasoningPart))
        shown = "".join(pictures.in_words(p).text for p in reply.parts if isinstance(p, ImagePart))
        fields = done_fields(
            reply.text + shown, calls, reply.finish or Finish.STOP, reply.usage, shape, extra
        )
        return json.encode(fields | ({"reasoning": thought} if thought else {}))

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        return json.encode(
            {
                "success": False,
                "error": error.message,
                "code": error.code,
                "request_id": request_id,
                **error.extra,
            }
        )

    def keep_alive(self) -> bytes:
        return b": keep-alive\n\n"


class AgentEncoder:
    """Events -> our stream, numbered for `Last-Event-ID`."""

    def __init__(self, shape: Shape, start: Mapping[str, Any]) -> None:
        self._shape = shape
        self._fields = start
        self._next = 0
        self._text: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}

    def start(self) -> bytes:
        fields = {"request_id": self._shape.id, "model": self._shape.model, "provider": self._shape.provider}
        return self._event("start", fields | dict(self._fields))

    def feed(self, events: Sequence[Event]) -> bytes:
        out: list[bytes] = []
        text: list[str] = []
        for event in events:
            if isinstance(event, ImagePart):
                event = pictures.in_words(event)
            if isinstance(event, TextDelta):
                text.append(event.text)
                continue
            if text:
                out.append(self._delta(text))
                text = []
            if isinstance(event, ReasoningDelta) and event.text:
                out.append(self._event("reasoning", {"delta": event.text}))
            elif isinstance(event, ToolCallDelta):
                out.append(self._call(event))
        if text:
            out.append(self._delta(text))
        return b"".join(out)

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        calls = [self._calls[i] for i in sorted(self._calls)]
        return self._event("done", done_fields("".join(self._text), calls, finish, usage, self._shape, extra))

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        fields = {"success": False, "error": error.message, "code": error.code, "request_id": request_id}
        if error.retry_after is not None:
            fields["retry_after"] = error.retry_after
        return self._event(
            "error", fields | {"partial": bool(self._text), "cost": 0} | error.extra | dict(self._fields)
        )

    def fallback(self, moved: Mapping[str, str]) -> bytes:
        """Said before the first delta when another model answers than the one asked for."""
        return self._event("fallback", dict(moved))

    def _delta(self, pieces: list[str]) -> bytes:
        joined = "".join(pieces)
        self._text.append(joined)
        return self._event("delta", {"delta": joined})

    def _call(self, event: ToolCallDelta) -> bytes:
        call = self._calls.setdefault(event.index, {"id": "", "name": "", "arguments": ""})
        call["id"] = event.id or call["id"]
        call["name"] = event.name or call["name"]
        call["arguments"] += event.arguments
        piece = {"index": event.index, "id": call["id"], "name": call["name"], "arguments": event.arguments}
        return self._event("tool_call", piece)

    def _event(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        number = self._next
        self._next += 1
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            number,
            kind.encode(),
            json.encode({"type": kind, **fields}),
        )

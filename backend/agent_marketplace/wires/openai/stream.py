"""OpenAI chat completions: canonical events -> `chat.completion.chunk`s."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Cited,
    Event,
    Finish,
    ImagePart,
    ReasoningDelta,
    ReasoningPart,
    Shape,
    TextDelta,
    ToolCallDelta,
)
from agent_marketplace.wires.openai.client_side import detail_json, error_json, signed, usage_json
from agent_marketplace.wires.shared import citing, freeform, pictures
from agent_marketplace.wires.shared.freeform import Written


class Encoder:
    """Canonical events -> `chat.completion.chunk`s."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        base = {
            "id": shape.id,
            "object": "chat.completion.chunk",
            "created": shape.created,
            "model": shape.model,
        }
        if shape.provider:
            base["provider"] = shape.provider
        self._base = json.encode(base)[:-1]
        self._head = b"data: " + self._base + b',"choices":[{"index":0,"delta":'
        self._tail = b',"logprobs":null,"finish_reason":null}]}\n\n'
        self._ids: set[int] = set()
        self._tools = Written(shape.tools)
        self._texts: dict[int, list[str]] = {}
        self._thinking: list[str] = []
        self._details = 0
        self._pictures = 0

    def start(self) -> bytes:
        """The role chunk."""
        return self._head + b'{"role":"assistant","content":""}' + self._tail

    def feed(self, events: Sequence[Event]) -> bytes:
        """One chunk an event; terminal events are kept back."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, TextDelta):
                out += (self._head, b'{"content":', json.encode(event.text), b"}", self._tail)
            elif isinstance(event, ReasoningDelta):
                if event.text:
                    self._thinking.append(event.text)
                    text = json.encode(event.text)
                    out += (
                        self._head,
                        b'{"reasoning_content":',
                        text,
                        b',"reasoning":',
                        text,
                        b"}",
                        self._tail,
                    )
                if event.signature:
                    out += (self._head, json.encode(self._sealed(event.signature)), self._tail)
            elif isinstance(event, Cited):
                out += (self._head, json.encode({"annotations": citing.nested(event.citations)}), self._tail)
            elif isinstance(event, ImagePart):
                shown = pictures.nested(event, self._pictures)
                self._pictures += 1
                out += (self._head, json.encode({"images": [shown]}), self._tail)
            elif isinstance(event, ToolCallDelta):
                out += (self._head, json.encode({"tool_calls": [self._call(event)]}), self._tail)
        return b"".join(out)

    def _sealed(self, signature: str) -> dict[str, Any]:
        """The block of thinking that a signature closes, whole: clients hand it back as it is."""
        detail = detail_json(ReasoningPart("".join(self._thinking), signature), self._details)
        self._thinking, self._details = [], self._details + 1
        return {"reasoning_details": [detail]}

    def _call(self, event: ToolCallDelta) -> dict[str, Any]:
        if event.index in self._texts or self._tools.custom(event.name):
            return self._freeform(event)
        function: dict[str, Any] = {"arguments": event.arguments}
        call: dict[str, Any] = {"index": event.index}
        if event.index not in self._ids and (event.id or event.name):
            self._ids.add(event.index)
            call |= {"id": event.id, "type": "function"}
        if event.name:
            function["name"] = event.name
        return call | {"function": function} | signed(event.signature)

    def _freeform(self, event: ToolCallDelta) -> dict[str, Any]:
        """The call without its text, which stands inside the arguments: it goes out once they are whole."""
        begins = event.index not in self._texts
        self._texts.setdefault(event.index, []).append(event.arguments)
        named = {"id": event.id, "type": "custom", "custom": {"name": event.name, "input": ""}}
        return {"index": event.index, **(named if begins else {"custom": {"input": ""}})}

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The finish chunk, the usage chunk if the client asked for it, `[DONE]`."""
        reason = json.encode(finish.value)
        texts = [
            {"index": index, "custom": {"input": freeform.unwrapped("".join(arguments))}}
            for index, arguments in self._texts.items()
        ]
        told = self._head + json.encode({"tool_calls": texts}) + self._tail if texts else b""
        last = told + self._head + b'{},"logprobs":null,"finish_reason":' + reason + b"}]}\n\n"
        return last + self.usage_chunk(usage, extra) + b"data: [DONE]\n\n"

    def usage_chunk(self, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The usage-only chunk: with empty `choices` for a client that asked for it, with one that says nothing for a client
        that said nothing of it (OpenRouter's read usage unasked; others look at the first choice of every chunk)."""
        asked = self._shape.include_usage
        if usage is None or asked is False:
            return b""
        silent = [] if asked else [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}]
        fields_ = {"choices": silent, "usage": usage_json(usage, extra)} | {
            k: v for k, v in extra.items() if k != "cost"
        }
        return b"data: " + self._base + b"," + json.encode(fields_)[1:] + b"\n\n"

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """The error alone, as OpenAI sends it: a client that finds choices in a chunk (Vercel's) looks for no error there. No
        `[DONE]`, so that nobody takes it for success."""
        return b"data: " + json.encode({"error": error_json(error, request_id)}) + b"\n\n"

"""OpenAI Responses: canonical events -> the typed, numbered events of its stream."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    AskedLeave,
    Cited,
    Event,
    Finish,
    ImagePart,
    RanTool,
    ReasoningDelta,
    Shape,
    TextDelta,
    ToolCallDelta,
    ToolCallPart,
)
from agent_marketplace.wires.responses.client_side import (
    asked_item,
    call_item,
    message_item,
    picture_item,
    ran_item,
    reasoning_item,
    response_json,
)
from agent_marketplace.wires.shared import citing
from agent_marketplace.wires.shared.freeform import Written

_CODES = {"payment_required": "insufficient_quota", "provider_overloaded": "server_is_overloaded"}
"""Codes that OpenAI's clients act upon: they stop, or come back later, instead of trying again at once."""


class Encoder:
    """Output items one after the other; function calls may overlap, each under its own output index."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._number = 0
        self._output: list[dict[str, Any]] = []
        self._kind = ""
        self._text: list[str] = []
        self._signature = ""
        self._phase = ""
        self._said = 0
        self._cited: list[dict[str, Any]] = []
        self._tools = Written(shape.tools)
        self._calls: dict[int, tuple[int, str, str]] = {}  # (place, id, name)
        self._written: dict[int, list[str]] = {}

    def _event(self, kind: str, **body: Any) -> bytes:
        data = json.encode({"type": kind, "sequence_number": self._number, **body})
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"

    def start(self) -> bytes:
        """`response.created` and `response.in_progress`."""
        shell = response_json(self._shape, [], None, None, {})
        return self._event("response.created", response=shell) + self._event(
            "response.in_progress", response=shell
        )

    def feed(self, events: Sequence[Event]) -> bytes:
        """Items and deltas; terminal events are kept back."""
        out = b""
        for event in events:
            if isinstance(event, TextDelta):
                out += self._open("message", event.phase) + self._delta(
                    "response.output_text.delta", event.text, logprobs=[], content_index=0
                )
                self._text.append(event.text)
            elif isinstance(event, ReasoningDelta):
                out += self._open("reasoning")
                self._signature = event.signature or self._signature
                if event.text:
                    out += self._delta("response.reasoning_summary_text.delta", event.text, summary_index=0)
                    self._text.append(event.text)
            elif isinstance(event, Cited):
                out += self._annotated(event)
            elif isinstance(event, ToolCallDelta):
                out += self._call(event)
            elif isinstance(event, ImagePart):
                item = picture_item(f"ig_{len(self._output)}_{self._shape.id}", event)
                out += self._close() + self._whole(item)
            elif isinstance(event, RanTool):
                out += self._close() + self._ran(event)
            elif isinstance(event, AskedLeave):
                out += self._close() + self._asked(event)
        return out

    def _ran(self, event: RanTool) -> bytes:
        item, at = ran_item(event), len(self._output)
        where = {"item_id": item["id"], "output_index": at}
        self._output.append(item)
        begun = {**item, "output": None, "error": None, "status": "in_progress"}
        out = self._event("response.output_item.added", output_index=at, item=begun)
        out += self._event("response.mcp_call.in_progress", **where)
        out += self._event("response.mcp_call_arguments.done", **where, arguments=event.arguments)
        out += self._event(f"response.mcp_call.{'failed' if event.is_error else 'completed'}", **where)
        return out + self._event("response.output_item.done", output_index=at, item=item)

    def _asked(self, event: AskedLeave) -> bytes:
        return self._whole(asked_item(event))

    def _whole(self, item: dict[str, Any]) -> bytes:
        """An item that comes at once."""
        at = len(self._output)
        self._output.append(item)
        out = self._event("response.output_item.added", output_index=at, item=item)
        return out + self._event("response.output_item.done", output_index=at, item=item)

    def _annotated(self, event: Cited) -> bytes:
        """Sources of the message that is open; those of none have nowhere to stand."""
        out = b""
        for citation in event.citations if self._kind == "message" else ():
            annotation = citing.flat(citation, self._said)
            where = {**self._at(), "content_index": 0, "annotation_index": len(self._cited)}
            self._cited.append(annotation)
            out += self._event("response.output_text.annotation.added", **where, annotation=annotation)
        return out

    def _at(self) -> dict[str, Any]:
        at = len(self._output) - 1
        return {"item_id": self._output[at]["id"], "output_index": at}

    def _delta(self, kind: str, delta: str, **more: Any) -> bytes:
        return self._event(kind, **self._at(), delta=delta, **more)

    def _open(self, kind: str, phase: str = "") -> bytes:
        if self._kind == kind and (kind != "message" or phase == self._phase):
            return b""
        out = self._close()
        self._kind, self._phase = kind, phase
        at = len(self._output)
        if kind == "message":
            self._output.append(message_item(f"msg_{at}_{self._shape.id}", "", "in_progress", phase))
            part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            out += self._event("response.output_item.added", output_index=at, item=self._output[at])
            return out + self._event("response.content_part.added", **self._at(), content_index=0, part=part)
        self._output.append(reasoning_item(f"rs_{at}_{self._shape.id}", ""))
        out += self._event("response.output_item.added", output_index=at, item=self._output[at])
        part = {"type": "summary_text", "text": ""}
        return out + self._event(
            "response.reasoning_summary_part.added", **self._at(), summary_index=0, part=part
        )

    def _close(self) -> bytes:
        if not self._kind:
            return b""
        text, at = "".join(self._text), len(self._output) - 1
        item_id = self._output[at]["id"]
        if self._kind == "message":
            self._output[at] = message_item(item_id, text, phase=self._phase, annotations=self._cited)
            self._said, self._cited = self._said + len(text), []
            part = self._output[at]["content"][0]
            out = self._event(
                "response.output_text.done", **self._at(), content_index=0, text=text, logprobs=[]
            )
            out += self._event("response.content_part.done", **self._at(), content_index=0, part=part)
        else:
            self._output[at] = reasoning_item(item_id, text, self._signature)
            part = {"type": "summary_text", "text": text}
            out = self._event(
                "response.reasoning_summary_text.done", **self._at(), summary_index=0, text=text
            )
            out += self._event(
                "response.reasoning_summary_part.done", **self._at(), summary_index=0, part=part
            )
        self._kind, self._text, self._signature = "", [], ""
        return out + self._event("response.output_item.done", output_index=at, item=self._output[at])

    def _call(self, event: ToolCallDelta) -> bytes:
        out = b""
        if event.index not in self._calls:
            out += self._close()
            at = len(self._output)
            self._calls[event.index], self._written[event.index] = (at, event.id, event.name), []
            item = self._item(event.index, "in_progress")
            self._output.append(item)
            out += self._event("response.output_item.added", output_index=at, item=item)
        at, _, name = self._calls[event.index]
        if event.arguments:
            self._written[event.index].append(event.arguments)
            # A freeform tool's text stands inside the arguments: it goes out once they are whole.
            if not self._tools.custom(name):
                where = {"item_id": self._output[at]["id"], "output_index": at}
                out += self._event("response.function_call_arguments.delta", **where, delta=event.arguments)
        return out

    def _item(self, index: int, status: str = "completed") -> dict[str, Any]:
        at, id_, name = self._calls[index]
        call = ToolCallPart(id_, name, "".join(self._written[index]))
        return call_item(f"{at}_{self._shape.id}", call, self._tools, status)

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """What is open is closed; then `response.completed` or `response.incomplete`."""
        out = self._close()
        for index, (at, *_) in self._calls.items():
            item = self._output[at] = self._item(index)
            where = {"item_id": item["id"], "output_index": at}
            if item["type"] == "custom_tool_call":
                out += self._event("response.custom_tool_call_input.delta", **where, delta=item["input"])
                out += self._event("response.custom_tool_call_input.done", **where, input=item["input"])
            else:
                out += self._event(
                    "response.function_call_arguments.done",
                    **where,
                    name=item["name"],
                    arguments=item["arguments"],
                )
            out += self._event("response.output_item.done", output_index=at, item=item)
        response = response_json(self._shape, self._output, finish, usage, extra)
        kind = "response.incomplete" if response["status"] == "incomplete" else "response.completed"
        return out + self._event(kind, response=response)

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """An `error` event and `response.failed`."""
        response = response_json(self._shape, self._output, Finish.ERROR, None, {})
        response["error"] = {"code": _CODES.get(error.code, error.code), "message": error.message}
        known = {
            "code": error.code,
            "message": error.message,
            "param": None,
            "error_type": error.code,
            "request_id": request_id,
        }
        return self._event("error", **known) + self._event("response.failed", response=response)

"""The same-wire fast path of OpenAI chat completions: bytes pass, only what must differ is replaced."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Event,
    FailureClass,
    Finish,
    OutboundCall,
    ReasoningPart,
    Reply,
    Shape,
    ToolCallPart,
    UpstreamFailure,
)
from agent_marketplace.wires.openai import client_side as openai_in
from agent_marketplace.wires.openai import foreign, gathering
from agent_marketplace.wires.openai import provider_side as openai_out
from agent_marketplace.wires.openai.chunk import Chunk
from agent_marketplace.wires.openai.dialect import Dialect
from agent_marketplace.wires.openai.stream import Encoder
from agent_marketplace.wires.openai.telling import Choices
from agent_marketplace.wires.shared import fields, meant
from agent_marketplace.wires.shared.called import Calls
from agent_marketplace.wires.shared.effort import effort_of
from agent_marketplace.wires.shared.gathering import is_stream
from agent_marketplace.wires.sse import SSEEvent, SSEParser

_BARE_URL = (b'"image_url":"', b'"image_url": "')
_EMPTY = 16  # bytes of a list that may hold nothing
_CHUNK = "chat.completion.chunk"
_RESPELLED = {"reasoning"}  # OpenRouter's object; OpenAI-compatible providers read `reasoning_effort`


class OpenAIFast:
    """Chat completions as bytes, towards a provider of the dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def passes(self, call: Call) -> bool:
        """Not where a freeform tool's call comes back as a function's."""
        return self._dialect.freeform or not any(t.custom is not None for t in call.tools)

    def takes(self, body: bytes, call: Call, *, max_tokens: int | None, moved: bool) -> bool:  # noqa: ARG002 (any of them)
        """Not where another family's signed thinking stands in the history, in fields that some providers refuse."""
        if call.plain:
            return True
        if call.respelled:
            return False
        if self._dialect.strict and (_named(body) or not all(t.parameters or t.native for t in call.tools)):
            return False
        if call.tools and b"null" in body and b"null" in bytes(fields.raw_fields(body)["tools"]):
            return False  # a description that is null says nothing, and OpenAI takes none
        if any(mark in body for mark in foreign.MARKS):
            return False
        if any(spelt in body for spelt in _BARE_URL):  # not as OpenAI writes a picture, though we read it
            return False
        parts = [p for m in call.messages for p in m.parts if isinstance(p, ReasoningPart | ToolCallPart)]
        return not any("#" in p.signature for p in parts)

    def request(
        self,
        body: bytes,
        upstream_model: str,
        *,
        max_tokens: int | None = None,
        stream: bool,
        length_field: str = "",
    ) -> OutboundCall:
        """Messages stay untouched. What the dialect refuses is left out and listed in `dropped`."""
        dialect = self._dialect
        client = fields.raw_fields(body)
        dropped: list[str] = []
        out: dict[str, Any] = {"model": upstream_model}
        if "tools" in client:
            _without_no_tools(client)
        limits = {"max_tokens", "max_completion_tokens"}
        for name, value in client.items():
            if (
                name in limits
                or name in ("model", "stream", "stream_options")
                or name in fields.ROUTING_FIELDS
                or bytes(value) == b"null"  # says nothing, and not every provider takes it for every field
            ):
                continue
            if name in dialect.refuses or name in _RESPELLED or not _taken(name, dialect):
                dropped.append(name)
            else:
                out[dialect.renames.get(name, name)] = value
        meant.check(dropped, {name: fields.value(client[name]) for name in dropped})
        given = [fields.value(client[n]) for n in ("max_completion_tokens", "max_tokens") if n in client]
        limit = next((n for n in given if n is not None), None)
        if max_tokens is not None and (not isinstance(limit, int) or limit > max_tokens):
            limit = max_tokens
        if limit is not None:
            own_name = dialect.accepts is None and client.get("max_completion_tokens") is not None
            out[length_field or ("max_completion_tokens" if own_name else dialect.max_tokens_field)] = limit
        if "reasoning" in client and "reasoning_effort" not in client:
            dropped.remove("reasoning")
            out |= _effort(fields.value(client["reasoning"]))
        if stream:
            out["stream"] = True
            if dialect.stream_usage:
                out["stream_options"] = {"include_usage": True}
        return OutboundCall(path=dialect.path, body=json.encode(out), dropped=tuple(dropped))

    def reply(self, body: bytes, shape: Shape, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """Choices stay as they are (logprobs, every `n`) but for `Choices`; ids, model, usage and cost are ours."""
        if is_stream(body):
            return _rendered(gathering.choices(body), shape, usage, extra)
        try:
            reply = msgspec.json.decode(Choices(shape.id).told(body, None), type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
        out: dict[str, Any] = dict(reply)
        out |= {"id": shape.id, "object": "chat.completion", "created": shape.created, "model": shape.model}
        if usage is not None:
            out["usage"] = openai_in.usage_json(usage, extra)
        if shape.provider:
            out["provider"] = shape.provider
        return json.encode(out | {k: v for k, v in extra.items() if k != "cost"})

    def stream(self, shape: Shape, *, choices: int = 1) -> "Passthrough":  # noqa: ARG002 (every choice passes)
        """Chunks as bytes."""
        return Passthrough(shape)


def _rendered(
    replies: Mapping[int, Reply], shape: Shape, usage: Usage | None, extra: Mapping[str, Any]
) -> bytes:
    """Answers that came as a stream, as the choices of one."""
    bodies = {
        at: openai_in.render_reply(msgspec.structs.replace(reply, usage=usage), shape, extra)
        for at, reply in replies.items()
    }
    if len(bodies) == 1:
        return bodies[0]
    told = {at: json.decode(body) for at, body in sorted(bodies.items())}
    return json.encode(
        {**told[0], "choices": [{**one["choices"][0], "index": at} for at, one in told.items()]}
    )


def _named(body: bytes) -> bool:
    """Whether a speaker has a name (a tool's result may)."""
    if b'"name"' not in body:
        return False
    turns = fields.value(fields.raw_fields(body)["messages"])
    return any("name" in turn and turn.get("role") not in ("tool", "function") for turn in turns)


def _without_no_tools(client: dict[str, Any]) -> None:
    """Leaves out an empty list of tools and what is said about them: it says nothing, and OpenAI and Mistral refuse it. A tool
    that has to be called and is not there stays their refusal."""
    if len(client["tools"]) > _EMPTY or fields.value(client["tools"]):
        return
    choice = fields.value(client["tool_choice"]) if "tool_choice" in client else None
    if choice in (None, "auto", "none"):
        for name in ("tools", "tool_choice", "parallel_tool_calls"):
            client.pop(name, None)


def _taken(name: str, dialect: Dialect) -> bool:
    return dialect.accepts is None or name in openai_in.KNOWN or name in dialect.accepts


def _effort(reasoning: Any) -> dict[str, str]:
    """`reasoning: {effort, max_tokens, enabled}` as `reasoning_effort`."""
    if not isinstance(reasoning, dict):
        return {}
    effort = reasoning.get("effort")
    if effort is None and isinstance(budget := reasoning.get("max_tokens"), int):
        effort = effort_of(budget)
    if effort is None and reasoning.get("enabled") is not None:
        effort = "medium" if reasoning["enabled"] else "none"
    return {"reasoning_effort": effort} if isinstance(effort, str) else {}


def _without_usage(data: bytes) -> bytes:
    given = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    return json.encode({name: value for name, value in given.items() if name != "usage"})


class Passthrough:
    """A provider's stream on its way to a client of the same wire: events go through as bytes, read on the way.

    Only whole events leave, so anything may be written between two calls. Held back for ever: the end mark, a usage chunk
    without choices, errors, and events that are no chunks; `end` and `error` write ours instead.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._parser = SSEParser()
        self._calls = Calls()
        self._encoder = Encoder(shape)
        self._wanted = {"id": shape.id, "model": shape.model}
        self._head, self._our_head = b"", b""
        self._lessons = 3
        self._choices = Choices(shape.id)
        self._ended = False

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """(bytes that may leave now, events seen in them or held back)."""
        lone = self._parser.lone(data)
        if lone is None:
            return self._pass(self._parser.feed(data))
        events: list[Event] = []
        chunk = openai_out.read_data(lone, events, self._calls)
        if chunk is None or not chunk.choices:
            return b"", events
        told = self._told(lone, chunk)
        return b"data: %b\n\n" % self._rewrite(told, chunk), events

    def close(self) -> tuple[bytes, list[Event]]:
        """The provider's stream ended: what its last blank line would have released."""
        return self._pass(self._parser.close())

    def end(self, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The usage chunk if the client asked for it, and the end mark. The finish reason has already passed, or there was none."""
        if not self._ended:
            finish = Finish.TOOL_CALLS if self._choices.called else Finish.STOP
            rest = self._encoder.feed(self._choices.rest())
            return rest + self._encoder.end(finish, usage, extra)
        return self._encoder.usage_chunk(usage, extra) + b"data: [DONE]\n\n"

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """A typed error as the stream's last event."""
        return self._encoder.error(error, request_id)

    def _pass(self, items: list[SSEEvent]) -> tuple[bytes, list[Event]]:
        events: list[Event] = []
        out: list[bytes] = []
        for item in items:
            chunk = openai_out.read_event(item, events, self._calls)
            if chunk is not None and chunk.choices:
                data = item.data.replace(
                    b"\n", b" "
                )  # several data lines: JSON takes any white space between its parts
                told = self._told(data, chunk)
                out += (b"data: ", self._rewrite(told, chunk), b"\n\n")
        return b"".join(out), events

    def _told(self, data: bytes, chunk: Chunk) -> bytes:
        if not self._ended:
            for choice in chunk.choices or ():
                self._ended = self._ended or bool(choice.finish_reason)
        if chunk.usage is not None:  # so far, or half of it: what was used is told once, at the end
            data = _without_usage(data)
        return self._choices.told(data, chunk)

    def _rewrite(self, data: bytes, chunk: Chunk) -> bytes:
        """Our id and model in place of the provider's. Providers repeat the same bytes before `choices` in every chunk of a
        stream, so their replacement is learnt once; a chunk that begins otherwise is taken apart."""
        if self._head and data.startswith(self._head):
            return self._our_head + data[len(self._head) :]
        fields_: dict[str, Any] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        whole = chunk.object == _CHUNK and type(chunk.created) is int
        if not whole:  # servers leave out what strict clients insist on
            fields_ |= {"object": _CHUNK, "created": self._shape.created}
        rewritten = json.encode(fields_ | self._wanted)
        if not self._lessons or not whole:
            return rewritten
        self._lessons -= 1
        head, _, rest = data.partition(b'"choices"')
        ours = head
        for name, wanted in self._wanted.items():
            theirs = json.encode(getattr(chunk, name))
            for gap in (b'":', b'": '):
                key = b'"' + name.encode() + gap
                ours = ours.replace(key + theirs, key + json.encode(wanted), 1)
        if json.decode(ours + b'"choices"' + rest) == json.decode(rewritten):
            self._head, self._our_head = head, ours
        return rewritten

"""A whole stream as the answer that was asked for: servers that can only stream do so whatever they are asked for."""

import msgspec

from agent_marketplace.wires.base import (
    Cited,
    Event,
    FailureClass,
    Finish,
    Finished,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    StreamDecoder,
    StreamError,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    UpstreamFailure,
    UsageSeen,
)

_BEGINNINGS = (b"data:", b"event:", b"id:", b": ")


def is_stream(body: bytes) -> bool:
    """Whether a body holds server-sent events, whatever its content type says."""
    return body[:64].lstrip().startswith(_BEGINNINGS)


def gathered(decoder: StreamDecoder, body: bytes) -> Reply:
    """The answer that a stream's events make up. Raises UpstreamFailure for an error in it."""
    text: list[str] = []
    thinking: list[tuple[str, str]] = []
    calls: dict[int, list[str]] = {}
    reply = Reply(parts=(), finish=None)
    for event in (*decoder.feed(body), *decoder.close()):
        if isinstance(event, StreamError):
            raise UpstreamFailure(FailureClass.SERVER, event.error.message)
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            thinking.append((event.text, event.signature))
        elif isinstance(event, ToolCallDelta):
            call = calls.setdefault(event.index, ["", "", "", ""])
            for at, piece in enumerate((event.id, event.name, event.arguments, event.signature)):
                call[at] += piece
        else:
            reply = _with(reply, event)
    words, sealed = "".join(t for t, _ in thinking), [s for _, s in thinking if s]
    thoughts = [ReasoningPart(words if n == 0 else "", s) for n, s in enumerate(sealed or [""])]
    parts = (
        *(thoughts if thinking else ()),
        *((TextPart("".join(text)),) if text else ()),
        *(ToolCallPart(id_, name, arguments or "{}", signature) for id_, name, arguments, signature in calls.values()),
    )  # fmt: skip
    return msgspec.structs.replace(
        reply, parts=parts, finish=reply.finish or (Finish.STOP if parts else None)
    )


def _with(reply: Reply, event: Event) -> Reply:
    if isinstance(event, UsageSeen):
        return msgspec.structs.replace(reply, usage=event.usage)
    if isinstance(event, Finished):
        return msgspec.structs.replace(reply, finish=event.reason, native_finish=event.native)
    if isinstance(event, Cited):
        return msgspec.structs.replace(reply, citations=(*reply.citations, *event.citations))
    return reply

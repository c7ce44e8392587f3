"""A whole stream as the answer that was asked for: servers that can only stream do so whatever they are asked for."""

from collections.abc import Iterable, Sequence

import msgspec

from agent_marketplace.wires.base import (
    Cited,
    Done,
    Event,
    FailureClass,
    Finish,
    Finished,
    ImagePart,
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
    """The answer that a stream's events make up. Raises UpstreamFailure for an error in it, and for a stream that was cut short."""
    return made_of((*decoder.feed(body), *decoder.close()))


def made_of(events: Iterable[Event]) -> Reply:
    """As `gathered`, of events."""
    text: list[str] = []
    thinking: list[ReasoningDelta] = []
    images: list[ImagePart] = []
    calls: dict[int, list[ToolCallDelta]] = {}
    reply, done = Reply(parts=(), finish=None), False
    for event in events:
        if isinstance(event, StreamError):
            raise UpstreamFailure(FailureClass.SERVER, event.error.message)
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            thinking.append(event)
        elif isinstance(event, ImagePart):
            images.append(event)
        elif isinstance(event, ToolCallDelta):
            calls.setdefault(event.index, []).append(event)
        elif isinstance(event, Done):
            done = True
        else:
            reply = _with(reply, event)
    if reply.finish is None and not done:
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was cut short")
    parts = (
        *thoughts(thinking),
        *((TextPart("".join(text)),) if text else ()),
        *images,
        *(_call(pieces) for pieces in calls.values()),
    )
    return msgspec.structs.replace(
        reply, parts=parts, finish=reply.finish or (Finish.STOP if parts else None)
    )


def thoughts(said: Sequence[ReasoningDelta]) -> list[ReasoningPart]:
    """What was thought: its words once, with the first of its signatures; the others stand behind."""
    if not said:
        return []
    words, sealed = "".join(t.text for t in said), [t.signature for t in said if t.signature]
    return [ReasoningPart(words if n == 0 else "", s) for n, s in enumerate(sealed or [""])]


def _call(pieces: Sequence[ToolCallDelta]) -> ToolCallPart:
    id_, name, arguments, signature = (
        "".join(getattr(piece, field) for piece in pieces)
        for field in ("id", "name", "arguments", "signature")
    )
    return ToolCallPart(id_, name, arguments or "{}", signature)


def _with(reply: Reply, event: Event) -> Reply:
    if isinstance(event, UsageSeen):
        return msgspec.structs.replace(reply, usage=event.usage)
    if isinstance(event, Finished):
        return msgspec.structs.replace(reply, finish=event.reason, native_finish=event.native)
    if isinstance(event, Cited):
        return msgspec.structs.replace(reply, citations=(*reply.citations, *event.citations))
    return reply

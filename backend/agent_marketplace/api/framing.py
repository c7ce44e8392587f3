"""How Google's wire frames a stream: server-sent events where `alt=sse` asks for them, else one JSON array, an element a chunk."""

from urllib.parse import parse_qs

from agent_marketplace.api.asgi import ResponseSink, Scope, Send
from agent_marketplace.gateway.flight import Flight

_END = b"\r\n\r\n"
_DATA = b"data: "


class ArraySink(ResponseSink):
    """Takes the wire's events and sends them as the elements of an array. Every `send` brings whole events."""

    def __init__(self, send: Send) -> None:
        super().__init__(send, "application/json")
        self._lead = b"["

    async def send(self, data: bytes) -> None:
        out = b""
        for event in data.split(_END):
            if event.startswith(_DATA):
                out += self._lead + event.removeprefix(_DATA)
                self._lead = b",\r\n"
            else:
                out += event  # a keep-alive is white space, which JSON takes between its elements
        await super().send(out)

    async def end(self) -> None:
        if self.begun:
            await super().send(b"[]" if self._lead == b"[" else b"]")
        await super().end()


def sink_of(flight: Flight, scope: Scope, send: Send) -> ResponseSink:
    """Where a flight's stream goes, in the frame that its client asked for."""
    request = flight.record.request
    return sink_for(request.call.wire, request.mouth.content_type_stream, scope, send)


def sink_for(wire: str | None, content_type: str, scope: Scope, send: Send) -> ResponseSink:
    """As `sink_of`, for a stream that is no single flight's."""
    if wire == "gemini":
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        if "sse" not in (*asked.get("alt", ()), *asked.get("$alt", ())):
            return ArraySink(send)
    return ResponseSink(send, content_type)

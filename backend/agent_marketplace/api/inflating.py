"""Bodies that clients compress (`Content-Encoding: gzip, deflate, zstd`), as if they had not: decoded as they arrive, in slices,
within the limits of plain ones, before anything looks them over.
"""

from collections.abc import Iterator
from itertools import islice

from agent_marketplace.api.asgi import MAX_BODY, Message, Receive, Scope, Send
from agent_marketplace.api.hot import App
from agent_marketplace.api.screen import aside
from agent_marketplace.errors import BadRequest, MarketplaceError, PayloadTooLarge
from agent_marketplace.net.errors import ProtocolError, TooLarge, Truncated
from agent_marketplace.net.inflate import SUPPORTED, Inflater

_AT_ONCE = 16  # pieces of 64 KiB: a hop to a thread costs as much as decoding one
_OF_THE_BYTES = (b"content-encoding", b"content-length")


class Inflating:
    """Stands before what reads bodies. A refusal is raised where the body is read, so that it has the wire's shape."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, _ in scope["headers"]:
                if name == b"content-encoding":
                    scope, receive = _decoding(scope, receive)
                    break
        await self._app(scope, receive, send)


def _decoding(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    codings = _codings(scope)
    if not codings:
        return scope, receive
    # What is decoded has no length that is known before.
    headers = [(n, v) for n, v in scope["headers"] if n not in _OF_THE_BYTES]
    return {**scope, "headers": headers}, _Body(receive, codings).receive


def _codings(scope: Scope) -> list[str]:
    """In the order in which they were applied."""
    named = b",".join(v for n, v in scope["headers"] if n == b"content-encoding").decode("latin-1")
    return [c for part in named.split(",") if (c := part.strip().lower()) not in ("", "identity")]


class _Body:
    """One compressed body."""

    def __init__(self, receive: Receive, codings: list[str]) -> None:
        self._receive = receive
        self._codings = codings
        self._inflater = Inflater(codings[0], MAX_BODY)
        self._pieces: Iterator[bytes] = iter(())
        self._size = 0
        self._more = True
        self._ended = False

    async def receive(self) -> Message:
        """The next decoded part, at most 1 MiB. Raises BadRequest, PayloadTooLarge, and 415 for what can't be decoded."""
        if self._codings[1:] or self._codings[0] not in SUPPORTED:
            named = ", ".join(self._codings)[:100]
            raise _refused(f"Content-Encoding {named} is not decoded here: send gzip, deflate, zstd or none")
        if self._ended:  # what follows a body is the client's hang-up
            return await self._receive()
        while True:
            # In a thread once it is large: the first slice decides, for the compressed size says nothing.
            decoded = await aside(self._size, self._decoded)
            self._size += len(decoded)
            if decoded or not self._more:
                break
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._more = message.get("more_body", False)
            self._pieces = self._inflater.feed(message.get("body", b""))
        self._ended = not decoded
        return {"type": "http.request", "body": decoded, "more_body": not self._ended}

    def _decoded(self) -> bytes:
        try:
            decoded = b"".join(islice(self._pieces, _AT_ONCE if self._size else 1))
            if not decoded and not self._more:
                self._inflater.finish()
        except TooLarge:
            raise PayloadTooLarge(
                f"the body is over {MAX_BODY} bytes once decompressed, or hundreds of times its compressed size"
            ) from None
        except Truncated:
            raise BadRequest("the compressed body is cut short") from None
        except ProtocolError:
            raise _refused(f"the body is not the {self._codings[0]} that its Content-Encoding says") from None
        return decoded


def _refused(words: str) -> MarketplaceError:
    return MarketplaceError(words, status=415, code="invalid_request")

"""What a route hands to the gateway, and the client's two sides of it: the wire it speaks and the place a stream goes to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Shape, StreamEncoder

if TYPE_CHECKING:
    from agent_marketplace.gateway.flight import Flight


class Mouth(Protocol):
    """The client's side of a wire: what of a `Codec` faces our clients."""

    content_type_stream: str

    def encoder(self, shape: Shape) -> StreamEncoder: ...

    def render_reply(self, reply: Any, shape: Shape, extra: Any) -> bytes: ...

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes: ...

    def keep_alive(self) -> bytes: ...


class Sink(Protocol):
    """Where a stream goes. `begin` is called once, before the first byte."""

    async def begin(self, headers: dict[str, str]) -> None: ...

    async def send(self, data: bytes) -> None: ...


class Keeper(Protocol):
    """An idempotency key: where a reply is kept for repeats, and how it is sealed."""

    scope: str
    key: str

    def seal(self, body: str) -> str: ...


@dataclass(slots=True, kw_only=True)
class GatewayRequest:
    """One call. raw: the client's body where its wire has a fast path; betas: features that the caller names in
    `anthropic-beta`; traceparent: the caller's W3C trace context; agents:
    our own API, where a free model may stand in; detail: goes on the receipt; still_valid: asked about once a second while
    a stream runs, raises Unauthorized; once: the idempotency key that a plain call runs under; on_done:
    called after settlement with the usage that was charged, returns fields for the reply (conversations)."""

    request_id: str
    user_id: str
    mouth: Mouth
    call: Call
    key_id: str | None = None
    raw: bytes | None = None
    betas: tuple[str, ...] = ()
    traceparent: str | None = None
    agents: bool = False
    detail: dict[str, Any] = field(default_factory=dict)
    still_valid: Callable[[], Awaitable[object]] | None = None
    once: Keeper | None = None
    on_done: Callable[["Flight", Usage | None], Awaitable[dict[str, Any]]] | None = None

    def shape(self, model: str, provider: str, created: int) -> Shape:
        """What our side puts into the answer of a model at a provider. created: Unix seconds."""
        call = self.call
        return Shape(
            id=self.request_id,
            model=model,
            created=created,
            include_usage=call.include_usage,
            provider=provider,
            echo=call.echo,
            tools=call.tools,
        )


class GuardedSink:
    """A sink that begins by itself at the first byte and says when bytes went out."""

    def __init__(self, flight: "Flight", sink: Sink) -> None:
        self._flight = flight
        self._sink = sink

    async def send(self, data: bytes) -> None:
        if not self._flight.begun:
            self._flight.begun = True
            await self._sink.begin(self._flight.headers())
        await self._sink.send(data)
        self._flight.touched()

    async def keep_alive(self) -> None:
        await self.send(self._flight.request.mouth.keep_alive())

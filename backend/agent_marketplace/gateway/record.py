"""The record of one call: what was asked for, what was decided and what came of it. Only the flight writes it; whoever else needs
to know something of a call reads it here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.meter import Meter
from agent_marketplace.gateway.pipes import Pipe
from agent_marketplace.gateway.plan import Attempt, Plan
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.ledger import Receipt
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    FastPath,
    OutboundCall,
    Reply,
    Shape,
    StreamEncoder,
    UpstreamFailure,
    WireName,
)

# -- what a route hands to the gateway ---------------------------------------------------------------------------------


class Mouth(Protocol):
    """The client's side of a wire: what of a `Codec` faces our clients."""

    content_type_stream: str

    def encoder(self, shape: Shape) -> StreamEncoder: ...

    def render_reply(self, reply: Any, shape: Shape, extra: Any) -> bytes: ...

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes: ...

    def keep_alive(self) -> bytes: ...


class Keeper(Protocol):
    """An idempotency key: where a reply is kept for repeats, and how it is sealed."""

    scope: str
    key: str

    def seal(self, body: str) -> str: ...


@dataclass(slots=True, kw_only=True)
class GatewayRequest:
    """One call, as a route asks for it.

    raw: the client's body where its wire has a fast path
    betas: features that the caller names in `anthropic-beta`
    traceparent: the caller's W3C trace context
    agents: our own API: a free model may stand in, and the estimate always goes on the receipt
    detail: goes on the receipt
    still_valid: asked about once a second while a stream runs, raises Unauthorized
    known_valid: whether that is known just now without asking
    once: the idempotency key that a plain call runs under
    on_done: called after settlement with the usage that was charged, returns fields for the reply (conversations)
    """

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
    known_valid: Callable[[], bool] | None = None
    once: Keeper | None = None
    on_done: Callable[["Record", Usage | None], Awaitable[dict[str, Any]]] | None = None


# -- what was tried ----------------------------------------------------------------------------------------------------


class AttemptLog(msgspec.Struct, kw_only=True):
    """What the receipt says of one try.

    started, ended: milliseconds since the request began
    sent: the whole request went out to the provider
    may_be_billed: nobody answered, and the provider may bill it all the same
    """

    model: str
    provider: str
    why: str
    credential: str
    started: int
    ended: int = 0
    status: str = "running"
    error: str = ""
    code: str = ""
    sent: bool = False
    may_be_billed: bool = False

    def written(self) -> None:
        """The whole request has gone out."""
        self.sent = True


class Reads(Protocol):
    """What of a `Codec` reads a provider's answers."""

    content_type_stream: str

    def parse_reply(self, body: bytes) -> Reply: ...

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure: ...


@dataclass(slots=True)
class Prepared:
    """One try, ready to be sent.

    cap: output tokens of each choice that the provider is given as its limit; None = its own
    fast: the way for bytes where client and provider speak the same wire
    names: {sent: the client's} of tools that were renamed for this provider
    wire: the provider's
    family: who can read the answer's thinking (`thoughts.family_of`)
    """

    request: OutboundRequest
    codec: Reads
    pipe: Pipe | None
    call: OutboundCall
    cap: int | None = None
    fast: FastPath | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    wire: WireName | None = None
    family: str = ""


@dataclass(slots=True)
class Upstream:
    """The attempt that answered. Streams: `early` is what already may go to the client, then `rest`. Plain: `reply`, `body`."""

    attempt: Attempt
    prepared: Prepared
    response: OutboundResponse
    meter: Meter
    early: bytes = b""
    rest: AsyncIterator[bytes] | None = None
    reply: Reply | None = None
    body: bytes = b""


# -- the record --------------------------------------------------------------------------------------------------------


_UNPLANNED = Plan(attempts=(), skipped=())


@dataclass(slots=True, kw_only=True)
class Record:
    """One call.

    began: seconds of `time.monotonic`
    created: seconds since the epoch
    asked_model: our id of the model that was asked for
    plan: the attempts in order; empty before planning
    asked: what its hold is sized from; None before planning
    hold: None before it is taken
    log: the tries, in order
    upstream: the try that answered
    usage: what was charged for; None = nothing
    body: of a plain answer that was stored together with its charge
    moved_because: why another model was planned than the one asked for
    stages: (name, began, ended) of what took time, seconds of `time.monotonic`
    """

    request: GatewayRequest
    wishes: Preferences
    began: float
    created: int
    asked_model: str
    plan: Plan = _UNPLANNED
    asked: Asked | None = None
    hold: Held | None = None
    log: list[AttemptLog] = field(default_factory=list)
    upstream: Upstream | None = None
    usage: Usage | None = None
    receipt: Receipt | None = None
    body: bytes | None = None
    error: MarketplaceError | None = None
    moved_because: str = ""
    stages: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def choices(self) -> int:
        """The answers asked for (`n`)."""
        return self.asked.needs.choices if self.asked is not None else 1

    @property
    def input_tokens(self) -> int:
        """Our count of the input; 0 before it is counted."""
        return self.asked.input_tokens if self.asked is not None else 0

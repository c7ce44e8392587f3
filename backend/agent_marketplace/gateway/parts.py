"""What the calls of one process share, and what tells one kind of call from another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from agent_marketplace.accounts.in_flight import InFlight
from agent_marketplace.catalog.service import Catalog
from agent_marketplace.clock import Clock
from agent_marketplace.gateway.bounds import Bounds
from agent_marketplace.gateway.health import Health
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.planning import Planner
from agent_marketplace.gateway.preparing import Preparer
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.gateway.record import GatewayRequest, Prepared, Record
from agent_marketplace.gateway.sampling import Sampling
from agent_marketplace.ledger import Ledger
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.http import OutboundClient
from agent_marketplace.net.traces import Tracer
from agent_marketplace.recommend.question import Expected
from agent_marketplace.wires.base import Call
from agent_marketplace.wires.shared.forms import Forms

OutputRange = Callable[[str, Call, str], Expected]
"""Output tokens of a model's answers to such a call of this user: median and p95, and what they were read from."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """One process's gateway.

    usual_output: output tokens that a model's answers usually have at most
    lowers_length: on clients' wires a `max_tokens` that can't be held may become what can
    running: the calls whose hold this process keeps, and whose they are
    sleep: pauses between tries (tests replace it)
    """

    planner: Planner
    preparer: Preparer
    ledger: Ledger
    client: OutboundClient
    clock: Clock
    drain: Drain
    health: Health
    bounds: Bounds
    catalog: Catalog
    output_range: OutputRange
    usual_output: Callable[[str], int]
    lowers_length: bool = True
    rhythm: Rhythm = field(default_factory=Rhythm)
    sampling: Sampling = field(default_factory=Sampling)
    tracer: Tracer | None = None
    running: InFlight = field(default_factory=InFlight)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Job(Protocol):
    """What a flight does for one kind of call: completions and embeddings fly alike."""

    async def measure(self, parts: Parts, request: GatewayRequest) -> tuple[Needs, int, Forms]:
        """What the call needs, our count of its input, and what it is held for. Raises the caller's error."""
        ...

    async def prepare(self, parts: Parts, record: Record, attempt: Attempt, cap: int | None) -> Prepared:
        """One attempt's request. Raises UpstreamFailure where the target can't say it."""
        ...

    def render(self, parts: Parts, record: Record, now: float) -> bytes:
        """The whole answer in the client's shape; now: seconds of `time.monotonic`."""
        ...

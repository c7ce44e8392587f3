"""What the runs of one process share, and the seams to what other rooms decide."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.net.traces import Tracer
from agent_marketplace.runs.asking import Asks
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.tools.base import Tool
from agent_marketplace.runs.types import Got, Head, Spec, Step
from agent_marketplace.wires.base import Codec


class Agents(Protocol):
    """Who is asked for: a name becomes the version that the run is pinned to."""

    async def spec(self, user_id: str, name: str) -> Spec:
        """`agt_…`, `agent/<publisher>/<slug>`, each also `@n`. Raises NotFound, Forbidden (no consent, suspended), BadRequest."""
        ...

    async def whole(self, user_id: str, spec: Spec) -> Spec:
        """A version as it was pinned, with what no row of a run holds. Raises NotFound, Unavailable."""
        ...

    async def stopped(self, spec: Spec) -> bool:
        """The kill switch: whether running runs of this version end at their next step."""
        ...

    async def listed(self, user_id: str) -> list[Spec]:
        """What the user has, for lists of models and tools."""
        ...


class Fees(Protocol):
    """What an author is paid, inside the run's own transactions."""

    def begin_in(self, connection: sa.Connection, head: Head, spec: Spec) -> int:
        """With the run's row: keeps the most that the fee can be (`most_of`); nano-dollars, which count into the cap. Raises
        PaymentRequired (`needs_topup`)."""
        ...

    def settle_in(
        self, connection: sa.Connection, head: Head, *, delivered: bool, steps: int, model_nano: int, why: str
    ) -> int:
        """With the run's end: posts the fee of one that delivered its answer, else gives back what was kept. Nano-dollars posted.

        steps: of models and tools that were done; model_nano: what they cost; why: the run ended.
        """
        ...


class Tools(Protocol):
    """The tools that a version may use, as they are now."""

    async def of(
        self,
        user_id: str,
        spec: Spec,
        ancestors: tuple[str, ...] = (),
        depth: int = 0,
        *,
        midway: bool = False,
    ) -> Mapping[str, Tool]:
        """By the name that the model sees. A tool whose definition is not the one that was pinned is absent. midway: servers are
        looked at again, and one that cannot be asked now takes nothing away."""
        ...


async def _always(_user_id: str, _key_id: str | None) -> bool:
    return True


class Kit(msgspec.Struct, kw_only=True, eq=False):
    """One process's. owner: this worker, as leases name it; sub: (driver, step, agent, task) runs a sub-agent and
    says what came of it and what it has cost; tracer: where traces go, None = nowhere; may_spend: (user, key) whether a run of theirs may
    take another step."""

    records: Records
    asks: Asks
    agents: Agents
    tools: Tools
    codec: Codec
    clock: Clock
    owner: str
    fees: Fees
    sub: Callable[[Any, Step, Spec, str], Awaitable[tuple[Got, int]]]
    tracer: Callable[[], Tracer | None] = lambda: None
    may_spend: Callable[[str, str | None], Awaitable[bool]] = _always

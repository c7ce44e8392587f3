"""When a bound fails. An offer that billed more than was held for a kind of call is held for at the model's largest input from
then on, for calls of that kind, until the operator clears it; and a user for whom the operator bore more than a limit today is
served only what is sure to be sized.

Every process reads both every few seconds, and knows its own at once.
"""

import logging

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import MarketplaceError, PaymentRequired
from agent_marketplace.gateway import store
from agent_marketplace.gateway.plan import Target
from agent_marketplace.gateway.store import BrokenBound
from agent_marketplace.ledger import Ledger, dollars
from agent_marketplace.wires.base import Call, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000
_SURE = (TextPart, ToolCallPart, ToolResultPart, ReasoningPart)

Offer = tuple[str, str]
"""(provider, the model's name there)."""


def shape_of(call: Call) -> str:
    """The kind of a call, as far as its size goes: what parts it has, and whether more than text is wanted back."""
    parts = {type(part) for message in call.messages for part in message.parts}
    names = sorted(
        {"text" if kind in _SURE else kind.__name__.removesuffix("Part").lower() for kind in parts}
    )
    return "+".join(names or ["text"])[:120]


class Bounds:
    """What this process knows of failed bounds. limit_nano: what is absorbed for one user and day (UTC) at most."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, limit_nano: int) -> None:
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._limit_nano = limit_nano
        self._broken: dict[str, set[Offer]] = {}
        self._absorbed: dict[str, int] = {}
        self._day = 0

    @property
    def count(self) -> int:
        """How many (offer, kind of call) are held for at their largest."""
        return sum(len(offers) for offers in self._broken.values())

    async def refresh(self) -> None:
        """What other processes and the operator have changed meanwhile."""
        found = await self._db.read(store.broken)
        broken: dict[str, set[Offer]] = {}
        for bound in found:
            broken.setdefault(bound.shape, set()).add((bound.provider, bound.upstream_id))
        self._day = self._clock.now_ms() // _DAY_MS
        self._absorbed = await self._ledger.absorbed_since(self._day * _DAY_MS)
        self._broken = broken

    def broken_for(self, call: Call) -> frozenset[Offer]:
        """The offers whose bound failed for calls of this kind."""
        return frozenset(self._broken.get(shape_of(call), ())) if self._broken else frozenset()

    def check(self, user_id: str, *, unsized: bool) -> None:
        """Raises PaymentRequired where the operator bore too much for this user today, and this call has parts of no sure size.

        unsized: whether it has
        """
        if not unsized or self._absorbed.get(user_id, 0) < self._limit_nano:
            return
        if self._day != self._clock.now_ms() // _DAY_MS:
            return
        raise PaymentRequired(
            f"Calls of this account cost ${dollars(self._absorbed[user_id])} more today than could be held for them: until"
            " tomorrow (UTC) only calls whose size is sure are served",
            code="unsizable",
        )

    def absorbed(self, user_id: str, nano: int) -> None:
        """The operator bore `nano` of one of the user's calls just now."""
        self._absorbed[user_id] = self._absorbed.get(user_id, 0) + nano
        self._day = self._clock.now_ms() // _DAY_MS

    async def failed(
        self, request_id: str, call: Call, target: Target, *, held_nano: int, cost_nano: int
    ) -> None:
        """A call cost more than its bound: its kind is held for at the largest from now on. Never raises."""
        shape = shape_of(call)
        self._broken.setdefault(shape, set()).add((target.provider, target.upstream_id))
        log.error(
            "the bound of %s at %s failed for %s: %d nano-dollars held, %d cost, in %s; until `bounds clear` it is held for at"
            " its largest", target.model, target.provider, shape, held_nano, cost_nano, request_id,
        )  # fmt: skip
        bound = BrokenBound(
            provider=target.provider, upstream_id=target.upstream_id, shape=shape, request_id=request_id,
            held_nano=held_nano, cost_nano=cost_nano, broken_at=self._clock.now_ms(),
        )  # fmt: skip
        try:
            await self._db.write(lambda connection: store.add(connection, bound))
        except (
            MarketplaceError
        ):  # the answer is paid for; this process knows, and the next failure tells the others
            log.exception("a broken bound could not be stored")

"""The author's fee of a run: kept before its first step, posted at its end, given back where it must be.

A run's price is the one it began with: it stands in the run's row here, so whoever ends the run needs no more than its id.
"""

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger import Fee, Ledger
from agent_marketplace.listings.outcomes import store
from agent_marketplace.listings.spec import AgentPrice


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that begins. own: by the agent's author; name: `agent/<publisher>/<slug>@<n>`, for receipts; price: in effect now."""

    run_id: str
    user_id: str
    agent_id: str
    version: int
    author_id: str
    own: bool
    price: AgentPrice
    name: str
    key_id: str | None = None


class Fees:
    """Fees of runs. author_bp: the author's share of a fee, basis points."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, *, author_bp: int = 8_000) -> None:
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._author_bp = author_bp

    async def begin(self, run: Begun) -> int:
        """Keeps the most that the fee can be, of money that was paid for; nano-dollars. Once per run.

        Raises PaymentRequired (`needs_topup`: free credit pays no author), NotFound (no such wallet).
        """
        return await self._db.write(lambda c: self.begin_in(c, run))

    def begin_in(self, connection: sa.Connection, run: Begun) -> int:
        """`begin` inside the caller's transaction."""
        most = 0 if run.own else run.price.max_fee_nano
        if most:
            self._ledger.hold_fee_in(
                connection, run.run_id, run.user_id, most, key_id=run.key_id, name=run.name
            )
        store.begin(
            connection,
            {"run_id": run.run_id, "agent_id": run.agent_id, "version": run.version, "author_id": run.author_id,
             "payer_id": run.user_id, "own": int(run.own), "price": msgspec.json.encode(run.price).decode(),
             "began_at": self._clock.now_ms(), "delivered": 0, "error_class": "", "steps": 0, "model_nano": 0,
             "took_ms": 0, "fee_nano": 0},
        )  # fmt: skip
        return most

    async def settle(
        self,
        run_id: str,
        *,
        delivered: bool,
        steps: int,
        model_nano: int,
        error_class: str = "",
        took_ms: int | None = None,
    ) -> int:
        """A run has ended: posts the fee where its answer was delivered, else gives back what was kept. Once per run.

        steps: of models and tools that were done; model_nano: what they cost; took_ms: without waiting, where that is known.
        Returns the fee that was posted, nano-dollars; 0 for runs that are not known here.
        """
        return await self._db.write(
            lambda c: self.settle_in(
                c,
                run_id,
                delivered=delivered,
                steps=steps,
                model_nano=model_nano,
                error_class=error_class,
                took_ms=took_ms,
            )
        )

    def settle_in(
        self,
        connection: sa.Connection,
        run_id: str,
        *,
        delivered: bool,
        steps: int,
        model_nano: int,
        error_class: str = "",
        took_ms: int | None = None,
    ) -> int:
        """`settle` inside the caller's transaction."""
        row = store.locked(connection, run_id)
        if row is None:
            return 0
        if row.ended_at is not None:
            return int(row.fee_nano)
        price, now = msgspec.json.decode(row.price, type=AgentPrice), self._clock.now_ms()
        posted = 0
        if not row.own and not price.free:
            owed = price.fee(steps, model_nano) if delivered else 0
            fee = Fee(run_id=run_id, author_id=row.author_id, amount_nano=owed, author_bp=self._author_bp)
            posted = self._ledger.post_fee_in(connection, fee)
        ended = {
            "ended_at": now, "delivered": int(delivered), "error_class": error_class[:60], "steps": steps,
            "model_nano": model_nano, "took_ms": now - row.began_at if took_ms is None else took_ms, "fee_nano": posted,
        }  # fmt: skip
        store.change(connection, run_id, ended)
        return posted

    def refund_in(self, connection: sa.Connection, run_id: str, reason: str) -> int:
        """Gives a run's fee back, from both who shared it; once. Returns the fee, nano-dollars. Raises NotFound."""
        if (row := store.locked(connection, run_id)) is None or not row.fee_nano:
            raise NotFound("No fee was posted for this run")
        return self._ledger.refund_fee_in(connection, run_id, reason)

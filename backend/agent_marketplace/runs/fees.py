"""The author's fee of a run, in the run's own transactions: kept with its row, posted with its end."""

import sqlalchemy as sa

from agent_marketplace.listings import Begun
from agent_marketplace.listings import Fees as Offered
from agent_marketplace.runs.types import Head, Spec


class OfferedFees:
    """Fees of offered agents; others cost nothing beyond their models."""

    def __init__(self, fees: Offered) -> None:
        self._fees = fees

    def begin_in(self, connection: sa.Connection, head: Head, spec: Spec) -> int:
        """As `Fees.begin_in` of the kit."""
        if not spec.offered:
            return 0
        begun = Begun(
            run_id=head.run_id, user_id=head.user_id, agent_id=spec.agent_id, version=spec.version,
            author_id=spec.author_id, own=spec.own, price=spec.price, name=spec.name, key_id=head.key_id,
        )  # fmt: skip
        return self._fees.begin_in(connection, begun)

    def settle_in(
        self, connection: sa.Connection, head: Head, *, delivered: bool, steps: int, model_nano: int, why: str
    ) -> int:
        """As `Fees.settle_in` of the kit."""
        return self._fees.settle_in(
            connection, head.run_id, delivered=delivered, steps=steps, model_nano=model_nano,
            error_class="" if delivered else why, took_ms=head.active_ms,
        )  # fmt: skip

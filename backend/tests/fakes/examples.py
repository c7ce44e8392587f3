"""How many examples a property is asked for."""

import asyncio
import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from agent_marketplace.db.engine import Database

_ALL = os.environ.get("EXAMPLES") == "all"


def examples(count: int, *, share: int = 3) -> int:
    """All of them in the nightly run (`EXAMPLES=all`), one in `share` in `make test`: new ones are drawn each time either way."""
    return count if _ALL else -(-count // share)


def run_machine(
    make: Callable[[asyncio.Runner], RuleBasedStateMachine],
    database: Database,
    *,
    sqlite: int,
    postgresql: int,
    steps: int,
    share: int = 3,
) -> None:
    """Runs a state machine that `make` sets up anew for each example, in one event loop. sqlite, postgresql: how many examples, see
    `examples`."""
    count = sqlite if database.dialect == "sqlite" else postgresql
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            lambda: make(runner),  # type: ignore[arg-type]
            settings=settings(
                max_examples=examples(count, share=share), stateful_step_count=steps,
                suppress_health_check=list(HealthCheck), database=None,
            ),
        )  # fmt: skip

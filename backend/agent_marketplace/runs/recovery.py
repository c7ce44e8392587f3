"""Runs whose worker is gone, and runs whose time is over."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa

from agent_marketplace.runs import store
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.lives import Lives
from agent_marketplace.runs.mcp.servers import is_called
from agent_marketplace.runs.records import encode_text, sealed
from agent_marketplace.runs.tooling import UNKNOWN
from agent_marketplace.runs.types import OF_MODELS, Got, Head, Said, Step, ToolRef

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Who can go on with a run."""

    kit: Kit
    lives: Lives

    async def resume(self, head: Head, states: Sequence[str], *, taken: Any = None) -> Live | None: ...


async def recover(runs: Runner, *, everything: bool = False) -> int:
    """Takes over runs that nobody drives; returns how many go on. everything: at the start of the only process of a database."""
    kit, driven = runs.kit, runs.lives.driven()
    now = kit.records.now()
    found = await kit.records.read(lambda c: store.left_alone(c, now, everything=everything))
    count = 0
    for head in found:
        if head.run_id in driven:
            continue
        if everything and head.lease_until is not None:
            await kit.records.write(partial(store.change, run_id=head.run_id, lease_until=0))
        if not await _settled(runs, head):
            continue  # what a model step has cost is not known yet: the next round looks again
        if head.kind == "agent" and not head.depth and await runs.resume(head, ("running",)) is not None:
            log.warning("%s goes on: the worker that drove it is gone", head.run_id)
            count += 1
    return count


async def _settled(runs: Runner, head: Head) -> bool:
    """Closes what a dead worker left `started` as unknown; ends what can't go on. False where it is too early to say."""
    kit = runs.kit
    steps = [s for s in await kit.records.steps(head) if s.state == "started"]
    costs: dict[int, int] = {}
    for step in steps:
        if step.kind in OF_MODELS:
            cost = await kit.asks.charged(head.user_id, step.request_id or "")
            if cost is None:
                return False
            costs[step.n] = cost
    again = await _repeatable(runs, head)
    cipher, now = await kit.records.cipher(head.user_id), kit.records.now()
    ends = head.kind == "chat" or head.depth > 0

    def work(connection: sa.Connection) -> None:
        # Locked: on PostgreSQL another worker may be at the same run, and the later of two would take the earlier one's lease away.
        row = store.locked(connection, head.run_id, head.user_id)
        if row.state != "running" or (row.lease_until or 0) > now or row.lease_owner != head.lease_owner:
            return  # another worker was faster
        for step in steps:
            _close(connection, cipher, step, costs, again, now)
            if step.kind in OF_MODELS and head.cap_nano is not None:
                spent = min(costs[step.n], step.reserved_nano)
                store.book(connection, head.root_run_id, released=step.reserved_nano, spent=spent)
        # The lease goes with the steps: its old owner, waking before anybody has taken the run, would book them once more.
        values: dict[str, Any] = {"own_nano": head.own_nano + sum(costs.values()), "lease_owner": None}
        if head.kind == "chat":
            values["spent_nano"] = sum(costs.values())
        if ends:
            fee = kit.fees.settle_in(connection, head, delivered=False, steps=0, model_nano=0, why="lost")
            if head.cap_nano is not None:
                store.book(connection, head.root_run_id, released=row.final_nano + row.fee_nano, spent=fee)
            store.drop_planned(connection, head.run_id, now)
            values |= {
                "state": "failed", "stop_reason": "lost", "ended_at": now, "final_nano": 0, "fee_nano": fee,
                "lease_until": None,
            }  # fmt: skip
        store.change(connection, head.run_id, updated_at=now, **values)

    await kit.records.write(work)
    return True


async def _repeatable(runs: Runner, head: Head) -> tuple[ToolRef, ...]:
    """Tools of which the version says that a call may be repeated."""
    return tuple(r for r in (await runs.kit.records.context(head)).spec.tools if r.idempotent)


def _is(step: Step, ref: ToolRef) -> bool:
    if not ref.server:
        return (step.payee, step.name) == ("", ref.name)
    return step.payee == f"tool:{ref.server}" and is_called(step.name, ref.name, ref.server)


def _close(
    connection: sa.Connection,
    cipher: Any,
    step: Step,
    costs: dict[int, int],
    again: Sequence[ToolRef],
    now: int,
) -> None:
    if step.kind == "tool" and any(_is(step, ref) for ref in again):
        store.change_step(connection, step.run_id, step.n, was="started", state="planned", started_at=None)
        return
    told = Said() if step.kind in OF_MODELS else Got(text=UNKNOWN, is_error=True)
    held = sealed(cipher, step.run_id, step.n, "result", encode_text(told))
    store.change_step(
        connection, step.run_id, step.n, was="started", state="unknown", error_class="lost", ended_at=now,
        cost_nano=costs.get(step.n, 0), result_sealed=held,
    )  # fmt: skip


async def expire(runs: Runner) -> None:
    """Waiting runs go on with their questions answered by nobody; paused ones end with what they have."""
    kit, now = runs.kit, runs.kit.records.now()
    for head in await kit.records.read(lambda c: store.expired(c, now)):
        if head.state == "waiting":
            await kit.records.write(partial(store.close_approvals, run_id=head.run_id, now=now))
            await runs.resume(head, ("waiting",))
        else:
            await finish(runs, head)


async def finish(runs: Runner, head: Head) -> None:
    """A paused run ends with what it has: its time is over, or its user wants no more of it."""
    now = runs.kit.records.now()

    def work(connection: sa.Connection) -> None:
        row = store.find(connection, head.run_id)
        if row.state != "paused":
            return
        # Its last answer says what is missing: it is not the answer that an author is paid for.
        fee = runs.kit.fees.settle_in(
            connection, head, delivered=False, steps=0, model_nano=0, why=row.stop_reason
        )
        store.book(connection, head.root_run_id, released=row.final_nano + row.fee_nano, spent=fee)
        store.drop_planned(connection, head.run_id, now)
        store.change(
            connection, head.run_id, state="done", final_nano=0, fee_nano=fee, ended_at=now, updated_at=now,
            expires_at=None,
        )  # fmt: skip

    await runs.kit.records.write(work)

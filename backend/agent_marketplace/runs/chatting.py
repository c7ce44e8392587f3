"""A chat answer that outlives its connection: a run of one step, driven by its flight, which goes on for two minutes unheard."""

import asyncio
import logging
import re

import sqlalchemy as sa

from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError, NotFound, RateLimited
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.runs import store
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.live import DETACHED_S, Live
from agent_marketplace.runs.lives import LEASE_MS, MOST_OF_A_USER, Lives
from agent_marketplace.runs.records import as_head, run_row, step_row
from agent_marketplace.runs.types import Context, Spec

log = logging.getLogger(__name__)
BLIND = "(blind)"
"""In place of an agent: who answers, and at what price, is not told before a vote."""
_ID = re.compile(r"^run_[0-9a-z]{8,64}$")


class ChatAnswers:
    """All of this process."""

    def __init__(self, kit: Kit, lives: Lives) -> None:
        self.kit = kit
        self._lives = lives

    async def start(
        self, run_id: str, user_id: str, flight: Flight, *, agent_id: str, temporary: bool
    ) -> Live:
        """Sets an opened flight going on its own. Raises as `check`; the flight is then the caller's to abandon."""
        await self.check(run_id, user_id)
        request, records, now = flight.record.request, self.kit.records, self.kit.records.now()
        hold = flight.record.hold
        spec = Spec(agent_id=agent_id, version=0, name="", model=request.call.model)
        row = run_row(
            await records.cipher(user_id), Context(spec=spec, messages=()), now, run_id=run_id, kind="chat",
            key_id=request.key_id, wire="chat", cap_nano=None, lease_owner=self.kit.owner, lease_until=now + LEASE_MS, epoch=0,
        )  # fmt: skip
        step = step_row(
            run_id, 0, "model", flight.record.plan.attempts[0].target.model, now, state="started", started_at=now,
            request_id=request.request_id, reserved_nano=hold.amount_nano if hold is not None else 0,
        )  # fmt: skip

        def work(connection: sa.Connection) -> None:
            store.add(connection, row)
            store.add_steps(connection, [step])

        await records.write(work)
        live = self._lives.take(as_head(row))
        live.flight, live.kept = flight, not temporary
        live.task = asyncio.get_running_loop().create_task(self._fly(live, flight))
        live.timer = asyncio.get_running_loop().call_later(DETACHED_S, self._abandon, live)
        live.abandoned = self._abandon
        return live

    async def _fly(self, live: Live, flight: Flight) -> None:
        try:
            with flight.parts.drain.call():
                await flight.stream(live)
        except MarketplaceError as error:
            live.failed = error
            if live.listeners:
                await live.send(flight.error_bytes(error))
        finally:
            await self._landed(live, flight)
            live.end()
            asyncio.get_running_loop().call_later(DETACHED_S, self._lives.drop, live)

    async def _landed(self, live: Live, flight: Flight) -> None:
        """The row of a chat answer that is over. It is paid for: a row that can't be written takes nothing away."""
        record, now = flight.record, self.kit.records.now()
        error, receipt = record.error or live.failed, record.receipt
        cost = receipt.charged_nano if receipt is not None else 0
        status = receipt.status if receipt is not None else "failed"
        state = {"ok": "done", "cancelled": "cancelled"}.get(status, "failed")
        code = error.code if error is not None else ""
        if not live.kept:
            live.unsaved()

        def work(connection: sa.Connection) -> None:
            done = "done" if state == "done" else "failed"
            store.change_step(
                connection,
                live.id,
                0,
                was="started",
                state=done,
                cost_nano=cost,
                error_class=code[:60],
                ended_at=now,
            )
            store.change(
                connection, live.id, state=state, stop_reason=(code or state)[:40], spent_nano=cost, own_nano=cost,
                ended_at=now, updated_at=now, lease_owner=None, lease_until=None,
            )  # fmt: skip

        try:
            await self.kit.records.write(work, live)
        except MarketplaceError:
            log.warning("the row of the run %s could not be closed", live.id)

    async def check(self, run_id: str, user_id: str) -> None:
        """Whether this id may be started. Raises BadRequest (id), Conflict (id in use), RateLimited (too many)."""
        if not _ID.match(run_id):
            raise BadRequest("run_id must be run_ and 8 to 64 small letters or digits")
        if self._lives.knows(run_id):
            raise Conflict("This run_id is in use")
        if self._lives.working(user_id) >= MOST_OF_A_USER:
            raise RateLimited("Too many answers are running at once", retry_after=5)
        try:
            await self.kit.records.head(run_id)
        except NotFound:
            return
        raise Conflict("This run_id is in use")

    def _abandon(self, live: Live) -> None:
        if live.listeners == 0 and not live.finished and live.flight is not None:
            live.flight.client_left(polite=True)

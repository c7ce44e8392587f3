"""One run, driven by one worker under a lease: a model step, its tools, again, until it ends, waits, or its cap is reached.

A turn reads what the rows say and does the next thing. Every effect has its row before it, and what came of it after it; a
worker that dies in between leaves a row that says `started`, which the next one reads as *unknown*.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from agent_marketplace.errors import Conflict, MarketplaceError, PaymentRequired
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars
from agent_marketplace.runs import compacting, sanity, store
from agent_marketplace.runs.asking import LAST_WORDS, Answered, Ask, DoesNotFit, call_of, last_turns
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.records import encode_text, newest, sealed, step_row
from agent_marketplace.runs.tools.base import Tool
from agent_marketplace.runs.types import (
    OF_MODELS,
    PAUSE_MS,
    Context,
    Head,
    Said,
    State,
    Step,
    StepKind,
    digest,
    turns,
)
from agent_marketplace.wires.base import Event, ReasoningDelta, TextDelta, ToolCallPart
from agent_marketplace.wires.base import Tool as Offered

log = logging.getLogger(__name__)
T = TypeVar("T")
TOO_LONG = "context_length_exceeded"
ENDS: Mapping[str, State] = {"cap_reached": "paused", "needs_funds": "paused"}


class Lost(Conflict):
    """Another worker has taken the run, or it is over: what this one has still to say of it counts for nothing."""


class Driver:
    """A run under way: its rows, and what is done with them. The tools' half is in `tooling`."""

    def __init__(self, kit: Kit, live: Live, head: Head, context: Context, steps: list[Step]) -> None:
        self.kit = kit
        self.live = live
        self.head = head
        self.context = context
        self.steps = steps
        self.offered: Mapping[str, Tool] = {}
        self._began = kit.clock.monotonic()
        self._epoch = head.epoch

    # -- rows ----------------------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Rows as they now are."""
        self.head = await self.kit.records.head(self.head.run_id)
        self.steps = await self.kit.records.steps(self.head)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """One transaction with the events that wait, of a run that is still this worker's. Raises Lost, and then writes nothing:
        a worker that was frozen for longer than its lease must not book what another has booked."""

        def fenced(connection: sa.Connection) -> T:
            if not store.drives(connection, self.head.run_id, self.kit.owner, self._epoch):
                raise Lost("Another worker has taken this run")
            return work(connection)

        return await self.kit.records.write(fenced, self.live)

    @property
    def active_ms(self) -> int:
        """For how long the run has worked."""
        return self.head.active_ms + round((self.kit.clock.monotonic() - self._began) * 1000)

    def tools(self) -> tuple[Offered, ...]:
        """What the model is offered."""
        return tuple(
            Offered(name=name, description=t.description, parameters=t.parameters)
            for name, t in self.offered.items()
        )

    # -- the loop's decisions ------------------------------------------------------------------------------------------

    def planned(self) -> list[Step]:
        """Tool calls that the model has asked for and that have not come to anything."""
        return [s for s in self.steps if s.kind in ("tool", "subrun") and s.state == "planned"]

    def beyond(self) -> str:
        """The limit that is reached, "" = none."""
        limits = self.context.spec.limits
        return sanity.beyond(limits, self.steps, tool_bytes=self.head.tool_bytes, active_ms=self.active_ms)

    # -- a model step --------------------------------------------------------------------------------------------------

    async def model_step(self) -> bool:
        """Asks the model once. True where this worker is done with the run."""
        call = call_of(self.kit.codec, self.context.spec, turns(self.context, self.steps), self.tools())
        step = await self._begin_model("model")
        try:
            answered = await self._ask(step, call)
        except DoesNotFit:
            await self._no_step(step, "cap_reached")
            return await self.last_words("cap_reached")
        except PaymentRequired as error:
            await self._no_step(step, error.code)
            return await self.pause("needs_funds", error.message)
        await self._answered(step, answered)
        if self.live.leaving or self.live.lost:
            return True
        if self.live.stopping or answered.stopped:
            return await self.end("cancelled", "cancelled", answered.said.text)
        if (
            answered.error is not None
            and answered.error.code == TOO_LONG
            and compacting.open_groups(self.steps)
        ):
            return await self.compact(answered.error)
        if answered.error is not None:
            return await self.end("failed", answered.error.code, "", answered.error)
        return (
            False if answered.said.calls else await self.end("done", answered.said.finish, answered.said.text)
        )

    async def compact(self, error: MarketplaceError) -> bool:
        """Has the history put in short where no model takes it any more (`error`), so that the loop can go on from there."""
        groups = compacting.open_groups(self.steps)
        last = max(s.n for s in self.steps if s.asked_by == groups[-1].n and s.kind in ("tool", "subrun"))
        messages = compacting.turns(self.context, self.steps)
        call = call_of(self.kit.codec, self.context.spec, messages, ())
        step = await self._begin_model("compact", asked_by=last)
        try:
            answered = await self._ask(step, call)
        except DoesNotFit:
            await self._no_step(step, "cap_reached")
            return await self.last_words("cap_reached")
        except PaymentRequired as refused:
            await self._no_step(step, refused.code)
            return await self.pause("needs_funds", refused.message)
        await self._answered(step, answered)
        if self.live.leaving or self.live.lost:
            return True
        if self.live.stopping or answered.stopped:
            return await self.end("cancelled", "cancelled", "")
        if answered.error is not None or not answered.said.text:
            return await self.end("failed", error.code, "", error)
        return False

    async def _ask(self, step: Step, call: Any) -> Answered:
        head, spec = self.head, self.context.spec

        def heard(events: Sequence[Event]) -> None:
            if step.kind == "compact":
                return  # for the model alone
            for event in events:
                if isinstance(event, TextDelta):
                    self.live.emit("delta", {"delta": event.text, "step": step.n})
                elif isinstance(event, ReasoningDelta):
                    self.live.emit("reasoning", {"delta": event.text, "step": step.n})
            self.live.show(events)

        def flying(flight: Any) -> None:
            self.live.flight = flight
            if flight is not None and self.live.stopping:
                flight.client_left(polite=True)

        return await self.kit.asks.ask(
            Ask(
                request_id=step.request_id or "", user_id=head.user_id, key_id=head.key_id, call=call,
                max_nano=step.reserved_nano,
                detail={"run_id": head.run_id, "step": step.n, "agent_id": spec.agent_id},
            ),
            heard,
            flying,
        )  # fmt: skip

    async def _begin_model(self, kind: StepKind, *, asked_by: int | None = None) -> Step:
        """The row of a model step with all that the cap still allows kept for it; the last answer's own reserve goes into it."""
        head, now, n = self.head, self.kit.records.now(), newest(self.steps)
        spec = self.context.spec
        row = step_row(
            head.run_id,
            n,
            kind,
            spec.model,
            now,
            state="started",
            started_at=now,
            request_id=new_id("gen"),
            asked_by=asked_by,
        )

        def work(connection: sa.Connection) -> int:
            freed = head.final_nano if kind == "final" else 0
            if freed:
                store.book(connection, head.root_run_id, released=freed, spent=0)
                store.change(connection, head.run_id, final_nano=0)
            left = store.find(connection, head.root_run_id).left_nano
            if not store.reserve(connection, head.root_run_id, left):  # another run of the tree was faster
                left = 0
            store.add_steps(connection, [row | {"reserved_nano": left}])
            return left

        self.live.stage("step.started", {"step": n, "kind": kind, "name": spec.model})
        left = await self.write(work)
        if kind == "final":
            self.head.final_nano = 0
        step = Step(**(row | {"reserved_nano": left}))
        self.steps.append(step)
        return step

    async def _no_step(self, step: Step, why: str) -> None:
        """A model step that was not made: nothing was sent, nothing is owed."""
        await self._close_model(step, Answered(said=Said(), cost_nano=0), "failed", why, [])

    async def _answered(self, step: Step, answered: Answered) -> None:
        """A model step with what it has cost, and the rows of the tools that it asks for."""
        planned: list[dict[str, Any]] = []
        cipher, now = await self.kit.records.cipher(self.head.user_id), self.kit.records.now()
        failed = answered.error is not None or answered.stopped
        if not failed and step.kind == "model":
            for i, call in enumerate(answered.said.calls, step.n + 1):
                planned.append(self._planned(cipher, step, i, call, now))
        code = "" if answered.error is None else answered.error.code
        code = code or ("stopped" if answered.stopped else "")
        await self._close_model(step, answered, "failed" if failed else "done", code, planned)

    def _planned(self, cipher: Any, step: Step, n: int, call: ToolCallPart, now: int) -> dict[str, Any]:
        tool = self.offered.get(call.name)
        subrun = tool is not None and tool.payee.startswith("agent:")
        return step_row(
            step.run_id, n, "subrun" if subrun else "tool", sanity.stripped(call.name, 200) or "(no name)", now, asked_by=step.n,
            call_id=call.id, args_hash=digest(_spelled(call.arguments)),
            args_sealed=sealed(cipher, step.run_id, n, "args", call.arguments[: sanity.MOST_ARGUMENTS + 1]),
            payee=tool.payee if tool is not None else "",
        )  # fmt: skip

    async def _close_model(
        self, step: Step, answered: Answered, state: str, code: str, planned: list[dict[str, Any]]
    ) -> None:
        head, now, records = self.head, self.kit.records.now(), self.kit.records
        cipher = await records.cipher(head.user_id)
        result = encode_text(answered.said)
        values = {
            "state": state, "cost_nano": answered.cost_nano, "error_class": code[:60], "ended_at": now,
            "payee": f"provider:{answered.said.provider}"[:120] if answered.said.provider else "",
            "name": (answered.said.model or step.name)[:200],
        }  # fmt: skip

        def work(connection: sa.Connection) -> None:
            held = sealed(cipher, step.run_id, step.n, "result", result)
            store.change_step(connection, step.run_id, step.n, was="started", **values, result_sealed=held)
            store.book(connection, head.root_run_id, released=step.reserved_nano, spent=answered.cost_nano)
            store.change(connection, head.run_id, own_nano=head.own_nano + answered.cost_nano, updated_at=now)
            store.add_steps(connection, planned)

        told = {
            "step": step.n,
            "kind": step.kind,
            "state": state,
            "cost": dollars(answered.cost_nano),
            "error": code,
        }
        spent = head.own_nano + answered.cost_nano
        self.live.stage("step.done", told | {"name": values["name"], "spent": dollars(spent)})
        for row in planned:
            self.live.stage("tool.asked", {"step": row["n"], "name": row["name"]})
        await self.write(work)
        await self.refresh()

    # -- ends ----------------------------------------------------------------------------------------------------------

    async def last_words(self, why: str) -> bool:
        """One answer without tools from what was kept for it; then the run pauses (its cap) or is done (its limits)."""
        text, step = "", await self._begin_model("final")
        messages = turns(self.context, self.steps)
        answered: Answered | None = None
        for bare in (False, True):
            call = call_of(
                self.kit.codec,
                self.context.spec,
                last_turns(messages, why, bare=bare),
                self.tools(),
                last=True,
            )
            try:
                answered = await self._ask(step, call)
                break
            except DoesNotFit:
                continue
            except PaymentRequired:
                break
        if answered is None:
            await self._no_step(step, why)
        else:
            await self._answered(step, answered)
            text = answered.said.text
        if self.live.leaving or self.live.lost:
            return True
        if self.live.stopping:
            return await self.end("cancelled", "cancelled", text)
        said, text = bool(text), text or LAST_WORDS.get(why, why)
        if self.head.depth or ENDS.get(why) != "paused":
            return await self.end("done", why, text, delivered=said)
        return await self.pause(why, text)

    async def pause(self, why: str, text: str, state: State = "paused") -> bool:
        """The run waits for its user, a day at most; nobody drives it meanwhile. A sub-run has nobody to wait for: it ends."""
        if self.head.depth:
            return await self.end("failed", why, text)
        records, now = self.kit.records, self.kit.records.now()
        cipher, run_id = await records.cipher(self.head.user_id), self.head.run_id
        values: dict[str, Any] = {
            "state": state, "stop_reason": why, "lease_owner": None, "lease_until": None, "updated_at": now,
            "expires_at": now + PAUSE_MS, "active_ms": self.active_ms,
        }  # fmt: skip
        if state == "paused":
            values["result_sealed"] = cipher.seal(f"{run_id} result", text)
        kind = "run.paused" if state == "paused" else "run.waiting"
        told = {
            "reason": why,
            "result": text,
            "expires_at": now + PAUSE_MS,
            "cost": dollars(await self._spent()),
        }
        self.live.stage(kind, told)
        await self.write(lambda c: store.change(c, run_id, **values))
        await self.refresh()
        return True

    async def _left_open(self) -> list[tuple[Step, int]]:
        """Steps that a fault of ours left without a word of what came of them, each with what the ledger charged for it; where it
        cannot say yet, all that was kept for it."""
        found = []
        for step in await self.kit.records.steps(self.head):
            if step.state == "started":
                cost: int | None = 0
                if step.kind in OF_MODELS:
                    cost = await self.kit.asks.charged(self.head.user_id, step.request_id or "")
                found.append((step, step.reserved_nano if cost is None else min(cost, step.reserved_nano)))
        return found

    async def _spent(self) -> int:
        return (await self.kit.records.head(self.head.run_id)).spent_nano

    async def end(
        self,
        state: State,
        why: str,
        text: str,
        error: MarketplaceError | None = None,
        *,
        delivered: bool = True,
    ) -> bool:
        """The run is over: what was kept is given back, the author's fee is posted, and then it is told.

        delivered: whether a run that is done has an answer of its model's; others have none.
        """
        records, now, head = self.kit.records, self.kit.records.now(), self.head
        cipher = await records.cipher(head.user_id)
        head.active_ms = self.active_ms
        self._began = self.kit.clock.monotonic()
        done = sum(s.state == "done" and s.kind != "input" for s in self.steps)
        open_ = [] if error is None else await self._left_open()

        def work(connection: sa.Connection) -> None:
            for step, cost in open_:
                store.change_step(
                    connection, step.run_id, step.n, was="started", state="unknown", error_class=why[:60], cost_nano=cost,
                    ended_at=now,
                )  # fmt: skip
                store.book(connection, head.root_run_id, released=step.reserved_nano, spent=cost)
            row = store.find(connection, head.run_id)
            fee = self.kit.fees.settle_in(
                connection, head, delivered=state == "done" and delivered and bool(text), steps=done,
                model_nano=head.own_nano, why=why,
            )  # fmt: skip
            store.book(connection, head.root_run_id, released=row.final_nano + row.fee_nano, spent=fee)
            store.close_approvals(connection, head.run_id, now)
            store.drop_planned(connection, head.run_id, now)
            store.change(
                connection, head.run_id, state=state, stop_reason=why[:40], final_nano=0, fee_nano=fee, ended_at=now,
                updated_at=now, lease_owner=None, lease_until=None, expires_at=None, active_ms=head.active_ms,
                result_sealed=cipher.seal(f"{head.run_id} result", text), own_nano=row.own_nano + sum(cost for _, cost in open_),
            )  # fmt: skip

        await self.write(work)
        await self.refresh()
        self.live.stage(
            "error" if error is not None else "done", ended(self.head, text, await self._spent(), error)
        )
        await records.write(lambda _connection: None, self.live)
        return True


def ended(head: Head, text: str, spent_nano: int, error: MarketplaceError | None = None) -> dict[str, Any]:
    """What the last event of a run says."""
    told: dict[str, Any] = {
        "run_id": head.run_id, "state": head.state, "finish_reason": head.stop_reason, "result": text,
        "cost": dollars(spent_nano), "fee": dollars(head.fee_nano),
    }  # fmt: skip
    return told if error is None else {**told, "success": False, "error": error.message, "code": error.code}


def _spelled(arguments: str) -> Any:
    """Arguments in one spelling, so that blanks and order make no other call of them."""
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments

"""Runs of one process: begun, driven under leases, listened to, stopped, taken over from workers that are gone."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    MarketplaceError,
    NotFound,
    PaymentRequired,
    RateLimited,
    Unavailable,
)
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.traces import Span
from agent_marketplace.runs import recovery, reserves, store
from agent_marketplace.runs.chatting import ChatAnswers
from agent_marketplace.runs.driving import Driver, Lost
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.lives import LEASE_MS, MOST_OF_A_USER, Lives
from agent_marketplace.runs.loop import drive
from agent_marketplace.runs.mcp.servers import ToolServers
from agent_marketplace.runs.records import as_head, newest, run_row, sealed, step_row
from agent_marketplace.runs.traces import span_of
from agent_marketplace.runs.types import (
    MOST_CAP_NANO,
    OVER,
    PAUSE_MS,
    Context,
    Got,
    Head,
    Spec,
    State,
    Step,
    digest,
)
from agent_marketplace.wires.base import Message, TextPart

log = logging.getLogger(__name__)
Taken = Callable[[Live], None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is asked for. cap_nano None: the usual one; attended: somebody is there to approve calls; thread: as in Context."""

    spec: Spec
    messages: tuple[Message, ...]
    user_id: str
    key_id: str | None = None
    wire: str = ""
    cap_nano: int | None = None
    attended: bool = True
    idem_key: str | None = None
    run_id: str = ""
    thread: str = ""


class Runs:
    """All runs of this process. kit.sub is set here."""

    def __init__(self, kit: Kit, drain: Drain, servers: ToolServers | None = None) -> None:
        self.kit = kit
        self._servers = servers
        kit.sub = self._below
        self._drain = drain
        self.lives = Lives(drain, kit.records)
        self.chats = ChatAnswers(kit, self.lives)

    @property
    def servers(self) -> ToolServers:
        """Tool servers of users."""
        if self._servers is None:
            raise NotFound("No tool servers here")
        return self._servers

    # -- runs of agents ------------------------------------------------------------------------------------------------

    async def start(self, wanted: Wanted) -> tuple[Head, Live | None]:
        """Admits and begins a run; None where an idempotency key names one that is not driven here.

        Raises BadRequest, PaymentRequired (`cap_too_small`, or of the fee), IdempotencyMismatch, RateLimited, Unavailable, and
        what planning raises.
        """
        if (refusal := self._drain.refusal()) is not None:
            raise refusal
        cap, most = (
            wanted.spec.cap_nano if wanted.cap_nano is None else wanted.cap_nano,
            wanted.spec.cap_max_nano,
        )
        if not 0 <= cap <= most:
            raise BadRequest(f"cap must be from 0 to {dollars(most):f} dollars")
        input_hash = digest([wanted.spec.pin, wanted.messages, cap])
        if (replay := await self._replay(wanted, input_hash)) is not None:
            return replay
        context = Context(spec=wanted.spec, messages=wanted.messages, thread=wanted.thread)
        final, first = await reserves.needed(self.kit, wanted.user_id, context)
        records, now = self.kit.records, self.kit.records.now()
        cipher = await records.cipher(wanted.user_id)
        row = run_row(
            cipher, context, now, run_id=wanted.run_id, key_id=wanted.key_id, wire=wanted.wire, cap_nano=cap,
            idem_key=wanted.idem_key, input_hash=input_hash, attended=int(wanted.attended),
            lease_owner=self.kit.owner, lease_until=now + LEASE_MS, epoch=1, final_nano=final, reserved_nano=final,
        )  # fmt: skip
        fee = 0 if wanted.spec.own else wanted.spec.price.max_fee_nano
        if first + final + fee > cap:
            raise too_small(cap, first + final + fee)
        row |= {"fee_nano": fee, "reserved_nano": final + fee}
        if not await self._add(row, wanted):
            replay = await self._replay(wanted, input_hash)
            if replay is None:
                raise Conflict("A run of this idempotency key has just been deleted")
            return replay
        return await self._begun(row["run_id"])

    async def _add(self, row: Mapping[str, Any], wanted: Wanted) -> bool:
        """False where another request has begun a run under the same idempotency key meanwhile."""

        def work(connection: sa.Connection) -> bool:
            _room(connection, wanted.user_id)
            self.kit.records.within_quota(connection, wanted.user_id)
            if not store.add(connection, row):
                return False
            self.kit.fees.begin_in(connection, as_head(row), wanted.spec)
            return True

        return await self.kit.records.write(work)

    async def _replay(self, wanted: Wanted, input_hash: str) -> tuple[Head, Live | None] | None:
        key = wanted.idem_key
        if key is None:
            return None
        found = await self.kit.records.read(lambda c: store.by_key(c, wanted.user_id, key))
        if found is None:
            return None
        if found.input_hash != input_hash:
            raise IdempotencyMismatch("This idempotency key was used for another run")
        return found, self.lives.here(found.run_id, found.user_id)

    async def _begun(self, run_id: str) -> tuple[Head, Live]:
        head = await self.kit.records.head(run_id)
        live = self.lives.take(head)
        live.emit("run.started", {"run_id": run_id, "agent_id": head.agent_id, "version": head.agent_version})
        live.task = asyncio.get_running_loop().create_task(self._drive(live, head))
        return head, live

    async def _drive(self, live: Live, head: Head) -> None:
        """Drives a leased run to where this worker leaves it; what fails in doing so fails the run, and nobody else."""
        driver: Driver | None = None
        try:
            context = await self.kit.records.context(head)
            spec = await self.kit.agents.whole(head.user_id, context.spec)
            context = msgspec.structs.replace(context, spec=spec)
            driver = Driver(self.kit, live, head, context, await self.kit.records.steps(head))
            await drive(driver)
        except Lost:
            live.lost = True
            log.warning("%s was taken by another worker: nothing more is written here", head.run_id)
        except Unavailable:
            log.warning("the database is away: %s is left to whoever takes it when it is back", head.run_id)
        except Exception as error:  # whatever it was: a run must not stay under way with nobody at it
            expected = isinstance(error, MarketplaceError)
            log.log(
                logging.INFO if expected else logging.ERROR, "%s failed", head.run_id, exc_info=not expected
            )
            if driver is not None:
                fault = (
                    error
                    if isinstance(error, MarketplaceError)
                    else MarketplaceError("Something went wrong on our side")
                )
                with contextlib.suppress(MarketplaceError):  # then whoever takes it later ends it
                    await driver.end("failed", fault.code, "", fault)
        finally:
            await self._traced(head)
            live.end()
            self.lives.drop(live)

    async def _traced(self, head: Head) -> None:
        """Sends the trace of a run that is over, with those below it."""
        if (tracer := self.kit.tracer()) is None or head.depth:
            return
        try:
            records, spans = self.kit.records, dict[str, Span]()
            tree = await records.read(lambda c: store.tree(c, head.run_id))
            if any(h.state not in OVER for h in tree):
                return
            for one in sorted(tree, key=lambda h: -h.depth):
                public = (await records.context(one)).spec.offered
                spans[one.run_id] = span_of(one, spans, await records.steps(one), offered=public)
            tracer.record(spans[head.run_id])
        except Exception:  # whatever it was: a trace that is not sent must not fail a run that has ended
            log.warning("the trace of %s was not sent", head.run_id, exc_info=True)

    async def _below(self, driver: Driver, step: Step, spec: Spec, task: str) -> tuple[Got, int]:
        """A sub-agent's run, whole, in its parent's tree: (its answer, what it has cost)."""
        records, now, above = self.kit.records, self.kit.records.now(), driver.head
        context = Context(
            spec=spec, messages=(Message("user", (TextPart(task),)),),
            ancestors=(*driver.context.ancestors, driver.context.spec.agent_id),
        )  # fmt: skip
        row = run_row(
            await records.cipher(above.user_id), context, now, root_run_id=above.root_run_id,
            parent_run_id=above.run_id, depth=above.depth + 1, key_id=above.key_id, wire=above.wire, cap_nano=above.cap_nano,
            attended=0, lease_owner=self.kit.owner, lease_until=now + LEASE_MS, epoch=1,
        )  # fmt: skip
        head = as_head(row)
        fee = 0 if spec.own else spec.price.max_fee_nano
        row["fee_nano"] = fee

        def work(connection: sa.Connection) -> None:
            if fee and not store.reserve(connection, above.root_run_id, fee):
                raise too_small(above.cap_nano or 0, fee)
            self.kit.fees.begin_in(connection, head, spec)
            store.add(connection, row)
            store.change_step(connection, step.run_id, step.n, was="started", request_id=head.run_id)

        try:
            await driver.write(work)
        except PaymentRequired as error:
            return Got(text=f"This agent's fee is not covered: {error.message}", is_error=True), 0
        live = self.lives.take(await records.head(head.run_id))
        live.task, driver.live.flight = driver.live.task, _Stops(live)
        try:
            await self._drive(live, await records.head(head.run_id))
        finally:
            driver.live.flight = None
        ended = await records.head(head.run_id)
        text = (
            await records.result(ended) or f"The agent did not answer ({ended.stop_reason or ended.state})."
        )
        return Got(text=text, is_error=ended.state != "done"), ended.own_nano + ended.fee_nano

    # -- listening and steering ----------------------------------------------------------------------------------------

    async def cancel(self, run_id: str, user_id: str) -> bool:
        """Asks a run to end: at once where it is driven here, within seconds where it is elsewhere. False = it had ended.

        Raises NotFound.
        """
        head = await self.kit.records.head(run_id, user_id)
        live = self.lives.here(run_id, user_id)
        if live is not None:
            return live.stop()
        if head.state in OVER:
            return False
        now = self.kit.records.now()
        await self.kit.records.write(lambda c: store.change(c, run_id, cancel_asked=1, updated_at=now))
        await self.resume(head, ("waiting", "paused"))
        return True

    async def delete(self, run_id: str, user_id: str) -> None:
        """Forgets a run that is over, with those below it: what was asked, done and answered. What it cost stays in the books.

        Raises NotFound, Conflict (it is not over, is part of another, or a chat's answer).
        """

        def work(connection: sa.Connection) -> None:
            head = store.find(connection, run_id, user_id)
            if head.kind != "agent" or head.depth:
                raise Conflict("This is part of a chat or of another run: delete that")
            if any(h.state not in OVER for h in store.tree(connection, run_id)):
                raise Conflict("This run is not over: cancel it first")
            store.delete_tree(connection, run_id)

        await self.kit.records.write(work)

    async def may_steer(self, run_id: str, user_id: str, key_id: str | None) -> None:
        """A key goes on with the runs that it began itself: others spend on another key's cap, or on none. Who is signed in (key_id
        None) goes on with all of their own. Raises NotFound, Forbidden."""
        head = await self.kit.records.head(run_id, user_id)
        if key_id is not None and head.key_id != key_id:
            raise Forbidden(
                "This run was not begun with this key: sign in to go on with it", code="not_this_key"
            )

    async def raise_cap(
        self, run_id: str, user_id: str, cap_nano: int, *, taken: Taken | None = None
    ) -> Head:
        """A new cap; a run that is paused goes on. Raises NotFound, BadRequest, Conflict (over, or less than is spent)."""
        if not 0 <= cap_nano <= MOST_CAP_NANO:
            raise BadRequest(f"cap must be from 0 to {dollars(MOST_CAP_NANO):f} dollars")
        head, now = await self.kit.records.head(run_id, user_id), self.kit.records.now()
        if head.depth:
            raise Conflict("The cap is the whole tree's: raise that of its first run")
        await self._within_version(head, cap_nano)
        last = await reserves.again(self.kit, head)

        def work(connection: sa.Connection) -> bool:
            if not store.raise_cap(connection, run_id, cap_nano, now):
                raise Conflict("This run is over, or has spent more than that", code="cap_refused")
            return _kept_for_last(connection, run_id, last)

        await self._steer(head, "paused", work, taken)
        return await self.kit.records.head(run_id)

    async def _steer(
        self, head: Head, waits: State, work: Callable[[sa.Connection], bool], taken: Taken | None
    ) -> None:
        """A user's word, and in the same transaction the lease of a run that goes on with it: True from `work`. Raises RateLimited
        where as many runs are under way as a user may have; nothing is written then."""
        if head.state == waits or (head.state == "running" and waits == "waiting"):
            await self.resume(head, (waits,), taken=taken, first=work)
        else:
            await self.kit.records.write(work)

    async def _within_version(self, head: Head, cap_nano: int) -> None:
        """Raises BadRequest where a cap is above the highest that the run's version may have."""
        if head.cap_nano is not None and cap_nano > head.cap_nano:
            most = (await self.kit.records.context(head)).spec.cap_max_nano
            if cap_nano > most:
                raise BadRequest(f"cap may be at most {dollars(most):f} dollars for this agent")

    async def give_input(
        self, run_id: str, user_id: str, text: str, *, cap_nano: int | None = None, taken: Taken | None = None
    ) -> Head:
        """More words for a paused run, and with them a higher cap; it then goes on. Raises NotFound, Conflict (it is not paused,
        or has spent more than that cap)."""
        head, records, now = (
            await self.kit.records.head(run_id, user_id),
            self.kit.records,
            self.kit.records.now(),
        )
        if cap_nano is not None:
            await self._within_version(head, cap_nano)
        cipher, last = await records.cipher(user_id), await reserves.again(self.kit, head)

        def work(connection: sa.Connection) -> bool:
            if store.locked(connection, run_id, user_id).state != "paused":
                raise Conflict("This run does not wait for words: it is not paused")
            n = newest(store.steps_of(connection, run_id))
            args = sealed(cipher, run_id, n, "args", text)
            row = step_row(
                run_id, n, "input", "user", now, state="done", args_sealed=args, started_at=now, ended_at=now
            )
            if cap_nano is not None and not store.raise_cap(connection, run_id, cap_nano, now):
                raise Conflict("This run has spent more than that", code="cap_refused")
            store.add_steps(connection, [row])
            return _kept_for_last(connection, run_id, last)

        await self._steer(head, "paused", work, taken)
        return await records.head(run_id)

    async def decide(
        self,
        run_id: str,
        user_id: str,
        answers: Mapping[str, tuple[str, bool]],
        *,
        taken: Taken | None = None,
    ) -> Head:
        """Answers to questions: {approval id: (subject hash that was shown, allowed)}; with the last of them the run goes on.

        Raises NotFound, Conflict (answered already, expired, or about another subject).
        """
        head, now = await self.kit.records.head(run_id, user_id), self.kit.records.now()

        def work(connection: sa.Connection) -> bool:
            known = {a.approval_id for a in store.approvals_of(connection, run_id)}
            for name, (subject, allowed) in answers.items():
                state = "approved" if allowed else "denied"
                if name not in known:
                    raise Conflict("This run asks no such thing", code="approval_stale")
                if not store.decide(connection, name, state, subject, now):
                    raise Conflict(
                        "This was answered, has expired, or is about another call", code="approval_stale"
                    )
            store.change(
                connection, run_id, updated_at=max(now, head.updated_at + 1)
            )  # other things are asked now
            return all(a.state != "pending" for a in store.approvals_of(connection, run_id))

        await self._steer(head, "waiting", work, taken)
        return await self.kit.records.head(run_id)

    async def resume(
        self,
        head: Head,
        states: Sequence[str],
        *,
        taken: Taken | None = None,
        first: Callable[[sa.Connection], bool] | None = None,
    ) -> Live | None:
        """Takes a run that nobody drives and goes on with it; None where somebody was faster, or it is in another state.

        taken: told of the live run before it says anything. first: a user's word, as of `_steer`.
        """
        if (refusal := self._drain.refusal()) is not None:
            raise refusal
        now, owner = self.kit.records.now(), self.kit.owner

        def work(connection: sa.Connection) -> bool:
            if first is not None:
                if store.find(connection, head.run_id).state in states:
                    _room(connection, head.user_id)
                if not first(connection):
                    return False
            until = now + LEASE_MS
            return store.lease(connection, head.run_id, owner, now=now, until=until, states=states)

        if not await self.kit.records.write(work):
            return None
        row = await self.kit.records.head(head.run_id)
        live = self.lives.take(row)
        live.stopping = bool(row.cancel_asked)
        if taken is not None:
            taken(live)
        live.emit("run.resumed", {"run_id": head.run_id})
        live.task = asyncio.get_running_loop().create_task(self._drive(live, row))
        return live

    # -- housekeeping --------------------------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Every few seconds: leases are renewed, runs of workers that are gone are taken, what has waited too long ends, and what
        runs for a suspended account."""
        if lives := self.lives.under_way():
            names, until = [live.id for live in lives], self.kit.records.now() + LEASE_MS
            mine = await self.kit.records.write(lambda c: store.renew(c, names, self.kit.owner, until))
            for live in lives:
                if live.id not in mine:
                    live.lost = live.abandoned is None
                elif mine[live.id]:
                    live.stop()
        for head in await self.kit.records.read(store.of_suspended):
            with contextlib.suppress(
                MarketplaceError
            ):  # erased or over meanwhile: the others are looked at all the same
                await self.cancel(head.run_id, head.user_id)
        await recovery.recover(self)
        await recovery.expire(self)

    async def forget(self) -> None:
        """Every hour: events of runs that ended a day ago."""
        before = self.kit.records.now() - PAUSE_MS
        await self.kit.records.write(lambda c: store.forget_events(c, before))

    async def close(self) -> None:
        """Ends and settles every chat answer; runs of agents are left to whoever takes them (shutdown)."""
        await self.lives.close()


def _room(connection: sa.Connection, user_id: str) -> None:
    """Raises RateLimited where a user has as many runs under way as there may be, gone on with or new."""
    if store.working(connection, user_id) >= MOST_OF_A_USER:
        raise RateLimited("Too many runs are under way at once", retry_after=5)


def _kept_for_last(connection: sa.Connection, run_id: str, nano: int) -> bool:
    """Keeps of the cap what another last answer needs, where that is left."""
    row = store.find(connection, run_id)
    waits = row.state == "paused" and not row.final_nano  # else somebody was faster
    if nano and waits and store.reserve(connection, run_id, nano):
        store.change(connection, run_id, final_nano=nano)
    return True


class _Stops:
    """Who stops a run stops the run below it that it waits for."""

    def __init__(self, below: Live) -> None:
        self._below = below

    def client_left(self, *, polite: bool = False) -> None:  # noqa: ARG002  as a flight is asked
        self._below.stop()

    def shut_down(self) -> None:
        self._below.leave()


def too_small(cap: int, needed: int) -> PaymentRequired:
    """The 402 of a cap that does not pay for one step and the last answer."""
    return PaymentRequired(
        f"The cap of ${dollars(cap):f} is too small: the first step and a last answer can cost ${dollars(needed):f}",
        code="cap_too_small",
        extra={"required": dollars(needed), "cap": dollars(cap)},
    )


def new_run_id() -> str:
    """An id for a run that its caller wants to know before it begins."""
    return new_id("run")

"""The review of agents: who may be listed, and the kill switch. Each act is one transaction with its line in the audit log."""

import contextlib

import msgspec
import sqlalchemy as sa

from agent_marketplace.admin.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.ledger import Earned, Ledger, Payout, dollars
from agent_marketplace.listings import Head, Listings, Version, store
from agent_marketplace.listings.outcomes import store as outcomes
from agent_marketplace.listings.publishing import offer_in
from agent_marketplace.listings.types import Publisher

QUEUE = 100
AUTHORS = 1_000
PAYOUTS = 200


class AgentDesk:
    """What administrators decide about versions of agents."""

    def __init__(self, db: Database, admin: Admin, ledger: Ledger, listings: Listings, clock: Clock) -> None:
        self._db = db
        self._admin = admin
        self._ledger = ledger
        self._fees = listings.fees
        self._resolver = listings.resolver
        self._clock = clock

    async def queue(self) -> list[Version]:
        """Versions that wait, the first submitted first, with their instructions."""
        waiting = await self._db.read(lambda c: store.waiting(c, QUEUE))
        return [
            msgspec.structs.replace(version, spec=await self._resolver.opened(version, sealed))
            for version, sealed in waiting
        ]

    async def to_do(self) -> tuple[int, int]:
        """(versions that wait for a person, open reports)."""
        return await self._db.read(lambda c: (store.waiting_count(c), len(outcomes.open_reports(c, QUEUE))))

    async def compared(self, waiting: Version) -> tuple[Head, Version | None]:
        """A version's agent, and the version that was offered last, with its instructions: what a reviewer compares with."""

        def work(connection: sa.Connection) -> tuple[Head, tuple[Version, bytes] | None]:
            head = store.head(connection, waiting.agent_id)
            assert head is not None  # it has a version
            last = head.last_live
            return head, None if last is None else store.version(connection, head.agent_id, last)

        head, before = await self._db.read(work)
        if before is None or before[0].version == waiting.version:
            return head, None
        opened = await self._resolver.opened(*before)
        return head, msgspec.structs.replace(before[0], spec=opened)

    async def agents(self, words: str, after: str | None, limit: int) -> list[tuple[Head, list[Version]]]:
        """Every agent, whatever its state, with its versions, newest first and without instructions."""
        return await self._db.read(
            lambda c: [
                (head, store.versions(c, head.agent_id)) for head in store.every_head(c, words, after, limit)
            ]
        )

    async def authors(self) -> list[tuple[Publisher, Earned]]:
        """Who publishes, and what they earned."""

        def work(connection: sa.Connection) -> list[tuple[Publisher, Earned]]:
            found = []
            for author in store.publishers_of(connection, AUTHORS):
                with contextlib.suppress(NotFound):  # the product's own agents have no wallet
                    found.append((author, self._ledger.earned_in(connection, author.user_id)))
            return found

        return await self._db.read(work)

    async def payouts(self) -> list[Payout]:
        """What was paid out, newest first."""
        return await self._db.read(lambda c: self._ledger.payouts_in(c, PAYOUTS))

    async def approve(self, by: Actor, agent_id: str, number: int, *, reason: str) -> Version:
        """Lists a submitted version; its tools, scopes and hosts count as seen from now on. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Version:
            version = _in_state(connection, agent_id, number, "submitted")
            head = store.head(connection, agent_id)
            assert head is not None  # it has a version
            seen = msgspec.structs.replace(version, reviewed=True)
            listed = offer_in(connection, head, seen, self._clock.now_ms())
            self._record(connection, by, "approve agent", version, listed, reason)
            return listed

        return await self._db.write(work)

    async def reject(self, by: Actor, agent_id: str, number: int, *, reason: str) -> Version:
        """Refuses a submitted version; its author reads why. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Version:
            version = _in_state(connection, agent_id, number, "submitted")
            return self._decide(connection, by, "reject agent", version, "rejected", [reason], reason)

        return await self._db.write(work)

    async def suspend(self, by: Actor, agent_id: str, number: int, *, reason: str) -> Version:
        """The kill switch: new runs are refused at once, running ones end at their next step. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Version:
            version = _in_state(connection, agent_id, number, "listed", "submitted", "withdrawn", "draft")
            gone = self._decide(connection, by, "suspend agent", version, "suspended", [reason], reason)
            head = store.head(connection, agent_id)
            if head is not None and head.live == number:
                store.change_head(connection, agent_id, {"live": None, "updated_at": self._clock.now_ms()})
            return gone

        return await self._db.write(work)

    async def restore(self, by: Actor, agent_id: str, number: int, *, reason: str) -> Version:
        """Lists a suspended version again. Raises NotFound, Conflict."""

        def work(connection: sa.Connection) -> Version:
            version = _in_state(connection, agent_id, number, "suspended")
            head = store.head(connection, agent_id)
            assert head is not None  # it has a version
            again = msgspec.structs.replace(version, findings=[])
            listed = offer_in(connection, head, again, self._clock.now_ms())
            self._record(connection, by, "restore agent", version, listed, reason)
            return listed

        return await self._db.write(work)

    async def refund(self, by: Actor, run_id: str, *, reason: str) -> int:
        """Gives a run's fee back, from both who shared it, once. Returns the fee, nano-dollars. Raises NotFound."""

        def work(connection: sa.Connection) -> int:
            fee = self._fees.refund_in(connection, run_id, reason)
            if fee:
                after = {"fee": format(dollars(fee), "f")}
                self._admin.record_in(connection, by, "refund agent fee", run_id, {}, after, reason)
            return fee

        return await self._db.write(work)

    async def payout(
        self, by: Actor, author_id: str, amount_nano: int, *, reference: str, reason: str
    ) -> Earned:
        """Records that earnings were paid out, once per reference. Raises NotFound, BadRequest, Conflict."""

        def work(connection: sa.Connection) -> Earned:
            before = self._ledger.earned_in(connection, author_id)
            if self._ledger.payout_in(connection, author_id, amount_nano, reference=reference, by=by.name):
                amounts = {"amount": format(dollars(amount_nano), "f"), "reference": reference}
                was = {"payable": format(dollars(before.payable_nano), "f")}
                self._admin.record_in(connection, by, "payout", author_id, was, amounts, reason)
            return self._ledger.earned_in(connection, author_id)

        return await self._db.write(work)

    async def close_report(self, by: Actor, report_id: str, *, reason: str) -> None:
        """Closes a report. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if not outcomes.close_report(connection, report_id, self._clock.now_ms()):
                raise NotFound("No such open report")
            self._admin.record_in(connection, by, "close agent report", report_id, {}, {}, reason)

        await self._db.write(work)

    def _decide(
        self,
        connection: sa.Connection,
        by: Actor,
        act: str,
        version: Version,
        state: str,
        why: list[str],
        reason: str,
    ) -> Version:
        after = msgspec.structs.replace(version, state=state, findings=why, decided_at=self._clock.now_ms())
        store.decide(connection, after)
        self._record(connection, by, act, version, after, reason)
        return after

    def _record(
        self, connection: sa.Connection, by: Actor, act: str, before: Version, after: Version, reason: str
    ) -> None:
        name = f"{after.agent_id}@{after.version}"
        was, now = {"state": before.state}, {"state": after.state, "content": after.content_hash}
        self._admin.record_in(connection, by, act, name, was, now, reason)


def _in_state(connection: sa.Connection, agent_id: str, number: int, *states: str) -> Version:
    store.one_at_a_time(connection)
    found = store.version(connection, agent_id, number)
    if found is None:
        raise NotFound("No such version")
    if found[0].state not in states:
        raise Conflict(f"This version is {found[0].state}")
    return found[0]

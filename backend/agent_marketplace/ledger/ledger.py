"""The ledger: holds, settlements, credit. Each method is one transaction; each either happens wholly or not at all."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.segments import Segments
from agent_marketplace.errors import MarketplaceError, Unavailable
from agent_marketplace.ledger import earnings, following, heads, housekeeping, returns, store, topups, verify
from agent_marketplace.ledger.acts import key_of
from agent_marketplace.ledger.audit import Tell, silent
from agent_marketplace.ledger.journal import Entry, Journal, JournalFull
from agent_marketplace.ledger.lots import Lot, Terms
from agent_marketplace.ledger.types import (
    Balance,
    Earned,
    Fee,
    Hold,
    KeySpend,
    OpenHold,
    Payout,
    Period,
    Receipt,
    Settlement,
    StatementPage,
    Status,
    Totals,
    UsageRecord,
    VerifyReport,
)
from agent_marketplace.ledger.writer import Extend, Heartbeat, Job, MakeHold, Settle, Void, Writer

log = logging.getLogger(__name__)
PAUSES_S = (0.05, 0.2, 0.8)  # between attempts to settle
POSTED_AT_ONCE = 64


class Ledger:
    """All money of the marketplace. secret: signs checkpoints and seals usage; owner: names this process in the holds it makes;
    hold_ttl_s: the longest that a hold outlives its last sign of life; segments: where archived requests are."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        secret: bytes = b"",
        owner: str | None = None,
        hold_ttl_s: float = 120,
        segments: Segments | None = None,
    ) -> None:
        self._database, self._segments, self._clock = database, segments, clock
        self._secret = secret
        self.acts_key = key_of(secret)  # of the administrators' log
        self.hold_ttl_s = hold_ttl_s
        self.owner = owner or secrets.token_hex(8)
        self._writer = Writer(database.dialect, clock, self.owner, secret)
        self._undoing: set[asyncio.Task[Any]] = set()
        self._journal: Journal | None = None

    async def hold(
        self,
        request_id: str,
        user_id: str,
        amount_nano: int,
        *,
        price_version: str,
        ttl_s: float = 120,
        key_id: str | None = None,
        meta: Mapping[str, str] | None = None,
    ) -> Hold:
        """Keeps `amount_nano` of the wallet (and of the key's cap). A hold of 0 is always admitted, even in debt.

        meta: `model` and `provider`, for the usage row of a lost request. Raises PaymentRequired (extra: required, balance,
        held, available in dollars; scope `wallet` or `key`, then also its cap), NotFound (no such account), Conflict (request id
        used before).
        """
        job = MakeHold(
            request_id,
            user_id,
            amount_nano,
            price_version,
            min(ttl_s, self.hold_ttl_s),
            key_id,
            dict(meta or {}),
        )
        return await self._database.write_batched(self._writer.run, job, durable=False, undo=self._undo_hold)

    async def extend(self, request_id: str, add_nano: int) -> bool:
        """Adds a stream's next slice to its hold; False = it is no longer open.

        Raises PaymentRequired as `hold` where the wallet or the key's cap is too small; then nothing changed.
        """
        return bool(await self._submit(Extend(request_id, add_nano), durable=False))

    async def heartbeat(
        self, request_id: str, ttl_s: float = 120, *, progress_nano: int | None = None
    ) -> bool:
        """Keeps a hold alive; progress_nano: what is charged if this process dies now. False = it is no longer open."""
        return bool(
            await self._submit(
                Heartbeat(request_id, min(ttl_s, self.hold_ttl_s), progress_nano), durable=False
            )
        )

    async def settle(self, settlement: Settlement) -> Receipt:
        """Charges min(cost, what was held), releases the hold, writes the usage row: durable, once per request id.

        Repeats itself when the database did not confirm; what it then still has not taken is kept, and posted when it is back
        (`begin_journal`). Raises NotFound (no hold), Conflict (voided), Unavailable (neither posted nor kept).
        """
        try:
            receipt = await self._repeat(Settle(settlement))
        except Unavailable as error:
            return await self._keep(settlement, error)
        if receipt.absorbed_nano and not receipt.replayed:
            log.error(
                "absorbed %d nano-dollars of %s: cost above what was held",
                receipt.absorbed_nano,
                receipt.request_id,
            )
        return receipt

    async def void(self, request_id: str, reason: str, *, status: Status = "failed") -> Receipt:
        """Releases the hold, charges nothing, writes the usage row that says why. Once per request id."""
        return await self._repeat(Void(request_id, reason, status))

    async def balance(self, user_id: str) -> Balance:
        """The wallet. Raises NotFound."""
        return await self._database.read(lambda c: self.balance_in(c, user_id))

    def balance_in(self, connection: sa.Connection, user_id: str) -> Balance:
        """`balance` inside the caller's transaction."""
        return store.balance(connection, user_id, self._clock.now_ms())

    async def grant(
        self,
        user_id: str,
        amount_nano: int,
        *,
        kind: topups.Kind,
        idempotency_key: str | None = None,
        memo: str = "",
        terms: Terms | None = None,
    ) -> Balance:
        """Credit, top-up, refund, or a reversed top-up (the only kind with a negative amount). Once per idempotency key.

        terms: what the credit is; by default it is paid and never ends. Raises NotFound, BadRequest (amount, end),
        IdempotencyMismatch.
        """
        return await self._database.write(
            lambda c: self.grant_in(
                c, user_id, amount_nano, kind=kind, idempotency_key=idempotency_key, memo=memo, terms=terms
            )
        )

    def grant_in(
        self,
        connection: sa.Connection,
        user_id: str,
        amount_nano: int,
        *,
        kind: topups.Kind,
        idempotency_key: str | None = None,
        memo: str = "",
        terms: Terms | None = None,
    ) -> Balance:
        """`grant` inside the caller's transaction."""
        return topups.grant_in(
            self._writer, connection, user_id, amount_nano, kind, idempotency_key, memo, terms
        )

    def unused_in(self, connection: sa.Connection, user_id: str, reference: str) -> int:
        """What of a payment is unused and could go back, nano-dollars; locks the wallet. See `returns` for all of these."""
        return returns.unused_in(self._writer, connection, user_id, reference)

    def take_back_in(
        self, connection: sa.Connection, user_id: str, amount: int, reference: str, memo: str, *, unused: bool
    ) -> int:
        """Takes a payment's money out again. Returns the posting's number. Raises BadRequest."""
        return returns.take_back_in(self._writer, connection, user_id, amount, reference, memo, unused=unused)

    def put_back_in(
        self, connection: sa.Connection, user_id: str, amount: int, reference: str, memo: str, source: str
    ) -> int:
        """What was taken back comes in again. Returns the posting's number."""
        return returns.put_back_in(self._writer, connection, user_id, amount, reference, memo, source)

    def freeze_in(self, connection: sa.Connection, user_id: str, reference: str, *, frozen: bool) -> int:
        """Freezes or thaws what is left of a payment. Returns how much."""
        return returns.freeze_in(self._writer, connection, user_id, reference, frozen=frozen)

    def give_back_in(self, connection: sa.Connection, user_id: str, request_id: str, memo: str) -> int:
        """Reverses what an answer was charged, once. Returns nano-dollars. Raises NotFound, Conflict, BadRequest."""
        return returns.give_back_in(self._writer, connection, user_id, request_id, memo)

    async def lots(self, user_id: str) -> list[Lot]:
        """What a wallet consists of now, what is spent first first; together they are its balance. Raises NotFound."""
        return await self._database.read(lambda c: store.lots_of(c, user_id, self._clock.now_ms()).all)

    async def charge(
        self, user_id: str, amount_nano: int, *, kind: str, idempotency_key: str | None = None, memo: str = ""
    ) -> bool:
        """Takes an amount for something that is not a request, e.g. a plan; False = too poor. Once per idempotency key."""
        return await self._database.write(
            lambda c: topups.charge_in(self._writer, c, user_id, amount_nano, kind, idempotency_key, memo)
        )

    def charge_in(
        self,
        connection: sa.Connection,
        user_id: str,
        amount_nano: int,
        *,
        kind: str,
        idempotency_key: str | None = None,
        memo: str = "",
    ) -> bool:
        """`charge` inside the caller's transaction."""
        return topups.charge_in(self._writer, connection, user_id, amount_nano, kind, idempotency_key, memo)

    def hold_fee_in(
        self,
        connection: sa.Connection,
        run_id: str,
        user_id: str,
        most_nano: int,
        *,
        key_id: str | None,
        name: str,
    ) -> None:
        """Keeps the most that a run's fee can be, of paid money only. Once per run. Raises as `earnings.hold_in`."""
        earnings.hold_in(self._writer, connection, run_id, user_id, most_nano, key_id, name)

    def post_fee_in(self, connection: sa.Connection, fee: Fee) -> int:
        """Ends a run's fee, once: returns what was posted. Raises NotFound (nothing was held), BadRequest."""
        return earnings.post_in(self._writer, connection, fee)

    def claw_back_in(self, connection: sa.Connection, user_id: str, since: int, reason: str) -> int:
        """Fees of a payer whose payment was taken back, as far as they are pending and the account owes: `earnings.claw_back_in`."""
        return earnings.claw_back_in(self._writer, connection, user_id, since, reason)

    def refund_fee_in(self, connection: sa.Connection, run_id: str, reason: str) -> int:
        """Gives a run's fee back from both who shared it, once: returns the fee, 0 = it was before. Raises NotFound."""
        return earnings.refund_in(self._writer, connection, run_id, reason)

    def payout_in(
        self, connection: sa.Connection, author_id: str, amount_nano: int, *, reference: str, by: str
    ) -> bool:
        """Records a payout of earnings, once per reference. Raises NotFound, BadRequest, Conflict."""
        return earnings.payout_in(self._writer, connection, author_id, amount_nano, reference, by)

    def earned_in(self, connection: sa.Connection, author_id: str) -> Earned:
        """What an author has earned. Raises NotFound."""
        return earnings.earned_in(connection, author_id, self._clock.now_ms())

    def payouts_in(self, connection: sa.Connection, limit: int) -> list[Payout]:
        """What was paid out to authors, newest first."""
        return earnings.paid_out(connection, limit)

    async def sweep_earnings(self) -> int:
        """Every few minutes: moves earnings that are 14 days old to their authors. Returns how many authors."""
        return await housekeeping.sweep_earnings(self._database, self._writer, self._clock)

    def open_account_in(
        self,
        connection: sa.Connection,
        user_id: str,
        *,
        credit_nano: int,
        kind: str = "signup",
        spendable: bool = True,
    ) -> None:
        """Opens the wallet inside the sign-up transaction, with its first credit. Raises Conflict if it exists.

        spendable=False: the credit is shown but pays for nothing.
        """
        topups.open_account_in(self._writer, connection, user_id, credit_nano, kind, spendable=spendable)

    def signup_credit_left_in(self, connection: sa.Connection, day: str, daily_nano: int) -> int:
        """What of the daily total is left on `day` (YYYY-MM-DD, UTC); locks the day until the transaction ends."""
        return topups.signup_credit_left_in(connection, day, daily_nano)

    def open_key_budget_in(
        self,
        connection: sa.Connection,
        key_id: str,
        period: Period,
        limit_nano: int | None,
        *,
        timezone: str = "UTC",
    ) -> None:
        """Caps a marketplace key; the windows begin at midnight (week: Monday) in `timezone`. Raises BadRequest."""
        topups.open_key_budget_in(connection, key_id, period, limit_nano, timezone, self._clock.now_ms())

    async def key_spend(self, key_ids: list[str]) -> dict[str, KeySpend]:
        """Spend of these keys in their current windows; keys without a cap are absent."""
        return await self._database.read(lambda c: store.key_spend(c, key_ids, self._clock.now_ms()))

    async def statement(self, user_id: str, cursor: str | None = None, limit: int = 50) -> StatementPage:
        """Postings of a wallet, newest first. Raises NotFound, BadRequest (cursor)."""
        return await self._database.read(lambda c: store.statement(c, user_id, cursor, limit))

    async def running(self, user_id: str) -> list[OpenHold]:
        """The user's calls in flight, oldest first."""
        return await self._database.read(lambda c: store.running(c, user_id))

    async def receipt(self, request_id: str, user_id: str) -> UsageRecord:
        """The usage row of one of the user's requests. Raises NotFound."""
        return await self._database.read(lambda c: self.receipt_in(c, request_id, user_id))

    def receipt_in(self, connection: sa.Connection, request_id: str, user_id: str) -> UsageRecord:
        """`receipt` inside the caller's transaction."""
        return store.receipt(connection, request_id, user_id, self._segments)

    async def begin_journal(self, folder: Path) -> int:
        """At a server's start, before `recover`: keeps settlements in `folder` while the database is away, and posts those that a
        process that died has left there. Returns how many. Raises OSError, Unavailable."""
        self._journal = journal = Journal(folder, self.owner)
        count = 0
        for file, path, entries in journal.orphans():
            posted = False
            try:
                await self._post(entries)
                posted = True
                count += len(entries)
            finally:
                Journal.bury(file, path, posted=posted)
        return count

    async def post_kept(self) -> int:
        """Posts what was kept while the database was away. Returns how many. Raises Unavailable."""
        if self._journal is None or not self._journal.pending:
            return 0
        entries = list(self._journal.pending.values())
        await self._post(entries)
        for entry in entries:
            await asyncio.to_thread(self._journal.posted, entry.request_id)
        log.warning("posted %d settlements that were kept while the database was away", len(entries))
        return len(entries)

    @property
    def kept(self) -> int:
        """How many settlements wait for the database."""
        return len(self._journal.pending) if self._journal is not None else 0

    async def close(self) -> None:
        """At a server's end: posts what is kept, or leaves it for the next process."""
        if self._journal is not None:
            with contextlib.suppress(Unavailable):
                await self.post_kept()
            self._journal.close()

    async def recover(self) -> int:
        """At start: ends the open holds of dead processes as `lost`. Returns how many. See `sweep` for PostgreSQL."""
        everything = (
            self._database.dialect == "sqlite"
        )  # one process serves: whoever else made a hold is dead
        return await housekeeping.end_lost_holds(self._database, self._writer, everything=everything)

    async def sweep(self, running: Collection[str] = ()) -> int:
        """Every few seconds: ends expired holds as `lost` (a later settlement still wins), and credit that is over. Returns how
        many holds.

        running: request ids that this process still works on: however late their heartbeats are, they are not lost. What was
        kept while the database was away is posted first: it is not lost either.
        """
        await self.post_kept()
        lost = await housekeeping.end_lost_holds(
            self._database, self._writer, everything=False, running=frozenset(running)
        )
        await housekeeping.end_credit(self._database, self._writer, self._clock)
        return lost

    async def checkpoint(self) -> int:
        """Every few minutes: rolls up shared accounts and signs the heads that moved. Returns how many moved."""
        return await housekeeping.checkpoint(self._database, self._clock.now_ms(), self._secret)

    async def keep_head(self, path: Path) -> heads.Head | None:
        """A checkpoint, whose head is then kept in a file too. Returns it; None where there is nothing to sign. Raises OSError."""
        await self.checkpoint()
        head = await self._database.read(heads.newest)
        if head is not None:
            await asyncio.to_thread(heads.keep, path, head)
        return head

    def verify_sync(self, connection: sa.Connection, tell: Tell = silent) -> VerifyReport:
        """Recomputes everything on this connection's snapshot; tell: rows read, of how many."""
        return verify.verify(connection, self._secret, tell, self._segments)

    async def verify_new(self, pause_s: float = 0.02) -> following.Verified | None:
        """Proves what was signed since the last time, and stores how far that is; pause_s: after some hundred rows. None where
        another process is at it."""
        look = partial(following.looked, secret=self._secret, pause_s=pause_s, segments=self._segments)
        before, now = await self._database.read(look)
        if now is not None and now.problems:  # each time: it stays wrong until somebody has looked
            log.error("the books do not agree, run `agent-marketplace ledger verify`: %s", now.first)
        if now is not None and (now != before or now.problems):
            await self._database.write(lambda c: following.keep(c, self._secret, now), durable=False)
        return now

    async def verified(self) -> following.Verified | None:
        """How far the books were proven while they grew, and what was found wrong."""
        return await self._database.read(lambda c: following.stored(c, self._secret))

    def all_is_well_sync(self) -> None:
        """After a whole verification that agreed: what is found from here on is new."""
        self._database.write_sync(
            lambda c: following.keep(c, self._secret, following.newest(c)), durable=False
        )

    async def absorbed_since(self, since_ms: int) -> dict[str, int]:
        """{user: nano-dollars that the operator bore of their calls since then}; users for whom it was nothing are absent."""
        return await self._database.read(lambda c: store.absorbed_since(c, since_ms))

    async def totals(self) -> Totals:
        """What is held now and what the shared accounts stood at when they were last rolled up: cheap, for metrics."""
        return await self._database.read(store.totals)

    async def in_flight(self) -> dict[str, int]:
        """{provider: calls under way} of everybody."""
        return await self._database.read(store.in_flight)

    def _submit(self, job: Job, *, durable: bool) -> Awaitable[Any]:
        return self._database.write_batched(self._writer.run, job, durable=durable)

    async def _repeat(self, job: Settle | Void) -> Receipt:
        for pause in PAUSES_S:
            try:
                receipt: Receipt = await self._submit(job, durable=True)
                return receipt
            except Unavailable:
                log.warning("repeating a settlement that the database did not confirm")
                await asyncio.sleep(pause)
        return await self._close(job)

    async def _keep(self, settlement: Settlement, error: Unavailable) -> Receipt:
        if self._journal is None:
            raise error
        charge, held = settlement.charge_nano, settlement.held_nano
        receipt = Receipt(
            request_id=settlement.request_id,
            status=settlement.status,
            charged_nano=charge if held is None else min(charge, held),
            absorbed_nano=0,
            balance_nano=None,
            held_nano=0,
        )
        try:
            await asyncio.to_thread(self._journal.keep, Entry.of(settlement, receipt))
        except JournalFull as full:
            log.error(  # noqa: TRY400  the reason is in the words
                "lost the settlement of %s, %d nano-dollars: the database is away, and the journal can't keep it: %s",
                settlement.request_id,
                settlement.charge_nano,
                full,
            )
            raise error from full
        log.warning("kept the settlement of %s until the database is back", settlement.request_id)
        return receipt

    async def _post(self, entries: Sequence[Entry]) -> None:
        """Raises Unavailable; an entry that the books refuse is named in the log and let go of."""
        for start in range(0, len(entries), POSTED_AT_ONCE):
            part = entries[start : start + POSTED_AT_ONCE]
            old = await self._database.read(partial(store.archived_of, entries=part, segments=self._segments))
            some = [entry for entry in part if entry.request_id not in old]
            closing = (self._close(Settle(entry.settlement())) for entry in some)
            outcomes = await asyncio.gather(*closing, return_exceptions=True)
            for entry, outcome in zip(some, outcomes, strict=True):
                if isinstance(outcome, MarketplaceError) and not isinstance(outcome, Unavailable):
                    log.error(
                        "the kept settlement of %s, %d nano-dollars, can't be posted: %s",
                        entry.request_id,
                        entry.charge_nano,
                        outcome.message,
                    )
                elif isinstance(outcome, BaseException):
                    raise outcome

    async def _close(self, job: Settle | Void) -> Receipt:
        receipt: Receipt = await self._submit(job, durable=True)
        return receipt

    def _undo_hold(self, hold: Hold) -> None:
        # The caller was cancelled while its hold was being committed: nobody else will release it.
        task = asyncio.get_running_loop().create_task(
            self.void(hold.request_id, "cancelled before dispatch", status="cancelled")
        )
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)

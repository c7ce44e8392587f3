"""A whole marketplace's money under faults, in one thread and on a clock of its own: a seed is a schedule, and runs the same every time.

The ledger, its holds, its journal and its housekeeping are the real ones, on a real SQLite. What is simulated is around them: time,
the order in which tasks go on, a database that fails before or after it has committed, providers that answer, break off, stall or
bill more than was held, clients that hang up, and processes and machines that die (a machine's death takes all that was not durable).

    python -m tests.fakes.simulated SCHEDULES [FIRST_SEED]

After each schedule everything is healed, and then: the books agree, each acknowledged charge is in them once and with its amount, no
call costs more than was held for it, nothing stays held, and nobody's wallet is below zero.
"""

import asyncio
import contextlib
import functools
import logging
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.base import metadata
from agent_marketplace.db.engine import _sqlite_begin
from agent_marketplace.db.group import CommitUnknown
from agent_marketplace.db.tables import admin, earnings, ledger, payments, usage_log
from agent_marketplace.db.tables.ledger import holds, usage_records
from agent_marketplace.errors import MarketplaceError, Unavailable
from agent_marketplace.ledger import Ledger, Price, Settlement, price_usage
from agent_marketplace.ledger import journal as journals
from agent_marketplace.usage import Usage

SECRET = b"simulated"
USERS = ("ann", "bob", "eve")
PRICE = Price(input=1_000_000_000, output=4_000_000_000)
BEAT_S, TTL_S, SWEEP_S, CHECKPOINT_S = 30.0, 50.0, 5.0, 300.0


class Loop(asyncio.SelectorEventLoop):
    """Time passes when nothing is left to do, and never otherwise; threads are none, so that the order is always the same."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock_ = clock
        self._now = 0.0
        waits = self._selector.select  # type: ignore[attr-defined]

        def select(timeout: float | None) -> Any:
            if timeout is not None and timeout > 0:
                self._now += timeout
                clock.advance(timeout)
            return waits(0)

        self._selector.select = select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  as an executor would
            future.set_exception(error)
        return future


@functools.cache
def _memory() -> tuple[sqlite3.Connection, sa.Engine, bytes]:
    """One database in memory for all schedules (so that statements are compiled once), and what it is with empty tables."""
    raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=sa.pool.StaticPool)
    rooms = (admin, earnings, ledger, payments, usage_log)
    needed = {t for room in rooms for t in vars(room).values() if isinstance(t, sa.Table)}
    metadata.create_all(engine, tables=[table for table in metadata.sorted_tables if table in needed])
    sa.event.listen(engine, "begin", _sqlite_begin)
    return raw, engine, raw.serialize()


class Data:
    """`Database` as the ledger sees it, on one connection. trouble: the share of groups that fail."""

    dialect = "sqlite"

    def __init__(self, chance: random.Random) -> None:
        self.raw, self.engine, empty = _memory()
        self.raw.deserialize(empty)
        self._chance = chance
        self._waiting: list[tuple[Any, Any, asyncio.Future[Any], Any]] = []
        self.trouble = 0.0
        self.durable = self.raw.serialize()

    def lose_power(self) -> None:
        """What was not durable is gone."""
        self.raw.deserialize(self.durable)

    def forget_callers(self) -> None:
        """The process died: whoever waited waits no more."""
        self._waiting.clear()

    async def read(self, fn: Callable[[sa.Connection], Any]) -> Any:
        await self._delay()
        if self._chance.random() < self.trouble:
            raise Unavailable("simulated: away")
        return self.read_sync(fn)

    def read_sync(self, fn: Callable[[sa.Connection], Any]) -> Any:
        with self.engine.connect().execution_options(reader=True) as connection:
            return fn(connection)

    async def write(self, fn: Callable[[sa.Connection], Any], *, durable: bool = True) -> Any:
        await self._delay()
        kind = self._fault()
        if kind == "before":
            raise Unavailable("simulated: no commit")
        with self.engine.begin() as connection:
            value = fn(connection)
        self._committed(durable)
        if kind == "after":
            raise CommitUnknown("simulated: committed, but nobody is told")
        return value

    async def write_batched(
        self, handler: Any, job: object, *, durable: bool = True, undo: Callable[[Any], None] | None = None
    ) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_later(self._chance.choice((0.0, 0.001, 0.02)), self._commit, handler)
        self._waiting.append((job, durable, future, undo))
        return await future

    def _commit(self, handler: Any) -> None:
        group, self._waiting = self._waiting, []
        if not group:
            return
        kind = self._fault()
        if kind != "before":
            self.raw.execute("BEGIN IMMEDIATE")
            outcomes = handler(self.raw, [job for job, *_ in group])
            self.raw.execute("COMMIT")
            self._committed(any(durable for _, durable, *_ in group))
        for place, (_, _, future, undo) in enumerate(group):
            if kind is not None:
                if not future.done():
                    future.set_exception(
                        CommitUnknown("simulated") if kind == "after" else Unavailable("simulated")
                    )
            elif future.cancelled():
                if undo is not None and not isinstance(outcomes[place], Exception):
                    undo(outcomes[place])
            elif isinstance(outcomes[place], Exception):
                future.set_exception(outcomes[place])
            else:
                future.set_result(outcomes[place])

    def _committed(self, durable: bool) -> None:
        if durable:
            self.durable = self.raw.serialize()

    def _fault(self) -> str | None:
        if self._chance.random() >= self.trouble:
            return None
        return self._chance.choice(("before", "before", "after"))

    async def _delay(self) -> None:
        await asyncio.sleep(self._chance.choice((0.0, 0.001, 0.01)))


class Schedule:
    """One seed's story. told: request id -> what its caller was told that it cost; most: -> what may be charged at the most."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.clock = ManualClock()
        self.folder = folder
        self.data = Data(self.chance)
        self.told: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.lives = self.calls = 0
        self.credit = self.chance.choice((2_000_000, 20_000_000, 5_000_000_000))
        self.ledger = self._new()
        for user in USERS:
            with self.data.engine.begin() as connection:
                self.ledger.open_account_in(connection, user, credit_nano=self.credit)
        self.data.durable = self.data.raw.serialize()

    def _new(self) -> Ledger:
        self.lives += 1
        return Ledger(self.data, self.clock, secret=SECRET, owner=f"life{self.lives}", hold_ttl_s=TTL_S)  # type: ignore[arg-type]

    async def run(self) -> None:
        for _ in range(self.chance.randrange(1, 4)):
            self.data.trouble = self.chance.choice((0.0, 0.0, 0.05, 0.4))
            await self._life()
        self.data.trouble = 0.0
        await self._begin()
        for _ in range(3):  # what was held by the dead ends by itself
            await asyncio.sleep(TTL_S + 1)
            await self.ledger.sweep()
        await self.ledger.checkpoint()
        await self.ledger.close()
        self._judge()

    async def _life(self) -> None:
        """From a start to a death."""
        await self._begin()
        running: set[str] = set()
        tasks = [asyncio.create_task(self._housekeeping(running))]
        for _ in range(self.chance.randrange(3, 12)):
            tasks.append(asyncio.create_task(self._call(running)))
            await asyncio.sleep(self.chance.expovariate(0.3))
            if self.chance.random() < 0.1:  # a client hangs up
                self.chance.choice(tasks[1:]).cancel()
            if self.chance.random() < 0.1:
                self.clock.advance(self.chance.choice((-3600, -5, 5, 3600)))
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.uniform(0, 120))
        self.data.forget_callers()  # kill -9: nothing runs on, nothing is said
        for task in tasks:
            task.cancel()
        if self.ledger._journal is not None:
            self.ledger._journal._file.close()
        if self.chance.random() < 0.4:
            self.data.lose_power()
        dead, self.ledger = self.ledger, self._new()
        dead._submit = _never  # type: ignore[method-assign]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self) -> None:
        """As the server starts: it waits for the database."""
        while True:
            try:
                if self.ledger._journal is None:
                    await self.ledger.begin_journal(self.folder)
                await self.ledger.recover()
                return
            except Unavailable:
                await asyncio.sleep(1)
                if self.ledger._journal is not None and self.ledger._journal.pending:
                    continue

    async def _housekeeping(self, running: set[str]) -> None:
        at = 0.0
        while True:
            await asyncio.sleep(SWEEP_S)
            at += SWEEP_S
            with contextlib.suppress(Unavailable):
                await self.ledger.sweep(running)
                if at % CHECKPOINT_S == 0:
                    await self.ledger.checkpoint()

    async def _call(self, running: set[str]) -> None:
        """A call as the gateway makes it: hold, beats and slices while its provider works, then the end that it deserves."""
        chance, ledger = self.chance, self.ledger
        self.calls += 1
        name, user = f"gen_{self.calls:05}", chance.choice(USERS)
        usage = Usage(input=chance.randrange(1, 2000), output=chance.randrange(0, 900))
        cost, bound = price_usage(PRICE, usage), price_usage(PRICE, Usage(input=usage.input, output=900))
        if chance.random() < 0.05:
            cost *= 3  # a provider that bills more than was held
        self.most[name] = bound
        try:
            await ledger.hold(
                name, user, bound, price_version="v", ttl_s=TTL_S, meta={"model": "m", "provider": "p"}
            )
        except MarketplaceError:
            return  # too poor, or perhaps it is held all the same: then it must end by itself
        held = bound
        running.add(name)
        try:
            held += await self._work(name, bound)
        except asyncio.CancelledError:
            if ledger is not self.ledger:
                raise
            cost //= 2  # settled for what was delivered
            await asyncio.shield(self._end(name, user, usage, cost, held, status="cancelled"))
            raise
        else:
            if chance.random() < 0.15:
                with contextlib.suppress(MarketplaceError):
                    receipt = await ledger.void(name, "simulated: nobody answered")
                    self.told[name] = receipt.charged_nano
            else:
                await self._end(name, user, usage, cost, held)
        finally:
            running.discard(name)

    async def _work(self, name: str, bound: int) -> int:
        """A provider at work. Returns what was added to the hold."""
        chance, added = self.chance, 0
        left = chance.choice((0.1, 2.0, 20.0, 45.0, 100.0, 200.0))
        while left > 0:
            part = min(left, BEAT_S)
            await asyncio.sleep(part)
            left -= part
            if left > 0:
                with contextlib.suppress(MarketplaceError):
                    await self.ledger.heartbeat(name, TTL_S, progress_nano=bound // 10)
                if chance.random() < 0.3:
                    self.most[name] += bound
                    with contextlib.suppress(MarketplaceError):
                        if await self.ledger.extend(name, bound):
                            added += bound
        return added

    async def _end(
        self, name: str, user: str, usage: Usage, cost: int, held: int, status: Any = "ok"
    ) -> None:
        settled = Settlement(
            request_id=name, user_id=user, charge_nano=cost, usage=usage, provider="p", model="m", status=status,
            provider_cost_nano=cost, held_nano=held, price_version="v",
        )  # fmt: skip
        with contextlib.suppress(MarketplaceError):
            receipt = await self.ledger.settle(settled)
            self.told[name] = receipt.charged_nano

    def _judge(self) -> None:
        report = self.data.read_sync(self.ledger.verify_sync)
        assert report.problems == [], report.problems
        with self.data.engine.connect() as connection:
            rows = {r.request_id: r for r in connection.execute(sa.select(usage_records))}
            states = {r.request_id: r for r in connection.execute(sa.select(holds))}
        for name, charge in self.told.items():
            assert name in rows, f"{name}: its caller was told {charge}, the books do not know it"
            assert rows[name].charge_nano == charge, (
                f"{name}: told {charge}, charged {rows[name].charge_nano}"
            )
        for name, hold in states.items():
            assert hold.state != "open", f"{name} is held for ever"
            assert hold.charged_nano <= self.most[name] or hold.charged_nano <= hold.amount_nano, (
                f"{name} cost too much"
            )
        for user in USERS:
            with self.data.engine.connect() as connection:
                balance = self.ledger.balance_in(connection, user)
            spent = sum(row.charge_nano for row in rows.values() if row.user_id == user)
            assert balance.held == 0, f"{user}: {balance.held} stays held"
            assert balance.balance == self.credit - spent >= 0, f"{user}: {balance.balance}, spent {spent}"


async def _never(*_: Any, **__: Any) -> Any:
    raise asyncio.CancelledError


def run(seeds: Sequence[int]) -> int:
    """Runs these schedules. Returns how many calls were made; raises AssertionError with the seed in its notes."""
    calls = 0
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    small = mock.patch.dict(journals.Journal.__init__.__kwdefaults__ or {}, {"room": 4_096})
    with small, tempfile.TemporaryDirectory(dir=memory) as folder:
        for seed in seeds:
            story = Schedule(seed, Path(folder) / str(seed))
            loop = Loop(story.clock)
            try:
                loop.run_until_complete(story.run())
            except BaseException as error:  # whatever ends a schedule, an interrupt too, names its seed
                error.add_note(f"seed {seed}")
                raise
            finally:
                loop.close()
            calls += story.calls
    return calls


if __name__ == "__main__":
    logging.disable()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began = time.perf_counter()
    made = run(range(first, first + count))
    print(
        f"{count} schedules from seed {first} on, {made} calls, {time.perf_counter() - began:.0f} s: the books agree"
    )

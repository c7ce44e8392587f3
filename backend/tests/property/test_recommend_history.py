"""Reading only what is new gives the figures of reading everything, on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from agent_marketplace import json
from agent_marketplace.admin import store as admin_store
from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger, Settlement
from agent_marketplace.recommend import history as module
from agent_marketplace.recommend import store
from agent_marketplace.recommend.history import DAY_MS, KEPT_DAYS, OVERLAP_MS, History, Window, _Times
from agent_marketplace.recommend.learning import CALLS_PER_USER, Answer
from agent_marketplace.usage import Usage

SPANS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
PAIRS = [(user, model) for user in ("a", "b", "c") for model in ("m", "n")]


class FullRead:
    """The oracle: every row of usage and money, read again each time, by plain rules of its own."""

    def __init__(self, connection: sa.Connection, now: int, trusted: frozenset[str]) -> None:
        self.now, self.trusted = now, trusted
        self.rows = connection.execute(sa.text("SELECT * FROM usage_records")).mappings().all()
        self.incoming: dict[str, int] = {}
        for name, nano in connection.execute(
            sa.text(
                "SELECT a.name, t.amount_nano FROM ledger_transactions t JOIN ledger_accounts a ON a.id = t.owner_id "
                "WHERE t.kind = 'credit'"
            )
        ):
            self.incoming[name[5:]] = self.incoming.get(name[5:], 0) + nano

    def paid(self, user: str, model: str) -> int:
        mine = [row for row in self.rows if row["user_id"] == user]
        total = sum(row["charge_nano"] for row in mine)
        spent = sum(row["charge_nano"] for row in mine if row["model"] == model)
        return spent * min(self.incoming.get(user, 0), total) // total if total else 0

    def heard(self, row: Any) -> bool:
        user = row["user_id"]
        return user in self.trusted or bool(row["charge_nano"] > 0 and self.incoming.get(user))

    def uses(self, start: int, end: int) -> dict[str, int]:
        counted: dict[tuple[str, str], int] = {}
        for row in self.rows:
            if start <= row["created_at"] < end and row["status"] in ("ok", "partial") and self.heard(row):
                key = (row["user_id"], row["model"])
                counted[key] = counted.get(key, 0) + 1
        found: dict[str, int] = {}
        for (_, model), n in counted.items():
            found[model] = found.get(model, 0) + min(n, module.CALLS_PER_USER)
        return found

    def answers(self) -> list[Answer]:
        since = self.now - KEPT_DAYS * DAY_MS
        whole = [r for r in self.rows if r["created_at"] >= since and r["status"] == "ok" and r["output"] > 0]
        whole.sort(key=lambda row: (row["created_at"], row["request_id"]), reverse=True)
        found = []
        for row in whole[: store.OUTPUT_ROWS]:
            asked = json.decode(row["detail"]).get("estimate")
            if asked:
                found.append(
                    Answer(
                        user_id=row["user_id"], model=row["model"], task=asked["task"], effort="", output=row["output"],
                        voice=self.heard(row), trusted=row["user_id"] in self.trusted,
                    )
                )  # fmt: skip
        return found


class World:
    """Wallets and calls through the real ledger."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock, self.count = db, ManualClock(), 0
        self.ledger = Ledger(db, self.clock, secret=b"s" * 32)

    async def open(self) -> None:
        for user in ("a", "b", "c"):
            await self.db.write(
                lambda c, u=user: self.ledger.open_account_in(c, u, credit_nano=1000, kind="signup")
            )

    async def call(self, user: str, model: str, nano: int, *, status: str, told: bool) -> None:
        request = await self.hold(user, model)
        if status == "void":
            await self.ledger.void(request, "test")
        elif status == "lost":
            await self.ledger.heartbeat(request, progress_nano=nano)
            self.clock.advance(3600)
            await self.ledger.sweep()
            if told:  # its own process settles it after all: the row is replaced, perhaps without a posting
                await self.settle(request, user, model, 0, status="ok", told=True)
        else:
            await self.settle(request, user, model, nano, status=status, told=told)

    async def hold(self, user: str, model: str) -> str:
        self.count += 1
        request = f"r{self.count:05}"
        await self.ledger.hold(request, user, 10, price_version="v", meta={"model": model, "provider": "p"})
        return request

    async def settle(
        self, request: str, user: str, model: str, nano: int, *, status: str, told: bool
    ) -> None:
        detail = {"estimate": {"task": "maths", "effort": ""}} if told else {}
        await self.ledger.settle(
            Settlement(
                request_id=request, user_id=user, charge_nano=nano, usage=Usage(input=1, output=7), provider="p", model=model,
                status=status, detail=detail,
            )
        )  # fmt: skip


def _compare(history: History, connection: sa.Connection, now: int, trusted: frozenset[str]) -> None:
    history.catch_up(connection, now)
    full = FullRead(connection, now, trusted)
    windows = [Window(now - SPANS[2], now + 1)]
    for span in SPANS:
        windows += [Window(now - span, now), Window(now - 2 * span, now - span)]
    assert history.uses(windows) == [full.uses(w.start, w.end) for w in windows]
    assert list(history.answers()) == full.answers()
    assert {p: history.paid(*p) for p in PAIRS} == {p: full.paid(*p) for p in PAIRS}


CALL = st.tuples(
    st.just("call"), st.sampled_from(PAIRS), st.integers(0, 9),
    st.sampled_from(["ok", "ok", "ok", "partial", "failed", "void", "lost"]), st.booleans(),
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        CALL, CALL, CALL,
        st.tuples(st.just("wait"), st.sampled_from([0.001, 30.0, 3600.0, 86_400.0, 8 * 86_400.0, 31 * 86_400.0])),
        st.tuples(st.just("late"), st.sampled_from([1.0, OVERLAP_MS / 1000 - 1])),
        st.tuples(st.just("back")),
        st.tuples(st.just("pay"), st.sampled_from("abc")),
        st.tuples(st.just("trust"), st.sampled_from("abc"), st.booleans()),
        st.tuples(st.just("pass")),
    ),
    max_size=14,
)  # fmt: skip


async def _play(world: World, history: History, steps: list[Any]) -> None:
    trusted: frozenset[str] = await world.db.read(store.trusted)

    async def look() -> None:
        nonlocal history
        now = world.clock.now_ms()
        history = history.next(now)
        await world.db.read(lambda c: _compare(history, c, now, trusted))

    for step in [*steps, ("pass",)]:
        if step[0] == "call":
            await world.call(*step[1], step[2], status=step[3], told=step[4])
        elif step[0] == "wait":
            world.clock.advance(step[1])
        elif step[0] == "late":  # another host's clock, or a row that becomes visible later than it says
            world.clock.advance(-step[1])
            await world.call("a", "m", 1, status="ok", told=True)
            world.clock.advance(step[1])
        elif step[0] == "back":  # the clock is set back: the next pass, a minute later, notices
            world.clock.advance(-86_400)
            await world.call("a", "m", 1, status="ok", told=True)
            await look()
        elif step[0] == "pay":
            await world.ledger.grant(step[1], 5, kind="credit")
        elif step[0] == "trust":
            await world.db.write(lambda c, s=step: admin_store.set_trusted(c, s[1], 1 if s[2] else None))
            trusted = trusted | {step[1]} if step[2] else trusted - {step[1]}
        else:
            await look()


@pytest.mark.both_databases
def test_reading_what_is_new_gives_the_figures_of_a_full_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CALLS_PER_USER", 2)
    monkeypatch.setattr(store, "OUTPUT_ROWS", 6)
    monkeypatch.setattr(store, "BLOCK", 2)
    monkeypatch.setattr(store, "_OWNERS", 1)
    world = World(database)

    def run(steps: list[Any]) -> None:
        asyncio.run(_play(world, History(), steps))

    async def begin() -> None:
        await world.open()

    asyncio.run(begin())
    lost = ("call", ("a", "m"), 3, "lost", True)
    _given(run, [("pass",), lost, ("pass",), ("pay", "a"), ("call", ("a", "m"), 2, "ok", True)])


def _given(run: Callable[[list[Any]], None], first: list[Any]) -> None:
    @settings(
        max_examples=12,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @example(first)
    @given(STEPS)
    def played(steps: list[Any]) -> None:
        run(steps)

    played()


@given(
    st.lists(st.tuples(st.integers(0, 5 * DAY_MS), st.booleans()), max_size=200),
    st.integers(-DAY_MS, 5 * DAY_MS),
    st.integers(DAY_MS, 3 * DAY_MS),
)
def test_of_a_flood_only_as_many_calls_are_remembered_as_can_count(
    calls: list[tuple[int, bool]], start: int, length: int
) -> None:
    times = _Times()
    for at, paid in [*calls, *((DAY_MS + 7 * i, True) for i in range(150))]:
        times.add(at, paid=paid)
    every = sorted([*(at for at, _ in calls), *(DAY_MS + 7 * i for i in range(150))])
    kept = [at for times in (times.paid, times.free) if times is not None for at in times]
    assert min(sum(start <= at < start + length for at in kept), CALLS_PER_USER) == min(
        sum(start <= at < start + length for at in every), CALLS_PER_USER
    )
    assert sum(DAY_MS <= at < 2 * DAY_MS for at in times.paid or ()) <= 2 * CALLS_PER_USER

"""Whatever models and agents below them cost, and whenever a process dies: no tree of runs spends or reserves beyond its cap."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.db.engine import Database
from agent_marketplace.errors import PaymentRequired
from agent_marketplace.runs import recovery, store
from agent_marketplace.runs.types import Limits
from tests.fakes.examples import examples
from tests.fakes.scripted import (
    Books,
    Counted,
    DyingDatabase,
    Killed,
    Named,
    Script,
    Stage,
    Turn,
    settled,
    spec,
    wanted,
)

CALLS = st.lists(st.sampled_from(["act", "ask_b", "look"]), max_size=3)


@st.composite
def scripted(draw: st.DrawFn) -> list[Turn]:
    """A loop that calls what it likes, at prices up to what was bounded."""
    found = []
    for i in range(draw(st.integers(1, 6))):
        most = draw(st.integers(0, 2_000))
        calls = tuple((n, f'{{"x": {i}, "task": "{i}{k}"}}') for k, n in enumerate(draw(CALLS)))
        found.append(Turn(text=f"t{i}", calls=calls, most=most, cost=draw(st.integers(0, most))))
    last = draw(st.integers(0, 500))
    return [*found, Turn(text="end", most=last, cost=draw(st.integers(0, last)))]


@given(scripted(), st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 40), st.booleans())
@settings(max_examples=examples(60))
def test_no_tree_of_runs_is_ever_beyond_its_cap(
    turns: list[Turn], cap: int, more: int, at: int, after: bool
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"sqlite:///{Path(directory) / 'd.db'}")
        try:
            database.create_all()
            asyncio.run(_play(database, turns, cap, more, at, after=after))
        finally:
            database.close()


async def _play(database: Database, turns: list[Turn], cap: int, more: int, at: int, *, after: bool) -> None:
    tools = (Counted("act"), Counted("look", read_only=True))
    agents = Named(spec("act", agent_id="b", name="b"))
    world = Stage(database, Script(turns, Books(), last=turns[-1]), tools, agents=agents)
    of = spec("act", "look", subagents=("b",), limits=Limits(steps=8, tool_calls=12))
    dying, run_id = DyingDatabase(database, at, after=after), "run_00000000"
    dead = world.runs(dying)
    try:
        await dead.start(wanted(of, cap=cap, run_id=run_id))
        await settled(dead, run_id)
    except PaymentRequired:
        assert world.script.books.total == 0
        return
    except Killed:
        pass
    runs = world.runs()
    await recovery.recover(runs, everything=True)
    heads = await runs.kit.records.read(lambda c: store.tree(c, run_id))
    if not heads:
        assert world.script.books.total == 0, "nothing was admitted, nothing is owed"
        return
    await _within(runs, run_id, world.script.books)
    if (await runs.kit.records.head(run_id)).state == "paused" and more >= cap:
        await runs.raise_cap(run_id, "u1", more)
        await _within(runs, run_id, world.script.books)
    effects = [effect for tool in tools for effect in tool.effects]
    assert len(effects) <= sum(h.tool_bytes > 0 for h in heads) * 24 + 24


async def _within(runs: Any, run_id: str, books: Books) -> None:
    root = await settled(runs, run_id)
    assert root.state in ("done", "paused", "failed")
    assert root.spent_nano == books.total, "the sum is what was charged, to the nano-dollar"
    assert root.spent_nano + root.reserved_nano <= (root.cap_nano or 0)
    assert root.reserved_nano == root.final_nano + root.fee_nano, (
        "nothing stays reserved but what is kept for the last answer"
    )
    tree = await runs.kit.records.read(lambda c: store.tree(c, run_id))
    assert sum(h.own_nano for h in tree) == root.spent_nano

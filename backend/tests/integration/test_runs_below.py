"""Agents below agents: one cap, two deep, never in a circle, and a crash below takes nobody else along."""

import contextlib
from collections.abc import Sequence

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.listings import AgentPrice
from agent_marketplace.runs import recovery, store
from tests.fakes.scripted import USER, DyingDatabase, Killed, Named, Turn, alone, settled, spec, wanted
from tests.integration.test_runs import agrees, begin, stage


def below(*chain: Sequence[str]) -> Named:
    """Agents by (id, names of the agents below it)."""
    return Named(*(spec("act", agent_id=a, name=a, subagents=tuple(b)) for a, *b in chain))


@alone
async def test_agents_below_an_agent_spend_from_its_cap_and_are_two_deep_at_most(database: Database) -> None:
    turns = (
        Turn(calls=(("ask_b", '{"task": "go"}'), ("ask_c", '{"task": "go"}'), ("ask_d", '{"task": "go"}'))),
        Turn(text="Ok."),
    )
    world, _, _ = stage(database, *turns, agents=below(("b", "c"), ("c", "d"), ("d", "b")))
    runs = world.runs()
    head = await begin(runs, "act", subagents=("b",))
    assert head.state == "done"
    tree = await runs.kit.records.read(lambda c: store.tree(c, head.run_id))
    assert [(h.agent_id, h.depth, h.state) for h in tree] == [
        ("agt_1", 0, "done"),
        ("b", 1, "done"),
        ("c", 2, "done"),
    ]
    agrees(world, head)
    assert sum(h.own_nano for h in tree) == head.spent_nano
    assert {a.user_id for a in world.script.books.sent} == {USER}


@alone
async def test_an_agent_is_never_below_itself(database: Database) -> None:
    turns = (Turn(calls=(("ask_b", '{"task": "go"}'), ("ask_agt_1", '{"task": "go"}'))), Turn(text="Ok."))
    world, _, _ = stage(database, *turns, agents=below(("b", "agt_1", "b"), ("agt_1",)))
    runs = world.runs()
    head = await begin(runs, "act", subagents=("b", "agt_1"))
    tree = await runs.kit.records.read(lambda c: store.tree(c, head.run_id))
    assert [h.agent_id for h in tree] == ["agt_1", "b"]


@alone
async def test_a_crash_below_ends_the_agent_below_and_its_parent_goes_on(database: Database) -> None:
    turns = (Turn(calls=(("ask_b", '{"task": "go"}'), ("act", '{"x": 1}'))), Turn(text="Ok."))
    for at in range(4, 16):
        world, act, _ = stage(database, *turns, agents=below(("b",)))
        dying, run_id = DyingDatabase(database, at), f"run_below{at:06d}"
        dead = world.runs(dying)
        try:
            await dead.start(wanted(spec("act", subagents=("b",)), run_id=run_id))
            await settled(dead, run_id)
        except Killed:
            pass
        runs = world.runs()
        await recovery.recover(runs, everything=True)
        head = await settled(runs, run_id)
        tree = await runs.kit.records.read(lambda c, r=run_id: store.tree(c, r))
        assert {h.state for h in tree} <= {"done", "failed"}
        assert head.state == "done"
        agrees(world, head)
        assert len(act.effects) <= 2


@pytest.mark.parametrize("after", [False, True], ids=["before a write", "after a write"])
@alone
async def test_a_crash_at_any_write_pays_no_author_twice_and_leaves_nothing_reserved(
    database: Database, after: bool
) -> None:
    """An offered agent with another author's below it: each write is tried, and each fee is inside the one cap."""
    price = AgentPrice(fee_run_nano=30, max_fee_nano=500)
    paid = {"own": False, "price": price}
    turns = (Turn(calls=(("ask_b", '{"task": "go"}'), ("act", '{"x": 1}'))), Turn(text="Ok."))
    at = 3
    while True:
        at += 1
        world, act, _ = stage(database, *turns, agents=Named(spec("act", agent_id="b", name="b", **paid)))
        dying, run_id = DyingDatabase(database, at, after=after), f"run_paid{at:05d}{'a' if after else 'b'}"
        dead = world.runs(dying)
        with contextlib.suppress(Killed):
            await dead.start(wanted(spec("act", subagents=("b",), **paid), run_id=run_id))
            await settled(dead, run_id)
        if not dying.dead:
            break
        runs = world.runs()
        await recovery.recover(runs, everything=True)
        head = await settled(runs, run_id)
        tree = await runs.kit.records.read(lambda c, r=run_id: store.tree(c, r))
        assert {h.state for h in tree} <= {"done", "failed"}
        assert head.state == "done"
        fees = {h.run_id: h.fee_nano for h in tree}
        assert fees == world.fees.posted, "each run's fee is posted once, and what its row says"
        assert all(not h.fee_nano for h in tree if h.state != "done")
        assert (head.spent_nano, head.reserved_nano) == (world.script.books.total + sum(fees.values()), 0)
        assert head.spent_nano == sum(h.own_nano + h.fee_nano for h in tree) <= head.cap_nano
        assert len(act.effects) <= 2
    assert at > 12

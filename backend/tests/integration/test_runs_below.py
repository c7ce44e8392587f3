"""Agents below agents: one cap, two deep, never in a circle, and a crash below takes nobody else along."""

from collections.abc import Sequence

from agent_marketplace.db.engine import Database
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

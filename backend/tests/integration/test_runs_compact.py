"""A history that no model takes any more is put in short once, at a price, within the cap; it is no way round any of the run's bounds."""

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest
from agent_marketplace.runs import recovery
from agent_marketplace.runs.types import SUMMARY
from agent_marketplace.wires.base import Call
from tests.fakes.scripted import (
    STEP_NANO,
    Books,
    Counted,
    DyingDatabase,
    Killed,
    Script,
    Stage,
    Turn,
    alone,
    settled,
    spec,
    steps,
    wanted,
)
from tests.integration.test_runs import agrees

TOO_LONG = BadRequest("too long", code="context_length_exceeded")
CALL = Turn(calls=(("act", '{"x": 1}'),))
FULL = Turn(error=TOO_LONG, cost=0)
SHORT = Turn(text="x was 1", cost=STEP_NANO // 4)


class Forgetful(Script):
    """A model that takes one tool's result and no more, unless it is told in short. never: it does not take that either."""

    def __init__(self, books: Books, *, never: bool = False, most: int = STEP_NANO) -> None:
        super().__init__([CALL], books)
        self.never = never
        self.short = Turn(text=SHORT.text, cost=SHORT.cost, most=most)

    def turn(self, call: Call) -> Turn:
        words = [p.text for m in call.messages if m.role == "user" for p in m.parts]
        if not call.tools and call.tool_choice is None:
            return self.short
        if any(SUMMARY in text for text in words):
            return FULL if self.never else Turn(text="Done.")
        return FULL if any(m.role == "tool" for m in call.messages) else super().turn(call)


def stage(database: Database, **given: object) -> tuple[Stage, Counted]:
    act = Counted("act")
    return Stage(database, Forgetful(Books(), **given), (act,)), act  # type: ignore[arg-type]


@alone
async def test_a_run_goes_on_from_a_summary_that_is_paid_for_and_shown_to_nobody(database: Database) -> None:
    world, act = stage(database)
    runs = world.runs()
    head, live = await runs.start(wanted(spec("act")))
    head = await settled(runs, head.run_id)
    assert (head.state, await runs.kit.records.result(head), len(act.effects)) == ("done", "Done.", 1)
    assert [(s.kind, s.state) for s in await steps(runs, head.run_id)] == [
        ("model", "done"), ("tool", "done"), ("model", "failed"), ("compact", "done"), ("model", "done"),
    ]  # fmt: skip
    agrees(world, head)
    sent = world.script.books.sent[-1].call.messages
    assert not [m for m in sent if m.role == "tool"]
    assert "x was 1" in str(sent)
    assert live is not None
    assert not [e for e in live.events if b"x was 1" in e and b"event: delta" in e]


@alone
async def test_what_does_not_get_shorter_ends_and_a_cap_holds_for_the_summary_too(database: Database) -> None:
    world, act = stage(database, never=True)
    runs = world.runs()
    head = await settled(runs, (await runs.start(wanted(spec("act"))))[0].run_id)
    assert (head.state, head.stop_reason, len(act.effects)) == ("failed", "context_length_exceeded", 1)
    agrees(world, head)
    dear, _ = stage(database, most=50 * STEP_NANO)
    runs = dear.runs()
    head = await settled(runs, (await runs.start(wanted(spec("act"), cap=10 * STEP_NANO)))[0].run_id)
    assert (head.state, head.stop_reason) == ("paused", "cap_reached")
    agrees(dear, head)


@pytest.mark.parametrize("after", [False, True], ids=["before a write", "after a write"])
@alone
async def test_a_crash_in_a_summary_repeats_no_effect_and_loses_no_money(
    database: Database, after: bool
) -> None:
    for at in range(5, 13):
        world, act = stage(database)
        dying, run_id = DyingDatabase(database, at, after=after), f"run_c{at:07d}{'a' if after else 'b'}"
        dead = world.runs(dying)
        try:
            await dead.start(wanted(spec("act"), run_id=run_id))
            await settled(dead, run_id)
        except Killed:
            pass
        runs = world.runs()
        await recovery.recover(runs, everything=True)
        head = await settled(runs, run_id)
        assert head.state == "done", (at, head.stop_reason)
        assert len(act.effects) <= 1
        agrees(world, head)

"""Runs on a real database, their models and tools scripted: nothing is done twice, nothing is spent beyond the cap, nobody is
asked in vain."""

import asyncio

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.errors import (
    BadRequest,
    Conflict,
    IdempotencyMismatch,
    NotFound,
    PaymentRequired,
    Unavailable,
)
from agent_marketplace.listings import AgentPrice
from agent_marketplace.runs import recovery, store
from agent_marketplace.runs.live import EPOCH
from agent_marketplace.runs.service import Runs
from agent_marketplace.runs.tooling import UNKNOWN
from agent_marketplace.runs.types import CLOSED, OVER, Head, Limits, ToolRef
from tests.fakes.scripted import (
    STEP_NANO,
    USER,
    Books,
    Counted,
    DyingDatabase,
    Killed,
    Named,
    Script,
    Stage,
    Turn,
    alone,
    settled,
    spec,
    steps,
    wanted,
)

CALL = (("act", '{"x": 1}'),)
THREE = (Turn(calls=CALL), Turn(calls=(("act", '{"x": 2}'), ("look", '{"x": 3}'))), Turn(text="Done."))


def stage(
    database: Database, *turns: Turn, agents: Named | None = None, **given
) -> tuple[Stage, Counted, Counted]:
    act, look = Counted("act", **given), Counted("look", read_only=True)
    return Stage(database, Script(turns, Books()), (act, look), agents=agents or Named()), act, look


async def begin(runs: Runs, *tools: str | ToolRef, **given) -> Head:
    of = spec(*(tools or ("act", "look")), **{k: given.pop(k) for k in ("limits", "subagents") if k in given})
    head, _ = await runs.start(wanted(of, **given))
    return await settled(runs, head.run_id)


def told(stage: Stage) -> list[str]:
    """What the model was told by tools in its last call."""
    return [p.content for m in stage.script.books.sent[-1].call.messages if m.role == "tool" for p in m.parts]


def agrees(stage: Stage, head: Head) -> None:
    assert head.spent_nano == stage.script.books.total
    assert head.reserved_nano == 0 or head.state not in OVER
    assert head.cap_nano is not None
    assert head.spent_nano + head.reserved_nano <= head.cap_nano


@alone
async def test_a_loop_ends_with_an_answer_and_has_paid_for_just_what_was_sent(database: Database) -> None:
    world, act, look = stage(database, *THREE)
    runs = world.runs()
    head = await begin(runs)
    assert (head.state, head.stop_reason, await runs.kit.records.result(head)) == ("done", "stop", "Done.")
    assert act.effects == ['{"x":1}', '{"x":2}']
    assert look.effects == ['{"x":3}']
    agrees(world, head)
    found = await steps(runs, head.run_id)
    assert [(s.kind, s.name, s.state) for s in found] == [
        ("model", "scripted", "done"), ("tool", "act", "done"), ("model", "scripted", "done"), ("tool", "act", "done"),
        ("tool", "look", "done"), ("model", "scripted", "done"),
    ]  # fmt: skip
    events = await runs.kit.records.events(head)
    assert [n for n, _ in events] == list(range(EPOCH, EPOCH + len(events)))
    assert b"event: done" in events[-1][1]


@pytest.mark.parametrize("after", [False, True], ids=["before a write", "after a write"])
@alone
async def test_a_crash_at_any_write_repeats_no_effect_and_loses_no_money(
    database: Database, after: bool
) -> None:
    """Every write of a run is tried; a run that was admitted ends in any case."""
    at = 0
    while True:
        at += 1
        world, act, _ = stage(database, *THREE)
        dying = DyingDatabase(database, at, after=after)
        dead = world.runs(dying)
        run_id = f"run_{at:08d}{'a' if after else 'b'}"
        try:
            await dead.start(wanted(spec("act", "look"), run_id=run_id))
            await settled(dead, run_id)
        except Killed:
            pass
        if not dying.dead:
            break
        runs = world.runs()
        await recovery.recover(runs, everything=True)
        try:
            head = await settled(runs, run_id)
        except NotFound:
            assert (act.effects, world.script.books.total) == ([], 0), "what was not admitted did nothing"
            continue
        assert head.state == "done", (at, head)
        agrees(world, head)
        assert len(act.effects) == len(set(act.effects)), f"an effect was repeated after write {at}"
        found = await steps(runs, run_id)
        assert all(s.state in CLOSED for s in found)
        assert sum(s.state == "unknown" for s in found) <= 2
    assert at > 8, "the crash was tried at more than a few writes"


@alone
async def test_what_a_tool_did_before_its_process_died_is_not_done_again_and_the_model_is_told(
    database: Database,
) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="I can't tell."))

    def die() -> None:
        raise Killed

    act.after_effect = die
    head = await begin(world.runs(), "act")
    act.after_effect = lambda: None
    runs = world.runs()
    assert await recovery.recover(runs, everything=True) == 1
    head = await settled(runs, head.run_id)
    assert head.state == "done"
    assert len(act.effects) == 1
    assert told(world) == [UNKNOWN]
    assert [s.state for s in await steps(runs, head.run_id)] == ["done", "unknown", "done"]


@alone
async def test_only_a_version_that_says_so_has_a_call_repeated(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."))
    act.after_effect = _die
    head = await begin(world.runs(), ToolRef(name="act", idempotent=True))
    act.after_effect = lambda: None
    runs = world.runs()
    await recovery.recover(runs, everything=True)
    head = await settled(runs, head.run_id)
    assert (head.state, len(act.effects)) == ("done", 2)


def _die() -> None:
    raise Killed


@alone
async def test_a_run_has_one_worker_and_a_lease_that_ran_out_has_another(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."))
    act.after_effect = _die
    head = await begin(world.runs(), "act")
    act.after_effect = lambda: None
    first, second = world.runs(), world.runs()
    assert await recovery.recover(first) == 0, "the lease has not run out"
    world.clock.advance(31)
    assert sorted(await asyncio.gather(recovery.recover(first), recovery.recover(second))) == [0, 1]
    for runs in (first, second):
        await settled(runs, head.run_id)
    ended = await first.kit.records.head(head.run_id)
    assert (ended.state, len(act.effects)) == ("done", 1)


# -- the cap -----------------------------------------------------------------------------------------------------------


@alone
async def test_a_cap_that_is_reached_gets_a_last_answer_a_pause_and_goes_on_when_it_is_raised(
    database: Database,
) -> None:
    loop = [Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(4)]
    world, act, _ = stage(database, *loop, Turn(text="Done."))
    runs = world.runs()
    head = await begin(runs, "act", cap=2 * STEP_NANO + STEP_NANO // 2)
    assert (head.state, head.stop_reason) == ("paused", "cap_reached")
    assert await runs.kit.records.result(head) == "That is all I have."
    assert len(act.effects) == 2
    agrees(world, head)
    with pytest.raises(Conflict):
        await runs.raise_cap(head.run_id, USER, head.spent_nano - 1)
    with pytest.raises(NotFound):
        await runs.raise_cap(head.run_id, "somebody", 100 * STEP_NANO)
    await runs.raise_cap(head.run_id, USER, 100 * STEP_NANO)
    head = await settled(runs, head.run_id)
    assert (head.state, await runs.kit.records.result(head)) == ("done", "Done.")
    assert len(act.effects) == 4
    agrees(world, head)


@alone
async def test_a_cap_below_one_step_and_a_last_answer_begins_nothing(database: Database) -> None:
    world, _, _ = stage(database, *THREE)
    runs = world.runs()
    with pytest.raises(PaymentRequired) as refused:
        await begin(runs, cap=STEP_NANO)
    assert refused.value.code == "cap_too_small"
    assert await runs.kit.records.read(lambda c: store.listed(c, USER, None, 10)) == []


@alone
async def test_a_paused_run_ends_after_a_day_with_what_it_has(database: Database) -> None:
    world, _, _ = stage(
        database, *[Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(9)]
    )
    runs = world.runs()
    head = await begin(runs, "act", cap=2 * STEP_NANO)
    assert head.state == "paused"
    world.clock.advance(24 * 3600 + 1)
    await recovery.expire(runs)
    head = await runs.kit.records.head(head.run_id)
    assert (head.state, await runs.kit.records.result(head)) == ("done", "That is all I have.")
    agrees(world, head)


@alone
async def test_words_for_a_paused_run_are_the_next_turn(database: Database) -> None:
    world, _, _ = stage(
        database, *[Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(9)]
    )
    runs = world.runs()
    head = await begin(runs, "act", cap=2 * STEP_NANO)
    with pytest.raises(NotFound):
        await runs.give_input(head.run_id, "somebody", "Go on")
    await runs.give_input(head.run_id, USER, "Be quick")
    head = await settled(runs, head.run_id)
    assert "Be quick" in [
        p.text for m in world.script.books.sent[-1].call.messages if m.role == "user" for p in m.parts
    ]
    agrees(world, head)


# -- approvals ---------------------------------------------------------------------------------------------------------


async def asked(runs: Runs, head: Head) -> list:
    return [a for a in await runs.kit.records.approvals(head.run_id) if a.state == "pending"]


@alone
async def test_a_call_that_needs_leave_waits_for_it_and_is_made_once_for_what_was_shown(
    database: Database,
) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."), policy="ask")
    runs = world.runs()
    head = await begin(runs)
    assert (head.state, act.effects) == ("waiting", [])
    (question,) = await asked(runs, head)
    with pytest.raises(Conflict):
        await runs.decide(head.run_id, USER, {question.approval_id: ("0" * 64, True)})
    with pytest.raises(NotFound):
        await runs.decide(head.run_id, "somebody", {question.approval_id: (question.subject_hash, True)})
    await runs.decide(head.run_id, USER, {question.approval_id: (question.subject_hash, True)})
    head = await settled(runs, head.run_id)
    assert (head.state, len(act.effects)) == ("done", 1)
    with pytest.raises(Conflict):
        await runs.decide(head.run_id, USER, {question.approval_id: (question.subject_hash, False)})


@alone
async def test_leave_for_a_tool_that_has_changed_meanwhile_is_no_leave(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."), policy="ask")
    runs = world.runs()
    head = await begin(runs)
    (question,) = await asked(runs, head)
    act.pin = "p2"
    await runs.decide(head.run_id, USER, {question.approval_id: (question.subject_hash, True)})
    head = await settled(runs, head.run_id)
    assert (head.state, act.effects) == ("done", [])


@pytest.mark.parametrize(
    "how", ["denied", "nobody answers for a day", "nobody is there", "the version says no"]
)
@alone
async def test_a_call_without_leave_is_not_made_and_the_model_is_told(database: Database, how: str) -> None:
    policy = "deny" if how == "the version says no" else "ask"
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."))
    runs = world.runs()
    head = await begin(runs, ToolRef(name="act", policy=policy), attended=how != "nobody is there")
    if how == "denied":
        (question,) = await asked(runs, head)
        await runs.decide(head.run_id, USER, {question.approval_id: (question.subject_hash, False)})
    elif how == "nobody answers for a day":
        world.clock.advance(24 * 3600 + 1)
        await recovery.expire(runs)
    head = await settled(runs, head.run_id)
    assert (head.state, act.effects) == ("done", [])
    (words,) = told(world)
    assert "not" in words
    assert [s.state for s in await steps(runs, head.run_id)] == ["done", "denied", "done"]


# -- sense -------------------------------------------------------------------------------------------------------------


@alone
async def test_the_same_call_again_and_again_is_told_and_then_stopped(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL))
    runs = world.runs()
    head = await begin(runs)
    assert (head.state, head.stop_reason) == ("done", "loop")
    assert len(act.effects) == 4
    assert [("3 times" in t, "4 times" in t) for t in told(world)] == [(False, False)] * 2 + [
        (True, False),
        (False, True),
    ]
    agrees(world, head)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(steps=2), "step_limit"),
        (Limits(tool_calls=2), "tool_call_limit"),
        (Limits(tool_bytes=15), "tool_bytes_limit"),
    ],
)
@alone
async def test_a_limit_that_is_reached_ends_the_run_with_a_last_answer(
    database: Database, limits: Limits, why: str
) -> None:
    world, act, _ = stage(database, *[Turn(calls=(("act", f'{{"x": {i}}}'),)) for i in range(9)])
    runs = world.runs()
    head = await begin(runs, limits=limits)
    assert (head.state, head.stop_reason) == ("done", why)
    assert await runs.kit.records.result(head) == "That is all I have."
    assert len(act.effects) == 2
    agrees(world, head)


@alone
async def test_calls_beyond_the_limit_in_one_step_are_answered_without_being_made(database: Database) -> None:
    many = tuple(("act", f'{{"x": {i}}}') for i in range(9))
    world, act, _ = stage(database, Turn(calls=many), Turn(text="Done."))
    head = await begin(world.runs(), limits=Limits(tool_calls=3))
    assert (head.state, len(act.effects)) == ("done", 3)


@alone
async def test_calls_that_only_read_run_four_at_once_and_others_one_by_one_in_their_order(
    database: Database,
) -> None:
    reads = tuple(("look", f'{{"x": {i}}}') for i in range(6))
    acts = tuple(("act", f'{{"x": {i}}}') for i in range(3))
    world, act, look = stage(database, Turn(calls=reads + acts), Turn(text="Done."))
    await begin(world.runs())
    assert (look.most_at_once, act.most_at_once) == (4, 1)
    assert act.effects == ['{"x":0}', '{"x":1}', '{"x":2}']


@pytest.mark.parametrize(
    "call",
    [
        ("nothing", "{}"),
        ("act", "[1]"),
        ("act", '{"x": '),
        ("act", '{"x": "' + "y" * 70_000 + '"}'),
        ("", "{}"),
    ],
)
@alone
async def test_a_call_that_makes_no_sense_does_nothing_and_the_model_is_told(
    database: Database, call
) -> None:
    world, act, _ = stage(database, Turn(calls=(call,)), Turn(text="Done."))
    head = await begin(world.runs())
    assert (head.state, act.effects) == ("done", [])
    assert len(told(world)) == 1


@alone
async def test_a_version_that_is_suspended_ends_its_runs_at_the_next_step(database: Database) -> None:
    world, act, _ = stage(database, *THREE)
    act.after_effect = lambda: world.agents.suspended.add("agt_1")
    runs = world.runs()
    head = await begin(runs)
    assert (head.state, head.stop_reason, len(act.effects)) == ("failed", "agent_suspended", 1)
    agrees(world, head)


@alone
async def test_a_run_that_is_cancelled_makes_no_further_call(database: Database) -> None:
    world, act, _ = stage(database, *THREE)
    runs = world.runs()
    head, live = await runs.start(wanted(spec("act", "look")))
    assert live is not None
    act.after_effect = lambda: live.stopping or (live.stop() and None)  # type: ignore[func-returns-value]
    head = await settled(runs, head.run_id)
    assert (head.state, len(act.effects)) == ("cancelled", 1)
    assert await runs.cancel(head.run_id, USER) is False
    agrees(world, head)


@alone
async def test_a_run_of_a_suspended_account_ends_without_its_call(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), policy="ask")
    runs = world.runs()
    head = await begin(runs)
    suspended = sa.insert(users).values(
        user_id=USER, email="a@b.c", password_hash="-", role="user", tier="free", created_at=1, suspended_at=1
    )  # fmt: skip
    await database.write(lambda c: c.execute(suspended))
    await runs.beat()
    head = await settled(runs, head.run_id)
    assert (head.state, act.effects) == ("cancelled", [])


@alone
async def test_a_waiting_run_that_is_cancelled_ends_without_its_call(database: Database) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), policy="ask")
    runs = world.runs()
    head = await begin(runs)
    assert await runs.cancel(head.run_id, USER)
    head = await settled(runs, head.run_id)
    assert (head.state, act.effects) == ("cancelled", [])
    assert await asked(runs, head) == []


@alone
async def test_an_idempotency_key_begins_one_run(database: Database) -> None:
    world, act, _ = stage(database, *THREE)
    runs = world.runs()
    first = await begin(runs, idem_key="k")
    assert (await begin(runs, idem_key="k")).run_id == first.run_id
    assert len(act.effects) == 2
    with pytest.raises(IdempotencyMismatch):
        await begin(runs, idem_key="k", cap=50 * STEP_NANO)
    with pytest.raises(BadRequest):
        await begin(runs, cap=-1)


PAID = AgentPrice(fee_run_nano=30, max_fee_nano=500)


@alone
async def test_an_author_is_paid_inside_the_cap_and_for_a_delivered_answer_alone(database: Database) -> None:
    offered = spec("act", "look", own=False, price=PAID)
    world, _, _ = stage(database, *THREE)
    runs = world.runs()
    head = await settled(runs, (await runs.start(wanted(offered)))[0].run_id)
    assert (head.state, head.fee_nano) == ("done", 60)
    assert head.spent_nano == world.script.books.total + 60
    assert head.reserved_nano == 0
    with pytest.raises(PaymentRequired):
        await runs.start(wanted(offered, cap=STEP_NANO + STEP_NANO // 4 + PAID.max_fee_nano - 1))
    failing, _, _ = stage(database, Turn(error=Unavailable("no")))
    runs = failing.runs()
    head = await settled(runs, (await runs.start(wanted(offered)))[0].run_id)
    assert (head.state, head.fee_nano, head.spent_nano) == ("failed", 0, failing.script.books.total)
    waiting, _, _ = stage(database, Turn(calls=CALL), policy="ask")
    runs = waiting.runs()
    head = await settled(runs, (await runs.start(wanted(offered)))[0].run_id)
    await runs.cancel(head.run_id, USER)
    head = await settled(runs, head.run_id)
    assert (head.state, head.fee_nano, waiting.fees.posted) == ("cancelled", 0, {head.run_id: 0})

"""Runs whose users, authors, models and workers try to spend more than the cap, more than once, or what nobody allowed: calls at once,
workers that come back from the dead, leave for one call used for another, results that give orders."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import marketplace_keys, users
from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError, RateLimited
from agent_marketplace.runs import questions, recovery, store
from agent_marketplace.runs.lives import LEASE_MS, MOST_OF_A_USER
from agent_marketplace.runs.service import Runs
from agent_marketplace.runs.tools.base import Caller
from agent_marketplace.runs.types import CLOSED, OVER, Got, Head
from tests.fakes.scripted import STEP_NANO, USER, Turn, alone, settled, spec, steps, wanted
from tests.integration.test_runs import CALL, THREE, agrees, asked, begin, stage, told

AT_ONCE = 8


async def at_once(*work: Any) -> list[Any]:
    """What each came to; anything that is not one of our own errors is a fault of ours."""
    found = await asyncio.gather(*work, return_exceptions=True)
    for one in found:
        assert not isinstance(one, BaseException) or isinstance(one, MarketplaceError), repr(one)
    return found


@pytest.mark.parametrize("when", ["before its answer", "before another has it", "after its answer"])
@alone
async def test_a_worker_that_comes_back_after_its_lease_ran_out_books_nothing_and_ends_nothing(
    database: Database, when: str
) -> None:
    """It was frozen in a model step; another took the run meanwhile. What it then says must count for nobody."""
    world, act, _ = stage(database, Turn(calls=CALL, cost=STEP_NANO), Turn(text="Done.", cost=STEP_NANO))
    frozen, go_on = asyncio.Event(), asyncio.Event()
    ask, first = world.script.ask, [True]

    async def stalls(*given: Any) -> Any:
        if not first:
            return await ask(*given)
        first.clear()
        answer = await ask(*given) if when == "after its answer" else None
        frozen.set()
        await go_on.wait()
        return answer or await ask(*given)

    world.script.ask = stalls  # type: ignore[method-assign]
    old, new = world.runs(), world.runs()
    head, _ = await old.start(wanted(spec("act", "look"), cap=20 * STEP_NANO))
    await frozen.wait()
    world.clock.advance(LEASE_MS / 1000 + 1)
    if when == "before another has it":  # its step is closed, and nobody has taken the run yet
        assert await recovery._settled(new, await new.kit.records.head(head.run_id))
        go_on.set()
        await settled(old, head.run_id)
    assert await recovery.recover(new) == 1
    if when == "after its answer":
        head = await settled(new, head.run_id)
        assert head.state == "done"
    go_on.set()
    await settled(old, head.run_id)
    head = await settled(new, head.run_id)
    assert head.state == "done"
    assert (head.reserved_nano, len(act.effects)) == (0, 1)
    assert head.spent_nano <= world.script.books.total
    assert [s.state for s in await steps(new, head.run_id) if s.kind == "model"].count("done") == 2


@alone
async def test_caps_that_go_up_and_down_while_a_run_spends_let_it_spend_no_more_than_the_last(
    database: Database,
) -> None:
    loop = [Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(40)]
    world, _, _ = stage(database, *loop)
    runs = world.runs()
    head, _ = await runs.start(wanted(spec("act"), cap=4 * STEP_NANO))

    async def turn(i: int) -> Head:
        return await runs.raise_cap(head.run_id, USER, (3 + i % 7) * STEP_NANO)

    for _ in range(6):
        await at_once(*(turn(i) for i in range(AT_ONCE)))
        now = await runs.kit.records.head(head.run_id)
        assert now.cap_nano is not None
        assert 0 <= now.reserved_nano <= now.cap_nano - now.spent_nano
    head = await settled(runs, head.run_id)
    agrees(world, head)
    assert world.script.books.total <= 9 * STEP_NANO


@alone
async def test_a_paused_run_that_everybody_goes_on_with_is_driven_once(database: Database) -> None:
    world, act, _ = stage(database, *THREE)
    one, two = world.runs(), world.runs()
    head = await begin(one, cap=round(1.3 * STEP_NANO))
    assert head.state == "paused"
    again = [r.raise_cap(head.run_id, USER, 50 * STEP_NANO) for r in (one, two) * (AT_ONCE // 2)]
    words = [r.give_input(head.run_id, USER, f"again {i}") for i, r in enumerate((one, two) * 2)]
    await at_once(*again, *words)
    for runs in (one, two):
        head = await settled(runs, head.run_id)
    assert head.state in OVER
    agrees(world, head)
    assert len(act.effects) == len(set(act.effects))


@alone
async def test_an_idempotency_key_that_is_used_at_once_begins_one_run(database: Database) -> None:
    world, act, _ = stage(database, *THREE)
    one, two = world.runs(), world.runs()
    found = await at_once(*(r.start(wanted(spec("act", "look"), idem_key="k")) for r in (one, two) * 4))
    (run_id,) = {head.run_id for head, _ in found}
    for runs in (one, two):
        await settled(runs, run_id)
    assert act.effects == ['{"x":1}', '{"x":2}']
    assert world.script.books.total == (await one.kit.records.head(run_id)).spent_nano


async def waiting(runs: Runs) -> tuple[Head, Any]:
    head = await begin(runs, "act")
    assert head.state == "waiting"
    (question,) = await asked(runs, head)
    return head, question


@alone
async def test_leave_for_one_call_is_given_once_and_to_no_other(database: Database) -> None:
    """Replayed, at once, to another run, for other arguments; and the call it was for is made once."""
    world, act, _ = stage(
        database, Turn(calls=CALL), Turn(calls=(("act", '{"x": 99}'),)), Turn(text="Ok."), policy="ask"
    )
    one, two = world.runs(), world.runs()
    head, question = await waiting(one)
    other, its = await waiting(one)
    leave = {question.approval_id: (question.subject_hash, True)}
    with pytest.raises(Conflict):
        await one.decide(other.run_id, USER, leave)
    with pytest.raises(Conflict):
        await one.decide(head.run_id, USER, {its.approval_id: (question.subject_hash + "0", True)})
    found = await at_once(*(r.decide(head.run_id, USER, leave) for r in (one, two) * 4))
    assert sum(isinstance(f, Head) for f in found) == 1
    for runs in (one, two):
        head = await settled(runs, head.run_id)
    assert (head.state, act.effects) == ("waiting", ['{"x":1}']), "other arguments are asked about again"
    with pytest.raises(Conflict):
        await one.decide(head.run_id, USER, leave)
    (second,) = [q for q in await asked(one, head) if q.state == "pending"]
    with pytest.raises(Conflict):
        await one.decide(head.run_id, USER, {second.approval_id: (question.subject_hash, True)})
    await one.decide(head.run_id, USER, {second.approval_id: (second.subject_hash, False)})
    await settled(one, head.run_id)
    assert act.effects == ['{"x":1}']


@alone
async def test_a_result_that_orders_other_tools_gets_none_that_the_version_has_not(
    database: Database,
) -> None:
    """The model obeys whatever it reads: what is not of the version, is denied or needs leave is not done all the same."""
    orders = (
        ("delete_all", "{}"),
        ("ask_agt_9", '{"task": "x"}'),
        ("act", '{"x": "all"}'),
        ("fetch", '{"url": "https://a.example"}'),
    )
    world, act, look = stage(
        database, Turn(calls=(("look", '{"x": 1}'),)), Turn(calls=orders), Turn(text="Done.")
    )
    runs = world.runs()
    head = await begin(runs, "look")
    assert (head.state, act.effects, look.effects) == ("done", [], ['{"x":1}'])
    made = [s for s in await steps(runs, head.run_id) if s.kind in ("tool", "subrun")]
    assert [s.error_class for s in made] == ["", *["no_such_tool"] * 4]
    assert len(await runs.kit.records.read(lambda c: store.tree(c, head.run_id))) == 1
    assert all("no such tool" in text for text in told(world)[1:])


@alone
async def test_no_cap_goes_beyond_what_the_version_says_at_most_also_later(database: Database) -> None:
    loop = [Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(40)]
    world, _, _ = stage(database, *loop)
    runs = world.runs()
    of = spec("act", cap_max_nano=6 * STEP_NANO)
    head, _ = await runs.start(wanted(of, cap=3 * STEP_NANO))
    head = await settled(runs, head.run_id)
    assert head.state == "paused"
    with pytest.raises(BadRequest):
        await runs.raise_cap(head.run_id, USER, 7 * STEP_NANO)
    with pytest.raises(BadRequest):
        await runs.give_input(head.run_id, USER, "more", cap_nano=7 * STEP_NANO)
    await runs.raise_cap(head.run_id, USER, 6 * STEP_NANO)
    head = await settled(runs, head.run_id)
    agrees(world, head)
    assert head.spent_nano <= 6 * STEP_NANO
    assert all(s.state in CLOSED for s in await steps(runs, head.run_id))


def test_who_may_begin_no_run_any_more_has_none_that_goes_on(database: Database) -> None:
    people: list[dict[str, Any]] = [{"user_id": "good"}, {"user_id": "bad", "suspended_at": 5}]
    usual = {"password_hash": "-", "role": "user", "tier": "free", "created_at": 1, "suspended_at": None}
    keys: list[dict[str, Any]] = [
        {"key_id": "alive", "user_id": "good"}, {"key_id": "gone", "user_id": "good", "revoked_at": 5},
        {"key_id": "over", "user_id": "good", "expires_at": 10}, {"key_id": "of_bad", "user_id": "bad"},
    ]  # fmt: skip
    empty = {
        "name": "k",
        "prefix": "p",
        "scopes": "inference",
        "created_at": 1,
        "revoked_at": None,
        "expires_at": None,
    }

    def work(connection: sa.Connection) -> None:
        rows = [usual | {"email": p["user_id"]} | p for p in people]
        connection.execute(sa.insert(users), rows)
        connection.execute(sa.insert(marketplace_keys), [empty | {"digest": k["key_id"]} | k for k in keys])

    database.write_sync(work)
    may = [
        (user, key) for user in ("good", "bad", "nobody") for key in (None, "alive", "gone", "over", "of_bad", "none")
        if database.read_sync(lambda c, u=user, k=key: store.may_spend(c, u, k, 10))
    ]  # fmt: skip
    assert may == [("good", None), ("good", "alive")]


@alone
async def test_runs_that_are_gone_on_with_count_like_new_ones_and_a_refused_answer_may_be_given_again(
    database: Database,
) -> None:
    world, act, _ = stage(database, Turn(calls=CALL), Turn(text="Done."), policy="ask")
    runs, gate, real = world.runs(), asyncio.Event(), act.run
    heads = [await begin(runs) for _ in range(MOST_OF_A_USER + 2)]

    async def held(given: Mapping[str, Any], caller: Caller) -> Got:
        await gate.wait()
        return await real(given, caller)

    async def allow(head: Head) -> bool:
        (asked,) = await runs.kit.records.approvals(head.run_id)
        try:
            await runs.decide(head.run_id, USER, {asked.approval_id: (asked.subject_hash, True)})
        except RateLimited:
            return False
        return True

    act.run = held  # type: ignore[method-assign]
    gone_on = await asyncio.gather(*(allow(head) for head in heads))
    assert sum(gone_on) == MOST_OF_A_USER
    gate.set()
    for head in heads:
        await settled(runs, head.run_id)
    assert [await allow(h) for h, on in zip(heads, gone_on, strict=True) if not on] == [True, True]
    assert [(await settled(runs, h.run_id)).state for h in heads] == ["done"] * len(heads)


@alone
async def test_each_raised_cap_ends_in_an_answer_of_the_model_and_not_in_a_sentence_of_ours(
    database: Database,
) -> None:
    turns = [Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(20)]
    world, *_ = stage(database, *turns)
    runs = world.runs()
    head = await begin(runs, cap=3 * STEP_NANO)
    for cap in (6, 9):
        await runs.raise_cap(head.run_id, USER, cap * STEP_NANO)
        head = await settled(runs, head.run_id)
        agrees(world, head)
        assert (head.state, await runs.kit.records.result(head)) == ("paused", "That is all I have.")


@alone
async def test_names_that_no_database_takes_lose_no_money(database: Database) -> None:
    for name in ("a\x00b", "\x00", "x" * 5000, "", "act\u202e"):
        world, *_ = stage(database, Turn(calls=((name, '{"x": 1}'),)), Turn(text="Done."))
        head = await begin(world.runs())
        agrees(world, head)
        assert head.state == "done", name


@alone
async def test_a_fault_of_a_tool_of_ours_is_told_to_the_model_and_ends_no_run(database: Database) -> None:
    world, act, look = stage(database, Turn(calls=(("look", "{}"), ("act", "{}"))), Turn(text="Done."))
    for tool in (act, look):
        tool.after_effect = lambda: [][0]
    runs = world.runs()
    head = await begin(runs)
    agrees(world, head)
    made = {s.name: s.state for s in await steps(runs, head.run_id) if s.kind == "tool"}
    assert (head.state, made) == ("done", {"look": "failed", "act": "unknown"})


@alone
async def test_a_fault_while_a_step_is_written_down_leaves_neither_a_reserve_nor_an_uncounted_cost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, *_ = stage(database, Turn(calls=CALL), Turn(text="Done."))
    runs, real = world.runs(), store.add_steps

    def broken(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if any(row["kind"] == "tool" for row in rows):
            raise ValueError("boom")
        real(connection, rows)

    monkeypatch.setattr(store, "add_steps", broken)
    head = await begin(runs)
    assert (head.state, [s.state for s in await steps(runs, head.run_id)]) == ("failed", ["unknown"])
    agrees(world, head)


@alone
async def test_letters_that_turn_or_hide_an_argument_are_shown_to_who_gives_leave(
    sqlite_database: Database,
) -> None:
    world, *_ = stage(sqlite_database, Turn(calls=(("act", '{"x": "a\u202egood\u200b"}'),)), policy="ask")
    runs = world.runs()
    head = await begin(runs)
    asked = questions.question(await runs.kit.records.approvals(head.run_id), await steps(runs, head.run_id))
    events = b"".join(event for _, event in await runs.kit.records.events(head)).decode()
    assert '{"x": "a\\u202egood\\u200b"}' in asked
    assert "\u202e" not in asked + events

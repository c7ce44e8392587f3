"""What runs keep is bounded by the account's room, and is gone when it is deleted; what it cost stays."""

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Conflict, NotFound, PayloadTooLarge
from agent_marketplace.runs import store
from tests.fakes.scripted import USER, Named, Turn, alone, spec
from tests.integration.test_runs import CALL, begin, stage


@alone
async def test_runs_take_no_more_room_than_an_account_has_and_deleting_makes_room(database: Database) -> None:
    world, _, _ = stage(database, Turn(calls=CALL), Turn(text="x" * 5_000))
    runs = world.runs()
    head = await begin(runs)
    size = await runs.kit.records.read(lambda c: store.stored(c, USER))
    assert size > 5_000
    runs.kit.records._quota = size + 1
    await begin(runs)
    with pytest.raises(PayloadTooLarge) as full:
        await begin(runs)
    assert (full.value.code, full.value.extra["quota_bytes"]) == ("storage_full", size + 1)
    with pytest.raises(NotFound):
        await runs.delete(head.run_id, "somebody")
    for one in await runs.kit.records.read(lambda c: store.listed(c, USER, None, 10)):
        await runs.delete(one.run_id, USER)
    assert await runs.kit.records.read(lambda c: store.stored(c, USER)) == 0
    assert (await begin(runs)).state == "done"


@alone
async def test_a_run_is_deleted_whole_and_only_when_it_is_over(database: Database) -> None:
    turns = (Turn(calls=(("ask_b", '{"task": "go"}'), ("act", '{"x": 1}'))), Turn(text="Ok."))
    world, _, _ = stage(database, *turns, agents=Named(spec(agent_id="b", name="b")))
    runs = world.runs()
    head = await begin(runs, "act", subagents=("b",))
    tree = await runs.kit.records.read(lambda c: store.tree(c, head.run_id))
    below = next(h for h in tree if h.depth)
    with pytest.raises(Conflict):
        await runs.delete(below.run_id, USER)
    waiting, _, _ = stage(database, Turn(calls=CALL), policy="ask")
    other = await begin(waiting.runs())
    with pytest.raises(Conflict):
        await waiting.runs().delete(other.run_id, USER)
    await runs.delete(head.run_id, USER)
    for one in tree:
        assert await runs.kit.records.read(lambda c, r=one.run_id: store.steps_of(c, r)) == []
        assert await runs.kit.records.read(lambda c, r=one.run_id: store.events_of(c, r)) == []
        with pytest.raises(NotFound):
            await runs.kit.records.head(one.run_id)

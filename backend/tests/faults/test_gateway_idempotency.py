"""`Idempotency-Key` on plain completions and chats: a repeat is never charged again."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.ledger import idempotency_keys, usage_records
from agent_marketplace.errors import Unavailable
from agent_marketplace.ledger import Receipt, Settlement
from tests.fakes.rig import MODEL, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

KEY = {"idempotency-key": "order-1"}
COMPLETION, CHAT = "/api/v1/agents/completion", "/api/v1/agents/chat"


def chat(message: str = "Hi") -> dict[str, object]:
    return {"model": MODEL, "message": message}


@on_rig(Behaviour())
async def test_a_repeat_gets_the_first_reply_and_costs_nothing(rig: Rig) -> None:
    for number, (path, body) in enumerate(((COMPLETION, completion()), (CHAT, chat())), 1):
        key = {"idempotency-key": f"order-{number}"}
        first = await rig.call(path, body, key)
        again = await rig.call(path, body, key)
        assert first.status == again.status == 200
        assert first.body == again.body
        assert again.headers["idempotent-replayed"] == "true"
        assert len(rig.up.requests) == number
        assert await rig.spent() == number * rig.cost(11, 7)


@on_rig(Behaviour())
async def test_another_body_under_the_same_key_is_422(rig: Rig) -> None:
    await rig.call(COMPLETION, completion(), KEY)
    other = await rig.call(COMPLETION, completion(temperature=1), KEY)
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    assert len(rig.up.requests) == 1


@on_rig(Behaviour(head_delay=0.5))
async def test_of_ten_parallel_repeats_one_runs(rig: Rig) -> None:
    exchanges = await asyncio.gather(*(rig.open(COMPLETION, completion(), KEY) for _ in range(10)))
    answers = await asyncio.gather(*(e.rest() for e in exchanges))
    assert sorted(a.status for a in answers) == [200] + [409] * 9
    assert len(rig.up.requests) == 1
    assert (await rig.call(COMPLETION, completion(), KEY)).status == 200
    assert await rig.spent() == rig.cost(11, 7)


@on_rig(Behaviour(status=400), Behaviour())
async def test_a_call_that_failed_gives_its_key_back(rig: Rig) -> None:
    assert (await rig.call(COMPLETION, completion(), KEY)).status == 400
    assert (await rig.call(COMPLETION, completion(), KEY)).status == 200


@on_rig(Behaviour(), balance=0)
async def test_a_refused_call_gives_its_key_back(rig: Rig) -> None:
    for path, body in ((COMPLETION, completion(max_tokens=50)), (CHAT, chat() | {"max_tokens": 50})):
        for _ in range(2):
            assert (await rig.call(path, body, {"idempotency-key": path})).status == 402


@on_rig(Behaviour(head_delay=3), Behaviour())
async def test_a_client_that_left_may_ask_again_under_the_same_key(rig: Rig) -> None:
    gone = await rig.open(COMPLETION, completion(), KEY)
    await rig.up.arrived(1)
    gone.hang_up()
    await rig.quiet()
    async with asyncio.timeout(5):
        while (answer := await rig.call(COMPLETION, completion(), KEY)).status == 409:
            await asyncio.sleep(0.02)
    assert answer.status == 200
    assert await rig.spent() == rig.cost(11, 7)


@on_rig(Behaviour())
async def test_no_crash_can_part_a_charge_from_the_reply_that_its_key_repeats(rig: Rig) -> None:
    committed: list[tuple[bool, bool]] = []
    write = rig.market.db.write_batched

    async def look_after(*given: Any, **named: Any) -> Any:
        done = await write(*given, **named)
        if isinstance(done, Receipt):  # what a process that dies at this very moment leaves behind

            def left(connection: sa.Connection) -> tuple[bool, bool]:
                charged = connection.execute(sa.select(usage_records.c.charge_nano)).scalar()
                reply = connection.execute(sa.select(idempotency_keys.c.result)).scalar()
                return charged == rig.cost(11, 7), reply is not None

            committed.append(await rig.market.db.read(left))
        return done

    rig.market.db.write_batched = look_after  # type: ignore[method-assign]
    first = await rig.call(COMPLETION, completion(), KEY)
    assert committed == [(True, True)]
    assert (await rig.call(COMPLETION, completion(), KEY)).body == first.body


@on_rig(Behaviour(), Behaviour())
async def test_a_charge_that_could_not_be_posted_keeps_no_reply(rig: Rig) -> None:
    settle = rig.market.ledger.settle

    async def away(settlement: Settlement) -> Receipt:
        if settlement.status == "ok":
            raise Unavailable("The database is not available")
        return await settle(settlement)

    rig.market.ledger.settle = away  # type: ignore[method-assign]
    assert (await rig.call(COMPLETION, completion(), KEY)).status == 503
    rig.market.ledger.settle = settle  # type: ignore[method-assign]
    again = await rig.call(COMPLETION, completion(), KEY)
    assert (again.status, "idempotent-replayed" in again.headers) == (200, False)
    assert await rig.spent() == rig.cost(11, 7)


@on_rig(Behaviour())
async def test_a_stored_reply_is_not_readable_at_rest_and_a_lost_master_key_is_told_not_failed(
    rig: Rig,
) -> None:
    first = await rig.call(COMPLETION, completion(), KEY)
    (stored,) = await rig.market.db.read(
        lambda c: c.execute(sa.select(idempotency_keys.c.result)).scalars().all()
    )
    assert "Hello from the fake upstream" in first.body.decode()
    assert "Hello from the fake upstream" not in stored
    await rig.market.db.write(
        lambda c: c.execute(sa.update(idempotency_keys).values(result=stored[:-8] + 'AAAAAAA"'))
    )
    again = await rig.call(COMPLETION, completion(), KEY)
    assert (again.status, again.code) == (409, "conflict")
    assert await rig.spent() == rig.cost(11, 7)

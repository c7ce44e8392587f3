"""`Idempotency-Key` on plain completions and chats: a repeat is never charged again."""

import asyncio

import pytest

from agent_marketplace.api.v1 import idempotent
from agent_marketplace.errors import Unavailable
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


def test_a_paid_reply_that_could_not_be_kept_still_arrives_and_its_repeat_is_not_charged_again(
    tmp_path, monkeypatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("The database is not available")

    @on_rig(Behaviour())
    async def run(rig: Rig) -> None:
        monkeypatch.setattr(idempotent, "finish_in", fail)
        first = await rig.call(COMPLETION, completion(), KEY)
        assert (first.status, first.json["success"]) == (200, True)
        monkeypatch.undo()
        assert (await rig.call(COMPLETION, completion(), KEY)).status == 409
        assert len(rig.up.requests) == 1
        assert await rig.spent() == rig.cost(11, 7)

    run(tmp_path)


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

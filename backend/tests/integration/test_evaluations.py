"""Evaluations: a file in, never more than the budget, one that fails alone, results out, and going on after a stop."""

import asyncio
from typing import Any

import pytest

from agent_marketplace.arena.sets.item_files import read_items
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import dollars
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

PATH = "/api/v1/marketplace/evaluations"
CHEAP, DEAR = "gpt-4o-mini", "gpt-5.5"
FILE = b'id,prompt,expected\nsum,What is 2+2?,4\nsky,"What colour, is the sky?",blue\nhi,=Say hi,\n'


async def begin(rig: Rig, query: str, data: bytes = FILE) -> Any:
    answer = await rig.call(f"{PATH}?{query}", data)
    assert answer.status == 200, answer.body
    return answer.json["evaluation"]


async def ended(rig: Rig, place: str) -> Any:
    async with asyncio.timeout(15):
        while (found := await get(rig, place))["state"] == "running":
            await asyncio.gather(*rig.market.evaluating, return_exceptions=True)
    return found


async def get(rig: Rig, place: str) -> Any:
    return (await rig.call(f"{PATH}/{place}", b"", method="GET")).json["evaluation"]


@pytest.mark.both_databases
@on_rig(Behaviour(text="It is 4 ."))
async def test_every_prompt_is_answered_by_every_model_and_each_answer_is_billed_once(rig: Rig) -> None:
    made = await begin(rig, f"model={CHEAP}&model={DEAR}&budget=0.5&name=First")
    found = await ended(rig, made["id"])
    assert (found["state"], found["answers"], found["expected_answers"], found["failed"]) == ("done", 6, 6, 0)
    rows = await rig.rows()
    assert len(rows) == 6
    assert found["cost"] == float(dollars(sum(row.charge_nano for row in rows)))
    lines = (await rig.call(f"{PATH}/{made['id']}/results?format=jsonl", b"", method="GET")).body.splitlines()
    assert len(lines) == 6
    table = (await rig.call(f"{PATH}/{made['id']}/results", b"", method="GET")).body.decode()
    assert table.splitlines()[0].startswith("n,id,asked,model,status,answer,expected,as_expected,cost")
    assert table.count(",4,True,") == 2
    assert table.count(",blue,False,") == 2
    assert (await rig.call(f"{PATH}/{made['id']}/resume", b"")).status == 409


@on_rig(Behaviour(text="It is 4 ."), balance=10**9)
async def test_an_evaluation_never_costs_more_than_its_budget_and_goes_on_with_more(rig: Rig) -> None:
    made = await begin(rig, f"model={DEAR}&budget=0.0008&max_tokens=20", b"prompt\n" + b"What is 2+2?\n" * 5)
    found = await ended(rig, made["id"])
    assert (found["state"], found["reason"]) == ("stopped", "budget")
    assert found["answers"] < 5
    assert await rig.spent() <= 800_000
    again = await rig.call(f"{PATH}/{made['id']}/resume?budget=0.5", b"")
    assert again.status == 200, again.body
    found = await ended(rig, made["id"])
    assert (found["state"], found["answers"]) == ("done", 5)
    assert len(await rig.rows()) == 5


@on_rig(Behaviour(text="ok ."), Behaviour(status=400, words="no"), Behaviour(text="ok ."))
async def test_one_answer_that_fails_leaves_the_others_be(rig: Rig) -> None:
    found = await ended(rig, (await begin(rig, f"model={CHEAP}&budget=0.5"))["id"])
    assert (found["state"], found["answers"], found["failed"]) == ("done", 3, 1)


@on_rig(Behaviour(text="ok .", gated=True))
async def test_a_stopped_or_deleted_evaluation_asks_nothing_more(rig: Rig) -> None:
    made = await begin(rig, f"model={CHEAP}&budget=0.5")
    await rig.up.arrived(1)
    stopped = await rig.call(f"{PATH}/{made['id']}/stop", b"")
    assert stopped.json["evaluation"]["state"] == "stopped"
    rig.up.open_gate()
    await asyncio.gather(*rig.market.evaluating)
    assert len(rig.up.requests) == 1
    assert (await get(rig, made["id"]))["answers"] == 1  # it was paid for, so it is kept
    assert (await rig.call(f"{PATH}/{made['id']}", b"", method="DELETE")).status == 200
    assert (await rig.call(f"{PATH}/{made['id']}", b"", method="GET")).status == 404


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", "csv"), (b"question\nx\n", "csv"), (b"prompt\n", "csv"), (b"prompt\n\xff\n", "csv"), (b'{"prompt": 5}', "jsonl"),
        (b"[1]", "jsonl"), (b"{", "jsonl"), (b'{"messages": []}', "jsonl"), (b"prompt\n" + b"x\n" * 1001, "csv"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused_whole(data: bytes, form: str) -> None:
    with pytest.raises(BadRequest):
        read_items(data, form)


def test_a_file_is_read_as_people_write_it() -> None:
    items = read_items(b'\xef\xbb\xbfprompt,system\r\n"two\nlines",Be brief\r\n', "csv")
    assert items[0].messages == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "two\nlines"},
    ]
    assert [i.id for i in read_items(b'{"prompt": "a", "id": "x"}\n\n{"prompt": "b"}\n', "jsonl")] == [
        "x",
        "3",
    ]

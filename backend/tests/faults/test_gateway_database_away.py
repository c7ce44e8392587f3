"""Answers that end while the database can't commit: their callers get them whole, with true words, and pay once it is back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent_marketplace.errors import Unavailable
from agent_marketplace.ledger import ledger
from tests.fakes.rig import Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases
COMPLETION = "/api/v1/agents/completion"
KEY = {"idempotency-key": "k1"}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "PAUSES_S", (0,))


@contextmanager
def away(rig: Rig) -> Iterator[None]:
    async def fail(*_: object, **__: object) -> None:
        raise Unavailable("away")

    real = rig.market.db.write_batched
    rig.market.db.write_batched = fail  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        rig.market.db.write_batched = real  # type: ignore[method-assign]


@on_rig(Behaviour(stepped=True))
async def test_a_stream_in_flight_is_whole_says_that_it_is_not_charged_yet_and_is_charged_once(
    rig: Rig,
) -> None:
    exchange = await rig.open(COMPLETION, completion(stream=True))
    await rig.up.arrived(1)
    rig.up.release(1)
    await exchange.until(1)
    with away(rig):
        rig.up.release(1_000)
        answer = await exchange.rest()
    assert (answer.ending, answer.whole) == ("done", True)
    assert '"settlement":"pending"' in answer.body.decode()
    assert '"balance_remaining":null' in answer.body.decode()
    assert await rig.rows() == []
    await rig.market.ledger.sweep()
    row = await rig.row()
    assert (row.status, row.charge_nano, row.absorbed_nano) == ("ok", rig.cost(11, 7), 0)
    assert await rig.wallet() == (10**9 - rig.cost(11, 7), 0)


@on_rig(Behaviour(head_delay=0.3))
async def test_a_plain_answer_is_delivered_and_its_repeat_gets_the_very_same(rig: Rig) -> None:
    exchange = await rig.open(COMPLETION, completion(), KEY)
    await rig.up.arrived(1)
    with away(rig):
        first = await exchange.rest()
    assert (first.status, first.json["settlement"]) == (200, "pending")
    assert round(first.json["cost"] * 10**9) == rig.cost(11, 7)
    await rig.market.ledger.sweep()
    again = await rig.call(COMPLETION, completion(), KEY)
    assert (again.status, again.body) == (200, first.body)
    assert [row.charge_nano for row in await rig.rows()] == [rig.cost(11, 7)]

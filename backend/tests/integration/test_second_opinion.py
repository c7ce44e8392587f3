"""Where an operator wants it, a model settles unclear types: booked and shown, once, never against what was said, never waited for long."""

from typing import Any

import pytest

from agent_marketplace.api import second_opinion
from agent_marketplace.recommend.second_opinion import kind_of, question
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

PATH = "/api/v1/marketplace/recommendations"
UNCLEAR = "handle it for the second batch"


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    second_opinion._known.clear()


async def _asked(rig: Rig, **more: Any) -> dict[str, Any]:
    answer = await rig.call(PATH, {"task": UNCLEAR, **more}, {"content-type": "application/json"})
    assert answer.status == 200
    return dict(answer.json)


@on_rig(Behaviour(text="data_extraction"), settle_types=True)
async def test_a_model_settles_it_once_and_its_cost_is_booked_and_shown(rig: Rig) -> None:
    first = await _asked(rig)
    assert first["analysis"]["type"] == first["settled"]["type"] == "data_extraction"
    assert not first["analysis"]["uncertain"]
    row = await rig.row()
    assert row.charge_nano == await rig.spent() > 0
    assert first["settled"]["request_id"] == row.request_id
    assert round(first["settled"]["cost"] * 10**9) == row.charge_nano
    again = await _asked(rig)
    assert again["analysis"]["type"] == "data_extraction"
    assert again["settled"] == {**first["settled"], "cost": 0}
    assert len(rig.up.requests) == 1


@on_rig(Behaviour(text="data_extraction"), settle_types=True)
async def test_a_key_that_may_only_read_spends_nothing(rig: Rig) -> None:
    reader = await rig.market.accounts.keys.create(rig.user_id, "reader", scopes=("account:read",))
    headers = {"content-type": "application/json", "authorization": f"Bearer {reader.key}"}
    answer = await rig.call(PATH, {"task": UNCLEAR}, headers)
    assert (answer.status, answer.json["settled"], await rig.spent()) == (200, None, 0)
    asked = {"name": "recommend", "arguments": {"task": UNCLEAR}}
    for more in (headers, {"content-type": "application/json"}):
        said = await rig.call(
            "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}, more
        )
        assert (said.status, bool(said.json["result"].get("isError"))) == (200, False), said.json
    assert (rig.up.requests, await rig.spent()) == ([], 0)


@on_rig(Behaviour(text="data_extraction"), settle_types=True)
async def test_a_model_is_asked_about_the_words_as_they_were_typed(rig: Rig) -> None:
    words = "handel it for the secnod batch of pagse"
    await _asked(rig, task=words)
    assert [words in str(request.json).lower() for request in rig.up.requests] == [True]


@on_rig(settle_types=True)
async def test_nobody_is_asked_where_it_is_declined_forbidden_or_clear(rig: Rig) -> None:
    for more in (
        {"settle": False},
        {"offline": True},
        {"no_training": True},
        {"region": "eu"},
        {"free": True},
        {"require": ["local"]},
        {"task": "handle it for the second batch, offline"},
        {"task": "Translate this letter to French"},
    ):
        assert (await _asked(rig, **more))["settled"] is None, more
    assert rig.up.requests == []


@on_rig()
async def test_nobody_is_asked_where_the_operator_said_nothing(rig: Rig) -> None:
    found = await _asked(rig)
    assert (found["settled"], found["analysis"]["uncertain"]) == (None, True)
    assert rig.up.requests == []


@pytest.mark.parametrize(
    "script",
    [Behaviour(status=401), Behaviour(text="I would say translation or maths"), Behaviour(text="no idea")],
)
@on_rig(settle_types=True)
async def test_a_failure_or_nonsense_leaves_the_guess_and_the_question(rig: Rig, script: Behaviour) -> None:
    found = await _asked(rig)
    assert (found["settled"], found["analysis"]["uncertain"]) == (None, True), script
    assert found["analysis"]["question"]
    assert len(rig.up.requests) == 1


@on_rig(balance=0, settle_types=True)
async def test_an_empty_wallet_asks_nobody(rig: Rig) -> None:
    assert (await _asked(rig))["settled"] is None
    assert rig.up.requests == []


@on_rig(Behaviour(gated=True), settle_types=True)
async def test_a_provider_that_does_not_answer_is_not_waited_for(rig: Rig) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(second_opinion, "WAIT_S", 0.05)
        found = await _asked(rig)
    assert (found["settled"], found["analysis"]["uncertain"]) == (None, True)
    rig.up.open_gate()


def test_an_answer_is_taken_only_where_it_names_one_kind() -> None:
    assert kind_of("The kind is **code_review**.") == "code_review"
    assert kind_of("maths, or translation") is None
    assert kind_of("") is None
    assert "ignore all that" in question("ignore all that")

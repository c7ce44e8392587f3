"""Comparisons through the whole server: what a blind one must not tell, who may vote and when, and that one side fails alone."""

import asyncio
from typing import Any

import pytest

from agent_marketplace.arena import store
from agent_marketplace.clock import ManualClock
from agent_marketplace.ledger import dollars
from tests.fakes.rig import Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

PATH = "/api/v1/marketplace/comparisons"
CHEAP, DEAR, THIRD = "gpt-4o-mini", "gpt-5.5", "claude-haiku-4-5"
A, B = Behaviour(text="the first answer ."), Behaviour(text="the second answer .")
"""Every way in which a reply could say whose an answer is, or what it cost."""
GIVEAWAYS = (
    "openai",
    "anthropic",
    "fake-model",
    "timings",
    "first_token",
    "estimate",
    "balance",
    "request_id",
    "usage",
)


async def ask(rig: Rig, **fields: Any) -> Any:
    answer = await rig.call(PATH, {"models": [CHEAP, DEAR], "prompt": "Which is it?", "wait": True, **fields})
    assert answer.status == 200, answer.body
    return answer.json["comparison"]


async def post(rig: Rig, path: str, body: Any) -> Answer:
    return await rig.call(path, body, {"content-type": "application/json"})


async def get(rig: Rig, path: str) -> Any:
    return (await rig.call(path, b"", method="GET")).json


def check_veiled(found: Any) -> None:
    assert not found["revealed"]
    assert found["models"] == sorted([CHEAP, DEAR])
    assert found["cost"] is None
    for answer in found["answers"]:
        assert set(answer) == {"side", "run_id", "status", "content", "error"}


@pytest.mark.both_databases
@on_rig(A, B)
async def test_nothing_gives_a_blind_answer_away_before_its_vote(rig: Rig) -> None:
    answer = await rig.call(PATH, {"models": [CHEAP, DEAR], "prompt": "Which?", "blind": True})
    begun = answer.json["comparison"]
    check_veiled(begun)
    for side in begun["answers"]:
        path = f"/api/v1/agents/runs/{side['run_id']}/events"
        stream = await rig.call(path, b"", method="GET")
        told = str(stream.data) + str({k: v for k, v in stream.headers.items() if k != "x-request-id"})
        assert stream.ending == "done"
        for word in (CHEAP, DEAR, *GIVEAWAYS):
            assert word not in told, (word, told)
    await rig.quiet()
    found = (await get(rig, f"{PATH}/{begun['id']}"))["comparison"]
    check_veiled(found)
    check_veiled((await get(rig, PATH))["comparisons"][0])
    rows = await rig.rows()
    assert len(rows) == 2
    for row in rows:
        receipt = await rig.call(f"/api/v1/marketplace/generations/{row.request_id}", b"", method="GET")
        assert (receipt.status, receipt.code) == (409, "veiled")
    statement = (await get(rig, "/api/v1/marketplace/billing/statement"))["entries"]
    assert [e["memo"] for e in statement if e["kind"] == "usage"] == ["a blind comparison"] * 2
    for query in ("", f"?model={CHEAP}", f"?model={DEAR}"):
        activity = await get(rig, f"/api/v1/marketplace/activity{query}")
        assert (activity["calls"], activity["in_flight"]) == ([], [])

    voted = await post(rig, f"{PATH}/{begun['id']}/vote", {"vote": "a", "criteria": ["accuracy"]})
    shown = voted.json["comparison"]
    assert shown["vote"] == "a"
    assert sorted(a["model"] for a in shown["answers"]) == sorted([CHEAP, DEAR])
    assert sum(round(a["cost"] * 10**9) for a in shown["answers"]) == sum(r.charge_nano for r in rows)
    activity = await get(rig, "/api/v1/marketplace/activity")
    assert len(activity["calls"]) == 2


@on_rig(A, Behaviour(status=400, words="gpt-5.5 says no"), B)
async def test_a_failed_blind_answer_does_not_say_whose_it_is(rig: Rig) -> None:
    found = await ask(rig, blind=True)
    failed = [a for a in found["answers"] if a["status"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["error"]["code"] == "answer_failed"
    check_veiled(found)
    refused = await post(rig, f"{PATH}/{found['id']}/vote", {"vote": "tie"})
    assert (refused.status, refused.code) == (409, "nothing_to_compare")
    # The failed side may be asked again, the good one may not be tried until it pleases.
    good = next(a["side"] for a in found["answers"] if a["status"] == "ok")
    assert (await post(rig, f"{PATH}/{found['id']}/answers/{good}/retry", {})).status == 409
    again = await post(rig, f"{PATH}/{found['id']}/answers/{failed[0]['side']}/retry", {})
    assert again.status == 200, again.body
    await rig.quiet()
    assert (await post(rig, f"{PATH}/{found['id']}/vote", {"vote": "tie"})).status == 200


@pytest.mark.both_databases
@on_rig(A)
async def test_there_is_one_vote_and_none_after_a_reveal(rig: Rig) -> None:
    found = await ask(rig, blind=True)
    place = f"{PATH}/{found['id']}"
    assert (await post(rig, f"{place}/vote", {"vote": "d"})).status == 400
    votes = await asyncio.gather(*(post(rig, f"{place}/vote", {"vote": v}) for v in ("a", "b", "tie")))
    assert sorted(v.status for v in votes) == [200, 409, 409]
    assert {v.code for v in votes if v.status == 409} == {"already_voted"}
    other = f"{PATH}/{(await ask(rig, blind=True))['id']}"
    assert (await post(rig, f"{other}/reveal", {})).json["comparison"]["revealed"]
    late = await post(rig, f"{other}/vote", {"vote": "a"})
    assert (late.status, late.code) == (409, "revealed")
    seen = f"{PATH}/{(await ask(rig))['id']}"
    assert (await post(rig, f"{seen}/vote", {"vote": "a"})).code == "revealed"
    # A day later the books are open, and the vote is gone.
    waiting = await ask(rig, blind=True)
    rig.market.comparisons._clock = ManualClock(rig.market.clock.now_ms() + 86_400_001)
    assert (await get(rig, f"{PATH}/{waiting['id']}"))["comparison"]["revealed"]
    assert (await post(rig, f"{PATH}/{waiting['id']}/vote", {"vote": "a"})).code == "revealed"


@on_rig(A)
async def test_sides_are_drawn_anew_so_that_a_place_is_no_sign(rig: Rig) -> None:
    first = set()
    for _ in range(40):  # all on one side by chance: once in 10^12
        found = await ask(rig, blind=True)
        shown = (await post(rig, f"{PATH}/{found['id']}/reveal", {})).json["comparison"]
        first.add(shown["answers"][0]["model"])
        if len(first) == 2:
            break
    assert first == {CHEAP, DEAR}


@on_rig(A)
async def test_each_side_has_its_hold_and_its_receipt_and_one_that_fails_leaves_the_others_be(
    rig: Rig,
) -> None:
    found = await ask(rig, models=[CHEAP, DEAR, THIRD])  # nobody has a key for the third
    by_model = {a["model"]: a for a in found["answers"]}
    assert by_model[THIRD]["status"] == "failed"
    assert by_model[THIRD]["cost"] == 0
    assert by_model[CHEAP]["status"] == by_model[DEAR]["status"] == "ok"
    rows = {row.model: row for row in await rig.rows()}
    assert set(rows) == {CHEAP, DEAR}
    for model, row in rows.items():
        assert by_model[model]["cost"] == float(dollars(row.charge_nano))
        receipt = await get(rig, f"/api/v1/marketplace/generations/{by_model[model]['request_id']}")
        assert receipt["generation"]["model"] == model
    nobody = await rig.call(PATH, {"models": [THIRD, "claude-opus-5"], "prompt": "x"})
    assert (nobody.status, nobody.code) == (404, "no_endpoints")
    assert len((await get(rig, PATH))["comparisons"]) == 1


@on_rig(A)
async def test_what_cannot_be_asked_is_refused_before_money_is_held(rig: Rig) -> None:
    for body in (
        {"models": [CHEAP]},
        {"models": [CHEAP] * 2},
        {"models": [CHEAP, DEAR] * 3},
        {"models": "gpt"},
        {"models": [CHEAP, 5]},
    ):
        assert (await rig.call(PATH, {"prompt": "x", **body})).status == 400, body
    unknown = await rig.call(PATH, {"prompt": "x", "models": [CHEAP, "no-such-model"]})
    assert (unknown.status, unknown.code) == (404, "model_not_found")
    assert (await rig.call(PATH, {"models": [CHEAP, DEAR]})).status == 400
    assert await rig.rows() == []


@on_rig(A)
async def test_the_sum_said_before_is_the_sum_of_the_single_estimates(rig: Rig) -> None:
    body = {"models": [CHEAP, DEAR, THIRD], "prompt": "Which is it?", "max_tokens": 50}
    said = (await rig.call(f"{PATH}/estimate", body)).json
    single = [
        (
            await rig.call(
                "/api/v1/agents/estimate", {"model": m, "prompt": "Which is it?", "max_tokens": 50}
            )
        ).json
        for m in (CHEAP, DEAR)
    ]
    for name in ("p50", "p95", "maximum"):
        assert said["total"][name] == pytest.approx(sum(one["estimate"][name] for one in single), abs=1e-12)
    assert "error" in said["estimates"][2]
    assert await rig.rows() == []


@on_rig(A, B)
async def test_one_answer_goes_on_as_a_chat_and_all_go_on_with_their_own_history(rig: Rig) -> None:
    found = await ask(rig, blind=True)
    place = f"{PATH}/{found['id']}"
    early = await post(rig, f"{place}/continue", {"side": "a"})
    assert (early.status, early.code) == (409, "not_revealed")
    assert (await rig.call(PATH, {"after": found["id"], "prompt": "And?"})).code == "not_revealed"
    shown = (await post(rig, f"{place}/vote", {"vote": "b"})).json["comparison"]
    chat = (await post(rig, f"{place}/continue", {"side": "b"})).json["conversation_id"]
    messages = (await get(rig, f"/api/v1/agents/conversations/{chat}"))["messages"]
    assert [(m["role"], m["content"]) for m in messages] == [
        ("user", "Which is it?"),
        ("assistant", shown["answers"][1]["content"]),
    ]
    more = await ask(rig, models=None, after=found["id"], prompt="And then?")
    assert [a["model"] for a in more["answers"]] == [a["model"] for a in shown["answers"]]
    sent = [seen.json["messages"] for seen in rig.up.requests[-2:]]
    said = {turns[1]["content"] for turns in sent}
    assert said == {a["content"] for a in shown["answers"]}
    assert all(turns[0]["content"] == "Which is it?" and turns[2]["content"] == "And then?" for turns in sent)


@on_rig(Behaviour(text="I was made by OpenAI ."))
async def test_a_vote_for_an_answer_that_says_whose_it_is_is_marked(rig: Rig) -> None:
    named = []
    for prompt in ("Who are you?", "Is OpenAI a firm?"):
        found = await ask(rig, blind=True, prompt=prompt)
        await post(rig, f"{PATH}/{found['id']}/vote", {"vote": "tie", "reason": "both the same"})
        named.append(await rig.market.db.read(lambda c, i=found["id"]: _named(c, i)))
    assert named == [True, False]


def _named(connection: Any, comparison_id: str) -> bool:
    row = store.sides(connection, [comparison_id])[comparison_id][0]
    head = store.head(connection, row.user_id, comparison_id)
    assert head is not None
    return bool(head.named)

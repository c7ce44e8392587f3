"""A Responses client may name an earlier item, or have a conversation made short: neither may lose a word, nor show another's."""

import json
from typing import Any

import pytest

from tests.fakes.rig import MODEL, Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases
SAID = "It rains in Oslo ."


async def respond(rig: Rig, given: Any, **more: Any) -> Answer:
    return await rig.call("/v1/responses", {"model": MODEL, "input": given, "max_output_tokens": 50, **more})


def ids(answer: Answer) -> list[str]:
    body = answer.json if answer.body.startswith(b"{") else answer.data[-1]["response"]
    return [item["id"] for item in body["output"]]


def referring(*names: str) -> list[dict[str, Any]]:
    return [*({"type": "item_reference", "id": n} for n in names), {"role": "user", "content": "And?"}]


@on_rig(Behaviour(text=SAID))
async def test_an_item_of_an_answer_may_be_named_in_the_next_request_plain_or_streamed(rig: Rig) -> None:
    for stream in (False, True):
        (name,) = ids(await respond(rig, "Weather?", stream=stream))
        answer = await respond(rig, referring(name))
        assert answer.status == 200, answer.body
        turns = rig.up.requests[-1].json["messages"]
        assert [(m["role"], m["content"].strip()) for m in turns] == [("assistant", SAID), ("user", "And?")]
        counted = await rig.call("/v1/responses/input_tokens", {"model": MODEL, "input": referring(name)})
        assert counted.json["input_tokens"] > len(SAID) // 8


@on_rig(Behaviour(text=SAID))
async def test_what_was_not_to_be_stored_is_gone_or_anothers_is_a_404_in_words(rig: Rig) -> None:
    (unkept,) = ids(await respond(rig, "Weather?", store=False))
    (old,) = ids(await respond(rig, "Weather?"))
    other = await rig.market.accounts.auth.create_user("other@example.com", "correct horse, not the comic")
    key = await rig.market.accounts.keys.create(other.user_id, "k", scopes=("inference",))
    body = {"model": MODEL, "input": referring(old), "max_output_tokens": 50}
    exchange = await rig.open("/v1/responses", body, {"authorization": f"Bearer {key.key}"})
    for refused in (
        await respond(rig, referring(unkept)),
        await respond(rig, referring("msg_of_nobody")),
        await exchange.rest(),
    ):
        assert refused.status == 404
        assert "input[0]: Item with id" in refused.error["message"]
    assert len(rig.up.requests) == 2


@on_rig(Behaviour(text="x" * 400_000))
async def test_many_names_of_one_large_item_are_no_larger_request_than_any_other(rig: Rig) -> None:
    (name,) = ids(await respond(rig, "Weather?"))
    assert (await respond(rig, referring(*[name] * 100))).status == 413


@on_rig(Behaviour(text="Oslo: rain. Next: pack an umbrella."))
async def test_a_conversation_made_short_goes_on_from_its_summary(rig: Rig) -> None:
    history = [
        {"role": "user", "content": "Weather in Oslo?"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID}]},
    ]
    short = await rig.call(
        "/v1/responses/compact", {"model": MODEL, "input": history, "instructions": "Be kind."}
    )
    assert short.status == 200, short.body
    asked = rig.up.requests[-1].json["messages"]
    assert (asked[0]["content"], asked[2]["content"]) == ("Be kind.", SAID)
    assert "hand this conversation over" in asked[-1]["content"]
    body = short.json
    assert body["object"] == "response.compaction"
    assert body["usage"]["input_tokens"] == 11
    assert [i["type"] for i in body["output"]] == ["message", "compaction"]
    await respond(rig, [*body["output"], {"role": "user", "content": "What shall I pack?"}])
    words = json.dumps(rig.up.requests[-1].json["messages"])
    assert all(w in words for w in ("Weather in Oslo?", "pack an umbrella", "What shall I pack?"))
    assert SAID not in words
    receipts = await rig.rows()
    assert [r.charge_nano for r in receipts] == [rig.cost(11, 7)] * 2, "a summary is billed like an answer"

"""Completions for editors on the whole server: the two texts arrive, the money is small and right, and who can't is named."""

import asyncio
from typing import Any

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.wires.fim.client_side import USUAL_TOKENS
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

GOOD = Behaviour(text="a + b", usage=(40, 4))
CODESTRAL = "codestral-2508"
TEXTS = {"prompt": "def add(a, b):\n    return ", "suffix": "\n\nprint(add(1, 2))\n"}


def asked(model: str = CODESTRAL, **fields: Any) -> dict[str, Any]:
    return {"model": model, **TEXTS, **fields}


@on_rig(others={"mistral": [GOOD]})
async def test_a_completion_is_held_small_and_charged_exactly(rig: Rig) -> None:
    answer = await rig.call("/v1/completions", asked(temperature=0))
    assert answer.status == 200, answer.body
    assert answer.json["object"] == "text_completion"
    assert answer.json["choices"][0] == {
        "text": "a + b",
        "index": 0,
        "logprobs": None,
        "finish_reason": "stop",
    }
    seen = rig.at["mistral"].requests[0]
    assert (seen.path, seen.json["max_tokens"]) == ("/v1/fim/completions", USUAL_TOKENS)
    assert {k: seen.json[k] for k in TEXTS} == TEXTS
    row, price = await rig.row(), rig.price(CODESTRAL, "mistral")
    assert row.charge_nano == (40 * price.input + 4 * price.output) // 10**6
    assert 0 < row.hold_nano < 10**6  # less than a tenth of a cent: one comes with every pause of typing


@on_rig(others={"mistral": [GOOD]})
async def test_the_two_doors_stream_in_their_own_shapes(rig: Rig) -> None:
    older = await rig.call("/v1/completions", asked(stream=True, stream_options={"include_usage": True}))
    assert "".join(c["text"] for e in older.data[:-1] for c in e["choices"]).strip() == "a + b"
    assert older.data[-1] == "[DONE]"
    assert older.data[-2]["usage"]["completion_tokens"] == 4
    silent = await rig.call("/v1/completions", asked(stream=True))
    assert silent.data[-2]["choices"][0]["finish_reason"] == "stop"
    assert silent.data[-2]["usage"]["cost"] > 0
    mistrals = await rig.call("/v1/fim/completions", asked(stream=True))
    assert mistrals.text.strip() == "a + b"
    assert mistrals.ending == "done"


@on_rig(others={"deepseek": [GOOD], "llamacpp": [GOOD], "vllm": [GOOD]})
async def test_each_provider_is_told_in_its_own_way(rig: Rig) -> None:
    await rig.declare("llamacpp", "qwen2.5-coder-1.5b")
    await rig.declare("vllm", "starcoder2-3b")
    for model, stream in (("deepseek-flash", True), ("qwen2.5-coder-1.5b", True), ("starcoder2-3b", False)):
        answer = await rig.call("/v1/completions", asked(model, stream=stream))
        assert answer.status == 200, answer.body
    assert rig.at["deepseek"].requests[0].path == "/beta/completions"
    infill = rig.at["llamacpp"].requests[0]
    assert (infill.path, infill.json["input_suffix"]) == ("/infill", TEXTS["suffix"])
    raw = rig.at["vllm"].requests[0]
    assert raw.path == "/v1/completions"
    assert raw.json["prompt"] == f"<fim_prefix>{TEXTS['prompt']}<fim_suffix>{TEXTS['suffix']}<fim_middle>"
    assert "<|endoftext|>" in raw.json["stop"]


@on_rig(others={"mistral": [GOOD]})
async def test_an_editors_own_template_reaches_a_provider_that_has_a_field_for_it(rig: Rig) -> None:
    filled = f"<|fim_prefix|>{TEXTS['prompt']}<|fim_suffix|>{TEXTS['suffix']}<|fim_middle|>"
    answer = await rig.call("/v1/completions", {"model": CODESTRAL, "prompt": filled})
    assert answer.status == 200, answer.body
    assert {k: rig.at["mistral"].requests[0].json[k] for k in TEXTS} == TEXTS


@on_rig(others={"mistral": [GOOD]})
async def test_a_model_that_only_talks_is_refused_by_name_and_one_that_can_is_named(rig: Rig) -> None:
    for path, body in (
        ("/v1/completions", asked("gpt-4o-mini")),
        ("/v1/fim/completions", asked("gpt-4o-mini", suffix=None)),
    ):
        answer = await rig.call(path, body)
        assert (answer.status, answer.code) == (400, "unprocessable")
        assert "gpt-4o-mini" in answer.error["message"]
        assert CODESTRAL in answer.error["message"]
    auto = await rig.call("/v1/completions", asked("auto"))
    assert auto.status == 400
    assert CODESTRAL in auto.error["message"]
    assert not rig.up.requests


@on_rig(Behaviour(text="Once upon a time", usage=(9, 4)))
async def test_a_bare_prompt_to_a_model_that_only_talks_is_asked_as_a_chat_and_says_so(rig: Rig) -> None:
    answer = await rig.call(
        "/v1/completions", {"model": "gpt-4o-mini", "prompt": "Tell me", "best_of": 1, "odd": 1}
    )
    assert answer.status == 200, answer.body
    assert answer.json["choices"][0]["text"] == "Once upon a time"
    assert set(answer.headers["x-marketplace-notes"].split(", ")) == {"prompt", "odd"}
    assert rig.up.requests[0].json["messages"] == [{"role": "user", "content": "Tell me"}]


@on_rig(others={"mistral": [Behaviour(text="one two three four", stepped=True, usage=(40, 9))]})
async def test_typing_on_cancels_at_the_provider_and_leaves_no_hold(rig: Rig) -> None:
    exchange = await rig.open("/v1/completions", asked(stream=True))
    seen = await rig.at["mistral"].arrived(1)
    rig.at["mistral"].release()
    await exchange.head()
    exchange.hang_up()
    async with asyncio.timeout(5):
        await seen.over.wait()
    assert seen.hung_up
    row = await rig.row()
    assert row.status == "cancelled"


@on_rig(others={"mistral": [GOOD]}, balance=0)
async def test_an_empty_wallet_is_told_so(rig: Rig) -> None:
    answer = await rig.call("/v1/completions", asked())
    assert (answer.status, answer.code) == (402, "payment_required")
    capped = await rig.call("/v1/completions", asked(max_cost=0.0000001))
    assert (capped.status, capped.code) == (402, "max_cost_exceeded")


@on_rig(others={"mistral": [GOOD]})
async def test_an_editors_own_key_has_a_budget_a_day_and_other_keys_go_on(rig: Rig) -> None:
    one = rig.price(CODESTRAL, "mistral").output * USUAL_TOKENS // 10**6
    made = await rig.market.accounts.keys.create(rig.user_id, "editor", cap=Cap(2 * one, "day"))
    editor = {"authorization": f"Bearer {made.key}"}
    assert (await rig.call("/v1/completions", asked(), editor)).status == 200
    refused = await rig.call("/v1/completions", asked(max_tokens=8 * USUAL_TOKENS), editor)
    assert (refused.status, refused.error["metadata"]["scope"]) == (402, "key")
    assert (await rig.call("/v1/completions", asked(max_tokens=8 * USUAL_TOKENS))).status == 200


@on_rig(others={"mistral": [GOOD]})
async def test_the_catalogue_names_who_can(rig: Rig) -> None:
    found = await rig.call("/api/v1/marketplace/models?capability=fim&limit=200", b"", method="GET")
    names = {m["id"] for m in found.json["models"]}
    assert CODESTRAL in names
    assert "gpt-4o-mini" not in names
    assert "codestral-embed-2505" not in names

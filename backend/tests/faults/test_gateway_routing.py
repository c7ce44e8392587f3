"""Who is tried after whom, and who never: fallback rules, retries, breakers, money ceilings, own keys."""

import asyncio
import json

import pytest
import sqlalchemy as sa

from agent_marketplace.admin import Actor
from agent_marketplace.db.tables.vault import vault_secrets
from agent_marketplace.gateway.health import Lane
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.ledger import Price
from agent_marketplace.vault import Secret
from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import Behaviour

GOOD = Behaviour(text="from elsewhere", usage=(11, 3))
DOWN = Behaviour(status=500)
SHORT = "command-r-plus-08-2024"  # cohere's: dearer than the rig's model, and its answers have at most 4,000 tokens
LONG_PROMPT = [{"role": "user", "content": "word " * 30}]
CHEAP = {"input_": 1_000_000, "output": 2_000_000}


def attempts(row) -> list[tuple[str, str, str]]:
    return [(a["provider"], a["model"], a["status"]) for a in row.detail["attempts"]]


@on_rig(DOWN, others={"vllm": [GOOD]})
async def test_another_endpoint_of_the_same_model_answers_and_is_billed_at_its_own_price(rig: Rig) -> None:
    await rig.declare("vllm", **CHEAP)
    for path in ("/v1/chat/completions", "/api/v1/agents/completion"):
        answer = await rig.call(path, {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})
        assert answer.text.strip() == "from elsewhere"
        assert answer.json["provider"] == "vllm"
        assert "fallback" not in answer.json
    rows = await rig.rows()
    assert [r.charge_nano for r in rows] == [17, 17]
    assert attempts(rows[0]) == [
        ("openai", MODEL, "failed"),
        ("openai", MODEL, "failed"),
        ("vllm", MODEL, "ok"),
    ]


@pytest.mark.parametrize("field", [{"fallback": False}, {"provider": {"allow_fallbacks": False}}])
def test_who_forbids_fallbacks_gets_a_retry_but_never_another_provider(tmp_path, field) -> None:
    @on_rig(DOWN, others={"vllm": [GOOD], "lmstudio": [GOOD]})
    async def run(rig: Rig) -> None:
        await rig.declare("vllm", **CHEAP)
        await rig.declare("lmstudio", "free-one")
        answer = await rig.ask(**field)
        assert (answer.status, answer.code) == (502, "provider_unavailable")
        assert len(rig.up.requests) == 2
        assert not rig.at["vllm"].requests
        assert not rig.at["lmstudio"].requests

    run(tmp_path)


@on_rig(DOWN, others={"lmstudio": [GOOD]})
async def test_a_free_model_stands_in_on_our_own_api_only_and_says_so(rig: Rig) -> None:
    await rig.declare("lmstudio", "free-one")
    plain = await rig.ask()
    assert plain.json["fallback"] == {
        "from": MODEL,
        "to": "free-one",
        "reason": "openai failed or can't be reached",
    }
    assert plain.json["cost"] == 0
    rig.market.health.reset("openai")
    stream = await rig.ask(stream=True)
    assert [e["type"] for e in stream.data][:3] == ["start", "fallback", "delta"]
    assert (stream.data[1]["from"], stream.data[1]["to"]) == (MODEL, "free-one")
    assert stream.data[-1]["fallback"]["to"] == "free-one"
    assert stream.data[0]["model"] == "free-one"
    rig.market.health.reset("openai")
    assert (await rig.chat()).code == "provider_unavailable"
    assert (await rig.chat(stream=True)).code == "provider_unavailable"
    rows = await rig.rows()
    assert [r.model for r in rows] == ["free-one", "free-one", MODEL, MODEL]
    assert rows[0].detail["fallback"]["to"] == "free-one"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "bad field"),
        (400, "maximum context length is 8 tokens"),
        (400, "blocked by our content policy"),
        (422, "no"),
    ],
)
def test_a_callers_own_mistake_is_never_answered_by_a_free_model(tmp_path, status, words) -> None:
    @on_rig(Behaviour(status=status, words=words), others={"lmstudio": [GOOD]})
    async def run(rig: Rig) -> None:
        await rig.declare("lmstudio", "free-one", context=10_000_000)
        assert (await rig.ask()).status == 400
        assert not rig.at["lmstudio"].requests

    run(tmp_path)


@on_rig(DOWN, others={"vllm": [GOOD]})
async def test_the_callers_own_list_is_tried_in_order_on_every_route(rig: Rig) -> None:
    await rig.declare("vllm", "second-choice", **CHEAP)
    answer = await rig.chat(models=["second-choice"])
    assert answer.json["model"] == "second-choice"
    rig.market.health.reset("openai")
    stream = await rig.chat(stream=True, models=["second-choice"])
    assert stream.ending == "done"
    assert stream.data[0]["model"] == "second-choice"
    assert [r.charge_nano for r in await rig.rows()] == [17, 17]


@on_rig(
    Behaviour(status=400, words="This model's maximum context length is 100 tokens"),
    others={"vllm": [GOOD], "lmstudio": [GOOD]},
)
async def test_an_overflow_goes_to_a_larger_context_and_is_not_repeated(rig: Rig) -> None:
    await rig.declare("vllm", "small-one", context=64_000, **CHEAP)
    await rig.declare("lmstudio", "large-one", context=1_000_000, **CHEAP)
    answer = await rig.chat(models=["small-one", "large-one"])
    assert answer.json["model"] == "large-one"
    assert len(rig.up.requests) == 1
    assert not rig.at["vllm"].requests


@on_rig(Behaviour(status=400, words="blocked by our content policy"), others={"vllm": [GOOD]})
async def test_a_content_refusal_is_not_shopped_around(rig: Rig) -> None:
    await rig.declare("vllm", **CHEAP)
    await rig.declare("vllm", "second-choice", **CHEAP)
    answer = await rig.chat(models=["second-choice"])
    assert (answer.status, answer.code) == (400, "content_policy_violation")
    assert not rig.at["vllm"].requests


@on_rig(Behaviour(status=429, headers={"Retry-After": "2"}), Behaviour())
async def test_a_short_retry_after_is_waited_for(rig: Rig) -> None:
    assert (await rig.chat()).status == 200
    assert [2 <= pause < 2.2 for pause in rig.pauses] == [True]


@on_rig(Behaviour(status=429, headers={"Retry-After": "30"}), Behaviour(), others={"vllm": [GOOD]})
async def test_a_long_retry_after_is_told_and_kept_by_later_calls(rig: Rig) -> None:
    for _ in range(2):
        answer = await rig.chat()
        assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
        assert 25 <= int(answer.headers["retry-after"]) <= 30
    assert len(rig.up.requests) == 1
    await rig.declare("vllm", **CHEAP)
    assert (await rig.chat()).json["provider"] == "vllm"
    assert len(rig.up.requests) == 1


@on_rig(Behaviour(status=500), Behaviour())
async def test_one_500_is_retried_and_the_caller_never_knows(rig: Rig) -> None:
    for stream in (False, True):
        answer = await rig.chat(stream=stream)
        assert answer.status == 200
    assert [a[2] for a in attempts((await rig.rows())[0])] == ["failed", "ok"]


@on_rig(*[DOWN] * 4, Behaviour(), others={"vllm": [GOOD]})
async def test_an_endpoint_that_is_down_is_asked_last_until_it_is_back(rig: Rig) -> None:
    await rig.declare("vllm", **CHEAP)
    for _ in range(4):
        assert (await rig.chat()).json["provider"] == "vllm"
    assert len(rig.up.requests) == 4, "after three failures it is asked no more"
    rig.market.health.reset("openai")
    assert (await rig.chat()).json["provider"] == "openai"


@on_rig(Behaviour(cut_after=2), others={"vllm": [GOOD]})
async def test_after_the_first_piece_no_other_answer_is_spliced_on(rig: Rig) -> None:
    await rig.declare("vllm", **CHEAP)
    answer = await rig.chat(stream=True)
    assert answer.text == "Hello from "
    assert answer.ending == "provider_unavailable"
    assert not rig.at["vllm"].requests


@on_rig(Behaviour(first_delay=0.5), rhythm=Rhythm(silence_s=0.1, tail_s=0.3))
async def test_a_slow_first_token_is_bridged_by_keep_alives(rig: Rig) -> None:
    answer = await rig.chat(stream=True)
    assert answer.body.startswith(b":")
    assert answer.body.count(b"\n\n:") >= 1
    assert answer.ending == "done"


@on_rig(Behaviour(head_delay=0.3, status=500), rhythm=Rhythm(silence_s=0.1))
async def test_an_error_after_the_keep_alives_is_told_in_band(rig: Rig) -> None:
    for path in ("/v1/chat/completions", "/api/v1/agents/completion"):
        rig.market.health.reset("openai")
        answer = await rig.call(
            path, {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        )
        assert (answer.status, answer.ending, answer.whole) == (200, "provider_unavailable", True)


@on_rig(Behaviour())
async def test_a_connection_to_the_provider_is_used_again(rig: Rig) -> None:
    for stream in (True, False, True, True):
        assert (await rig.chat(stream=stream)).status == 200
    assert rig.up.connections == 1


@on_rig(Behaviour(), outbound="lean")
async def test_a_connection_is_used_again_by_the_lean_client_too(rig: Rig) -> None:
    rig.up.script = [Behaviour(split=7)]
    for stream in (True, False, True, True):
        assert (await rig.chat(stream=stream)).status == 200
    assert rig.up.connections == 1


@on_rig(Behaviour(), balance=0, others={"lmstudio": [GOOD]})
async def test_an_empty_wallet_is_told_the_way_out_and_goes_to_a_free_model_only_when_asked(rig: Rig) -> None:
    await rig.declare("lmstudio", "free-one")
    for path in ("/v1/chat/completions", "/api/v1/agents/completion"):
        refused = await rig.call(
            path, {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100}
        )
        fields = refused.error.get("metadata", refused.error)
        assert refused.status == 402
        assert refused.code == "payment_required"
        assert fields["required"] > 0
        assert (fields["balance"], fields["held"], fields["available"], fields["max_affordable_tokens"]) == (
            0,
            0,
            0,
            0,
        )
        assert fields["free_alternative"] == "free-one"
    assert not await rig.rows()
    answer = await rig.ask(on_empty="free")
    assert answer.json["cost"] == 0
    assert answer.json["fallback"]["to"] == "free-one"
    assert "balance" in answer.json["fallback"]["reason"]
    assert not rig.up.requests


@on_rig(Behaviour(), balance=0, others={"lmstudio": [GOOD]})
async def test_a_free_model_is_never_blocked_by_an_empty_wallet(rig: Rig) -> None:
    await rig.declare("lmstudio", "free-one")
    assert (await rig.chat(model="free-one")).status == 200
    assert (await rig.chat(model="free-one", stream=True)).ending == "done"


@on_rig(Behaviour())
async def test_a_ceiling_per_request_refuses_what_may_cost_more(rig: Rig) -> None:
    refused = await rig.ask(max_cost=0.000001, max_tokens=1000)
    assert (refused.status, refused.code) == (402, "max_cost_exceeded")
    assert not rig.up.requests
    fitted = await rig.ask(max_cost="0.0001")
    assert fitted.status == 200
    assert rig.up.requests[0].json["max_tokens"] * 600 + 11 * 150 <= 110_000
    assert (await rig.row()).hold_nano <= 100_000


@on_rig(Behaviour(), others={"vllm": [GOOD]})
async def test_a_dear_endpoint_elsewhere_does_not_refuse_what_the_first_one_does_within_the_ceiling(
    rig: Rig,
) -> None:
    await rig.declare("vllm", input_=10**12, output=10**12)
    answer = await rig.ask(max_cost="0.01", max_tokens=100)
    assert answer.json["provider"] == "openai"
    row = await rig.row()
    assert row.hold_nano <= 10_000_000
    assert {(s["provider"], s["code"]) for s in row.detail["skipped"]} == {("vllm", "unaffordable")}
    refused = await rig.ask(max_cost="0.000001", max_tokens=1000)
    assert refused.status == 402
    assert refused.json["required"] < 0.001, "the least that it may cost, not the dearest endpoint's"


@on_rig(DOWN, others={"vllm": [GOOD]})
async def test_a_fallback_whose_input_alone_is_above_the_ceiling_is_never_charged(rig: Rig) -> None:
    await rig.declare("vllm", "dear-input", input_=10**10, output=1)
    answer = await rig.ask(max_cost="0.0003", models=["dear-input"], messages=LONG_PROMPT)
    assert (answer.status, answer.code) == (502, "provider_unavailable")
    assert not rig.at["vllm"].requests
    assert await rig.spent() == 0


@on_rig(DOWN, balance=300_000, others={"vllm": [GOOD]})
async def test_a_fallback_whose_input_alone_is_above_the_balance_is_never_the_operators_loss(
    rig: Rig,
) -> None:
    await rig.declare("vllm", "dear-input", input_=10**10, output=1)
    answer = await rig.ask(models=["dear-input"], messages=LONG_PROMPT)
    assert (answer.status, answer.code) == (502, "provider_unavailable")
    assert not rig.at["vllm"].requests


@on_rig(Behaviour(), others={"cohere": [GOOD]})
async def test_a_dearer_fallback_with_short_answers_does_not_shorten_those_of_the_model_that_was_asked(
    rig: Rig,
) -> None:
    for stream in (False, True):
        await rig.ask(max_tokens=10_000, models=[SHORT], stream=stream)
    assert [seen.json["max_tokens"] for seen in rig.up.requests] == [10_000, 10_000]


@on_rig(DOWN, others={"cohere": [GOOD]})
async def test_a_fallback_with_short_answers_is_not_asked_for_more_than_it_can_give(rig: Rig) -> None:
    answer = await rig.ask(max_tokens=10_000, models=[SHORT])
    assert answer.json["model"] == SHORT
    assert rig.at["cohere"].requests[0].json["max_tokens"] == 4000


@on_rig(Behaviour(text="word " * 3000, usage=None))
async def test_a_stream_that_reaches_its_ceiling_says_so_and_the_provider_was_told_where(rig: Rig) -> None:
    answer = await rig.ask(stream=True, max_cost="0.001")
    assert answer.ending == "max_cost_exceeded"
    assert (await rig.row()).charge_nano <= 1_000_000
    assert 1_500 < rig.up.requests[0].json["max_tokens"] < 1_667


@on_rig(Behaviour())
async def test_a_retired_model_of_the_guide_names_the_one_that_came_after_it(rig: Rig) -> None:
    old = rig.market.registry.get_model_by_id("claude3-opus")
    assert old is not None
    assert old.retired
    for answer in (await rig.ask(model=old.id), await rig.chat(model=old.id)):
        assert (answer.status, answer.code) == (404, "no_endpoints")
        assert answer.error.get("metadata", answer.error)["nearest"] == [old.successor]
        assert str(old.successor) in answer.body.decode()


@on_rig(Behaviour())
async def test_a_model_without_a_price_is_refused_on_the_operators_key(rig: Rig) -> None:
    await rig.declare("openai", "no-price", priced=False)
    refused = await rig.chat(model="no-price")
    assert (refused.status, refused.code) == (402, "unpriced_model")
    assert not rig.up.requests


@on_rig(Behaviour())
async def test_an_own_key_is_used_and_costs_nothing_here(rig: Rig) -> None:
    await rig.market.vault.put(rig.user_id, "openai", Secret("sk-my-very-own-key-0123456789"))
    for stream in (False, True):
        answer = await rig.ask(stream=stream)
        done = answer.data[-1] if stream else answer.json
        assert done["cost"] == 0
        assert round(done["list_cost"] * 10**9) == rig.cost(11, 7)
    assert {s.headers["authorization"] for s in rig.up.requests} == {"Bearer sk-my-very-own-key-0123456789"}
    assert [(r.charge_nano, r.list_cost_nano) for r in await rig.rows()] == [(0, rig.cost(11, 7))] * 2
    await rig.ask(byok="never")
    assert rig.up.requests[-1].headers["authorization"].startswith("Bearer sk-operator")
    assert await rig.spent() == rig.cost(11, 7)


@on_rig(Behaviour(status=401))
async def test_a_refused_own_key_is_named_as_the_callers_and_harms_nobody_else(rig: Rig) -> None:
    await rig.market.vault.put(rig.user_id, "openai", Secret("sk-my-very-own-key-0123456789"))
    answer = await rig.ask(byok="only")
    assert answer.code == "provider_key_refused"
    assert "your key" in answer.error["error"]
    assert rig.market.health.available(Lane("openai", "operator"))
    assert rig.market.health.available(Lane("openai", "byok:somebody-else"))
    assert not rig.market.health.available(Lane("openai", f"byok:{rig.user_id}"))


@on_rig(Behaviour())
async def test_a_saved_key_that_no_longer_opens_is_to_be_entered_again_and_is_not_blamed_on_the_provider(
    rig: Rig,
) -> None:
    await rig.market.vault.put(rig.user_id, "openai", Secret("sk-my-very-own-key-0123456789"))
    await rig.market.db.write(lambda c: c.execute(sa.update(vault_secrets).values(sealed="cut short")))
    rig.market.vault.forget(rig.user_id)
    vectors = {"model": "text-embedding-3-small", "input": "hello", "byok": "only"}
    calls = rig.ask(byok="only"), rig.ask(byok="only", stream=True), rig.call("/v1/embeddings", vectors)
    for answer in [await call for call in calls]:
        assert (answer.status, answer.code) == (400, "needs_reentry")
        assert "enter it again" in json.dumps(answer.error)
    assert not rig.up.requests
    assert rig.market.health.available(Lane("openai", f"byok:{rig.user_id}"))
    assert (await rig.ask()).status == 200
    assert rig.up.requests[-1].headers["authorization"].startswith("Bearer sk-operator")


@on_rig(Behaviour(stepped=True))
async def test_a_price_change_in_mid_stream_does_not_touch_a_running_answer(rig: Rig) -> None:
    wanted = rig.cost(11, 7)
    exchange = await rig.open(
        "/v1/chat/completions",
        {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True},
    )
    rig.up.release(2)
    await exchange.until(2)
    await rig.market.catalog.set_price(f"openai/{MODEL}", Price(input=10**12, output=10**12))
    rig.up.release(10)
    assert (await exchange.rest()).ending == "done"
    assert await rig.spent() == wanted


@on_rig(Behaviour(stepped=True))
async def test_a_revoked_key_stops_its_stream_within_about_a_second(rig: Rig) -> None:
    rig.market.router.parts.rhythm = Rhythm(check_s=0.1)
    for path in ("/v1/chat/completions", "/api/v1/agents/completion"):
        key = await rig.market.accounts.keys.create(rig.user_id, "short-lived")
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        exchange = await rig.open(path, body, {"authorization": f"Bearer {key.key}"})
        rig.up.release(2)
        await exchange.until(1)  # two pieces may have come as one delta
        await rig.market.accounts.keys.revoke(rig.user_id, key.info.key_id)
        async with asyncio.timeout(5):
            answer = await exchange.rest()
        assert (answer.ending, answer.whole) == ("invalid_token", True)
        await rig.up.settled()
        assert rig.up.requests[-1].hung_up
    rows = await rig.rows()
    assert [(r.status, r.usage.estimated) for r in rows] == [("partial", True)] * 2


@on_rig(Behaviour(stepped=True))
async def test_a_suspended_account_s_streams_end_by_session_and_by_key_and_are_paid_up_to_there(
    rig: Rig,
) -> None:
    market = rig.market
    market.router.parts.rhythm = Rhythm(check_s=0.1)
    sign_in = market.accounts.auth.sign_in
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    boss, to_user = Actor("root", "req"), {"reason": "spam"}
    await market.accounts.auth.create_user("second@example.com", "correct horse, not the comic", role="admin")
    await market.admin.set_role(boss, rig.user_id, "user", **to_user)
    for by_key in (True, False):
        credential = rig.key if by_key else await sign_in("rig@example.com", "correct horse, not the comic")
        exchange = await rig.open("/v1/chat/completions", body, {"authorization": f"Bearer {credential}"})
        rig.up.release(2)
        await exchange.until(1)
        await market.admin.suspend(boss, [rig.user_id], suspended=True, **to_user)
        async with asyncio.timeout(5):
            answer = await exchange.rest()
        assert (answer.ending, answer.whole) == ("invalid_token", True)
        assert (await rig.call("/v1/chat/completions", body)).status == 401
        await rig.up.settled()
        await market.admin.suspend(boss, [rig.user_id], suspended=False, **to_user)
    assert [(r.status, r.usage.estimated) for r in await rig.rows()] == [("partial", True)] * 2
    assert (await market.ledger.balance(rig.user_id)).held == 0


@on_rig(Behaviour(text="x"))
async def test_several_choices_are_held_for_and_capped_each(rig: Rig) -> None:
    answer = await rig.chat(n=3, max_tokens=50)
    assert answer.status == 200
    assert rig.up.requests[0].json["max_tokens"] == 50
    row = await rig.row()
    assert row.hold_nano >= 150 * 600


@on_rig(Behaviour())
async def test_an_absurd_max_tokens_is_answered_or_refused_but_never_a_500(rig: Rig) -> None:
    for wanted in (10**9, 2**31, 2**63, 10**30, 0, -1):
        answer = await rig.chat(max_tokens=wanted)
        assert answer.status in (200, 400, 402), answer.body


@on_rig(Behaviour(endless=True, text="word " * 50))
async def test_a_provider_that_ignores_the_cap_for_ever_is_cut(rig: Rig) -> None:
    answer = await rig.chat(stream=True, max_tokens=100)
    assert answer.ending == "provider_unavailable"
    await rig.up.settled()
    assert rig.up.requests[0].hung_up


@on_rig(Behaviour(endless=True, text="word " * 50), balance=2_000_000)
async def test_a_stream_that_outruns_the_wallet_ends_typed_and_paid(rig: Rig) -> None:
    answer = await rig.chat(stream=True)
    assert answer.ending in ("payment_required", "provider_unavailable")
    row = await rig.row()
    assert row.status == "partial"
    assert 0 < row.charge_nano <= 2_000_000

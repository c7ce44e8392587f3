"""One user's many calls leave room for everybody else's, and whoever meets a limit is told so at once, in words and seconds."""

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

from agent_marketplace.accounts.in_flight import InFlight
from agent_marketplace.errors import RateLimited
from agent_marketplace.settings import load
from tests.fakes.rig import Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

STEPPED = Behaviour(stepped=True)
WIRES = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 8},
    "/v1beta/models/gpt-4o-mini:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "/api/chat": {"messages": [{"role": "user", "content": "hi"}]},
    "/api/v1/agents/completion": {"prompt": "hi"},
    "/api/v1/agents/chat": {"message": "hi"},
}


def words(answer: Answer) -> str:
    error = answer.json["error"]
    return str(error["message"] if isinstance(error, dict) else error)


@pytest.mark.parametrize("path", WIRES)
def test_a_call_above_the_users_limit_is_told_429_and_one_that_ends_makes_room(
    tmp_path: Path, path: str
) -> None:
    @on_rig(STEPPED, calls_per_user=2)
    async def run(rig: Rig) -> None:
        chat = {"model": "gpt-4o-mini", "stream": True, **WIRES["/v1/chat/completions"]}
        running = [await rig.open("/v1/chat/completions", chat) for _ in range(2)]
        await rig.up.arrived(2)
        refused = await rig.call(path, {"model": "gpt-4o-mini", **WIRES[path]})
        assert refused.status == 429
        assert refused.headers["retry-after"] == "1"
        assert "2 calls of this account are running already" in words(refused)
        assert len(rig.up.requests) == 2
        rig.up.release(1_000)
        for exchange in running:
            assert (await exchange.rest()).ending == "done"
        assert (await rig.call(path, {"model": "gpt-4o-mini", **WIRES[path]})).status == 200

    run(tmp_path)


@on_rig(Behaviour(), calls_per_user=1)
async def test_no_ending_of_a_call_keeps_its_place(rig: Rig) -> None:
    assert (await rig.chat(model="no-such-model")).status == 404
    assert (await rig.chat(max_cost=1e-9)).status == 402
    for stream in (False, True):
        assert (await rig.chat(stream=stream)).status == 200
        await rig.quiet()
    assert (await rig.ask()).status == 200
    assert not rig.market.router.parts.running


@on_rig(Behaviour())
async def test_a_keys_own_limit_counts_for_that_key_alone(rig: Rig) -> None:
    made = await rig.market.accounts.keys.create(rig.user_id, "narrow", max_in_flight=1)
    narrow = {"authorization": f"Bearer {made.key}"}
    assert (await rig.market.accounts.keys.list(rig.user_id))[0].max_in_flight == 1
    rig.up.script = [STEPPED]
    chat = {"model": "gpt-4o-mini", "stream": True, **WIRES["/v1/chat/completions"]}
    running = [await rig.open("/v1/chat/completions", chat, narrow)]
    await rig.up.arrived(1)
    refused = await rig.call("/v1/chat/completions", chat, narrow)
    assert refused.status == 429
    assert "1 call of this key is running already" in words(refused)
    running.append(await rig.open("/v1/chat/completions", chat))
    await rig.up.arrived(2)
    rig.up.release(1_000)
    for exchange in running:
        assert (await exchange.rest()).ending == "done"


def test_places_are_counted_once_and_given_back_once() -> None:
    calls = InFlight(2)
    calls.enter("a", "user", None)
    calls.enter("b", "user", "key")
    with pytest.raises(RateLimited):
        calls.enter("c", "user", None)
    calls.enter("d", "another", None)
    for _ in range(2):
        calls.discard("a")
    calls.enter("c", "user", None)
    with pytest.raises(RateLimited):
        calls.enter("e", "user", None)
    assert calls == {"b", "c", "d"}


def test_a_key_whose_limit_was_taken_away_has_none() -> None:
    calls = InFlight()
    calls.limit_key("key", 1)
    calls.enter("a", "user", "key")
    with pytest.raises(RateLimited):
        calls.enter("b", "user", "key")
    calls.limit_key("key", None)
    calls.enter("b", "user", "key")
    for n in range(10_001):
        calls.limit_key(f"key{n}", 1)
    calls.enter("c", "user", "key0")
    calls.enter("d", "user", "key0")


@pytest.mark.parametrize(
    ("env", "most"),
    [
        ({}, 64),
        ({"MARKETPLACE_LIMITS": "off"}, 0),
        ({"MARKETPLACE_LIMITS": "off", "MARKETPLACE_CALLS_PER_USER": "7"}, 7),
        ({"MARKETPLACE_CALLS_PER_USER": "0"}, 0),
    ],
)
def test_the_limit_is_there_unless_it_is_switched_off(env: dict[str, str], most: int, tmp_path: Path) -> None:
    assert load(env | {"HOME": str(tmp_path)}).calls_per_user == most


@on_rig(STEPPED, outbound="lean", provider_connections=2)
async def test_a_full_pool_is_429_within_a_second_and_says_nothing_about_the_provider(rig: Rig) -> None:
    running = [
        await rig.open(
            "/v1/chat/completions", {"model": "gpt-4o-mini", "stream": True, **WIRES["/v1/messages"]}
        )
        for _ in range(2)
    ]
    await rig.up.arrived(2)
    loop = asyncio.get_running_loop()
    for stream in (False, True):
        began = loop.time()
        refused = await rig.chat(stream=stream)
        assert (refused.status, refused.code) == (429, "rate_limit_exceeded")
        assert refused.headers["retry-after"] == "1"
        assert "all connections to openai are in use" in words(refused)
        assert loop.time() - began < 5
    metrics = await rig.call("/metrics", b"", {"host": "127.0.0.1"}, method="GET")
    for state, count in (("busy", 2), ("waiting", 0), ("refused", 2)):
        assert f'marketplace_provider_connections{{state="{state}"}} {count}.0' in metrics.body.decode()
    rig.up.release(1_000)
    for exchange in running:
        assert (await exchange.rest()).ending == "done"
    assert (await rig.chat()).status == 200, "no breaker has opened"
    rows = [r for r in await rig.rows() if r.status == "failed"]
    assert [json.loads(json.dumps(r.detail["attempts"]))[0]["code"] for r in rows] == ["connections_busy"] * 2


def test_the_settings_name_is_the_clients(tmp_path: Path) -> None:
    settings = load({"HOME": str(tmp_path), "MARKETPLACE_PROVIDER_CONNECTIONS": "33"})
    assert dataclasses.asdict(settings)["provider_connections"] == 33

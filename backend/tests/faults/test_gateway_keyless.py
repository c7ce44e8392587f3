"""Ollama's clients without a key: whoever is not a program of this machine must not spend the account's money, and no page may."""

import json
from dataclasses import replace
from typing import Any

import pytest

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.api.nearby import from_here, from_no_page
from tests.fakes.rig import MODEL, Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

FREE = "lab-free"


async def opened(rig: Rig) -> str:
    """A key for clients without one, as a start finds it in its settings; its id."""
    key = await rig.market.accounts.keys.create(rig.user_id, "Ollama clients", cap=Cap(10**8, "day"))
    rig.market.settings = replace(rig.market.settings, ollama_keyless=key.key)
    rig.market.keyless = await rig.market._keyless()
    await rig.declare("openai", FREE)
    return key.info.key_id


async def ask(rig: Rig, path: str = "/api/chat", body: Any = None, **headers: str) -> Answer:
    told = body or {"model": FREE, "stream": False, "messages": [{"role": "user", "content": "hi"}]}
    plain = {"authorization": "", "host": f"127.0.0.1:{rig.port}", "content-type": "application/json"}
    return await rig.call(path, told, {**plain, **{k.replace("_", "-"): v for k, v in headers.items()}})


@on_rig(Behaviour(text="hello"))
async def test_a_program_of_this_machine_gets_free_models_booked_on_the_keys_account(rig: Rig) -> None:
    key_id = await opened(rig)
    answer = await ask(rig)
    assert answer.status == 200, answer.body
    assert answer.json["message"]["content"] == "hello"
    row = await rig.row()
    assert (row.charge_nano, row.key_id) == (0, key_id)
    headers = {"authorization": "", "host": "localhost"}
    listed = (await rig.call("/api/tags", b"", headers, method="GET")).json["models"]
    assert FREE in [m["name"] for m in listed]
    assert MODEL not in [m["name"] for m in listed]


@on_rig(Behaviour())
async def test_what_costs_money_is_refused_in_words_unless_the_operator_opens_it(rig: Rig) -> None:
    await opened(rig)
    paid = {"model": MODEL, "stream": False, "messages": [{"role": "user", "content": "hi"}]}
    refused = await ask(rig, body=paid)
    assert refused.status == 402
    assert "Without a key only free and local models" in refused.json["error"]
    vectors = await ask(rig, "/api/embed", {"model": "text-embedding-3-small", "input": "hi"})
    assert vectors.status == 402
    assert rig.up.requests == []
    rig.market.settings = replace(rig.market.settings, ollama_keyless_models="all")
    assert (await ask(rig, body=paid)).status == 200


@on_rig(Behaviour())
async def test_nobody_else_is_let_in(rig: Rig) -> None:
    await opened(rig)
    assert (await ask(rig)).status == 200
    for odd in (
        {"host": "models.example.com"},
        {"host": f"127.0.0.1.evil.example:{rig.port}"},
        {"x_forwarded_for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"via": "1.1 proxy"},
        {"cf_connecting_ip": "203.0.113.9"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"authorization": "Bearer sk-aam-wrong"},
    ):
        assert (await ask(rig, **odd)).status == 401, odd
    plain = {"model": FREE, "messages": [{"role": "user", "content": "hi"}]}
    assert (await ask(rig, "/v1/chat/completions", plain)).status == 401
    assert (await ask(rig, "/api/v1/agents/completion", plain)).status == 401
    assert len(rig.up.requests) == 1


@on_rig(Behaviour())
async def test_a_revoked_key_ends_it_and_one_without_a_cap_never_begins(rig: Rig) -> None:
    key_id = await opened(rig)
    await rig.market.accounts.keys.revoke(rig.user_id, key_id)
    assert (await ask(rig)).status == 401
    for text in (rig.key, "sk-aam-nobody", "not a key"):
        rig.market.settings = replace(rig.market.settings, ollama_keyless=text)
        assert await rig.market._keyless() is None
    assert json.loads((await ask(rig)).body)["error"]


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("odd", False),
    ],
)
def test_only_a_loopback_peer_is_this_machine(peer: str, here: bool) -> None:
    assert from_here({"client": (peer, 9)}, {"host": "localhost:8000"}) is here
    assert not from_here({"client": None}, {"host": "localhost"})


def test_a_page_of_this_server_is_no_foreign_page() -> None:
    assert from_no_page(
        {"host": "localhost:8000", "origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    )
    assert not from_no_page({"host": "localhost:8000", "origin": "http://localhost:9"})

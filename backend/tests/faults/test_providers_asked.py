"""Questions to providers (is this key good, what does this Ollama serve): a bad answer is no answer, never a wrong one."""

import json

import pytest

from agent_marketplace.providers.endpoints import Endpoint
from agent_marketplace.providers.ollama import OllamaModel, Pulled, Shown, discover, show
from agent_marketplace.providers.probe import probe_key
from agent_marketplace.vault import Secret
from tests.fakes.raw_http import Conn
from tests.fakes.world import World, on_both_clients, until_gone

KEY = "sk-users-own-0123456789"


def endpoint(url: str, probe: str = "models") -> Endpoint:
    return Endpoint(name="p", wire="openai", base_url=url, allow_private=True, probe=probe)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        ("200 OK", b"{}", "verified"),
        ("401 Unauthorized", b"", "refused"),
        ("403 Forbidden", b"", "refused"),
        ("400 Bad Request", b'{"error": {"details": [{"reason": "API_KEY_INVALID"}]}}', "refused"),
        ("400 Bad Request", b'{"error": "another"}', "unverified"),
        ("429 Too Many Requests", b"", "unverified"),
        ("503 Service Unavailable", b"", "unverified"),
        ("302 Found", b"", "unverified"),
    ],
)
@on_both_clients
async def test_only_a_providers_own_word_calls_a_key_good_or_bad(
    net: World, status: str, body: bytes, verdict: str
) -> None:
    async def script(conn: Conn) -> None:
        while True:
            mine = (await conn.request()).headers["authorization"] == f"Bearer {KEY}"
            await conn.answer(body if mine else b"", status if mine else "401 Unauthorized")

    server = await net.serve(script)
    assert await probe_key(net.client, endpoint(server.url("")), Secret(KEY)) == verdict


@on_both_clients
async def test_a_server_that_takes_any_key_verifies_none(net: World) -> None:
    asked: list[str] = []

    async def script(conn: Conn) -> None:
        while True:
            asked.append((await conn.request()).headers["authorization"])
            await conn.answer(b"{}")

    server = await net.serve(script)
    assert await probe_key(net.client, endpoint(server.url("")), Secret(KEY)) == "unverified"
    assert asked[0] == f"Bearer {KEY}"
    assert asked[1] != asked[0]


@on_both_clients
async def test_a_key_is_not_called_bad_because_its_provider_is_away_or_cannot_be_asked(net: World) -> None:
    server = await net.serve(Conn.request)
    await server.close()
    assert await probe_key(net.client, endpoint(server.url("")), Secret(KEY)) == "unverified"
    assert await probe_key(net.client, endpoint(server.url(""), probe=""), Secret(KEY)) == "unverified"
    assert server.conns == []


@on_both_clients
async def test_an_endless_answer_to_a_probe_is_not_read(net: World) -> None:
    async def script(conn: Conn) -> None:
        if (await conn.request()).headers["authorization"] != f"Bearer {KEY}":
            await conn.answer(b"", "401 Unauthorized", "connection: close")
            conn.fin()
        else:
            await conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n", bytes(1000))
        await conn.until_gone()

    server = await net.serve(script)
    assert await probe_key(net.client, endpoint(server.url("")), Secret(KEY)) == "verified"
    await until_gone(server, 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", b"<html>"),
        ("200 OK", b'{"models": 7}'),
        ("200 OK", b'{"models": [{"size": 1}]}'),
        ("500 Oh", b"{}"),
    ],
)
@on_both_clients
async def test_something_else_on_ollamas_port_is_not_taken_for_one(
    net: World, status: str, body: bytes
) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(body, status)

    server = await net.serve(script)
    assert await discover(net.client, endpoint(server.url(""))) is None


@on_both_clients
async def test_an_ollama_that_leaves_out_the_details_still_shows_its_models(net: World) -> None:
    details = {"family": "llama", "parameter_size": "1B", "quantization_level": None}
    tags = {
        "models": [
            {"name": "a:1b", "size": 3, "details": details},
            {"name": "b", "details": None},
            {"name": "c", "x": 1},
        ]
    }

    async def script(conn: Conn) -> None:
        assert (await conn.request()).line == "GET /api/tags HTTP/1.1"
        await conn.answer(json.dumps(tags).encode())

    server = await net.serve(script)
    found = await discover(net.client, endpoint(server.url("")))
    assert found == (OllamaModel("a:1b", 3, "llama", "1B"), OllamaModel("b"), OllamaModel("c"))


def told(**more: object) -> bytes:
    return json.dumps(more).encode()


@pytest.mark.parametrize(
    ("answer", "capabilities", "context"),
    [
        (
            {
                "capabilities": ["completion", "tools", "thinking"],
                "model_info": {"qwen3.context_length": 40960},
            },
            {"completion", "tools", "thinking"},
            40960,
        ),
        ({"capabilities": ["embedding"], "model_info": None}, {"embedding"}, 0),
        (
            {"template": "{{ if .Tools }}x{{ end }}", "projector_info": {"a": 1}},
            {"completion", "tools", "vision"},
            0,
        ),
        ({"template": "{{ .Prompt }}", "model_info": {"bert.pooling_type": 1}}, {"embedding"}, 0),
        ({"capabilities": [], "model_info": {"llama.context_length": -1}}, set(), 0),
        ({"model_info": {"llama.context_length": "8192"}, "template": None}, {"completion"}, 0),
    ],
)
@on_both_clients
async def test_what_an_ollama_says_of_a_model_is_read_from_new_and_old_servers(
    net: World, answer: dict, capabilities: set, context: int
) -> None:
    async def script(conn: Conn) -> None:
        asked = await conn.request()
        assert (asked.line, json.loads(asked.body)) == ("POST /api/show HTTP/1.1", {"model": "m:1b"})
        await conn.answer(told(**answer))

    server = await net.serve(script)
    assert await show(net.client, endpoint(server.url("")), "m:1b") == Shown(frozenset(capabilities), context)


@pytest.mark.parametrize(
    ("status", "body"), [("404 No", b"{}"), ("200 OK", b"[1]"), ("200 OK", b'{"capabilities": 7}')]
)
@on_both_clients
async def test_a_model_of_which_nothing_readable_is_said_counts_as_unknown(
    net: World, status: str, body: bytes
) -> None:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.answer(body, status)

    server = await net.serve(script)
    assert await show(net.client, endpoint(server.url("")), "m:1b") is None


@on_both_clients
async def test_one_failed_poll_takes_no_model_away_and_one_good_one_asks_only_for_what_is_new(
    net: World,
) -> None:
    answers: list[dict] = []
    shown: list[str] = []

    async def script(conn: Conn) -> None:
        while True:
            asked = await conn.request()
            if asked.line.startswith("GET"):
                tags = answers.pop(0)
                await conn.answer(told(**tags), "500 Oh" if not tags else "200 OK")
            else:
                shown.append(json.loads(asked.body)["model"])
                await conn.answer(told(capabilities=["completion", "tools"]))

    at = endpoint((await net.serve(script)).url(""))
    one, two = {"name": "llama3:latest", "digest": "a"}, {"name": "b:1b", "digest": "b"}
    answers += [{"models": [one]}, {}, {"models": [one, two]}, {"models": [one | {"digest": "c"}]}]
    pulled = Pulled()
    assert "can't be reached" in (pulled.why_not("llama3") or "")
    assert await pulled.poll(net.client, at, 0)
    assert pulled.why_not("llama3") is None
    assert await pulled.poll(net.client, at, 30_000)  # away: that is a change too
    assert pulled.away
    assert pulled.why_not("llama3:latest") is None
    assert "1970-01-01 00:00 UTC" in (pulled.why_not("b:1b") or "")
    assert await pulled.poll(net.client, at, 60_000)
    assert pulled.models["b:1b"] == Shown(frozenset({"completion", "tools"}))
    assert await pulled.poll(net.client, at, 90_000)
    assert pulled.why_not("b:1b") == "not pulled at the operator's Ollama"
    assert shown == ["llama3:latest", "b:1b", "llama3:latest"]

"""The MCP endpoint under clients of both revisions and under hostile ones: no money without a bound, no page of another site."""

import asyncio
import json
from typing import Any

import pytest

from agent_marketplace.runs.mcp.client import FROM_A_RUN
from tests.fakes.rig import Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

NEW, OLD = "2026-07-28", "2025-11-25"
GOOD = Behaviour(text="Forty two.", usage=(20, 4))
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


def message(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        **({"params": params} if params is not None else {}),
        **more,
    }


async def old(rig: Rig, method: str, params: Any = None, **headers: str) -> Answer:
    return await rig.call("/mcp", message(method, params), {**JSON, "mcp-protocol-version": OLD, **headers})


async def new(rig: Rig, method: str, params: dict[str, Any] | None = None, **headers: str) -> Answer:
    meta = {"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}}
    told = {"mcp-protocol-version": NEW, "mcp-method": method}
    if name := (params or {}).get("name") or (params or {}).get("uri"):
        told["mcp-name"] = name
    return await rig.call(
        "/mcp", message(method, {**(params or {}), "_meta": meta}), {**JSON, **told, **headers}
    )


def called(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json["result"]
    assert json.loads(found["content"][0]["text"]) == found["structuredContent"]
    return found["structuredContent"]


@on_rig(GOOD)
async def test_both_revisions_find_the_same_tools_truthfully_annotated(rig: Rig) -> None:
    begun = (await old(rig, "initialize", {"protocolVersion": "2099-01-01", "capabilities": {}})).json[
        "result"
    ]
    assert begun["protocolVersion"] == OLD
    told = (await new(rig, "server/discover")).json["result"]
    assert {NEW, OLD} <= set(told["supportedVersions"])
    assert told["resultType"] == "complete"
    first, second = [(await ask(rig, "tools/list")).json["result"] for ask in (old, new)]
    assert first["tools"] == second["tools"]
    assert (second["cacheScope"], "cacheScope" in first) == ("private", False)
    tools = {t["name"]: t for t in first["tools"]}
    assert set(tools) == {
        "search_models",
        "compare",
        "recommend",
        "estimate",
        "balance",
        "usage",
        "ask_model",
    }
    assert [n for n, t in tools.items() if not t["annotations"]["readOnlyHint"]] == ["ask_model"]
    assert "max_cost" in tools["ask_model"]["inputSchema"]["required"]
    assert (await old(rig, "ping")).json["result"] == {}
    assert (
        await rig.call("/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, JSON)
    ).status == 202


@on_rig(GOOD)
async def test_an_answer_costs_what_the_receipt_says_and_never_more_than_was_allowed(rig: Rig) -> None:
    asked = {"model": "gpt-4o-mini", "prompt": "What is the answer?", "max_cost": 0.01}
    found = called(await new(rig, "tools/call", {"name": "ask_model", "arguments": asked}))
    assert found["result"] == "Forty two."
    assert round(found["cost"] * 10**9) == rig.cost(20, 4) == await rig.spent()
    refused = await old(
        rig, "tools/call", {"name": "ask_model", "arguments": {**asked, "max_cost": 0.0000001}}
    )
    assert refused.json["result"]["isError"] is True
    assert "max_cost_exceeded" in refused.json["result"]["content"][0]["text"]
    unbounded = await old(
        rig, "tools/call", {"name": "ask_model", "arguments": {"model": "gpt-4o-mini", "prompt": "x"}}
    )
    assert "max_cost" in unbounded.json["result"]["content"][0]["text"]
    assert len(rig.up.requests) == 1


@on_rig(GOOD)
async def test_a_run_whose_tool_server_is_this_very_one_spends_nothing_beside_its_cap(rig: Rig) -> None:
    """An agent that calls itself by way of `/mcp`, with its user's key, would have a cap of its own each time."""
    asked = {"name": "ask_model", "arguments": {"model": "gpt-4o-mini", "prompt": "x", "max_cost": 0.01}}
    agent = {"name": "agent_mine", "arguments": {"task": "again"}}
    for ask in (old, new):
        for given in (asked, agent):
            told = (await ask(rig, "tools/call", given, **{FROM_A_RUN: "1"})).json["result"]
            assert told["isError"] is True
            assert "run_in_run" in told["content"][0]["text"]
    called(await old(rig, "tools/call", {"name": "balance"}, **{FROM_A_RUN: "1"}))
    assert (await rig.spent(), rig.up.requests) == (0, [])


@on_rig(Behaviour(connect="silent"))
async def test_a_client_that_goes_away_stops_its_question(rig: Rig) -> None:
    asked = {"name": "ask_model", "arguments": {"model": "gpt-4o-mini", "prompt": "x", "max_cost": 0.01}}
    exchange = await rig.open("/mcp", message("tools/call", asked), JSON)
    seen = await rig.up.arrived(1)
    exchange.hang_up()
    async with asyncio.timeout(5):
        await seen.over.wait()
    assert (await rig.row()).status == "cancelled"


@on_rig(GOOD)
async def test_every_other_tool_answers_in_its_schema_and_spends_nothing(rig: Rig) -> None:
    tools = {t["name"]: t for t in (await old(rig, "tools/list")).json["result"]["tools"]}
    calls: dict[str, dict[str, Any]] = {
        "search_models": {"query": "gpt-4o mini", "limit": 3},
        "compare": {"models": ["gpt-4o-mini", "gpt-4o"]},
        "recommend": {"task": "Fix a failing test", "max_cost": 0.05},
        "estimate": {"model": "gpt-4o-mini", "prompt": "Hello"},
        "balance": {},
        "usage": {"by": "day"},
    }
    for name, arguments in calls.items():
        found = called(await new(rig, "tools/call", {"name": name, "arguments": arguments}))
        assert set(tools[name]["outputSchema"]["required"]) <= set(found), name
    assert called(await old(rig, "tools/call", {"name": "balance"}))["balance"] == 1
    assert await rig.spent() == 0
    unknown = await old(
        rig, "tools/call", {"name": "compare", "arguments": {"models": ["gpt-4o-mini", "gpt-9-mini"]}}
    )
    assert unknown.json["result"]["isError"] is True


@on_rig(GOOD)
async def test_cards_are_resources(rig: Rig) -> None:
    listed = (await old(rig, "resources/list")).json["result"]["resources"]
    template = (await old(rig, "resources/templates/list")).json["result"]["resourceTemplates"][0][
        "uriTemplate"
    ]
    prices = await new(rig, "resources/read", {"uri": listed[0]["uri"]})
    assert any(m["id"] == "gpt-4o-mini" for m in json.loads(prices.json["result"]["contents"][0]["text"]))
    card = await old(rig, "resources/read", {"uri": template.replace("{id}", "gpt-4o-mini")})
    assert json.loads(card.json["result"]["contents"][0]["text"])["offers"]
    gone = await old(rig, "resources/read", {"uri": "file:///etc/passwd"})
    assert gone.json["error"]["code"] == -32602


HOSTILE: dict[str, tuple[bytes, dict[str, str], int, int]] = {
    "no JSON": (b"{", {}, 400, -32700),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', {}, 400, -32600),
    "another JSON-RPC": (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', {}, 400, -32600),
    "an answer": (b'{"jsonrpc":"2.0","id":1,"result":{}}', {}, 400, -32600),
    "null as id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', {}, 400, -32600),
    "a list as params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', {}, 400, -32600),
    "a revision of nobody": (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', {"mcp-protocol-version": "1999"}, 400, -32022),
    "a new call without _meta": (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', {"mcp-protocol-version": NEW}, 400, -32602),
}  # fmt: skip


@on_rig(GOOD)
async def test_what_is_no_call_is_refused_in_the_protocols_own_words(rig: Rig) -> None:
    for name, (body, headers, status, code) in HOSTILE.items():
        answer = await rig.call("/mcp", body, {**JSON, **headers})
        assert (name, answer.status, answer.json["error"]["code"]) == (name, status, code)
    lied = await new(rig, "tools/call", {"name": "balance"}, **{"mcp-name": "ask_model"})
    assert (lied.status, lied.json["error"]["code"]) == (400, -32020)
    other = await new(rig, "tools/list", **{"mcp-method": "ping"})
    assert (other.status, other.json["error"]["code"]) == (400, -32020)
    nothing = await new(rig, "prompts/list")
    assert (nothing.status, nothing.json["error"]["code"]) == (404, -32601)
    assert (await old(rig, "prompts/list")).status == 200
    huge = await rig.call("/mcp", message("ping", {"x": "y" * 3_000_000}), JSON)
    assert huge.status == 413
    deep = await rig.call("/mcp", b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 90_000, JSON)
    assert deep.status in (400, 413)
    assert (await rig.call("/mcp", message("ping"), {**JSON, "accept": "text/html"})).status == 406
    assert (await rig.call("/mcp", b"", JSON, method="GET")).status == 405
    assert (await rig.call("/mcp", message("ping"), {**JSON, "authorization": "Bearer nobody"})).status == 401


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000", 200),
        ("localhost:8000", "http://localhost:8000", 200),
        ("evil.example:8000", "http://evil.example:8000", 403),
        ("127.0.0.1:8000", "https://evil.example", 403),
        ("127.0.0.1:8000", "null", 403),
        ("market.example", "https://editor.example", 200),
    ],
)
def test_a_page_of_another_site_is_kept_out_also_where_its_name_points_here(
    tmp_path, host, origin, status
) -> None:
    @on_rig(GOOD, cors_origins=("https://editor.example",))
    async def play(rig: Rig) -> None:
        assert (await old(rig, "ping", host=host, origin=origin)).status == status

    play(tmp_path=tmp_path)


@on_rig(GOOD)
async def test_a_key_without_the_scope_is_not_offered_the_tool_and_cannot_call_it(rig: Rig) -> None:
    made = await rig.market.accounts.keys.create(rig.user_id, "narrow", scopes=("account:read",))
    narrow = {"authorization": f"Bearer {made.key}"}
    names = [t["name"] for t in (await old(rig, "tools/list", **narrow)).json["result"]["tools"]]
    assert "ask_model" not in names
    asked = {"name": "ask_model", "arguments": {"model": "gpt-4o-mini", "prompt": "x", "max_cost": 1}}
    refused = await old(rig, "tools/call", asked, **narrow)
    assert refused.json["result"]["isError"] is True
    assert "missing_scope" in refused.json["result"]["content"][0]["text"]
    assert not rig.up.requests

"""The MCP endpoint under the official Python SDK, which nobody here wrote: both handshakes, schemas, money and refusals."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp import Client as Mcp
from mcp.client.streamable_http import streamable_http_client

from tests.fakes.served import until
from tests.fakes.server import AGENTS, MARKET, PAID, Client, Server, agreed, running
from tests.fakes.tool_turns import calling
from tests.fakes.upstream import Behaviour

READS = {"search_models", "compare", "recommend", "estimate", "balance", "usage"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@contextlib.asynccontextmanager
async def connected(server: Server, key: Client, mode: str) -> AsyncIterator[Mcp]:
    headers = {"authorization": f"Bearer {key.credential}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        async with Mcp(transport, mode=mode) as client:
            yield client


def told(server: Server, key: Client, mode: str, test: Callable[[Mcp], Awaitable[None]]) -> None:
    async def go() -> None:
        async with connected(server, key, mode) as client:
            await test(client)

    asyncio.run(go())


@pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_the_sdk_shakes_hands_reads_and_asks_within_a_bound(server: Server, mode: str, revision: str) -> None:
    ada = server.person()
    key = server.key(ada)

    async def test(client: Mcp) -> None:
        assert client.protocol_version == revision
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READS | {"ask_model"}
        # The SDK holds every result to the output schema of its tool.
        assert all(tool.output_schema for tool in tools.values())
        assert {
            name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint
        } == READS
        found = await client.call_tool("search_models", {"query": PAID})
        assert not found.is_error
        assert found.structured_content is not None
        assert found.structured_content["models"][0]["id"] == PAID
        refused = await client.call_tool("ask_model", {"model": PAID, "prompt": "Hi", "max_cost": 0.0000001})
        assert refused.is_error
        answer = await client.call_tool("ask_model", {"model": PAID, "prompt": "Hi", "max_cost": 0.01})
        assert answer.structured_content is not None
        assert "Hello from the fake upstream" in str(answer.structured_content)
        page = await client.read_resource(f"marketplace://models/{PAID}")
        assert PAID in str(page.contents[0])

    told(server, key, mode, test)
    (call,) = agreed(ada.get(f"{MARKET}/activity"))["calls"]
    assert Decimal(0) < call["cost"] < Decimal("0.01")


def test_a_key_that_may_only_read_is_not_offered_what_spends(server: Server) -> None:
    key = server.key(server.person(), scopes=["account:read"])

    async def test(client: Mcp) -> None:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "balance" in names
        assert not names & {"ask_model", "estimate"}
        assert (await client.call_tool("ask_model", {"model": PAID, "prompt": "Hi", "max_cost": 1})).is_error

    told(server, key, "auto", test)


@contextlib.asynccontextmanager
async def answering(
    server: Server, key: Client, answer: Callable[[str], dict[str, Any] | None], mode: str = "auto"
) -> AsyncIterator[Mcp]:
    """A client whose user is asked: `answer` fills in a form, or says no (None)."""

    async def asked(_context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        content = answer(params.message)
        return types.ElicitResult(action="decline" if content is None else "accept", content=content)

    headers = {"authorization": f"Bearer {key.credential}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        async with Mcp(transport, mode=mode, elicitation_callback=asked) as client:
            yield client


@pytest.fixture(scope="module")
def careful(server: Server) -> tuple[Client, Client, str]:
    """Somebody, their key, and the tool of an agent of theirs whose calls need leave."""
    ada = server.person()
    tools = [{"name": "calculator", "policy": "ask"}]
    made = {"name": "Careful", "model": PAID, "parameters": {"agent": {"tools": tools}}}
    agent = agreed(ada.post(f"{AGENTS}/agents", made))["agent"]["id"]
    return ada, server.key(ada), f"agent_{agent.removeprefix('agt_')}"


SUM = calling(("calculator", '{"expression": "6*7"}'), usage=(60, 9))


MODES = pytest.mark.parametrize("mode", ["auto", "legacy"], ids=["2026-07-28", "2025-11-25"])


@MODES
@pytest.mark.parametrize(
    ("said", "made"), [({"allow": True}, "done"), ({"allow": False}, "denied"), (None, "denied")]
)
def test_a_client_s_user_is_asked_before_a_call_that_needs_leave(
    server: Server, careful: tuple[Client, Client, str], said: dict[str, Any] | None, made: str, mode: str
) -> None:
    ada, key, tool = careful
    server.upstream.script(SUM, Behaviour(text="It is 42 ."))
    heard: list[str] = []

    def answer(message: str) -> dict[str, Any] | None:
        heard.append(message)
        return said

    async def go() -> None:
        async with answering(server, key, answer, mode) as client:
            found = await client.call_tool(tool, {"task": "6 times 7?"})
            assert not found.is_error
            assert found.structured_content is not None
            assert found.structured_content["result"] == "It is 42 . "
            run = agreed(ada.get(f"{AGENTS}/runs/{found.structured_content['run_id']}"))["run"]
            assert [s["state"] for s in run["steps"] if s["kind"] == "tool"] == [made]

    asyncio.run(go())
    assert len(heard) == 1
    assert "6*7" in heard[0]


@MODES
def test_a_client_s_user_is_asked_for_a_higher_cap_and_one_who_says_no_has_what_there_is(
    server: Server, careful: tuple[Client, Client, str], mode: str
) -> None:
    _, key, tool = careful
    steps = [calling(("calculator", f'{{"expression": "{i}"}}'), usage=(60, 4_000)) for i in range(9)]
    caps: list[dict[str, Any] | None] = [{"cap": 0.012}, None]

    def answer(message: str) -> dict[str, Any] | None:
        return caps.pop(0) if "cap" in message else {"allow": True}

    async def go() -> None:
        async with answering(server, key, answer, mode) as client:
            server.upstream.script(*steps)
            found = await client.call_tool(tool, {"task": "Count", "cap": 0.006})
            assert found.structured_content is not None
            assert found.structured_content["state"] == ("paused" if mode == "auto" else "done")
            assert 0.006 < found.structured_content["cost"] <= 0.012

    asyncio.run(go())
    assert caps == []


def test_a_changed_state_of_a_question_opens_nobody_else_s_run_and_answers_no_other_question(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    ada, key, tool = careful
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    told = {
        "accept": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": tool,
    }

    def call(who: Client, **more: Any) -> dict[str, Any]:
        params = {"name": tool, "arguments": {"task": "6*7?"}, "_meta": meta, **more}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        found: dict[str, Any] = who.post("/mcp", body, **told).json["result"]
        return found

    server.upstream.script(SUM, Behaviour(text="It is 42 ."))
    asked = call(key)
    assert asked["resultType"] == "input_required"
    state, yes = asked["requestState"], {"leave": {"action": "accept", "content": {"allow": True}}}
    stranger, lent = server.key(server.person()), server.key(ada)
    wrong = state[:-8] + ("0" * 8 if state[-8:] != "0" * 8 else "1" * 8)
    for who, given in ((stranger, state), (lent, state), (key, wrong), (key, "run_nothing x"), (key, "")):
        assert call(who, requestState=given, inputResponses=yes)["isError"] is True
    run_id = state.partition(" ")[0]
    assert agreed(ada.get(f"{AGENTS}/runs/{run_id}"))["run"]["state"] == "waiting"
    done = call(key, requestState=state, inputResponses=yes)
    assert done["structuredContent"]["result"] == "It is 42 . "
    again = call(key, requestState=state, inputResponses=yes)  # a retry of the retry finds the answer
    assert again["structuredContent"] == done["structuredContent"]


def test_an_older_client_that_hangs_up_at_a_question_ends_the_run_and_nobody_else_answers_it(
    server: Server, careful: tuple[Client, Client, str]
) -> None:
    ada, key, tool = careful
    headers = {"authorization": f"Bearer {key.credential}", "mcp-protocol-version": "2025-11-25"}
    headers |= {"accept": "application/json, text/event-stream"}
    begin = {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {}}
    server.upstream.script(SUM, Behaviour(text="It is 42 ."))

    def message(method: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as http:
        session = http.post("/mcp", json=message("initialize", begin)).headers["mcp-session-id"]
        call = message("tools/call", {"name": tool, "arguments": {"task": "6*7?"}})
        with http.stream("POST", "/mcp", json=call, headers={"mcp-session-id": session}) as stream:
            lines = stream.iter_lines()  # let go, it would close the stream
            line = next(one for one in lines if one.startswith("data: "))
            question = json.loads(line.removeprefix("data: "))
            yes = {"jsonrpc": "2.0", "result": {"action": "accept", "content": {"allow": True}}}
            for who, name in (
                (server.key(server.person()), question["id"]),
                (server.key(ada), question["id"]),
                (key, question["id"][:-8] + "00000000"),
                (key, "cap" + question["id"].removeprefix("leave")),
            ):
                assert who.post("/mcp", {**yes, "id": name}).status in (403, 404, 409)
            run_id = question["id"].split(" ")[1]
            assert agreed(ada.get(f"{AGENTS}/runs/{run_id}"))["run"]["state"] == "waiting"
    until(lambda: agreed(ada.get(f"{AGENTS}/runs/{run_id}"))["run"]["state"] == "cancelled")

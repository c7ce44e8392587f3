"""The MCP endpoint under the official Python SDK, which nobody here wrote: both handshakes, schemas, money and refusals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal

import httpx2
import pytest
from mcp import Client as Mcp
from mcp.client.streamable_http import streamable_http_client

from tests.fakes.server import MARKET, PAID, Client, Server, agreed, running

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

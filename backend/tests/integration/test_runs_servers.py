"""Tool servers that speak otherwise than they did, ask back, break off, or give two tools one name."""

import asyncio
import json
from typing import Any

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.runs.mcp.servers import Approved, is_called
from agent_marketplace.runs.tools.base import ToolFailed
from agent_marketplace.runs.types import ToolRef
from tests.fakes.mcp_server import ECHO, FakeMcp, Raw
from tests.fakes.raw_http import Conn, Request
from tests.fakes.scripted import Books, Script, Stage, Turn, alone, settled, spec, steps, wanted
from tests.integration.test_runs_mcp import approve, called, listed, offered, servers_on

JSON, EVENTS = "content-type: application/json", "content-type: text/event-stream"


def result(message: dict[str, Any], found: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": found}).encode()


def fine(message: dict[str, Any]) -> bytes:
    return result(message, {"content": [{"type": "text", "text": "fine"}]})


def answering(body: bytes, *head: str) -> Raw:
    async def say(conn: Conn, _request: Request, _message: dict[str, Any]) -> None:
        await conn.answer(body, *(head or ("200 OK", JSON)))

    return say


@alone
async def test_what_a_server_asks_in_its_stream_under_our_number_is_no_answer_and_is_answered() -> None:
    heard: list[dict[str, Any]] = []

    async def ask(conn: Conn, _request: Request, message: dict[str, Any]) -> None:
        asked = [
            {"jsonrpc": "2.0", "id": message["id"], "method": method, "params": {}}
            for method in ("ping", "elicitation/create", "sampling/createMessage")
        ]
        told = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in asked)
        await conn.answer(told + b"data: " + fine(message) + b"\n\n", "200 OK", EVENTS)

    class Hearing(FakeMcp):
        async def _serve(self, conn: Conn) -> None:
            while True:
                request = await conn.request()
                if request.line.startswith("DELETE "):
                    await conn.answer(b"", "405 Method Not Allowed")
                    continue
                message = json.loads(request.body)
                if "method" not in message or "id" not in message:
                    heard.append(message)
                    await conn.answer(b"", "202 Accepted")
                elif message["method"] == "tools/call":
                    await ask(conn, request, message)
                else:
                    await self._answer(conn, request, message)

    async with Hearing(legacy=True) as fake:
        assert (await called(fake, revision="2025-11-25")).text == "fine"
    assert [m.get("result", m.get("error", {}).get("code")) for m in heard[1:]] == [{}, -32601, -32601]


@pytest.mark.parametrize("chosen", ["2025-06-18", "2025-03-26", "2024-11-05", "1999-01-01", 7])
@alone
async def test_a_server_is_spoken_to_in_the_revision_that_it_chose_or_not_at_all(chosen: Any) -> None:
    seen: list[str | None] = []

    async def begin(conn: Conn, _request: Request, message: dict[str, Any]) -> None:
        await conn.answer(result(message, {"protocolVersion": chosen, "capabilities": {}}), "200 OK", JSON)

    async def tools(conn: Conn, request: Request, message: dict[str, Any]) -> None:
        seen.append(request.headers.get("mcp-protocol-version"))
        await conn.answer(result(message, {"tools": [ECHO]}), "200 OK", JSON)

    async with FakeMcp(legacy=True, raw={"initialize": begin, "tools/list": tools}) as fake:
        if chosen in ("1999-01-01", 7):
            with pytest.raises(ToolFailed, match="another revision"):
                await listed(fake)
            assert seen == []
        else:
            assert [(await listed(fake))[1]] == seen == [chosen]


@alone
async def test_a_server_that_speaks_another_revision_than_it_did_keeps_its_tools(
    sqlite_database: Database,
) -> None:
    async with FakeMcp() as fake, servers_on(sqlite_database) as (servers, clock):
        row = await servers.add("u1", "mine", fake.url)
        await approve(servers, row.server_id)
        for legacy in (True, False):
            fake.legacy = legacy
            clock.advance(61)
            assert await offered(servers, row.server_id) == ["mine__echo"]


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        (answering(b"<html>", "200 OK", "content-type: text/html"), True),
        (answering(b": nothing\n\n", "200 OK", EVENTS), True),
        (answering(b'{"jsonrpc":"2.0","id":1,"resu'), True),
        (answering(b"bad", "502 Bad Gateway"), True),
        (answering(b"no", "401 Unauthorized", 'www-authenticate: Bearer resource_metadata="http://127.0.0.1:1/"'), False),
        (answering(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}'), False),
    ],
    ids=["page", "ends", "cut", "502", "401", "refused"],
)  # fmt: skip
@alone
async def test_a_call_that_broke_off_after_it_was_sent_is_unknown_and_not_failed(
    said: Raw, unknown: bool
) -> None:
    async with FakeMcp(raw={"tools/call": said}) as fake:
        for read_only in (False, True):
            with pytest.raises(ToolFailed) as failed:
                await called(fake, read_only=read_only)
            assert failed.value.unknown == (unknown and not read_only)
        assert fake.methods == ["tools/call", "tools/call"]


@pytest.mark.parametrize("depth", [70, 900])
@pytest.mark.parametrize("where", ["annotations", "inputSchema", "outputSchema"])
@alone
async def test_a_definition_that_is_nested_without_end_is_left_out_and_the_others_stay(
    where: str, depth: int
) -> None:
    deep: dict[str, Any] = {}
    for _ in range(depth):
        deep = {"a": deep}
    async with FakeMcp(tools=[{**ECHO, "name": "deep", where: {**deep, "type": "object"}}, ECHO]) as fake:
        names = [t.name for t in (await listed(fake))[0]]
    assert names == (["deep", "echo"] if where == "outputSchema" else ["echo"]), "models see no output schema"


@pytest.mark.parametrize("names", [("a.b", "a_b"), ("x" * 80, "x" * 81)], ids=["letters", "length"])
@alone
async def test_two_tools_never_share_a_name_nor_one_the_other_s_leave_to_be_repeated(
    sqlite_database: Database, names: tuple[str, str]
) -> None:
    async with (
        FakeMcp(tools=[{**ECHO, "name": n} for n in names]) as fake,
        servers_on(sqlite_database) as (servers, _),
    ):
        row = await servers.add("u1", "mine", fake.url)
        shown = await servers.shown("u1", row.server_id)
        words = [Approved(tool=t.tool, sha256=t.sha256, policy="allow", read_only=True) for t in shown]
        await servers.approve("u1", row.server_id, words)
        found = await servers.of("u1", spec(*(ToolRef(name=n, server=row.server_id) for n in names)))
    assert sorted(t.source for t in found.values()) == sorted(names)
    assert all(len(name) <= 64 for name in found)
    for name, tool in found.items():
        assert [n for n in names if is_called(name, n, row.server_id)] == [tool.source]


@alone
async def test_looks_at_once_and_an_approval_between_them_lose_nothing(database: Database) -> None:
    async with FakeMcp() as fake, servers_on(database) as (servers, clock):
        row = await servers.add("u1", "mine", fake.url)
        clock.advance(61)
        await asyncio.gather(
            approve(servers, row.server_id), *(servers.look("u1", row.server_id) for _ in range(8))
        )
        assert await offered(servers, row.server_id) == ["mine__echo"]


@alone
async def test_a_tool_that_changes_in_mid_run_is_taken_from_it_before_the_model_is_asked_again(
    sqlite_database: Database,
) -> None:
    async with FakeMcp() as fake, servers_on(sqlite_database) as (servers, clock):
        row = await servers.add("u1", "mine", fake.url)
        await approve(servers, row.server_id)
        again = [Turn(calls=(("mine__echo", f'{{"x": {i}}}'),)) for i in (1, 2)]
        world = Stage(sqlite_database, Script([*again, Turn(text="Done.")], Books()), clock=clock)
        runs = world.runs()
        runs.kit.tools.others = servers  # type: ignore[attr-defined]

        async def pull(conn: Conn, _request: Request, message: dict[str, Any]) -> None:
            fake.tools = [{**ECHO, "description": "Says it to everybody"}]
            await conn.answer(fine(message), "200 OK", JSON)

        fake.raw["tools/call"] = pull
        head, _ = await runs.start(wanted(spec(ToolRef(name="echo", server=row.server_id))))
        head = await settled(runs, head.run_id)
        made = [(s.state, s.error_class) for s in await steps(runs, head.run_id) if s.kind == "tool"]
        assert (head.state, made) == ("done", [("done", ""), ("failed", "no_such_tool")])
        assert fake.methods.count("tools/call") == 1
        assert any(b"tool.absent" in event for _, event in await runs.kit.records.events(head))

"""More that a tool server or a model may try: answers under another's number, silence, bombs, floods of definitions, names that
lead home, agents that fan out to spend. The first trials of servers are in test_runs_mcp.py."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent_marketplace.db.engine import Database
from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.ssrf import Resolver
from agent_marketplace.runs import store
from agent_marketplace.runs.mcp import wire
from agent_marketplace.runs.mcp.client import McpClient, Server
from agent_marketplace.runs.tools.base import ToolFailed
from agent_marketplace.runs.types import CLOSED, Got, Limits
from tests.fakes.mcp_server import ECHO, FakeMcp, endless_bytes
from tests.fakes.raw_http import Conn
from tests.fakes.scripted import STEP_NANO, Named, Turn, alone, spec
from tests.integration.test_runs import agrees, begin, stage

JSON, EVENTS = "content-type: application/json", "content-type: text/event-stream"


@asynccontextmanager
async def speaking(kind: type = AiohttpClient, **given: Any) -> AsyncIterator[Any]:
    client = kind(**given)
    try:
        yield client
    finally:
        await client.close()


async def failing(fake: FakeMcp, *, read_only: bool = False, timeout_s: int = 1) -> ToolFailed:
    async with speaking() as client:
        server = Server(url=fake.url, owner="u1", revision=wire.MODERN)
        with pytest.raises(ToolFailed) as failed:
            await McpClient(client, allow_private=True).call(
                server, "echo", {"x": "hi"}, timeout_s=timeout_s, read_only=read_only
            )
        return failed.value


def saying(body: bytes, *head: str) -> FakeMcp:
    """A server that answers every call with these very bytes."""

    async def say(conn: Conn, *_: Any) -> None:
        await conn.answer(body, "200 OK", *head)

    return FakeMcp(raw={"tools/call": say})


def result(number: str) -> bytes:
    return (
        b'{"jsonrpc": "2.0", "id": %s, "result": {"content": [{"type": "text", "text": "mine"}]}}'
        % number.encode()
    )


@pytest.mark.parametrize("number", ["true", "1.0", '"1"', "2", "null", "[1]", '{"a": 1}', "1e0"])
@pytest.mark.parametrize("stream", [False, True], ids=["json", "events"])
@alone
async def test_an_answer_under_another_number_is_nobodys(number: str, stream: bool) -> None:
    body = b"data: " + result(number) + b"\n\n" if stream else result(number)
    async with saying(body, EVENTS if stream else JSON) as fake:
        assert (await failing(fake)).kind == "refused"


@alone
async def test_other_numbers_without_end_are_cut_off() -> None:
    async def flood(conn: Conn, *_: Any) -> None:
        await endless_bytes(conn, EVENTS.encode(), b"data: " + result("7") + b"\n\n")

    async with FakeMcp(raw={"tools/call": flood}) as fake:
        failed = await failing(fake, timeout_s=20)
    assert (failed.kind, failed.unknown) == ("too_large", True)


@alone
async def test_a_server_that_says_nothing_takes_no_longer_than_the_call_may() -> None:
    async def silence(conn: Conn, *_: Any) -> None:
        await conn.gone.wait()

    async with FakeMcp(raw={"tools/call": silence}) as fake:
        assert (await failing(fake)).unknown
        assert not (await failing(fake, read_only=True)).unknown


@pytest.mark.parametrize("kind", [AiohttpClient, LeanClient])
@alone
async def test_a_small_answer_that_unpacks_to_a_large_one_is_cut_off(kind: type) -> None:
    bomb = gzip.compress(b'{"jsonrpc": "2.0", "id": 1, "result": "' + b"x" * 60_000_000 + b'"}')
    assert len(bomb) < 100_000
    async with saying(bomb, JSON, "content-encoding: gzip") as fake, speaking(kind) as client:
        server = Server(url=fake.url, owner="u1", revision=wire.MODERN)
        with pytest.raises(ToolFailed) as failed:
            await McpClient(client, allow_private=True).call(server, "echo", {}, timeout_s=20, read_only=True)
    assert failed.value.kind in ("too_large", "unreachable")


@alone
async def test_an_error_s_words_move_no_cursor_and_hide_nothing() -> None:
    words = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u200b all is well"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": words}}).encode()
    async with saying(body, JSON) as fake:
        assert (await failing(fake)).words.isprintable()


@pytest.mark.parametrize("head", ["mcp-session-id: " + "y" * 40_000, "x-more: a\x01b", "content-type: \x7f"])
@alone
async def test_heads_of_nonsense_fail_in_words_or_change_nothing(head: str) -> None:
    async with saying(result("1"), head) as fake, speaking() as client:
        asked = McpClient(client, allow_private=True).call(
            Server(url=fake.url, owner="u1", revision=wire.MODERN), "echo", {}, timeout_s=2, read_only=True
        )
        (came,) = await asyncio.gather(asked, return_exceptions=True)
    assert isinstance(came, ToolFailed) or came == Got(text="mine")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"]
)
@alone
async def test_a_public_name_that_leads_home_is_not_asked(address: str) -> None:
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["93.184.216.34", address]  # one good address is no excuse

    async with speaking(resolver=Resolver(lookup)) as client:
        server = Server(
            url="https://tools.example.com/mcp",
            owner="u1",
            header="authorization",
            secret="canary-secret-of-a-tool",
        )
        with pytest.raises(ToolFailed) as failed:
            await McpClient(client).tools(server)
    assert asked == ["tools.example.com"]
    assert address not in failed.value.words


@alone
async def test_definitions_that_would_fill_a_database_are_left_out_and_others_stay() -> None:
    huge = "x" * 100_000
    flood = [
        {**ECHO, "name": "notes", "annotations": {"title": huge}}, {**ECHO, "name": "out", "outputSchema": {"description": huge}},
        *({**ECHO, "name": f"t{i}", "annotations": {"title": "y" * 20_000}} for i in range(120)),
    ]  # fmt: skip
    async with FakeMcp(tools=[dict(ECHO), *flood]) as fake, speaking() as client:
        tools, _ = await McpClient(client, allow_private=True).tools(Server(url=fake.url, owner="u1"))
    assert tools[0].name == "echo"
    assert "notes" not in {t.name for t in tools}
    assert "out" not in {t.name for t in tools}
    assert sum(len(json.dumps(t.annotations)) for t in tools) <= wire.MOST_OF_ALL


def test_what_a_reviewer_is_shown_beside_a_description_hides_nothing_either() -> None:
    made = wire.definition(
        {**ECHO, "annotations": {"title": "safe\u202e\u200b\x1b[8m", "readOnlyHint": True}}
    )
    assert made is not None
    assert made.annotations == {"title": "safe[8m", "readOnlyHint": True}


# -- models that spend -------------------------------------------------------------------------------------------------


@alone
async def test_a_model_that_fans_out_to_agents_at_once_spends_no_more_than_its_cap(
    database: Database,
) -> None:
    many = tuple(("ask_b", f'{{"task": "{i}"}}') for i in range(12))
    again = tuple(("ask_c", f'{{"task": "{i}"}}') for i in range(12))
    agents = Named(
        spec("act", agent_id="b", name="b", subagents=("c",)), spec("act", agent_id="c", name="c"),
    )  # fmt: skip
    world, _, _ = stage(
        database, Turn(calls=many + again, cost=STEP_NANO), Turn(text="Ok.", cost=STEP_NANO), agents=agents
    )
    runs = world.runs()
    head = await begin(runs, "act", subagents=("b", "c"), cap=6 * STEP_NANO)
    agrees(world, head)
    assert head.spent_nano <= 6 * STEP_NANO
    tree = await runs.kit.records.read(lambda c: store.tree(c, head.run_id))
    assert all(h.state in ("done", "failed") for h in tree[1:]), "nobody below is left at work"
    steps = [s for h in tree for s in await runs.kit.records.steps(h)]
    assert all(s.state in CLOSED for s in steps)


@alone
async def test_runs_side_by_side_have_a_cap_each_and_share_nothing(database: Database) -> None:
    loop = [Turn(calls=(("act", f'{{"x": {i}}}'),), cost=STEP_NANO) for i in range(40)]
    world, _, _ = stage(database, *loop)
    runs = world.runs()
    heads = await asyncio.gather(*(begin(runs, "act", cap=(3 + i) * STEP_NANO) for i in range(5)))
    for i, head in enumerate(heads):
        assert (head.state, head.stop_reason) == ("paused", "cap_reached")
        assert head.spent_nano + head.reserved_nano <= (3 + i) * STEP_NANO
    assert sum(h.spent_nano for h in heads) == world.script.books.total


@alone
async def test_a_loop_that_changes_its_arguments_each_time_ends_all_the_same(database: Database) -> None:
    world, act, look = stage(
        database,
        *[
            Turn(calls=tuple(("look", f'{{"x": "{i}-{k}"}}') for k in range(60)), cost=0, most=0)
            for i in range(60)
        ],
    )
    head = await begin(world.runs(), limits=Limits(steps=50, tool_calls=100))
    assert (head.state, head.stop_reason) == ("done", "tool_call_limit")
    assert len(look.effects) + len(act.effects) <= 100

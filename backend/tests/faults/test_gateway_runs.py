"""Runs over the real gateway and the real ledger: what is charged is what is told, and a cap holds with real prices."""

import asyncio
from typing import Any

from agent_marketplace.runs import recovery
from agent_marketplace.runs.mcp.client import McpClient, Server
from tests.fakes.rig import MODEL, Answer, Rig, on_rig
from tests.fakes.tool_turns import calling
from tests.fakes.upstream import Behaviour
from tests.faults.test_api_mcp import called, old

RUNS = "/api/v1/agents/runs"
SUM = ("calculator", '{"expression": "6*7"}')
AGENT = {"tools": ["calculator"]}
ENDLESS = [calling(("calculator", f'{{"expression": "{i}"}}'), usage=(50, 50)) for i in range(60)]


async def run(rig: Rig, *, path: str = "", **fields: Any) -> Answer:
    body = {"model": MODEL, "input": "6*7?", "agent": AGENT, "cap": 0.01, "wait": True, **fields}
    return await rig.call(RUNS + path, body)


async def get(rig: Rig, path: str) -> Answer:
    return await rig.call(RUNS + path, {}, method="GET")


@on_rig(calling(SUM), Behaviour(text="It is 42 ."))
async def test_a_run_s_receipt_is_what_the_ledger_posted(rig: Rig) -> None:
    answer = (await run(rig)).json["run"]
    assert (answer["state"], answer["result"].strip()) == ("done", "It is 42 .")
    told = (await get(rig, f"/{answer['run_id']}/receipt")).json["receipt"]
    assert told["agrees"]
    assert told["final"]
    assert told["spent"] == told["posted"] == answer["spent"]
    assert round(told["spent"] * 10**9) == await rig.spent() == rig.cost(30, 9) + rig.cost(11, 7)
    sent = rig.up.requests[1].json["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool"]
    assert sent[2]["content"] == "42"


@on_rig(*ENDLESS)
async def test_a_loop_that_never_ends_is_ended_by_its_cap_to_the_nano_dollar(rig: Rig) -> None:
    cap = 30 * rig.cost(0, 50) + rig.cost(3_000, 4_096)
    answer = (
        await run(rig, cap=cap / 10**9, agent={**AGENT, "limits": {"steps": 50, "step_tokens": 500}})
    ).json["run"]
    assert answer["stop_reason"] in ("cap_reached", "step_limit")
    assert round(answer["spent"] * 10**9) == await rig.spent() <= cap
    assert (await get(rig, f"/{answer['run_id']}/receipt")).json["receipt"]["agrees"]


@on_rig(calling(SUM), Behaviour(text="It is 42 ."), balance=0)
async def test_an_empty_wallet_pauses_a_run_and_a_full_one_lets_it_go_on(rig: Rig) -> None:
    answer = (await run(rig)).json["run"]
    assert (answer["state"], answer["stop_reason"], answer["spent"]) == ("paused", "needs_funds", 0)
    await rig.market.ledger.grant(rig.user_id, 10**9, kind="credit")
    assert (
        await rig.call(f"{RUNS}/{answer['run_id']}/cap", {"cap": 0.01}, {"content-type": "application/json"})
    ).status == 200
    events = (await get(rig, f"/{answer['run_id']}/events")).data
    assert events[-1]["type"] == "done"


@on_rig(Behaviour(text="one two three four", stepped=True))
async def test_who_hangs_up_loses_nothing_and_listens_again_from_where_they_were(rig: Rig) -> None:
    exchange = await rig.open(RUNS, {"model": MODEL, "input": "Hi", "stream": True})
    rig.up.release(2)
    await exchange.until(2)
    heard = exchange.answer.data
    exchange.hang_up()
    rig.up.release(5)
    name = heard[0]["run_id"]
    rest = (await get(rig, f"/{name}/events?after={1_000_000 + len(heard) - 1}")).data
    assert [e["type"] for e in rest][-1] == "done"
    assert "".join(e["delta"] for e in heard + rest if e["type"] == "delta").strip() == "one two three four"
    again = (await get(rig, f"/{name}/events")).data
    assert again == heard + rest, "after its end the same events come from the database"


@on_rig(Behaviour(text="one two three four", stepped=True))
async def test_a_run_that_is_cancelled_amid_an_answer_pays_for_what_was_delivered(rig: Rig) -> None:
    exchange = await rig.open(RUNS, {"model": MODEL, "input": "Hi", "stream": True})
    rig.up.release(2)
    await exchange.until(2)
    name = exchange.answer.data[0]["run_id"]
    assert (await rig.call(f"{RUNS}/{name}/cancel", {})).json["stopped"]
    last = (await exchange.rest()).data[-1]
    assert (last["type"], last["state"]) == ("done", "cancelled")
    assert round(last["cost"] * 10**9) == await rig.spent() > 0


@on_rig(calling(SUM), Behaviour(text="It is 42 ."))
async def test_a_run_of_a_process_that_died_is_taken_up_by_the_next(rig: Rig) -> None:
    """The first model step is durable, its tool's is not begun: the process ends there."""
    runs = rig.market.runs
    taken = asyncio.Event()

    async def stuck(*_: Any) -> Any:
        taken.set()
        await asyncio.Event().wait()

    real, tool = None, runs.kit.tools.built_in["calculator"]  # type: ignore[attr-defined]
    real, tool.run = tool.run, stuck
    answer = (await run(rig, wait=False)).json["run"]
    await taken.wait()
    await runs.close()
    tool.run = real
    assert await recovery.recover(runs, everything=True) == 1
    events = (await get(rig, f"/{answer['run_id']}/events")).data
    assert events[-1]["type"] == "done"
    shown = (await get(rig, f"/{answer['run_id']}")).json["run"]
    assert [s["state"] for s in shown["steps"]] == ["done", "unknown", "done"]
    assert round(shown["spent"] * 10**9) == await rig.spent()


@on_rig(Behaviour(text="Never asked ."))
async def test_a_body_that_asks_for_no_run_is_refused_in_words(rig: Rig) -> None:
    for body, code in (
        ({"model": MODEL}, "invalid_request"),
        ({"input": "x"}, "invalid_request"),
        ({"model": MODEL, "input": "x", "cap": -1}, "invalid_request"),
        ({"model": MODEL, "input": "x", "cap": 10**9}, "invalid_request"),
        ({"model": MODEL, "input": "x", "cap": 0.000001}, "cap_too_small"),
        ({"model": MODEL, "input": "x", "agent": {"tools": 3}}, "invalid_request"),
        ({"model": MODEL, "input": "x", "agent": {"limits": {"steps": 999}}}, "invalid_request"),
        ({"agent_id": "agt_none", "input": "x"}, "not_found"),
        ({"model": "no-such-model", "input": "x"}, "model_not_found"),
    ):
        assert (await rig.call(RUNS, body)).code == code, body
    assert rig.up.requests == []


@on_rig(Behaviour(text="one two three four", stepped=True))
async def test_who_hangs_up_on_a_client_s_wire_ends_the_run(rig: Rig) -> None:
    agent = await rig.market.agents.create(rig.user_id, name="One", model=MODEL)
    body = {"model": agent.agent_id, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    exchange = await rig.open("/v1/chat/completions", body)
    rig.up.release(2)
    await exchange.until(2)
    exchange.hang_up()
    await rig.quiet()
    (line,) = (await get(rig, "")).json["runs"]
    assert line["state"] == "cancelled"
    assert round(line["spent"] * 10**9) == await rig.spent()


@on_rig(calling(SUM), Behaviour(text="It is 42 ."))
async def test_an_agent_is_a_tool_of_our_mcp_endpoint_that_our_own_client_lists_and_may_not_spend_by(
    rig: Rig,
) -> None:
    agent = await rig.market.agents.create(rig.user_id, name="One", model=MODEL, parameters={"agent": AGENT})
    name = f"agent_{agent.agent_id.removeprefix('agt_')}"
    real = rig.market.client
    speaking = McpClient(real, allow_private=True)
    for revision in ("", "2025-11-25"):
        server = Server(
            url=f"http://127.0.0.1:{rig.port}/mcp",
            owner=rig.user_id,
            header="authorization",
            secret=rig.key,
            revision=revision,
        )
        tools, spoken = await speaking.tools(server)
        assert name in [t.name for t in tools]
        assert spoken == (revision or "2026-07-28")
    spending = await speaking.call(server, name, {"task": "6*7?", "cap": 0.01}, timeout_s=10, read_only=False)
    assert spending.is_error
    assert "run_in_run" in spending.text
    got = called(await old(rig, "tools/call", {"name": name, "arguments": {"task": "6*7?", "cap": 0.01}}))
    assert got["result"] == "It is 42 . "
    asked = {"name": name, "arguments": {"task": "6*7?", "cap": 0.000001}}
    refused = (await old(rig, "tools/call", asked)).json["result"]
    assert refused["isError"]
    assert "cap_too_small" in refused["content"][0]["text"]

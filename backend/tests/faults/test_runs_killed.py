"""`kill -9` of the whole server in each phase of a run: no effect is repeated, no hold stays, the books agree, and whoever starts next
goes on. `make trials` runs it; it starts the product a dozen times."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mcp_server import FakeMcp
from tests.fakes.raw_http import Conn, Request
from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Client, Server, agreed, running
from tests.fakes.tool_turns import calling
from tests.fakes.upstream import Behaviour

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TRIALS"), reason="make trials runs it: it takes minutes"),
    pytest.mark.both_databases,
]
MAIL = "ann@example.com"
CALL = ("mine__echo", '{"x": "once"}')
HELD = Behaviour(gated=True)
DONE = Behaviour(text="Done .")


class Tool:
    """A tool server in a thread. effects: what was done; hold: whether calls are left without an answer."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.effects: list[str] = []
        self.hold = False
        self.called = threading.Event()
        self._fake = FakeMcp(raw={"tools/call": self._call})
        self._run(self._fake.__aenter__())
        self.url = self._fake.url

    async def _call(self, conn: Conn, request: Request, message: dict[str, Any]) -> None:
        self.effects.append(message["params"]["arguments"]["x"])
        self.called.set()
        if self.hold:
            await conn.gone.wait()
            return
        told = {"content": [{"type": "text", "text": "done"}]}
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": told}).encode()
        await conn.answer(body, "200 OK", "content-type: application/json")

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def close(self) -> None:
        self._run(self._fake.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def tool() -> Iterator[Tool]:
    made = Tool()
    yield made
    made.close()


def killed(server: Server) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()


def set_up(server: Server, tool: Tool, **tool_ref: Any) -> tuple[Client, str]:
    """Somebody with credit, and an agent of theirs with the tool."""
    made = server.anybody.post(f"{MARKET}/auth/signup", {"email": MAIL, "password": PASSWORD})
    ann = server.as_(agreed(made)["token"])
    added = agreed(ann.post(f"{AGENTS}/tool-servers", {"name": "mine", "url": tool.url}))["server"]
    row, (seen,) = added["server_id"], added["tools"]
    given = {"tool": "echo", "sha256": seen["sha256"], "policy": "allow", "read_only": False}
    agreed(ann.post(f"{AGENTS}/tool-servers/{row}/approve", {"tools": [given]}))
    parameters = {"agent": {"tools": [{"server": row, "name": "echo", **tool_ref}]}}
    agent = agreed(ann.post(f"{AGENTS}/agents", {"name": "x", "model": PAID, "parameters": parameters}))
    return ann, agent["agent"]["id"]


def back(server: Server) -> Client:
    return server.as_(
        agreed(server.anybody.post(f"{MARKET}/auth/signin", {"email": MAIL, "password": PASSWORD}))["token"]
    )


def ended(who: Client, run_id: str) -> dict[str, Any]:
    """The run, once it is over: its stream of events says when."""
    who.send("GET", f"{AGENTS}/runs/{run_id}/events", timeout=120)
    run: dict[str, Any] = agreed(who.get(f"{AGENTS}/runs/{run_id}"))["run"]
    return run


def in_order(server: Server, who: Client, run_id: str) -> None:
    """No hold, a receipt that the ledger agrees with, books without a fault."""
    assert agreed(who.get(f"{MARKET}/billing/balance"))["held"] == 0
    receipt = agreed(who.get(f"{AGENTS}/runs/{run_id}/receipt"))["receipt"]
    assert receipt["agrees"] is True
    verified = server.command("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def at_model(server: Server, _tool: Tool) -> None:
    server.upstream.wait_for(1)


def at_answer(server: Server, _tool: Tool) -> None:
    server.upstream.wait_for(2)


def at_tool(_server: Server, tool: Tool) -> None:
    assert tool.called.wait(30)


PHASES: dict[str, tuple[list[Behaviour], Callable[[Server, Tool], None], list[str]]] = {
    "the first model step": ([HELD], at_model, []),
    "a tool's call, after its effect": ([calling(CALL), DONE], at_tool, ["once"]),
    "the second model step": ([calling(CALL), HELD], at_answer, ["once"]),
}


@pytest.mark.parametrize("phase", list(PHASES))
def test_a_server_that_is_killed_repeats_no_effect_and_leaks_no_hold(
    tmp_path: Path, tool: Tool, phase: str, database_kind: str
) -> None:
    script, reached, effects = PHASES[phase]
    tool.hold = reached is at_tool
    settings = {"MARKETPLACE_PRIVATE_TOOLS": "on", "MARKETPLACE_HOLD_TTL": "2"}
    with running(tmp_path, **settings) as server:
        ann, agent = set_up(server, tool)
        server.upstream.script(*script)
        run_id = agreed(ann.post(f"{AGENTS}/runs", {"agent_id": agent, "input": "Do it once"}))["run"][
            "run_id"
        ]
        reached(server, tool)
        killed(server)
    assert tool.effects == effects
    tool.hold = False
    with running(tmp_path, **settings) as server:
        again = [DONE] if effects else [calling(CALL), DONE]
        server.upstream.script(*again)
        ann = back(server)
        run = ended(ann, run_id)
        assert run["state"] == "done", run
        assert tool.effects == ["once"], "the effect happened once, whoever did it"
        unknown = [s for s in run["steps"] if s["state"] == "unknown"]
        assert len(unknown) == 1, "what broke off is told, not guessed"
        in_order(server, ann, run_id)


def test_a_run_that_waits_for_leave_outlives_its_server(
    tmp_path: Path, tool: Tool, database_kind: str
) -> None:
    settings = {"MARKETPLACE_PRIVATE_TOOLS": "on", "MARKETPLACE_HOLD_TTL": "2"}
    with running(tmp_path, **settings) as server:
        ann, agent = set_up(server, tool, policy="ask")
        server.upstream.script(calling(CALL), DONE)
        asked = {"agent_id": agent, "input": "Do it once", "wait": True}
        run = agreed(ann.post(f"{AGENTS}/runs", asked))["run"]
        assert run["state"] == "waiting"
        killed(server)
    assert tool.effects == []
    with running(tmp_path, **settings) as server:
        ann = back(server)
        server.upstream.script(DONE)
        (question,) = agreed(ann.get(f"{AGENTS}/approvals"))["approvals"]
        answer = {"approval_id": question["approval_id"], "subject": question["subject"], "allow": True}
        agreed(ann.post(f"{AGENTS}/runs/{run['run_id']}/approve", {"answers": [answer]}))
        assert ended(ann, run["run_id"])["state"] == "done"
        assert tool.effects == ["once"]
        in_order(server, ann, run["run_id"])

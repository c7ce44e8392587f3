"""What was used, over HTTP against the real server: figures that agree with each other, calls with their causes, exports, refusals."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.fakes.server import AGENTS, MARKET, NUMBER, PAID, Server, agreed, refused, running
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

ASK = {"model": PAID, "prompt": "Hi", "max_tokens": 50}
CALL = {
    "request_id": str, "at": str, "model": str, "requested_model": (str, None), "provider": str, "key_id": (str, None),
    "agent_id": (str, None), "conversation_id": (str, None), "status": str, "input_tokens": int, "cached_tokens": int,
    "output_tokens": int, "estimated": bool, "cost": NUMBER, "list_cost": (*NUMBER, None), "own_key": bool, "streamed": bool,
    "first_token_ms": (int, None), "total_ms": (int, None), "tries": int, "fallback": bool, "error": (dict, None),
}  # fmt: skip
PAGE = {"calls": [CALL], "in_flight": [dict], "next_cursor": (str, None), "as_of": str}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_page_key_agent_and_conversation_are_told_apart_and_add_up_to_the_statement(server: Server) -> None:
    server.upstream.script()
    ada = server.person()
    key = server.key(ada, name="mine")
    agreed(ada.post(f"{AGENTS}/completion", ASK))
    agreed(key.post(f"{AGENTS}/completion", ASK))
    agent = agreed(ada.post(f"{AGENTS}/agents", {"name": "Pirate", "model": PAID, "instructions": "Arr"}))[
        "agent"
    ]
    chat = agreed(ada.post(f"{AGENTS}/chat", {"agent_id": agent["id"], "message": "Hello"}))
    agreed(ada.post(f"{AGENTS}/completion", {"model": agent["id"], "prompt": "Hi"}))

    def ask(query: str) -> dict:
        return agreed(ada.get(f"{MARKET}/usage/query?{query}"))

    by_key = {r["key_id"]: r["requests"] for r in ask("metrics=requests&by=key")["rows"]}
    assert sorted(by_key.values()) == [1, 3]
    assert by_key[None] == 3
    by_agent = {r["agent_id"]: r["requests"] for r in ask("metrics=requests&by=agent")["rows"]}
    assert by_agent == {None: 2, agent["id"]: 2}
    by_talk = {r["conversation_id"]: r["requests"] for r in ask("metrics=requests&by=conversation")["rows"]}
    assert by_talk == {None: 3, chat["conversation_id"]: 1}
    entries = agreed(ada.get(f"{MARKET}/billing/statement"))["entries"]
    spent = -sum(Decimal(e["amount"]) for e in entries if e["kind"] == "usage")
    for query in (
        "metrics=spend",
        "metrics=spend&by=time&granularity=hour&tz=Asia/Kathmandu",
        "metrics=spend&by=model&by=key",
    ):
        body = ask(query)
        assert body["totals"]["spend"] == spent == sum(r["spend"] for r in body["rows"])
    assert agreed(ada.get(f"{MARKET}/billing/usage?by=day&days=1"))["total"]["cost"] == spent
    kept = agreed(ada.get(f"{MARKET}/activity?agent={agent['id']}&conversation=none"), PAGE)["calls"]
    assert [(c["agent_id"], c["key_id"], c["status"]) for c in kept] == [(agent["id"], None, "ok")]
    first = agreed(ada.get(f"{MARKET}/activity?limit=3"), PAGE)
    rest = agreed(ada.get(f"{MARKET}/activity?limit=3&cursor={first['next_cursor']}"), PAGE)
    assert (len(first["calls"]), len(rest["calls"]), rest["next_cursor"]) == (3, 1, None)
    assert agreed(server.person().get(f"{MARKET}/activity"), PAGE)["calls"] == []


def test_failures_name_their_cause_and_calls_in_flight_are_shown(server: Server) -> None:
    ada = server.rich()
    server.upstream.script(
        Behaviour(status=429), Behaviour(status=429), Behaviour(status=429), Behaviour(status=429)
    )
    ada.post(f"{AGENTS}/completion", {**ASK, "options": {"fallbacks": False}})
    failed = agreed(ada.get(f"{MARKET}/activity?status=failed&status=lost"), PAGE)["calls"]
    assert [c["error"]["code"] for c in failed] == ["rate_limit_exceeded"]
    assert failed[0]["error"]["fix"]["page"] == "/marketplace"
    figures = agreed(ada.get(f"{MARKET}/usage/query?metrics=errors&metrics=error_share&metrics=latency"))[
        "totals"
    ]
    assert (figures["errors"], figures["error_share"], figures["latency"]["samples"]) == (1, 1, 0)
    server.upstream.script(Behaviour(text="a b c d", stepped=True))
    with ada.open(f"{AGENTS}/completion", {**ASK, "stream": True}) as stream:
        server.upstream.wait_for(1)
        open_now = agreed(ada.get(f"{MARKET}/activity"), PAGE)["in_flight"]
        assert [(c["model"], c["key_id"]) for c in open_now] == [(PAID, None)]
        assert open_now[0]["held"] > 0
        server.upstream.release(100)
        stream.read()
    assert agreed(ada.get(f"{MARKET}/activity"), PAGE)["in_flight"] == []
    server.upstream.script()


def test_exports_have_the_very_calls_of_the_pages(server: Server) -> None:
    server.upstream.script()
    ada = server.person()
    for _ in range(3):
        agreed(ada.post(f"{AGENTS}/completion", ASK))
    calls = agreed(ada.get(f"{MARKET}/activity"), PAGE)["calls"]
    lines = ada.get(f"{MARKET}/activity/export?format=jsonl")
    assert lines.headers["content-type"].startswith("application/jsonl")
    assert [json.loads(line, parse_float=Decimal) for line in lines.text.splitlines()] == calls
    table = list(csv.DictReader(io.StringIO(ada.get(f"{MARKET}/activity/export").text)))
    assert [(r["request_id"], Decimal(r["cost"])) for r in table] == [
        (c["request_id"], c["cost"]) for c in calls
    ]
    assert "e-" not in ada.get(f"{MARKET}/activity/export").text.lower().split("\n")[1].split(",")[13]
    empty = ada.get(f"{MARKET}/activity/export?model=nothing").text
    assert empty.splitlines() == [",".join(table[0])]


def test_impossible_questions_are_400_and_never_500(server: Server) -> None:
    ada = server.person()
    for bad in (
        "metrics=money", "by=colour", "by=model&by=key&by=agent", "tz=Nowhere/Town", "tz=%00", "granularity=year", "days=0",
        "since=yesterday", "since=2026-13-40", "since=2026-01-02&until=2026-01-01", "status=odd", "limit=0", "limit=99999",
        "by=time&granularity=hour&days=366", "model=" + "x" * 201, "since=9999-12-31&until=9999-12-31",
        "since=0001-01-01", "model=%00", "&".join(f"model={n}" for n in range(51)),
    ):  # fmt: skip
        refused(ada.get(f"{MARKET}/usage/query?{bad}"), 400, "invalid_request")
    for bad in ("cursor=zzz", "limit=0", "limit=201", "status=odd", "since=x", "tz=Mars/x"):
        refused(ada.get(f"{MARKET}/activity?{bad}"), 400, "invalid_request")
        if "cursor" not in bad and "limit" not in bad:
            refused(ada.get(f"{MARKET}/activity/export?{bad}"), 400, "invalid_request")
    refused(ada.get(f"{MARKET}/activity/export?format=xlsx"), 400, "invalid_request")
    assert server.anybody.get(f"{MARKET}/activity").status == 401


def test_a_rebuild_beside_the_server_changes_no_figure(server: Server) -> None:
    server.upstream.script()
    ada = server.person()
    agreed(ada.post(f"{AGENTS}/completion", ASK))
    question = f"{MARKET}/usage/query?metrics=spend&metrics=requests&by=model&by=time"
    before = agreed(ada.get(question))["rows"]
    done = server.command("usage", "rebuild")
    assert done.returncode == 0, done.stderr
    assert agreed(ada.get(question))["rows"] == before
    assert server.command("ledger", "verify").returncode == 0

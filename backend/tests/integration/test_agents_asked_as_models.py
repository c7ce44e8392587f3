"""Where one model answers once, an agent with tools is not asked as if it had none."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.arena import comparison_answers
from tests.fakes.server import AGENTS, MARKET, PAID, Client, Server, agreed, refused, running
from tests.fakes.upstream import Behaviour


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def ada(server: Server) -> Client:
    return server.person()


@pytest.mark.parametrize("path", ["completion", "chat", "estimate"])
def test_an_agent_with_tools_is_refused_by_name_and_one_without_answers(ada: Client, path: str) -> None:
    made = {"name": "Reckoner", "model": PAID}
    bare = agreed(ada.post(f"{AGENTS}/agents", made))["agent"]["id"]
    tooled = agreed(
        ada.post(f"{AGENTS}/agents", {**made, "parameters": {"agent": {"tools": ["calculator"]}}})
    )["agent"]["id"]
    said = "message" if path == "chat" else "prompt"
    agreed(ada.post(f"{AGENTS}/{path}", {"model": bare, said: "Hi"}))
    for name in (tooled, "agent/operator/code-reviewer"):
        told = refused(ada.post(f"{AGENTS}/{path}", {"model": name, said: "Hi"}), 400, "agent_needs_run")
        assert name in told["error"]
    assert agreed(ada.get(f"{AGENTS}/runs"))["runs"] == []


def test_an_offered_agent_is_compared_with_a_model_once_it_was_agreed_to(server: Server, ada: Client) -> None:
    """Side by side: the agent's side is a run with a cap and a receipt; it is never blind, and no model answers in its place."""
    path, name = f"{MARKET}/comparisons", "agent/operator/code-reviewer"
    asked = {"models": [PAID, name], "prompt": "Review: x = 1", "wait": True, "max_cost": 0.02}
    refused(ada.post(path, asked), 403, "consent_required")
    refused(ada.post(f"{path}/estimate", asked), 403, "consent_required")
    agreed(ada.post(f"{AGENTS}/listings/operator/code-reviewer/consent", {"version": 1}))
    refused(ada.post(path, {**asked, "blind": True}), 400, "agent_needs_run")
    estimated = agreed(ada.post(f"{path}/estimate", asked))
    assert [e["asked"] for e in estimated["estimates"]] == [PAID, name]
    assert estimated["estimates"][1]["estimate"]["maximum"] == Decimal("0.02")
    server.upstream.script(Behaviour(text="It is fine ."))
    found = agreed(ada.post(path, asked))["comparison"]
    model, agent = found["answers"]
    assert [a["status"] for a in (model, agent)] == ["ok", "ok"]
    assert (agent["asked"], agent["content"], agent["request_id"]) == (name, "It is fine . ", None)
    run = agreed(ada.get(f"{AGENTS}/runs/{agent['run_id']}"))["run"]
    assert (run["state"], run["spent"], run["cap"]) == ("done", agent["cost"], Decimal("0.02"))
    assert agreed(ada.get(f"{path}/{found['id']}"))["comparison"]["cost"] == model["cost"] + agent["cost"]
    again = agreed(ada.post(f"{path}/{found['id']}/answers/b/retry", {"wait": True}))["comparison"][
        "answers"
    ][1]
    assert (again["status"], again["run_id"] != agent["run_id"]) == ("ok", True)
    after = {"after": found["id"], "prompt": "And y = 2?", "wait": True}
    assert [a["status"] for a in agreed(ada.post(path, after))["comparison"]["answers"]] == ["ok", "ok"]
    agreed(ada.post(f"{path}/{found['id']}/continue", {"side": "b"}))


def test_an_agent_s_side_that_could_not_begin_leaves_the_others_be(server: Server, ada: Client) -> None:
    parameters = {"agent": {"tools": ["calculator"]}}
    made = {"name": "Reckoner", "model": PAID, "parameters": parameters}
    name = agreed(ada.post(f"{AGENTS}/agents", made))["agent"]["id"]
    server.upstream.script(Behaviour(text="Forty two ."))
    body = {"models": ["gpt-4o", name], "prompt": "6*7?", "wait": True, "max_cost": 0.002, "max_tokens": 10}
    found = agreed(ada.post(f"{MARKET}/comparisons", body))["comparison"]
    assert [a["status"] for a in found["answers"]] == ["ok", "failed"]
    assert found["answers"][1]["error"]["code"] == "cap_too_small"


def test_a_comparison_is_still_read_after_its_agents_run_was_deleted(server: Server, ada: Client) -> None:
    made = {"name": "Adder", "model": PAID, "parameters": {"agent": {"tools": ["calculator"]}}}
    name = agreed(ada.post(f"{AGENTS}/agents", made))["agent"]["id"]
    server.upstream.script(Behaviour(text="Four ."))
    body = {"models": [PAID, name], "prompt": "2+2?", "wait": True, "max_cost": 0.02, "max_tokens": 10}
    found = agreed(ada.post(f"{MARKET}/comparisons", body))["comparison"]
    run = found["answers"][1]["run_id"]
    books = Database.open(f"sqlite:///{server.home / 'data' / 'marketplace.db'}")
    unread = sa.update(comparison_answers).where(comparison_answers.c.run_id == run)
    books.write_sync(lambda c: c.execute(unread.values(status="running")))
    books.close()
    agreed(ada.call("DELETE", f"{AGENTS}/runs/{run}"))
    side = agreed(ada.get(f"{MARKET}/comparisons/{found['id']}"))["comparison"]["answers"][1]
    assert (side["status"], side["error"]["code"]) == ("failed", "not_found")

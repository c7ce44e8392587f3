"""The whole way over HTTP: published, reviewed, found, agreed to, run, accounted for, rated, earned, refunded; the books agree."""

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Client, Server, agreed, running

pytestmark = pytest.mark.both_databases
ADMIN = "/api/v1/admin"
CARD = f"{AGENTS}/listings/ada-writes/summer-up"
VERSION = {
    "name": "Summer-up", "model": PAID, "instructions": "Sum it up in one line.", "summary": "One line for any text",
    "category": "writing", "hosts": ["api.example.com"], "starters": ["Sum this up"],
    "price": {"fee_run": "0.02", "max_fee": "0.02"}, "limits": {"steps": 3, "cap_default": "0.5", "cap_max": "1"},
}  # fmt: skip
ASK = {"model": "agent/ada-writes/summer-up", "input": "A long text", "wait": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def gave(root: Client, who: Client, *, gift: bool) -> None:
    body = {"amount": "5", "reason": "a trial", "password": PASSWORD, "gift": gift}
    agreed(root.post(f"{ADMIN}/people/{who.user_id}/credit", body))


def test_an_agent_from_its_first_draft_to_its_author_s_first_cents(server: Server) -> None:
    root, ada, bob = server.person("first@example.com"), server.person(), server.person()
    agreed(ada.call("PUT", f"{AGENTS}/publisher", {"handle": "ada-writes"}))
    offered = agreed(ada.post(f"{AGENTS}/offered", {"slug": "summer-up", "version": VERSION}))["agent"]["id"]
    mine = f"{AGENTS}/offered/{offered}"
    waiting = agreed(ada.post(f"{mine}/versions/1/submit", {"visibility": "listed"}))["version"]
    assert waiting["state"] == "submitted"
    assert agreed(bob.get(f"{AGENTS}/listings?q=summer-up"))["total"] == 0
    (entry,) = agreed(root.get(f"{ADMIN}/agents/queue"))["versions"]
    assert entry["version"]["spec"]["instructions"] == "Sum it up in one line."
    decide = f"{ADMIN}/agents/{offered}/versions/1/decision"
    assert (
        root.post(decide, {"decision": "approve", "reason": "fine", "password": "wrong, so wrong"}).status
        == 401
    )
    agreed(root.post(decide, {"decision": "approve", "reason": "fine", "password": PASSWORD}))

    (found,) = agreed(bob.get(f"{AGENTS}/listings?q=summer-up"))["listings"]
    assert (found["agent"]["model"], found["version"]["spec"]["instructions"]) == (
        "agent/ada-writes/summer-up",
        None,
    )
    quote = agreed(server.anybody.get(f"{CARD}/quote"))
    assert (quote["basis"], quote["fee_most"], quote["cap_default"]) == ("computed", D("0.02"), D("0.5"))
    assert D("0.02") < quote["p50"] <= quote["p90"] <= D("0.5")
    refused = bob.post(f"{AGENTS}/runs", ASK)
    assert (refused.status, refused.json["code"], refused.json["hosts"]) == (
        403,
        "consent_required",
        ["api.example.com"],
    )
    agreed(bob.post(f"{CARD}/consent", {"version": 1}))
    gave(root, bob, gift=True)
    poor = bob.post(f"{AGENTS}/runs", ASK)
    assert (poor.status, poor.json["code"]) == (402, "needs_topup")
    gave(root, bob, gift=False)
    run = agreed(bob.post(f"{AGENTS}/runs", ASK))["run"]
    assert run["state"] == "done", run
    receipt = agreed(bob.get(f"{AGENTS}/runs/{run['run_id']}/receipt"))["receipt"]
    assert (receipt["runs"][0]["fee"], receipt["agrees"]) == (D("0.02"), True)
    assert receipt["posted"] == receipt["spent"] == receipt["runs"][0]["cost"] + D("0.02")
    _trusted(server, root, ada, bob, run["run_id"], mine)
    _stopped(server, root, ada, bob, run["run_id"], decide)


def _trusted(server: Server, root: Client, ada: Client, bob: Client, run_id: str, mine: str) -> None:
    """Rated by who paid, counted, reported."""
    agreed(bob.call("PUT", f"{CARD}/rating", {"run_id": run_id, "stars": 4, "words": "Short and right"}))
    assert ada.call("PUT", f"{CARD}/rating", {"run_id": run_id, "stars": 5}).status == 404
    card = agreed(server.anybody.get(CARD))
    assert (card["figures"]["runs"], card["figures"]["rating"]["mean"], card["reviews"][0]["words"]) == (
        1,
        4,
        "Short and right",
    )
    assert agreed(ada.get(f"{AGENTS}/earnings"))["pending"] == D("0.016")
    figures = agreed(ada.get(f"{mine}/figures"))
    assert (figures["runs"], figures["revenue"], figures["enough"]) == (1, D("0.016"), False)
    agreed(bob.post(f"{CARD}/report", {"version": 1, "why": "other", "words": "Too short"}))
    (report,) = agreed(root.get(f"{ADMIN}/agents/reports"))["reports"]
    agreed(root.post(f"{ADMIN}/agents/reports/{report['id']}/close", {"reason": "a matter of taste"}))


def _stopped(server: Server, root: Client, ada: Client, bob: Client, run_id: str, decide: str) -> None:
    """Refunded from both sides, and the kill switch."""
    back = f"{ADMIN}/agents/fees/{run_id}/refund"
    assert [agreed(root.post(back, {"reason": "wrong", "password": PASSWORD}))["fee"] for _ in range(2)] == [
        D("0.02"),
        0,
    ]
    assert agreed(ada.get(f"{AGENTS}/earnings"))["pending"] == 0
    payout = {"amount": 1, "reference": "r", "reason": "x", "password": PASSWORD}
    assert root.post(f"{ADMIN}/agents/authors/{ada.user_id}/payouts", payout).status == 409
    agreed(root.post(decide, {"decision": "suspend", "reason": "leaks"}))
    assert bob.post(f"{AGENTS}/runs", ASK).status in (403, 404)
    acts = [line["act"] for line in agreed(root.get(f"{ADMIN}/audit"))["lines"]]
    assert {"approve agent", "suspend agent", "refund agent fee", "close agent report"} <= set(acts)
    assert agreed(bob.get(f"{MARKET}/billing/balance"))["held"] == 0
    checked = server.command("ledger", "verify")
    assert checked.returncode == 0, checked.stdout

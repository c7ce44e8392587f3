"""Alerts over HTTP, and what an operator watches besides: every metric that deploy/ names is one that /metrics has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_marketplace.api import metrics
from tests.fakes.server import PASSWORD, Client, Server, agreed, refused, running

DEPLOY = Path(__file__).parents[3] / "deploy"
ALERTS = "/api/v1/admin/alerts"
LATER = {"marketplace_ledger_problems"}  # from the first proof of the books on, five minutes after the start
NAME = re.compile(r"\bmarketplace_[a-z_]+\b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def admin(server: Server) -> Client:
    return server.person("first@example.com")


def test_rules_are_read_from_the_running_parts_and_changed_with_a_reason(admin: Client) -> None:
    rules = {rule["name"]: rule for rule in agreed(admin.get(ALERTS))["rules"]}
    assert len(rules) == 7
    assert admin.call("PUT", f"{ALERTS}/rules/disk", {"on": True, "limit": 950}).status == 400
    agreed(admin.call("PUT", f"{ALERTS}/rules/disk", {"on": False, "limit": 950, "reason": "small disk"}))
    (disk,) = (rule for rule in agreed(admin.get(ALERTS))["rules"] if rule["name"] == "disk")
    assert (disk["on"], disk["limit"], disk["shown_limit"]) == (False, 950, "95.0 %")
    body = {"kind": "webhook", "address": "https://10.0.0.1/x", "reason": "x", "password": PASSWORD}
    assert admin.post(f"{ALERTS}/targets", body | {"password": "wrong, so wrong"}).status == 401
    target = agreed(admin.post(f"{ALERTS}/targets", body))["id"]
    refused(
        admin.post(f"{ALERTS}/targets/{target}/test"), 503, "temporarily_unavailable"
    )  # a private address
    (shown,) = agreed(admin.get(ALERTS))["targets"]
    assert (shown["to"], bool(shown["words"])) == ("10.0.0.1", True)
    agreed(admin.call("DELETE", f"{ALERTS}/targets/{target}", {"reason": "x"}))
    assert agreed(admin.get(ALERTS))["targets"] == []


def test_every_metric_that_deploy_names_is_there(server: Server, admin: Client) -> None:
    agreed(admin.get("/api/v1/marketplace/profile"))
    there = set(NAME.findall(server.anybody.get("/metrics").text))
    rules = (DEPLOY / "prometheus-rules.yml").read_text()
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    wanted = [t["expr"] for panel in board["panels"] for t in panel["targets"]]
    named = set(NAME.findall(rules)) | set(NAME.findall(" ".join(wanted)))
    assert len(named) > 8
    assert named - there == LATER
    assert set(NAME.findall(Path(metrics.__file__).read_text())) >= LATER

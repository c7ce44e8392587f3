"""Money over HTTP, against the real server: exact numbers, pages, receipts, plans, refusals."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.fakes.server import AGENTS, MARKET, NUMBER, PAID, Client, Server, agreed, refused, running
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

ENTRY = {
    "id": (int, str),
    "at": str,
    "kind": str,
    "amount": str,
    "balance_after": str,
    "request_id": (str, None),
    "memo": str,
}
RECEIPT = {
    "request_id": str, "model": str, "provider": str, "created_at": str, "status": str, "cost": NUMBER,
    "list_cost": (*NUMBER, None), "hold": NUMBER, "price": ({"input": str, "output": str}, None), "fallback": (dict, None),
    "estimate": ({"p50": NUMBER, "p95": NUMBER, "maximum": NUMBER}, None),
    "attempts": [{"provider": str, "model": str, "status": str, "reason": (str, None), "duration_ms": int}],
    "usage": {"input_tokens": int, "output_tokens": int, "estimated": bool},
    "timings": {"first_token_ms": (int, None), "total_ms": int}, "dropped_parameters": [str],
    "notes": [{"field": str, "act": str, "reason": str}],
}  # fmt: skip
ESTIMATE = {
    "p50": NUMBER, "p95": NUMBER, "maximum": NUMBER, "input_tokens": int, "output_tokens": {"p50": int, "p95": int},
}  # fmt: skip
ASK = {"model": PAID, "prompt": "Hi", "max_tokens": 50}
COST = Decimal("0.00000585")  # 11 input tokens at $0.15 and 7 output tokens at $0.60 per 1M


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(autouse=True)
def _friendly(server: Server) -> None:
    server.upstream.script()


def raw(text: str, field: str) -> str:
    """The number as it stands in the JSON text."""
    found = re.search(rf'"{field}":(-?[0-9.]+(?:[eE][+-]?\d+)?)[,}}]', text)
    assert found is not None, text
    return found[1]


def test_a_call_costs_exactly_its_tokens_and_the_balance_says_so(server: Server) -> None:
    ada = server.person()
    answer = ada.post(f"{AGENTS}/completion", ASK)
    agreed(answer)
    assert (raw(answer.text, "cost"), raw(answer.text, "balance_remaining")) == ("0.00000585", "4.99999415")
    balance = ada.get(f"{MARKET}/billing/balance")
    agreed(balance, {"balance": NUMBER, "available": NUMBER, "held": NUMBER, "currency": str})
    assert [raw(balance.text, f) for f in ("balance", "available", "held")] == [
        "4.99999415",
        "4.99999415",
        "0",
    ]
    assert raw(ada.get(f"{MARKET}/profile").text, "balance") == "4.99999415"


def test_the_statement_pages_through_every_movement_once_and_adds_up(server: Server) -> None:
    ada = server.person()
    for _ in range(5):
        agreed(ada.post(f"{AGENTS}/completion", ASK))
    entries, cursor = [], ""
    while cursor is not None:
        page = agreed(
            ada.get(f"{MARKET}/billing/statement?limit=2{cursor and '&cursor=' + cursor}"),
            {"entries": [ENTRY], "next_cursor": (str, None)},
        )
        assert len(page["entries"]) <= 2
        entries += page["entries"]
        cursor = page["next_cursor"]
    assert len({e["id"] for e in entries}) == len(entries) == 6
    assert sum(Decimal(e["amount"]) for e in entries) == Decimal(entries[0]["balance_after"]) == 5 - 5 * COST
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", e["amount"]) for e in entries)
    for bad in ("cursor=zzz", "limit=0", "limit=9999", "cursor=-1"):
        refused(ada.get(f"{MARKET}/billing/statement?{bad}"), 400, "invalid_request")


def test_usage_by_model_and_day_adds_up_to_the_charges(server: Server) -> None:
    ada = server.person()
    agreed(ada.post(f"{AGENTS}/completion", ASK))
    agreed(ada.post(f"{AGENTS}/completion", {**ASK, "model": "claude-haiku-4.5"}))
    for by in ("model", "day"):
        row = {by: str, "requests": int, "tokens": int, "cost": NUMBER}
        body = agreed(
            ada.get(f"{MARKET}/billing/usage?by={by}&days=7"),
            {"usage": [row], "total": {"requests": int, "tokens": int, "cost": NUMBER}},
        )
        assert body["total"]["requests"] == 2
        assert sum(r["cost"] for r in body["usage"]) == body["total"]["cost"] == COST + Decimal("0.000046")
    refused(ada.get(f"{MARKET}/billing/usage?by=colour"), 400, "invalid_request")
    refused(ada.get(f"{MARKET}/billing/usage?days=0"), 400, "invalid_request")


def test_the_receipt_tells_estimate_attempts_and_charge(server: Server) -> None:
    ada, bob = server.person(), server.person()
    server.upstream.script(Behaviour(status=500), Behaviour())
    answer = ada.post(f"{AGENTS}/completion", ASK)
    body = agreed(answer)
    receipt = agreed(ada.get(f"{MARKET}/generations/{body['request_id']}"), {"generation": RECEIPT})[
        "generation"
    ]
    assert receipt["cost"] == body["cost"] == COST
    assert [a["status"] for a in receipt["attempts"]] == ["failed", "ok"]
    assert receipt["estimate"]["p50"] <= receipt["estimate"]["p95"] <= receipt["estimate"]["maximum"]
    assert receipt["cost"] <= receipt["hold"]
    assert answer.headers["x-generation-id"] == body["request_id"]
    refused(bob.get(f"{MARKET}/generations/{body['request_id']}"), 404, "not_found")
    agreed(ada.post(f"{MARKET}/generations/{body['request_id']}/signal", {"kind": "thumb_up"}))
    refused(
        ada.post(f"{MARKET}/generations/{body['request_id']}/signal", {"kind": "sideways"}),
        400,
        "invalid_request",
    )
    assert bob.post(f"{MARKET}/generations/{body['request_id']}/signal", {"kind": "thumb_up"}).status == 404


def test_an_estimate_holds_for_the_call_that_follows_and_is_never_a_402(server: Server) -> None:
    ada = server.person()
    shape = {"estimate": ESTIMATE, "affordable": bool, "max_affordable_tokens": int}
    told = agreed(ada.post(f"{AGENTS}/estimate", ASK), shape)
    cost = agreed(ada.post(f"{AGENTS}/completion", ASK))["cost"]
    assert cost <= told["estimate"]["maximum"]
    chat = agreed(
        ada.post(
            f"{AGENTS}/estimate", {"model": PAID, "message": "Hi", "system": "Be brief", "parent_id": None}
        ),
        shape,
    )
    assert chat["affordable"] is True
    dear = {"model": "o1-pro", "prompt": "word " * 150_000, "max_tokens": 100_000}
    poor = agreed(ada.post(f"{AGENTS}/estimate", dear), shape)
    assert poor["affordable"] is False
    refused(ada.post(f"{AGENTS}/estimate", {"model": PAID}), 400, "invalid_request")
    refused(
        ada.post(f"{AGENTS}/estimate", {"model": "no-such-model-at-all", "prompt": "x"}),
        404,
        "model_not_found",
        nearest=list,
    )


def test_an_empty_wallet_is_a_402_that_names_the_way_out(server: Server) -> None:
    ada = server.person()
    answer = ada.post(
        f"{AGENTS}/completion", {"model": "o1-pro", "prompt": "word " * 3000, "max_tokens": 100_000}
    )
    fields = {
        "required": NUMBER,
        "balance": NUMBER,
        "held": NUMBER,
        "available": NUMBER,
        "max_affordable_tokens": int,
    }
    body = refused(answer, 402, "payment_required", **fields)
    assert "free_alternative" in body
    assert raw(answer.text, "balance") == "5"
    assert body["required"] > body["available"]
    assert agreed(ada.get(f"{MARKET}/billing/balance"))["held"] == 0
    ceiling = ada.post(f"{AGENTS}/completion", {**ASK, "max_cost": "0.000000001"})
    refused(ceiling, 402, "max_cost_exceeded")


def subscribe(ada: Client, plan: str, key: str | None = None) -> object:
    return ada.post(
        f"{MARKET}/billing/subscribe", {"plan": plan}, **({"idempotency-key": key} if key else {})
    )


def test_a_plan_is_paid_once_however_often_the_request_is_repeated(server: Server) -> None:
    ada = server.rich("100")
    plan = {"name": str, "price": NUMBER, "days": int, "model_tiers": [str], "description": str}
    plans = agreed(server.anybody.get(f"{MARKET}/billing/plans"), {"plans": [plan]})["plans"]
    paid = next(p for p in plans if p["price"] > 0)
    first = subscribe(ada, paid["name"], "once")
    body = agreed(first, {"tier": str, "expires_at": (str, None), "balance": NUMBER})  # type: ignore[arg-type]
    assert (body["tier"], body["balance"]) == (paid["name"], 105 - paid["price"])
    again = agreed(subscribe(ada, paid["name"], "once"))  # type: ignore[arg-type]
    assert again["balance"] == body["balance"]
    other = next((p["name"] for p in plans if p["name"] != paid["name"]), None)
    if other is not None:
        refused(subscribe(ada, other, "once"), 422, "idempotency_mismatch")  # type: ignore[arg-type]
    refused(subscribe(ada, "platinum"), 400, "invalid_request")  # type: ignore[arg-type]


def test_a_plan_that_the_wallet_cannot_pay_is_a_402_and_changes_nothing(server: Server) -> None:
    ada = server.person()
    plans = agreed(ada.get(f"{MARKET}/billing/plans"))["plans"]
    dear = next(p for p in plans if p["price"] > 5)
    fields = {"required": NUMBER, "balance": NUMBER, "held": NUMBER, "available": NUMBER}
    body = refused(subscribe(ada, dear["name"]), 402, "payment_required", **fields)  # type: ignore[arg-type]
    assert (body["required"], body["balance"], body["available"]) == (dear["price"], 5, 5)
    assert agreed(ada.get(f"{MARKET}/profile"))["user"]["tier"] == "free"
    assert raw(ada.get(f"{MARKET}/billing/balance").text, "balance") == "5"


def test_the_books_balance_after_everything_above(server: Server) -> None:
    verified = server.command("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

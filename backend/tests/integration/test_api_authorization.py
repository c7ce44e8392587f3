"""Who may do what, over every route of `/openapi.json`: a route that is not in the table fails, and nobody reaches another's data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Client, Server, agreed, running
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

# open: anybody. caller: any valid credential. inference, read, write: a session, or a key with that scope. person: a session.
# admin: an administrator's session.
Need = Literal["open", "caller", "inference", "read", "write", "person", "admin"]
MINE = "mine"  # the path names an object of the owner: 404 for everybody else


@dataclass(frozen=True)
class Rule:
    need: Need
    mine: bool = False
    body: Any = None
    owner: int = 200  # what the owner gets, where the object's state forbids it


ASK = {"model": PAID, "prompt": "Hi", "max_tokens": 5}
SHARED = (PAID, "anthropic", "a", "b", "1", "xx")  # names that are nobody's own
COMPARE = {"models": [PAID, "gpt-5.4-nano"], "prompt": "Hi", "max_tokens": 5}
M, A, ADMIN = MARKET, AGENTS, "/api/v1/admin"
CARD, OFFERED = f"{AGENTS}/listings/{{publisher}}/{{slug}}", f"{AGENTS}/offered/{{offered_id}}"
A2A = "/a2a/{publisher}/{slug}"
PROOF = {"password": "wrong, so wrong", "reason": "x"}
RULES: dict[str, Rule] = {
    "get /healthz": Rule("open"),
    "get /readyz": Rule("open"),
    "get /metrics": Rule("open"),
    f"get {M}/auth/signup": Rule("open"),
    f"post {M}/auth/signup": Rule("open", body={}),
    f"post {M}/auth/signin": Rule("open", body={}),
    f"post {M}/auth/forgot": Rule("open", body={}),
    f"post {M}/auth/reset": Rule("open", body={}),
    f"post {M}/auth/confirm": Rule("open", body={}),
    f"post {M}/auth/confirm/again": Rule("person"),
    f"get {M}/notices": Rule("read"),
    f"put {M}/notices": Rule("person", body={"low_balance": 2}),
    f"post {M}/auth/signout": Rule("person"),
    f"post {M}/auth/password": Rule(
        "person", body={"current_password": "wrong, so wrong", "new_password": PASSWORD}
    ),
    f"get {M}/auth/sessions": Rule("person"),
    f"delete {M}/auth/sessions": Rule("person", body={"password": "wrong, so wrong"}),
    f"get {M}/profile": Rule("read"),
    f"get {M}/account/export": Rule("person"),
    f"delete {M}/account": Rule("person", body={"password": "wrong, so wrong"}),
    f"get {M}/models": Rule("open"),
    f"get {M}/models/search": Rule("open"),
    f"get {M}/models/popular": Rule("open"),
    f"get {M}/models/trending": Rule("open"),
    f"get {M}/models/feed.rss": Rule("open"),
    f"get {M}/models/{{model_id}}": Rule("open"),
    f"get {M}/models/{{model_id}}/endpoints": Rule("open"),
    f"post {M}/models/{{model_id}}/rating": Rule("write", body={"stars": 5}),
    f"get {M}/favourites": Rule("read"),
    f"put {M}/favourites/{{model_id}}": Rule("write"),
    f"delete {M}/favourites/{{model_id}}": Rule("write"),
    f"post {M}/recommendations": Rule("caller", body={"task": "Fix a bug"}),
    f"get {M}/estimates/calibration": Rule("read"),
    f"get {M}/usage/query": Rule("read"),
    f"get {M}/activity": Rule("read"),
    f"get {M}/activity/export": Rule("read"),
    f"post {M}/generations/{{request_id}}/signal": Rule("write", mine=True, body={"kind": "thumb_up"}),
    f"get {M}/generations/{{request_id}}": Rule("read", mine=True),
    f"post {M}/api-keys": Rule("person", body={"provider": "openai", "api_key": "sk-0123456789abcdef"}),
    f"get {M}/api-keys": Rule("read"),
    f"delete {M}/api-keys/{{provider}}": Rule("person", mine=True),
    f"post {M}/api-keys/{{provider}}/test": Rule("person", mine=True),
    f"get {M}/providers": Rule("open"),
    f"get {M}/clients": Rule("open"),
    f"get {M}/keys": Rule("person"),
    f"post {M}/keys": Rule("person", body={"name": "x"}),
    f"delete {M}/keys/{{key_id}}": Rule("person", mine=True),
    f"post {M}/auth/device/code": Rule("open", body={}),
    f"post {M}/auth/device/token": Rule("open", body={}),
    f"post {M}/auth/device/look": Rule("person", body={"user_code": "BCDF-GHJK"}),
    f"post {M}/auth/device/approve": Rule(
        "person", body={"user_code": "BCDF-GHJK", "name": "x", "scopes": ["inference"]}
    ),
    f"post {M}/auth/device/deny": Rule("person", body={"user_code": "BCDF-GHJK"}),
    f"get {M}/billing/balance": Rule("read"),
    f"get {M}/billing/statement": Rule("read"),
    f"get {M}/billing/lots": Rule("read"),
    f"get {M}/billing/usage": Rule("read"),
    f"get {M}/billing/plans": Rule("open"),
    f"post {M}/billing/subscribe": Rule("person", body={"plan": "free"}),
    f"get {M}/payments": Rule("read"),
    f"get {M}/payments/orders": Rule("read"),
    f"post {M}/payments/orders": Rule(
        "person", body={"method": "transfer", "amount": 20, "attempt": "attempt-1"}
    ),
    f"get {M}/payments/orders/{{order_id}}": Rule("read", mine=True),
    f"post {M}/payments/orders/{{order_id}}/cancel": Rule("person", mine=True),
    f"post {M}/payments/orders/{{order_id}}/refund": Rule("person"),
    f"get {M}/payments/recharge": Rule("read"),
    f"post {M}/payments/recharge": Rule(
        "person", body={"threshold": 5, "amount": 20, "monthly": 60, "consent": True}, owner=404
    ),
    f"post {M}/payments/recharge/off": Rule("person", owner=404),
    f"delete {M}/payments/recharge": Rule("person"),
    f"get {M}/payments/disputes": Rule("read"),
    f"post {M}/payments/disputes/{{request_id}}": Rule("person", mine=True, body={"why": "wrong"}),
    f"get {ADMIN}/refunds": Rule("admin"),
    f"post {ADMIN}/refunds/{{return_id}}/close": Rule("admin", body={"sent": True, **PROOF}),
    f"post {ADMIN}/orders/{{order_id}}/chargeback": Rule(
        "admin", body={"amount": 1, "reference": "x", **PROOF}
    ),
    f"post {ADMIN}/orders/{{order_id}}/reinstate": Rule("admin", body={"reference": "x", **PROOF}),
    f"get {ADMIN}/disputes": Rule("admin"),
    f"get {ADMIN}/disputes/{{request_id}}": Rule("admin"),
    f"post {ADMIN}/disputes/{{request_id}}": Rule("admin", body={"grant": True, **PROOF}),
    f"post {M}/payments/redeem": Rule("person", body={"code": "x"}),
    f"post {M}/payments/notice": Rule("open", body={}),
    f"post {M}/payments/stripe": Rule("open", body={}),
    f"get {ADMIN}/overview": Rule("admin"),
    f"get {ADMIN}/price-reviews": Rule("admin"),
    f"post {ADMIN}/price-reviews/{{review_id}}": Rule("admin", body={"accept": True, **PROOF}),
    f"get {ADMIN}/usage/query": Rule("admin"),
    f"get {ADMIN}/orders": Rule("admin"),
    f"post {ADMIN}/orders/{{order_id}}/received": Rule(
        "admin", body={"amount": 20, "currency": "USD", "reference": "x", **PROOF}
    ),
    f"post {ADMIN}/orders/{{order_id}}/cancel": Rule("admin", body={"reason": "x"}),
    f"get {ADMIN}/payment-events": Rule("admin"),
    f"get {ADMIN}/codes": Rule("admin"),
    f"post {ADMIN}/codes": Rule("admin", body={"name": "x", "count": 1, "amount": 5, **PROOF}),
    f"post {ADMIN}/codes/{{batch_id}}/revoke": Rule("admin", body={"reason": "x"}),
    f"get {ADMIN}/people": Rule("admin"),
    f"get {ADMIN}/people/{{user_id}}": Rule("admin"),
    f"get {ADMIN}/people/{{user_id}}/access": Rule("admin"),
    f"post {ADMIN}/people/{{user_id}}/sessions/{{session_id}}/end": Rule("admin", body={"reason": "x"}),
    f"post {ADMIN}/people/{{user_id}}/keys/{{key_id}}/revoke": Rule("admin", body={"reason": "x"}),
    f"post {ADMIN}/credits": Rule("admin", body={"users": ["x"], "amount": 1, **PROOF}),
    f"get {ADMIN}/activity": Rule("admin"),
    f"post {ADMIN}/people/{{user_id}}/credit": Rule("admin", body={"amount": 1, **PROOF}),
    f"post {ADMIN}/people/{{user_id}}/role": Rule("admin", body={"role": "user", **PROOF}),
    f"post {ADMIN}/people/{{user_id}}/signout": Rule("admin", body={"reason": "x"}),
    f"post {ADMIN}/people/{{user_id}}/reset-link": Rule("admin", body=PROOF),
    f"get {ADMIN}/alerts": Rule("admin"),
    f"put {ADMIN}/alerts/rules/{{rule}}": Rule("admin", body={"on": True, "limit": 1, "reason": "x"}),
    f"post {ADMIN}/alerts/targets": Rule("admin", body={"kind": "mail", "address": "a@b.c", **PROOF}),
    f"post {ADMIN}/alerts/targets/{{target_id}}/test": Rule("admin"),
    f"delete {ADMIN}/alerts/targets/{{target_id}}": Rule("admin", body={"reason": "x"}),
    f"get {ADMIN}/mail": Rule("admin"),
    f"post {ADMIN}/mail/test": Rule("admin", body={}),
    f"post {ADMIN}/mail/{{mail_id}}/again": Rule("admin", body={"reason": "x"}),
    f"post {ADMIN}/mail/{{mail_id}}/link": Rule("admin", body=PROOF),
    f"get {ADMIN}/audit": Rule("admin"),
    f"post {ADMIN}/people/{{user_id}}/trust": Rule("admin", body={"trusted": False, "reason": "x"}),
    f"post {ADMIN}/suspensions": Rule("admin", body={"users": ["x"], "suspended": False, "reason": "x"}),
    f"get {ADMIN}/providers": Rule("admin"),
    f"post {ADMIN}/providers/{{provider}}/key": Rule("admin", body={"api_key": "x", **PROOF}),
    f"post {ADMIN}/providers/{{provider}}/key/delete": Rule("admin", body=PROOF),
    f"post {ADMIN}/providers/{{provider}}/test": Rule("admin"),
    f"get {ADMIN}/offers": Rule("admin"),
    f"post {ADMIN}/offers/price": Rule("admin", body={"offer": "x", "input": 1, "output": 1, **PROOF}),
    f"post {ADMIN}/offers/switch": Rule("admin", body={"offer": "x", "off": False, "reason": "x"}),
    f"get {ADMIN}/settings": Rule("admin"),
    f"post {ADMIN}/settings/{{name}}": Rule("admin", body={"value": "x", "reason": "x"}),
    f"get {ADMIN}/audit.csv": Rule("admin"),
    f"post {A}/completion": Rule("inference", body=ASK),
    f"post {A}/chat": Rule("inference", body={"model": PAID, "message": "Hi"}),
    f"post {A}/documents": Rule("inference", body={}),
    f"post {A}/estimate": Rule("inference", body=ASK),
    f"get {A}/runs/{{run_id}}/events": Rule("inference", mine=True),
    f"post {A}/runs/{{run_id}}/stop": Rule("inference", mine=True),
    f"post {A}/runs": Rule("inference", body={"model": PAID, "input": "Hi"}),
    f"get {A}/runs": Rule("read"),
    f"get {A}/approvals": Rule("read"),
    f"get {A}/runs/{{run_id}}": Rule("read", mine=True),
    f"get {A}/runs/{{run_id}}/receipt": Rule("read", mine=True),
    f"post {A}/runs/{{run_id}}/cancel": Rule("inference", mine=True),
    f"delete {A}/runs/{{run_id}}": Rule("inference", mine=True, owner=409),
    f"post {A}/runs/{{run_id}}/cap": Rule("inference", mine=True, body={"cap": 1}, owner=409),
    f"post {A}/runs/{{run_id}}/input": Rule("inference", mine=True, body={"text": "x"}, owner=409),
    f"post {A}/runs/{{run_id}}/approve": Rule(
        "inference",
        mine=True,
        body={"answers": [{"approval_id": "x", "subject": "x", "allow": True}]},
        owner=409,
    ),
    f"get {A}/tool-servers": Rule("read"),
    f"post {A}/tool-servers": Rule("write", body={"name": "x", "url": "https://127.0.0.1/"}),
    f"get {A}/tool-servers/{{server_id}}": Rule("read", mine=True),
    f"post {A}/tool-servers/{{server_id}}/refresh": Rule("write", mine=True),
    f"post {A}/tool-servers/{{server_id}}/approve": Rule(
        "write", mine=True, body={"tools": [{"tool": "x", "sha256": "0" * 64}]}, owner=409
    ),
    f"delete {A}/tool-servers/{{server_id}}": Rule("write", mine=True),
    f"get {A}/conversations/{{conversation_id}}/share": Rule("read", mine=True),
    f"put {A}/conversations/{{conversation_id}}/share": Rule("write", mine=True, body={}),
    f"delete {A}/conversations/{{conversation_id}}/share": Rule("write", mine=True),
    f"get {A}/shares": Rule("read"),
    f"get {A}/shared/{{token}}": Rule("open", body={}),
    f"get {A}/labels": Rule("read"),
    f"post {A}/import": Rule("write", body=[]),
    f"get {A}/prompts": Rule("read"),
    f"post {A}/prompts": Rule("write", body={"name": "x", "text": "x"}),
    f"patch {A}/prompts/{{prompt_id}}": Rule("write", mine=True, body={"name": "Mine"}),
    f"delete {A}/prompts/{{prompt_id}}": Rule("write", mine=True),
    f"get {A}/conversations": Rule("read"),
    f"get {A}/conversations/{{conversation_id}}": Rule("read", mine=True),
    f"patch {A}/conversations/{{conversation_id}}": Rule("write", mine=True, body={"title": "Mine"}),
    f"delete {A}/conversations/{{conversation_id}}": Rule("write", mine=True),
    f"get {A}/conversations/{{conversation_id}}/export": Rule("read", mine=True),
    f"get {A}/agents": Rule("read"),
    f"post {A}/agents": Rule("write", body={"name": "x"}),
    f"get {A}/agents/{{agent_id}}": Rule("read", mine=True),
    f"patch {A}/agents/{{agent_id}}": Rule("write", mine=True, body={"name": "Mine"}),
    f"delete {A}/agents/{{agent_id}}": Rule("write", mine=True),
    f"get {A}/listings": Rule("open"),
    f"get {CARD}": Rule("open"),
    f"post {CARD}/consent": Rule("write", body={"version": 1}),
    f"delete {CARD}/consent": Rule("write"),
    f"get {CARD}/quote": Rule("open"),
    f"put {CARD}/rating": Rule("write", body={"run_id": "x", "stars": 5}),
    f"post {CARD}/report": Rule("write", body={"version": 1, "why": "other"}),
    f"post {CARD}/fork": Rule("write", body={"slug": "mine"}),
    f"get {A}/installed": Rule("read"),
    f"get {A}/publisher": Rule("read"),
    f"put {A}/publisher": Rule("write", body={"handle": "x"}),
    f"get {A}/offered": Rule("read"),
    f"post {A}/offered": Rule("write", body={"slug": "x", "version": {}}),
    f"get {OFFERED}": Rule("read", mine=True),
    f"get {OFFERED}/diff": Rule("read", mine=True),
    f"get {OFFERED}/figures": Rule("read", mine=True),
    f"post {OFFERED}/versions": Rule("write", mine=True, body={"name": "x"}),
    f"post {OFFERED}/versions/{{version}}/submit": Rule("write", mine=True, body={"visibility": "private"}),
    f"post {OFFERED}/versions/{{version}}/withdraw": Rule("write", mine=True),
    f"get {A}/earnings": Rule("read"),
    f"post {ADMIN}/agents/fees/{{run_id}}/refund": Rule("admin", body=PROOF),
    f"post {ADMIN}/agents/authors/{{user_id}}/payouts": Rule(
        "admin", body={"amount": 1, "reference": "x", **PROOF}
    ),
    f"get {ADMIN}/agents/reports": Rule("admin"),
    f"post {ADMIN}/agents/reports/{{report_id}}/close": Rule("admin", body={"reason": "x"}),
    f"get {ADMIN}/agents/queue": Rule("admin"),
    f"get {ADMIN}/agents/found": Rule("admin"),
    f"get {ADMIN}/agents/authors": Rule("admin"),
    f"get {ADMIN}/agents/tool-servers": Rule("admin"),
    f"post {ADMIN}/agents/tool-servers/{{server_id}}/stop": Rule("admin", body={"stopped": False, **PROOF}),
    f"post {ADMIN}/agents/{{offered_id}}/versions/{{version}}/decision": Rule(
        "admin", body={"decision": "suspend", "reason": "x"}
    ),
    f"get {A}/{{agent_id}}/history": Rule("read", mine=True),
    f"get {A}/agents/{{agent_id}}/history": Rule("read", mine=True),
    f"post {M}/comparisons": Rule("inference", body=COMPARE),
    f"post {M}/comparisons/estimate": Rule("inference", body=COMPARE),
    f"get {M}/leaderboard": Rule("caller"),
    f"get {M}/price-quality": Rule("open"),
    f"post {M}/evaluations": Rule("inference", body={}),
    f"get {M}/evaluations": Rule("read"),
    f"get {M}/evaluations/{{evaluation_id}}": Rule("read", mine=True),
    f"get {M}/evaluations/{{evaluation_id}}/results": Rule("read", mine=True),
    f"post {M}/evaluations/{{evaluation_id}}/stop": Rule("inference", mine=True),
    f"post {M}/evaluations/{{evaluation_id}}/resume": Rule("inference", mine=True),
    f"delete {M}/evaluations/{{evaluation_id}}": Rule("inference", mine=True),
    f"get {M}/comparisons": Rule("read"),
    f"get {M}/comparisons/{{comparison_id}}": Rule("read", mine=True),
    f"delete {M}/comparisons/{{comparison_id}}": Rule("write", mine=True),
    f"post {M}/comparisons/{{comparison_id}}/answers/{{side}}/retry": Rule(
        "inference", mine=True, body={"wait": True}
    ),
    f"post {M}/comparisons/{{comparison_id}}/vote": Rule("write", mine=True, body={"vote": "tie"}),
    f"post {M}/comparisons/{{comparison_id}}/reveal": Rule("write", mine=True),
    f"post {M}/comparisons/{{comparison_id}}/continue": Rule("write", mine=True, body={"side": "a"}),
    "post /mcp": Rule("caller", body={"jsonrpc": "2.0", "id": 1, "method": "ping"}),
    "get /.well-known/agent-card.json": Rule("open"),
    "get /.well-known/oauth-authorization-server": Rule("open"),
    f"get {A2A}/.well-known/agent-card.json": Rule("open"),
    "post /a2a": Rule("inference", body={}),
    f"post {A2A}": Rule("inference", body={}),
    f"post {A2A}/message:send": Rule("inference", body={}),
    f"post {A2A}/message:stream": Rule("inference", body={}),
    f"get {A2A}/tasks": Rule("inference"),
    f"get {A2A}/tasks/{{task_id}}": Rule("inference"),
    f"post {A2A}/tasks/{{task_id}}:cancel": Rule("inference"),
    f"get {A2A}/tasks/{{task_id}}:subscribe": Rule("inference"),
    f"post {A2A}/tasks/{{task_id}}:subscribe": Rule("inference"),
    "get /v1/key": Rule("caller"),
    "get /v1/auth/key": Rule("caller"),
    "get /v1/credits": Rule("read"),
    "get /v1/generation": Rule("caller"),
    "get /v1/models": Rule("caller"),
    "get /v1/models/{model_id}": Rule("caller"),
    "get /v1beta/models": Rule("caller"),
    "get /v1beta/models/{model_id}": Rule("caller"),
    "post /v1/messages/count_tokens": Rule(
        "inference", body={"model": PAID, "messages": [{"role": "user", "content": "x"}]}
    ),
    "post /v1/responses/input_tokens": Rule("inference", body={"model": PAID, "input": "x"}),
    "post /v1/models/{model}:countTokens": Rule("inference", body={"contents": [{"parts": [{"text": "x"}]}]}),
    "post /v1beta/models/{model}:countTokens": Rule(
        "inference", body={"contents": [{"parts": [{"text": "x"}]}]}
    ),
    **{
        f"post /{version}/models/{{model}}:{call}": Rule(
            "inference", body={"content": {"parts": [{"text": "x"}]}}
        )
        for version in ("v1", "v1beta")
        for call in ("embedContent", "batchEmbedContents")
    },
    "post /v1/embeddings": Rule("inference", body={"model": "text-embedding-3-small", "input": "x"}),
    "get /editors/vscode": Rule("open"),
    "get /editors/vscode/version": Rule("open"),
    "get /api/version": Rule("open"),
    "get /api/tags": Rule("caller"),
    "get /api/ps": Rule("caller"),
    "post /api/show": Rule("caller", body={"model": PAID}),
    "post /api/embed": Rule("inference", body={"model": "text-embedding-3-small", "input": "x"}),
    "post /api/embeddings": Rule("inference", body={"model": "text-embedding-3-small", "prompt": "x"}),
    "post /v1/chat/completions": Rule(
        "inference", body={"model": PAID, "messages": [{"role": "user", "content": "x"}]}
    ),
    "post /v1/completions": Rule("inference", body={"model": PAID, "prompt": "x"}),
    "post /v1/fim/completions": Rule("inference", body={"model": "codestral-2508", "prompt": "x"}),
    "post /v1/responses": Rule("inference", body={"model": PAID, "input": "x"}),
    "post /v1/responses/compact": Rule("inference", body={"model": PAID, "input": "x"}),
    "post /v1/messages": Rule(
        "inference", body={"model": PAID, "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    ),
    "post /api/chat": Rule(
        "inference", body={"model": PAID, "messages": [{"role": "user", "content": "x"}], "stream": False}
    ),
    "post /api/generate": Rule("inference", body={"model": PAID, "prompt": "x", "stream": False}),
    **{
        f"post /{version}/models/{{model}}:{call}": Rule(
            "inference", body={"contents": [{"parts": [{"text": "x"}]}]}
        )
        for version in ("v1", "v1beta")
        for call in ("generateContent", "streamGenerateContent")
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home"), MARKETPLACE_TRANSFER="IBAN XY") as found:
        found.person("first@example.com")  # the first to sign up is the administrator
        yield found


@pytest.fixture(scope="module")
def routes(server: Server) -> list[str]:
    paths = server.anybody.get("/openapi.json").json["paths"]
    return [f"{method} {path}" for path, methods in paths.items() for method in methods]


@pytest.fixture(scope="module")
def owner(server: Server) -> tuple[Client, dict[str, str]]:
    """Somebody with one object of every kind, and their names."""
    ada = server.person()
    run = "run_" + "d" * 32
    turn = agreed(ada.post(f"{A}/chat", {"model": PAID, "message": "a private matter"}))
    ada.post(f"{A}/chat", {"model": PAID, "message": "Hi", "stream": True, "resumable": True, "run_id": run})
    asked = {**COMPARE, "prompt": "a private matter", "blind": True, "wait": True}
    prompts = b"prompt\n" + b"a private matter\n" * 40
    evaluated = ada.send("POST", f"{M}/evaluations?model={PAID}&budget=0.000001", prompts)
    server.upstream.script(Behaviour(status=400), Behaviour())
    compared = agreed(ada.post(f"{M}/comparisons", asked))["comparison"]
    agreed(ada.post(f"{M}/api-keys", {"provider": "anthropic", "api_key": "sk-ant-0123456789abcdef"}))
    agreed(ada.call("PUT", f"{A}/publisher", {"handle": "ada-l"}))
    made = agreed(
        ada.post(f"{A}/offered", {"slug": "xx", "version": {"name": "x", "model": PAID, "licence": "MIT"}})
    )
    offered = made["agent"]["id"]
    agreed(ada.post(f"{A}/offered/{offered}/versions/1/submit", {"visibility": "unlisted"}))
    tools = agreed(ada.post(f"{A}/tool-servers", {"name": "mine", "url": "https://tools.invalid/mcp"}))
    names = {
        "server_id": tools["server"]["server_id"],
        "offered_id": offered,
        "version": "1",
        "report_id": "rep_none",
        "publisher": "ada-l",
        "slug": "xx",
        "user_id": ada.user_id,
        "comparison_id": compared["id"],
        "evaluation_id": agreed(evaluated)["evaluation"]["id"],
        "side": next(a["side"] for a in compared["answers"] if a["status"] == "failed"),
        "model_id": PAID,
        "model": PAID,
        "run_id": run,
        "task_id": run,
        "provider": "anthropic",
        "request_id": turn["request_id"],
        "conversation_id": turn["conversation_id"],
        "key_id": agreed(ada.post(f"{M}/keys", {"name": "x"}))["id"],
        "agent_id": agreed(ada.post(f"{A}/agents", {"name": "x", "model": PAID}))["agent"]["id"],
        "token": "x" * 32,
        "prompt_id": agreed(ada.post(f"{A}/prompts", {"name": "private matter", "text": "x"}))["prompt"][
            "id"
        ],
        "order_id": agreed(
            ada.post(f"{M}/payments/orders", {"method": "transfer", "amount": 20, "attempt": "attempt-0"})
        )["order"]["id"],
        "batch_id": "bat_none",
        "return_id": "ret_none",
        "session_id": "ses_none",
        "mail_id": "mail_none",
        "rule": "nothing",
        "target_id": "alt_none",
        "review_id": "none",
        "name": "banner",
    }
    return ada, names


def ask(who: Client, route: str, names: dict[str, str]) -> Any:
    method, path = route.split(" ")
    filled = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path)
    return who.call(method.upper(), filled, RULES[route].body)


def test_every_route_declares_who_may_call_it(routes: list[str]) -> None:
    assert sorted(routes) == sorted(RULES)


def test_without_a_valid_credential_only_open_routes_answer(
    server: Server, owner: tuple[Client, dict[str, str]]
) -> None:
    gone = server.person()
    agreed(gone.post(f"{M}/auth/signout"))
    for who in (server.anybody, server.as_("nonsense"), gone):
        for route, rule in RULES.items():
            status = ask(who, route, owner[1]).status
            if rule.need == "open":
                fits = status in (200, 400) or (status in (401, 404) and rule.body is not None)
                # Without a built UI there is no extension.
                assert fits or (status == 404 and "/editors/" in route), f"{route}: {status}"
            else:
                assert status == 401, f"{route}: {status}"


@pytest.mark.parametrize("scope", ["inference", "account:read", "account:write"])
def test_a_key_does_what_its_scope_says_and_nothing_else(
    server: Server, owner: tuple[Client, dict[str, str]], scope: str
) -> None:
    may = {"inference": "inference", "read": "account:read", "write": "account:write"}
    key = server.key(server.person(), scopes=[scope])
    for route, rule in RULES.items():
        if rule.need not in ("open", "caller") and may.get(rule.need) != scope:
            answer = ask(key, route, owner[1])
            assert answer.status == 403, f"{route}: {answer.status} {answer.text}"
        elif rule.need == "caller" or not rule.mine:
            assert ask(key, route, owner[1]).status not in (401, 403) or "/rating" in route, route


@pytest.mark.parametrize("who", ["another user", "the administrator"])
def test_nobody_reaches_another_persons_objects(
    server: Server, owner: tuple[Client, dict[str, str]], who: str
) -> None:
    token = server.anybody.post(
        f"{M}/auth/signin", {"email": "first@example.com", "password": PASSWORD}
    ).json["token"]
    stranger = server.person() if who == "another user" else server.as_(token)
    for route, rule in RULES.items():
        if rule.mine:
            answer = ask(stranger, route, owner[1])
            assert answer.status == 404, f"{route}: {answer.status} {answer.text}"
            assert "private matter" not in answer.text
    for route in (
        f"get {A}/conversations",
        f"get {M}/account/export",
        f"get {M}/api-keys",
        f"get {M}/keys",
        f"get {A}/agents",
    ):
        text = ask(stranger, route, owner[1]).text
        assert not [name for name in owner[1].values() if name in text and name not in SHARED], route


def test_only_administrators_act_for_others(server: Server, owner: tuple[Client, dict[str, str]]) -> None:
    person = server.person()
    for route, rule in RULES.items():
        if rule.need == "admin":
            assert ask(person, route, owner[1]).status == 403, route


def test_the_owner_reaches_all_of_it(owner: tuple[Client, dict[str, str]]) -> None:
    """So that the 404s above are refusals and not typing errors; what deletes comes last."""
    ada, names = owner
    for route, rule in sorted(RULES.items(), key=lambda item: item[0].startswith("delete")):
        if rule.mine:
            answer = ask(ada, route, names)
            assert answer.status == rule.owner, f"{route}: {answer.status} {answer.text}"

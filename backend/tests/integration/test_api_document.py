"""`/openapi.json` says what the server does: nothing is missing, nothing is invented, its examples work, `/docs` needs no network."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agent_marketplace.api import replies, schemas
from agent_marketplace.api.document import document_text
from agent_marketplace.api.doors import DOORS
from tests.fakes.server import AGENTS, MARKET, PAID, PASSWORD, Answer, Server, running

FRONTEND = Path(__file__).parents[3] / "frontend" / "openapi.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.anybody.get("/openapi.json").body)
    return found


def test_the_frontends_copy_is_the_servers_document(document: dict[str, Any]) -> None:
    told = "run: cd backend && ../.venv/bin/agent-marketplace openapi > ../frontend/openapi.json"
    assert FRONTEND.read_text() == document_text(), told
    assert json.loads(FRONTEND.read_text()) == document, told


def test_every_hot_path_is_in_the_document(document: dict[str, Any]) -> None:
    for path in (door.path for door in DOORS):
        assert "post" in document["paths"][path], path


def test_every_path_of_the_document_is_served_with_its_methods(
    server: Server, document: dict[str, Any]
) -> None:
    for path, methods in document["paths"].items():
        real = re.sub(r"\{[^}]+\}", "x", path)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            status = server.anybody.send(method, real).status
            if method.lower() in methods:
                assert status != 405, f"{method} {path}"
            else:
                assert status in (404, 405) or any(
                    _covers(other, real, method, document) for other in document["paths"]
                ), f"{method} {path} answers {status} and is not in the document"


def _covers(template: str, path: str, method: str, document: dict[str, Any]) -> bool:
    pattern = re.sub(r"\\\{[^}]+\\\}", ".+", re.escape(template))
    return method.lower() in document["paths"][template] and re.fullmatch(pattern, path) is not None


def test_every_operation_is_summarised_named_once_and_its_references_resolve(
    document: dict[str, Any],
) -> None:
    operations = [o for methods in document["paths"].values() for o in methods.values()]
    assert all(o.get("summary") for o in operations)
    names = [o["operationId"] for o in operations]
    assert len(set(names)) == len(names)
    known = document["components"]["schemas"]
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in known, reference


def test_every_reply_of_our_own_api_has_a_named_type(document: dict[str, Any]) -> None:
    files = {"/api/v1/agents/conversations/{conversation_id}/export", "/api/v1/marketplace/models/feed.rss",
             "/api/v1/agents/runs/{run_id}/events", "/api/v1/marketplace/activity/export",
             "/api/v1/admin/audit.csv", "/api/v1/marketplace/evaluations/{evaluation_id}/results"}  # fmt: skip
    for path, methods in document["paths"].items():
        if path.startswith("/api/v1/") and path not in files:
            for method, operation in methods.items():
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                assert "$ref" in schema, f"{method} {path}: {schema}"


def test_replies_are_what_the_document_says_they_are(server: Server) -> None:
    ada = server.person()
    turn = ada.post(f"{AGENTS}/chat", {"model": PAID, "message": "Hi"})
    said, ask = turn.json, {"model": PAID, "prompt": "Hi"}
    agent = ada.post(f"{AGENTS}/agents", {"name": "x", "model": PAID})
    place = f"{AGENTS}/conversations/{said['conversation_id']}"
    checked: list[tuple[type[BaseModel], Answer]] = [
        (replies.Turn, turn),
        (schemas.Completion, ada.post(f"{AGENTS}/completion", ask)),
        (replies.Estimated, ada.post(f"{AGENTS}/estimate", ask)),
        (replies.Receipt, ada.get(f"{MARKET}/generations/{said['request_id']}")),
        (replies.Conversations, ada.get(f"{AGENTS}/conversations")),
        (replies.Conversation, ada.get(place)),
        (replies.ConversationChanged, ada.call("PATCH", place, {"pinned": True})),
        (schemas.History, ada.get(f"{AGENTS}/{PAID}/history")),
        (replies.AgentReply, agent),
        (replies.Agents, ada.get(f"{AGENTS}/agents")),
        (replies.AgentVersions, ada.get(f"{AGENTS}/agents/{agent.json['agent']['id']}")),
        (
            replies.ProviderKeySaved,
            ada.post(f"{MARKET}/api-keys", {"provider": "openai", "api_key": "sk-0123456789abcdef"}),
        ),
        (replies.ProviderKeys, ada.get(f"{MARKET}/api-keys")),
        (replies.KeyCreated, ada.post(f"{MARKET}/keys", {"name": "x", "cap": {"amount": 1}})),
        (replies.Keys, ada.get(f"{MARKET}/keys")),
        (replies.Statement, ada.get(f"{MARKET}/billing/statement")),
        (replies.UsageReply, ada.get(f"{MARKET}/billing/usage?by=day")),
        (replies.Plans, ada.get(f"{MARKET}/billing/plans")),
        (replies.Subscribed, ada.post(f"{MARKET}/billing/subscribe", {"plan": "free"})),
        (replies.Providers, ada.get(f"{MARKET}/providers")),
        (replies.Rated, ada.post(f"{MARKET}/models/{PAID}/rating", {"stars": 4})),
        (replies.Favourites, ada.call("PUT", f"{MARKET}/favourites/{PAID}")),
        (replies.Exported, ada.get(f"{MARKET}/account/export")),
        (replies.Calibrated, ada.get(f"{MARKET}/estimates/calibration")),
        (schemas.Profile, ada.get(f"{MARKET}/profile")),
        (schemas.BalanceOut, ada.get(f"{MARKET}/billing/balance")),
        (schemas.Models, ada.get(f"{MARKET}/models?limit=5000")),
        (schemas.OneModel, ada.get(f"{MARKET}/models/{PAID}")),
        (schemas.Offers, ada.get(f"{MARKET}/models/{PAID}/endpoints")),
        (schemas.Search, ada.get(f"{MARKET}/models/search?q=gpt")),
        (schemas.Ranked, ada.get(f"{MARKET}/models/popular")),
        (schemas.Recommendations, ada.post(f"{MARKET}/recommendations", {"task": "Fix a bug"})),
    ]
    for model, answer in checked:
        assert answer.status == 200, f"{model.__name__}: {answer.text}"
        model.model_validate_json(answer.body)


def examples(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" in content:
                yield method, path, content["example"]
            name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
            for example in document["components"]["schemas"].get(name, {}).get("examples", []):
                yield method, path, example


def test_every_example_is_accepted_by_the_server(server: Server, document: dict[str, Any]) -> None:
    tried, ada = 0, server.rich()
    for method, path, body in examples(document):
        caller = server.person() if path.endswith(("/auth/password", "/auth/sessions", "/account")) else ada
        if "model" in body and path.startswith(("/v1", "/api/v1/agents/c", "/api/v1/agents/e")):
            assert isinstance(body["model"], str)
            body = {**body, "model": "gpt-4o-mini"} if "input" not in body else body
        if path.endswith("/auth/signin"):
            server.anybody.post("/api/v1/marketplace/auth/signup", body)
        if path.endswith(("/auth/password", "/auth/sessions", "/account")):
            body = {**body, **{k: PASSWORD for k in ("current_password", "password") if k in body}}
        real = path.replace("{model_id}", "gpt-4o-mini").replace("{model}", "gpt-4o-mini")
        if "{" in real:
            continue
        answer = caller.call(method.upper(), real, body)
        assert answer.status == 200, f"{method} {path} {body}: {answer.status} {answer.text}"
        tried += 1
    assert tried >= 10


def test_the_documentation_page_needs_nothing_from_elsewhere(
    server: Server, document: dict[str, Any]
) -> None:
    page = server.anybody.get("/docs")
    assert page.status == 200
    assert not re.search(r"https?://|//[a-z]", page.text)
    assert all(path in page.text for path in document["paths"])

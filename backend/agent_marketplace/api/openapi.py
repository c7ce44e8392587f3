"""`/openapi.json`: FastAPI's document plus the hot path's routes, which are written by hand; and `/docs` without any CDN."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse

from agent_marketplace.api import schemas
from agent_marketplace.api.doors import DOORS, Door

_BEARER: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
_STRING: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_ROUTING: dict[str, Any] = {
    "stream": _FLAG,
    "max_tokens": _WHOLE,
    "temperature": _NUMBER,
    "options": {"type": "object", "description": "The same fields; the top level wins"},
    "fallback": {
        "type": "boolean",
        "description": "false: no other endpoint or model (a retry is still made)",
    },
    "on_empty": {"type": "string", "enum": ["error", "free"]},
    "byok": {"type": "string", "enum": ["prefer", "only", "never"]},
    "models": {"type": "array", "items": _STRING, "description": "Fallback models, in order"},
    "provider": {
        "type": "object",
        "description": "order, only, ignore, allow_fallbacks, require_parameters, sort, max_price",
    },
    "max_cost": {"type": "number", "description": "The most this answer may cost, dollars"},
}
_HAND_MADE: dict[str, Any] = {
    "CompletionBody": {
        "type": "object",
        "required": ["model"],
        "properties": {
            "model": {"type": "string", "description": "A model, `auto`, or one of your agents (agt_...)"},
            "prompt": _STRING,
            "messages": {"type": "array", "items": {"type": "object"}},
            "system": _STRING,
            **_ROUTING,
        },
    },
    "ChatBody": {
        "type": "object",
        "properties": {
            "model": _STRING,
            "agent_id": _STRING,
            "message": _STRING,
            "conversation_id": _STRING,
            "parent_id": {
                "type": ["string", "null"],
                "description": "Answer below this message; null begins a new branch at the root",
            },
            "images": {"type": "array", "items": _STRING, "description": "data:image/...;base64 URLs"},
            "system": _STRING,
            "run_id": _STRING,
            "resumable": _FLAG,
            "temporary": _FLAG,
            **_ROUTING,
        },
    },
    "RunBody": {
        "type": "object",
        "properties": {
            "agent_id": {"type": "string", "description": "agt_… or agt_…@version"},
            "model": {
                "type": "string",
                "description": "In place of an agent: a model with the tools of `agent`",
            },
            "input": {"type": "string", "description": "What is asked; or `messages`"},
            "messages": {"type": "array", "items": {"type": "object"}},
            "cap": {"type": "number", "description": "The most the whole run may cost, dollars (0.5)"},
            "agent": {"type": "object", "description": "tools, subagents, limits"},
            "instructions": _STRING,
            "attended": {
                "type": "boolean",
                "description": "false: nobody approves calls, so those that need it are refused",
            },
            "stream": {"type": "boolean", "description": "The run's events; a hang-up does not end it"},
            "wait": {
                "type": "boolean",
                "description": "Answer when the run has ended or waits (300 s at most)",
            },
            "run_id": _STRING,
            "max_tokens": _WHOLE,
            "temperature": _NUMBER,
        },
    },
}
_WITHOUT_KEY = (
    "/healthz", "/readyz", "/metrics", "/api/v1/marketplace/auth/device/code", "/api/v1/marketplace/auth/device/token",
)  # fmt: skip
_DOCS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>API — AI Agent Marketplace</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}code{font-size:.95em}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}</style>
<h1>AI Agent Marketplace API</h1><p>The machine-readable description: <a href="/openapi.json">/openapi.json</a>.
Send <code>Authorization: Bearer TOKEN</code> (a session token or a marketplace key).</p>%s</html>"""


def install_openapi(app: FastAPI) -> None:
    """Adds the hot routes and the security schemes to the document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    app.get("/docs", include_in_schema=False)(_docs)


async def _docs(request: Request) -> HTMLResponse:
    """No closure over the application: FastAPI keeps what it knows of a route's function for the life of the process."""
    application: FastAPI = request.app
    return HTMLResponse(_DOCS % _table(application.openapi()))


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(_HAND_MADE)
    components["schemas"]["Failure"] = schemas.Failure.model_json_schema()
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
    for door in DOORS:
        made["paths"][door.path] = {"post": _wire(door)}
    for path, methods in made["paths"].items():
        for operation in methods.values():
            operation.get("responses", {}).pop("422", None)
            if path.startswith("/api/v1/"):
                operation["responses"]["default"] = {
                    "description": "Any failure",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
                }
            if path not in _WITHOUT_KEY and "/auth/sign" not in path:
                operation["security"] = _BEARER
    return made


def _wire(door: Door) -> dict[str, Any]:
    path = door.path
    body: dict[str, Any] = {
        "type": "object",
        "additionalProperties": True,
        "description": "The wire's own body",
    }
    operation: dict[str, Any] = {
        "tags": ["wires"],
        "summary": door.summary,
        "operationId": path.strip("/")
        .replace("/", "_")
        .replace("{model}", "model")
        .replace(":", "_")
        .replace(".", "_"),
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "The wire's own answer",
                "content": {"application/json": {}, "text/event-stream": {}},
            },
            "default": {"description": "The wire's own error"},
        },
    }
    if path == "/v1/chat/completions":
        operation["requestBody"]["content"]["application/json"]["example"] = {
            "model": "smollm2-135m",
            "messages": [{"role": "user", "content": "Hello!"}],
        }
    if "{model}" in path:
        operation["parameters"] = [{"name": "model", "in": "path", "required": True, "schema": _STRING}]
    return operation


def _table(document: dict[str, Any]) -> str:
    rows = []
    for path, methods in sorted(document["paths"].items()):
        rows += [
            f"<tr><td><code>{method.upper()}</code><td><code>{path}</code><td>{operation.get('summary', '')}"
            for method, operation in methods.items()
        ]
    return f"<table><tr><th>Method<th>Path<th>What{''.join(rows)}</table>"

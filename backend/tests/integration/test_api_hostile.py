"""Hostile input at every route: never a 500, never a traceback or a name from inside, always an error in the path's own shape."""

import http.client
import json
import random
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.server import AGENTS, MARKET, PAID, Answer, Client, Server, running

pytestmark = pytest.mark.both_databases

_DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
_BODIES: tuple[bytes, ...] = (
    b"", b"{", b"null", b"[]", b'"x"', b"NaN", b"1e999", b"{}", b"\xff\xfe\x00", b"[" * 100_000, _DEEP, b'{"model":NaN}',
    b'{"email":"a@b.c","email":"d@e.f","password":1}', b'{"model":"\\ud800","prompt":"\\udfff"}', b'{"\\u0000":"\\u0000"}',
    b'{"model":"gpt-4o-mini","prompt":"x\\u0000y","max_tokens":1e400}', b"<xml/>", b"a=b&c=d", b"\x1f\x8b\x08\x00",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**40, -(2**63) - 1, 1.5, 1e308, "", "x" * 5000, "\x00", "\ud800", "../../etc/passwd", "' OR 1=1 --",
    "\u202e\U0001f600", [], [[]], {}, {"a": {"b": []}}, ["x"] * 3000, "NaN", "gpt-4o-mini", "2026-13-45",
)  # fmt: skip
_FIELDS = (
    "email", "password", "invite", "current_password", "new_password", "provider", "api_key", "task", "limit", "priority",
    "max_cost", "input_tokens", "attachments", "name", "cap", "expires_in_days", "scopes", "plan", "idempotency_key", "stars",
    "kind", "title", "pinned", "model", "instructions", "parameters", "prompt", "messages", "system", "stream", "max_tokens",
    "temperature", "options", "fallback", "on_empty", "byok", "models", "agent_id", "message", "conversation_id", "parent_id",
    "images", "run_id", "resumable", "temporary", "contents", "input", "tools", "stop", "n", "response_format", "keep_alive",
    "generationConfig", "dimensions", "encoding_format", "generateContentRequest",
)  # fmt: skip
_NAMES = (
    "x",
    "%00",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..",
    "%ff%fe",
    "a" * 4000,
    "%F0%9F%98%80",
    "'%20OR%201=1",
    "-1",
    "gpt-4o-mini",
)
_TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "",
    "a" * 300,
    "\xff/\xff",
)
_INSIDE = re.compile(  # an address stands alone: a request's random id may hold "0x" and eight such digits
    r"Traceback|File \"|site-packages|agent_marketplace[./]|sqlite|sqlalchemy|psycopg|pydantic|msgspec|starlette|\b0x[0-9a-f]{8}"
    r"|errors\.pydantic|/home/|/root/", re.IGNORECASE,
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def wire_shape(path: str, body: Any) -> bool:
    """Whether this is an error as the path's own clients know it."""
    if path.startswith("/v1beta/") or re.match(r"^/v1/models/.+:[a-zA-Z]+$", path):
        return isinstance(body["error"]["status"], str) and isinstance(body["error"]["code"], int)
    if path.startswith("/v1/messages"):
        return bool(body["type"] == "error" and body["error"]["type"] and body["error"]["message"])
    if path.startswith("/v1/"):
        return bool(body["error"]["message"] and body["error"]["code"])
    if path.startswith("/api/") and not path.startswith("/api/v1/"):
        return isinstance(body["error"], str)
    if (
        path.startswith("/a2a") and "jsonrpc" not in body and "success" not in body
    ):  # A2A's HTTP+JSON: google.rpc.Status
        error = body["error"]
        return isinstance(error["code"], int) and bool(
            error["status"] and error["message"] and error["details"]
        )
    if (
        path.startswith(("/mcp", "/a2a")) and "jsonrpc" in body
    ):  # what HTTP itself refuses (413, 401) comes as everywhere
        error = body["error"]
        return body["jsonrpc"] == "2.0" and isinstance(error["code"], int) and bool(error["message"])
    if path.startswith(f"{MARKET}/auth/device/") and "success" not in body:  # RFC 6749, 5.2
        return bool(body["error"] and body["error_description"])
    return bool(body["success"] is False and body["error"] and body["code"] and body["request_id"])


def proper(answer: Answer, method: str, path: str, sent: object) -> None:
    """Asserts that whatever came back is something we may say."""
    place = f"{method} {path[:200]} {str(sent)[:300]}: {answer.status} {answer.body[:500]!r}"
    assert answer.status < 500, place
    if answer.status >= 400 and method != "HEAD":
        assert wire_shape(path, json.loads(answer.body)), place
        assert not _INSIDE.search(answer.text), place


def routes(server: Server) -> list[tuple[str, str]]:
    paths = server.anybody.get("/openapi.json").json["paths"]
    dangerous = {
        ("delete", f"{MARKET}/account"),
        ("post", f"{MARKET}/auth/signout"),
        ("post", f"{MARKET}/auth/password"),
    }
    return [(m.upper(), p) for p, methods in paths.items() for m in methods if (m, p) not in dangerous]


def test_malformed_bodies_at_every_route(server: Server) -> None:
    ada = server.person()
    kinds = random.Random(1)
    for method, path in routes(server):
        real = re.sub(r"\{\w+\}", "gpt-4o-mini", path)
        for body in kinds.sample(_BODIES, 7) if method in ("POST", "PUT", "PATCH", "DELETE") else (b"{",):
            answer = ada.send(method, real, body, {"content-type": kinds.choice(_TYPES[:4])})
            proper(answer, method, real, body)
    assert "Traceback" not in server.log


def test_wrong_values_in_every_known_field(server: Server) -> None:
    ada = server.person()
    pick = random.Random(2)
    good: dict[str, Any] = {
        "model": PAID,
        "prompt": "Hi",
        "message": "Hi",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    for method, path in routes(server):
        if method in ("GET", "DELETE"):
            continue
        real = re.sub(r"\{\w+\}", "gpt-4o-mini", path)
        for _ in range(8):
            body = {name: pick.choice(_VALUES) for name in pick.sample(_FIELDS, 4)}
            if pick.random() < 0.5:
                body = {**good, **body}
            answer = ada.send(method, real, json.dumps(body).encode(), {"content-type": "application/json"})
            proper(answer, method, real, body)
    assert "Traceback" not in server.log


def test_hostile_names_in_paths_and_queries(server: Server) -> None:
    ada = server.person()
    pick = random.Random(3)
    for method, path in routes(server):
        for name in pick.sample(_NAMES, 3):
            real = re.sub(r"\{\w+\}", lambda _, n=name: n, path)  # type: ignore[misc]
            query = f"?limit={pick.choice(_NAMES)}&cursor={pick.choice(_NAMES)}&q={pick.choice(_NAMES)}&days={10**30}&pageSize=x"
            answer = ada.send(
                method, real + (query if method == "GET" else ""), b"{}" if method != "GET" else None
            )
            proper(answer, method, real, query)
    assert "Traceback" not in server.log


@pytest.mark.parametrize("kind", _TYPES)
def test_odd_content_types_are_refused_in_words(server: Server, kind: str) -> None:
    for path in (f"{MARKET}/auth/signin", f"{AGENTS}/completion", "/v1/chat/completions", "/v1/embeddings"):
        answer = server.person().send(
            "POST", path, b"\x00\x01", {"content-type": kind.encode("latin-1").decode("latin-1")}
        )
        proper(answer, "POST", path, kind)
        assert 400 <= answer.status < 500


def test_a_body_of_ten_megabytes_is_answered_not_choked_on(server: Server) -> None:
    ada = server.person()
    big = json.dumps(
        {"model": PAID, "prompt": "x" * 10_000_000, "messages": [], "email": "x" * 10_000_000}
    ).encode()[: 10 << 20]
    for path in (f"{AGENTS}/completion", "/v1/chat/completions", f"{MARKET}/auth/signin"):
        proper(ada.send("POST", path, big, {"content-type": "application/json"}), "POST", path, "10 MB")
    deflated = ada.send(
        "POST", f"{AGENTS}/completion", b"x", {"content-encoding": "gzip", "content-type": "application/json"}
    )
    assert deflated.status == 400


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/assets/..%2f..%2fapp.py", "/assets/%2e%2e/%2e%2e/settings.py", "//etc/passwd",
     "/.env", "/assets/.hidden", "/%00", "/assets/\\..\\..\\x", "/index.html%00.png"],
)  # fmt: skip
def test_no_path_leads_out_of_the_web_folder(server: Server, path: str) -> None:
    answer = server.anybody.send("GET", path)
    assert answer.status in (200, 400, 404)
    assert "root:" not in answer.text
    assert "import " not in answer.text.split("<", 1)[0]


@pytest.mark.parametrize(
    "host", ["", "evil.example", "a" * 5000, "x:99999", "[::1", "evil.example\tx", "127.0.0.1, evil"]
)
def test_a_strange_host_is_harmless(server: Server, host: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plug:
        plug.sendall(
            f"GET {MARKET}/models/feed.rss HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(plug)
        answer.begin()
        with answer:
            assert answer.status < 500
            answer.read()


def test_a_credential_sent_twice_or_in_two_ways_is_refused(server: Server) -> None:
    ada, bob = server.person(), server.person()
    answer = ada.get(f"{MARKET}/profile", x_api_key=bob.credential or "")
    assert answer.status == 401
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plug:
        lines = "".join(f"Authorization: Bearer {who.credential}\r\n" for who in (ada, bob))
        plug.sendall(f"GET {MARKET}/profile HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n".encode())
        told = http.client.HTTPResponse(plug)
        told.begin()
        with told:
            assert told.status in (400, 401)


def test_after_all_of_this_the_server_still_works_and_its_books_balance(server: Server) -> None:
    ada: Client = server.person()
    assert ada.post(f"{AGENTS}/completion", {"model": PAID, "prompt": "Hi"}).status == 200
    verified = server.command("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

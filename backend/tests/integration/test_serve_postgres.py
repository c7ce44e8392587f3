"""The product on PostgreSQL with two workers, as an operator runs it: real processes, a real database, a scripted provider."""

import base64
import http.client
import json
import os
import secrets
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.conftest import Postgres
from tests.fakes.served import Served, command, environment, served, until
from tests.fakes.threaded import Threaded, threaded_upstream
from tests.fakes.unstorable import failures
from tests.fakes.upstream import Behaviour

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("serve_postgres")]

MODEL = "gpt-4o-mini"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}


@pytest.fixture(scope="module")
def provider() -> Iterator[Threaded]:
    with threaded_upstream(Behaviour(stepped=True, text="a b c d e f")) as fake:
        yield fake


@pytest.fixture
def upstream(provider: Threaded) -> Threaded:
    provider.fresh()
    return provider


@pytest.fixture(scope="module")
def env(
    tmp_path_factory: pytest.TempPathFactory, durable_postgres: Postgres, provider: Threaded
) -> dict[str, str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(
        durable_postgres.url.replace("+psycopg", "") + "postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    env = environment(
        tmp_path_factory.mktemp("home"),
        DATABASE_URL=f"{durable_postgres.url.replace('+psycopg', '')}postgres?options=-csearch_path%3D{name}",
        JWT_SECRET=secrets.token_urlsafe(48),
        ENCRYPTION_KEY=base64.urlsafe_b64encode(os.urandom(32)).decode(),
        OPENAI_BASE_URL=provider.base_url,
        OPENAI_API_KEY="sk-operator",
        MARKETPLACE_HOLD_TTL="3",
    )
    done = command(env, "migrate")
    assert done.returncode == 0, done.stderr
    return env


@pytest.fixture(scope="module")
def server(env: dict[str, str]) -> Iterator[Served]:
    with served(env, "--workers", "2") as server:
        yield server


def grant(server: Served, email: str, dollars: Decimal) -> None:
    done = command(server.env, "user", "grant", email, f"{dollars:f}")
    assert done.returncode == 0, done.stderr


def required(server: Served, token: str) -> Decimal:
    """What one call holds: a newcomer's sign-up credit does not pay for the operator's models here, so the 402 says it."""
    status, body = server.call("POST", "/v1/chat/completions", CHAT, token)
    assert status == 402, body
    status, body = server.call("POST", "/api/v1/agents/completion", {"model": MODEL, "prompt": "hi", "max_tokens": 50,
                                                                     "fallback": False}, token)  # fmt: skip
    assert status == 402, body
    assert body["available"] == 0
    return Decimal(str(body["required"]))


def metric(server: Served, name: str) -> int:
    _, text = server.call("GET", "/metrics")
    return int(float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " "))))


def test_the_balance_for_k_calls_admits_k_of_128_over_two_workers(server: Served, upstream: Threaded) -> None:
    token = server.sign_up("kofn@b.c")
    each, k = required(server, token), 7
    grant(server, "kofn@b.c", each * k)
    body = {"model": MODEL, "prompt": "hi", "max_tokens": 50, "stream": True, "fallback": False}

    def call(_: int) -> int:
        return server.call("POST", "/api/v1/agents/completion", body, token)[0]

    with ThreadPoolExecutor(128) as pool:
        calls = [pool.submit(call, i) for i in range(128)]
        # Admitted calls hang at the provider until it is released: until then no hold can be given back.
        until(lambda: sum(c.done() for c in calls) >= 128 - k and len(upstream.fake.requests) >= k)
        assert sum(c.done() for c in calls) == 128 - k
        upstream.release(1_000)
        statuses = [c.result() for c in calls]
    assert sorted(set(statuses)) == [200, 402]
    assert statuses.count(200) == k == len(upstream.fake.requests)
    status, wallet = server.call("GET", "/api/v1/marketplace/billing/balance", token=token)
    assert (status, wallet["held"]) == (200, 0)
    assert wallet["available"] >= 0
    done = command(server.env, "ledger", "verify", "--json")
    assert (done.returncode, json.loads(done.stdout)["problems"]) == (0, [])


def test_a_worker_killed_in_mid_stream_leaves_no_hold_and_the_books_agree(
    server: Served, upstream: Threaded
) -> None:
    token = server.sign_up("killed@b.c")
    grant(server, "killed@b.c", Decimal(10))
    streams = [_stream(server, token) for _ in range(6)]
    until(lambda: len(upstream.fake.requests) == 6)
    upstream.release(6)
    until(lambda: metric(server, "marketplace_open_holds") == 6)
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: metric(server, "marketplace_open_holds") <= 6 and len(server.workers()) == 2)
    until(lambda: metric(server, "marketplace_worker_deaths") == 1)
    upstream.release(1_000)
    outcomes = [_read(stream) for stream in streams]
    assert all(end in ("whole", "cut") for end in outcomes)
    until(lambda: metric(server, "marketplace_open_holds") == 0)  # within 60 s, as `until` allows
    done = command(server.env, "ledger", "verify", "--json")
    assert (done.returncode, json.loads(done.stdout)["problems"]) == (0, [])
    _, usage = server.call("GET", "/api/v1/marketplace/billing/usage?by=model", token=token)
    assert sum(row["requests"] for row in usage["usage"]) == 6


def test_revocation_and_prices_reach_every_worker(server: Served) -> None:
    session = server.sign_up()
    made = command(server.env, "key", "create", "--user", "ann@example.com", "--json")
    key = json.loads(made.stdout)
    assert {server.call("GET", "/v1/models", token=key["key"])[0] for _ in range(20)} == {200}

    def accepted(token: str) -> bool:
        path = "/v1/models" if token.startswith("sk-") else "/api/v1/marketplace/profile"
        return any(server.call("GET", path, token=token)[0] == 200 for _ in range(20))

    assert command(server.env, "key", "revoke", key["id"], "--user", "ann@example.com").returncode == 0
    until(lambda: not accepted(key["key"]), 3)
    assert accepted(session)
    assert server.call("POST", "/api/v1/marketplace/auth/signout", {}, session)[0] == 200
    until(lambda: not accepted(session), 3)

    def prices() -> set[str]:
        found = [
            server.call("GET", f"/api/v1/marketplace/models/{MODEL}/endpoints")[1]["offers"]
            for _ in range(20)
        ]
        return {o["prices"]["input"] for offers in found for o in offers if o["provider"] == "openai"}

    done = command(server.env, "catalog", "price", f"openai/{MODEL}", "9", "9")
    assert done.returncode == 0, done.stderr
    until(lambda: prices() == {"9"}, 5)


def test_text_that_no_database_takes_is_refused_not_failed(server: Served) -> None:
    assert failures(server, server.sign_up("unstorable@b.c")) == []


def _run(server: Served, token: str, number: int) -> tuple[str, http.client.HTTPConnection]:
    """A resumable chat that has been sent off: (run id, its connection)."""
    run_id = f"run_{number:08d}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = {"model": MODEL, "message": "hi", "stream": True, "resumable": True, "run_id": run_id}
    connection.request("POST", "/api/v1/agents/chat", json.dumps(body), {"authorization": f"Bearer {token}"})
    return run_id, connection


def test_a_reload_finds_its_answer_whichever_worker_it_lands_on(server: Served, upstream: Threaded) -> None:
    token, stranger = server.sign_up("reload@b.c"), server.sign_up("stranger@b.c")
    grant(server, "reload@b.c", Decimal(1))
    upstream.release(2)
    run_id, connection = _run(server, token, 1)
    first = connection.getresponse()
    events = f"/api/v1/agents/runs/{run_id}/events"
    assert server.call("GET", events, token=stranger)[0] == 404
    with ThreadPoolExecutor(12) as pool:
        listeners = [pool.submit(server.call, "GET", events, None, token) for _ in range(12)]
        until(lambda: metric(server, "marketplace_active_calls") == 1)
        upstream.release(1_000)
        heard = [listener.result() for listener in listeners]
    assert {status for status, _ in heard} == {200}
    assert {text for _, text in heard} == {first.read().decode()}
    assert "event: done" in heard[0][1]
    connection.close()


def test_stop_reaches_the_answer_whichever_worker_is_told(server: Served, upstream: Threaded) -> None:
    token = server.sign_up("stop@b.c")
    grant(server, "stop@b.c", Decimal(1))
    runs = [_run(server, token, 100 + i) for i in range(8)]
    until(lambda: len(upstream.fake.requests) == 8)
    for run_id, _ in runs:
        assert server.call("POST", f"/api/v1/agents/runs/{run_id}/stop", {}, token)[1]["stopped"] is True
    for _, connection in runs:
        assert "event: done" in connection.getresponse().read().decode()
        connection.close()
    assert server.call("POST", "/api/v1/agents/runs/run_00000000/stop", {}, token)[0] == 404
    assert metric(server, "marketplace_open_holds") == 0


def test_one_scrape_counts_the_calls_of_all_workers(server: Served) -> None:
    token = server.sign_up("scrape@b.c")
    counted = 'marketplace_requests_total{kind="openai",status="200"}'
    assert server.call("GET", "/v1/models", token=token)[0] == 200
    for _ in range(5):
        before = metric(server, counted)
        for _ in range(20):
            assert server.call("GET", "/v1/models", token=token)[0] == 200
        assert metric(server, counted) == before + 20
    assert metric(server, "marketplace_workers") == 2
    forged = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    forged.request("GET", "/metrics", headers={"x-marketplace-peer": "guessed"})
    assert forged.getresponse().read().decode().startswith("# HELP")
    forged.close()


def test_nothing_is_served_unmetered_while_the_database_is_away(
    server: Served, upstream: Threaded, durable_postgres: Postgres
) -> None:
    token = server.sign_up("away@b.c")
    grant(server, "away@b.c", Decimal(1))
    upstream.release(1_000)
    assert server.call("POST", "/v1/chat/completions", CHAT, token)[0] == 200
    durable_postgres.stop()
    try:
        before = len(upstream.fake.requests)
        answers = [server.call("POST", "/v1/chat/completions", CHAT, token) for _ in range(6)]
        assert {status for status, _ in answers} == {503}
        assert len(upstream.fake.requests) == before
        assert server.call("GET", "/healthz")[0] == 200
        status, why = server.call("GET", "/readyz")
        assert (status, why["status"]) == (503, "database_unavailable")
        assert "marketplace_database_up 0" in server.call("GET", "/metrics")[1]
    finally:
        durable_postgres.start()
    until(lambda: server.call("POST", "/v1/chat/completions", CHAT, token)[0] == 200, 10)
    assert command(server.env, "ledger", "verify").returncode == 0


def test_a_database_that_could_lose_money_or_is_not_migrated_is_refused(
    env: dict[str, str], postgres_url: str
) -> None:
    unsafe = env | {"DATABASE_URL": postgres_url.replace("+psycopg", "")}
    done = command(unsafe, "serve", "--port", "0")
    assert done.returncode == 2
    assert "fsync=off" in done.stderr
    with psycopg.connect(env["DATABASE_URL"].split("?")[0], autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS empty")
    empty = env | {"DATABASE_URL": env["DATABASE_URL"].split("?")[0] + "?options=-csearch_path%3Dempty"}
    done = command(empty, "serve", "--port", "0")
    assert done.returncode == 2
    assert "agent-marketplace migrate" in done.stderr
    done = command(env | {"JWT_SECRET": "change-me"}, "serve", "--port", "0")
    assert done.returncode == 2
    assert "JWT_SECRET" in done.stderr


def _stream(server: Served, token: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = json.dumps({**CHAT, "stream": True})
    holder: list[Any] = []

    def ask() -> None:
        connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {token}"})
        holder.append(connection)

    threading.Thread(target=ask).start()
    until(lambda: bool(holder))
    return connection  # type: ignore[return-value]


def _read(connection: Any) -> str:
    try:
        text = connection.getresponse().read().decode()
    except (http.client.HTTPException, ConnectionError):
        return "cut"
    finally:
        connection.close()
    return "whole" if "[DONE]" in text else "cut"


def test_the_limits_of_all_workers_together_are_the_limits(env: dict[str, str]) -> None:
    with served(env | {"MARKETPLACE_LIMITS": "on"}, "--workers", "2") as server:
        token = server.sign_up("limits@b.c")
        began = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            paths = ["/api/v1/marketplace/billing/balance"] * 400
            statuses = list(pool.map(lambda path: server.call("GET", path, token=token)[0], paths))
        allowed = 200 + 50 * (time.monotonic() - began)
        assert statuses.count(200) <= allowed
        assert set(statuses) <= {200, 429}
        # All of it is there for one connection too, which is one worker's.
        other = server.sign_up("one-connection@b.c")
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(200):
            connection.request(
                "GET", "/api/v1/marketplace/billing/balance", headers={"authorization": f"Bearer {other}"}
            )
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        connection.close()

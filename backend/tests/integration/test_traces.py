"""Traces, as a real OTLP collector gets them from a real server: complete, joined to the caller's, and without a word of anybody's."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent_marketplace.net.traces import open_tracer
from tests.fakes.collector import Collector, Seen, collecting
from tests.fakes.served import PASSWORD, Served, environment, served
from tests.fakes.threaded import threaded_upstream
from tests.fakes.upstream import Behaviour

MODEL, PROMPT, ANSWER = "gpt-4o-mini", "canaryprompt about elephants", "canaryanswer"
EMAIL, OPERATOR_KEY = "canary@example.com", "sk-canaryOperatorKey0123456789"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 50}
CLIENT = 3  # SpanKind of opentelemetry/proto/trace/v1/trace.proto
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
pytestmark = pytest.mark.xdist_group("traces")


def joined(server: Served, token: str) -> int:
    """A call that is part of the caller's own trace; its status."""
    headers = {"authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(CHAT), headers)
        return connection.getresponse().status


def calls(server: Served, token: str) -> None:
    """One of each ending: plain, streamed, refused for its cost, unknown model, failed at the provider."""
    assert joined(server, token) == 200
    assert server.call("POST", "/v1/chat/completions", CHAT | {"stream": True}, token)[0] == 200
    assert server.call("POST", "/api/v1/agents/chat", {"model": MODEL, "message": PROMPT}, token)[0] == 200
    assert server.call("POST", "/v1/chat/completions", CHAT | {"max_cost": "0.000000001"}, token)[0] == 402
    assert server.call("POST", "/v1/chat/completions", CHAT | {"model": PROMPT}, token)[0] == 404
    assert server.call("POST", "/v1/chat/completions", CHAT, token)[0] == 502


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Collector:
    script = [Behaviour(text=ANSWER), Behaviour(text=ANSWER), Behaviour(text=ANSWER)]
    script += [Behaviour(status=401, words=f"bad key {OPERATOR_KEY} for {PROMPT}")]
    with threaded_upstream(*script) as upstream, collecting() as collector:
        env = environment(
            tmp_path_factory.mktemp("home"), OPENAI_BASE_URL=upstream.base_url, OPENAI_API_KEY=OPERATOR_KEY,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        )  # fmt: skip
        with served(env) as server:
            calls(server, server.sign_up(EMAIL))
        assert not [
            name for seen in upstream.fake.requests for name in seen.headers if name.startswith("trace")
        ]
        return collector


def roots(collected: Collector) -> list[Seen]:
    ids = {span.id for span in collected.spans}
    return sorted((s for s in collected.spans if s.parent not in ids), key=lambda s: s.began)


def test_every_call_leaves_one_trace_however_it_ends(collected: Collector) -> None:
    found = roots(collected)
    assert [s.name for s in found] == [f"chat {MODEL}"] * 4 + ["chat", f"chat {MODEL}"]
    assert [s.failed for s in found] == [False] * 3 + [True] * 3
    errors = ["max_cost_exceeded", "model_not_found", "provider_key_refused"]
    assert [s.attributes["error.type"] for s in found[3:]] == errors
    tries = [s for s in collected.children(found[5]) if s.kind == CLIENT]
    assert [(s.failed, s.attributes["error.type"]) for s in tries] == [(True, "authentication")]
    assert collected.services == {"agent-marketplace"}


def test_a_calls_parts_lie_within_it_and_say_what_was_used_and_charged(collected: Collector) -> None:
    for root in roots(collected)[:3]:
        parts = collected.children(root)
        assert [p.name for p in parts] == ["plan", "hold", f"chat {MODEL}", "settle"]
        assert all(root.began <= p.began <= p.ended <= root.ended for p in parts)
        told = root.attributes
        assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == MODEL
        assert told["gen_ai.provider.name"] == "openai"
        assert int(str(told["gen_ai.usage.input_tokens"])) > 0
        assert int(str(told["gen_ai.usage.output_tokens"])) > 0
        assert told["gen_ai.response.finish_reasons"] == ["stop"]
        assert told["marketplace.charged_nano"] == parts[-1].attributes["marketplace.charged_nano"]
        assert int(str(told["marketplace.charged_nano"])) > 0


def test_a_callers_trace_is_joined_and_nobody_elses(collected: Collector) -> None:
    first, *others = roots(collected)
    assert (first.trace, first.parent) == (TRACE, PARENT)
    assert TRACE not in {s.trace for s in others}
    assert len({s.trace for s in others}) == len(others)


def test_no_prompt_answer_key_or_address_is_in_a_trace(collected: Collector) -> None:
    for word in (PROMPT, "canaryprompt", ANSWER, EMAIL, OPERATOR_KEY, PASSWORD):
        assert word.encode() not in collected.raw


def test_a_collector_that_is_away_costs_no_call_and_no_orderly_end(tmp_path: Path) -> None:
    with socket.socket() as nobody, threaded_upstream(Behaviour(text=ANSWER)) as upstream:
        nobody.bind(("127.0.0.1", 0))
        env = environment(
            tmp_path, OPENAI_BASE_URL=upstream.base_url, OPENAI_API_KEY=OPERATOR_KEY, MARKETPLACE_LOG_FORMAT="json",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{nobody.getsockname()[1]}",
        )  # fmt: skip
        with served(env) as server:
            assert server.call("POST", "/v1/chat/completions", CHAT, server.sign_up(EMAIL))[0] == 200
            began = time.monotonic()
    assert time.monotonic() - began < 30
    assert not [line for line in server.log if "canary" in line]


def test_without_an_endpoint_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    script = (
        "import asyncio, json, sys\n"
        "from agent_marketplace import settings\n"
        "from agent_marketplace.app import build\n"
        "market = build(settings.load())\n"
        "async def run():\n"
        "    await market.start()\n"
        "    off = market.router.parts.tracer is None\n"
        "    await market.stop()\n"
        "    return off\n"
        "print(json.dumps([asyncio.run(run()), sorted(m for m in sys.modules if m.startswith('opentelemetry'))]))\n"
    )
    for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment(tmp_path, **more),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [True, []]


def test_an_endpoint_without_the_sdk_is_a_warning_that_says_what_to_install_not_a_failed_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(
        sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None
    )  # as if not installed
    assert open_tracer("http://127.0.0.1:9") is None
    assert "ai-agent-marketplace[otel]" in caplog.text

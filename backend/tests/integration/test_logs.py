"""A failure that a caller was told of can be found in the log by the id that the caller has, without a word of the call."""

import json
from pathlib import Path

import pytest

from tests.fakes.served import Served, environment, served
from tests.fakes.threaded import threaded_upstream
from tests.fakes.upstream import Behaviour

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "canaryprompt"}], "max_tokens": 50}


@pytest.fixture
def lines(tmp_path: Path) -> tuple[list[str], list[dict[str, object]]]:
    """(ids that callers of failed calls were told, the log as JSON)."""
    script = [
        Behaviour(status=401, words="canaryprompt"),
        Behaviour(status=401),
        Behaviour(text="a b c d e", cut_after=2),
    ]
    with threaded_upstream(*script) as upstream:
        env = environment(
            tmp_path,
            OPENAI_BASE_URL=upstream.base_url,
            OPENAI_API_KEY="sk-operator",
            MARKETPLACE_LOG_FORMAT="json",
        )
        with served(env) as server:
            ids = failures(server, server.sign_up())
    return ids, [json.loads(line) for line in server.log if line.startswith("{")]


def failures(server: Served, token: str) -> list[str]:
    status, plain = server.call("POST", "/v1/messages", CHAT, token)
    assert status == 502, plain
    body = {"model": "gpt-4o-mini", "prompt": "canaryprompt", "fallback": False}
    status, own = server.call("POST", "/api/v1/agents/completion", body, token)
    assert status == 502, own
    status, text = server.call("POST", "/v1/chat/completions", CHAT | {"stream": True}, token)
    assert (status, "error" in text) == (200, True), text
    streamed = json.loads(next(line for line in text.splitlines() if line.startswith("data: {"))[6:])["id"]
    return [plain["request_id"], own["request_id"], streamed]


def test_a_failed_call_is_found_in_the_log_by_the_id_its_caller_has(
    lines: tuple[list[str], list[dict[str, object]]],
) -> None:
    ids, log = lines
    found = {line["request_id"]: line for line in log if "request_id" in line}
    assert set(ids) <= set(found)
    assert {found[i]["level"] for i in ids} == {"warning"}
    assert "canaryprompt" not in json.dumps(log)

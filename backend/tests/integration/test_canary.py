"""S10: what users type and whom they trust us with never shows in logs, metrics, error bodies or, in the clear, in the database."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace.settings import load
from tests.fakes.databases import everything_in
from tests.fakes.served import command, environment, served
from tests.fakes.threaded import threaded_upstream
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

PASSWORD, NEW_PASSWORD = "canary password one, long", "canary password two, long"
PROVIDER_KEY, OPERATOR_KEY = "sk-canaryProviderKey0123456789", "sk-canaryOperatorKey0123456789"
PROMPT, ANSWER = "canaryprompt about elephants", "canaryanswer"
MODEL = "gpt-4o-mini"


def test_secrets_and_prompts_never_appear_where_operators_or_thieves_look(
    tmp_path: Path, database_kind: str
) -> None:
    script = [
        Behaviour(text=f"{ANSWER} one"), Behaviour(text=f"{ANSWER} two"), Behaviour(text=f"{ANSWER} three"),
        Behaviour(text=f"{ANSWER} four"), Behaviour(status=401, words=f"Incorrect API key {OPERATOR_KEY}"),
        Behaviour(status=500, words=f"cannot serve you for {PROVIDER_KEY}"), Behaviour(text=ANSWER, cut_after=1),
        Behaviour(status=400, words=f"invalid: {PROVIDER_KEY}"), Behaviour(text=ANSWER),
    ]  # fmt: skip
    errors: list[str] = []
    market, agents = "/api/v1/marketplace", "/api/v1/agents"
    seeds = [PASSWORD, NEW_PASSWORD, PROVIDER_KEY, OPERATOR_KEY, ANSWER, "canaryprompt"]
    with threaded_upstream(*script) as upstream:
        env = environment(
            tmp_path, OPENAI_BASE_URL=upstream.base_url, OPENAI_API_KEY=OPERATOR_KEY,
            MARKETPLACE_LOG_LEVEL="debug", MARKETPLACE_LOG_FORMAT="json",
        )  # fmt: skip
        with served(env) as server:

            def call(method: str, path: str, body: object = None, token: str = "", **more: Any) -> Any:
                status, answer = server.call(method, path, body, token or None, **more)
                if status >= 400:
                    errors.append(answer if isinstance(answer, str) else json.dumps(answer))
                return answer

            token = call("POST", f"{market}/auth/signup", {"email": "a@b.c", "password": PASSWORD})["token"]
            for way, word in (("signin", f"{PASSWORD}x"), ("signup", PASSWORD)):
                call("POST", f"{market}/auth/{way}", {"email": "a@b.c", "password": word})
            call("POST", f"{market}/auth/signup", {"email": "not an address", "password": PASSWORD})
            key = call("POST", f"{market}/keys", {"name": "k"}, token)["key"]
            seeds += [token, key]
            chat = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
            for body in (chat, chat | {"stream": True}):
                call("POST", "/v1/chat/completions", body, key)
            call("POST", f"{agents}/chat", {"model": MODEL, "message": PROMPT}, token)
            call("POST", f"{agents}/chat", {"model": MODEL, "message": PROMPT, "stream": True}, token)
            call("GET", f"{agents}/conversations?q=elephants", token=token)
            for body in (chat, chat, chat | {"stream": True}, chat):
                call("POST", "/v1/chat/completions", body, key)
            call("POST", "/v1/chat/completions", chat | {"messages": PROMPT}, key)
            call("POST", "/v1/chat/completions", None, key, raw=f'{{"model": "{PROMPT}'.encode())
            completion = {"model": MODEL, "prompt": PROMPT}
            call("POST", f"{agents}/completion", completion | {"nonsense": PROVIDER_KEY}, token)
            call("POST", f"{agents}/completion", completion | {"prompt": [PROMPT]}, token)
            call("POST", f"{market}/recommendations", {"task": PROMPT}, token)
            call("POST", f"{market}/api-keys", {"provider": "openai", "api_key": PROVIDER_KEY}, token)
            call("POST", f"{market}/api-keys", {"provider": "nobody", "api_key": PROVIDER_KEY}, token)
            call("POST", f"{agents}/agents", {"name": "x", "model": MODEL, "instructions": PROMPT}, token)
            change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            call("POST", f"{market}/auth/password", change, token)
            call("GET", f"{market}/profile", token=token)
            call("GET", f"{market}/profile", token=key + "x")
            metrics = call("GET", "/metrics")
        log = "".join(server.log)
    stored = everything_in(load(env).database_url)
    copied, copy = b"", tmp_path / "copy.db"
    if database_kind == "sqlite":  # PostgreSQL's dump is the same rows, compressed
        assert command(env, "backup", str(copy)).returncode == 0
        copied = copy.read_bytes()
    assert len(errors) >= 10
    assert b"a@b.c" in stored  # the search looks at the right file
    for seed in seeds:
        assert seed not in log + metrics
        # A provider's words about a request go back to the one who made it; keys and passwords do not, not even to him.
        assert seed in ("canaryprompt", ANSWER) or not [error for error in errors if seed in error], seed
        assert seed.encode() not in stored, seed
        assert seed.encode() not in copied, seed
    for line in server.log:
        if line.startswith("{"):
            assert {"at", "level", "logger", "message"} <= json.loads(line).keys()


def test_a_provider_that_repeats_the_prompt_in_its_error_does_not_bring_it_into_the_database(
    tmp_path: Path,
) -> None:
    with threaded_upstream(Behaviour(status=500, words=f"cannot serve {PROMPT}")) as upstream:
        env = environment(tmp_path, OPENAI_BASE_URL=upstream.base_url, OPENAI_API_KEY=OPERATOR_KEY)
        with served(env) as server:
            chat = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
            assert server.call("POST", "/v1/chat/completions", chat, server.sign_up())[0] >= 500
            assert "canaryprompt" not in "".join(server.log)
    assert b"canaryprompt" not in everything_in(load(env).database_url)

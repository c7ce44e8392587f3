"""Characters and numbers that JSON and paths carry but no database takes, sent to every route that stores or looks up text."""

import json
from urllib.parse import quote

from tests.fakes.served import PASSWORD, Served

MARKET, AGENTS = "/api/v1/marketplace", "/api/v1/agents"
BAD_TEXTS = ("a\x00b", "a\ud800b")
HUGE = 10**30


def answers(server: Served, token: str) -> dict[str, tuple[int, object]]:
    """{what was asked: (status, body)}."""
    found: dict[str, tuple[int, object]] = {}

    def ask(method: str, path: str, body: object = None) -> None:
        raw = None if body is None else json.dumps(body).encode()
        found[f"{method} {path} {raw!r}"] = server.call(method, path, token=token, raw=raw)

    for bad in BAD_TEXTS:
        path = quote(bad.encode("utf-8", "surrogatepass"))
        for prefix in (
            f"{MARKET}/models/",
            f"{MARKET}/generations/",
            f"{AGENTS}/conversations/",
            f"{AGENTS}/agents/",
        ):
            ask("GET", prefix + path)
        for prefix in (
            f"{MARKET}/keys/",
            f"{MARKET}/api-keys/",
            f"{AGENTS}/agents/",
            f"{AGENTS}/conversations/",
        ):
            ask("DELETE", prefix + path)
        ask("PUT", f"{MARKET}/favourites/{path}")
        ask("GET", f"{MARKET}/models/search?q={path}")
        ask("GET", f"{AGENTS}/conversations?q={path}")
        ask("GET", f"{AGENTS}/conversations?cursor={path}")
        ask("POST", f"{MARKET}/auth/signin", {"email": bad, "password": PASSWORD})
        ask("POST", f"{MARKET}/auth/signin", {"email": "a@b.c", "password": bad})
        ask("POST", f"{MARKET}/auth/signup", {"email": "x@b.c", "password": bad + PASSWORD, "invite": bad})
        ask("POST", f"{MARKET}/keys", {"name": bad})
        ask("POST", f"{MARKET}/api-keys", {"provider": bad, "api_key": bad})
        ask("POST", f"{MARKET}/recommendations", {"task": bad})
        ask("POST", f"{MARKET}/billing/subscribe", {"plan": bad})
        ask("POST", f"{AGENTS}/agents", {"name": bad, "model": bad, "instructions": bad})
        ask("POST", f"{AGENTS}/completion", {"model": bad, "prompt": bad})
        ask("POST", f"{AGENTS}/chat", {"model": "gpt-4o-mini", "message": bad, "conversation_id": bad})
        ask("POST", "/v1/chat/completions", {"model": bad, "messages": [{"role": "user", "content": bad}]})
    ask("GET", f"{MARKET}/billing/statement?limit={HUGE}")
    ask("GET", f"{MARKET}/billing/statement?cursor={HUGE}")
    ask("GET", f"{MARKET}/billing/usage?days={HUGE}")
    ask("POST", f"{MARKET}/keys", {"name": "k", "expires_in_days": HUGE})
    ask("POST", f"{MARKET}/keys", {"name": "k", "cap": {"amount": HUGE}})
    ask("POST", f"{MARKET}/models/gpt-4o-mini/rating", {"stars": HUGE})
    return found


def failures(server: Served, token: str) -> list[str]:
    """What was answered with a 5xx."""
    return [
        f"{asked}: {status} {body}"
        for asked, (status, body) in answers(server, token).items()
        if status >= 500
    ]

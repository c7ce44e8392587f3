"""How long one hostile request keeps everybody else waiting: `PYTHONPATH=backend python bench/stalls.py [word of a case]`.

Every form of a body that is legal HTTP and takes time, on every wire, one request after another to a server of its own. What is
measured is measured inside that server: a callback of its event loop comes back every two milliseconds and notes how much CPU
the process has used since the last time. That is how long the loop was kept from everybody else by us, in whatever thread (a
decoder in a thread keeps the interpreter's lock), and not how long the machine did something else. Exit status 1 where a case is
over the limit.
"""

import asyncio
import base64
import gc
import http.client
import json
import multiprocessing as mp
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LIMIT_MS = 100
MB = 1 << 20
BEAT_S = 0.002
GPT, CLAUDE, GEMINI, VECTORS = (
    "gpt-4o-mini",
    "claude-sonnet-4-5",
    "gemini-2.5-flash",
    "text-embedding-3-small",
)
Body = dict[str, Any]

# -- the server, in a process of its own -------------------------------------------------------------------------------


def serve(home: str, port: int, upstream: int, key: Any, stall: Any = None, collect: Any = None) -> None:
    """Serves until it is terminated. key: the caller's, once it is there; stall: the longest so far, seconds, where it is to be
    measured; collect: thresholds of the collector in place of a server's own."""
    os.environ["MARKETPLACE_DATA_DIR"] = home
    from agent_marketplace.api.server import create
    from agent_marketplace.app import build
    from agent_marketplace.net import server
    from agent_marketplace.net.guard import Limits
    from agent_marketplace.settings import ProviderSettings, Settings

    there = f"http://127.0.0.1:{upstream}"
    settings = Settings(
        data_dir=Path(home), models_dir=Path(home), database_url=f"sqlite:///{home}/marketplace.db", local_model=False,
        rate_limits=False, signup_credit_nano=0, calls_per_user=0, provider_connections=20_000,
        providers={
            "openai": ProviderSettings("sk-canned", f"{there}/v1"),
            "anthropic": ProviderSettings("sk-canned", there),
            "google": ProviderSettings("sk-canned", there),
        },
    )  # fmt: skip

    async def open_account() -> str:
        market = build(settings, env={})
        await market.start()
        user = await market.accounts.auth.create_user("bench@example.com", "a password of the bench")
        await market.ledger.grant(user.user_id, 10**15, kind="credit")
        scopes = ("inference", "account:read")
        made = await market.accounts.keys.create(user.user_id, "bench", scopes=scopes)
        await market.stop()
        return made.key

    key.value = asyncio.run(open_account()).encode()

    def made(drain: Any) -> Any:
        app, beats = create(build(settings, drain=drain, env={}), complete=True), False

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            nonlocal beats
            if not beats and scope["type"] == "http":
                beats = True
                if stall is not None:
                    _beat(asyncio.get_running_loop(), stall)
                if collect is not None:
                    gc.set_threshold(*collect)
            await app(scope, receive, send)

        return watched

    limits = Limits(max_connections=30_000, max_per_address=30_000)
    server.run(made, server.bind("127.0.0.1", port), limits=limits)


def _beat(loop: asyncio.AbstractEventLoop, stall: Any) -> None:
    last = time.process_time()

    def beat() -> None:
        nonlocal last
        now = time.process_time()
        stall.value = max(stall.value, now - last)
        last = now
        loop.call_later(BEAT_S, beat)

    beat()


# -- a provider that reads everything and says yes ---------------------------------------------------------------------

_USED = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
_ANSWERS: tuple[tuple[bytes, Any], ...] = (
    (b"embed", {"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "usage": _USED}),
    (b"/messages", {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Yes."}],
                    "stop_reason": "end_turn", "usage": {"input_tokens": 9, "output_tokens": 1}}),
    (b"generateContent", {"candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}],
                          "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1}}),
    (b"", {"id": "c", "object": "chat.completion", "created": 1, "model": GPT, "usage": _USED,
           "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}]}),
)  # fmt: skip


def provide(port: int) -> None:
    """A provider on loopback, until it is terminated."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                low = head.lower()
                await reader.readexactly(int(low.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0))
                said = json.dumps(next(a for part, a in _ANSWERS if part in head)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                    % (len(said), said)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", port, limit=1 << 16) as server:
            await server.serve_forever()

    asyncio.run(run())


# -- the cases ---------------------------------------------------------------------------------------------------------


class Wire:
    """One wire's way of saying the same things."""

    def __init__(
        self, path: str, say: Callable[[Any, int], Body], tools: Callable[[Any], Body], model: str
    ) -> None:
        self.path, self.say, self.tools, self.model = path, say, tools, model

    def body(self, text: Any = "x", turns: int = 1, **more: Any) -> Body:
        made = self.say(text, turns)
        return made | more if "{model}" in self.path else {"model": self.model} | made | more

    def picture(self, data: str) -> Any:
        """A message's content that is an image."""
        if "messages" in self.path:
            return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}]
        if "generate" in self.path:
            return [{"inlineData": {"mimeType": "image/png", "data": data}}]
        if "responses" in self.path:
            return [{"type": "input_image", "image_url": f"data:image/png;base64,{data}"}]
        return [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}]


def _chat(text: Any, turns: int) -> Body:
    return {"messages": [{"role": "user", "content": text}] * turns, "max_tokens": 16}


def _contents(text: Any, turns: int) -> Body:
    parts = text if isinstance(text, list) else [{"text": text}]
    return {
        "contents": [{"role": "user", "parts": parts}] * turns,
        "generationConfig": {"maxOutputTokens": 16},
    }


def _items(text: Any, turns: int) -> Body:
    return {"input": [{"role": "user", "content": text}] * turns, "max_output_tokens": 16}


def _function(schema: Any) -> Body:
    return {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}


WIRES = {
    "openai": Wire("/v1/chat/completions", _chat, _function, GPT),
    "openai to Claude": Wire("/v1/chat/completions", _chat, _function, CLAUDE),
    "responses": Wire(
        "/v1/responses", _items, lambda s: {"tools": [{"type": "function", "name": "f", "parameters": s}]}, GPT
    ),
    "anthropic": Wire(
        "/v1/messages", _chat, lambda s: {"tools": [{"name": "f", "input_schema": s}]}, CLAUDE
    ),
    "anthropic to GPT": Wire("/v1/messages", _chat, lambda s: {"tools": [{"name": "f", "input_schema": s}]}, GPT),
    "count_tokens": Wire(
        "/v1/messages/count_tokens", _chat, lambda s: {"tools": [{"name": "f", "input_schema": s}]}, CLAUDE
    ),
    "gemini": Wire(
        f"/v1beta/models/{GEMINI}:generateContent", _contents,
        lambda s: {"tools": [{"functionDeclarations": [{"name": "f", "parameters": s}]}]}, GEMINI,
    ),
    "ollama": Wire("/api/chat", lambda t, n: _chat(t, n) | {"stream": False}, _function, GPT),
    "agents": Wire("/api/v1/agents/completion", _chat, _function, GPT),
}  # fmt: skip
_SCHEMA = {
    "type": "object",
    "properties": {f"field_{i}": {"type": "string", "description": "words " * 8} for i in range(9_000)},
}


def cases() -> Iterator[tuple[str, str, str, Callable[[], bytes]]]:
    """(form, wire, path, its body)."""
    noise = random.Random(7)
    odd = "".join(noise.choice("{}[]()<>,.;:!?#$%&*+-=/\\|^~_ \n\t0aZ") for _ in range(MB))
    wide = "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(300_000))
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + noise.randbytes(19 * MB)).decode()
    for name, wire in WIRES.items():
        say, tools = wire.body, wire.tools
        forms: dict[str, Callable[[], bytes]] = {
            "5 MB of prose": lambda s=say: _json(s("The quick brown fox jumps. " * (5 * MB // 27))),
            "3 MB of marks": lambda s=say: _json(s(odd * 2)),
            "5 MB beyond ASCII": lambda s=say: _json(s(wide * 3)),
            "30 MB of one letter": lambda s=say: _json(s("a" * 30 * MB)),
            "3 MB of blanks": lambda s=say: _json(s(" \n\t" * MB)),
            "26 MB picture": lambda s=say, w=wire: _json(s(w.picture(image))),
            "100,000 messages": lambda s=say: _json(s("hi", 100_000)),
            "9,000 messages": lambda s=say: _json(s("hi there", 9_000)),
            "a schema of 9,000 fields": lambda s=say, t=tools: _json(s() | t(_SCHEMA)),
            "a million unknown fields": lambda s=say: _json(s(**{f"f{i}": i for i in range(1_000_000)})),
            "50,000 unknown fields": lambda s=say: _json(s(**{f"f{i}": i for i in range(50_000)})),
            "a name of 30 MB": lambda s=say: _json(s(model="m" * 30 * MB)),
            "nested 100,000 deep": lambda s=say: _json(s(x=0))[:-2] + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "nested 120 deep": lambda s=say: _json(s(x=0))[:-2] + b"[" * 120 + b"]" * 120 + b"}",
            "390,000 stops": lambda s=say: _json(s(stop=["a"] * 390_000)),
            "390,000 numbers": lambda s=say: _json(s(logit_bias=list(range(390_000)))),
        }  # fmt: skip
        for form, make in forms.items():
            yield form, name, wire.path, make
    for path in ("/v1/embeddings", "/api/embed"):
        for form, given in (
            ("4,000,000 integers", lambda: list(range(4_000_000))),
            ("300,000 integers", lambda: [i % 100_000 for i in range(300_000)]),
            ("2,000 lists of 150", lambda: [[i % 50_000 for i in range(150)]] * 2_000),
            ("390,000 texts", lambda: ["a"] * 390_000),
            ("5 MB of prose", lambda: "The quick brown fox jumps. " * (5 * MB // 27)),
        ):
            yield form, "embeddings", path, lambda g=given: _json({"model": VECTORS, "input": g()})


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


SMALL = _json(WIRES["count_tokens"].body())
"""A request that asks for nothing but an answer."""

# -- the campaign ------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def ask(port: int, path: str, key: str, body: bytes) -> int:
    """The status of the answer; 0 where the connection was closed without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {key}",
        "anthropic-version": "2023-06-01",
    }
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def main(word: str) -> int:
    """Prints a table and returns the exit status."""
    spawn = mp.get_context("spawn")
    stall, key = spawn.Value("d", 0.0, lock=False), spawn.Array("c", 200, lock=False)
    port, upstream = free_port(), free_port()
    over = []
    with tempfile.TemporaryDirectory() as home:
        children = [
            spawn.Process(target=provide, args=(upstream,), daemon=True),
            spawn.Process(target=serve, args=(home, port, upstream, key, stall), daemon=True),
        ]
        for child in children:
            child.start()
        try:
            while (
                not key.value
                or ask(port, "/v1/chat/completions", key.value.decode(), _json(WIRES["openai"].body())) != 200
            ):
                if not children[1].is_alive():
                    return 2
                time.sleep(0.2)
            token = key.value.decode()
            print("| form | wire | MB | status | longest stall, ms of CPU |\n| --- | --- | --: | --: | --: |")
            for form, wire, path, make in cases():
                if word not in f"{form} {wire}":
                    continue
                body = make()
                time.sleep(0.05)
                stall.value = 0.0
                status = ask(port, path, token, body)
                ms = stall.value * 1e3
                over += [f"{form}, {wire}"] if ms > LIMIT_MS else []
                print(f"| {form} | {wire} | {len(body) / MB:.1f} | {status} | {ms:.0f} |", flush=True)
        finally:
            for child in children:
                child.terminate()
                child.join(20)
    print(f"\nover {LIMIT_MS} ms: {'; '.join(over) or 'none'}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

"""The product as a stranger meets it: its console script in a process of its own, providers scripted beside it.

with running(tmp_path) as server:        # a fixture of a module: started once, stopped in order
    ada = server.person()                # signed up, with $5.00
    ada.post("/api/v1/agents/completion", {"model": "gpt-4o-mini", "prompt": "Hi"})
"""

import asyncio
import contextlib
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from agent_marketplace.providers.models_install import ModelsError, install
from agent_marketplace.settings import load
from tests.fakes import canary
from tests.fakes.databases import served
from tests.fakes.upstream import Behaviour, FakeUpstream

MARKET = "/api/v1/marketplace"
AGENTS = "/api/v1/agents"
PASSWORD = "correct horse, not the comic"
PAID = "gpt-4o-mini"
_START_S = 90.0
_COMMAND = Path(sys.executable).with_name("agent-marketplace")


@dataclass(frozen=True)
class Answer:
    """What came back. `text` is the body as it was sent; `json` reads numbers as Decimal, so that money is compared exactly."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON objects of a stream of server-sent events, in order, each with its `id`."""
        found = []
        for block in self.text.split("\n\n"):
            lines = dict(
                line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":")
            )
            if "data" in lines:
                found.append(json.loads(lines["data"], parse_float=Decimal) | {"_id": int(lines["id"])})
        return found


class Upstream:
    """A FakeUpstream in a thread with a loop of its own; `script` is taken from the next request on."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._fake = self._run(FakeUpstream(judged=True).__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._fake.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def fake(self) -> FakeUpstream:
        return self._fake

    def script(self, *behaviours: Behaviour) -> None:
        """From now on these, in turn; the last repeats."""

        async def put() -> None:
            done = self._fake.requests[-1].behaviour if self._fake.requests else Behaviour()
            self._fake.script = [done] * len(self._fake.requests) + (list(behaviours) or [Behaviour()])

        self._run(put())

    def release(self, chunks: int = 1) -> None:
        """Lets that many chunks of stepped streams go."""
        self._loop.call_soon_threadsafe(self._fake.release, chunks)

    def wait_for(self, count: int) -> Any:
        """The count-th request, once it is here."""
        return self._run(self._fake.arrived(count))

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


@dataclass
class Client:
    """One caller. credential: what is sent as a bearer token; None = nobody."""

    port: int
    credential: str | None = None
    user_id: str = ""
    email: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """One request on a connection of its own."""
        with contextlib.closing(self._connect(timeout)) as connection:
            connection.request(method, path, body, {**self._credentials(), **(headers or {})})
            got = connection.getresponse()
            answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        canary.told(answer.status, answer.body, path)
        return answer

    @contextlib.contextmanager
    def open(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """A POST whose answer is read by the test, piece by piece; leaving hangs up."""
        with contextlib.closing(self._connect(60)) as connection:
            sent = {"content-type": "application/json", **self._credentials(), **(headers or {})}
            connection.request("POST", path, json.dumps(body).encode(), sent)
            with connection.getresponse() as response:
                yield response

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body, default=str).encode()
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.send(method, path, data, {"content-type": "application/json", **named})

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, {} if body is None else body, **headers)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def _credentials(self) -> dict[str, str]:
        return {} if self.credential is None else {"authorization": f"Bearer {self.credential}"}


@dataclass
class Server:
    """A running installation. `log`: all it has said so far; process: for a test that kills it."""

    port: int
    home: Path
    upstream: Upstream
    env: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def anybody(self) -> Client:
        """Without a credential."""
        return Client(self.port)

    def as_(self, credential: str) -> Client:
        """With that session token or key."""
        return Client(self.port, credential)

    def person(self, email: str = "") -> Client:
        """Somebody who has just signed up."""
        email = email or f"person{next(self._numbers)}@example.com"
        answer = self.anybody.post(f"{MARKET}/auth/signup", {"email": email, "password": PASSWORD})
        assert answer.status == 200, answer.text
        return Client(self.port, answer.json["token"], answer.json["user_id"], email)

    def key(self, owner: Client, **fields: Any) -> Client:
        """The owner's new marketplace key."""
        made = owner.post(f"{MARKET}/keys", {"name": "a program", **fields})
        assert made.status == 200, made.text
        return Client(self.port, made.json["key"], owner.user_id, owner.email)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The console script beside the running server."""
        return subprocess.run(
            [_COMMAND, *arguments], env=dict(self.env), capture_output=True, text=True, timeout=120
        )

    def rich(self, dollars: str = "100") -> Client:
        """Somebody with that much more than the sign-up credit."""
        person = self.person()
        granted = self.command("user", "grant", person.email, dollars)
        assert granted.returncode == 0, granted.stderr
        return person


@contextlib.contextmanager
def running(home: Path, *, local_model: bool = False, **more: str) -> Iterator[Server]:
    """The console script on a free port over an empty data directory; OpenAI, Anthropic and Google are the fake upstream."""
    with Upstream() as upstream:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "MARKETPLACE_DATA_DIR": str(home / "data"),
            "MARKETPLACE_MODELS_DIR": str(load().models_dir),
            "MARKETPLACE_LOCAL_MODEL": "on" if local_model else "off",
            "MARKETPLACE_LIMITS": "off",
            "MARKETPLACE_GRACE": "3",
            "OPENAI_API_KEY": "sk-operator-openai-1234567890",
            "OPENAI_BASE_URL": upstream.fake.base_url,
            "ANTHROPIC_API_KEY": "sk-ant-operator-1234567890",
            "ANTHROPIC_BASE_URL": upstream.fake.root,
            "GEMINI_API_KEY": "AIza-operator-google-1234567890",
            "GOOGLE_GEMINI_BASE_URL": upstream.fake.root,
            **{
                k: os.environ[k]
                for k in ("PYTHONPATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
                if k in os.environ
            },
            **served().environment(home),
            **more,
        }
        process = subprocess.Popen(
            [_COMMAND, "serve", "--port", "0"], env=env, cwd=home, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        server = Server(0, home, upstream, env, process=process)
        listening = threading.Event()
        reader = threading.Thread(target=_read, args=(process, server, listening), daemon=True)
        reader.start()
        try:
            assert listening.wait(_START_S), f"the server did not come up:\n{server.log}"
            _until_ready(server, process)
            yield server
            if process.poll() is None:
                server.anybody.get("/metrics")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            canary.search(server.log, "a server's output")
            assert process.stdout is not None
            process.stdout.close()


def _read(process: "subprocess.Popen[str]", server: Server, listening: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        server.lines.append(line)
        if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)) is not None and not server.port:
            server.port = int(found[1])
            listening.set()
    listening.set()


def _until_ready(server: Server, process: "subprocess.Popen[str]") -> None:
    """The socket listens before the application has started: the first answer is waited for, not guessed at.

    Until the embedded model is loaded, the server says that it is starting.
    """
    assert server.port, server.log
    latest = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, server.log
        ready = server.anybody.get("/readyz")
        if ready.status == 200:
            return
        assert ready.json["status"] == "starting", f"{ready.text}\n{server.log}"
        assert time.monotonic() < latest, f"{ready.text}\n{server.log}"
        time.sleep(0.1)


def local_model_or_reason() -> str | None:
    """None where the demo model's weights are here (or could be fetched), else why not."""
    try:
        install(load().models_dir)
    except ModelsError as error:
        return str(error)
    return None


NUMBER = (int, Decimal)


def check(value: Any, kind: Any, place: str = "reply") -> None:
    """Asserts a documented shape: a type, a tuple of alternatives, {field: kind} (more fields are fine), or [kind of each item]."""
    if isinstance(kind, dict):
        assert isinstance(value, dict), f"{place} is {value!r}"
        for name, inner in kind.items():
            assert name in value, f"{place} lacks {name}: {value!r}"
            check(value[name], inner, f"{place}.{name}")
    elif isinstance(kind, list):
        assert isinstance(value, list), f"{place} is {value!r}"
        for n, item in enumerate(value):
            check(item, kind[0], f"{place}[{n}]")
    elif isinstance(kind, tuple):
        if value is None:
            assert None in kind, f"{place} is null"
            return
        assert not isinstance(value, bool) or bool in kind, f"{place} is {value!r}"
        plain = tuple(k for k in kind if isinstance(k, type))
        shapes = [k for k in kind if k is not None and not isinstance(k, type)]
        if not isinstance(value, plain):
            assert len(shapes) == 1, f"{place} is {value!r}, not {kind}"
            check(value, shapes[0], place)
    elif kind is None:
        assert value is None, f"{place} is {value!r}"
    else:
        assert isinstance(value, kind), f"{place} is {value!r}, not {kind}"
        assert kind is bool or not isinstance(value, bool), f"{place} is {value!r}"


def refused(answer: Answer, status: int, code: str, **extra: Any) -> dict[str, Any]:
    """Asserts the envelope of a failure and returns it."""
    assert answer.status == status, f"{answer.status} {answer.text}"
    body: dict[str, Any] = answer.json
    check(body, {"success": bool, "error": str, "code": str, "request_id": str, **extra})
    assert body["success"] is False
    assert body["error"]
    assert body["code"] == code, answer.text
    assert answer.headers["x-request-id"] == body["request_id"]
    return body


def agreed(answer: Answer, kind: dict[str, Any] | None = None) -> dict[str, Any]:
    """Asserts a success of the documented shape and returns it."""
    assert answer.status == 200, f"{answer.status} {answer.text}"
    body: dict[str, Any] = answer.json
    assert body["success"] is True
    check(body, kind or {})
    return body

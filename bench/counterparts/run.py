"""Our server against provider simulators that others wrote: llmock (PyPI) and aimock (npm), by hand.

    python bench/counterparts/run.py llmock .../venv/bin/llmock
    python bench/counterparts/run.py aimock .../node_modules/@copilotkit/aimock/dist/cli.js

Every provider's wire behind the real server, asked through three clients' wires; then its faults. Prints a table and ends
with 1 if an answer was wrong, untyped or late, if a receipt does not fit its answer, or if the ledger does not verify.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOOL = Path(sys.executable).with_name("agent-marketplace")
GRANT = "100"
LIMIT_S = 100.0
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MODELS = {
    "openai": "gpt-5.4",
    "anthropic": "claude-sonnet-4-6",
    "google": "gemini-2.5-pro",
    "huggingface": "qwen3.6-27b",
    "ollama": "gemma-3-4b-it",
}
CLIENTS = ("openai", "anthropic", "gemini")
GOOD = ("chat", "stream", "tools", "streamed tools", "tool result", "image")
FAULTS = {
    "401": {"type": "fail", "status": 401},
    "429 + Retry-After": {"type": "fail", "status": 429, "retry_after": 7},
    "500": {"type": "fail", "status": 500},
    "503": {"type": "fail", "status": 503},
    "529": {"type": "fail", "status": 529},
    "drop": {"type": "stream_fault", "kind": "disconnect", "after_chunks": 3},
    "truncate": {"type": "stream_fault", "kind": "truncate", "after_chunks": 3},
    "stall": {"type": "stream_fault", "kind": "stall", "after_chunks": 3, "stall_seconds": 300},
}
WORDS = {"429 + Retry-After": "FAIL429", "drop": "DROP", "truncate": "TRUNCATE", "stall": "STALL"}
EXPECTED = {
    "401": {"502 provider_key_refused"},
    "429 + Retry-After": {"429 rate_limit_exceeded"},
    "500": {"502 provider_unavailable"},
    "503": {"502 provider_unavailable", "503 provider_unavailable", "503 provider_overloaded"},
    "529": {"503 provider_overloaded", "502 provider_overloaded"},
    "drop": {"200 provider_unavailable", "502 provider_unavailable"},
    "truncate": {"200 provider_unavailable", "502 provider_unavailable"},
    "stall": {"200 timeout"},
}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Reply:
    """What a client got. `seconds`: to the last byte."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float


def ask(url: str, body: Any = None, headers: dict[str, str] | None = None, method: str = "POST") -> Reply:
    """One exchange on a connection of its own."""
    started = time.monotonic()
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            status, head, text = answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            status, head, text = refused.code, dict(refused.headers), refused.read().decode()
    return Reply(status, {k.lower(): v for k, v in head.items()}, text, time.monotonic() - started)


@contextmanager
def running(command: list[str], ready: str, env: dict[str, str], log: Path) -> Iterator[None]:
    """A process that answers at `ready`; stopped by its own id."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                ask(ready, method="GET")
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


class Mock:
    """The simulator. `scripted`: it is told its faults over HTTP; else the prompt chooses them."""

    def __init__(self, name: str, program: str) -> None:
        self.name, self.port = name, free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.scripted = name == "llmock"
        self.providers = [p for p in MODELS if p != "ollama" or not self.scripted]
        serve = [program, "serve", "--host", "127.0.0.1", "--stream-chunk-delay-ms", "20", "--log-level", "warning"]
        fixed = ["node", program, "-f", str(HERE / "aimock.json"), "--log-level", "warn"]
        self.command = [*(serve if self.scripted else fixed), "-p" if not self.scripted else "--port", str(self.port)]
        self.ready = self.root + ("/health" if self.scripted else "/ready")

    def urls(self) -> dict[str, str]:
        """The server's environment that points every provider here."""
        inner = self.root if not self.scripted else ""
        return {
            "OPENAI_API_KEY": "sk-counterpart-openai", "OPENAI_BASE_URL": f"{self.root}/v1",
            "ANTHROPIC_API_KEY": "sk-ant-counterpart", "ANTHROPIC_BASE_URL": inner or f"{self.root}/anthropic",
            "GEMINI_API_KEY": "AIza-counterpart", "GOOGLE_GEMINI_BASE_URL": inner or f"{self.root}/gemini",
            "HF_TOKEN": "hf_counterpart", "HF_BASE_URL": f"{self.root}/v1",
            **({"OLLAMA_HOST": self.root} if not self.scripted else {}),
        }  # fmt: skip

    def script(self, behaviour: dict[str, Any]) -> None:
        """From now on this fault, for ever."""
        if self.scripted:
            ask(f"{self.root}/_llmock/scenario", {"behaviors": [{**behaviour, "times": None}]})

    def clear(self) -> None:
        """Good again."""
        if self.scripted:
            ask(f"{self.root}/_llmock/scenario", method="DELETE")


def prompt_of(case: str) -> str:
    """What is said; aimock reads its fault in it."""
    if case in ("tools", "streamed tools", "tool result"):
        return "What is the weather in Paris?"
    return WORDS.get(case, f"FAIL{case}" if case in FAULTS else "Say something about the day.")


TOOL_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ARGUMENTS = {"city": "Paris"}


def openai_body(model: str, case: str) -> dict[str, Any]:
    content: Any = prompt_of(case)
    if case == "image":
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
        content = [{"type": "text", "text": content}, picture]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if case == "tool result":
        call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": json.dumps(ARGUMENTS)}}
        messages += [{"role": "assistant", "content": None, "tool_calls": [call]}]
        messages += [{"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}]
    body: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": 500}
    if "tool" in case:
        function = {"name": "get_weather", "description": "Weather", "parameters": TOOL_SCHEMA}
        body["tools"] = [{"type": "function", "function": function}]
    return body


def anthropic_body(model: str, case: str) -> dict[str, Any]:
    content: Any = prompt_of(case)
    if case == "image":
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        content = [{"type": "text", "text": content}, {"type": "image", "source": source}]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if case == "tool result":
        used = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": ARGUMENTS}
        messages += [{"role": "assistant", "content": [used]}]
        messages += [
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "21 degrees"}]}
        ]
    body: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": 500}
    if "tool" in case:
        body["tools"] = [{"name": "get_weather", "description": "Weather", "input_schema": TOOL_SCHEMA}]
    return body


def gemini_body(case: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": prompt_of(case)}]
    if case == "image":
        parts.append({"inlineData": {"mimeType": "image/png", "data": PNG}})
    contents: list[dict[str, Any]] = [{"role": "user", "parts": parts}]
    if case == "tool result":
        contents.append({"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": ARGUMENTS}}]})
        answered = {"name": "get_weather", "response": {"result": "21 degrees"}}
        contents.append({"role": "user", "parts": [{"functionResponse": answered}]})
    body: dict[str, Any] = {"contents": contents, "generationConfig": {"maxOutputTokens": 500}}
    if "tool" in case:
        declared = {"name": "get_weather", "description": "Weather", "parameters": TOOL_SCHEMA}
        body["tools"] = [{"functionDeclarations": [declared]}]
    return body


@dataclass
class House:
    """Our server under test."""

    url: str
    key: str

    def send(self, client: str, provider: str, case: str) -> Reply:
        """One request in that client's wire, for that provider only."""
        model = MODELS[provider]
        stream = "stream" in case or case in ("drop", "truncate", "stall")
        routing = {"provider": {"only": [provider]}}
        if client == "gemini":
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path, body = f"/v1beta/models/{model}:{method}", gemini_body(case)
        else:
            path = "/v1/chat/completions" if client == "openai" else "/v1/messages"
            body = openai_body(model, case) if client == "openai" else anthropic_body(model, case)
            body |= {"stream": True} if stream else {}
        return ask(self.url + path, {**body, **routing}, {"authorization": f"Bearer {self.key}"})

    def get(self, path: str) -> Any:
        """A JSON answer of the marketplace's own API."""
        return json.loads(ask(self.url + path, None, {"authorization": f"Bearer {self.key}"}, "GET").text)

    def receipt(self, reply: Reply) -> Any:
        """The receipt of an answer."""
        name = reply.headers.get("x-generation-id") or reply.headers.get("x-request-id")
        return self.get(f"/api/v1/marketplace/generations/{name}").get("generation")


def objects(reply: Reply) -> list[Any]:
    """The answer's JSON objects, streamed or not."""
    if "event-stream" not in reply.headers.get("content-type", ""):
        return [json.loads(reply.text)]
    lines = [line[5:].strip() for line in reply.text.split("\n") if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def found(value: Any, name: str) -> list[Any]:
    """Every value of that name, at any depth."""
    if isinstance(value, list):
        return [hit for item in value for hit in found(item, name)]
    if not isinstance(value, dict):
        return []
    return [hit for key, item in value.items() for hit in ([item] if key == name else []) + found(item, name)]


def verdict_good(reply: Reply, case: str) -> str:
    """`ok`, or what is wrong with an answer."""
    if reply.status != 200:
        return f"{reply.status} {reply.text[:120]}"
    said = objects(reply)
    if found(said, "error"):
        return f"error: {found(said, 'error')[0]}"
    if case in ("tools", "streamed tools"):
        if "get_weather" not in found(said, "name"):
            return "no tool call"
        pieces = [p for name in ("arguments", "partial_json") for p in found(said, name)]
        given = (
            json.loads("".join(pieces)) if any(pieces) else next(v for n in ("args", "input") for v in found(said, n) if v)
        )
        return "ok" if "city" in given else f"arguments {given}"
    text = "".join(t for name in ("content", "text") for t in found(said, name) if isinstance(t, str))
    ends = [e for name in ("finish_reason", "stop_reason", "finishReason") for e in found(said, name) if e]
    return "ok" if text and ends else f"text {text!r}, ends {ends}"


def verdict_fault(reply: Reply) -> str:
    """`status code`, with the seconds of Retry-After where given."""
    said = objects(reply)
    codes = [
        c
        for e in found(said, "error")
        if isinstance(e, dict)
        for c in (e.get("code"), e.get("error_type"))
        if isinstance(c, str)
    ]
    wait = f" after {reply.headers['retry-after']} s" if "retry-after" in reply.headers else ""
    return f"{reply.status} {codes[0] if codes else 'UNTYPED'}{wait}"


class Run:
    """All cases against one simulator."""

    def __init__(self, mock: Mock, directory: Path) -> None:
        self.mock, self.directory = mock, directory
        self.log = directory / "log"
        self.problems: list[str] = []
        self.lock = threading.Lock()

    @contextmanager
    def house(self) -> Iterator[House]:
        """A fresh installation with one account; its ledger must verify in the end."""
        home, port = Path(tempfile.mkdtemp(dir=self.directory)), free_port()
        env = {k: os.environ[k] for k in ("PATH", "HOME")} | self.mock.urls()
        env |= {"MARKETPLACE_DATA_DIR": str(home), "MARKETPLACE_LOCAL_MODEL": "off", "MARKETPLACE_LIMITS": "off"}

        def tool(*words: str, stdin: str = "") -> str:
            return subprocess.run([TOOL, *words], env=env, input=stdin, capture_output=True, text=True, check=True).stdout

        tool("user", "create", "counterpart@example.com", stdin="correct horse, not the comic\n")
        tool("user", "grant", "counterpart@example.com", GRANT)
        key = tool("key", "create", "--user", "counterpart@example.com").split()[-1]
        url = f"http://127.0.0.1:{port}"
        with running([str(TOOL), "serve", "--port", str(port)], f"{url}/readyz", env, self.log):
            house = House(url, key)
            if "ollama" in self.mock.providers:
                self._wait_for_ollama(house)
            before = house.get("/api/v1/marketplace/billing/balance")
            self.receipts: list[Any] = []
            yield house
            time.sleep(0.5)
            after = house.get("/api/v1/marketplace/billing/balance")
            spent = round((before["balance"] - after["balance"]) * 10**9)
            costs = round(sum(float(r["cost"]) for r in self.receipts if r) * 10**9)
            if after["held"] or spent != costs:
                self.problems.append(f"spent {spent} nano-dollars, receipts say {costs}, held {after['held']}")
        checked = subprocess.run([TOOL, "ledger", "verify"], env=env, capture_output=True, text=True, check=False)
        if checked.returncode:
            self.problems.append(f"ledger verify: {checked.stdout}{checked.stderr}")

    def _wait_for_ollama(self, house: House) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if house.get(f"/api/v1/marketplace/models/{MODELS['ollama']}")["model"]["is_available"]:
                return
            time.sleep(0.5)
        self.problems.append("Ollama's models were not found")

    def good(self) -> None:
        """What must work, through every client's wire."""
        with self.house() as house:
            for provider in self.mock.providers:
                for client in CLIENTS:
                    cells = [self._good(house, client, provider, case) for case in GOOD]
                    print(f"| {self.mock.name} | {provider} | {client} | {' | '.join(cells)} |", flush=True)

    def _good(self, house: House, client: str, provider: str, case: str) -> str:
        where = f"{provider} through {client}, {case}"
        reply = house.send(client, provider, case)
        try:
            word = verdict_good(reply, case)
        except (ValueError, StopIteration) as error:
            word = f"{type(error).__name__}: {reply.text[:200]}"
        receipt = house.receipt(reply)
        self.receipts.append(receipt)
        if word != "ok":
            self.problems.append(f"{where}: {word}")
        elif receipt is None or receipt["status"] != "ok" or (provider != "ollama" and not float(receipt["cost"]) > 0):
            self.problems.append(f"{where}: receipt {receipt}")
        elif self.mock.name == "aimock" and provider != "ollama":
            usage, wanted = receipt["usage"], (1200, 30) if case in ("tools", "streamed tools") else (1100, 70)
            if (usage["input_tokens"], usage["output_tokens"]) != wanted:
                self.problems.append(f"{where}: {usage} is not what was reported, {wanted}")
        return word

    def fault(self, case: str) -> None:
        """One fault at every provider at once, on a fresh server: no breaker remembers the case before."""
        self.mock.script(FAULTS[case])
        with self.house() as house, ThreadPoolExecutor(8) as pool:
            cells = list(pool.map(lambda provider: self._fault(house, provider, case), self.mock.providers))
            print(f"| {self.mock.name} | {case} | {' | '.join(cells)} |", flush=True)
        self.mock.clear()

    def _fault(self, house: House, provider: str, case: str) -> str:
        where = f"{provider}, {case}"
        try:
            reply = house.send("openai", provider, case)
            word = verdict_fault(reply)
        except (OSError, ValueError) as error:
            self.problems.append(f"{where}: {error!r}")
            return repr(error)
        receipt = house.receipt(reply)
        with self.lock:
            self.receipts.append(receipt)
            if word.partition(" after")[0] not in EXPECTED[case] or ("Retry" in case and "after" not in word):
                self.problems.append(f"{where}: {word}: {reply.text[-300:]}")
            cost = float(receipt["cost"]) if receipt else -1.0
            if cost < 0 or (cost > 0 and reply.status != 200):
                self.problems.append(f"{where}: receipt {receipt}")
        return f"{word}, {receipt['status'] if receipt else 'no receipt'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("llmock", "aimock"))
    parser.add_argument("program", help="llmock's command, or aimock's dist/cli.js")
    parser.add_argument("--only", help="one fault, or `good`")
    given = parser.parse_args()
    mock = Mock(given.name, given.program)
    with tempfile.TemporaryDirectory(prefix="counterparts-") as made:
        run = Run(mock, Path(made))
        with running(mock.command, mock.ready, dict(os.environ), run.log):
            if given.only in (None, "good"):
                print(f"| counterpart | provider | client's wire | {' | '.join(GOOD)} |\n|{' --- |' * (3 + len(GOOD))}")
                run.good()
            print(f"\n| counterpart | fault | {' | '.join(mock.providers)} |\n|{' --- |' * (2 + len(mock.providers))}")
            for case in FAULTS if given.only is None else [given.only] if given.only in FAULTS else []:
                run.fault(case)
        if run.problems:
            print((run.log).read_text()[-2000:], file=sys.stderr)
    print("\n" + ("\n".join(run.problems) or "All as it should be."))
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())

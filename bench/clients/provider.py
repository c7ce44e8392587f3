"""A scripted provider of five wires that refuses what the real ones refuse, and keeps a journal of what it was asked."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "backend"))
from answers import render
from conversation import Wire, read, wire_of
from script import next_step
from tests.fakes import official, shapes
from tests.fakes.refusals import refused

OLLAMA_MODEL = "qwen3:8b"
_SHAPE: dict[Wire, shapes.Wire] = {
    "chat": "openai",
    "responses": "responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "ollama": "ollama",
}
_CAPABILITIES = {"capabilities": ["completion", "tools"], "model_info": {"qwen3.context_length": 40960}}
_OTHERS: dict[str, Any] = {
    "/api/tags": {"models": [{"name": OLLAMA_MODEL, "model": OLLAMA_MODEL, "size": 1}]},
    "/api/show": {"details": {"family": "qwen3"}, **_CAPABILITIES},
    "/api/version": {"version": "0.12.0"},
}


class Journal:
    """What was asked since it was last taken. Lines: wire, model, tools called, and what a provider or SDK says against it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[dict[str, Any]] = []

    def note(self, **line: Any) -> None:
        with self._lock:
            self._lines.append(line)

    def take(self) -> list[dict[str, Any]]:
        """Everything noted so far; the journal is empty afterwards."""
        with self._lock:
            lines, self._lines = self._lines, []
        return lines


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    journal: Journal

    def log_message(self, format: str, *args: object) -> None:
        """The journal says it."""

    def do_GET(self) -> None:
        bare = self.path.partition("?")[0]
        self._whole(200, json.dumps(_OTHERS.get(bare, {"object": "list", "data": []})).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        bare = self.path.partition("?")[0]
        wire = wire_of(bare)
        if wire is None:
            counted = {"totalTokens": 1000, "input_tokens": 1000}
            self._whole(200, json.dumps(_OTHERS.get(bare, counted)).encode())
            return
        asked = read(wire, self.path, json.loads(body))
        step = next_step(asked)
        words = refused(bare, body) or next(iter(asked.wrong), None)
        self.journal.note(
            wire=wire,
            model=asked.model,
            offered=[tool.name for tool in asked.tools],
            called=[tool.name for tool, _ in step.calls],
            refused=words,
            complaints=official.complaints(_SHAPE[wire], body),  # type: ignore[arg-type]
            body=json.loads(body),
        )
        if words:
            self._whole(400, shapes.error_body(_SHAPE[wire], 400, words))
            return
        whole, frames = render(asked, step)
        if asked.stream:
            self._stream("application/x-ndjson" if wire == "ollama" else "text/event-stream", frames)
        else:
            self._whole(200, whole)

    def _whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, kind: str, frames: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for frame in [*frames, b""]:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))


@contextmanager
def provider() -> Iterator[tuple[str, Journal]]:
    """(its address without a path, its journal)."""
    journal = Journal()
    handler = type("Handler", (_Handler,), {"journal": journal})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", journal
    finally:
        server.shutdown()
        server.server_close()

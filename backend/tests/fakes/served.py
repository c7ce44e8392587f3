"""The product itself as a server process, started by its console script on a free port, and a plain client for it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes import canary, databases

CLI = Path(sys.executable).with_name("agent-marketplace")
LIMIT_S = 60.0
PASSWORD = "correct horse, not the comic"
PLAIN = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG")


def environment(directory: Path, **more: str) -> dict[str, str]:
    """An environment with nothing of the developer's own in it; the running test's database, with all tables."""
    ours = {
        "MARKETPLACE_DATA_DIR": str(directory),
        "MARKETPLACE_LOCAL_MODEL": "off",
        "MARKETPLACE_LIMITS": "off",
    }
    stored = databases.served().environment(directory)
    return {k: v for k, v in os.environ.items() if k in PLAIN} | ours | stored | more


def command(env: dict[str, str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `agent-marketplace WORDS` to its end."""
    return subprocess.run(
        [CLI, *words], env=env, input=stdin, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@dataclass
class Served:
    """A running server. `log`: everything it wrote."""

    process: subprocess.Popen[str]
    env: dict[str, str]
    port: int
    log: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str | None = None,
        *,
        raw: bytes | None = None,
    ) -> tuple[int, Any]:
        """(status, JSON or text) on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        headers = {"content-type": "application/json"} | (
            {"authorization": f"Bearer {token}"} if token else {}
        )
        try:
            connection.request(
                method,
                path,
                raw if raw is not None else json.dumps(body) if body is not None else None,
                headers,
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        canary.told(answer.status, text, path)
        return answer.status, json.loads(
            text
        ) if answer.headers.get_content_type() == "application/json" else text

    def sign_up(self, email: str = "ann@example.com") -> str:
        """A new account's session token."""
        status, body = self.call(
            "POST", "/api/v1/marketplace/auth/signup", {"email": email, "password": PASSWORD}
        )
        assert status == 200, body
        token: str = body["token"]
        return token

    def workers(self) -> list[int]:
        """Process ids of the workers: children that serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]


def until(true: Any, within: float = LIMIT_S) -> None:
    """Waits for a state of another process, which can only be asked."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextlib.contextmanager
def served(env: dict[str, str], *words: str) -> Iterator[Served]:
    """`agent-marketplace serve WORDS` that answers; ended by SIGTERM, with status 0."""
    process = subprocess.Popen(
        [CLI, "serve", "--port", "0", *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    server = Served(process, env, 0)
    try:
        for line in process.stdout:
            server.log.append(line)
            if "http://" in line:
                server.port = int(line.split("127.0.0.1:")[1].split()[0])
                break
        assert server.port, server.log
        output = process.stdout
        reader = threading.Thread(target=lambda: server.log.extend(output), daemon=True)
        reader.start()
        until(lambda: server.call("GET", "/readyz")[0] == 200)
        yield server
        with contextlib.suppress(OSError):  # the test has stopped it, or closed its database
            server.call("GET", "/metrics")
        process.terminate()
        assert process.wait(LIMIT_S) == 0, server.log
        reader.join(LIMIT_S)
        canary.search("".join(server.log), "a server's output")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()

"""Two or more versions side by side: `python bench/alternate.py HARNESS [--stream] name=CHECKOUT name=CHECKOUT ...`.

Starts the server of each checkout with this one's Python, sends each 2,000 plain calls in turn (600 streams of 64 chunks with
`--stream`), 32 at a time, seven times over, and prints the CPU of each server for each call, by the kernel's own count of its
threads. What else the machine does reaches all of them alike. HARNESS: where `src/mock.c` and `src/load.c` lie (gcc builds them).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from stalls import free_port

ROUNDS, AT_ONCE, WARM = 7, 32, 1_500
_SAID = "Say something about foxes, please, and keep it short. "
_CLI = [sys.executable, "-c", "import sys; from agent_marketplace.cli.main import main; sys.exit(main())"]


def used(pid: int) -> dict[str, float]:
    """CPU milliseconds by thread."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {task.name: int((task / "schedstat").read_text().split()[0]) / 1e6 for task in tasks}


class Version:
    """One checkout's server."""

    def __init__(self, name: str, checkout: str, home: Path, upstream: int) -> None:
        self.name, self.port = name, free_port()
        self.total: list[float] = []
        self.loop: list[float] = []
        home.mkdir()
        env = os.environ | {
            "PYTHONPATH": f"{checkout}/backend", "MARKETPLACE_DATA_DIR": str(home), "OPENAI_API_KEY": "sk-mock",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/v1", "MARKETPLACE_LIMITS": "off",
            "MARKETPLACE_LOCAL_MODEL": "off", "MARKETPLACE_LOG_LEVEL": "warning",
        }  # fmt: skip

        def tool(*words: str, given: str = "") -> str:
            done = subprocess.run(
                [*_CLI, *words],
                env=env,
                cwd=checkout,
                input=given,
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout.strip()

        tool("user", "create", "bench@example.com", given="bench-password-1234\n")
        tool("user", "grant", "bench@example.com", "100000")
        self.key = tool("key", "create", "--user", "bench@example.com").splitlines()[-1]
        self.server = subprocess.Popen(
            ["taskset", "-c", "1", *_CLI, "serve", "--port", str(self.port)],
            env=env,
            cwd=checkout,
            stdout=subprocess.DEVNULL,
        )
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1)
                break
            except OSError:
                time.sleep(0.1)

    def measure(self, load: Path, body: Path, calls: int) -> None:
        before = used(self.server.pid)
        asked = [
            "-c",
            str(AT_ONCE),
            "-t",
            "60",
            "-n",
            str(calls),
            "-b",
            str(body),
            "-H",
            f"Authorization: Bearer {self.key}",
        ]
        done = subprocess.run(
            ["taskset", "-c", "0", str(load), "-p", str(self.port), "-u", "/v1/chat/completions", *asked],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        told, after = json.loads(done.stdout), used(self.server.pid)
        if told.get("errors"):
            raise SystemExit(f"{self.name}: {told}")
        main = str(self.server.pid)
        self.total.append(
            sum(ms - before.get(thread, 0.0) for thread, ms in after.items()) / told["requests"]
        )
        self.loop.append((after[main] - before[main]) / told["requests"])


def main(harness: Path, stream: bool, named: list[str]) -> None:
    """Runs all and prints a table."""
    said = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": _SAID}],
        "temperature": 0.7,
        "max_tokens": 256,
    }
    if stream:
        said |= {"stream": True, "stream_options": {"include_usage": True}}
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as scratch:
        there = Path(scratch)
        for program in ("mock", "load"):
            subprocess.run(
                ["gcc", "-O2", "-o", there / program, harness / "src" / f"{program}.c"], check=True
            )
        (there / "body.json").write_text(json.dumps(said))
        upstream = free_port()
        running.append(
            subprocess.Popen(["taskset", "-c", "0", there / "mock", "-p", str(upstream), "-n", "64"])
        )
        try:
            versions = []
            for word in named:
                name, _, checkout = word.partition("=")
                versions.append(Version(name, checkout, there / name, upstream))
                running.append(versions[-1].server)
            for count in (WARM, *[600 if stream else 2_000] * ROUNDS):
                for version in versions:
                    version.measure(there / "load", there / "body.json", count)
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(30)
    print(
        "| version | CPU ms a call, median (least to most) | of it the event loop's thread |\n| --- | --: | --: |"
    )
    for version in versions:
        total, loop = version.total[1:], version.loop[1:]
        shown = f"{statistics.median(total):.3f} ({min(total):.3f} to {max(total):.3f})"
        print(f"| {version.name} | {shown} | {statistics.median(loop):.3f} |")
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    words = [word for word in sys.argv[2:] if word != "--stream"]
    main(Path(sys.argv[1]), "--stream" in sys.argv, words)

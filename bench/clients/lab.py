"""What the trials stand on: installed clients, and our real server with an account, in front of the scripted provider."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".tools" / "clients"
TOOL = Path(sys.executable).with_name("agent-marketplace")
NODE = ROOT / ".tools" / "node" / "bin"
INSTALL_S = 900
START_S = 180  # a busy machine
UV = "uv==0.13.8"
EMAIL, PASSWORD = "trials@example.com", "correct horse 9 battery"
MARK = "CLIENTS_TRIAL"  # stands in the environment of everything that one trial started
DECLARED = "my-coder-32b"
_DECLARATION = """
[[provider]]
name = "our-vllm"
base_url = "{url}/v1"
wire = "openai"

[[provider.models]]
id = "{model}"
context = 131072
tools = true
max_output = 32000
"""


class Failed(Exception):
    """A step outside of the client went wrong."""


def install(client: str, package: str, version: str, more: Sequence[str]) -> Path:
    """Brings a pinned client from its registry, once; returns its folder. `more`: packages beside it, `name@version`."""
    registry, _, name = package.partition(":")
    folder = INSTALLED / client
    wanted = json.dumps([package, version, *more])
    stamp = folder / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if registry == "npm":
        (folder / "package.json").write_text('{"private": true}')
        words = ["npm", "install", "--no-audit", "--no-fund", "--no-update-notifier", f"{name}@{version}", *more]
        _run(words, folder)
    elif registry == "go":
        (folder / "go.mod").write_text("module trial\n\ngo 1.24\n")
        shutil.copy(Path(__file__).parent / "programs" / "go" / "main.go", folder)
        _run(["go", "get", f"{name}@v{version}"], folder)
        _run(["go", "build", "-o", "bin/trial", "."], folder)
    else:
        _run([sys.executable, "-m", "venv", str(folder)], folder)
        pins = [f"{name}=={version}", *(each.replace("@", "==") for each in more)]
        _run([_uv(), "pip", "install", "-q", "--python", str(folder / "bin" / "python"), *pins], folder)
    stamp.write_text(wanted)
    return folder


def _uv() -> str:
    """uv, which needs seconds where pip needs ten minutes for some of these."""
    folder = INSTALLED / "uv"
    if not (folder / "bin" / "uv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)], folder)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", UV], folder)
    return str(folder / "bin" / "uv")


def _run(words: Sequence[str], folder: Path) -> None:
    env = {**os.environ, "PATH": f"{NODE}:{os.environ['PATH']}"}
    code, output = bounded(words, env, folder, INSTALL_S)
    if code != 0:
        raise Failed(f"{' '.join(words[:3])} ended with {code}: {output[-400:]}")


def bounded(words: Sequence[str], env: Mapping[str, str], folder: Path, limit_s: float) -> tuple[int | None, str]:
    """(exit status, None: out of time; what it wrote, kept beside the folder). Whatever it started is over when this returns, daemons too."""
    marked = {**env, MARK: secrets.token_hex(8)}
    with folder.with_suffix(".log").open("wb+") as out:
        process = subprocess.Popen(
            words, env=marked, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            code: int | None = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process, marked[MARK])
        out.seek(0)
        return code, out.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Ends a process, its group, and what left the group but carries the mark in its environment (Linux)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # nothing of the group is left
    process.wait()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in entry.read_bytes():
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except OSError:
            continue  # it has ended, or is not ours to read


def search_path(folder: Path) -> str:
    """Where a client finds its programs: its own, Node.js, and the machine's."""
    return f"{folder}/node_modules/.bin:{folder}/bin:{NODE}:{os.environ['PATH']}"


def _free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


def _ask(url: str, body: Any = None, token: str = "") -> Any:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.loads(answer.read())


@contextmanager
def market(provider: str, data: Path) -> Iterator[tuple[str, str]]:
    """(address, key) of `agent-marketplace serve` with an empty data directory, all of its providers being `provider`."""
    data.mkdir(parents=True)
    (data / "providers.toml").write_text(_DECLARATION.format(url=provider, model=DECLARED))
    port = _free_port()
    origin = f"http://127.0.0.1:{port}"
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "backend"),
        "HOME": str(data),
        "MARKETPLACE_DATA_DIR": str(data),
        "MARKETPLACE_LOCAL_MODEL": "off",
        "OPENAI_BASE_URL": f"{provider}/v1",
        "OPENAI_API_KEY": "sk-scripted",
        "ANTHROPIC_BASE_URL": provider,
        "ANTHROPIC_API_KEY": "sk-scripted",
        "GOOGLE_GEMINI_BASE_URL": provider,
        "GEMINI_API_KEY": "scripted",
        "OLLAMA_HOST": provider,
    }
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [TOOL, "serve", "--host", "127.0.0.1", "--port", str(port)], env=env, stdout=log, stderr=log
        )
    try:
        _until_ready(server, origin, data / "server.log")
        path = f"{origin}/api/v1/marketplace"
        token = _ask(f"{path}/auth/signup", {"email": EMAIL, "password": PASSWORD})["token"]
        subprocess.run([TOOL, "user", "grant", EMAIL, "1000"], env=env, check=True, capture_output=True)
        yield origin, _ask(f"{path}/keys", {"name": "trials"}, token)["key"]
        verified = subprocess.run([TOOL, "ledger", "verify"], env=env, capture_output=True, text=True, check=False)
        if verified.returncode != 0:
            raise Failed(f"the books do not agree: {verified.stdout[-400:]}{verified.stderr[-400:]}")
    finally:
        server.terminate()
        server.wait(60)


def _until_ready(server: subprocess.Popen[bytes], origin: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            _ask(f"{origin}/readyz")
            return
        except OSError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise Failed(f"the server did not start: {log.read_text()[-800:]}") from None
            time.sleep(0.2)

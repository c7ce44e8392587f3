"""The reference servers of the protocol's authors, from npm: every tool of theirs is found, called, and answers in words. `make trials`."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.runs.mcp.client import McpClient, Server
from agent_marketplace.runs.mcp.stdio import Command, Commands
from agent_marketplace.runs.types import Got
from tests.fakes.scripted import alone
from tests.fakes.server import PAID, running

pytestmark = pytest.mark.skipif(not os.environ.get("TRIALS"), reason="make trials runs it: it needs npm")
VERSION = "2026.8.31"
NAMES = ("everything", "filesystem", "memory")
INSPECTOR = "2.12.0"
GIVEN: dict[str, dict[str, Any]] = {
    "echo": {"message": "hi"},
    "get-sum": {"a": 1, "b": 2},
    "get-structured-content": {"location": "New York"},
    "get-annotated-message": {"messageType": "error", "includeImage": True},
    "trigger-long-running-operation": {"duration": 2, "steps": 2},
    "get-resource-links": {"count": 3},
    "get-resource-reference": {"resourceType": "Text", "resourceId": 1},
}
REFUSED = {"gzip-file-as-resource", "simulate-research-query"}
"""They need the internet, and tasks, which we do not speak."""


@pytest.fixture(scope="module")
def packages() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-marketplace"
    folder = cache / f"mcp-servers-{VERSION}"
    if not (folder / "node_modules/.bin/mcp-inspector").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        wanted = [f"@modelcontextprotocol/server-{name}@{VERSION}" for name in NAMES]
        wanted.append(f"@modelcontextprotocol/inspector@{INSPECTOR}")
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run([program("npm"), "install", *quiet, *wanted], cwd=folder, check=True)
    return folder / "node_modules/.bin"


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


@pytest.fixture(scope="module")
def everything(packages: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [program("node"), str(packages / "mcp-server-everything"), "streamableHttp"]
    with subprocess.Popen(
        command, env={"PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
        server.terminate()


@alone
async def test_every_tool_of_the_reference_server_answers_over_http(everything: str) -> None:
    client = AiohttpClient()
    try:
        speaking = McpClient(client, allow_private=True)
        tools, revision = await speaking.tools(Server(url=everything, owner="u1"))
        assert len(tools) >= 13
        server = Server(url=everything, owner="u1", revision=revision)
        found: dict[str, Got] = {}
        for tool in tools:
            given = GIVEN.get(tool.name, {})
            found[tool.name] = await speaking.call(server, tool.name, given, timeout_s=20, read_only=True)
    finally:
        await client.close()
    assert {name for name, got in found.items() if got.is_error} <= REFUSED
    assert found["get-sum"].text == "The sum of 1 and 2 is 3."
    assert "Long running operation completed" in found["trigger-long-running-operation"].text


@alone
async def test_the_file_server_and_the_memory_server_run_as_declared_commands(
    packages: Path, tmp_path: Path
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open/a.txt").write_text("in the open")
    (tmp_path / "secret.txt").write_text("not for tools")
    node = program("node")
    commands = Commands(
        {
            "files": Command(argv=(node, str(packages / "mcp-server-filesystem"), str(tmp_path / "open"))),
            "memory": Command(argv=(node, str(packages / "mcp-server-memory"))),
        }
    )
    names = {tool.name for tool in await commands.tools("stdio:files")}
    assert {"read_text_file", "list_directory"} <= names

    async def read(path: Path) -> Got:
        return await commands.call(
            "stdio:files", "read_text_file", {"path": str(path)}, timeout_s=20, read_only=True
        )

    assert (await read(tmp_path / "open/a.txt")).text == "in the open"
    denied = await read(tmp_path / "secret.txt")
    assert denied.is_error
    assert "not for tools" not in denied.text
    graph = await commands.call("stdio:memory", "read_graph", {}, timeout_s=20, read_only=True)
    assert "entities" in graph.text


def test_the_inspector_finds_calls_and_reads_at_our_own_endpoint(packages: Path, tmp_path: Path) -> None:
    with running(tmp_path) as server:
        key = server.key(server.person())
        told = ["--transport", "http", "--header", f"Authorization: Bearer {key.credential}"]

        def inspect(*asked: str) -> dict[str, Any]:
            command = [
                program("node"),
                str(packages / "mcp-inspector"),
                "--cli",
                f"{server.url}/mcp",
                *told,
                "--method",
                *asked,
            ]
            done = subprocess.run(command, capture_output=True, check=True, timeout=60)
            found: dict[str, Any] = json.loads(done.stdout)
            return found

        assert {"ask_model", "balance"} <= {tool["name"] for tool in inspect("tools/list")["tools"]}
        assert inspect("tools/call", "--tool-name", "balance")["structuredContent"]["balance"] == 5
        asked = ["--tool-arg", f"model={PAID}", "--tool-arg", "prompt=Hi", "--tool-arg", "max_cost=0.01"]
        assert inspect("tools/call", "--tool-name", "ask_model", *asked)["isError"] is False
        assert inspect("resources/read", "--uri", "marketplace://prices")["contents"]

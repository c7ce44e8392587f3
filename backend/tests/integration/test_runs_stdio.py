"""Tool servers that the operator declares as commands: nobody else names one, none sees our environment, none runs without end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.accounts import users
from agent_marketplace.errors import BadRequest
from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.runs.mcp.client import McpClient
from agent_marketplace.runs.mcp.servers import Approved, ToolServers
from agent_marketplace.runs.mcp.stdio import Command, Commands, declared
from agent_marketplace.runs.tools.base import Caller, ToolFailed
from agent_marketplace.runs.types import ToolRef
from agent_marketplace.settings import SettingsError
from agent_marketplace.vault import Vault
from tests.fakes.scripted import Books, Script, Stage, Turn, alone, spec

SERVER = r"""
import json, os, resource, sys, time
NAMES = ("look", "wait", "grow", "die")
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    method, found = asked["method"], None
    if method == "initialize":
        info = {"name": "own", "version": "1"}
        found = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
    elif method == "tools/list":
        found = {"tools": [{"name": n, "description": n, "inputSchema": {"type": "object"}} for n in NAMES]}
    elif method == "tools/call":
        name = asked["params"]["name"]
        if name == "wait":
            time.sleep(60)
        if name == "grow":
            kept = bytearray(900 * 1024 * 1024)
        if name == "die":
            os._exit(3)
        told = {"env": dict(os.environ), "argv": sys.argv[1:], "cwd": os.getcwd(), "pid": os.getpid()}
        found = {"content": [{"type": "text", "text": json.dumps(told)}]}
    said = {"result": found} if found else {"error": {"code": -32601, "message": "no"}}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **said}), flush=True)
"""
WHO = Caller(user_id="u1", key_id=None, run_id="run_1", timeout_s=10)


@asynccontextmanager
async def operated(database: Database, folder: Path) -> AsyncIterator[ToolServers]:
    (folder / "server.py").write_text(SERVER)
    argv = [sys.executable, "-I", str(folder / "server.py"), "$HOME; echo", "*"]
    (folder / "commands.toml").write_text(
        f"[own]\nargv = {msgspec.json.encode(argv).decode()}\nmemory_mb = 512\n"
    )
    clock, client = ManualClock(), AiohttpClient()
    world = Stage(database, Script([Turn(text="x")], Books()), clock=clock)
    speaking = McpClient(client, commands=Commands(declared(folder / "commands.toml")))
    try:
        yield ToolServers(database, Vault(database, world.keyring, clock), clock, speaking)
    finally:
        await client.close()


def add_users(database: Database) -> None:
    with database.engine.begin() as connection:
        for name, role in (("u1", "admin"), ("u2", "user")):
            row = {
                "user_id": name,
                "email": f"{name}@x.example",
                "password_hash": "x",
                "role": role,
                "tier": "free",
            }
            connection.execute(sa.insert(users), {**row, "created_at": 0})


@alone
async def test_a_command_runs_as_declared_with_an_empty_environment_and_ends_with_its_exchange(
    sqlite_database: Database, tmp_path: Path
) -> None:
    add_users(sqlite_database)
    async with operated(sqlite_database, tmp_path) as servers:
        row = await servers.add("u1", "own", "stdio:own")
        shown = await servers.shown("u1", row.server_id)
        assert (row.problem, sorted(t.tool for t in shown)) == ("", ["die", "grow", "look", "wait"])
        words = [
            Approved(tool=t.tool, sha256=t.sha256, policy="allow", read_only=t.tool != "die") for t in shown
        ]
        await servers.approve("u1", row.server_id, words)
        version = spec(*(ToolRef(name=t.tool, server=row.server_id) for t in shown))
        found = await servers.of("u1", version)
        told = msgspec.json.decode((await found["own__look"].run({}, WHO)).text)
        assert (told["env"].keys() - {"LC_CTYPE"}, told["argv"], told["cwd"]) == (
            set(),
            ["$HOME; echo", "*"],
            "/",
        )
        with pytest.raises(ProcessLookupError):
            os.kill(told["pid"], 0)
        for tool, unknown in (("grow", False), ("die", True)):
            with pytest.raises(ToolFailed) as failed:
                await found[f"own__{tool}"].run({}, WHO)
            assert failed.value.unknown == unknown
        with pytest.raises(ToolFailed) as late:
            await found["own__wait"].run({}, msgspec.structs.replace(WHO, timeout_s=1))
        assert late.value.kind == "timeout"
        offered = msgspec.structs.replace(version, author_id="u1", offered=True)
        assert await servers.of("u2", offered), (
            "an offered agent of the operator's uses it for whoever runs it"
        )
        with sqlite_database.engine.begin() as connection:
            connection.execute(sa.update(users).where(users.c.user_id == "u1").values(role="user"))
        assert await servers.of("u1", version) == {}


@alone
async def test_commands_that_hang_do_not_stall_every_other_run(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    commands = Commands({"own": Command(argv=(sys.executable, "-I", str(tmp_path / "server.py")))})

    async def wait(timeout_s: int) -> None:
        await commands.call("stdio:own", "wait", {}, timeout_s=timeout_s, read_only=False)

    hanging = [asyncio.create_task(wait(60)) for _ in range(4)]
    try:
        await asyncio.sleep(0)  # each has a place of its own now
        async with asyncio.timeout(20):
            with pytest.raises(ToolFailed, match="other commands") as late:
                await wait(1)
        assert (late.value.kind, late.value.unknown) == ("timeout", False), "no process was started"
    finally:
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


@alone
async def test_nobody_but_an_administrator_names_a_command_and_only_a_declared_one(
    sqlite_database: Database, tmp_path: Path
) -> None:
    add_users(sqlite_database)
    async with operated(sqlite_database, tmp_path) as servers:
        for user, url in (
            ("u2", "stdio:own"),
            ("u1", "stdio:other"),
            ("u1", "stdio:/bin/sh"),
            ("u1", "stdio:"),
        ):
            with pytest.raises(BadRequest):
                await servers.add(user, "mine", url)


@pytest.mark.parametrize(
    "text",
    [
        "[x]\nargv = []",
        '[x]\nargv = ["sh", "-c", "id"]', "[x]\nargv = 'sh'", '[x]\nargv = ["/bin/sh"]\nenv = {}', "x", '[x]\nargv = ["/no/such"]'],
)  # fmt: skip
def test_a_file_that_declares_no_whole_path_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    path: Any = tmp_path / "commands.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="MARKETPLACE_TOOL_COMMANDS"):
        declared(path)
    assert declared(None) == {}

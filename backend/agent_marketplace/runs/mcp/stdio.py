"""MCP servers that the operator declares as commands: fixed argv, an empty environment, limits of the kernel, a process for each exchange.

The official SDK speaks to them. It is an optional extra (`stdio`) and imported on first use; users name no command, ever.
"""

import asyncio
import contextlib
import importlib.util
import logging
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent_marketplace.runs.mcp import listing, wire
from agent_marketplace.runs.mcp.wire import Definition, Refused
from agent_marketplace.runs.tools.base import ToolFailed
from agent_marketplace.runs.types import Got
from agent_marketplace.settings import SettingsError

log = logging.getLogger(__name__)
SCHEME = "stdio:"
"""How an administrator names a declared command in place of an address."""
_AT_ONCE = 4
_CHILD = Path(__file__).with_name("stdio_child.py")


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declared server. argv: the program's whole path and its arguments; memory_mb, cpu_s: of one exchange."""

    argv: tuple[str, ...]
    memory_mb: int = 1024
    cpu_s: int = 60


def declared(path: Path | None) -> Mapping[str, Command]:
    """The commands of a file by name. Raises SettingsError, also where the extra is missing."""
    if path is None:
        return {}
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), dict[str, Command])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"MARKETPLACE_TOOL_COMMANDS: {path}: {error}") from None
    for name, command in found.items():
        if not command.argv or not os.path.isabs(command.argv[0]) or not os.access(command.argv[0], os.X_OK):
            raise SettingsError(
                f"MARKETPLACE_TOOL_COMMANDS: {name}: argv must begin with the whole path of a program"
            )
        if not 16 <= command.memory_mb <= 65_536 or not 1 <= command.cpu_s <= 3_600:
            raise SettingsError(
                f"MARKETPLACE_TOOL_COMMANDS: {name}: memory_mb from 16 to 65536, cpu_s from 1 to 3600"
            )
    if found and importlib.util.find_spec("mcp") is None:
        raise SettingsError(
            "MARKETPLACE_TOOL_COMMANDS needs the extra: pip install 'ai-agent-marketplace[stdio]'"
        )
    return found


class Commands:
    """All declared servers, a few processes at once."""

    def __init__(self, commands: Mapping[str, Command] | None = None) -> None:
        self._commands = commands or {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def knows(self, url: str) -> bool:
        """Whether an address names a declared command."""
        return url.startswith(SCHEME) and url.removeprefix(SCHEME) in self._commands

    async def tools(self, url: str) -> list[Definition]:
        """Its tools; what is malformed is left out. Raises ToolFailed."""
        async with self._speaking(url, listing.LIST_S, read_only=True) as client:

            async def page(cursor: str | None) -> dict[str, Any]:
                return _plain(await client.list_tools(cursor=cursor))

            return await listing.listed(page)

    async def call(
        self, url: str, name: str, given: Mapping[str, Any], *, timeout_s: int, read_only: bool
    ) -> Got:
        """What a call came to. Raises ToolFailed."""
        async with self._speaking(url, timeout_s, read_only=read_only) as client:
            return wire.got(_plain(await client.call_tool(name, dict(given))))

    @contextlib.asynccontextmanager
    async def _speaking(self, url: str, timeout_s: float, *, read_only: bool) -> AsyncIterator[Any]:
        command = self._commands.get(url.removeprefix(SCHEME))
        if command is None:
            raise ToolFailed("the operator does not declare this server any more", "server_stopped")
        from mcp import Client
        from mcp.client.stdio import StdioServerParameters, stdio_client

        limits = [str(command.memory_mb), str(command.cpu_s)]
        child = StdioServerParameters(
            command=sys.executable, args=["-I", str(_CHILD), *limits, *command.argv]
        )
        started = False
        try:
            async with asyncio.timeout(timeout_s), self._slots:
                started = True
                with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230  no file
                    async with Client(stdio_client(child, errlog=nowhere)) as client:
                        yield client
        except TimeoutError:
            words = f"no result within {timeout_s:.0f} s"
            if not started:
                words += f": {_AT_ONCE} other commands ran all that time"
            raise ToolFailed(words, "timeout", unknown=started and not read_only) from None
        except Exception as error:  # noqa: BLE001  the SDK raises many things, in groups of one
            raise _failed(error, url, read_only=read_only) from None


def _failed(error: BaseException, url: str, *, read_only: bool) -> ToolFailed:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ToolFailed):
        return error
    if isinstance(error, Refused):
        return ToolFailed(error.words, "refused", unknown=not error.sure and not read_only)
    log.warning("%s failed: %s: %s", url, type(error).__name__, error)
    return ToolFailed(
        f"the server failed: {str(error)[:200] or type(error).__name__}", "unreachable", unknown=not read_only
    )


def _plain(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found

"""All tools of a server, whatever it is spoken to over."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agent_marketplace.runs.mcp import wire
from agent_marketplace.runs.mcp.wire import Definition

LIST_S = 20.0
"""In which a server's tools are to be listed."""
_MOST_PAGES = 16


async def listed(page: Callable[[str | None], Awaitable[Mapping[str, Any]]]) -> list[Definition]:
    """All tools of a server, page by page, as far as it may have so many and say so much of them. page: asks for the one behind a
    cursor."""
    found: dict[str, Definition] = {}
    size, cursor = 0, None
    for _ in range(_MOST_PAGES):
        tools, following = wire.definitions(await page(cursor))
        for tool in tools:
            if size + tool.size <= wire.MOST_OF_ALL and tool.name not in found:
                found[tool.name] = tool
                size += tool.size
        if following is None or following == cursor or len(found) >= wire.MOST_TOOLS:
            break
        cursor = following
    return [*found.values()][: wire.MOST_TOOLS]

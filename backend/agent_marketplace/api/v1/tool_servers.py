"""Tool servers of the caller: what their tools say of themselves, and which of them agents may use."""

from typing import Any

from fastapi import Response

from agent_marketplace.api import run_replies, run_schemas, schemas
from agent_marketplace.api.deps import Reader, Router, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.api.present import iso
from agent_marketplace.app import Market
from agent_marketplace.runs.mcp.servers import Approved
from agent_marketplace.runs.mcp.store import ServerRow

router = Router(prefix="/api/v1/agents", tags=["tool servers"])


def _line(row: ServerRow) -> dict[str, Any]:
    return {
        "server_id": row.server_id, "name": row.name, "url": row.url, "header": row.header,
        "authorised": row.secret_sealed is not None, "revision": row.revision, "problem": row.problem,
        "created_at": iso(row.created_at), "checked_at": iso(row.checked_at),
    }  # fmt: skip


async def _whole(market: Market, user_id: str, server_id: str) -> Response:
    row = await market.runs.servers.get(user_id, server_id)
    tools = [
        {
            "tool": t.tool, "state": t.state, "sha256": t.sha256, "description": t.description, "input": t.schema,
            "annotations": t.annotations, "policy": t.policy, "read_only": t.read_only,
        }
        for t in await market.runs.servers.shown(user_id, server_id)
    ]  # fmt: skip
    return success(server={**_line(row), "tools": tools})


@router.get("/tool-servers", summary="My tool servers", responses={200: {"model": run_replies.ToolServers}})
async def list_tool_servers(market: The, principal: Reader) -> Response:
    return success(servers=[_line(row) for row in await market.runs.servers.list(principal.user_id)])


@router.post(
    "/tool-servers",
    summary="Name an MCP server and look at its tools",
    responses={200: {"model": run_replies.ToolServer}},
)
async def add_tool_server(market: The, principal: Writer, body: run_schemas.ToolServerBody) -> Response:
    row = await market.runs.servers.add(
        principal.user_id, body.name, body.url, secret=body.secret.get_secret_value(), header=body.header
    )
    return await _whole(market, principal.user_id, row.server_id)


@router.get(
    "/tool-servers/{server_id}",
    summary="A tool server with its tools",
    responses={200: {"model": run_replies.ToolServer}},
)
async def get_tool_server(market: The, principal: Reader, server_id: str) -> Response:
    return await _whole(market, principal.user_id, server_id)


@router.post(
    "/tool-servers/{server_id}/refresh",
    summary="Look at its tools anew",
    responses={200: {"model": run_replies.ToolServer}},
)
async def refresh_tool_server(market: The, principal: Writer, server_id: str) -> Response:
    await market.runs.servers.look(principal.user_id, server_id)
    return await _whole(market, principal.user_id, server_id)


@router.post(
    "/tool-servers/{server_id}/approve",
    summary="Pin tools as they were shown, with what agents may do with them",
    responses={200: {"model": run_replies.ToolServer}},
)
async def approve_tools(
    market: The, principal: Writer, server_id: str, body: run_schemas.ApproveTools
) -> Response:
    words = [
        Approved(tool=t.tool, sha256=t.sha256, policy=t.policy, read_only=t.read_only) for t in body.tools
    ]
    await market.runs.servers.approve(principal.user_id, server_id, words)
    return await _whole(market, principal.user_id, server_id)


@router.delete(
    "/tool-servers/{server_id}", summary="Forget a tool server", responses={200: {"model": schemas.Reply}}
)
async def delete_tool_server(market: The, principal: Writer, server_id: str) -> Response:
    await market.runs.servers.delete(principal.user_id, server_id)
    return success()

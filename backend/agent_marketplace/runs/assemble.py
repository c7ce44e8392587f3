"""The runs of one process, put together from its parts."""

from collections.abc import Awaitable, Callable
from typing import Any

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.conversations.agents import Agents as Presets
from agent_marketplace.db.engine import Database
from agent_marketplace.gateway.ai_api_router import APIRouter
from agent_marketplace.listings import Listings
from agent_marketplace.runs import store
from agent_marketplace.runs.agents import AllAgents
from agent_marketplace.runs.asking import GatewayAsks
from agent_marketplace.runs.fees import OfferedFees
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.mcp.client import McpClient
from agent_marketplace.runs.mcp.servers import ToolServers
from agent_marketplace.runs.mcp.stdio import Commands, declared
from agent_marketplace.runs.presets import PresetAgents
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.service import Runs
from agent_marketplace.runs.toolbox import Toolbox
from agent_marketplace.runs.tools.calculator import Calculator
from agent_marketplace.runs.tools.fetch import Fetch
from agent_marketplace.runs.tools.market import Estimate, SearchCatalogue
from agent_marketplace.settings import Settings
from agent_marketplace.vault import Vault
from agent_marketplace.wires.base import Call, Codec, Message, TextPart


def assemble_runs(
    db: Database,
    vault: Vault,
    router: APIRouter,
    registry: MarketplaceRegistry,
    presets: Presets,
    listings: Listings,
    codec: Codec,
    settings: Settings,
    quota: int = 0,
) -> Runs:
    """All of it. quota: as of Records. Raises SettingsError (the file that declares the operator's own tool servers)."""
    private_tools = settings.private_tools
    parts = router.parts
    agents = AllAgents(PresetAgents(presets), listings)
    speaking = McpClient(
        parts.client, allow_private=private_tools, commands=Commands(declared(settings.tool_commands))
    )
    servers = ToolServers(db, vault, parts.clock, speaking, allow_private=private_tools)
    built_in = (Calculator(), Fetch(parts.client), SearchCatalogue(registry), Estimate(_estimates(router)))

    async def may_spend(user_id: str, key_id: str | None) -> bool:
        return await db.read(lambda c: store.may_spend(c, user_id, key_id, parts.clock.now_ms()))

    kit = Kit(
        records=Records(db, vault, parts.clock, quota=quota), asks=GatewayAsks(router, parts.ledger), agents=agents,
        tools=Toolbox(built_in, agents, servers), codec=codec, clock=parts.clock, owner=parts.ledger.owner, fees=OfferedFees(listings.fees),
        sub=_not_yet, tracer=lambda: parts.tracer, may_spend=may_spend,
    )  # fmt: skip
    return Runs(kit, parts.drain, servers)


def _estimates(router: APIRouter) -> Callable[[str, str, str, int | None], Awaitable[dict[str, Any]]]:
    async def estimate(user_id: str, model: str, prompt: str, most: int | None) -> dict[str, Any]:
        call = Call(
            model=model, messages=(Message("user", (TextPart(prompt),)),), max_tokens=most, stream=True
        )
        return await router.estimate(user_id, call)

    return estimate


async def _not_yet(*_: Any) -> Any:
    raise AssertionError("Runs sets how sub-agents are run")

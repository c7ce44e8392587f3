"""The one place where the outbound client is chosen."""

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.http import OutboundClient
from agent_marketplace.settings import Settings


def make_client(settings: Settings) -> OutboundClient:
    """The client that the settings name. Call it inside the running event loop; whoever calls it closes it."""
    return AiohttpClient()

"""The one place where the outbound client is chosen."""

import ssl

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.ssrf import Resolver
from agent_marketplace.settings import Settings


def make_client(
    settings: Settings, *, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None
) -> LeanClient | AiohttpClient:
    """The client that the settings name. Call it inside the running event loop; whoever calls it closes it."""
    kind = LeanClient if settings.outbound == "lean" else AiohttpClient
    return kind(resolver=resolver, tls=tls, per_host=settings.provider_connections)

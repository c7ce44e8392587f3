"""The one place where the outbound client is chosen."""

import ssl
from typing import TYPE_CHECKING, Union

from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.ssrf import Resolver
from agent_marketplace.settings import Settings

if TYPE_CHECKING:
    from agent_marketplace.net.aiohttp_client import AiohttpClient


def make_client(
    settings: Settings, *, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None
) -> Union[LeanClient, "AiohttpClient"]:
    """The client that the settings name. Call it inside the running event loop; whoever calls it closes it."""
    if settings.outbound == "lean":
        return LeanClient(resolver=resolver, tls=tls, per_host=settings.provider_connections)
    from agent_marketplace.net.aiohttp_client import AiohttpClient  # a twelfth of a start's imports, for few

    return AiohttpClient(resolver=resolver, tls=tls, per_host=settings.provider_connections)

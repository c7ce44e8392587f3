"""A stand-in for the outbound client until the event loop runs."""

from collections.abc import Coroutine
from typing import Any

from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse
from agent_marketplace.net.lean_pool import Counts


class LateClient:
    """Stands for the outbound client until the event loop runs, which the real one needs."""

    def __init__(self) -> None:
        self.real: OutboundClient | None = None
        self.counts = Counts()

    def send(self, request: OutboundRequest) -> Coroutine[Any, Any, OutboundResponse]:
        """As OutboundClient.send."""
        if self.real is None:
            raise RuntimeError("the market has not been started")
        return self.real.send(request)

    async def close(self) -> None:
        real, self.real = self.real, None
        if real is not None:
            await real.close()

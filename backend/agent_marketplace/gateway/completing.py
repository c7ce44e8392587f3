"""What a flight does for a completion."""

from agent_marketplace.gateway import needs
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.preparing import measured
from agent_marketplace.gateway.record import GatewayRequest, Prepared, Record
from agent_marketplace.wires.shared.forms import Forms


class CompletionJob:
    """A completion: the usual call."""

    async def measure(self, _parts: Parts, request: GatewayRequest) -> tuple[Needs, int, Forms]:
        """What the call needs, our count of its input, and everything that a provider can bill for reading it."""
        tokens, forms = await measured(request.call, request.raw)
        return needs.read(request.call, tokens), tokens, forms

    async def prepare(self, parts: Parts, record: Record, attempt: Attempt, cap: int | None) -> Prepared:
        """Raises UpstreamFailure where the target's wire cannot say what the call needs."""
        return await parts.preparer.chat(record, attempt, cap)

    def render(self, parts: Parts, record: Record, now: float) -> bytes:
        """The whole answer in the client's wire."""
        return parts.preparer.render(record, now)

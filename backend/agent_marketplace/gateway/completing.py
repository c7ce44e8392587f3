"""What a flight does for a completion."""

from agent_marketplace.gateway import needs
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.preparing import count_tokens
from agent_marketplace.gateway.record import Prepared, Record
from agent_marketplace.wires.base import Call


class CompletionJob:
    """A completion: the usual call."""

    async def measure(self, _parts: Parts, call: Call) -> tuple[Needs, int]:
        """What the call needs, and our count of its input."""
        tokens = await count_tokens(call)
        return needs.read(call, tokens), tokens

    async def prepare(self, parts: Parts, record: Record, attempt: Attempt, cap: int | None) -> Prepared:
        """Raises UpstreamFailure where the target's wire cannot say what the call needs."""
        return await parts.preparer.chat(record, attempt, cap)

    def render(self, parts: Parts, record: Record, now: float) -> bytes:
        """The whole answer in the client's wire."""
        return parts.preparer.render(record, now)

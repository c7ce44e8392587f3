"""Routes model requests to providers; not the web framework's router of the same name.

`flight(request)` is the way in for every route; `route_completion` and `handle_streaming` are the guide's short forms.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from agent_marketplace.gateway import estimates, preparing
from agent_marketplace.gateway.completing import CompletionJob
from agent_marketplace.gateway.embedding import EmbeddingJob, Render
from agent_marketplace.gateway.filling import FillingJob
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.pieces import text_pieces
from agent_marketplace.gateway.record import GatewayRequest, Mouth
from agent_marketplace.gateway.text import TextMouth
from agent_marketplace.ids import new_id
from agent_marketplace.wires import embeddings
from agent_marketplace.wires.base import Call, Message, TextPart
from agent_marketplace.wires.embeddings import EmbeddingCall


class APIRouter:
    """The gateway's face. One per process."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def flight(self, request: GatewayRequest) -> Flight:
        """One completion's flight. Raises BadRequest for malformed routing fields."""
        return Flight(self.parts, request, FillingJob() if request.call.fill is not None else CompletionJob())

    def embedding(
        self,
        call: EmbeddingCall,
        *,
        request_id: str,
        user_id: str,
        key_id: str | None,
        render: Render = embeddings.render_reply,
    ) -> Flight:
        """One request for vectors: `open`, then `plain`. render: the client's shape. Raises as `flight`."""
        job = EmbeddingJob(call, render)
        return Flight(self.parts, job.request(request_id, user_id, key_id), job)

    async def estimate(self, user_id: str, call: Call) -> dict[str, Any]:
        """What a call will cost, before it is made. Raises what planning raises."""
        return await estimates.estimate(self.parts, user_id, call)

    async def most(self, user_id: str, call: Call) -> int:
        """The most a call can cost, nano-dollars. Raises what planning raises."""
        return await estimates.most(self.parts, user_id, call)

    async def count_tokens(self, call: Call) -> int:
        """Input tokens, estimated offline."""
        return await preparing.count_tokens(call)

    def canonical(self, name: str) -> str:
        """Our id for any name of a model; the name itself where it is unknown."""
        return self.parts.planner.canonical(name)

    # -- the guide's two ------------------------------------------------------------------------------------------

    async def route_completion(
        self, user_id: str, model_id: str, prompt: str, options: Mapping[str, Any] | None = None
    ) -> str:
        """The answer's text, charged to the user. Raises MarketplaceError."""
        flight = self.flight(self._short(user_id, model_id, prompt, options, mouth=TextMouth(), stream=False))
        await flight.open()
        await flight.plain()
        reply = flight.record.upstream.reply if flight.record.upstream else None
        return reply.text if reply is not None else ""

    async def handle_streaming(
        self, user_id: str, model_id: str, prompt: str, options: Mapping[str, Any] | None = None
    ) -> AsyncIterator[str]:
        """Pieces of the answer's text as they come. Raises MarketplaceError, also in mid-stream; leaving early cancels upstream."""
        mouth = TextMouth()
        flight = self.flight(self._short(user_id, model_id, prompt, options, mouth=mouth, stream=True))
        await flight.open()
        async for piece in text_pieces(flight, mouth):
            yield piece

    def _short(
        self,
        user_id: str,
        model_id: str,
        prompt: str,
        options: Mapping[str, Any] | None,
        *,
        mouth: Mouth,
        stream: bool,
    ) -> GatewayRequest:
        given = dict(options or {})
        call = Call(
            model=model_id,
            messages=(Message("user", (TextPart(prompt),)),),
            stream=stream,
            max_tokens=given.get("max_tokens"),
            temperature=given.get("temperature"),
        )
        return GatewayRequest(request_id=new_id("req"), user_id=user_id, mouth=mouth, call=call, agents=True)

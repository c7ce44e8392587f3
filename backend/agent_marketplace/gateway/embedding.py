"""Embeddings on the gateway's own stages: admitted, held, tried, settled and receipted like any other call."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway import needs
from agent_marketplace.gateway.dispatch import Prepared
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.pulse import Pulse
from agent_marketplace.gateway.request import GatewayRequest
from agent_marketplace.gateway.text import TextMouth
from agent_marketplace.net.http import OutboundRequest
from agent_marketplace.wires import embeddings
from agent_marketplace.wires.base import Call, Codec, Finish, Reply, Shape, WireName
from agent_marketplace.wires.embeddings import EmbeddingCall, EmbeddingReply, Vector
from agent_marketplace.wires.shared.tokens import count_text

if TYPE_CHECKING:
    from agent_marketplace.gateway.ai_api_router import APIRouter

Render = Callable[[EmbeddingReply, str, Mapping[str, Any]], bytes]


class _VectorMouth(TextMouth):
    """The client's side: the vectors of the attempt that answered, in the client's shape."""

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render
        self.vectors: tuple[Vector, ...] = ()

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
        return self._render(EmbeddingReply(vectors=self.vectors, usage=reply.usage), shape.model, extra)


class _VectorCodec:
    """The provider's side, as far as dispatch needs it: vectors go to the mouth, the rest is an answer without text."""

    def __init__(self, chat: Codec, wire: WireName, count: int, mouth: _VectorMouth) -> None:
        self.classify_error = chat.classify_error
        self._wire = wire
        self._count = count
        self._mouth = mouth

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure."""
        reply = embeddings.parse_reply(body, self._wire, self._count)
        self._mouth.vectors = reply.vectors
        return Reply(parts=(), finish=Finish.STOP, usage=reply.usage)


class EmbeddingFlight(Flight):
    """One request for vectors: `open`, then `plain`. render: the client's shape."""

    def __init__(
        self,
        router: "APIRouter",
        call: EmbeddingCall,
        *,
        request_id: str,
        user_id: str,
        key_id: str | None,
        render: Render = embeddings.render_reply,
    ) -> None:
        self._mouth = _VectorMouth(render)
        self._embedding = call
        as_call = Call(model=call.model, messages=(), max_tokens=0, user=call.user, routing=call.routing)
        super().__init__(
            router,
            GatewayRequest(
                request_id=request_id, user_id=user_id, key_id=key_id, mouth=self._mouth, call=as_call
            ),
        )

    async def open(self) -> None:
        """Admission, plan and hold. Raises the caller's error; nothing is held then."""
        if (refusal := self.router.drain.refusal()) is not None:
            raise refusal
        model = self.router.targets.resolve(self._embedding.model)
        if "embeddings" not in model.capabilities:
            raise BadRequest(f"{model.id} makes no embeddings", code="unprocessable")
        self.input_tokens = self._embedding.input_tokens
        # Each input has the context to itself, but all of them are paid for.
        longest = max(count_text(i) if isinstance(i, str) else len(i) for i in self._embedding.inputs)
        wants = needs.read(self.request.call, longest)
        self.plan = await self.router.plan_for(self.request.user_id, self.request.call, wants, self.wishes)
        self.hold = await self._hold(wants)
        self._pulse = Pulse(
            self.router.rhythm, self._heartbeat, beat_every_s=self._holding.beat_every(self.router.rhythm)
        )

    async def _prepare(self, attempt: Attempt) -> Prepared:
        target = attempt.target
        endpoint = self.router.endpoints.get(target.provider)
        if endpoint is None:
            raise AssertionError("plans name known endpoints only")
        out = embeddings.build_request(self._embedding, target.upstream_id, endpoint.wire)
        chat = self.router.endpoints.codec(target.provider, self.router.codecs)
        codec = cast("Codec", _VectorCodec(chat, endpoint.wire, len(self._embedding.inputs), self._mouth))
        secret = None
        if target.credential == "byok":
            secret = await self.router.credentials.secret(self.request.user_id, target.provider)
        url, headers = endpoint.address(out, secret)
        sent = OutboundRequest(
            method="POST", url=url, headers=headers, body=out.body, timeouts=endpoint.timeouts(stream=False),
            allow_private=endpoint.allow_private,
        )  # fmt: skip
        return Prepared(request=sent, codec=codec, pipe=None, call=out)

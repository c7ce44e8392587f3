"""Embeddings on the gateway's own stages: admitted, held, tried, settled and receipted like any other call."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway import needs, told
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.record import GatewayRequest, Prepared, Record
from agent_marketplace.gateway.text import TextMouth
from agent_marketplace.wires import embeddings
from agent_marketplace.wires.base import Call, Codec, Finish, Reply, WireName
from agent_marketplace.wires.embeddings import EmbeddingCall, EmbeddingReply, Vector
from agent_marketplace.wires.shared.bounds import TextSize, measure
from agent_marketplace.wires.shared.forms import Forms
from agent_marketplace.wires.shared.tokens import count_text

Render = Callable[[EmbeddingReply, str, Mapping[str, Any]], bytes]


class _Vectors(Reply, frozen=True, kw_only=True):
    """A whole answer that is vectors: a reply without text."""

    vectors: tuple[Vector, ...] = ()


_LONG = 65_536  # characters and tokens: more are counted beside the event loop


class _VectorReader:
    """The provider's side, as far as dispatch needs it."""

    content_type_stream = ""

    def __init__(self, chat: Codec, wire: WireName, count: int) -> None:
        self.classify_error = chat.classify_error
        self._wire = wire
        self._count = count

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure."""
        reply = embeddings.parse_reply(body, self._wire, self._count)
        return _Vectors(parts=(), finish=Finish.STOP, usage=reply.usage, vectors=reply.vectors)


class EmbeddingJob:
    """One request for vectors. render: the client's shape."""

    def __init__(self, call: EmbeddingCall, render: Render = embeddings.render_reply) -> None:
        self._call = call
        self._render = render

    def request(self, request_id: str, user_id: str, key_id: str | None) -> GatewayRequest:
        """The call as the gateway's stages see it: no messages, no output."""
        call, mouth = self._call, TextMouth()
        as_call = Call(model=call.model, messages=(), max_tokens=0, user=call.user, routing=call.routing)
        return GatewayRequest(
            request_id=request_id, user_id=user_id, key_id=key_id, mouth=mouth, call=as_call
        )

    async def measure(self, parts: Parts, request: GatewayRequest) -> tuple[Needs, int, Forms]:
        """Raises NotFound, and BadRequest for a model that makes no embeddings."""
        call = request.call
        model = parts.planner.resolve(call.model)
        if "embeddings" not in model.capabilities:
            raise BadRequest(f"{model.id} makes no embeddings", code="unprocessable")
        long = (
            sum(map(len, self._call.inputs)) + sum(len(str(w)) for w in self._call.purpose.values()) > _LONG
        )
        counts, forms = await asyncio.to_thread(self._counted) if long else self._counted()
        # Each input has the context to itself, but all of them are paid for.
        return needs.read(call, max(counts)), sum(counts), forms

    def _counted(self) -> tuple[list[int], Forms]:
        """The tokens of each input, estimated, and what all of them make a provider read."""
        inputs = self._call.inputs
        counts = [count_text(i) if isinstance(i, str) else len(i) for i in inputs]
        tokens = sum(len(i) for i in inputs if not isinstance(i, str))
        given = TextSize(size=tokens, words_openai=tokens, words=tokens)
        read = measure("\n".join(i for i in inputs if isinstance(i, str)))
        # Google reads a title with every text that it stands beside: sized once, for it may be long and they are many.
        beside = measure("".join(f"{word}\n" for word in self._call.purpose.values()))
        return counts, Forms(text=read + given + beside.times(len(inputs)), messages=len(inputs))

    async def prepare(self, parts: Parts, record: Record, attempt: Attempt, _cap: int | None) -> Prepared:
        """One attempt's request. Raises UpstreamFailure where the target's wire makes no embeddings."""
        target = attempt.target
        wire = parts.preparer.endpoint(target).wire
        out = embeddings.build_request(self._call, target.upstream_id, wire)
        reader = _VectorReader(parts.preparer.codec(target), wire, len(self._call.inputs))
        waits = parts.preparer.waits(target, record.request.call)
        sent = await parts.preparer.addressed(target, out, record, waits)
        return Prepared(request=sent, codec=reader, pipe=None, call=out)

    def render(self, _parts: Parts, record: Record, now: float) -> bytes:
        """The vectors in the client's shape, with what they cost."""
        upstream = record.upstream
        if upstream is None or not isinstance(upstream.reply, _Vectors):
            raise AssertionError("an embedding's answer is vectors")
        reply = EmbeddingReply(vectors=upstream.reply.vectors, usage=record.usage)
        return self._render(reply, upstream.attempt.target.model, told.beside(record, now))

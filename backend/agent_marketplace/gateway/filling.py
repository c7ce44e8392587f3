"""What a flight does for a completion of bare text: filled in where the model can, else asked as a chat."""

import msgspec

from agent_marketplace import rules
from agent_marketplace.gateway import told
from agent_marketplace.gateway.completing import CompletionJob
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.pipes import TranslatedPipe
from agent_marketplace.gateway.plan import Attempt
from agent_marketplace.gateway.record import Prepared, Record
from agent_marketplace.rules.answer import Back
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.fim import provider_side
from agent_marketplace.wires.fim.provider_side import Kind, Reader
from agent_marketplace.wires.notes import Note, left_out

_AS_CHAT = Note("prompt", "reencoded", "this model only talks: the prompt was sent as a user's message")


class _Reader(Reader):
    """The provider's side with its own errors."""

    def __init__(self, kind: Kind, chat: Codec) -> None:
        super().__init__(kind)
        self.classify_error = chat.classify_error


class FillingJob(CompletionJob):
    """As a completion, but for what is sent."""

    async def prepare(self, parts: Parts, record: Record, attempt: Attempt, cap: int | None) -> Prepared:
        """Raises UpstreamFailure where the target's wire cannot say what the call needs."""
        target, call = attempt.target, record.request.call
        if call.fill is None:
            raise AssertionError("only a completion of bare text is filled in")
        way = parts.planner.way(target)
        if way is None:
            prepared = await super().prepare(parts, record, attempt, cap)
            notes = (_AS_CHAT, *left_out(call.fill.ignored, "completions have no such field"))
            prepared.call = msgspec.structs.replace(prepared.call, notes=(*notes, *prepared.call.notes))
            return prepared
        preparer = parts.preparer
        fitted = rules.fit(call, preparer.rules(target))
        out = provider_side.build_request(fitted.call, target.upstream_id, way, max_tokens=cap)
        out = msgspec.structs.replace(out, notes=fitted.notes)
        reader, pipe = _Reader(way.kind, preparer.codec(target)), None
        if call.stream:
            shape = told.shape(record, target)
            encoder, back = record.request.mouth.encoder(shape), Back(shape.id)
            pipe = TranslatedPipe(reader.decoder(), encoder, back=back, moved=told.moved(record, attempt))
        sent = await preparer.addressed(target, out, record, preparer.waits(target, call))
        return Prepared(request=sent, codec=reader, pipe=pipe, call=out, cap=cap)

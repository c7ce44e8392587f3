"""One attempt's request in its provider's wire, and one answer's reply in the client's."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from agent_marketplace import rules
from agent_marketplace.gateway import betas, sizing, told
from agent_marketplace.gateway import needs as need
from agent_marketplace.gateway.closed import at_list_price, closed
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.hosted import without_hosted
from agent_marketplace.gateway.pipes import Pipe, SplicedPipe, TranslatedPipe
from agent_marketplace.gateway.plan import Attempt, Target
from agent_marketplace.gateway.record import GatewayRequest, Prepared, Record
from agent_marketplace.gateway.thoughts import Thoughts, family_of, lost, restored
from agent_marketplace.net.http import OutboundRequest, Timeouts
from agent_marketplace.providers.endpoints import Endpoint, EndpointTable, timeouts
from agent_marketplace.reasoning import KeptReasoning
from agent_marketplace.rules.answer import Back
from agent_marketplace.wires.base import Call, Codec, FastPath, Finish, OutboundCall, WireName
from agent_marketplace.wires.notes import Note
from agent_marketplace.wires.shared.forms import Forms, of_body, of_call
from agent_marketplace.wires.shared.patching import Patch, patched
from agent_marketplace.wires.shared.tokens import count_call, is_long

log = logging.getLogger(__name__)


class Preparer:
    """Knows the providers' endpoints and wires. One per process."""

    def __init__(
        self,
        endpoints: EndpointTable,
        codecs: Mapping[str, Codec],
        credentials: Credentials,
        reasoning: KeptReasoning,
    ) -> None:
        self._endpoints = endpoints
        self._codecs = codecs
        self._credentials = credentials
        self._reasoning = reasoning

    async def chat(self, record: Record, attempt: Attempt, cap: int | None) -> Prepared:
        """A completion's request. Raises UpstreamFailure where the provider's wire cannot say what the call needs.

        cap: output tokens of each choice that the hold buys; None = what the caller gave
        """
        target, request = attempt.target, record.request
        call, unsaid = need.without_thinking(request.call, target.supported)
        endpoint = self.endpoint(target)
        wire, told_by = self._endpoints.told(target.provider, target.upstream_id, call)
        codec = self._endpoints.codec(target.provider, self._codecs, wire)
        fast = _fast_path(request, codec)
        limit = cap if cap is not None else call.max_tokens
        call, left_out = without_hosted(call, wire, own_key=target.credential == "byok")
        left_out = (*unsaid, *left_out)
        traits, thinking = told_by.state(call)
        wanted = traits.reasoning not in ("passed", "refused")
        family = family_of(wire, target.provider, target.model, target.credential, wanted=wanted)
        whole = await self._remembered(request.user_id, call, wire, family)
        fitted = rules.fit(whole, told_by)
        fast = (
            None if fitted.names else fast
        )  # bytes that pass would show the client names that are not its own
        # What the client's bytes lost can only be said in a body that is written anew.
        same = (fitted.same or fitted.patch is not None) and whole is call and not unsaid
        out, pipe = _spliced(
            record, attempt, fast, limit, same=same, patch=fitted.patch,
            length_field=fitted.call.manner.max_tokens_field,
        )  # fmt: skip
        if out is None:
            call = fitted.call
            if len({e.provider for e in record.log}) > 1 and not call.manner.reasoning_field:
                call = need.without_reasoning_history(call)
            out = codec.build_request(
                msgspec.structs.replace(call, max_tokens=limit), target.upstream_id, stream=call.stream
            )
        out = msgspec.structs.replace(out, notes=(*fitted.notes, *out.notes)) if fitted.notes else out
        if request.betas and call.wire == endpoint.wire == "anthropic":
            out = _with_betas(out, *betas.split(request.betas, target))
        left_out = (*_lowered(record, target), *left_out)
        if left_out:
            out = msgspec.structs.replace(out, notes=(*left_out, *out.notes))
        if target.credential == "operator":
            out = closed(out, request.call, wire, endpoint)
            if endpoint.resells and target.list_price is not None:
                out = at_list_price(out, target.list_price)
        if call.stream and pipe is None:
            shape = told.shape(record, target)
            encoder, back = request.mouth.encoder(shape), Back(shape.id, fitted.names)
            pipe = TranslatedPipe(codec.decoder(), encoder, back=back, moved=told.moved(record, attempt))
        waits = timeouts(
            traits, stream=call.stream, max_tokens=request.call.max_tokens,
            thinks=thinking or (target.thinks and not told_by.knows_thinking),
        )  # fmt: skip
        sent = await self.addressed(target, out, record, waits)
        return Prepared(
            sent, codec, pipe, out, cap=cap, fast=fast, names=fitted.names, wire=wire, family=family
        )

    async def _remembered(self, user_id: str, call: Call, wire: WireName, family: str) -> Call:
        """The call with the thinking that its client dropped since the calls that it led to."""
        if not family or call.plain or not (asked := lost(call, wire)):
            return call
        return restored(call, wire, await self._reasoning.of(user_id, family, asked))

    async def remember(self, record: Record, *, whole: bool) -> None:
        """Keeps what an answer thought before its tool calls, for the turn that brings their results. Before the last event
        leaves: that turn may be here at once."""
        upstream = record.upstream
        if not whole or upstream is None or upstream.prepared.wire is None or not upstream.prepared.family:
            return
        seen, user_id = upstream.meter.thoughts, record.request.user_id
        if upstream.reply is not None and upstream.prepared.fast is None:
            back = Back(record.request.request_id, upstream.prepared.names)
            seen = Thoughts.of(back.reply(upstream.reply))  # under the ids that the client was told
        try:
            if thoughts := seen.signed(upstream.prepared.wire):
                await self._reasoning.keep(user_id, upstream.prepared.family, thoughts)
        except Exception:  # the answer is paid for: a store that can't be written must not take it away
            log.exception("%s was settled, its thinking was not kept", record.request.request_id)

    async def addressed(
        self, target: Target, out: OutboundCall, record: Record, waits: Timeouts
    ) -> OutboundRequest:
        """A provider's request with its address, credential and deadlines (`waits`). Raises UpstreamFailure without a usable own key."""
        endpoint, secret = self.endpoint(target), None
        if target.credential == "byok":
            secret = await self._credentials.secret(record.request.user_id, target.provider)
        url, headers = endpoint.address(out, secret)
        return OutboundRequest(
            method="POST",
            url=url,
            headers=headers,
            body=out.body,
            timeouts=waits,
            allow_private=endpoint.allow_private,
            on_written=record.log[-1].written,  # the try under way
            owner=record.request.user_id,
        )

    def rules(self, target: Target) -> rules.Rules:
        """What a target takes and refuses."""
        return self._endpoints.rules(target.provider, target.upstream_id)

    def waits(self, target: Target, call: Call) -> Timeouts:
        """How long an answer without thinking is waited for."""
        traits = self.rules(target).of(call)
        return timeouts(traits, stream=call.stream, thinks=False, max_tokens=None)

    def render(self, record: Record, now: float) -> bytes:
        """A plain answer in the client's wire, with what it cost; now: seconds of `time.monotonic`."""
        upstream = record.upstream
        if upstream is None or (reply := upstream.reply) is None:
            raise AssertionError("a plain answer has a reply")
        target = upstream.attempt.target
        shape, extra = told.shape(record, target), told.beside(record, now)
        if (fast := upstream.prepared.fast) is not None:
            return fast.reply(upstream.body, shape, record.usage, extra)
        reply = Back(shape.id, upstream.prepared.names).reply(reply)
        shown = msgspec.structs.replace(reply, usage=record.usage, finish=reply.finish or Finish.STOP)
        return record.request.mouth.render_reply(shown, shape, extra)

    def codec(self, target: Target) -> Codec:
        """The codec of a target's provider."""
        return self._endpoints.codec(target.provider, self._codecs)

    def endpoint(self, target: Target) -> Endpoint:
        """The endpoint of a target that was planned."""
        endpoint = self._endpoints.get(target.provider)
        if endpoint is None:
            raise AssertionError("plans name known endpoints only")
        return endpoint

    def abort_rule(self, provider: str) -> str:
        """What closing the connection does to the provider's bill: stops, continues, unknown (providers/table.py)."""
        endpoint = self._endpoints.get(provider)
        return endpoint.abort_rule if endpoint is not None else "unknown"


def _lowered(record: Record, target: Target) -> tuple[Note, ...]:
    """The note of a length that the balance does not cover."""
    if record.asked is None or record.hold is None:
        return ()
    if (length := sizing.lowered(record.asked, record.hold, target)) is None:
        return ()
    return (Note("max_tokens", "lowered", f"the balance covers an answer of {length} tokens at most"),)


_LONG_BODY = 65_536


async def measured(call: Call, raw: bytes | None) -> tuple[int, Forms]:
    """Input tokens, estimated offline, and what the call makes a provider read, from the client's own body where there is one; of
    a long one in a thread, so that a worker's other callers need not wait."""
    if is_long(call) or (raw is not None and len(raw) > _LONG_BODY):
        return await asyncio.to_thread(_measured, call, raw)
    return _measured(call, raw)


def _measured(call: Call, raw: bytes | None) -> tuple[int, Forms]:
    return count_call(call), of_call(call) if raw is None or call.plain else of_body(raw)


async def count_tokens(call: Call) -> int:
    """Input tokens, as `measured`."""
    return await asyncio.to_thread(count_call, call) if is_long(call) else count_call(call)


def _spliced(
    record: Record,
    attempt: Attempt,
    fast: FastPath | None,
    limit: int | None,
    *,
    same: bool,
    patch: Patch | None,
    length_field: str,
) -> tuple[OutboundCall | None, Pipe | None]:
    """Where client and provider speak the same wire: the client's own body for it, with what the rules change in it, and
    the stream's way back as bytes."""
    request, call = record.request, record.request.call
    if fast is None or request.raw is None:
        return None, None
    out = None
    moved = told.moved(record, attempt) is not None
    if same and fast.takes(request.raw, call, max_tokens=limit, moved=moved):
        out = fast.request(
            patched(request.raw, call.wire or "", patch) if patch is not None else request.raw,
            attempt.target.upstream_id,
            max_tokens=limit,
            stream=call.stream,
            length_field=length_field,
        )
    if not call.stream:
        return out, None
    shape = told.shape(record, attempt.target)
    return out, SplicedPipe(fast.stream(shape, choices=max(1, call.n or 1)))


def _fast_path(request: GatewayRequest, codec: Codec) -> FastPath | None:
    """The provider's fast path, if the client speaks the same wire and its bytes are at hand."""
    fast = codec.fast if request.raw is not None and request.call.wire == codec.name else None
    return fast if fast is not None and fast.passes(request.call) else None


def _with_betas(out: OutboundCall, passed: tuple[str, ...], dropped: tuple[str, ...]) -> OutboundCall:
    headers = (*out.headers, (betas.HEADER, ",".join(passed))) if passed else out.headers
    return msgspec.structs.replace(
        out, headers=headers, dropped=(*out.dropped, *(f"{betas.HEADER}: {name}" for name in dropped))
    )

"""Routes model requests to providers; not the web framework's router of the same name.

`flight(request)` is the way in for every route; `route_completion` and `handle_streaming` are the guide's short forms.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from agent_marketplace import rules
from agent_marketplace.catalog import AIModel, MarketplaceRegistry
from agent_marketplace.catalog.service import Catalog
from agent_marketplace.clock import Clock
from agent_marketplace.gateway import betas
from agent_marketplace.gateway import needs as need
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.dispatch import Prepared, Upstream
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.health import Health, lane_of
from agent_marketplace.gateway.hosted import without_hosted
from agent_marketplace.gateway.pipes import Pipe, SplicedPipe, TranslatedPipe
from agent_marketplace.gateway.plan import Attempt, Group, Plan, Target, compile_plan
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.gateway.refusals import nothing_left
from agent_marketplace.gateway.request import GatewayRequest, Mouth
from agent_marketplace.gateway.targets import Targets
from agent_marketplace.gateway.text import TextMouth, text_pieces
from agent_marketplace.gateway.traced import TracedFlight
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import Ledger, Receipt
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.http import OutboundClient, OutboundRequest
from agent_marketplace.net.traces import Tracer
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.rules import Fitted
from agent_marketplace.wires.base import Call, Codec, FastPath, Finish, Message, OutboundCall, TextPart
from agent_marketplace.wires.shared.tokens import count_call, is_long

Chooser = Callable[[str, Call, need.Needs, Preferences], Awaitable[list[tuple[str, str]]]]
"""For `model: "auto"`: (model id, why) in order, for a user's call; never raises."""

OutputRange = Callable[[str, Call, int], tuple[int, int]]
"""Output tokens of a model's answers to such a call with so many input tokens: median and p95."""


class APIRouter:
    """The gateway: plans, prepares and finishes calls. One per process."""

    def __init__(
        self,
        *,
        registry: MarketplaceRegistry,
        endpoints: EndpointTable,
        credentials: Credentials,
        targets: Targets,
        ledger: Ledger,
        client: OutboundClient,
        clock: Clock,
        drain: Drain,
        health: Health,
        codecs: Mapping[str, Codec],
        choose: Chooser,
        output_range: OutputRange,
        usual_output: Callable[[str], int],
        catalog: Catalog,
    ) -> None:
        self.registry = registry
        self.endpoints = endpoints
        self.credentials = credentials
        self.targets = targets
        self.ledger = ledger
        self.client = client
        self.clock = clock
        self.drain = drain
        self.health = health
        self.codecs = codecs
        self.output_range = output_range
        self.usual_output = usual_output
        self._catalog = catalog
        self._choose = choose
        self.rhythm = Rhythm()
        self.running: set[str] = set()
        self.tracer: Tracer | None = None
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def flight(self, request: GatewayRequest) -> Flight:
        """One request's flight. Raises BadRequest for malformed routing fields."""
        return Flight(self, request) if self.tracer is None else TracedFlight(self, request, self.tracer)

    # -- the guide's two ------------------------------------------------------------------------------------------

    async def route_completion(
        self, user_id: str, model_id: str, prompt: str, options: Mapping[str, Any] | None = None
    ) -> str:
        """The answer's text, charged to the user. Raises MarketplaceError."""
        flight = self.flight(self._short(user_id, model_id, prompt, options, mouth=TextMouth(), stream=False))
        await flight.open()
        await flight.plain()
        reply = flight.upstream.reply if flight.upstream else None
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

    # -- what a flight asks for -------------------------------------------------------------------------------------

    async def plan_for(
        self,
        user_id: str,
        call: Call,
        wants: need.Needs,
        wishes: Preferences,
        *,
        free_fallback: bool = False,
        chosen: dict[str, str] | None = None,
    ) -> Plan:
        """The ordered attempts. Raises NotFound for an unknown model, and the fitting refusal when nothing is left.

        free_fallback: end with free models, for when every provider that was asked for fails; chosen: filled with what
        `auto` picked and why.
        """
        own_keys = await self.credentials.providers(user_id) if wishes.byok != "never" else frozenset[str]()
        groups: list[Group] = []
        if call.model == "auto":
            for model_id, why in await self._choose(user_id, call, wants, wishes):
                groups.append(self.targets.group(model_id, "auto", own_keys, wishes))
                if chosen is not None and not chosen:
                    chosen.update(model=model_id, reason=why)
        else:
            groups.append(self.targets.group(call.model, "requested", own_keys, wishes))
        for name in wishes.models:
            group = self.targets.group(name, "listed_fallback", own_keys, wishes)
            if all(group.model != g.model for g in groups):
                groups.append(group)
        if free_fallback and wishes.fallback is not False and wishes.allow_fallbacks:
            groups += self._free_groups(groups, own_keys, wishes)
        plan = self._compile(groups, call, wants, wishes, user_id)
        if all(a.why == "free_fallback" for a in plan.attempts):
            asked = groups[0].model if groups else call.model
            model = self.registry.get_model_by_id(asked)
            raise nothing_left(
                asked, plan.skipped, model.successor if model is not None and model.retired else None
            )
        return plan

    def _compile(
        self, groups: list[Group], call: Call, wants: need.Needs, wishes: Preferences, user_id: str
    ) -> Plan:
        return compile_plan(
            groups,
            wants,
            wishes,
            open_breaker=lambda t: not self.health.available(lane_of(t, user_id, wants.input_tokens)),
            measured=self._measured,
            unfit=lambda t: rules.refusal(call, self.endpoints.rules(t.provider, t.upstream_id)),
        )

    def _free_groups(self, groups: list[Group], own_keys: frozenset[str], wishes: Preferences) -> list[Group]:
        """Where a provider's failure may end: the free models that answer here, the demo model only if there is no other."""
        named = {g.model for g in groups}
        free = [m for m in self._free_models() if m.id not in named]
        if any(m.provider != "local" for m in free):
            free = [m for m in free if m.provider != "local"]
        return [self.targets.group(m.id, "free_fallback", own_keys, wishes) for m in free[:2]]

    def _free_models(self) -> list[AIModel]:
        free = [
            m for m in self.registry.filter_by_tier("free") if m.is_available and "text" in m.capabilities
        ]
        return sorted(free, key=lambda m: (m.provider == "local", -(m.context_window or 0), m.id))

    def free_alternative(self, call: Call) -> str | None:
        """A free model that could answer this call here, for the 402's way out."""
        return next((m.id for m in self._free_models() if m.id != call.model), None)

    def free_plan(self, call: Call, wants: need.Needs, wishes: Preferences) -> Plan | None:
        """For `on_empty: "free"`: the plan over the free alternative only."""
        name = self.free_alternative(call)
        if name is None:
            return None
        plan = self._compile(
            [self.targets.group(name, "free_fallback", frozenset(), wishes)], call, wants, wishes, ""
        )
        return plan if plan.attempts else None

    async def prepare(self, flight: Flight, attempt: Attempt, cap: int | None) -> Prepared:
        """The provider's request for one attempt. Raises UpstreamFailure where its wire cannot say what the call needs."""
        target = attempt.target
        endpoint = self.endpoints.get(target.provider)
        if endpoint is None:
            raise AssertionError("plans name known endpoints only")
        request, call = flight.request, flight.request.call
        wire = self.endpoints.wire(target.provider, target.upstream_id, call)
        codec = self.endpoints.codec(target.provider, self.codecs, wire)
        shape = flight.shape(target)
        limit = cap if cap is not None else call.max_tokens
        call, left_out = without_hosted(call, wire, own_key=target.credential == "byok")
        fitted = rules.fit(call, self.endpoints.rules(target.provider, target.upstream_id, wire))
        out, pipe = self._spliced(flight, attempt, codec, limit, fitted)
        if out is None:
            call = fitted.call
            if len({e.provider for e in flight.log}) > 1 and not call.manner.reasoning_field:
                call = need.without_reasoning_history(call)
            out = codec.build_request(
                msgspec.structs.replace(call, max_tokens=limit), target.upstream_id, stream=call.stream
            )
            out = msgspec.structs.replace(out, notes=(*left_out, *fitted.notes, *out.notes))
        if request.betas and call.wire == endpoint.wire == "anthropic":
            out = _with_betas(out, *betas.split(request.betas, target))
        if call.stream and pipe is None:
            pipe = TranslatedPipe(codec.decoder(), request.mouth.encoder(shape), moved=flight.moved(attempt))
        secret = None
        if target.credential == "byok":
            secret = await self.credentials.secret(request.user_id, target.provider)
        url, headers = endpoint.address(out, secret)
        sent = OutboundRequest(
            method="POST",
            url=url,
            headers=headers,
            body=out.body,
            timeouts=endpoint.timeouts(stream=call.stream),
            allow_private=endpoint.allow_private,
        )
        return Prepared(request=sent, codec=codec, pipe=pipe, call=out, cap=cap)

    def _spliced(
        self, flight: Flight, attempt: Attempt, codec: Codec, limit: int | None, fitted: Fitted
    ) -> tuple[OutboundCall | None, Pipe | None]:
        """Where client and provider speak the same wire: the client's own body for it, and the stream's way back as bytes."""
        request, call = flight.request, flight.request.call
        fast = _fast_path(flight, codec)
        if fast is None or request.raw is None:
            return None, None
        out = None
        moved = flight.moved(attempt) is not None
        if fitted.same and fast.takes(request.raw, call, max_tokens=limit, moved=moved):
            out = fast.request(request.raw, attempt.target.upstream_id, max_tokens=limit, stream=call.stream)
        shape = flight.shape(attempt.target)
        return out, SplicedPipe(fast.stream(shape, choices=max(1, call.n or 1))) if call.stream else None

    def abort_rule(self, provider: str) -> str:
        """What closing the connection does to the provider's bill: stops, continues, unknown (providers/table.py)."""
        endpoint = self.endpoints.get(provider)
        return endpoint.abort_rule if endpoint is not None else "unknown"

    def render(self, flight: Flight, upstream: Upstream, receipt: Receipt | None) -> bytes:
        """A plain answer in the client's wire, with what it cost."""
        reply = upstream.reply
        if reply is None:
            raise AssertionError("a plain answer has a reply")
        shape, extra = flight.shape(upstream.attempt.target), flight.beside(receipt)
        fast = _fast_path(flight, upstream.prepared.codec)
        if fast is not None:
            return fast.reply(upstream.body, shape, flight.usage, extra)
        shown = msgspec.structs.replace(reply, usage=flight.usage, finish=reply.finish or Finish.STOP)
        return flight.request.mouth.render_reply(shown, shape, extra)

    async def count_tokens(self, call: Call) -> int:
        """Input tokens, estimated offline; of a long call in a thread, so that a worker's other callers need not wait."""
        return await asyncio.to_thread(count_call, call) if is_long(call) else count_call(call)

    def canonical(self, name: str) -> str:
        """Our id for any name; the name itself where it is unknown."""
        model = self.registry.resolve(name)
        return model.id if model is not None else name

    def observe(self, flight: Flight, *, ok: bool) -> None:
        """Feeds latency and uptime of the offer that answered."""
        upstream = flight.upstream
        if upstream is None:
            return
        target, timing = upstream.attempt.target, flight.timings()
        first, total = timing["first_token_ms"], timing["total_ms"] or 0
        seconds = (total - (first or 0)) / 1000
        rate = round(upstream.meter.running_tokens() / seconds) if seconds > 0.05 else 0
        self.health.record(target.model, target.provider, ok=ok, first_token_ms=first, tokens_per_s=rate)
        if ok:
            streamed = flight.request.call.stream and first is not None
            first_s = first / 1000 if streamed and first is not None else None
            self._catalog.served(
                target.model, target.provider, first_token_s=first_s, tokens_per_s=rate or None
            )
        else:
            self._catalog.failed(target.model, target.provider)

    def _measured(self, target: Target) -> tuple[float, float]:
        samples = self.health.samples.get((target.model, target.provider))
        if samples is None or not samples.first_token_ms:
            return float("inf"), 0.0
        latency = sorted(samples.first_token_ms)[len(samples.first_token_ms) // 2]
        speed = sorted(samples.tokens_per_s)[len(samples.tokens_per_s) // 2] if samples.tokens_per_s else 0
        return float(latency), float(speed)


def _with_betas(out: OutboundCall, passed: tuple[str, ...], dropped: tuple[str, ...]) -> OutboundCall:
    headers = (*out.headers, (betas.HEADER, ",".join(passed))) if passed else out.headers
    return msgspec.structs.replace(
        out, headers=headers, dropped=(*out.dropped, *(f"{betas.HEADER}: {name}" for name in dropped))
    )


def _fast_path(flight: Flight, codec: Codec) -> FastPath | None:
    """The provider's fast path, if the client speaks the same wire and its bytes are at hand."""
    request = flight.request
    return codec.fast if request.raw is not None and request.call.wire == codec.name else None

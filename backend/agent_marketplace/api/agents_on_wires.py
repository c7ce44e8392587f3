"""An agent behind `model` on any wire: its run's text as the answer, what it does as thinking, never as calls of the client's tools.

Clients break on tool calls that they did not ask for, on tool roles and on events with names of their own; all of them take
thinking, and fields beside. A hang-up ends the run: whoever wants one that goes on uses `POST /api/v1/agents/runs`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.asgi import ClientGone, Ear, ResponseSink, Scope, Send, respond
from agent_marketplace.api.framing import sink_for
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError, PaymentRequired, ProviderFailure, Unavailable
from agent_marketplace.gateway import preferences
from agent_marketplace.ledger import dollars
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.types import Head
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Codec,
    Event,
    Finish,
    ReasoningDelta,
    ReasoningPart,
    Reply,
    Shape,
    TextDelta,
    TextPart,
)

_SILENCE_S = 10.0


class Spoken:
    """What a run says, in the order in which a client is to read it. A new step's text begins in a new paragraph."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self.text: list[str] = []
        self.thinking: list[str] = []
        self._news = asyncio.Event()
        self._parted = False

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, TextDelta):
                lead = "\n\n" if self._parted and self.text else ""
                self._parted = False
                self.text.append(lead + event.text)
                self.waiting.append(TextDelta(lead + event.text))
            elif isinstance(event, ReasoningDelta):
                self._parted = True
                self.thinking.append(event.text)
                self.waiting.append(event)
        self._news.set()

    def take(self) -> list[Event]:
        taken, self.waiting = self.waiting, []
        self._news.clear()
        return taken

    async def news(self, live: Live) -> bool:
        """Returns at news, the run's end, or after ten seconds of silence (False)."""
        tasks = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(live.over())]
        done, rest = await asyncio.wait(tasks, timeout=_SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return bool(done)


async def answer(
    market: Market, scope: Scope, send: Send, codec: Codec, call: Call, principal: Principal, request_id: str
) -> None:
    """Runs the agent that `call.model` names and answers on the client's wire. Raises the caller's error while nothing is sent."""
    wishes = preferences.parse(call.routing)
    spec = await market.runs.kit.agents.spec(principal.user_id, call.model)
    wanted = Wanted(
        spec=spec, messages=call.messages, user_id=principal.user_id, key_id=principal.key_id, wire=codec.name,
        cap_nano=wishes.max_cost, attended=False,
    )  # fmt: skip
    head, live = await market.runs.start(wanted)
    if live is None:
        raise AssertionError("only an idempotency key finds a run that is not driven here")
    spoken = Spoken()
    live.watchers.append(spoken.hear)  # before the run's task has had its first turn
    shape = Shape(
        id=request_id,
        model=call.model,
        created=int(time.time()),
        include_usage=call.include_usage,
        echo=call.echo,
    )
    told = {"x-run-id": head.run_id, "x-request-id": request_id}
    ear = Ear(scope, live)
    try:
        if call.stream:
            sink = sink_for(codec.name, codec.content_type_stream, scope, send)
            await _stream(market, codec, shape, live, spoken, sink, told, request_id)
            return
        await live.over()
        if ear.heard:
            raise ClientGone
        await respond(send, 200, await _plain(market, codec, shape, live, spoken), headers=told)
    except asyncio.CancelledError:
        live.stop()
        raise
    finally:
        ear.close()


async def _plain(market: Market, codec: Codec, shape: Shape, live: Live, spoken: Spoken) -> bytes:
    head = await market.runs.kit.records.head(live.id)
    finish, error = _ending(head, spoken)
    if error is not None:
        raise error
    last = await _last_words(market, head, spoken)
    text = TextPart("".join(spoken.text) + last)
    thought = "".join(spoken.thinking)
    parts = (ReasoningPart(thought), text) if thought else (text,)
    usage, extra = await _sums(market, head)
    return codec.render_reply(Reply(parts=parts, finish=finish, usage=usage), shape, extra)


async def _stream(
    market: Market, codec: Codec, shape: Shape, live: Live, spoken: Spoken, sink: ResponseSink, told: dict[str, str],
    request_id: str,
) -> None:  # fmt: skip
    encoder = codec.encoder(shape)

    async def out(data: bytes) -> None:
        if not sink.begun:
            await sink.begin(told)
            data = encoder.start() + data
        await sink.send(data)

    while not live.finished or spoken.waiting:
        if events := spoken.take():
            await out(encoder.feed(events))
        elif not await spoken.news(live) and sink.begun:
            await sink.send(codec.keep_alive())
    head = await market.runs.kit.records.head(live.id)
    finish, error = _ending(head, spoken)
    if error is not None:
        if not sink.begun:
            raise error
        await sink.send(encoder.error(error, request_id))
        await sink.end()
        return
    last = await _last_words(market, head, spoken)
    await out(encoder.feed([TextDelta(last)]) if last else b"")
    usage, extra = await _sums(market, head)
    await sink.send(encoder.end(finish, usage, extra))
    await sink.end()


def _ending(head: Head, spoken: Spoken) -> tuple[Finish, MarketplaceError | None]:
    """How a client is told that the run has ended: an error only where there is nothing to be told in words."""
    if head.state == "running":
        return Finish.ERROR, Unavailable(
            "The server is shutting down; the run goes on without you", retry_after=5
        )
    if head.state == "failed":
        return Finish.ERROR, ProviderFailure(
            f"The agent's run failed: {head.stop_reason}", code=head.stop_reason or "server"
        )
    if head.stop_reason == "needs_funds" and not spoken.text:
        return Finish.ERROR, PaymentRequired(
            "The balance does not cover the agent's next step", extra={"run_id": head.run_id}
        )
    cut = head.state == "paused" or head.stop_reason in ("length", "cap_reached")
    return (Finish.LENGTH if cut else Finish.STOP), None


async def _last_words(market: Market, head: Head, spoken: Spoken) -> str:
    """What is said in words at the end: an answer that no model has streamed, and where a paused run goes on."""
    result = await market.runs.kit.records.result(head) or ""
    last = result if result and result not in "".join(spoken.text) else ""
    if head.state == "paused":
        cap = dollars(head.cap_nano or 0)
        last += f"\n\n[The run {head.run_id} is paused at its cap of ${cap:f}: raise it within a day and it goes on.]"
    return ("\n\n" if last and spoken.text and not last.startswith("\n") else "") + last


async def _sums(market: Market, head: Head) -> tuple[Usage, Mapping[str, Any]]:
    """Usage of the run's own model steps, and the fields beside an answer."""
    steps = [s for s in await market.runs.kit.records.steps(head) if s.kind in ("model", "final")]
    usage = Usage(input=sum(s.said.input for s in steps), output=sum(s.said.output for s in steps))
    balance = await market.ledger.balance(head.user_id)
    agent = {"run_id": head.run_id, "state": head.state, "stop_reason": head.stop_reason, "steps": len(steps)}
    extra = {"cost": dollars(head.spent_nano), "balance_remaining": dollars(balance.balance), "agent": agent}
    return usage, extra


def listed_as(name: str, title: str, wire: str | None, *, description: str = "") -> dict[str, Any]:
    """An agent in a list of models, in the shape of a wire's clients."""
    if wire == "anthropic":
        return {"type": "model", "id": name, "display_name": title, "created_at": "1970-01-01T00:00:00Z"}
    if wire == "gemini":
        return {
            "name": f"models/{name}", "baseModelId": name, "version": name, "displayName": title, "description": description,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        }  # fmt: skip
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "agent",
        "name": title,
        "description": description,
    }


async def agents_of(market: Market, principal: Principal) -> list[tuple[str, str, str]]:
    """(name, title, description) of the caller's agents."""
    if "inference" not in principal.scopes:
        return []
    found = await market.runs.kit.agents.listed(principal.user_id)
    return [(spec.agent_id, spec.name, spec.description) for spec in found]

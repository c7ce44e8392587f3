"""An agent behind `model` on any wire: its run's text as the answer, what it does in the wire's own form or as thinking, never as
calls of the client's tools.

Clients break on tool calls that they did not ask for, on tool roles and on events with names of their own; all of them take
thinking, and fields beside. A hang-up ends the run: whoever wants one that goes on uses `POST /api/v1/agents/runs`. One that
waits for leave asks for it (`spoken`, `runs.questions`), and the client's next turn answers (`taken_up`).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import taken_up
from agent_marketplace.api.asgi import ClientGone, Ear, ResponseSink, Scope, Send, respond
from agent_marketplace.api.framing import sink_for
from agent_marketplace.api.run_views import question
from agent_marketplace.api.spoken import Spoken
from agent_marketplace.app import Market
from agent_marketplace.errors import (
    BadRequest,
    MarketplaceError,
    PaymentRequired,
    ProviderFailure,
    Unavailable,
)
from agent_marketplace.gateway import preferences
from agent_marketplace.ledger import dollars
from agent_marketplace.runs import questions
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.presets import FIELD
from agent_marketplace.runs.records import newest
from agent_marketplace.runs.sanity import visible
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.tooling import server_of
from agent_marketplace.runs.types import OF_MODELS, Approval, Head
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import AskedLeave, Call, Codec, Event, Finish, Reply, Shape, TextDelta
from agent_marketplace.wires.notes import HEADER, Note, header


class Asking(msgspec.Struct, frozen=True, eq=False):
    """A client's question to an agent, its run and what that says. notes: what of the body an agent has no use for; before: what
    earlier answers of this run have told of."""

    market: Market
    codec: Codec
    shape: Shape
    live: Live
    spoken: Spoken
    told: Mapping[str, str]
    notes: Sequence[Note]
    place: str
    before: "Before"


class Before(msgspec.Struct, frozen=True):
    """What a run had done when an answer went on with it: this answer counts what came after. steps: how many; nano: their cost."""

    steps: int = 0
    nano: int = 0


async def answer(
    market: Market, scope: Scope, send: Send, codec: Codec, call: Call, principal: Principal, request_id: str
) -> None:
    """Runs the agent that `call.model` names, or goes on with one of its runs, and answers on the client's wire. Raises the caller's
    error while nothing is sent."""
    notes = _unused(call)
    spoken = Spoken(codec.name)
    live, before = await _begun(market, codec, call, principal, spoken)
    shape = Shape(
        id=request_id,
        model=call.model,
        created=int(time.time()),
        include_usage=call.include_usage,
        echo=call.echo,
    )
    told = {"x-run-id": live.id, "x-request-id": request_id}
    told |= {HEADER: header(notes)} if notes else {}
    asking = Asking(
        market, codec, shape, live, spoken, told, notes, f"{_base(market, scope)}/runs?run={live.id}", before
    )
    ear = Ear(scope, live)
    try:
        if call.stream:
            await _stream(asking, sink_for(codec.name, codec.content_type_stream, scope, send), request_id)
            return
        await live.over()
        if ear.heard:
            raise ClientGone
        await respond(send, 200, await _plain(asking), headers=told)
    except asyncio.CancelledError:
        live.stop()
        raise
    finally:
        ear.close()


async def _begun(
    market: Market, codec: Codec, call: Call, principal: Principal, spoken: Spoken
) -> tuple[Live, Before]:
    """The run, heard from its first word on."""
    wishes, wish = preferences.parse(call.routing), taken_up.wish_of(call)
    found = await taken_up.taken_up(market, principal, call, wish)
    if found is not None:
        await market.runs.may_steer(found.head.run_id, principal.user_id, principal.key_id)
        before = Before(newest(await market.runs.kit.records.steps(found.head)), found.head.spent_nano)
        return await _gone_on(market, found, spoken, wishes.max_cost), before
    spec = await market.runs.kit.agents.spec(principal.user_id, call.model)
    wanted = Wanted(
        spec=spec, messages=taken_up.turns_of(call), user_id=principal.user_id, key_id=principal.key_id, wire=codec.name,
        cap_nano=wishes.max_cost, attended=wish.attended,
    )  # fmt: skip
    _, live = await market.runs.start(wanted)
    if live is None:
        raise AssertionError("only an idempotency key finds a run that is not driven here")
    live.watchers.append(spoken.hear)  # before the run's task has had its first turn
    return live, Before()


async def _gone_on(market: Market, found: taken_up.TakenUp, spoken: Spoken, cap: int | None) -> Live:
    lives: list[Live] = []

    def taken(live: Live) -> None:
        live.watchers.append(spoken.hear)
        lives.append(live)

    head, runs = found.head, market.runs
    if found.answers:
        await runs.decide(head.run_id, head.user_id, found.answers, taken=taken)
    elif found.words:
        await runs.give_input(head.run_id, head.user_id, found.words, cap_nano=cap, taken=taken)
    else:
        await runs.raise_cap(
            head.run_id, head.user_id, cap if cap is not None else head.cap_nano or 0, taken=taken
        )
    if lives:
        return lives[0]
    # Other questions of the same run are still open, or another worker was faster.
    live = Live(head.run_id, head.user_id, head.epoch)
    live.end()
    return live


_NO_USE = "an agent's version says this itself"
_NOT_GIVEN = "an agent uses the tools of its own version; the client's are not given to it"


def _unused(call: Call) -> list[Note]:
    """What a body says that a run of an agent has no use for. Raises BadRequest where the answer would be another one."""
    if call.tool_choice not in (None, "auto", "none"):
        raise BadRequest(
            "tool_choice: an agent can't be made to call a tool of yours; it uses those of its own version"
        )
    if call.n not in (None, 1):
        raise BadRequest("n: an agent gives one answer")
    found = [Note("tools", "left_out", _NOT_GIVEN)] if call.tools else []
    if call.response_format not in (None, "text"):
        raise BadRequest(
            "An agent answers in the form of its own version: ask for one without a response format"
        )
    names = ("temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "max_tokens",
             "reasoning_effort")  # fmt: skip
    given = [name for name in names if getattr(call, name) not in (None, ())]
    given += [name for name in call.extra if name != FIELD]
    found += [Note(name, "left_out", _NO_USE) for name in given]
    return found


def _base(market: Market, scope: Scope) -> str:
    if market.settings.site:
        return market.settings.site.rstrip("/")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return f"{scope.get('scheme', 'http')}://{host}" if host else ""


async def _plain(asking: Asking) -> bytes:
    head = await asking.market.runs.kit.records.head(asking.live.id)
    finish, error = _ending(head, asking.spoken)
    if error is not None:
        raise error
    asking.spoken.hear(await _last_words(asking, head))
    usage, extra = await _sums(asking, head)
    return asking.codec.render_reply(
        Reply(parts=asking.spoken.parts(), finish=finish, usage=usage), asking.shape, extra
    )


async def _stream(asking: Asking, sink: ResponseSink, request_id: str) -> None:
    encoder, spoken, live = asking.codec.encoder(asking.shape), asking.spoken, asking.live

    async def out(events: Sequence[Event]) -> None:
        first = b""
        if not sink.begun:
            await sink.begin(dict(asking.told))
            first = encoder.start()  # before anything is fed: some wires number their events
        await sink.send(first + encoder.feed(events))

    while not live.finished or spoken.waiting:
        if events := spoken.take():
            await out(events)
        elif not await spoken.news(live) and sink.begun:
            await sink.send(asking.codec.keep_alive())
    head = await asking.market.runs.kit.records.head(live.id)
    finish, error = _ending(head, spoken)
    if error is not None:
        if not sink.begun:
            raise error
        await sink.send(encoder.error(error, request_id))
        await sink.end()
        return
    spoken.hear(await _last_words(asking, head))
    await out(spoken.take())
    usage, extra = await _sums(asking, head)
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


async def _last_words(asking: Asking, head: Head) -> list[Event]:
    """What is said at the end: an answer that no model has streamed, what is asked, and where a paused run goes on."""
    records, said = asking.market.runs.kit.records, asking.spoken.text
    if head.state == "waiting":
        asked, steps = await _asked(asking, head), await records.steps(head)
        known = {s.n: s for s in steps}
        forms: list[Event] = [
            AskedLeave(a.approval_id, server_of(step)[1], server_of(step)[0], visible(step.args or "{}"))
            for a in asked
            if asking.codec.name == "responses" and (step := known.get(a.n)) is not None
        ]
        words = questions.words(asked, steps, asking.place)
        return [TextDelta(("\n\n" if said else "") + words), *forms]
    result = await records.result(head) or ""
    last = result if result and result not in said else ""
    if head.state == "paused":
        cap = dollars(head.cap_nano or 0)
        last += f"\n\n[The run {head.run_id} is paused at its cap of ${cap:f}: raise it within a day and it goes on.]"
    return [TextDelta(("\n\n" if said and not last.startswith("\n") else "") + last)] if last else []


async def _asked(asking: Asking, head: Head) -> list[Approval]:
    return [a for a in await asking.market.runs.kit.records.approvals(head.run_id) if a.state == "pending"]


async def _sums(asking: Asking, head: Head) -> tuple[Usage, Mapping[str, Any]]:
    """Usage of the run's own model steps, and the fields beside an answer: of what this answer has added, since clients add up."""
    market, before = asking.market, asking.before
    steps = await market.runs.kit.records.steps(head)
    spoke = [s for s in steps if s.kind in OF_MODELS and s.n >= before.steps]
    usage = Usage(input=sum(s.said.input for s in spoke), output=sum(s.said.output for s in spoke))
    balance = await market.ledger.balance(head.user_id)
    agent: dict[str, Any] = {
        "run_id": head.run_id, "state": head.state, "stop_reason": head.stop_reason, "steps": len(spoke),
        "run_cost": dollars(head.spent_nano),
    }  # fmt: skip
    if head.state == "waiting":
        agent["approvals"] = [question(a, steps) for a in await _asked(asking, head)]
    if asking.notes:
        agent["notes"] = msgspec.to_builtins(asking.notes)
    return usage, {
        "cost": dollars(head.spent_nano - before.nano), "balance_remaining": dollars(balance.balance), "agent": agent,
    }  # fmt: skip


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

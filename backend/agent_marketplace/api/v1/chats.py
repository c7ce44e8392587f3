"""A chat turn: history in, call out, and what was answered kept: the user's message and the answer survive any ending."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1.agent_body import (
    call_of,
    completion_messages,
    flag,
    parameters,
    text,
    user_content,
)
from agent_marketplace.app import Market
from agent_marketplace.conversations.branches import Room
from agent_marketplace.conversations.types import Message, NewMessage, Status
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.gateway import told
from agent_marketplace.gateway.agent_wire import AgentMouth, usage_fields
from agent_marketplace.gateway.plan import most_input
from agent_marketplace.gateway.record import GatewayRequest, Record
from agent_marketplace.ids import new_id
from agent_marketplace.runs.presets import FIELD, names_agent
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Finish
from agent_marketplace.wires.shared.tokens import count_text

# The request itself was not taken: the same one will not be taken later either (gateway/failures.py).
_REFUSALS = frozenset(
    {
        "invalid_request",
        "unprocessable",
        "context_length_exceeded",
        "request_too_large",
        "content_policy_violation",
    }
)


class Turn(msgspec.Struct, kw_only=True):
    """What a chat body asks for. parent_id "": a new root; None: after the newest message."""

    user_id: str
    agent_id: str
    model: str
    instructions: str
    params: dict[str, Any]
    message: str | None
    images: list[str]
    conversation_id: str | None
    parent_id: str | None
    stream: bool
    temporary: bool


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """Whom a body asks: a model, or an agent, which brings a model, instructions and parameters."""

    name: str
    model: str
    instructions: str = ""
    params: dict[str, Any] = {}


async def asked(market: Market, user_id: str, body: Mapping[str, Any]) -> Asked:
    """Raises BadRequest, NotFound (agent)."""
    name = text(body, "agent_id", limit=200) or text(body, "model", limit=200)
    if not name:
        raise BadRequest("model or agent_id is required")
    if not names_agent(name):
        return Asked(name=name, model=name)
    if not name.startswith("agt_"):
        raise _is_run(name, "An offered agent")
    agent = await market.agents.get(user_id, name)
    given = agent.parameters.get(FIELD)
    if isinstance(given, dict) and (given.get("tools") or given.get("subagents")):
        raise _is_run(name, f"The agent {agent.name} has tools and")
    chosen = text(body, "model", limit=200) if body.get("agent_id") else None
    return Asked(
        name=name,
        model=chosen or agent.model,
        instructions=agent.instructions,
        params={k: v for k, v in agent.parameters.items() if k != FIELD},
    )


def _is_run(name: str, who: str) -> BadRequest:
    """Here one model answers once: an agent whose tools would not run is not asked at all."""
    return BadRequest(
        f"{who} is run, not chatted with: POST /api/v1/agents/runs with model {name!r}, or name it as the model on a client's wire",
        code="agent_needs_run",
        extra={"agent": name},
    )


async def completion_call(
    market: Market, user_id: str, body: Mapping[str, Any], size: int, *, stream: bool
) -> Call:
    """The call of a body without a conversation; size: the body's bytes. An agent's instructions stand where it gives none.

    Raises BadRequest, NotFound.
    """
    who = await asked(market, user_id, body)
    turns = list(completion_messages(body))
    if who.instructions and not any(
        isinstance(turn, dict) and turn.get("role") == "system" for turn in turns
    ):
        turns.insert(0, {"role": "system", "content": who.instructions})
    params = {**who.params, **parameters(body)}
    return await aside(
        size, lambda: call_of(market.codecs["openai"], who.model, turns, params, stream=stream)
    )


async def read_turn(market: Market, user_id: str, body: Mapping[str, Any]) -> Turn:
    """Raises BadRequest, NotFound (agent)."""
    who = await asked(market, user_id, body)
    given = parameters(body)
    given.pop("model", None)
    images = body.get("images") or []
    regenerate = body.get("message") is None and body.get("parent_id")
    message = None if regenerate else text(body, "message", required=True)
    user_content(message or "", images)
    parent = text(body, "parent_id", limit=100) if body.get("parent_id") is not None else None
    if "parent_id" in body and body["parent_id"] is None:
        parent = ""
    return Turn(
        user_id=user_id,
        agent_id=who.name if who.name.startswith("agt_") else market.router.canonical(who.name),
        model=who.model,
        instructions=text(body, "system") or who.instructions,
        params={**who.params, **given},
        message=message,
        images=list(images),
        conversation_id=text(body, "conversation_id", limit=100),
        parent_id=parent,
        stream=flag(body, "stream"),
        temporary=flag(body, "temporary"),
    )


async def history_of(market: Market, turn: Turn) -> list[Message]:
    """The branch that the turn continues. Raises NotFound."""
    if turn.conversation_id is None:
        if turn.parent_id:
            raise BadRequest("parent_id needs a conversation_id")
        return []
    if turn.parent_id == "":
        await market.conversations.get(turn.user_id, turn.conversation_id)
        return []
    return await market.conversations.thread(
        turn.user_id, turn.conversation_id, turn.parent_id, room=_room(market, turn)
    )


def _room(market: Market, turn: Turn) -> Room | None:
    """What the longest of the turn's models reads, as `gateway.plan` refuses; None = that is not known before they are counted."""
    models = [market.registry.resolve(str(n)) for n in (turn.model, *(turn.params.get("models") or ()))]
    contexts = [o.context for m in models if m is not None for o in market.registry.offers(m.id)]
    known = [context for context in contexts if context is not None]
    if None in models or not known or len(known) < len(contexts):
        return None
    return Room(most_input(max(known)), count_text)


def call_for(market: Market, turn: Turn, history: Sequence[Message]) -> Call:
    """System, history, the new message. Raises BadRequest."""
    turns: list[dict[str, Any]] = []
    if turn.instructions:
        turns.append({"role": "system", "content": turn.instructions})
    turns += [
        {"role": kept.role, "content": user_content(kept.content, kept.extra.get("images"))}
        for kept in history
        if kept.role in ("user", "assistant") and (kept.content or kept.extra.get("images"))
    ]
    if turn.message is not None:
        turns.append({"role": "user", "content": user_content(turn.message, turn.images)})
    elif not history or history[-1].role != "user":
        raise BadRequest("without a message, parent_id must name a user's message to answer again")
    elif history[-1].extra.get("images_dropped"):
        raise BadRequest(
            "the images of this question were not kept, because it was refused: ask it again together with them",
            code="images_not_kept",
        )
    params = turn.params
    if turn.conversation_id is not None:
        # What `auto` took for this conversation stays with it, whatever the next words are.
        params = {"session_id": turn.conversation_id, **params}
    return call_of(market.codecs["openai"], turn.model, turns, params, stream=turn.stream)


class Keeper:
    """Stores a turn: the question and a running answer when it takes off, the answer when it is settled."""

    def __init__(self, market: Market, turn: Turn, run_id: str) -> None:
        self._market = market
        self._turn = turn
        self.fields: dict[str, Any] = {"run_id": run_id}

    async def take_off(self, record: Record) -> None:
        """After the hold, before the first token. Raises NotFound."""
        turn = self._turn
        if turn.temporary:
            return
        target = record.plan.attempts[0].target
        messages = []
        if turn.message is not None:
            extra = {"images": turn.images} if turn.images else {}
            messages.append(
                NewMessage(
                    role="user",
                    content=turn.message,
                    parent_id=turn.parent_id,
                    agent_id=turn.agent_id,
                    extra=extra,
                )
            )
        messages.append(
            NewMessage(
                role="assistant",
                content="",
                parent_id=None if turn.message is not None else turn.parent_id,
                agent_id=turn.agent_id,
                model=target.model,
                provider=target.provider,
                request_id=record.request.request_id,
                status="running",
                extra={"run_id": self.fields["run_id"]},
            )
        )
        conversations = self._market.conversations
        if turn.conversation_id is None:
            conversation, stored = await conversations.create(
                turn.user_id, model=target.model, agent_id=turn.agent_id, messages=messages
            )
            turn.conversation_id = conversation.conversation_id
        else:
            stored = await conversations.append(turn.user_id, turn.conversation_id, messages)
        self.fields |= {
            "conversation_id": turn.conversation_id,
            "message_id": stored[-1].message_id,
            "user_message_id": stored[0].message_id if len(stored) > 1 else turn.parent_id,
        }

    async def land(self, record: Record, usage: Usage | None) -> dict[str, Any]:
        """After settlement: the answer, whole or partial, with what it cost."""
        if self._turn.temporary or "message_id" not in self.fields:
            return self.fields
        upstream, receipt = record.upstream, record.receipt
        content = ""
        if upstream is not None:
            content = upstream.reply.text if upstream.reply is not None else upstream.meter.text
        finished = (
            upstream is not None
            and upstream.meter.finish not in (None, Finish.ERROR)
            and upstream.meter.error is None
        )
        status: Status = "ok" if finished else "partial" if content else "failed"
        extra: dict[str, Any] = {
            "run_id": self.fields["run_id"],
            "timings": told.timings(record, time.monotonic()),
        }
        if (moved := told.fallback(record)) is not None:
            extra["fallback"] = moved
        if upstream is not None and upstream.meter.finish is not None:
            extra["finish_reason"] = str(upstream.meter.finish)
        if record.error is not None:
            extra["error"] = {"code": record.error.code, "error": record.error.message}
        try:
            await self._market.conversations.finish(
                self._turn.user_id,
                self.fields["message_id"],
                content=content,
                status=status,
                cost_nano=receipt.charged_nano if receipt is not None else 0,
                usage=usage_fields(usage),
                model=upstream.attempt.target.model if upstream is not None else None,
                provider=upstream.attempt.target.provider if upstream is not None else None,
                extra=extra,
                refused_question=self._refused(record),
            )
        except NotFound:
            pass  # the conversation was deleted while its answer was under way
        return self.fields

    def _refused(self, record: Record) -> str | None:
        """The question that this turn stored, where it was refused before any answer; what costs nothing fills no disk."""
        refused = record.upstream is None and record.error is not None and record.error.code in _REFUSALS
        stored: str | None = self.fields["user_message_id"]
        return stored if refused and self._turn.message is not None else None


def new_run_id() -> str:
    """An id for an answer that can be stopped and listened to again."""
    return new_id("run")


def request_of(
    principal_user: str,
    key_id: str | None,
    call: Call,
    fields: Mapping[str, Any],
    keeper: Keeper | None,
    still_valid: Callable[[], Awaitable[object]] | None = None,
    *,
    traceparent: str | None = None,
) -> GatewayRequest:
    """What the gateway is handed for one of our own API's calls."""
    return GatewayRequest(
        request_id=new_id("gen"),
        user_id=principal_user,
        key_id=key_id,
        mouth=AgentMouth(fields),
        call=call,
        traceparent=traceparent,
        agents=True,
        still_valid=still_valid,
        on_done=keeper.land if keeper is not None else None,
    )


def note_agent(request: GatewayRequest, name: str | None) -> None:
    """The receipt, and with it what was used, says which of the user's agents asked."""
    if name is not None and name.startswith("agt_"):
        request.detail["agent_id"] = name

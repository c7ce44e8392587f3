"""A run's way to a model: one call on the gateway's own stages, which holds the most it can cost and never charges more."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, PaymentRequired
from agent_marketplace.gateway.ai_api_router import APIRouter
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.ledger import Ledger, dollars
from agent_marketplace.runs.live import Stoppable
from agent_marketplace.runs.sanity import MOST_ARGUMENTS, stripped
from agent_marketplace.runs.types import Said, Spec
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Codec,
    Event,
    Finish,
    Message,
    ReasoningDelta,
    Reply,
    Shape,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
)

_NOT_A_STEPS = frozenset(
    {"model", "messages", "stream", "tools", "tool_choice", "n", "stream_options", "max_cost", "agent"}
)
MOST_TEXT = 1_048_576
_MOST_CALLS = 64  # of one step


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One model step. max_nano: the most it may cost; detail: goes on its receipt."""

    request_id: str
    user_id: str
    key_id: str | None
    call: Call
    max_nano: int
    detail: Mapping[str, Any] = {}


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """How a model step ended. error: None where it was whole; stopped: its end was asked for."""

    said: Said
    cost_nano: int
    error: MarketplaceError | None = None
    stopped: bool = False


class DoesNotFit(Exception):
    """Even the cheapest way to make the call can cost more than it may; nothing was sent."""


Heard = Callable[[Sequence[Event]], None]


class Asks(Protocol):
    """What the loop needs of the gateway."""

    async def ask(self, ask: Ask, heard: Heard, flying: Callable[[Stoppable | None], None]) -> Answered:
        """Raises DoesNotFit, and PaymentRequired where wallet or key do not cover the call; nothing was sent then."""
        ...

    async def most(self, user_id: str, call: Call) -> int:
        """The most a call can cost, nano-dollars. Raises what planning raises."""
        ...

    async def charged(self, user_id: str, request_id: str) -> int | None:
        """What a call of a process that died has cost; None = its hold is still open, so nobody knows yet."""
        ...


class _Mouth:
    """Takes a step's events instead of writing them for a client."""

    content_type_stream = "text/plain"

    def __init__(self, heard: Heard, seed: str) -> None:
        self._heard = heard
        self._seed = seed
        self._text: list[str] = []
        self._size = 0
        self._calls: dict[int, dict[str, str]] = {}
        self.failed: MarketplaceError | None = None
        self.stopped = False
        self.finish = ""

    def encoder(self, _shape: Shape) -> "_Mouth":
        return self

    def start(self) -> bytes:
        return b""

    def feed(self, events: Sequence[Event]) -> bytes:
        shown: list[Event] = []
        for event in events:
            if isinstance(event, TextDelta):
                self._size += len(event.text)
                if self._size <= MOST_TEXT:
                    self._text.append(event.text)
                    shown.append(event)
            elif isinstance(event, ReasoningDelta) and event.text:
                shown.append(ReasoningDelta(event.text))
            elif isinstance(event, ToolCallDelta):
                self._called(event)
        if shown:
            self._heard(shown)
        return b""

    def _called(self, event: ToolCallDelta) -> None:
        if event.index not in self._calls and len(self._calls) >= _MOST_CALLS:
            return
        call = self._calls.setdefault(event.index, {"id": "", "name": "", "arguments": "", "signature": ""})
        for name in ("id", "name", "signature"):
            call[name] = getattr(event, name) or call[name]
        if len(call["arguments"]) <= MOST_ARGUMENTS:  # what is longer is refused as it is
            call["arguments"] += event.arguments

    def end(self, finish: Finish, _usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        self.finish = finish.value
        self.stopped = extra.get("finish_reason") == "stopped"
        return b""

    def error(self, error: MarketplaceError, _request_id: str) -> bytes:
        self.failed = error
        return b""

    def keep_alive(self) -> bytes:
        return b""

    def render_reply(self, _reply: Reply, _shape: Shape, _extra: Mapping[str, Any]) -> bytes:
        return b""

    def render_error(self, _error: MarketplaceError, _request_id: str) -> bytes:
        return b""

    def calls(self) -> tuple[ToolCallPart, ...]:
        """The tools that were asked for, each under an id of its own."""
        found: list[ToolCallPart] = []
        for place in sorted(self._calls)[:_MOST_CALLS]:
            call = self._calls[place]
            taken = {part.id for part in found}
            made = call["id"][:200] if call["id"].isprintable() and call["id"] else ""
            if not made or made in taken:
                made = f"call_{self._seed[-8:]}_{place}"
            name = stripped(call["name"], 200)
            found.append(ToolCallPart(made, name, call["arguments"] or "{}", call["signature"]))
        return tuple(found)

    def said(self, model: str, provider: str, usage: Usage | None) -> Said:
        used = usage or Usage()
        return Said(
            text="".join(self._text), calls=self.calls(), finish=self.finish, model=model, provider=provider,
            input=used.prompt_tokens, output=used.completion_tokens,
        )  # fmt: skip


class _Nowhere:
    """The sink of a step: its mouth has heard everything."""

    async def begin(self, _headers: dict[str, str]) -> None:
        return

    async def send(self, _data: bytes) -> None:
        return


class GatewayAsks:
    """The gateway's flights."""

    def __init__(self, router: APIRouter, ledger: Ledger) -> None:
        self._router = router
        self._ledger = ledger

    async def ask(self, ask: Ask, heard: Heard, flying: Callable[[Stoppable | None], None]) -> Answered:
        """As `Asks.ask`."""
        mouth = _Mouth(heard, ask.request_id)
        routing = {**ask.call.routing, "max_cost": str(dollars(ask.max_nano))}
        call = msgspec.structs.replace(ask.call, routing=routing, stream=True)
        flight = self._router.flight(
            GatewayRequest(
                request_id=ask.request_id, user_id=ask.user_id, key_id=ask.key_id, mouth=mouth, call=call,
                detail=dict(ask.detail),
            )
        )  # fmt: skip
        failed: MarketplaceError | None = None
        try:
            await flight.open()
        except PaymentRequired as error:
            if error.code == "max_cost_exceeded":
                raise DoesNotFit from None
            raise
        except MarketplaceError as error:
            return Answered(said=Said(), cost_nano=0, error=error)
        flying(flight)
        try:
            with flight.parts.drain.call():
                await flight.stream(_Nowhere())
        except MarketplaceError as error:
            failed = error
        finally:
            flying(None)
        record = flight.record
        target = (
            record.upstream.attempt.target if record.upstream is not None else record.plan.attempts[0].target
        )
        return Answered(
            said=mouth.said(target.model, target.provider, record.usage),
            cost_nano=record.receipt.charged_nano if record.receipt is not None else 0,
            error=failed or mouth.failed,
            stopped=mouth.stopped,
        )

    async def most(self, user_id: str, call: Call) -> int:
        """As `Asks.most`."""
        return await self._router.most(user_id, call)

    async def charged(self, user_id: str, request_id: str) -> int | None:
        """As `Asks.charged`."""
        try:
            return (await self._ledger.receipt(request_id, user_id)).charge_nano
        except NotFound:
            open_ = await self._ledger.running(user_id)
            return None if any(hold.request_id == request_id for hold in open_) else 0


def call_of(
    codec: Codec, spec: Spec, messages: tuple[Message, ...], tools: tuple[Tool, ...], *, last: bool = False
) -> Call:
    """A model step's call. last: an answer without tools, as long as what is left pays for; its history may still name them.

    Raises BadRequest where the version's parameters are none.
    """
    given = {k: v for k, v in spec.parameters.items() if k not in _NOT_A_STEPS}
    body = {**given, "model": spec.model, "messages": [{"role": "user", "content": "."}], "stream": True}
    try:
        call = codec.parse_request(json.encode(body))
    except (TypeError, UnicodeEncodeError):
        raise BadRequest("the agent's parameters hold text that is not valid Unicode") from None
    length = min(call.max_tokens or spec.limits.step_tokens, spec.limits.step_tokens)
    choice = ("none" if last else "auto") if tools else None
    return msgspec.structs.replace(
        call, messages=messages, tools=tools, tool_choice=choice, max_tokens=None if last else length, include_usage=False,
        plain=False,
    )  # fmt: skip


LAST_WORDS: Mapping[str, str] = {
    "cap_reached": "The budget of this run is used up.",
    "step_limit": "This run has reached its limit of steps.",
    "tool_call_limit": "This run has reached its limit of tool calls.",
    "tool_bytes_limit": "This run has reached its limit of tool output.",
    "time_limit": "This run has reached its limit of time.",
    "loop": "The same tool call was made again and again, so the tools were taken away.",
}


def last_turns(messages: tuple[Message, ...], why: str, *, bare: bool) -> tuple[Message, ...]:
    """The history for the last answer. bare: without the tools' results, which were the most of it."""
    kept = tuple(m for m in messages if m.role in ("system", "user")) if bare else messages
    words = f"{LAST_WORDS.get(why, why)} Answer now from what you have, without tools; say what is missing."
    return (*kept, Message("user", (TextPart(words),)))

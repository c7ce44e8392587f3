"""One question to several models: calls built, flights opened, each a run of its own, and what was answered kept by its side."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace.api.v1 import chats, comparing_runs
from agent_marketplace.api.v1.agent_body import call_of, completion_messages, flag, parameters, text
from agent_marketplace.app import Market
from agent_marketplace.arena import SIDES, Comparison, NewAnswer, NewComparison, Outcome
from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError
from agent_marketplace.gateway import told
from agent_marketplace.gateway.agent_wire import AgentMouth, usage_fields
from agent_marketplace.gateway.blind_wire import BlindMouth
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.record import GatewayRequest, Record
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars
from agent_marketplace.runs.chatting import BLIND
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.presets import names_agent
from agent_marketplace.runs.types import Spec
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Finish

MOST = len(SIDES)
_OWN_FIELDS = frozenset({"models", "blind", "after", "wait", "model", "fallback"})
_shuffled = secrets.SystemRandom()


class Question(msgspec.Struct, kw_only=True):
    """What a body asks. names: models or agents, by side; before: what each side has said and heard so far, [] at a beginning."""

    names: list[str]
    blind: bool
    messages: list[Any]
    before: dict[str, list[Any]]
    params: dict[str, Any]
    after_id: str | None = None


class Caller(msgspec.Struct, kw_only=True, frozen=True):
    """Who asks, and how one knows that they still may."""

    user_id: str
    key_id: str | None
    still_valid: Callable[[], Awaitable[object]]
    traceparent: str | None = None


class Column(msgspec.Struct, kw_only=True):
    """One side under way. spec, live: of an agent that is run, and its run; error: why it could not even begin."""

    side: str
    asked: str
    model: str
    call: Call
    run_id: str
    request_id: str = ""
    spec: Spec | None = None
    live: Live | None = None
    flight: Flight | None = None
    error: MarketplaceError | None = None


async def read_question(market: Market, user_id: str, body: Mapping[str, Any]) -> Question:
    """Raises BadRequest, NotFound (model, agent, comparison), Conflict (what it goes on with still runs or is veiled)."""
    blind, params = flag(body, "blind"), _params(body)
    messages = list(completion_messages(body))
    after = text(body, "after", limit=80)
    if after is None:
        names = _names(body.get("models"))
        if blind:
            _shuffled.shuffle(names)
        return Question(names=names, blind=blind, messages=messages, before={}, params=params)
    if blind:
        raise BadRequest("A comparison that goes on with another can't be blind: who is who has been told")
    chain = await chain_of(market, user_id, after)
    last = chain[-1]
    if last.veiled:
        raise Conflict("Vote first, or have it revealed", code="not_revealed")
    if any(a.status == "running" for a in last.answers):
        raise Conflict("Wait until every answer has ended, or stop it", code="still_running")
    names = [a.asked for a in last.answers]
    return Question(
        names=names, blind=False, messages=messages, params={**last.parameters, **params}, after_id=after,
        before={a.side: history(chain, a.side) for a in last.answers},
    )  # fmt: skip


async def found_of(market: Market, user_id: str, comparison_id: str) -> Comparison:
    """A comparison as it is now, agents' answers too. Raises NotFound."""
    return await comparing_runs.settled(market, user_id, await market.comparisons.get(user_id, comparison_id))


async def chain_of(market: Market, user_id: str, comparison_id: str) -> list[Comparison]:
    """The comparison and those before it, the first first. Raises NotFound, Conflict (too long)."""
    chain: list[Comparison] = []
    at: str | None = comparison_id
    while at is not None:
        if len(chain) == 50:
            raise Conflict("A comparison goes on for at most 50 questions: continue one answer as a chat")
        chain.append(await found_of(market, user_id, at))
        at = chain[-1].after_id
    return chain[::-1]


def history(chain: Sequence[Comparison], side: str) -> list[Any]:
    """What one side was asked and has answered."""
    turns: list[Any] = []
    for step in chain:
        turns += step.messages
        answer = step.answer(side)
        if answer is not None and answer.content:
            turns.append({"role": "assistant", "content": answer.content})
    return turns


async def calls_for(
    market: Market, user_id: str, question: Question, *, stream: bool = True, runs: bool = False
) -> list[Column]:
    """A call for each side. runs: agents that have to be run may be asked too. Raises BadRequest, NotFound."""
    columns = []
    for side, name in zip(SIDES, question.names, strict=False):
        if runs and (agent := await _agent(market, user_id, question, side, name)) is not None:
            columns.append(agent)
            continue
        who = await chats.asked(market, user_id, {"model": name})
        model = who.model if who.model == "auto" else market.targets.resolve(who.model).id
        turns = [*question.before.get(side, []), *question.messages]
        if who.instructions and not any(isinstance(t, dict) and t.get("role") == "system" for t in turns):
            turns.insert(0, {"role": "system", "content": who.instructions})
        # Another model's answer under this one's name would make the vote one on nobody.
        params = {**who.params, **question.params, "fallback": False}
        call = call_of(market.codecs["openai"], who.model, turns, params, stream=stream)
        asked = model if name == who.model and model != "auto" else name
        columns.append(Column(side=side, asked=asked, model=model, call=call, run_id=chats.new_run_id()))
    if len({column.asked for column in columns}) < len(columns):
        raise BadRequest("Each model or agent can be asked once")
    return columns


async def _agent(market: Market, user_id: str, question: Question, side: str, name: str) -> Column | None:
    """A side whose agent has to be run; None: a model is asked. Raises BadRequest (blind), NotFound, Forbidden (consent)."""
    if not names_agent(name):
        return None
    spec = await market.runs.kit.agents.spec(user_id, name)
    if not (spec.offered or spec.tools or spec.subagents):
        return None
    if question.blind:
        comparing_runs.refuse_blind()
    turns = [*question.before.get(side, []), *question.messages]
    call = call_of(market.codecs["openai"], spec.model, turns, question.params, stream=True)
    return Column(side=side, asked=name, model=spec.model, call=call, run_id=chats.new_run_id(), spec=spec)


async def begin(market: Market, caller: Caller, question: Question) -> tuple[Comparison, list[Live]]:
    """Opens a flight for each side, stores the comparison, lets the runs go. Raises what the first side met where none began."""
    columns = await calls_for(market, caller.user_id, question, runs=True)
    comparison_id = new_id("cmp")
    await open_all(market, caller, comparison_id, columns, blind=question.blind)
    new = NewComparison(
        comparison_id=comparison_id, blind=question.blind, task=_task(columns), messages=question.messages,
        parameters=question.params, after_id=question.after_id,
    )  # fmt: skip
    try:
        await market.comparisons.create(caller.user_id, new, [new_answer(column) for column in columns])
    except BaseException:  # what could not be kept must not be held for
        await abandon(columns)
        raise
    runs = await take_off(market, caller.user_id, columns)
    return await market.comparisons.get(caller.user_id, comparison_id), runs


async def again(market: Market, caller: Caller, found: Comparison, side: str) -> list[Live]:
    """Asks one side once more, in the place of its answer. Raises as `restart`, and what opening meets."""
    before: dict[str, list[Any]] = {}
    if found.after_id is not None:
        before = {side: history(await chain_of(market, caller.user_id, found.after_id), side)}
    names = [a.asked for a in found.answers]
    question = Question(
        names=names, blind=found.blind, messages=found.messages, before=before, params=found.parameters
    )
    found_calls = await calls_for(market, caller.user_id, question, runs=True)
    columns = [column for column in found_calls if column.side == side]
    await open_all(market, caller, found.comparison_id, columns, blind=found.veiled)
    try:
        await market.comparisons.restart(caller.user_id, found.comparison_id, new_answer(columns[0]))
    except BaseException:  # as in `begin`
        await abandon(columns)
        raise
    return await take_off(market, caller.user_id, columns)


async def open_all(
    market: Market, caller: Caller, comparison_id: str, columns: Sequence[Column], *, blind: bool
) -> None:
    """One hold a side; a side that can't begin says so and leaves the others be. Raises where none can."""
    try:
        for column in columns:
            try:
                if column.spec is not None:
                    column.live = await comparing_runs.begin(
                        market, caller.user_id, caller.key_id, column.run_id, column.spec, column.call
                    )
                    continue
                column.flight = _flight(market, caller, comparison_id, column, blind=blind)
                await column.flight.open()
            except MarketplaceError as error:
                column.flight, column.error = None, error
    except BaseException:  # whatever it was, no hold may outlive the request
        await abandon(columns)
        raise
    if columns and all(column.flight is None and column.live is None for column in columns):
        raise next(column.error for column in columns if column.error is not None)


async def abandon(columns: Sequence[Column]) -> None:
    """Gives every hold back, and ends every run."""
    for column in columns:
        if column.live is not None:
            column.live.stop()
        if column.flight is not None:
            await column.flight.abandon()


async def take_off(market: Market, user_id: str, columns: Sequence[Column]) -> list[Live]:
    """Lets the opened flights go as runs; one that may not start is ended, which its keeper notes."""
    runs = []
    for column in columns:
        if column.live is not None:
            runs.append(column.live)
        if column.flight is None:
            continue
        try:
            agent_id = BLIND if isinstance(column.flight.record.request.mouth, BlindMouth) else column.asked
            live = await market.runs.chats.start(
                column.run_id, user_id, column.flight, agent_id=agent_id, temporary=False
            )
            runs.append(live)
        except MarketplaceError:
            await column.flight.abandon()
    return runs


async def ended(market: Market, runs: Sequence[Live]) -> None:
    """Returns when every run has ended; whoever waits is a listener."""

    async def one(run: Live) -> None:
        with await market.runs.lives.listen(run) as listener:
            while await listener.next() is not None:
                pass

    await asyncio.gather(*(one(run) for run in runs))


async def summed_up(market: Market, user_id: str, columns: Sequence[Column]) -> dict[str, Any]:
    """The estimates of all sides by the one estimator, and their sum; a side that can't be asked says why."""
    found: list[dict[str, Any]] = []
    for column in columns:
        try:
            if column.spec is not None:
                estimated = await comparing_runs.estimate(market, user_id, column.spec, column.call)
            else:
                estimated = await market.router.estimate(user_id, column.call)
        except MarketplaceError as error:
            found.append({"asked": column.asked, "error": error.message, "code": error.code})
        else:
            found.append({"asked": column.asked, **estimated})
    priced = [one for one in found if "estimate" in one]
    total = {name: sum(one["estimate"][name] for one in priced) for name in ("p50", "p95", "maximum")}
    balance = await market.ledger.balance(user_id)
    paid = sum(one["estimate"]["p95"] for one in priced)
    return {
        "estimates": found,
        "total": total,
        "affordable": bool(priced) and paid <= dollars(balance.available),
    }


class AnswerKeeper:
    """Keeps how one side's answer ended."""

    def __init__(self, market: Market, user_id: str, comparison_id: str, column: Column) -> None:
        self._market = market
        self._user_id = user_id
        self.fields = {"comparison_id": comparison_id, "side": column.side, "run_id": column.run_id}

    async def land(self, record: Record, usage: Usage | None) -> dict[str, Any]:
        """After settlement: the answer, whole or partial, with what it cost."""
        fields = self.fields
        await self._market.comparisons.finish(
            self._user_id,
            fields["comparison_id"],
            fields["side"],
            fields["run_id"],
            outcome_of(record, usage),
        )
        return fields


def outcome_of(record: Record, usage: Usage | None) -> Outcome:
    """How a call ended, as a side of a comparison keeps it."""
    upstream = record.upstream
    content = ""
    extra: dict[str, Any] = {"timings": told.timings(record, time.monotonic()), "usage": usage_fields(usage)}
    finish = upstream.meter.finish if upstream is not None else None
    if upstream is not None:
        content = upstream.reply.text if upstream.reply is not None else upstream.meter.text
    whole = finish not in (None, Finish.ERROR) and upstream is not None and upstream.meter.error is None
    if finish is not None:
        extra["finish_reason"] = str(finish)
    if record.error is not None:
        extra["error"] = {"code": record.error.code, "error": record.error.message}
    target = upstream.attempt.target if upstream is not None else None
    return Outcome(
        content=content,
        status="ok" if whole else "partial" if content else "failed",
        cost_nano=record.receipt.charged_nano if record.receipt is not None else 0,
        model=target.model if target is not None else None,
        provider=target.provider if target is not None else None,
        extra=extra,
    )


def new_answer(column: Column) -> NewAnswer:
    """The side as it begins, or as it could not begin."""
    if column.live is not None:
        return NewAnswer(
            side=column.side, asked=column.asked, model=column.model, run_id=column.run_id, request_id=""
        )
    if column.flight is None or column.error is not None:
        error = column.error or MarketplaceError("This answer could not begin")
        return NewAnswer(
            side=column.side, asked=column.asked, model=column.model, run_id=column.run_id, request_id=column.request_id,
            status="failed", extra={"error": {"code": error.code, "error": error.message}},
        )  # fmt: skip
    target = column.flight.record.plan.attempts[0].target
    return NewAnswer(
        side=column.side, asked=column.asked, model=target.model, run_id=column.run_id,
        request_id=column.request_id, provider=target.provider,
    )  # fmt: skip


def _flight(market: Market, caller: Caller, comparison_id: str, column: Column, *, blind: bool) -> Flight:
    keeper = AnswerKeeper(market, caller.user_id, comparison_id, column)
    mouth = BlindMouth(keeper.fields) if blind else AgentMouth(keeper.fields)
    request = GatewayRequest(
        request_id=new_id("gen"), user_id=caller.user_id, key_id=caller.key_id, mouth=mouth, call=column.call,
        traceparent=caller.traceparent, agents=True, still_valid=caller.still_valid, on_done=keeper.land,
    )  # fmt: skip
    request.detail |= {"comparison_id": comparison_id, "side": column.side}
    chats.note_agent(request, column.asked)
    column.request_id = request.request_id
    return market.router.flight(request)


def _task(columns: Sequence[Column]) -> str:
    for column in columns:
        if column.flight is not None:
            noted: dict[str, Any] = column.flight.record.request.detail.get("estimate") or {}
            if noted.get("task"):
                return str(noted["task"])
    return ""


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not 2 <= len(value) <= MOST:
        raise BadRequest(f"models must be a list of 2 to {MOST} models or agents")
    if not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
        raise BadRequest("models must be a list of names")
    return list(value)


def _params(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters(body).items() if name not in _OWN_FIELDS | {"messages"}}

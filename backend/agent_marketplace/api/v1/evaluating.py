"""Works through evaluations: one item after the other, its models at once, never more than what is left of the budget."""

import asyncio
import logging
import math
from typing import Any

from agent_marketplace.api.v1 import comparing
from agent_marketplace.app import Market
from agent_marketplace.arena.sets.evaluations import Evaluation, Result
from agent_marketplace.arena.sets.item_files import Item
from agent_marketplace.arena.types import Outcome
from agent_marketplace.errors import MarketplaceError, RateLimited, Unauthorized
from agent_marketplace.gateway.agent_wire import AgentMouth
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import dollars

log = logging.getLogger(__name__)
_TRIES = 5
_LONGEST_WAIT_S = 30.0
# What ends an evaluation, because every further call would meet it too.
_ENDS = frozenset({"max_cost_exceeded", "payment_required", "temporarily_unavailable", "authentication"})


def start(market: Market, caller: comparing.Caller, evaluation_id: str) -> None:
    """Sets it going; it ends with its last item, its budget, its caller's session or key, or this process."""
    task = asyncio.get_running_loop().create_task(_work(market, caller, evaluation_id))
    market.evaluating.add(task)
    task.add_done_callback(market.evaluating.discard)


async def _work(market: Market, caller: comparing.Caller, evaluation_id: str) -> None:
    state, reason = "failed", "server"
    try:
        state, reason = await _items(market, caller, evaluation_id)
    except asyncio.CancelledError:
        state, reason = "stopped", "interrupted"
        raise
    except MarketplaceError as error:
        state, reason = "stopped", error.code
    except Exception:  # nobody waits for this task: whatever it was, it must not stay running
        log.exception("an evaluation failed")
    finally:
        await asyncio.shield(market.evaluations.end(caller.user_id, evaluation_id, state, reason))


async def _items(market: Market, caller: comparing.Caller, evaluation_id: str) -> tuple[str, str]:
    """(state, reason) at the end."""
    found = await market.evaluations.get(caller.user_id, evaluation_id)
    spent = found.spent_nano
    for n, item, places in await market.evaluations.pending(caller.user_id, found):
        try:
            await caller.still_valid()
        except Unauthorized as error:
            return "stopped", error.code
        share = (found.budget_nano - spent) // len(places)
        ends = await asyncio.gather(*(_one(market, caller, found, n, item, place, share) for place in places))
        kept = [result for result, _ in ends if result is not None]
        spent += sum(result.outcome.cost_nano for result in kept)
        if not await market.evaluations.keep(caller.user_id, evaluation_id, kept):
            return "stopped", "stopped"
        if (reason := next((why for _, why in ends if why), "")) != "":
            return "stopped", "budget" if reason == "max_cost_exceeded" else reason
    return "done", ""


async def _one(
    market: Market, caller: comparing.Caller, found: Evaluation, n: int, item: Item, place: int, share: int
) -> tuple[Result | None, str]:
    """One model's answer, or why the evaluation ends. share: the most that it may cost, nano-dollars."""
    params: dict[str, Any] = {**found.parameters, "max_cost": dollars(max(share, 1))}
    for attempt in range(_TRIES):
        question = comparing.Question(
            names=[found.models[place]], blind=False, messages=list(item.messages), before={}, params=params
        )
        request_id = new_id("gen")
        try:
            if share <= 0 and not await _free(market, found.models[place]):
                return None, "max_cost_exceeded"
            return Result(
                n=n,
                place=place,
                request_id=request_id,
                outcome=await _ask(market, caller, question, request_id),
            ), ""
        except RateLimited as error:
            if attempt == _TRIES - 1:
                return None, error.code
            await asyncio.sleep(min(_LONGEST_WAIT_S, math.ceil(error.retry_after or 1)))
        except MarketplaceError as error:
            if error.code in _ENDS:
                return None, error.code
            told = {"error": {"code": error.code, "error": error.message}}
            outcome = Outcome(content="", status="failed", cost_nano=0, extra=told)
            return Result(n=n, place=place, request_id=request_id, outcome=outcome), ""
    raise AssertionError("the last attempt returns")


async def _ask(
    market: Market, caller: comparing.Caller, question: comparing.Question, request_id: str
) -> Outcome:
    [column] = await comparing.calls_for(market, caller.user_id, question, stream=False)
    request = GatewayRequest(
        request_id=request_id, user_id=caller.user_id, key_id=caller.key_id, mouth=AgentMouth(), call=column.call, agents=True
    )  # fmt: skip
    flight = market.router.flight(request)
    with flight.parts.drain.call():
        await flight.open()
        await flight.plain()
    return comparing.outcome_of(flight.record, flight.record.usage)


async def _free(market: Market, name: str) -> bool:
    model = market.registry.resolve(name)
    return model is not None and model.pricing_tier == "free"

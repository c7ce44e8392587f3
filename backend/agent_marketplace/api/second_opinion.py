"""One short call of the cheapest configured model where the kind of a task is unclear: booked, bounded, never waited for long.

Only where the operator switched it on, the caller did not decline, and nothing that was said keeps the words from a provider.
"""

import asyncio
import logging
from collections import OrderedDict

import msgspec

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.gateway.text import TextMouth
from agent_marketplace.ids import new_id
from agent_marketplace.recommend import second_opinion as opinions
from agent_marketplace.wires.base import Call, Message, TextPart

log = logging.getLogger(__name__)
WAIT_S = 4.0
_REMEMBERED = 500
_known: OrderedDict[tuple[str, str], opinions.Opinion] = OrderedDict()
"""(user, words) -> what was said, at no cost: the same question costs once and gets the same answer."""


def asker(market: Market, principal: Principal, *, wanted: bool) -> opinions.Ask | None:
    """How an unsure type is settled for this caller; None where it is not: it spends, so it takes the scope that spends."""
    if not (wanted and market.settings.settle_types and "inference" in principal.scopes):
        return None

    async def ask(words: str) -> opinions.Opinion | None:
        known = _known.get((principal.user_id, words))
        if known is not None:
            return known
        found = await _asked(market, principal, words)
        if found is not None:
            _known[principal.user_id, words] = msgspec.structs.replace(found, cost_nano=0)
            while len(_known) > _REMEMBERED:
                _known.popitem(last=False)
        return found

    return ask


async def _asked(market: Market, principal: Principal, words: str) -> opinions.Opinion | None:
    model, effort = market.engine.cheap_judge()
    if model is None:
        return None
    call = Call(
        model=model, messages=(Message("user", (TextPart(opinions.question(words)),)),), max_tokens=opinions.ANSWER_TOKENS,
        reasoning_effort=effort,
    )  # fmt: skip
    request = GatewayRequest(
        request_id=new_id("req"), user_id=principal.user_id, key_id=principal.key_id, mouth=TextMouth(), call=call,
        detail={"purpose": "task type"},
    )  # fmt: skip
    flight = market.router.flight(request)
    work = asyncio.create_task(_fly(flight))
    work.add_done_callback(_looked_at)
    done, _ = await asyncio.wait({work}, timeout=WAIT_S)
    if not done:
        flight.client_left()  # ends the call; what it cost until then is booked
        return None
    if work.cancelled() or work.exception() is not None:
        return None
    upstream, receipt = flight.record.upstream, flight.record.receipt
    kind = (
        opinions.kind_of(upstream.reply.text) if upstream is not None and upstream.reply is not None else None
    )
    if kind is None:
        return None
    cost = receipt.charged_nano if receipt is not None else 0
    return opinions.Opinion(kind=kind, model=model, cost_nano=cost, request_id=request.request_id)


async def _fly(flight: Flight) -> None:
    with flight.parts.drain.call():
        await flight.open()
        await flight.plain()


def _looked_at(work: "asyncio.Task[None]") -> None:
    """A failed call is on its receipt; here it is only told to the log."""
    if work.cancelled():
        return
    error = work.exception()
    if error is not None:
        level = logging.INFO if isinstance(error, MarketplaceError) else logging.WARNING
        log.log(level, "the kind of a task was not settled by a model: %s", error)

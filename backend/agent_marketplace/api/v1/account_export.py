"""All of a user's data as one JSON object, sent while it is read: how much is stored changes nothing for the server's memory."""

from collections.abc import AsyncIterator, Container
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.responses import Response, StreamingResponse

from agent_marketplace import json
from agent_marketplace.api import paid, present, run_views
from agent_marketplace.api.envelope import NOT_KEPT
from agent_marketplace.api.v1 import evaluations
from agent_marketplace.app import Market
from agent_marketplace.conversations.export import array, everything
from agent_marketplace.runs import store

_STATEMENT_PAGE = 200
_COMPARISONS_PAGE = 20
_RUNS_PAGE = 20
_EVALUATION_PAGE = 100


async def account_export(market: Market, user_id: str) -> Response:
    """What is small is read before the first byte, so that a failure then still has a status of its own. Raises NotFound."""
    account = await market.accounts.auth.export_account(user_id)
    favourites = await market.favourites.list(user_id)
    prompts = [present.prompt(kept) for kept in await market.library.prompts.list(user_id)]
    veiled = await market.comparisons.veiled(user_id)

    async def body() -> AsyncIterator[bytes]:
        begin = {
            "success": True,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "account": account,
        }
        yield json.encode(begin)[:-1] + b',"statement":'
        async for piece in array(_statement(market, user_id, veiled)):
            yield piece
        yield b',"conversations":'
        async for piece in everything(market.conversations, user_id):
            yield piece
        yield b',"comparisons":'
        async for piece in array(_comparisons(market, user_id)):
            yield piece
        yield b',"prompts":' + json.encode(prompts)
        yield b',"runs":'
        async for piece in array(_runs(market, user_id)):
            yield piece
        yield b',"evaluations":'
        async for piece in array(_evaluations(market, user_id)):
            yield piece
        yield b',"orders":'
        async for piece in array(_orders(market, user_id)):
            yield piece
        yield b',"favourites":' + json.encode(favourites) + b"}"

    name = 'attachment; filename="my-marketplace-data.json"'
    headers = {**NOT_KEPT, "content-disposition": name}
    return StreamingResponse(body(), media_type="application/json", headers=headers)


async def _comparisons(market: Market, user_id: str) -> AsyncIterator[bytes]:
    before: tuple[int, str] | None = None
    while page := await market.comparisons.list(user_id, before, _COMPARISONS_PAGE):
        for found in page:
            yield json.encode(present.comparison(found))
        before = (page[-1].created_at, page[-1].comparison_id)


async def _runs(market: Market, user_id: str) -> AsyncIterator[bytes]:
    """Runs of agents with what was asked, their steps and answers, whole, and the runs below them."""
    before: tuple[int, str] | None = None
    records = market.runs.kit.records
    while page := await records.read(partial(store.page, user_id=user_id, before=before, limit=_RUNS_PAGE)):
        for head in page:
            tree = await records.read(partial(store.tree, root_run_id=head.run_id))
            whole = [await run_views.exported(market, one) for one in tree]
            yield json.encode({**whole[0], "below": whole[1:]})
        before = (page[-1].created_at, page[-1].run_id)


async def _evaluations(market: Market, user_id: str) -> AsyncIterator[bytes]:
    for found in await market.evaluations.of(user_id):
        parts: dict[str, list[dict[str, Any]]] = {"prompts": [], "results": []}
        for after in range(0, found.items, _EVALUATION_PAGE):
            parts["prompts"] += await market.evaluations.prompts(user_id, found, after, _EVALUATION_PAGE)
            parts["results"] += await market.evaluations.results(user_id, found, after, _EVALUATION_PAGE)
        yield json.encode({**evaluations.shown(found), **parts})


async def _orders(market: Market, user_id: str) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while page := await market.payments.orders.find({"user_id": user_id}, cursor, _STATEMENT_PAGE):
        for found in page:
            yield json.encode(paid.order(market, found))
        cursor = page[-1].id


async def _statement(market: Market, user_id: str, veiled: Container[str]) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        page = await market.ledger.statement(user_id, cursor, _STATEMENT_PAGE)
        for entry in page.entries:
            yield json.encode(present.statement_entry(entry, veiled))
        cursor = page.next_cursor
        if cursor is None:
            return

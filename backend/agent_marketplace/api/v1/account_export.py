"""All of a user's data as one JSON object, sent while it is read: how much is stored changes nothing for the server's memory."""

from collections.abc import AsyncIterator, Container
from datetime import UTC, datetime

from starlette.responses import Response, StreamingResponse

from agent_marketplace import json
from agent_marketplace.api import present
from agent_marketplace.api.envelope import NOT_KEPT
from agent_marketplace.app import Market
from agent_marketplace.conversations.export import array, everything

_STATEMENT_PAGE = 200
_COMPARISONS_PAGE = 20


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


async def _statement(market: Market, user_id: str, veiled: Container[str]) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        page = await market.ledger.statement(user_id, cursor, _STATEMENT_PAGE)
        for entry in page.entries:
            yield json.encode(present.statement_entry(entry, veiled))
        cursor = page.next_cursor
        if cursor is None:
            return

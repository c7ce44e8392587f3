"""Items of Responses answers by name: a client that let them be stored may say `item_reference` in place of the item itself.

They are kept sealed for an hour (`reasoning.KeptReasoning`), in the database, since any worker may get the next turn.
"""

import logging
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.api.asgi import Message, Send
from agent_marketplace.api.screen import PROMPT, aside
from agent_marketplace.app import Market
from agent_marketplace.errors import NotFound, PayloadTooLarge

log = logging.getLogger(__name__)
_REFERENCE = "item_reference"
_NAMED = _REFERENCE.encode()
_ENDS = (b"event: response.completed\n", b"event: response.incomplete\n")


class _Asked(msgspec.Struct):
    store: Any = None


class _Answer(msgspec.Struct):
    output: list[dict[str, Any]] = []


class _Ended(msgspec.Struct):
    response: _Answer = msgspec.field(default_factory=_Answer)


async def resolved(market: Market, user_id: str, body: bytes) -> bytes:
    """The body with the items that it names in place of their names. Raises NotFound for one that is not kept (any more)."""
    if _NAMED not in body:
        return body
    try:
        request = await aside(len(body), lambda: json.decode(body))
    except ValueError:
        return body  # the codec has the words for it
    given = request.get("input") if isinstance(request, dict) else None
    if not isinstance(given, list):
        return body
    named = {i: str(item.get("id")) for i, item in enumerate(given) if _refers(item)}
    kept = await market.reasoning.items(user_id, tuple(named.values()))
    sizes = {name: len(json.encode(item)) for name, item in kept.items()}
    if len(body) + sum(sizes.get(name, 0) for name in named.values()) > PROMPT.size:
        raise PayloadTooLarge(f"The input with the items that it names is larger than {PROMPT.size} bytes")
    for place, name in named.items():
        if name not in kept:
            raise NotFound(
                f"input[{place}]: Item with id {name[:100]!r} not found: an answer's items are kept for an hour, and not at all "
                "with store: false; send the item itself"
            )
        given[place] = kept[name]
    return await aside(len(body), lambda: json.encode(request))


def _refers(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == _REFERENCE


def keeping(market: Market, user_id: str, body: bytes, send: Send) -> Send:
    """The way out of an answer, on which its items are kept before its last event leaves: the next turn may be here at once."""
    try:
        if msgspec.json.decode(body, type=_Asked).store is False:
            return send
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return send
    status = 0

    async def kept(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        if status == 200 and (data := message.get("body")):
            await _keep(market, user_id, data, streamed=bool(message.get("more_body")))
        await send(message)

    return kept


async def _keep(market: Market, user_id: str, data: bytes, *, streamed: bool) -> None:
    try:
        if not streamed:
            answer = msgspec.json.decode(data, type=_Answer)
        else:
            at = max(data.rfind(end) for end in _ENDS)
            if at < 0:
                return
            answer = msgspec.json.decode(data[at:].partition(b"data: ")[2].strip(), type=_Ended).response
        await market.reasoning.keep_items(user_id, answer.output)
    except Exception:  # the answer is paid for: a store that can't be written must not take it away
        log.exception("the items of an answer were not kept")

"""Loads and unloads models of the operator's Ollama for its clients. Nothing is computed, so nothing is booked."""

from agent_marketplace.app import Market
from agent_marketplace.catalog import Offer
from agent_marketplace.errors import Unavailable
from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundRequest, Timeouts
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.ollama.codec import OllamaCodec
from agent_marketplace.wires.ollama.loading import Load, answer, load_of, request
from agent_marketplace.wires.shared import failures

_TIMES = Timeouts(connect_s=5, first_byte_s=120, idle_s=30, total_s=150)
_LIMIT = 65_536


async def loaded(market: Market, codec: Codec, body: bytes) -> bytes | None:
    """The answer to a wish to load or unload a model; None for every other body.

    Raises NotFound for an unknown model, Unavailable and what the provider answers. A model that is not Ollama's is always loaded.
    """
    if not isinstance(codec, OllamaCodec) or len(body) > _LIMIT:
        return None
    load = load_of(body, generate=codec.generates)
    if load is None:
        return None
    offer = _offer(market, load.model)
    if offer is not None:
        await _ask(market, codec, load, offer)
    return answer(load, generate=codec.generates, at=market.clock.now_ms() // 1000)


def _offer(market: Market, name: str) -> Offer | None:
    model = market.targets.resolve(name)
    pinned = market.registry.resolve_offer(name)
    offers = (pinned,) if pinned is not None else market.registry.offers(model.id)
    able = (o for o in offers if market.registry.unavailable_reason(o) is None)
    return next((o for o in able if o.provider == "ollama"), None)


async def _ask(market: Market, codec: OllamaCodec, load: Load, offer: Offer) -> None:
    endpoint = market.endpoints.get(offer.provider)
    assert endpoint is not None
    asked = OutboundRequest(
        method="POST", url=endpoint.url("api/chat"), headers={"content-type": "application/json"},
        body=request(load, offer.upstream_id), timeouts=_TIMES, allow_private=endpoint.allow_private, max_body=_LIMIT,
    )  # fmt: skip
    try:
        response = await market.client.send(asked)
        try:
            told = await response.read(_LIMIT)
        finally:
            response.cancel()
    except NetError:
        raise Unavailable("The operator's Ollama does not answer", retry_after=5) from None
    if response.status != 200:
        raise failures.as_error(codec.classify_error(response.status, response.headers, told))

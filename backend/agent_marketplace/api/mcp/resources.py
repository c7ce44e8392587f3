"""Cards that a client may put into a model's context: the price list, and one model's card."""

from typing import Any
from urllib.parse import unquote

from agent_marketplace import json
from agent_marketplace.api.mcp.protocol import BAD_PARAMS, RpcError
from agent_marketplace.api.mcp.tools import card
from agent_marketplace.app import Market

_PRICES, _MODEL = "marketplace://prices", "marketplace://models/"
LISTED = [
    {"uri": _PRICES, "name": "prices", "title": "Prices of what can be called here", "mimeType": "application/json",
     "description": "Dollars per million tokens, input and output, of every model that this server can call now."},
]  # fmt: skip
TEMPLATES = [
    {"uriTemplate": _MODEL + "{id}", "name": "model", "title": "A model's card", "mimeType": "application/json",
     "description": "Prices, context, capabilities and providers of one model."},
]  # fmt: skip


def read(market: Market, uri: Any) -> dict[str, Any]:
    """A resource's contents. Raises RpcError for one that is not there."""
    if not isinstance(uri, str):
        raise RpcError(BAD_PARAMS, "uri: expected a text")
    if uri == _PRICES:
        callable_now = (m for m in market.registry.get_all_models() if m.is_available and not m.retired)
        value: Any = [
            {"id": m.id, "prices": m.to_dict()["prices"], "context_window": m.context_window}
            for m in callable_now
        ]
    elif (
        uri.startswith(_MODEL)
        and (model := market.registry.resolve(unquote(uri.removeprefix(_MODEL)))) is not None
    ):
        value = {
            **card(model),
            "offers": [
                o.to_dict(market.registry.unavailable_reason(o)) for o in market.registry.offers(model.id)
            ],
        }
    else:
        raise RpcError(BAD_PARAMS, "Resource not found", {"uri": uri[:300]})
    return {"contents": [{"uri": uri, "mimeType": "application/json", "text": json.encode(value).decode()}]}

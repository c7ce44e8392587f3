"""Ollama's clients know no keys. An operator may let those of this machine in: their calls run under one marketplace key, so that
they are booked on its account, bounded by its cap, listed and revoked like any other."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from agent_marketplace.api.asgi import Scope, read_headers
from agent_marketplace.api.nearby import from_here, from_no_page
from agent_marketplace.api.paths import wire_of
from agent_marketplace.app import Market
from agent_marketplace.errors import PaymentRequired

_CREDENTIALS = ("authorization", "x-api-key", "x-goog-api-key")
_FREE = {"max_cost": 0, "byok": "never"}
_WORDS = (
    "Without a key only free and local models are served here; send a marketplace key, or ask the operator "
    "(MARKETPLACE_OLLAMA_KEYLESS_MODELS)"
)


def let_in(market: Market, scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a request without any credential runs under the operator's key for such."""
    if market.keyless is None or wire_of(scope["path"], headers) != "ollama":
        return False
    if any(headers.get(name, "").strip() for name in _CREDENTIALS):
        return False
    return from_here(scope, headers) and from_no_page(headers)


def with_key(market: Market, scope: Scope, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that say who is asking."""
    if not let_in(market, scope, headers):
        return headers
    return {**headers, "authorization": f"Bearer {market.keyless}"}


def free_only(market: Market, scope: Scope) -> bool:
    """Whether the caller was let in without a key, and for models that cost nothing."""
    if market.keyless is None or market.settings.ollama_keyless_models != "free":
        return False
    return let_in(market, scope, read_headers(scope))


def routed(routing: Mapping[str, Any], *, free: bool) -> Mapping[str, Any]:
    """A call's routing fields: what a keyless caller may use costs nothing, also none of the account's own keys."""
    return {**routing, **_FREE} if free else routing


@contextlib.contextmanager
def explained(*, free: bool) -> Iterator[None]:
    """Raises the 402 of a model that costs something in words that say why."""
    try:
        yield
    except PaymentRequired as error:
        if not free:
            raise
        raise PaymentRequired(_WORDS, code=error.code) from error

"""Our own catalogue and prices as tools."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.runs.tools.base import Caller, Tool, number_of, schema, text_of
from agent_marketplace.runs.types import Got

Estimates = Callable[[str, str, str, int | None], Awaitable[dict[str, Any]]]
"""(user, model, prompt, max_tokens) -> what the call will cost. Raises MarketplaceError."""
_SHOWN = ("id", "name", "maker", "prices", "context_window", "max_output", "capabilities", "is_available")


class SearchCatalogue(Tool):
    """Models by words."""

    name = "search_catalogue"
    description = (
        "Finds AI models in this marketplace by words, with prices (dollars per million tokens) and context."
    )
    parameters = schema(
        {
            "query": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 20},
            "available_only": {
                "type": "boolean",
                "description": "only what can be called here now; usually true",
            },
        },
        "query",
    )

    def __init__(self, registry: MarketplaceRegistry) -> None:
        self._registry = registry

    async def run(self, given: Mapping[str, Any], _caller: Caller) -> Got:
        """Raises ToolFailed."""
        query, limit = text_of(given, "query", most=500), number_of(given, "limit", 1, 20, 5)
        everything = given.get("available_only") is False
        found = [
            m
            for m in self._registry.search_models(query, 200)
            if (everything or m.is_available) and not m.retired
        ]
        shown = [{name: m.to_dict()[name] for name in _SHOWN} for m in found[:limit]]
        return Got(text=json.encode({"models": shown, "found": len(found)}).decode())


class Estimate(Tool):
    """What a call would cost."""

    name = "estimate"
    description = (
        "What asking a model would cost, before it is asked: usual (p50), long (p95) and most; dollars."
    )
    parameters = schema(
        {
            "model": {"type": "string"},
            "prompt": {"type": "string"},
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": 100_000},
        },
        "model",
        "prompt",
    )

    def __init__(self, estimates: Estimates) -> None:
        self._estimates = estimates

    async def run(self, given: Mapping[str, Any], caller: Caller) -> Got:
        """Raises ToolFailed, MarketplaceError."""
        model, prompt = text_of(given, "model", most=200), text_of(given, "prompt", most=200_000)
        most = number_of(given, "max_tokens", 1, 100_000, 0) if "max_tokens" in given else None
        found = await self._estimates(caller.user_id, model, prompt, most)
        return Got(text=json.encode({k: found[k] for k in ("model", "estimate", "affordable")}).decode())

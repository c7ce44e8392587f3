"""What the marketplace does for an MCP client, as data: each tool with its input, its scope, and what is true of it."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from agent_marketplace.accounts.principal import Principal, Scope
from agent_marketplace.api import assist, schemas
from agent_marketplace.api.mcp.asking import ask
from agent_marketplace.api.v1.billing import usage_sums
from agent_marketplace.api.v1.chats import completion_call
from agent_marketplace.app import Market
from agent_marketplace.catalog import AIModel
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.ledger import dollars

Name = Annotated[
    str, Meta(min_length=1, max_length=200, description="A model's id or any of its names; `auto` picks one")
]
Prompt = Annotated[str, Meta(min_length=1, max_length=1_000_000, description="What the model is asked")]


class Search(msgspec.Struct, forbid_unknown_fields=True):
    query: Annotated[
        str, Meta(max_length=500, description="Free words; typing is forgiven. Empty: the most used")
    ] = ""
    capability: Annotated[
        str,
        Meta(max_length=40, description="text, code, vision, tools, json, reasoning, embeddings, fim, ..."),
    ] = ""
    available_only: Annotated[bool, Meta(description="Only what can be called here now")] = True
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class Recommend(msgspec.Struct, forbid_unknown_fields=True):
    task: Annotated[str, Meta(min_length=1, max_length=20_000, description="The task in one's own words")]
    priority: Literal["quality", "balanced", "cost", "speed"] = "balanced"
    max_cost: Annotated[float, Meta(gt=0, le=1_000_000, description="Dollars a call may cost")] | None = None
    limit: Annotated[int, Meta(ge=1, le=10)] = 3


class Estimate(msgspec.Struct, forbid_unknown_fields=True):
    model: Name
    prompt: Prompt
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    model: Name
    prompt: Prompt
    max_cost: Annotated[
        float, Meta(gt=0, le=1_000, description="Dollars this call may cost at most; above it is refused")
    ]
    system: Annotated[str, Meta(max_length=200_000)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=100_000)] = 2048


class Compare(msgspec.Struct, forbid_unknown_fields=True):
    models: Annotated[list[Name], Meta(min_length=2, max_length=6)]


class Usage(msgspec.Struct, forbid_unknown_fields=True):
    days: Annotated[int, Meta(ge=1, le=366)] = 30
    by: Literal["model", "day"] = "model"


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No arguments."""


class Asker(NamedTuple):
    """Who calls, and over which exchange (a hang-up stops what runs)."""

    market: Market
    principal: Principal
    scope: Any


def card(model: AIModel) -> dict[str, Any]:
    """What of a model's card is worth an agent's tokens. Prices: dollars per million tokens, as text."""
    shown = model.to_dict()
    names = (
        "id", "name", "maker", "providers", "pricing_tier", "prices", "context_window", "max_output", "capabilities",
        "is_available", "unavailable_reason", "rating", "released_on",
    )  # fmt: skip
    return {name: shown[name] for name in names}


def found(market: Market, name: str) -> AIModel:
    """Raises NotFound with the nearest names."""
    model = market.registry.resolve(name)
    if model is None:
        near = market.registry.nearest(name)
        raise NotFound(f"No model is called {name[:100]}{'; near: ' + ', '.join(near[:3]) if near else ''}")
    return model


async def search_models(asker: Asker, given: Search) -> dict[str, Any]:
    """Cards, best first."""
    wanted = (
        m
        for m in asker.market.registry.search_models(given.query, 400)
        if (not given.capability or given.capability in m.capabilities)
        and (m.is_available or not given.available_only)
        and not m.retired
    )
    return {"models": [card(m) for m, _ in zip(wanted, range(given.limit), strict=False)]}


async def recommend(asker: Asker, given: Recommend) -> dict[str, Any]:
    """Picks with reasons; a tool that says it only reads asks no model (`settle`)."""
    budget = None if given.max_cost is None else Decimal(str(given.max_cost)).quantize(Decimal("1e-9"))
    body = schemas.Recommend(
        task=given.task, limit=given.limit, priority=given.priority, max_cost=budget, settle=False
    )
    advice = await assist.recommend(asker.market, asker.principal, body)
    names = (
        "rank",
        "score",
        "reasoning",
        "reasons",
        "estimated_cost",
        "cost_range",
        "is_available",
        "effort",
    )
    picks = [
        {**{k: e[k] for k in names if k in e}, "model": e["model"]["id"], "name": e["model"]["name"]}
        for e in advice["recommendations"]
    ]
    return {"recommendations": picks, "notes": advice["notes"]}


async def estimate(asker: Asker, given: Estimate) -> dict[str, Any]:
    """Usual, long and most; dollars."""
    body = {"model": given.model, "prompt": given.prompt}
    if given.max_tokens is not None:
        body |= {"max_tokens": given.max_tokens}  # type: ignore[dict-item]
    call = await completion_call(asker.market, asker.principal.user_id, body, len(given.prompt), stream=False)
    return await asker.market.router.estimate(asker.principal.user_id, call)


async def balance(asker: Asker, _given: Nothing) -> dict[str, Any]:
    """Dollars."""
    wallet = await asker.market.ledger.balance(asker.principal.user_id)
    return {
        "balance": dollars(wallet.balance), "available": dollars(wallet.available), "held": dollars(wallet.held), "currency": "USD",
    }  # fmt: skip


async def usage(asker: Asker, given: Usage) -> dict[str, Any]:
    """Sums."""
    found = await usage_sums(asker.market, asker.principal.user_id, given.days, given.by)
    return {"usage": found["usage"], "total_cost": found["total"]["cost"], "days": found["days"]}


async def compare(asker: Asker, given: Compare) -> dict[str, Any]:
    """Cards side by side, and who is cheapest and holds most."""
    models = [found(asker.market, name) for name in dict.fromkeys(given.models)]
    priced = [m for m in models if m.cost_per_1k is not None]
    return {
        "models": [card(m) for m in models],
        "cheapest": min(priced, key=lambda m: m.cost_per_1k or 0).id if priced else None,
        "largest_context": max(models, key=lambda m: m.context_window or 0).id,
    }


async def ask_model(asker: Asker, given: Ask) -> dict[str, Any]:
    """The answer and what it cost."""
    body = {k: v for k, v in msgspec.to_builtins(given).items() if v is not None}
    return await ask(asker.market, asker.principal, asker.scope, body)


class Tool(NamedTuple):
    """read_only: it changes nothing and spends nothing. open_world: it talks to a provider outside of the marketplace."""

    title: str
    description: str
    input: type[msgspec.Struct]
    output: Mapping[str, str]
    run: Callable[[Asker, Any], Awaitable[dict[str, Any]]]
    scope: Scope | None = None
    read_only: bool = True
    open_world: bool = False


TOOLS: Mapping[str, Tool] = {
    "search_models": Tool(
        "Search models", "Find AI models by words and capability, with prices (dollars per million tokens), context and providers.",
        Search, {"models": "array"}, search_models,
    ),
    "compare": Tool(
        "Compare models", "Prices, context and capabilities of two to six models side by side.",
        Compare, {"models": "array", "largest_context": "string"}, compare,
    ),
    "recommend": Tool(
        "Recommend a model", "Q Assistant's ranked picks for a task, each with reasons, within what the account can pay.",
        Recommend, {"recommendations": "array", "notes": "array"}, recommend,
    ),
    "estimate": Tool(
        "Estimate a call", "What asking a model will cost before it is asked: the usual cost, a long answer's, and the most.",
        Estimate, {"estimate": "object", "model": "string", "affordable": "boolean"}, estimate, "inference",
    ),
    "balance": Tool(
        "Balance", "What is in the wallet, what is held for running calls, what is available; dollars.",
        Nothing, {"balance": "number", "available": "number", "held": "number", "currency": "string"}, balance, "account:read",
    ),
    "usage": Tool(
        "Usage", "What the account has used and paid, by model or by day.",
        Usage, {"usage": "array", "total_cost": "number", "days": "integer"}, usage, "account:read",
    ),
    "ask_model": Tool(
        "Ask a model", "Asks a model once and returns its answer with what it cost. Spends the account's money, never above max_cost.",
        Ask, {"result": "string", "model": "string", "cost": "number", "request_id": "string"}, ask_model, "inference",
        read_only=False, open_world=True,
    ),
}  # fmt: skip


def listed(principal: Principal) -> list[dict[str, Any]]:
    """The tools that a caller's key may use, in a stable order."""
    return [
        _described(name, t) for name, t in TOOLS.items() if t.scope is None or t.scope in principal.scopes
    ]


def _described(name: str, tool: Tool) -> dict[str, Any]:
    output = {
        "type": "object",
        "properties": {k: {"type": v} for k, v in tool.output.items()},
        "required": [*tool.output],
    }
    annotations = {
        "title": tool.title,
        "readOnlyHint": tool.read_only,
        "destructiveHint": False,  # what is spent is spent, but nothing is overwritten or deleted
        "idempotentHint": tool.read_only,
        "openWorldHint": tool.open_world,
    }
    return {
        "name": name, "title": tool.title, "description": tool.description, "inputSchema": _schema(tool.input),
        "outputSchema": output, "annotations": annotations,
    }  # fmt: skip


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([kind])
    schema: dict[str, Any] = {
        k: v for k, v in parts[kind.__name__].items() if k not in ("title", "description")
    }
    return schema


def arguments(tool: Tool, given: Any) -> msgspec.Struct:
    """A tool's input. Raises BadRequest with words that name the field."""
    try:
        return msgspec.convert(given if given is not None else {}, tool.input)
    except msgspec.ValidationError as e:
        raise BadRequest(str(e)) from None

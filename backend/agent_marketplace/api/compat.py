"""The cold half of the wires that existing clients speak: lists of models, token counts and embeddings (Ollama's: `ollama`)."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request, Response

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import items
from agent_marketplace.api.agents_on_wires import agents_of, listed_as
from agent_marketplace.api.deps import Caller, Router, Runner, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.api.paths import wire_of
from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.app import Market
from agent_marketplace.catalog import AIModel
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import Price
from agent_marketplace.runs.presets import names_agent
from agent_marketplace.wires import embeddings
from agent_marketplace.wires.anthropic.codec import AnthropicCodec

router = Router(tags=["wires"])
_GEMINI_PAGE = 1000
_TEXT_METHODS = ["generateContent", "streamGenerateContent", "countTokens"]
_VECTOR_METHODS = ["embedContent", "batchEmbedContents"]
_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
}


All = Annotated[
    bool, Query(alias="all", description="also models that this caller can't call now (no key, not pulled)")
]

# -- models ------------------------------------------------------------------------------------------------------------


@router.get(
    "/v1/models",
    summary="Models that the caller can call, in OpenAI's shape; in Anthropic's or Google's for their clients",
)
async def list_models(
    request: Request,
    market: The,
    principal: Caller,
    everything: All = False,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=_GEMINI_PAGE)] = _GEMINI_PAGE,
    page_token: Annotated[str, Query(alias="pageToken", max_length=20)] = "",
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description="of a page, for Anthropic's clients")
    ] = None,
    after_id: Annotated[
        str, Query(max_length=200, description="for Anthropic's clients: the page behind it")
    ] = "",
    before_id: Annotated[
        str, Query(max_length=200, description="for Anthropic's clients: the page before it")
    ] = "",
) -> Response:
    listed = await _listed(market, principal, everything=everything)
    wire = wire_of(request.scope["path"], request.headers)
    agents = [listed_as(n, t, wire, description=d) for n, t, d in await agents_of(market, principal)]
    if wire == "anthropic":
        return _anthropic_page([_anthropic_model(m) for m in listed] + agents, limit, after_id, before_id)
    if wire == "gemini":
        return _gemini_page(listed, page_size, page_token, agents)
    return ExactJSON({"object": "list", "data": [_openai_model(m) for m in listed] + agents})


@router.get("/v1/models/{model_id:path}", summary="One model, in the shape of the client's wire")
async def get_model(request: Request, market: The, principal: Caller, model_id: str) -> Response:
    if names_agent(model_id):
        return await _agent(market, principal, model_id, wire_of(request.scope["path"], request.headers))
    model = _found(market, model_id)
    shapes = {"anthropic": _anthropic_model, "gemini": _gemini_model}
    return ExactJSON(shapes.get(wire_of(request.scope["path"], request.headers) or "", _openai_model)(model))


@router.get("/v1beta/models", summary="Models that the caller can call, Google's shape")
async def list_gemini_models(
    market: The,
    principal: Caller,
    everything: All = False,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=_GEMINI_PAGE)] = _GEMINI_PAGE,
    page_token: Annotated[str, Query(alias="pageToken", max_length=20)] = "",
) -> Response:
    agents = [listed_as(n, t, "gemini", description=d) for n, t, d in await agents_of(market, principal)]
    return _gemini_page(
        await _listed(market, principal, everything=everything), page_size, page_token, agents
    )


@router.get("/v1beta/models/{model_id:path}", summary="One model, Google's shape")
async def get_gemini_model(market: The, principal: Caller, model_id: str) -> Response:
    if names_agent(model_id):
        return await _agent(market, principal, model_id, "gemini")
    return ExactJSON(_gemini_model(_found(market, model_id)))


async def _agent(market: Market, principal: Principal, name: str, wire: str | None) -> Response:
    """One of the caller's agents as a model. Raises as `Agents.spec`."""
    spec = await market.runs.kit.agents.spec(principal.user_id, name)
    return ExactJSON(listed_as(name, spec.name, wire, description=spec.description))


async def _listed(market: Market, principal: Principal, *, everything: bool) -> list[AIModel]:
    """What a client's picker shows: a model that answers 404 when it is picked is no choice."""
    current = [m for m in market.registry.get_all_models() if not m.retired]
    if everything:
        return current
    own_keys = await market.credentials.providers(principal.user_id)
    return [m for m in current if market.targets.callable_by(m, own_keys)]


def _found(market: Market, name: str) -> AIModel:
    model = market.registry.resolve(name)
    if model is None:
        raise NotFound(
            "Model not found", code="model_not_found", extra={"nearest": market.registry.nearest(name)}
        )
    return model


def _openai_model(model: AIModel) -> dict[str, Any]:
    shown = model.to_dict()
    prices = shown["prices"] or {}
    return {
        "id": model.id,
        "object": "model",
        "created": int(_released(model).timestamp()),
        "owned_by": model.maker or model.provider,
        "name": model.name,
        "canonical_slug": model.id,
        "description": model.description,
        "context_length": model.context_window,
        "architecture": {
            "modality": f"{'+'.join(model.input_modalities)}->{'+'.join(model.output_modalities)}",
            "input_modalities": list(model.input_modalities),
            "output_modalities": list(model.output_modalities),
        },
        "pricing": {
            "prompt_per_million": prices.get("input"),
            "completion_per_million": prices.get("output"),
            **_a_token(model.price),
        },
        "top_provider": {
            "context_length": model.context_window,
            "max_completion_tokens": model.max_output,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(model.supported_parameters),
        "is_available": model.is_available,
    }


_PER_TOKEN = {
    "prompt": "input", "completion": "output", "input_cache_read": "cache_read", "input_cache_write": "cache_write_5m",
    "internal_reasoning": "reasoning",
}  # fmt: skip


def _a_token(price: Price | None) -> dict[str, str]:
    """Dollars a token, as texts: OpenRouter's clients show prices by these."""
    if price is None:
        return {}
    rates = {name: getattr(price, field) for name, field in _PER_TOKEN.items()}
    told = {
        name: f"{Decimal(nano).scaleb(-15).normalize():f}" for name, nano in rates.items() if nano is not None
    }
    pieces = {"request": price.per_request, "image": price.per_image}
    return told | {name: f"{Decimal(nano).scaleb(-9).normalize():f}" for name, nano in pieces.items()}


def _anthropic_model(model: AIModel) -> dict[str, Any]:
    created = _released(model).isoformat().replace("+00:00", "Z")
    return {"type": "model", "id": model.id, "display_name": model.name, "created_at": created}


def _gemini_model(model: AIModel) -> dict[str, Any]:
    embeds = "embeddings" in model.capabilities
    return {
        "name": f"models/{model.id}",
        "baseModelId": model.id,
        "version": model.id,
        "displayName": model.name,
        "description": model.description,
        "inputTokenLimit": model.max_input or model.context_window,
        "outputTokenLimit": model.max_output,
        "supportedGenerationMethods": _VECTOR_METHODS if embeds else _TEXT_METHODS,
    }


def _anthropic_page(rows: list[dict[str, Any]], limit: int | None, after: str, before: str) -> Response:
    """A page behind a model, or before one; all of them where no length is said (Claude Code's picker asks once)."""
    ids = [row["id"] for row in rows]
    if (named := after or before) and named not in ids:
        raise BadRequest(f"{'after_id' if after else 'before_id'}: no model here has this id")
    rest = rows[ids.index(after) + 1 :] if after else rows[: ids.index(before)] if before else rows
    length = limit or len(rest)
    shown = rest[-length:] if before and not after else rest[:length]
    return ExactJSON(
        {
            "data": shown,
            "has_more": len(shown) < len(rest),
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
        }
    )


def _gemini_page(models: list[AIModel], size: int, token: str, agents: list[dict[str, Any]]) -> Response:
    if token and not token.isdecimal():
        raise BadRequest("pageToken is not one of ours")
    start = int(token or 0)
    shown = [_gemini_model(m) for m in models] + agents
    body: dict[str, Any] = {"models": shown[start : start + size]}
    if start + size < len(shown):
        body["nextPageToken"] = str(start + size)
    return ExactJSON(body)


def _released(model: AIModel) -> datetime:
    """The epoch where the day is not known."""
    try:
        return datetime.fromisoformat(model.released_on or "").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


# -- counting ----------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/messages/count_tokens",
    summary="Tokens of a message, estimated offline; Anthropic's shape",
    openapi_extra=_BODY,
)
async def count_message_tokens(request: Request, market: The, _principal: Runner) -> Response:
    codec = AnthropicCodec()
    data = await read_bytes(request)
    call = await aside(len(data), lambda: codec.parse_count_request(data))
    market.targets.resolve(call.model)
    return Response(codec.render_count(await market.router.count_tokens(call)), media_type="application/json")


@router.post(
    "/v1/responses/input_tokens",
    summary="Tokens of a response's input, estimated offline; OpenAI's shape",
    openapi_extra=_BODY,
)
async def count_response_tokens(request: Request, market: The, principal: Runner) -> Response:
    body = await items.resolved(market, principal.user_id, await read_bytes(request))
    call = market.codecs["responses"].parse_request(body, stream=False)
    market.targets.resolve(call.model)
    return ExactJSON(
        {"object": "response.input_tokens", "input_tokens": await market.router.count_tokens(call)}
    )


@router.post(
    "/v1/models/{model:path}:countTokens",
    summary="Tokens of contents, estimated offline; Google's shape",
    openapi_extra=_BODY,
)
@router.post(
    "/v1beta/models/{model:path}:countTokens",
    summary="Tokens of contents, estimated offline; Google's shape",
    openapi_extra=_BODY,
)
async def count_content_tokens(request: Request, market: The, _principal: Runner, model: str) -> Response:
    market.targets.resolve(model)
    data = await read_bytes(request)
    body = await aside(len(data), lambda: _object(data))
    inner = body.get("generateContentRequest", body)
    if not isinstance(inner, dict):
        raise BadRequest("generateContentRequest: expected an object")
    codec = market.codecs["gemini"]
    call = await aside(len(data), lambda: codec.parse_request(json.encode(inner), model=model, stream=False))
    return ExactJSON({"totalTokens": await market.router.count_tokens(call)})


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.decode(data)
    except ValueError:
        raise BadRequest("The body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object")
    return value


# -- embeddings --------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/embeddings", summary="Vectors of texts, OpenAI's shape, billed exactly", openapi_extra=_BODY
)
async def create_embeddings(request: Request, market: The, principal: Runner) -> Response:
    data = await read_bytes(request)
    call = await aside(len(data), lambda: embeddings.parse_request(data))
    flight = market.router.embedding(
        call,
        request_id=new_id("gen"),
        user_id=principal.user_id,
        key_id=principal.key_id,
        render=partial(embeddings.render_reply, base64=call.encoding_format == "base64"),
    )
    return await fly_embedding(market, flight)


@router.post(
    "/v1/models/{model:path}:embedContent",
    summary="The vector of a text, Google's shape, billed exactly",
    openapi_extra=_BODY,
)
@router.post(
    "/v1beta/models/{model:path}:embedContent",
    summary="The vector of a text, Google's shape, billed exactly",
    openapi_extra=_BODY,
)
async def embed_content(request: Request, market: The, principal: Runner, model: str) -> Response:
    return await _embed(request, market, principal, model, batch=False)


@router.post(
    "/v1/models/{model:path}:batchEmbedContents",
    summary="Vectors of texts, Google's shape, billed exactly",
    openapi_extra=_BODY,
)
@router.post(
    "/v1beta/models/{model:path}:batchEmbedContents",
    summary="Vectors of texts, Google's shape, billed exactly",
    openapi_extra=_BODY,
)
async def batch_embed_contents(request: Request, market: The, principal: Runner, model: str) -> Response:
    return await _embed(request, market, principal, model, batch=True)


async def _embed(
    request: Request, market: Market, principal: Principal, model: str, *, batch: bool
) -> Response:
    data = await read_bytes(request)
    call = await aside(len(data), lambda: embeddings.parse_gemini(data, model, batch=batch))
    flight = market.router.embedding(
        call,
        request_id=new_id("gen"),
        user_id=principal.user_id,
        key_id=principal.key_id,
        render=partial(embeddings.render_gemini, batch=batch),
    )
    return await fly_embedding(market, flight)


async def fly_embedding(market: Market, flight: Flight) -> Response:
    """Opens, asks, settles. Raises the caller's error."""
    with market.drain.call():
        await flight.open()
        body = await flight.plain()
    return Response(body, media_type="application/json", headers=flight.headers())

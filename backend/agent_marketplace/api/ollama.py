"""The cold half of Ollama's wire: what its clients ask before they chat, and its embeddings."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel, Field

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import keyless
from agent_marketplace.api.agents_on_wires import agents_of
from agent_marketplace.api.compat import fly_embedding
from agent_marketplace.api.deps import Caller, Router, Runner, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.app import Market
from agent_marketplace.catalog import AIModel
from agent_marketplace.gateway.embedding import Render
from agent_marketplace.ids import new_id
from agent_marketplace.runs.presets import names_agent
from agent_marketplace.wires.embeddings import EmbeddingCall, EmbeddingReply

router = Router(prefix="/api", tags=["wires"])
_SPOKEN = "0.12.0"  # the release of Ollama whose wire this is: its clients refuse servers that look too old
_EPOCH = "1970-01-01T00:00:00Z"


class Show(BaseModel):
    """`name` is the field's older name."""

    model: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""


class Embed(BaseModel):
    """Texts to embed; Ollama's other fields are accepted and have no effect."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: str | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=2048)]
    dimensions: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Prompted(BaseModel):
    """One text to embed, in the form that `/api/embed` replaced; clients still send it."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    prompt: Annotated[str, Field(min_length=1)]


@router.get("/version", summary="The release of Ollama whose wire this is")
async def version() -> Response:
    return ExactJSON({"version": _SPOKEN})


@router.get("/tags", summary="Models that can be called now, Ollama's shape")
async def tags(request: Request, market: The, principal: Caller) -> Response:
    free = keyless.free_only(market, request.scope)
    listed = market.registry.filter_by_tier("free") if free else market.registry.get_all_models()
    agents = [] if free else await agents_of(market, principal)
    found = [_tag(m) for m in listed if m.is_available and not m.retired]
    return ExactJSON({"models": found + [_tagged(name, _EPOCH, _AGENT) for name, *_ in agents]})


@router.get("/ps", summary="Loaded models: none is loaded for a caller")
async def loaded(_principal: Caller) -> Response:
    return ExactJSON({"models": []})


@router.post("/show", summary="One model, Ollama's shape")
async def show(market: The, principal: Caller, body: Show) -> Response:
    asked = body.model or body.name
    if names_agent(asked):  # it takes no tools of its client's
        spec = await market.runs.kit.agents.spec(principal.user_id, asked)
        below = market.registry.resolve(spec.model)
        context = None if below is None else below.context_window
        return ExactJSON(_shown(spec.name, context, _AGENT, ["completion", "thinking"], _EPOCH))
    model = market.targets.resolve(asked)
    return ExactJSON(
        _shown(model.name, model.context_window, _details(model), _capabilities(model), _modified(model))
    )


def _shown(
    name: str, context: int | None, details: Mapping[str, Any], capabilities: list[str], modified: str
) -> dict[str, Any]:
    info = {
        "general.architecture": "remote",
        "general.basename": name,
        "remote.context_length": context,
    }
    return {
        "license": "", "modelfile": "", "parameters": "", "template": "", "details": details, "model_info": info,
        "capabilities": capabilities, "modified_at": modified,
    }  # fmt: skip


@router.post("/embed", summary="Vectors of texts, Ollama's shape, billed exactly")
async def embed(request: Request, market: The, principal: Runner, body: Embed) -> Response:
    inputs = (body.input,) if isinstance(body.input, str) else tuple(body.input)
    call = EmbeddingCall(model=body.model, inputs=inputs, dimensions=body.dimensions)
    return await _embedded(request, market, principal, call, _render)


@router.post("/embeddings", summary="The vector of a text, Ollama's older shape, billed exactly")
async def embed_prompt(request: Request, market: The, principal: Runner, body: Prompted) -> Response:
    call = EmbeddingCall(model=body.model, inputs=(body.prompt,))
    return await _embedded(request, market, principal, call, _render_one)


async def _embedded(
    request: Request, market: Market, principal: Principal, call: EmbeddingCall, render: Render
) -> Response:
    free, request_id = keyless.free_only(market, request.scope), new_id("gen")
    call = msgspec.structs.replace(call, routing=keyless.routed(call.routing, free=free))
    user_id, key_id = principal.user_id, principal.key_id
    flight = market.router.embedding(
        call, request_id=request_id, user_id=user_id, key_id=key_id, render=render
    )
    with keyless.explained(free=free):
        return await fly_embedding(market, flight)


def _render_one(reply: EmbeddingReply, _model: str, extra: Mapping[str, Any]) -> bytes:
    return json.encode({"embedding": reply.vectors[0], **extra})


def _render(reply: EmbeddingReply, model: str, extra: Mapping[str, Any]) -> bytes:
    tokens = reply.usage.prompt_tokens if reply.usage is not None else 0
    return json.encode({"model": model, "embeddings": reply.vectors, "prompt_eval_count": tokens, **extra})


def _tag(model: AIModel) -> dict[str, Any]:
    return _tagged(model.id, _modified(model), _details(model))


def _tagged(name: str, modified: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": modified,
        "size": 0,
        "digest": "",
        "details": details,
    }


def _details(model: AIModel) -> dict[str, Any]:
    return _of_family(model.maker or model.provider)


def _of_family(family: str) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "remote",
        "family": family,
        "families": [family],
        "parameter_size": "",
        "quantization_level": "",
    }


_AGENT = _of_family("agent")


def _modified(model: AIModel) -> str:
    day = model.released_on or ""
    return f"{day}T00:00:00Z" if len(day) == len("2026-01-01") else _EPOCH


def _capabilities(model: AIModel) -> list[str]:
    if "embeddings" in model.capabilities:
        return ["embedding"]
    found = ["completion"]
    found += ["tools"] if "tools" in model.supported_parameters else []
    found += ["vision"] if "vision" in model.capabilities else []
    found += ["thinking"] if "reasoning" in model.supported_parameters else []
    return found

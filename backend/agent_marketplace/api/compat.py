"""The cold half of the wires that existing clients speak: lists of models in each wire's own shape."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Response

from agent_marketplace.api.deps import Caller, Router, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.catalog import AIModel
from agent_marketplace.errors import NotFound

router = Router(tags=["wires"])


@router.get("/v1/models", summary="Models, OpenAI's shape (and OpenRouter's fields)")
async def list_models(market: The, _principal: Caller) -> Response:
    listed = [m for m in market.registry.get_all_models() if not m.retired]
    return ExactJSON({"object": "list", "data": [_openai_model(m) for m in listed]})


@router.get("/v1/models/{model_id:path}", summary="One model, OpenAI's shape")
async def get_model(market: The, _principal: Caller, model_id: str) -> Response:
    model = market.registry.resolve(model_id)
    if model is None:
        raise NotFound("Model not found", code="model_not_found")
    return ExactJSON(_openai_model(model))


def _openai_model(model: AIModel) -> dict[str, Any]:
    shown = model.to_dict()
    prices = shown["prices"] or {}
    return {
        "id": model.id,
        "object": "model",
        "created": _unix(model.released_on),
        "owned_by": model.maker or model.provider,
        "name": model.name,
        "context_length": model.context_window,
        "architecture": {
            "input_modalities": list(model.input_modalities),
            "output_modalities": list(model.output_modalities),
        },
        "pricing": {"prompt_per_million": prices.get("input"), "completion_per_million": prices.get("output")},
        "supported_parameters": list(model.supported_parameters),
        "is_available": model.is_available,
    }


def _unix(day: str | None) -> int:
    if day is None:
        return 0
    try:
        return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0

"""What /v1/responses answers, judged: by the official SDK's types, and by the fields that Open Responses' `ResponseResource` requires."""

import json
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

REQUIRED = {
    "id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "previous_response_id",
    "instructions", "output", "error", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text", "top_p",
    "presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "reasoning", "usage", "max_output_tokens",
    "max_tool_calls", "store", "background", "service_tier", "metadata", "safety_identifier", "prompt_cache_key",
}  # fmt: skip
_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def checked(response: dict[str, Any]) -> dict[str, Any]:
    """A whole response. Raises ValidationError and AssertionError."""
    Response.model_validate(response)
    assert response.keys() >= REQUIRED, REQUIRED - response.keys()
    return response


def events_of(sent: bytes) -> list[dict[str, Any]]:
    """A stream's events, each valid, numbered without a gap, and its responses with it."""
    found = []
    for block in sent.decode().split("\n\n"):
        if not block or block.startswith(":"):
            continue
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == "event: " + event["type"]
        _EVENTS.validate_python(event)
        if "response" in event:
            checked(event["response"])
        found.append(event)
    assert [e["sequence_number"] for e in found] == list(range(len(found)))
    return found

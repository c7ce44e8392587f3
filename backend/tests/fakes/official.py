"""The official SDKs' own types as judges of what we send: every field has to be one that the provider's client knows.

TypedDicts and models under pydantic, with three changes through the whole tree, without which the check is nearly empty:
what the SDKs type as `Iterable` is read as a list (pydantic would not look inside), fields that a type does not name are
forbidden, and a model of an SDK that leaves them open is looked into again (pydantic would take the class's own validator).
Fields that a compatible provider adds are `[[extension]]` rows of the rulebook, each with its source.
"""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import anthropic.types.message_create_params as anthropic_params
import ollama._types as ollama_types
from google.genai import types as google
from huggingface_hub import TextGenerationInput
from mistralai.client.models import ChatCompletionRequest as MistralBody
from openai.types import completion_create_params as older
from openai.types import embedding_create_params as vectors
from openai.types.chat import completion_create_params as chat
from openai.types.responses import response_create_params as responses
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic_core import SchemaValidator, ValidationError

Wire = Literal[
    "openai", "responses", "anthropic", "gemini", "ollama", "embeddings", "huggingface", "completions", "generate",
]  # fmt: skip


class GeminiBody(BaseModel):
    """The body of generateContent: google-genai has types for its parts, and flattens the whole for its callers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    contents: list[google.Content]
    system_instruction: google.Content | None = None
    generation_config: google.GenerationConfig | None = None
    tools: list[google.Tool] | None = None
    tool_config: google.ToolConfig | None = None
    safety_settings: list[google.SafetySetting] | None = None
    cached_content: str | None = None
    service_tier: str | None = None
    labels: dict[str, str] | None = None


class OllamaMessage(ollama_types.Message):
    """As it goes over the wire: the SDK's pictures are objects that write themselves as base64."""

    model_config = ConfigDict(extra="forbid")
    images: list[str] | None = None  # type: ignore[assignment]


class OllamaBody(ollama_types.ChatRequest):
    """Ollama's request: its own class takes any mapping in place of its parts."""

    messages: list[OllamaMessage]
    tools: list[ollama_types.Tool] | None = None
    options: ollama_types.Options | None = None


class OllamaGenerate(ollama_types.GenerateRequest):
    """As above."""

    options: ollama_types.Options | None = None


_TYPES: Mapping[Wire, Any] = {
    "openai": chat.CompletionCreateParams,
    "responses": responses.ResponseCreateParams,
    "anthropic": anthropic_params.MessageCreateParams,
    "gemini": GeminiBody,
    "ollama": OllamaBody,
    "embeddings": vectors.EmbeddingCreateParams,
    "huggingface": TextGenerationInput,
    "completions": older.CompletionCreateParams,
    "generate": OllamaGenerate,
}


_OWN: Mapping[tuple[Wire, str], Any] = {("openai", "mistral"): MistralBody}
_OPEN = "mistralai"


def closed(schema: Any) -> Any:
    """A core schema that looks into everything and takes nothing unnamed."""
    if isinstance(schema, list | tuple):
        return type(schema)(closed(s) for s in schema)
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "model" and _OPEN in schema["cls"].__module__:
        return {**closed(schema["schema"]), **({"ref": schema["ref"]} if "ref" in schema else {})}
    if schema.get("type") == "function-before" and "parse_open_union" in repr(schema["function"]):
        return closed(schema["schema"])  # mistralai's: it makes an object of what the schema is to judge
    out = {k: closed(v) for k, v in schema.items()}
    if out.get("type") == "generator":
        return {**out, "type": "list"}
    if out.get("type") in ("typed-dict", "model-fields", "dataclass-args"):
        out["extra_behavior"] = "forbid"
    return out


@cache
def judge(wire: Wire, provider: str = "") -> SchemaValidator:
    """The judge of a wire's bodies, or of a provider's that has an SDK of its own for it."""
    return SchemaValidator(closed(TypeAdapter(_OWN.get((wire, provider), _TYPES[wire])).core_schema))


@cache
def extensions() -> tuple[Mapping[str, Any], ...]:
    """Fields that a provider takes beside its wire's own."""
    text = (files("agent_marketplace.rules") / "rulebook.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["extension"])


def _without(value: Any, path: list[str]) -> None:
    """Takes the field at a path out of a body; `*` = every element."""
    head, *rest = path
    if head == "*":
        for item in value if isinstance(value, list) else ():
            _without(item, rest)
    elif isinstance(value, dict) and head in value:
        if rest:
            _without(value[head], rest)
        else:
            del value[head]


@cache
def omissions() -> tuple[Mapping[str, Any], ...]:
    """Fields that a wire does without, though its SDK's types ask for them."""
    text = (files("agent_marketplace.rules") / "rulebook.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["omission"])


def _filled(value: Any, path: list[str], kind: str) -> None:
    """Fills a field in at a path, where it stands in an object of the type."""
    head, *rest = path
    if head == "*":
        for item in value if isinstance(value, list) else ():
            _filled(item, rest, kind)
    elif isinstance(value, dict) and rest:
        _filled(value.get(head), rest, kind)
    elif isinstance(value, dict) and value.get("type") == kind:
        value.setdefault(head, "unsaid")


def complaints(wire: Wire, body: bytes, provider: str = "") -> list[str]:
    """What the SDK's types say against a request body; nothing = it is one that the SDK itself could have sent."""
    value = json.loads(body)
    own = provider if (wire, provider) in _OWN else ""
    for row in () if own else extensions():
        if row["wire"] == wire and (not row.get("providers") or not provider or provider in row["providers"]):
            _without(value, row["field"].split("."))
    for row in omissions():
        if row["wire"] == wire:
            _filled(value, row["field"].split("."), row["type"])
    try:
        judge(wire, own).validate_python(value)
    except ValidationError as e:
        # Of a union every member complains: what none of them knows, or has wrong, is what is left after the best one.
        return [f"{'.'.join(map(str, err['loc']))}: {err['msg']}" for err in e.errors(include_url=False)]
    return []

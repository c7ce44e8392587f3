"""Embeddings: OpenAI's and Gemini's shapes towards clients; OpenAI's, Gemini's and Ollama's towards providers."""

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import FailureClass, OutboundCall, UpstreamFailure, WireName
from agent_marketplace.wires.shared import failures, fields, reported

Vector = list[float] | str  # numbers, or their little-endian float32 bytes in base64


class EmbeddingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `inputs`: texts or token lists; `purpose`: Gemini's hints what the vectors are for (`taskType`, `title`);
    `extra`: fields without a name of ours."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    purpose: Mapping[str, Any] = {}
    user: str | None = None
    routing: Mapping[str, Any] = {}
    extra: Mapping[str, Any] = {}


class EmbeddingReply(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors in the order of the inputs. `usage` None = the provider said nothing."""

    vectors: tuple[Vector, ...]
    usage: Usage | None = None


class _Request(msgspec.Struct):
    input: Any = None
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None


class _Datum(msgspec.Struct):
    embedding: list[float] | str
    index: int = 0


class _OpenAI(msgspec.Struct):
    data: list[_Datum]
    usage: dict[str, Any] | None = None


class _Values(msgspec.Struct):
    values: list[float]


class _Gemini(msgspec.Struct, rename="camel"):
    embeddings: list[_Values]
    usage_metadata: Any = None


class _Ollama(msgspec.Struct):
    embeddings: list[list[float]]
    prompt_eval_count: Any = None


_MOST_INPUTS = 2048


def parse_request(body: bytes) -> EmbeddingCall:
    """A client's body of POST /v1/embeddings. Raises BadRequest with words that name the field."""
    raw = fields.raw_fields(body)
    routing, extra = fields.split_fields(raw, frozenset(_Request.__struct_fields__))
    if "input" not in raw:
        raise BadRequest("input: is missing")
    inputs = _inputs(fields.value(raw.pop("input")))
    known = {k: fields.value(v) for k, v in raw.items() if k in _Request.__struct_fields__}
    try:
        r = msgspec.convert(known, _Request)
    except msgspec.ValidationError as e:
        raise BadRequest(str(e)) from None
    if not r.model:
        raise BadRequest("model: is missing")
    if r.dimensions is not None and r.dimensions < 1:
        raise BadRequest("dimensions: must be at least 1")
    return EmbeddingCall(
        model=r.model, inputs=inputs, encoding_format=r.encoding_format, dimensions=r.dimensions, user=r.user, routing=routing,
        extra=extra,
    )  # fmt: skip


def _inputs(value: Any) -> tuple[str | tuple[int, ...], ...]:
    """One text, texts, one token list, or token lists."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise BadRequest("input: expected a text or a non-empty array")
    if _tokens(value):
        value = [value]
    if len(value) > _MOST_INPUTS:
        raise BadRequest(f"input: at most {_MOST_INPUTS} inputs")
    out: list[str | tuple[int, ...]] = []
    for n, item in enumerate(value):
        if isinstance(item, str) and item:
            out.append(item)
        elif isinstance(item, list) and _tokens(item) and min(item) >= 0:
            out.append(tuple(item))
        else:
            raise BadRequest(f"input[{n}]: expected a non-empty text or a list of tokens")
    return tuple(out)


def _tokens(value: list[Any]) -> bool:
    """Whether it is a list of whole numbers. There may be 300,000: looked at without a step of ours for each."""
    return set(map(type, value)) == {int}


_HINTS = ("taskType", "title")


def parse_gemini(body: bytes, model: str, *, batch: bool) -> EmbeddingCall:
    """A client's body of `:batchEmbedContents`, or of `:embedContent`. Raises BadRequest with words that name the field."""
    given = {name: fields.value(raw) for name, raw in fields.raw_fields(body).items()}
    routing = {k: v for k, v in given.items() if k in fields.ROUTING_FIELDS}
    requests = given.get("requests") if batch else [given]
    if not isinstance(requests, list) or not requests or len(requests) > _MOST_INPUTS:
        raise BadRequest(f"requests: expected an array of 1 to {_MOST_INPUTS}")
    asked = [_gemini_request(r, f"requests[{i}]" if batch else "") for i, r in enumerate(requests)]
    wishes = asked[0][1]
    for i, (_, other) in enumerate(asked):
        if other != wishes:
            raise BadRequest(
                f"requests[{i}]: taskType, title and outputDimensionality must be the same in all requests"
            )
    return EmbeddingCall(
        model=model.removeprefix("models/"),
        inputs=tuple(text for text, _ in asked),
        dimensions=wishes.get("outputDimensionality"),
        purpose={name: wishes[name] for name in _HINTS if name in wishes},
        routing=routing,
    )


def _gemini_request(request: Any, where: str) -> tuple[str, dict[str, Any]]:
    """(text, what is wished of its vector)."""
    dot = f"{where}." if where else ""
    if not isinstance(request, dict):
        raise BadRequest(f"{where}: expected object")
    content = request.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise BadRequest(f"{dot}content.parts: expected a non-empty array")
    for i, part in enumerate(parts):
        if not isinstance(part, dict) or not isinstance(part.get("text"), str) or not part["text"]:
            raise BadRequest(f"{dot}content.parts[{i}].text: only texts are embedded here")
    config = request.get("embedContentConfig")
    named = {**request, **(config if isinstance(config, dict) else {})}
    wishes = {
        n: v
        for n in (*_HINTS, "outputDimensionality")
        if (v := named.get(n, named.get(_SNAKE[n]))) is not None
    }
    size = wishes.get("outputDimensionality", 1)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise BadRequest(f"{dot}outputDimensionality: expected a whole number of at least 1")
    return "\n".join(part["text"] for part in parts), wishes


_SNAKE = {"taskType": "task_type", "title": "title", "outputDimensionality": "output_dimensionality"}


def render_gemini(reply: EmbeddingReply, model: str, extra: Mapping[str, Any], *, batch: bool) -> bytes:  # noqa: ARG001
    """Google's vectors, with what they cost."""
    vectors = [{"values": _numbers(v)} for v in reply.vectors]
    tokens = reply.usage.prompt_tokens if reply.usage else 0
    counted = {"usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens}}
    return json.encode(
        {**({"embeddings": vectors} if batch else {"embedding": vectors[0]}), **counted, **extra}
    )


def render_reply(
    reply: EmbeddingReply, model: str, extra: Mapping[str, Any], *, base64: bool = False
) -> bytes:
    """OpenAI's list of embeddings; `cost` stands in `usage`. base64: it was asked for, whatever the provider gave."""
    form = _packed if base64 else _numbers
    data = [{"object": "embedding", "index": i, "embedding": form(v)} for i, v in enumerate(reply.vectors)]
    tokens = reply.usage.prompt_tokens if reply.usage else 0
    usage = {
        "prompt_tokens": tokens,
        "total_tokens": tokens,
        **({"cost": extra["cost"]} if "cost" in extra else {}),
    }
    rest = {k: v for k, v in extra.items() if k != "cost"}
    return json.encode({"object": "list", "data": data, "model": model, "usage": usage, **rest})


def _packed(vector: Vector) -> str:
    """Little-endian float32 in base64."""
    if isinstance(vector, str):
        return vector
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _numbers(vector: Vector) -> Vector:
    """Numbers; what is no float32 in base64 stays as it came."""
    if not isinstance(vector, str):
        return vector
    try:
        raw = b64decode(vector, validate=True)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    except (ValueError, struct.error):
        return vector


def build_request(call: EmbeddingCall, upstream_model: str, wire: WireName) -> OutboundCall:
    """The provider's request. Raises UpstreamFailure(UNSUPPORTED) for token lists or a wire without embeddings."""
    dropped = (*call.extra, *(call.purpose if wire != "gemini" else ()))
    if wire == "openai":
        body: dict[str, Any] = {
            "model": upstream_model,
            "input": [list(i) if isinstance(i, tuple) else i for i in call.inputs],
        }
        optional = {"encoding_format": call.encoding_format, "dimensions": call.dimensions, "user": call.user}
        body |= {k: v for k, v in optional.items() if v is not None}
        return OutboundCall(path="embeddings", body=json.encode(body), dropped=dropped)
    texts = [i for i in call.inputs if isinstance(i, str)]
    if len(texts) != len(call.inputs):
        raise failures.unsupported("This provider embeds texts, not token lists")
    if wire == "ollama":
        body = {
            "model": upstream_model,
            "input": texts,
            **({"dimensions": call.dimensions} if call.dimensions else {}),
        }
        return OutboundCall(path="api/embed", body=json.encode(body), dropped=dropped)
    if wire == "gemini":
        one: dict[str, Any] = {"model": f"models/{upstream_model}", **call.purpose}
        one |= {"outputDimensionality": call.dimensions} if call.dimensions else {}
        requests = [{**one, "content": {"parts": [{"text": t}]}} for t in texts]
        path = f"v1beta/models/{quote(upstream_model, safe='')}:batchEmbedContents"
        return OutboundCall(path=path, body=json.encode({"requests": requests}), dropped=dropped)
    raise failures.unsupported("This provider has no embeddings")


def parse_reply(body: bytes, wire: WireName, count: int) -> EmbeddingReply:
    """The provider's vectors. `count`: how many were asked for. Raises UpstreamFailure for a body that does not hold them."""
    vectors: tuple[Vector, ...]
    usage: Usage | None = None
    try:
        if wire == "openai":
            answer = msgspec.json.decode(body, type=_OpenAI)
            vectors = tuple(d.embedding for d in sorted(answer.data, key=lambda d: d.index))
            usage = reported.from_openai({"completion_tokens": 0, **answer.usage} if answer.usage else None)
        elif wire == "ollama":
            local = msgspec.json.decode(body, type=_Ollama)
            vectors = tuple(local.embeddings)
            usage = reported.from_ollama({"prompt_eval_count": local.prompt_eval_count})
        else:
            made = msgspec.json.decode(body, type=_Gemini)
            vectors = tuple(e.values for e in made.embeddings)
            usage = reported.from_gemini(made.usage_metadata)
    except reported.UsageRefused:
        usage = None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamFailure(FailureClass.SERVER, "The provider's answer was not understood") from None
    if len(vectors) != count:
        raise UpstreamFailure(FailureClass.SERVER, "The provider returned another number of vectors")
    if not all(vectors):
        raise UpstreamFailure(FailureClass.SERVER, "The provider returned an empty vector")
    return EmbeddingReply(vectors=vectors, usage=usage)

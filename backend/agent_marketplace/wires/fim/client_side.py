"""Editors' requests: OpenAI's older `/v1/completions` with a suffix, and Mistral's `/v1/fim/completions`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call, Event, Fill, Finish, Message, Reply, Shape, TextDelta, TextPart
from agent_marketplace.wires.fim.templates import unfilled
from agent_marketplace.wires.openai.client_side import error_json, usage_json
from agent_marketplace.wires.shared import fields

USUAL_TOKENS = 256
"""Of a completion whose length its client leaves open: one comes with every pause of typing, so that holds have to be small."""


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct):
    model: str | None = None
    prompt: str | list[Any] | None = None
    suffix: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    random_seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    best_of: int | None = None
    echo: bool | None = None
    logprobs: int | bool | None = None
    user: str | None = None


_request = msgspec.json.Decoder(_Request)
_KNOWN = frozenset(_Request.__struct_fields__)


def parse_request(body: bytes, *, strict: bool) -> Call:
    """The canonical call. strict: a model that can only talk is no use. Raises BadRequest with words that name the field."""
    raw = fields.raw_fields(body)
    r = fields.guarded(_request.decode, body)
    routing, extra = fields.split_fields(raw, _KNOWN)
    if not r.model:
        raise BadRequest("model: is missing")
    _refuse_the_unserved(r)
    prefix, suffix = _texts(r)
    seed = r.seed if r.seed is not None else r.random_seed
    usage_wish = r.stream_options.include_usage if r.stream_options else None
    return Call(
        model=r.model,
        messages=(Message("user", tuple(TextPart(t) for t in (prefix, suffix) if t)),),
        wire="openai",
        stream=bool(r.stream),
        include_usage=usage_wish,
        max_tokens=r.max_tokens if r.max_tokens is not None else USUAL_TOKENS,
        temperature=r.temperature,
        top_p=r.top_p,
        stop=(r.stop,) if isinstance(r.stop, str) else tuple(r.stop or ()),
        seed=seed,
        frequency_penalty=r.frequency_penalty,
        presence_penalty=r.presence_penalty,
        user=r.user,
        routing=routing,
        fill=Fill(prefix=prefix, suffix=suffix, strict=strict, ignored=tuple(extra)),
    )


def _refuse_the_unserved(r: _Request) -> None:
    if r.logprobs is not None and r.logprobs is not False:
        raise BadRequest("logprobs: log probabilities are not given for completions here; leave it out")
    if r.echo:
        raise BadRequest("echo: the prompt is not repeated here; leave it out")
    for name in ("n", "best_of"):
        if getattr(r, name) not in (None, 1):
            raise BadRequest(f"{name}: one completion is made a call; send the call again for another")
    if r.max_tokens is not None and r.max_tokens < 1:
        raise BadRequest("max_tokens: must be at least 1")


def _texts(r: _Request) -> tuple[str, str | None]:
    """(prefix, suffix): also where the editor has filled in a model's own template."""
    prompt = r.prompt
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if isinstance(prompt, list):
        raise BadRequest("prompt: expected one text; lists of texts and of tokens are not taken here")
    if not prompt and not r.suffix:
        raise BadRequest("prompt: is missing")
    if r.suffix is None and prompt and (texts := unfilled(prompt)) is not None:
        return texts
    return prompt or "", r.suffix


class Encoder:
    """Canonical events -> `text_completion` chunks."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def start(self) -> bytes:
        """Nothing: a completion has no role to tell."""
        return b""

    def feed(self, events: Sequence[Event]) -> bytes:
        """One chunk a text; thinking has no place in a completion."""
        return b"".join(
            _sse(_body(self._shape, e.text, None)) for e in events if isinstance(e, TextDelta) and e.text
        )

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The finish chunk, with the usage for a client that said nothing of it, else in a chunk of its own; `[DONE]`."""
        last = _body(self._shape, "", finish)
        asked = self._shape.include_usage
        if usage is None or asked is False:
            return _sse(last) + b"data: [DONE]\n\n"
        told = {"usage": usage_json(usage, extra), **{k: v for k, v in extra.items() if k != "cost"}}
        if asked is None:
            return _sse(last | told) + b"data: [DONE]\n\n"
        return _sse(last) + _sse(_body(self._shape, "", None) | {"choices": []} | told) + b"data: [DONE]\n\n"

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """The error alone, without `[DONE]`: nobody may take it for success."""
        return _sse({"error": error_json(error, request_id)})


def render_reply(reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
    """A `text_completion`; `extra` except `cost` stands at the top level."""
    body = _body(shape, reply.text, reply.finish or Finish.ERROR)
    if reply.usage is not None:
        body["usage"] = usage_json(reply.usage, extra)
    return json.encode(body | {k: v for k, v in extra.items() if k != "cost"})


def _body(shape: Shape, text: str, finish: Finish | None) -> dict[str, Any]:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    body: dict[str, Any] = {
        "id": shape.id,
        "object": "text_completion",
        "created": shape.created,
        "model": shape.model,
        "choices": [choice],
    }
    return body | ({"provider": shape.provider} if shape.provider else {})


def _sse(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.encode(body) + b"\n\n"

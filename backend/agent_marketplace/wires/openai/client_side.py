"""OpenAI chat completions towards our clients: their request in, our answer, stream and errors out."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    Call,
    Finish,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Reply,
    Role,
    Shape,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.openai import foreign, loose
from agent_marketplace.wires.openai.vocabulary import VOCABULARY
from agent_marketplace.wires.shared import allowed, caching, citing, fields, freeform, pictures, plain
from agent_marketplace.wires.shared.freeform import Written
from agent_marketplace.wires.shared.plain import Plain, Turn


class _Function(msgspec.Struct):
    name: str
    arguments: str = "{}"


class _Custom(msgspec.Struct):
    name: str
    input: str = ""


class _ToolCall(msgspec.Struct):
    function: _Function | None = None
    custom: _Custom | None = None
    id: str = ""
    extra_content: dict[str, Any] | None = None

    @property
    def signature(self) -> str:
        """Gemini's thought signature, where Google's own OpenAI layer keeps it."""
        google = (self.extra_content or {}).get("google")
        found = google.get("thought_signature") if isinstance(google, dict) else None
        return found if isinstance(found, str) else ""


class _Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | None = None
    function_call: _Function | None = None


class _ToolFunction(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _JsonSchema(msgspec.Struct):
    name: str = "response"
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class _ResponseFormat(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: _ResponseFormat | None = None
    reasoning_effort: str | None = None
    reasoning: _Reasoning | None = None
    user: str | None = None


_request = msgspec.json.Decoder(_Request)
KNOWN = frozenset(_Request.__struct_fields__)


def parse_request(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    """The canonical call. Raises BadRequest with words that name the field."""
    fields.check_names(body)
    try:
        return _parsed(body, model=model, stream=stream)
    except BadRequest:
        if (meant := fields.guarded(loose.own, body)) is body:
            raise
    return msgspec.structs.replace(_parsed(meant, model=model, stream=stream), respelled=True, plain=False)


def _parsed(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    simple = fields.guarded(plain.read, body)
    if simple is not None and all(turn.role in _ROLES for turn in simple.messages):
        return _of_plain(simple, model=model, stream=stream)
    return _read(fields.guarded(foreign.own, body), model=model, stream=stream)


def _read(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    raw = fields.raw_fields(body)
    r = fields.guarded(_request.decode, body)
    routing, extra = fields.split_fields(raw, KNOWN)
    name = model or r.model or _first_model(routing)
    if not name:
        raise BadRequest("model: is missing")
    if not r.messages:
        raise BadRequest("messages: must not be empty")
    _check(r)
    effort = r.reasoning_effort or (r.reasoning.effort if r.reasoning else None)
    if effort is None and r.reasoning and r.reasoning.enabled is not None:
        effort = "medium" if r.reasoning.enabled else "none"
    budget = r.reasoning.max_tokens if r.reasoning else None
    if effort is None and budget is None:
        effort, budget = _claudes(extra.get("thinking"))
    form = r.response_format
    schema = form.json_schema if form else None
    if form and form.type == "json_schema" and (schema is None or schema.schema is None):
        raise BadRequest("response_format.json_schema.schema: is missing")
    among = allowed.of_choice(r.tool_choice)
    choice = among[0] if among is not None else _choice(r.tool_choice, extra)
    tools = tuple(_tool(t, f"tools[{i}]") for i, t in enumerate(r.tools or ()))
    unread, strange = VOCABULARY.found(body)
    return Call(
        model=name,
        messages=tuple(_message(m, f"messages[{i}]") for i, m in enumerate(r.messages)),
        wire="openai",
        stream=bool(r.stream) if stream is None else stream,
        include_usage=_usage_wish(r, routing),
        max_tokens=r.max_completion_tokens if r.max_completion_tokens is not None else r.max_tokens,
        temperature=r.temperature,
        top_p=r.top_p,
        top_k=r.top_k,
        stop=(r.stop,) if isinstance(r.stop, str) else tuple(r.stop or ()),
        seed=r.seed,
        frequency_penalty=r.frequency_penalty,
        presence_penalty=r.presence_penalty,
        n=r.n,
        tools=tools,
        tool_choice=choice,
        allowed_tools=allowed.checked(among[1], tools, "tool_choice.allowed_tools.tools") if among else (),
        parallel_tool_calls=r.parallel_tool_calls,
        response_format=form.type if form else None,
        response_schema=schema.schema if schema else None,
        response_schema_name=schema.name if schema else "response",
        response_strict=schema.strict if schema else None,
        cache=caching.taken(extra),
        reasoning_effort=effort,
        reasoning_max_tokens=budget,
        user=r.user,
        routing=routing,
        extra=extra,
        unread=unread,
        strange=strange,
    )


def _claudes(thinking: Any) -> tuple[str | None, int | None]:
    """(effort, budget) of Anthropic's `thinking`, as LiteLLM's and aider's users write it beside OpenAI's fields."""
    if not isinstance(thinking, dict):
        return None, None
    budget = thinking.get("budget_tokens")
    if thinking.get("type") == "enabled" and type(budget) is int and budget > 0:
        return None, budget
    return ("none" if thinking.get("type") == "disabled" else None), None


def _of_plain(r: Plain, *, model: str | None, stream: bool | None) -> Call:
    """As `parse_request`, of a body in which there is nothing that needs a second look."""
    name = model or r.model
    if not name:
        raise BadRequest("model: is missing")
    if not r.messages:
        raise BadRequest("messages: must not be empty")
    _check(r)
    return Call(
        model=name,
        messages=tuple([_said(turn) for turn in r.messages]),
        wire="openai",
        stream=bool(r.stream) if stream is None else stream,
        include_usage=r.stream_options.include_usage if r.stream_options else None,
        max_tokens=r.max_completion_tokens if r.max_completion_tokens is not None else r.max_tokens,
        temperature=r.temperature,
        top_p=r.top_p,
        top_k=r.top_k,
        stop=(r.stop,) if isinstance(r.stop, str) else tuple(r.stop or ()),
        seed=r.seed,
        frequency_penalty=r.frequency_penalty,
        presence_penalty=r.presence_penalty,
        n=r.n,
        reasoning_effort=r.reasoning_effort or None,
        user=r.user,
        plain=True,
    )


def _said(turn: Turn) -> Message:
    content = turn.content
    parts = (TextPart(content),) if isinstance(content, str) else tuple([TextPart(w.text) for w in content])
    return Message(_ROLES[turn.role], parts, turn.role == "developer")


def _usage_wish(r: _Request, routing: Mapping[str, Any]) -> bool | None:
    """OpenAI's `stream_options.include_usage` or OpenRouter's `usage.include`; None = nothing was said of it."""
    said = r.stream_options.include_usage if r.stream_options else None
    wish = routing.get("usage")
    return said if said is not None or not isinstance(wish, dict) else bool(wish.get("include"))


def _first_model(routing: Mapping[str, Any]) -> str | None:
    models = routing.get("models")
    return models[0] if isinstance(models, list) and models and isinstance(models[0], str) else None


def _check(r: _Request | Plain) -> None:
    for name, limit in (
        ("max_tokens", r.max_tokens),
        ("max_completion_tokens", r.max_completion_tokens),
        ("n", r.n),
    ):
        if limit is not None and limit < 1:
            raise BadRequest(f"{name}: must be at least 1")
    if r.temperature is not None and not 0 <= r.temperature <= 2:
        raise BadRequest("temperature: must lie between 0 and 2")
    if r.top_p is not None and not 0 <= r.top_p <= 1:
        raise BadRequest("top_p: must lie between 0 and 1")


def _choice(choice: str | dict[str, Any] | None, extra: dict[str, Any]) -> str | None:
    if choice is None or isinstance(choice, str):
        return choice
    function = choice.get("function")
    if function is None:
        function = choice.get("custom")
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return str(function["name"])
    extra["tool_choice"] = choice
    return None


_OF_TOOL = frozenset({"type", "function", "cache_control"})
_OF_FUNCTION = frozenset({"name", "description", "parameters", "strict", "cache_control"})


def _tool(tool: dict[str, Any], where: str) -> Tool:
    custom = tool.get("custom")
    if tool.get("type") == "custom" and isinstance(custom, dict) and isinstance(custom.get("name"), str):
        return freeform.freeform(custom["name"], str(custom.get("description") or ""), custom)
    if tool.get("type", "function") != "function":
        return Tool(name=str(tool.get("name") or tool.get("type")), native=tool)
    try:
        f = msgspec.convert(tool.get("function"), _ToolFunction)
    except msgspec.ValidationError as e:
        raise BadRequest(f"{where}.function: {e}") from None
    if not f.name:
        raise BadRequest(f"{where}.function.name: must not be empty")
    cache = caching.read(tool) or caching.read(tool["function"])
    inner = {k: v for k, v in tool["function"].items() if k not in _OF_FUNCTION}
    extra = {k: v for k, v in tool.items() if k not in _OF_TOOL} | ({"function": inner} if inner else {})
    return Tool(f.name, f.description or "", f.parameters or {}, f.strict, cache=cache, extra=extra)


_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def _message(m: _Message, where: str) -> Message:
    if m.role in ("tool", "function"):
        call_id = m.tool_call_id or (m.name if m.role == "function" else None)
        if call_id is None and not m.name:
            raise BadRequest(f"{where}.tool_call_id: is missing")
        inner = _parts(m.content, where)
        text = "".join(p.text for p in inner if isinstance(p, TextPart))
        mark = next((p.cache for p in inner if isinstance(p, TextPart) and p.cache), "")
        result = ToolResultPart(call_id or "", text, m.name or "", cache=mark)
        return Message("tool", (result, *(p for p in inner if not isinstance(p, TextPart))))
    parts: list[Part] = [p for d in m.reasoning_details or () if (p := _reasoning_detail(d)) is not None]
    if not parts and (thinking := m.reasoning_content or m.reasoning):
        parts.append(ReasoningPart(thinking))
    parts += _parts(m.content, where)
    if m.refusal:
        parts.append(TextPart(m.refusal))
    if m.function_call is not None:  # the older form, whose answer (role function) names the function only
        called = m.function_call
        parts.append(ToolCallPart(called.name, called.name, called.arguments))
    for call in m.tool_calls or ():
        if (custom := call.custom) is not None:
            parts.append(ToolCallPart(call.id, custom.name, freeform.wrapped(custom.input), custom=True))
            continue
        if call.function is None:
            raise BadRequest(f"{where}.tool_calls: only calls of functions and custom tools are understood")
        parts.append(ToolCallPart(call.id, call.function.name, call.function.arguments, call.signature))
    return Message(_ROLES[m.role], tuple(parts), developer=m.role == "developer")


def _reasoning_detail(detail: dict[str, Any]) -> ReasoningPart | None:
    """One block of thinking that a reply gave out (OpenRouter's `reasoning_details`), with its minter's signature."""
    text, signature, data = (
        found if isinstance(found := detail.get(n), str) else "" for n in ("text", "signature", "data")
    )
    if detail.get("type") == "reasoning.encrypted":
        return ReasoningPart("", data, redacted=True) if data else None
    return ReasoningPart(text, signature) if text or signature else None


def _parts(content: str | list[dict[str, Any]] | None, where: str) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content)]
    return [_part(p, f"{where}.content[{i}]") for i, p in enumerate(content)]


def _part(p: dict[str, Any], where: str) -> Part:
    kind = p.get("type")
    if kind in ("text", "refusal"):
        text = p.get(kind)
        if not isinstance(text, str):
            raise BadRequest(f"{where}.{kind}: expected str")
        return TextPart(text, cache=caching.read(p))
    if kind == "image_url":
        image = p.get("image_url")
        image = {"url": image} if isinstance(image, str) else image
        if not isinstance(image, dict) or not isinstance(image.get("url"), str):
            raise BadRequest(f"{where}.image_url.url: expected str")
        detail = image.get("detail")
        made = image_of(image["url"], detail if isinstance(detail, str) else "", f"{where}.image_url.url")
        return msgspec.structs.replace(made, cache=caching.read(p))
    if not isinstance(kind, str):
        raise BadRequest(f"{where}.type: expected str")
    return OpaquePart(kind, p)


def image_of(url: str, detail: str, where: str) -> ImagePart:
    """An image from a `data:` URL with base64, or from an http(s) URL. Raises BadRequest."""
    if url.startswith("data:"):
        head, comma, data = url[5:].partition(",")
        media_type, _, encoding = head.partition(";")
        if not comma or not encoding.endswith("base64") or not media_type.startswith("image/") or not data:
            raise BadRequest(f"{where}: a data URL must read data:image/<type>;base64,<data>")
        return ImagePart(media_type=media_type, data=data, detail=detail)
    if url.startswith(("http://", "https://")):
        return ImagePart(url=url, detail=detail)
    raise BadRequest(f"{where}: must be an http(s) or a data URL")


def usage_json(usage: Usage, extra: Mapping[str, Any]) -> dict[str, Any]:
    """`usage` as OpenAI's clients read it, with `cost` beside it (OpenRouter's usage accounting)."""
    body: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": usage.audio_input,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
        },
    }
    if "cost" in extra:
        body["cost"] = extra["cost"]
    return body


def detail_json(part: ReasoningPart, index: int) -> dict[str, Any]:
    """One block of thinking with its minter's signature, as OpenRouter's clients read and return it."""
    if part.redacted:
        return {"type": "reasoning.encrypted", "data": part.signature, "index": index}
    return {"type": "reasoning.text", "text": part.text, "signature": part.signature, "index": index}


def signed(signature: str) -> dict[str, Any]:
    """A call's thought signature, where Google's own OpenAI layer puts it."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


def _call_json(call: ToolCallPart, tools: Written) -> dict[str, Any]:
    if call.custom or tools.custom(call.name):
        custom = {"name": call.name, "input": freeform.unwrapped(call.arguments)}
        return {"id": call.id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def render_reply(reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
    """A `chat.completion`; `extra` except `cost` stands at the top level."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if thinking := "".join(p.text for p in reply.parts if isinstance(p, ReasoningPart)):
        message |= {"reasoning_content": thinking, "reasoning": thinking}
    if details := [
        detail_json(p, i) for i, p in enumerate(reply.parts) if isinstance(p, ReasoningPart) and p.signature
    ]:
        message["reasoning_details"] = details
    if images := [p for p in reply.parts if isinstance(p, ImagePart)]:
        message["images"] = [pictures.nested(p, i) for i, p in enumerate(images)]
    if reply.citations:
        message["annotations"] = citing.nested(reply.citations)
    calls = [p for p in reply.parts if isinstance(p, ToolCallPart)]
    if calls:
        tools = Written(shape.tools)
        message["tool_calls"] = [_call_json(c, tools) | signed(c.signature) for c in calls]
    elif message["content"] is None:
        message["content"] = ""
    body: dict[str, Any] = {
        "id": shape.id,
        "object": "chat.completion",
        "created": shape.created,
        "model": shape.model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish or Finish.ERROR}
        ],
    }
    if reply.usage is not None:
        body["usage"] = usage_json(reply.usage, extra)
    if shape.provider:
        body["provider"] = shape.provider
    return json.encode(body | {k: v for k, v in extra.items() if k != "cost"})


_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


def error_json(error: MarketplaceError, request_id: str) -> dict[str, Any]:
    """OpenAI's error object; machine-readable fields (`required`, `availability`, ...) in `metadata`."""
    kind = _TYPES.get(error.status) or ("invalid_request_error" if error.status < 500 else "server_error")
    return {
        "message": error.message,
        "type": kind,
        "code": error.code,
        "param": error.extra.get("param"),
        "metadata": {**error.extra, "error_type": error.code, "request_id": request_id},
    }


def render_error(error: MarketplaceError, request_id: str) -> bytes:
    """The body of a failed request."""
    return json.encode({"error": error_json(error, request_id)})

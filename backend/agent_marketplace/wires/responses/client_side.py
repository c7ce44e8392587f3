"""OpenAI Responses towards our clients: their request in, our answer out. The stream's writer is in `stream`."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest, MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import (
    AskedLeave,
    Call,
    Finish,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    RanTool,
    ReasoningPart,
    Reply,
    Role,
    Shape,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.openai import client_side as openai_in
from agent_marketplace.wires.responses import loose
from agent_marketplace.wires.responses.compacting import opened
from agent_marketplace.wires.responses.vocabulary import MORE_TOOLS, VOCABULARY
from agent_marketplace.wires.shared import allowed, citing, fields, freeform
from agent_marketplace.wires.shared.freeform import Written


class _Format(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = "response"
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class _Text(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None


class _Request(msgspec.Struct):
    input: str | list[dict[str, Any]]
    model: str | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    user: str | None = None
    store: bool | None = None
    include: list[str] | None = None
    previous_response_id: str | None = None
    background: bool | None = None
    conversation: Any = None


_request = msgspec.json.Decoder(_Request)
_KNOWN = frozenset(_Request.__struct_fields__)
APPROVAL = "mcpr_"
"""What ids of approval requests begin with; the rest is ours."""
_ENCRYPTED = "reasoning.encrypted_content"  # given to everybody, asked for or not
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def parse(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    """The canonical call. Raises BadRequest with words that name the field."""
    try:
        return _parsed(body, model=model, stream=stream)
    except BadRequest:
        if (meant := fields.guarded(loose.own, body)) is body:
            raise
    return _parsed(meant, model=model, stream=stream)


def _parsed(body: bytes, *, model: str | None, stream: bool | None) -> Call:
    r = fields.guarded(_request.decode, body)
    routing, extra = fields.split_fields(fields.raw_fields(body), _KNOWN)
    name = model or r.model
    if not name:
        raise BadRequest("model: is missing")
    for field in ("previous_response_id", "background", "conversation"):
        if getattr(r, field):
            raise BadRequest(f"{field}: answers are not stored here; send the whole conversation as input")
    if not r.input:
        raise BadRequest("input: must not be empty")
    if r.max_output_tokens is not None and r.max_output_tokens < 1:
        raise BadRequest("max_output_tokens: must be at least 1")
    messages = [Message("system", (TextPart(r.instructions),))] if r.instructions else []
    offered = [(given, f"tools[{i}]") for i, given in enumerate(r.tools or ())]
    if isinstance(r.input, str):
        messages.append(Message("user", (TextPart(r.input),)))
    else:
        said = [(item, f"input[{i}]") for i, item in enumerate(r.input) if item.get("type") != MORE_TOOLS]
        messages += _merged([_item(item, where) for item, where in said])
        offered += _offered_later(r.input)
    if r.text and r.text.verbosity:
        extra["verbosity"] = r.text.verbosity
    if others := [name for name in r.include or () if name != _ENCRYPTED]:
        extra["include"] = others
    form = r.text.format if r.text and r.text.format else _Format()
    unread, strange = VOCABULARY.found(body)
    among = allowed.of_choice(r.tool_choice)
    tools = _once(t for given, where in offered for t in _tools(given, where))
    return Call(
        model=name,
        messages=tuple(messages),
        wire="responses",
        stream=bool(r.stream) if stream is None else stream,
        include_usage=True,
        max_tokens=r.max_output_tokens,
        temperature=r.temperature,
        top_p=r.top_p,
        tools=tools,
        tool_choice=among[0] if among is not None else _choice(r.tool_choice, extra),
        allowed_tools=allowed.checked(among[1], tools, "tool_choice.tools") if among is not None else (),
        parallel_tool_calls=r.parallel_tool_calls,
        response_format=None if form.type == "text" else form.type,
        response_schema=form.schema,
        response_schema_name=form.name,
        response_strict=form.strict,
        reasoning_effort=r.reasoning.effort if r.reasoning else None,
        reasoning_summary=r.reasoning.summary if r.reasoning else None,
        user=r.user,
        routing=routing,
        extra=extra,
        echo=echo_of(msgspec.json.decode(body)),
        unread=unread,
        strange=strange,
    )


def _offered_later(items: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Tools that stand in the conversation (Codex's `additional_tools`), with their places: offered like the others."""
    out = []
    for i, item in enumerate(items):
        if item.get("type") != MORE_TOOLS:
            continue
        tools = item.get("tools")
        if not isinstance(tools, list) or not all(isinstance(t, dict) for t in tools):
            raise BadRequest(f"input[{i}].tools: expected array of objects")
        out += [(tool, f"input[{i}].tools[{n}]") for n, tool in enumerate(tools)]
    return out


def _once(tools: Iterable[Tool]) -> tuple[Tool, ...]:
    """One tool a name, the last definition in the place of the first; providers refuse two. Providers' own tools all stay."""
    found: dict[str | int, Tool] = {}
    for tool in tools:
        found[tool.name if tool.native is None else len(found)] = tool
    return tuple(found.values())


def _choice(choice: str | dict[str, Any] | None, extra: dict[str, Any]) -> str | None:
    if choice is None or isinstance(choice, str):
        return choice
    if choice.get("type") in ("function", "custom") and isinstance(choice.get("name"), str):
        return freeform.grouped(str(choice.get("namespace") or ""), choice["name"])
    extra["tool_choice"] = choice
    return None


def _tools(tool: dict[str, Any], where: str) -> list[Tool]:
    """A tool, or the tools of a namespace under names that begin with its own."""
    if tool.get("type") != "namespace":
        return [_tool(tool, where, "")]
    name, inner = _str(tool, "name", where), tool.get("tools")
    if not isinstance(inner, list) or not all(isinstance(t, dict) for t in inner):
        raise BadRequest(f"{where}.tools: expected array of objects")
    return [_tool(t, f"{where}.tools[{i}]", name) for i, t in enumerate(inner)]


def _tool(tool: dict[str, Any], where: str, namespace: str) -> Tool:
    kind = tool.get("type")
    if kind not in ("function", "custom"):
        return Tool(name=str(tool.get("name") or kind), native=tool)
    name, schema, strict = tool.get("name"), tool.get("parameters"), tool.get("strict")
    if not isinstance(name, str) or not name:
        raise BadRequest(f"{where}.name: is missing")
    description = str(tool.get("description") or "")
    if kind == "custom":
        return freeform.freeform(name, description, tool, namespace)
    if schema is not None and not isinstance(schema, dict):
        raise BadRequest(f"{where}.parameters: expected object")
    return Tool(
        freeform.grouped(namespace, name),
        description,
        schema or {},
        strict if isinstance(strict, bool) else None,
        namespace=namespace,
    )


def _str(item: dict[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{where}.{name}: expected str")
    return value


def _item(item: dict[str, Any], where: str) -> Message:
    kind = item.get("type", "message")
    if kind == "message":
        role = _ROLES.get(str(item.get("role")))
        if role is None:
            raise BadRequest(f"{where}.role: must be user, assistant, system or developer")
        parts = _content(item.get("content"), where)
        if role == "assistant" and isinstance(phase := item.get("phase"), str):
            parts = [TextPart(p.text, phase) if isinstance(p, TextPart) else p for p in parts]
        return Message(role, tuple(parts), item.get("role") == "developer")
    if kind in ("function_call", "custom_tool_call"):
        name = freeform.grouped(str(item.get("namespace") or ""), _str(item, "name", where))
        custom = kind == "custom_tool_call"
        given = _str(item, "input" if custom else "arguments", where)
        arguments = freeform.wrapped(given) if custom else given
        return Message(
            "assistant", (ToolCallPart(_str(item, "call_id", where), name, arguments, custom=custom),)
        )
    if kind in ("function_call_output", "custom_tool_call_output"):
        inner = _content(item.get("output"), where, "output")
        text = "".join(p.text for p in inner if isinstance(p, TextPart))
        result = ToolResultPart(_str(item, "call_id", where), text)
        return Message("tool", (result, *(p for p in inner if not isinstance(p, TextPart))))
    if kind == "reasoning":
        summary = item.get("summary")
        text = (
            "".join(str(s.get("text") or "") for s in summary if isinstance(s, dict))
            if isinstance(summary, list)
            else ""
        )
        return Message("assistant", (ReasoningPart(text, str(item.get("encrypted_content") or "")),))
    if (told := opened(item)) is not None:
        return told
    return Message("user", (OpaquePart(str(kind), item),))


def _content(content: Any, where: str, name: str = "content") -> list[Part]:
    if isinstance(content, str):
        return [TextPart(content)]
    if not isinstance(content, list):
        raise BadRequest(f"{where}.{name}: expected str or array")
    parts: list[Part] = []
    for i, part in enumerate(content):
        here = f"{where}.{name}[{i}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("input_text", "output_text", "text"):
            parts.append(TextPart(_str(part, "text", here)))
        elif kind == "refusal":
            parts.append(TextPart(_str(part, "refusal", here)))
        elif kind == "input_image" and isinstance(part.get("image_url"), str):
            detail = part.get("detail")
            parts.append(
                openai_in.image_of(
                    part["image_url"], detail if isinstance(detail, str) else "", f"{here}.image_url"
                )
            )
        elif isinstance(kind, str):
            parts.append(OpaquePart(kind, part))
        else:
            raise BadRequest(f"{here}.type: expected str")
    return parts


def _merged(messages: list[Message]) -> list[Message]:
    """Neighbouring items of the assistant are one turn: its thinking, its words and its calls."""
    out: list[Message] = []
    for message in messages:
        if out and message.role == out[-1].role == "assistant":
            out[-1] = Message("assistant", out[-1].parts + message.parts)
        else:
            out.append(message)
    return out


def usage_json(usage: Usage, extra: Mapping[str, Any]) -> dict[str, Any]:
    """`usage` as Responses' clients read it, with `cost` beside it."""
    body: dict[str, Any] = {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total_tokens,
    }
    return body | ({"cost": extra["cost"]} if "cost" in extra else {})


_DEFAULTS: dict[str, Any] = {
    "instructions": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto",
    "tools": [], "top_p": 1.0, "truncation": "disabled", "max_output_tokens": None, "max_tool_calls": None,
    "service_tier": "default", "safety_identifier": None, "prompt_cache_key": None, "top_logprobs": 0,
    "presence_penalty": 0.0, "frequency_penalty": 0.0, "user": None,
}  # fmt: skip
_NO_MORE = {"previous_response_id": None, "background": False, "store": False}
"""What this server does whatever is asked for: nothing is stored."""


def echo_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a response repeats of its request, with the defaults of what was not given (Open Responses, `ResponseResource`)."""
    given = {k: v for k in _DEFAULTS if (v := request.get(k)) is not None}
    text, reasoning = request.get("text") or {}, request.get("reasoning") or {}
    form = text.get("format") or {"type": "text"}
    if form.get("type") == "json_schema":
        form = {"description": None, "strict": False, **form}
    told = {
        "tools": [_told(t) for t in request.get("tools") or ()],
        "text": {**text, "format": form},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
    }
    return {**_DEFAULTS, **given, **told, **_NO_MORE}


def _told(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    blank = {"description": None, "parameters": None, "strict": None}
    return {**blank, **tool} if tool.get("type") == "function" else tool


_INCOMPLETE = {Finish.LENGTH: "max_output_tokens", Finish.CONTENT_FILTER: "content_filter"}


def response_json(
    shape: Shape,
    output: list[dict[str, Any]],
    finish: Finish | None,
    usage: Usage | None,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """A response object; finish None = in progress."""
    reason = _INCOMPLETE.get(finish) if finish is not None else None
    status = (
        "in_progress"
        if finish is None
        else "incomplete"
        if reason
        else "failed"
        if finish is Finish.ERROR
        else "completed"
    )
    return {
        "id": shape.id,
        "object": "response",
        "created_at": shape.created,
        "completed_at": max(shape.created, int(time.time())) if status == "completed" else None,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": shape.model,
        "output": output,
        **(shape.echo or echo_of({})),
        "usage": usage_json(usage, extra) if usage is not None else None,
        **{k: v for k, v in extra.items() if k != "cost"},
    }


def message_item(
    item_id: str,
    text: str,
    status: str = "completed",
    phase: str = "",
    annotations: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """An output message of one text."""
    content = (
        [{"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}]
        if status == "completed"
        else []
    )
    item = {"type": "message", "id": item_id, "role": "assistant", "status": status, "content": content}
    return item | ({"phase": phase} if phase else {})


def reasoning_item(item_id: str, text: str, signature: str = "") -> dict[str, Any]:
    """An output item of thinking."""
    item = {
        "type": "reasoning",
        "id": item_id,
        "summary": [{"type": "summary_text", "text": text}] if text else [],
    }
    return item | ({"encrypted_content": signature} if signature else {})


def call_item(
    number: int | str, call: ToolCallPart, tools: Written, status: str = "completed"
) -> dict[str, Any]:
    """An output item of a call: of a function, or of a freeform tool with its text."""
    space, name = tools.names(call.name)
    item: dict[str, Any] = {"call_id": call.id, "name": name} | ({"namespace": space} if space else {})
    if call.custom or tools.custom(call.name):
        text = freeform.unwrapped(call.arguments) if call.arguments else ""
        return {"type": "custom_tool_call", "id": f"ctc_{number}", **item, "input": text, "status": status}
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        **item,
        "arguments": call.arguments,
        "status": status,
    }


def picture_item(item_id: str, image: ImagePart) -> dict[str, Any]:
    """An output item of a picture, as OpenAI's own tool gives it."""
    told = {"result": image.data} if image.data else {"result": None, "url": image.url}
    return {"type": "image_generation_call", "id": item_id, "status": "completed", **told}


def ran_item(ran: RanTool) -> dict[str, Any]:
    """A tool that ran on our side, as OpenAI's clients know calls of MCP servers."""
    return {
        "type": "mcp_call", "id": f"mcp_{ran.id}", "server_label": ran.server, "name": ran.name, "arguments": ran.arguments,
        "output": None if ran.is_error else ran.output, "error": ran.output if ran.is_error else None,
        "approval_request_id": None, "status": "failed" if ran.is_error else "completed",
    }  # fmt: skip


def asked_item(asked: AskedLeave) -> dict[str, Any]:
    """A call that waits for leave: answered by an `mcp_approval_response` that names it."""
    return {
        "type": "mcp_approval_request", "id": f"{APPROVAL}{asked.id}", "server_label": asked.server, "name": asked.name,
        "arguments": asked.arguments,
    }  # fmt: skip


def render_reply(reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes:
    """A whole response."""
    output: list[dict[str, Any]] = []
    tools, said = Written(shape.tools), 0
    for i, part in enumerate(reply.parts):
        if isinstance(part, ReasoningPart):
            output.append(reasoning_item(f"rs_{i}_{shape.id}", part.text, part.signature))
        elif isinstance(part, TextPart):
            cited = citing.within(reply.citations, said, said + len(part.text))
            said += len(part.text)
            output.append(message_item(f"msg_{i}_{shape.id}", part.text, phase=part.phase, annotations=cited))
        elif isinstance(part, ToolCallPart):
            output.append(call_item(f"{i}_{shape.id}", part, tools))
        elif isinstance(part, ImagePart):
            output.append(picture_item(f"ig_{i}_{shape.id}", part))
        elif isinstance(part, RanTool):
            output.append(ran_item(part))
        elif isinstance(part, AskedLeave):
            output.append(asked_item(part))
    return json.encode(response_json(shape, output, reply.finish or Finish.ERROR, reply.usage, extra))


def error_json(error: MarketplaceError, request_id: str) -> dict[str, Any]:
    """OpenAI's error object; the stable type also at the top level (OpenRouter's Responses API does the same)."""
    return openai_in.error_json(error, request_id) | {"error_type": error.code}

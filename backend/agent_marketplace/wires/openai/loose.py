"""Chat completions in nearly this wire's words, as clients and frameworks send them: numbers in quotes, arguments as objects, tools
in the shape of Responses. Looked at only where a body was refused. Pure: bytes in, bytes out."""

import math
from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.shared.media import kind_of, type_of
from agent_marketplace.wires.shared.rewriting import rewritten

_WHOLE = ("max_tokens", "max_completion_tokens", "n", "seed", "top_k", "top_logprobs")
_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_MOST, _EXACT = 2**63 - 1, 2**53
"""The largest whole number that every provider reads; that up to which a fraction is exact."""
_FLAGS = ("stream", "parallel_tool_calls", "logprobs")
_ROLES = {"model": "assistant", "human": "user", "ai": "assistant"}


def own(body: bytes) -> bytes:
    """The body in this wire's words as far as it is clear what it means; itself where nothing changes or it is no object."""
    return rewritten(body, _meant)


def _meant(given: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: _field(name, value) for name, value in given.items()}
    for name in ("max_tokens", "max_completion_tokens"):
        if made.get(name) == -1:  # LM Studio's and llama.cpp's word for no limit
            del made[name]
    return made


def _field(name: str, value: Any) -> Any:
    if name in _WHOLE or name in _NUMBERS:
        return _number(value, whole=name in _WHOLE)
    if name in _FLAGS and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if name == "user" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name == "reasoning" and isinstance(value, str | bool):
        return {"effort": value} if isinstance(value, str) else {"enabled": value}
    if name == "stop" and isinstance(value, list):
        return [s for s in value if s is not None]
    if name == "messages" and isinstance(value, list):
        return [_message(m) if isinstance(m, dict) else m for m in value]
    if name == "tools" and isinstance(value, list):
        return [_tool(t) for t in value]
    return value


def _number(value: Any, *, whole: bool) -> Any:
    """The number in a text, or a whole one that was written as a fraction; the value itself where it is none that can be meant."""
    try:
        number = _read(value, whole=whole) if isinstance(value, str) and len(value) <= 20 else value
    except ValueError:
        return value
    if not isinstance(number, float):
        return number if isinstance(number, int) and abs(number) <= _MOST else value
    if not math.isfinite(number) or not whole:
        return number if math.isfinite(number) else value
    return int(number) if number.is_integer() and abs(number) <= _EXACT else value


def _read(text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return float(text)


def _message(message: dict[str, Any]) -> dict[str, Any]:
    out = dict(message)
    if isinstance(role := message.get("role"), str):
        out["role"] = _ROLES.get(role, role)
    content = message.get("content")
    if isinstance(content, dict):
        typed = isinstance(content.get("type"), str)
        out["content"] = [_part(content)] if typed else json.encode(content).decode()
    elif isinstance(content, list):
        out["content"] = [_part(part) for part in content]
    if isinstance(calls := message.get("tool_calls"), list):
        out["tool_calls"] = [_call(call) for call in calls if call is not None]
    return out


def _part(part: Any) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        return part
    if part.get("type") in (None, "text") and "text" in part:
        return {**part, "type": "text", "text": part["text"] or ""}
    image = part.get("image_url")
    if part.get("type") == "image_url" and isinstance(image, dict) and isinstance(image.get("url"), str):
        return {**part, "image_url": {**image, "url": _url(image["url"])}}
    return part


def _url(url: str) -> str:
    """A picture's URL: its scheme in small letters, its type by its bytes where another was said; bare base64 too."""
    scheme, mark, rest = url.partition(":")
    if not mark:
        kind = kind_of(url)
        return f"data:{kind};base64,{url}" if kind else url
    if scheme.lower() != "data":
        return f"{scheme.lower()}:{rest}"
    head, comma, data = rest.partition(",")
    said = type_of(head.partition(";")[0], data)
    return f"data:{said};base64,{data}" if comma and head.endswith("base64") else url


def _call(call: Any) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.encode(arguments or {}).decode()
    return {**call, "id": call.get("id") or "", "function": {**function, "arguments": text}}


def _tool(tool: Any) -> Any:
    """A function in the shape of Responses."""
    if (
        not isinstance(tool, dict)
        or tool.get("type") != "function"
        or "function" in tool
        or "name" not in tool
    ):
        return tool
    inner = {k: tool[k] for k in ("name", "description", "parameters", "strict") if tool.get(k) is not None}
    return {"type": "function", "function": inner}

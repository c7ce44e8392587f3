"""Chat completions whose tools and history are written in Anthropic's shapes, or parts in those of Responses: editors send them
for Claude models to any base URL (BerriAI/litellm#25669). Rewritten in this wire's own, so that every provider takes them. Pure:
bytes in, bytes out."""

from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.shared.rewriting import rewritten

MARKS = (
    b'"tool_use"',
    b'"tool_result"',
    b'"input_schema"',
    b'"input_text"',
    b'"output_text"',
    b'"input_image"',
)
"""One of these stands in such a body; in a text their quotes would be escaped."""
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def own(body: bytes) -> bytes:
    """The body in this wire's shapes; itself where nothing in it is foreign or where it is no object."""
    return rewritten(body, _meant) if any(mark in body for mark in MARKS) else body


def _meant(given: Mapping[str, Any]) -> dict[str, Any]:
    turns, tools = given.get("messages"), given.get("tools")
    made = dict(given)
    if isinstance(turns, list):
        made["messages"] = [m for turn in turns for m in _turns(turn)]
    if isinstance(tools, list):
        made["tools"] = [_tool(tool) for tool in tools]
        choice = given.get("tool_choice")
        if isinstance(choice, dict) and choice.get("type") == "tool" and made["tools"] != tools:
            made["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
        elif isinstance(choice, dict) and choice.get("type") in _CHOICES:
            made["tool_choice"] = _CHOICES[choice["type"]]
    return made


def _turns(turn: Any) -> list[Any]:
    """A message, and before it the tools' messages for the results that stand in it."""
    parts = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(parts, list) and any(_kind(p) in _OF_RESPONSES for p in parts):
        parts = [_of_responses(part) for part in parts]
        turn = {**turn, "content": parts}
    if not isinstance(parts, list) or not any(_kind(p) in ("tool_use", "tool_result") for p in parts):
        return [turn]
    results = [
        {"role": "tool", "tool_call_id": p.get("tool_use_id"), "content": _said(p.get("content"))}
        for p in parts
        if _kind(p) == "tool_result"
    ]
    calls = [_call(p) for p in parts if _kind(p) == "tool_use"]
    rest = [_part(p) for p in parts if _kind(p) not in ("tool_use", "tool_result")]
    out = {**turn, "content": rest or None}
    if calls:
        out["tool_calls"] = [*(turn.get("tool_calls") or ()), *calls]
    return [*results, out] if rest or calls else results


_OF_RESPONSES = ("input_text", "output_text", "input_image")


def _of_responses(part: Any) -> Any:
    """A part in the words of the Responses wire, which some clients send on this one too."""
    if _kind(part) in ("input_text", "output_text"):
        return {"type": "text", "text": part.get("text")}
    if _kind(part) != "input_image" or "image_url" not in part:
        return part
    url, detail = part["image_url"], part.get("detail")
    image = url if isinstance(url, dict) else {"url": url, **({"detail": detail} if detail else {})}
    return {"type": "image_url", "image_url": image}


def _kind(part: Any) -> Any:
    return part.get("type") if isinstance(part, dict) else None


def _call(part: dict[str, Any]) -> dict[str, Any]:
    arguments = json.encode(part.get("input") or {}).decode()
    return {
        "id": part.get("id") or "",
        "type": "function",
        "function": {"name": part.get("name"), "arguments": arguments},
    }


def _said(content: Any) -> Any:
    return [_part(p) for p in content] if isinstance(content, list) else content or ""


def _part(part: Any) -> Any:
    """A part of a content; a picture in this wire's shape."""
    source = part.get("source") if _kind(part) == "image" else None
    if not isinstance(source, dict):
        return part
    url = source.get("url") or f"data:{source.get('media_type')};base64,{source.get('data')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _tool(tool: Any) -> Any:
    if (
        not isinstance(tool, dict)
        or "input_schema" not in tool
        or "function" in tool
        or tool.get("type") not in (None, "custom")
    ):
        return tool
    function = {
        "name": tool.get("name"),
        "description": tool.get("description"),
        "parameters": tool["input_schema"],
    }
    marked = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
    return {"type": "function", "function": function} | marked

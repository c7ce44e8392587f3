"""Responses in nearly this wire's words: items of bare text, arguments and outputs as objects, tools in the shape of chat
completions. Looked at only where a body was refused. Pure: bytes in, bytes out."""

from collections.abc import Mapping
from typing import Any

from agent_marketplace import json
from agent_marketplace.wires.shared.rewriting import rewritten


def own(body: bytes) -> bytes:
    """The body in this wire's words as far as it is clear what it means; itself where nothing changes or it is no object."""
    return rewritten(body, _meant)


def _meant(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    if isinstance(items := given.get("input"), list):
        made["input"] = [_item(item) for item in items]
    if isinstance(tools := given.get("tools"), list):
        made["tools"] = [_tool(tool) for tool in tools]
    return made


def _item(item: Any) -> Any:
    if isinstance(item, str):
        return {"role": "user", "content": item}
    if not isinstance(item, dict):
        return item
    out = dict(item)
    kind = item.get("type", "message")
    if kind == "message" and item.get("content") is None:
        out["content"] = []
    if kind == "function_call" and not isinstance(item.get("arguments"), str):
        out["arguments"] = json.encode(item.get("arguments") or {}).decode()
    if kind == "function_call_output" and not isinstance(item.get("output"), str | list):
        out["output"] = "" if item.get("output") is None else json.encode(item["output"]).decode()
    return out


def _tool(tool: Any) -> Any:
    """A function in the shape of chat completions."""
    inner = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    return {"type": "function", **inner} if isinstance(inner, dict) and "name" not in tool else tool

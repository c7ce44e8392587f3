"""What a provider is asked, read from five wires into one form, and what is wrong with it as that wire's provider would say."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Wire = Literal["chat", "responses", "anthropic", "gemini", "ollama"]


@dataclass(frozen=True)
class Tool:
    """A tool on offer. freeform: its input is text and not an object; namespace: the group it stands in, at Responses."""

    name: str
    schema: Mapping[str, Any]
    freeform: bool = False
    namespace: str = ""


@dataclass
class Turn:
    """role: user, assistant or tool. call: the name of a tool called; a turn of one role may be several of these."""

    role: str
    text: str = ""
    call: str = ""


@dataclass
class Asked:
    """One request. instructions: the system's words; thinks: thinking is asked for; schema: of the JSON that is asked for; forced: the tool that has to be called, `*` = any; wrong: why it would be a 400."""

    wire: Wire
    model: str
    stream: bool
    tools: list[Tool] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    instructions: str = ""
    thinks: bool = False
    schema: Mapping[str, Any] | None = None
    forced: str = ""
    wrong: list[str] = field(default_factory=list)


def wire_of(path: str) -> Wire | None:
    """Which wire a path belongs to; None: no completion is asked for."""
    for end, wire in (
        ("/chat/completions", "chat"),
        ("/responses", "responses"),
        ("/messages", "anthropic"),
        ("/api/chat", "ollama"),
    ):
        if path.endswith(end):
            return wire  # type: ignore[return-value]
    return "gemini" if "enerateContent" in path else None


def read(wire: Wire, path: str, body: Mapping[str, Any]) -> Asked:
    """The request in one form."""
    named = re.search(r"/models/([^:]+):", path)
    asked = Asked(
        wire=wire,
        model=named[1] if named else str(body.get("model")),
        stream="streamGenerate" in path if wire == "gemini" else bool(body.get("stream", wire == "ollama")),
    )
    {
        "chat": _chat,
        "responses": _responses,
        "anthropic": _anthropic,
        "gemini": _gemini,
        "ollama": _chat,
    }[wire](asked, body)
    asked.forced = _forced(body)
    return asked


def _forced(body: Mapping[str, Any]) -> str:
    """The tool that has to be called; `*` = any of them."""
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping):
        if choice.get("type") == "allowed_tools" or choice.get("type") in ("auto", "none"):
            return ""
        return str((choice.get("function") or choice).get("name") or "*")
    calling = ((body.get("toolConfig") or {}).get("functionCallingConfig")) or {}
    if calling.get("mode") == "ANY":
        return next(iter(calling.get("allowedFunctionNames") or ()), "*")
    return "*" if choice in ("required", "any") else ""


def words(content: Any) -> str:
    """The text in a content of any wire."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(words(part) for part in content)
    if isinstance(content, Mapping):
        return words(content.get("text") or content.get("content") or content.get("output") or "")
    return ""


def _paired(asked: Asked, open_calls: list[str], answered: str) -> None:
    if answered in open_calls:
        open_calls.remove(answered)
    else:
        asked.wrong.append(f"the result of {answered!r} answers no open call")


def _chat(asked: Asked, body: Mapping[str, Any]) -> None:
    named = asked.wire == "chat"  # Ollama pairs by order
    for tool in body.get("tools") or ():
        inner = tool.get("function") or tool.get("custom") or {}
        asked.tools.append(Tool(inner.get("name", ""), inner.get("parameters") or {}, tool["type"] == "custom"))
    asked.thinks = body.get("reasoning_effort") not in (None, "none") or bool(body.get("think"))
    formed = body.get("response_format") or {}
    if isinstance(body.get("format"), Mapping):  # Ollama's
        formed = {"json_schema": {"schema": body["format"]}}
    asked.schema = (formed.get("json_schema") or {}).get("schema", {} if formed.get("type") == "json_object" else None)
    open_calls: list[str] = []
    for message in body.get("messages", ()):
        role = message["role"]
        if role == "tool":
            if named:
                _paired(asked, open_calls, message.get("tool_call_id", ""))
            asked.turns.append(Turn("tool", words(message.get("content"))))
            continue
        if open_calls:
            asked.wrong.append(f"calls without a tool message: {open_calls}")
            open_calls = []
        if role in ("system", "developer"):
            asked.instructions += words(message.get("content"))
        elif message.get("content"):
            asked.turns.append(Turn(role, words(message["content"])))
        for call in message.get("tool_calls") or ():
            inner = call.get("function") or call.get("custom") or {}
            asked.turns.append(Turn("assistant", call=inner.get("name", "")))
            open_calls += [call["id"]] if named else []
            if named and call.get("type") == "function":
                _object(asked, inner.get("arguments"))
    if open_calls:
        asked.wrong.append(f"calls without a tool message: {open_calls}")


def _object(asked: Asked, arguments: Any) -> None:
    try:
        if not isinstance(json.loads(arguments), dict):
            raise ValueError
    except (TypeError, ValueError):
        asked.wrong.append(f"arguments are no JSON object: {arguments!r}")


def _responses_tools(tools: Any, namespace: str = "") -> Iterator[Tool]:
    for tool in tools or ():
        if tool.get("type") == "namespace":
            yield from _responses_tools(tool.get("tools"), tool["name"])
        elif tool.get("type") in ("function", "custom"):
            yield Tool(tool["name"], tool.get("parameters") or {}, tool["type"] == "custom", namespace)


def _responses(asked: Asked, body: Mapping[str, Any]) -> None:
    asked.tools = list(_responses_tools(body.get("tools")))
    asked.thinks = (body.get("reasoning") or {}).get("effort") not in (None, "none")
    asked.schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    asked.instructions = words(body.get("instructions"))
    calls: list[str] = []
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given or ()
    for item in items:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] in ("system", "developer"):
            asked.instructions += words(item.get("content"))
        elif kind == "message":
            asked.turns.append(Turn(item["role"], words(item.get("content"))))
        elif kind in ("function_call", "custom_tool_call"):
            asked.turns.append(Turn("assistant", call=item["name"]))
            calls.append(item["call_id"])
            if kind == "function_call":
                _object(asked, item.get("arguments"))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            _paired(asked, calls, item["call_id"])
            asked.turns.append(Turn("tool", words(item.get("output"))))
    if calls:
        asked.wrong.append(f"No tool output found for function call {calls[0]}")


def _anthropic(asked: Asked, body: Mapping[str, Any]) -> None:
    asked.tools = [Tool(tool["name"], tool.get("input_schema") or {}) for tool in body.get("tools") or ()]
    asked.thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    asked.schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    asked.instructions = words(body.get("system"))
    open_calls: list[str] = []
    for message in body.get("messages", ()):
        role, content = message["role"], message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if role == "user":
            if missing := [call for call in open_calls if call not in results]:
                asked.wrong.append(f"tool_use ids were found without tool_result blocks: {missing}")
            for answered in results:
                _paired(asked, open_calls, answered)
            open_calls = []
        for block in blocks:
            if block["type"] == "tool_use":
                asked.turns.append(Turn(role, call=block["name"]))
                open_calls.append(block["id"])
            elif block["type"] == "tool_result":
                asked.turns.append(Turn("tool", words(block.get("content"))))
            elif block["type"] == "text":
                asked.turns.append(Turn(role, block["text"]))
            elif block["type"] == "thinking" and not block.get("signature"):
                asked.wrong.append("thinking without its signature")


def _gemini(asked: Asked, body: Mapping[str, Any]) -> None:
    for group in body.get("tools") or ():
        for tool in group.get("functionDeclarations") or ():
            asked.tools.append(Tool(tool["name"], tool.get("parametersJsonSchema") or tool.get("parameters") or {}))
    settings = body.get("generationConfig") or {}
    asked.thinks = bool((settings.get("thinkingConfig") or {}).get("includeThoughts"))
    asked.schema = settings.get("responseJsonSchema") or settings.get("responseSchema")
    asked.instructions = words((body.get("systemInstruction") or {}).get("parts"))
    called = answered = 0
    for content in body.get("contents", ()):
        role = "assistant" if content.get("role") == "model" else "user"
        calls = [p for p in content.get("parts", ()) if "functionCall" in p]
        if role == "assistant":
            if called != answered:
                asked.wrong.append(f"{called} function calls have {answered} responses")
            called, answered = len(calls), 0
            if calls and asked.model.startswith("gemini-3") and not calls[0].get("thoughtSignature"):
                asked.wrong.append("Function call is missing a thought_signature in functionCall parts")
        for part in content.get("parts", ()):
            if "functionCall" in part:
                asked.turns.append(Turn(role, call=part["functionCall"]["name"]))
            elif "functionResponse" in part:
                answered += 1
                asked.turns.append(Turn("tool", json.dumps(part["functionResponse"].get("response"))))
            elif part.get("text") and not part.get("thought"):
                asked.turns.append(Turn(role, part["text"]))

"""What real providers refuse, as their users' reports quote it: a scripted provider that takes everything proves nothing.

Written from the reports and not from the rulebook, so that the one checks the other. Words are the providers' in short.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]
_CLAUDE_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def refused(path: str, body: bytes) -> str | None:
    """Why the provider of a request would answer 400; None where it takes it."""
    try:
        asked = json.loads(body or b"null")
    except ValueError:
        return "not JSON"
    if not isinstance(asked, dict):
        return None
    if path.endswith("/messages"):
        return next(_claude(asked), None)
    if path.endswith("/chat/completions"):
        rules = (
            _openai,
            *(rule for pattern, rule in _BY_MODEL if re.search(pattern, str(asked.get("model")))),
        )
        return next((words for rule in rules for words in rule(asked)), None)
    if "enerateContent" in path:
        return next(_gemini(asked), None)
    return None


def _version(asked: Body) -> tuple[int, int]:
    found = re.search(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?:-|$)", str(asked.get("model")))
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _claude(asked: Body) -> Iterator[str]:
    yield from _claude_turns(asked)
    yield from _claude_thinking(asked)
    yield from _claude_sampling(asked)
    yield from _claude_schemas(asked)


_COMPOSED = ("oneOf", "anyOf", "allOf")
_BOUNDS = re.compile(r'"(minimum|maximum|minLength|maxLength|maxItems|multipleOf)":')


def _claude_schemas(asked: Body) -> Iterator[str]:
    for tool in asked.get("tools") or ():
        if any(word in (tool.get("input_schema") or {}) for word in _COMPOSED):
            yield "input_schema does not support oneOf, allOf, or anyOf at the top level"
    form = (asked.get("output_config") or {}).get("format") or {}
    if _BOUNDS.search(json.dumps(form.get("schema")).replace('": ', '":')):
        yield "output_config.format.schema: properties are not supported"
    if "@" in str((asked.get("metadata") or {}).get("user_id")):
        yield "metadata.user_id appears to contain an email address"


def _listless(schema: Any) -> bool:
    """Whether a list in it does not say of what."""
    if isinstance(schema, list):
        return any(_listless(s) for s in schema)
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "array" and "items" not in schema:
        return True
    return any(_listless(inner) for inner in schema.values())


def _claude_turns(asked: Body) -> Iterator[str]:
    ids: set[str] = set()
    for message in asked.get("messages", ()):
        for block in message["content"] if isinstance(message["content"], list) else []:
            if block["type"] == "text" and not block["text"].strip():
                yield "text content blocks must contain non-whitespace text"
            if block["type"] == "tool_use":
                if not _CLAUDE_ID.fullmatch(block["id"]):
                    yield "tool_use.id: String should match pattern"
                if block["id"] in ids:
                    yield "tool_use ids must be unique"
                ids.add(block["id"])
            if block["type"] == "tool_result" and block["tool_use_id"] not in ids:
                yield "unexpected tool_use_id found in tool_result blocks"
    if _version(asked) >= (4, 6) and asked.get("messages") and asked["messages"][-1]["role"] == "assistant":
        yield "This model does not support assistant message prefill"


def _claude_sampling(asked: Body) -> Iterator[str]:
    version = _version(asked)
    for name in ("temperature", "top_p", "top_k"):
        if version >= (4, 7) and asked.get(name) is not None:
            yield f"{name} is deprecated for this model"
    if version >= (4, 1) and asked.get("temperature") is not None and asked.get("top_p") is not None:
        yield "temperature and top_p cannot both be specified for this model"
    if any(not s.strip() for s in asked.get("stop_sequences") or ()):
        yield "each stop sequence must contain non-whitespace"


def _claude_thinking(asked: Body) -> Iterator[str]:
    version, thinking = _version(asked), (asked.get("thinking") or {}).get("type")
    forced = (asked.get("tool_choice") or {}).get("type") in ("any", "tool")
    if version >= (4, 7) and thinking == "enabled":
        yield "thinking.type enabled is not supported for this model"
    if version < (4, 6) and thinking == "adaptive":
        yield "adaptive thinking is not supported on this model"
    if forced and thinking in ("enabled", "adaptive"):
        yield "Thinking may not be enabled when tool_choice forces tool use"
    if forced and re.search(r"(fable|mythos)-5-1", str(asked.get("model"))):
        yield "tool_choice: type tool and any are not supported for this model"


def _openai(asked: Body) -> Iterator[str]:
    for tool in asked.get("tools") or ():
        if tool.get("type") == "function" and not _NAME.fullmatch(tool["function"]["name"]):
            yield "tools.function.name: string too long or wrong"
        parameters = (tool.get("function") or {}).get("parameters") or {}
        if _listless(parameters):
            yield "array schema missing items"
        if any(word in parameters for word in _COMPOSED):
            yield "schema must not have oneOf, anyOf or allOf at the top level"
    if len(str(asked.get("user") or "")) > 64:
        yield "Invalid 'user': string too long"
    for message in asked.get("messages", ()):
        parts = message.get("content")
        if message["role"] == "tool" and isinstance(parts, list) and any(p["type"] != "text" for p in parts):
            yield "a tool message holds text"


def _gpt_5(asked: Body) -> Iterator[str]:
    quiet = asked.get("reasoning_effort") == "none"
    for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "stop"):
        if asked.get(name) is not None and not quiet:
            yield f"Unsupported parameter: {name} is not supported with this model"
    if "max_tokens" in asked:
        yield "max_tokens is not supported with this model: use max_completion_tokens"


def _mistral(asked: Body) -> Iterator[str]:
    before = ""
    for message in asked.get("messages", ()):
        if {"reasoning_content", "reasoning", "reasoning_details"} & message.keys():
            yield "Extra inputs are not permitted"
        ids = [c.get("id") for c in message.get("tool_calls") or ()]
        ids += [message.get("tool_call_id")] if message["role"] == "tool" else []
        if any(not _NINE.fullmatch(i or "") for i in ids):
            yield "Tool call id must be a-z, A-Z, 0-9, with a length of 9"
        if before == "tool" and message["role"] == "user":
            yield "Unexpected role 'user' after role 'tool'"
        before = message["role"]
    if before == "assistant" and not asked["messages"][-1].get("prefix"):
        yield "Expected last role User or Tool (or Assistant with prefix True)"


def _thinker(asked: Body) -> Iterator[str]:
    if (asked.get("thinking") or {}).get("type") == "disabled" or asked.get("reasoning_effort") == "none":
        return
    for message in asked.get("messages", ()):
        if (
            message["role"] == "assistant"
            and message.get("tool_calls")
            and not message.get("reasoning_content")
        ):
            yield "reasoning_content is missing in assistant tool call message"
    if asked.get("tool_choice") not in (None, "auto", "none"):
        yield "Thinking mode does not support this tool_choice"


def _deepseek(asked: Body) -> Iterator[str]:
    if any(m["role"] == "developer" for m in asked.get("messages", ())):
        yield "unknown variant developer"
    if (asked.get("response_format") or {}).get("type") == "json_schema":
        yield "This response_format type is unavailable now"
    yield from _thinker(asked)


def _template(asked: Body) -> Iterator[str]:
    if any(m["role"] in ("system", "developer") for m in asked.get("messages", ())[1:]):
        yield "System message must be at the beginning"


def _gemini(asked: Body) -> Iterator[str]:
    for content in asked.get("contents", ()):
        if not content.get("parts"):
            yield "contents.parts must not be empty"


_BY_MODEL: tuple[tuple[str, Callable[[Body], Iterator[str]]], ...] = (
    (r"^gpt-5(-mini)?$", _gpt_5),
    (r"mistral", _mistral),
    (r"^deepseek-v4", _deepseek),
    (r"^kimi-k2\.6", _thinker),
    (r"qwen", _template),
)

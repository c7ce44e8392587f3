"""What a Messages request may hold on the operator's key (Anthropic's API reference, "Create a Message"). The tools among it
are those that the caller runs; what Anthropic runs itself (search, fetch, code, an advisor) it also bills."""

from agent_marketplace.wires.shared.vocabulary import (
    FLAG,
    FREE,
    NUMBER,
    TEXT,
    WHOLE,
    Record,
    Vocabulary,
    either,
    many,
    matching,
    one_of,
    record,
)

CLIENT_TOOLS = (
    r"custom|(?:bash|text_editor|computer|memory|computer_toolset|browser_toolset)_\d{8}"
    r"|tool_search_tool_(?:regex|bm25)(?:_\d{8})?"
)
"""Types of tools that the caller runs, and the search among the call's own tools, which reads nothing else."""

_MARK = record(type=one_of("ephemeral"), ttl=one_of("5m", "1h"))
_CITATION = record(
    type=TEXT, cited_text=TEXT, document_index=WHOLE, document_title=TEXT, start_char_index=WHOLE,
    end_char_index=WHOLE, start_page_number=WHOLE, end_page_number=WHOLE, start_block_index=WHOLE,
    end_block_index=WHOLE, title=TEXT, url=TEXT, source=TEXT, search_result_index=WHOLE,
)  # fmt: skip
_CITED = record(enabled=FLAG)
_CALLER = record(type=TEXT, tool_id=TEXT)
_TEXT = record("text", text=TEXT, cache_control=_MARK, citations=many(_CITATION))
_IMAGE = record(
    "image",
    source=either(record("base64", media_type=TEXT, data=TEXT), record("url", url=TEXT)),
    cache_control=_MARK,
)
_DOCUMENT = record(
    "document",
    source=either(
        record("base64", media_type=TEXT, data=TEXT),
        record("text", media_type=TEXT, data=TEXT),
        record("url", url=TEXT),
        record("content", content=either(TEXT, many(either(_TEXT, _IMAGE)))),
    ),
    title=TEXT, context=TEXT, citations=_CITED, cache_control=_MARK,
)  # fmt: skip
_FOUND = record(
    "search_result", source=TEXT, title=TEXT, content=many(_TEXT), citations=_CITED, cache_control=_MARK
)
_REFERENCE = record("tool_reference", tool_name=TEXT, cache_control=_MARK)
_BLOCK = either(
    _TEXT,
    _IMAGE,
    _DOCUMENT,
    _FOUND,
    _REFERENCE,
    record("thinking", thinking=TEXT, signature=TEXT),
    record("redacted_thinking", data=TEXT),
    record("tool_use", id=TEXT, name=TEXT, input=FREE, cache_control=_MARK, caller=_CALLER, toolset_name=TEXT),
    record(
        "tool_result", tool_use_id=TEXT, is_error=FLAG, cache_control=_MARK, toolset_name=TEXT,
        content=either(TEXT, many(either(_TEXT, _IMAGE, _DOCUMENT, _FOUND, _REFERENCE))),
    ),
    record("server_tool_use", id=TEXT, name=matching("tool_search_tool_(?:regex|bm25)"), input=FREE, cache_control=_MARK),
    record(
        "tool_search_tool_result", tool_use_id=TEXT, cache_control=_MARK,
        content=record(type=TEXT, error_code=TEXT, tool_references=many(record(type=TEXT, tool_name=TEXT))),
    ),
)  # fmt: skip
_TOOL = record(
    type=matching(CLIENT_TOOLS), name=TEXT, description=TEXT, input_schema=FREE, cache_control=_MARK, strict=FLAG,
    defer_loading=FLAG, allowed_callers=many(TEXT), eager_input_streaming=FLAG, display_width_px=WHOLE,
    display_height_px=WHOLE, display_number=WHOLE, enable_zoom=FLAG, max_characters=WHOLE,
)  # fmt: skip
_LIMIT = record(type=TEXT, value=WHOLE)
_EDITS = either(
    record(
        "clear_tool_uses_20250919", clear_at_least=_LIMIT, clear_tool_inputs=either(FLAG, many(TEXT)),
        exclude_tools=many(TEXT), keep=_LIMIT, trigger=_LIMIT,
    ),
    record("clear_thinking_20251015", keep=either(TEXT, _LIMIT)),
)  # fmt: skip
_FORMAT = Record({"type": TEXT, "schema": FREE})
_OUTPUT = record(effort=TEXT, format=_FORMAT, task_budget=record(type=TEXT, total=WHOLE, remaining=WHOLE))

NAMED = {
    "model": TEXT, "messages": many(record(role=TEXT, content=either(TEXT, many(_BLOCK)))), "max_tokens": WHOLE,
    "system": either(TEXT, many(_TEXT)), "stream": FLAG, "temperature": NUMBER, "top_p": NUMBER, "top_k": WHOLE,
    "stop_sequences": many(TEXT), "tools": many(_TOOL), "output_config": _OUTPUT, "metadata": record(user_id=TEXT),
    "tool_choice": record(type=TEXT, name=TEXT, disable_parallel_tool_use=FLAG),
    "thinking": record(type=TEXT, budget_tokens=WHOLE, display=TEXT),
}  # fmt: skip
OPTIONS = {
    "cache_control": _MARK, "context_management": record(edits=many(_EDITS)), "service_tier": one_of("standard_only"),
    "speed": one_of("standard"), "inference_geo": one_of("global"),
}  # fmt: skip

VOCABULARY = Vocabulary(NAMED, OPTIONS, content="messages|system")

"""What a Responses request may hold on the operator's key (OpenAI's API reference, "Create a model response"). Nothing in it
names an object in the operator's account: no file, no stored answer, no container."""

from agent_marketplace.wires.shared.vocabulary import (
    FLAG,
    FREE,
    NOTHING,
    NUMBER,
    TEXT,
    WHOLE,
    Vocabulary,
    either,
    many,
    one_of,
    record,
)

COMPACTIONS = ("compaction", "compaction_summary")
"""Types of items that stand for a conversation's earlier part."""

MORE_TOOLS = "additional_tools"
"""Type of an item that offers tools in the middle of a conversation."""

CLIENT_TOOLS = ("function", "custom", "namespace", "local_shell", "apply_patch")
"""Types of tools that the caller runs."""

_CITATION = record(type=one_of("url_citation"), url=TEXT, title=TEXT, start_index=WHOLE, end_index=WHOLE)
_PARTS = either(
    record("input_text", text=TEXT),
    record("output_text", text=TEXT, annotations=many(_CITATION), logprobs=many(record())),
    record("text", text=TEXT),
    record("refusal", refusal=TEXT),
    record("summary_text", text=TEXT),
    record("reasoning_text", text=TEXT),
    record("input_image", image_url=TEXT, detail=TEXT, file_id=NOTHING),
    record("input_file", file_data=TEXT, file_url=TEXT, filename=TEXT, detail=TEXT, file_id=NOTHING),
)
_CONTENT = either(TEXT, many(_PARTS))
_SAID = (
    "message",
    "function_call",
    "function_call_output",
    "reasoning",
    "custom_tool_call",
    "custom_tool_call_output",
    *COMPACTIONS,
    MORE_TOOLS,
)
_GRAMMAR = record(type=TEXT, syntax=TEXT, definition=TEXT)
_FUNCTION = {
    "type": one_of(*CLIENT_TOOLS), "name": TEXT, "description": TEXT, "parameters": FREE, "strict": FLAG,
    "format": _GRAMMAR, "defer_loading": FLAG,
}  # fmt: skip
_TOOL = record(**_FUNCTION, tools=many(record(**_FUNCTION)))
_ITEM = record(
    type=one_of(*_SAID), role=TEXT, content=_CONTENT, id=TEXT, status=TEXT, phase=TEXT, call_id=TEXT, name=TEXT,
    namespace=TEXT, arguments=TEXT, output=_CONTENT, input=TEXT, summary=many(_PARTS), encrypted_content=TEXT,
    tools=many(_TOOL),
)  # fmt: skip
_NAMED = {"type": one_of(*CLIENT_TOOLS), "name": TEXT, "namespace": TEXT}
_CHOICE = either(
    TEXT,
    record(
        **{**_NAMED, "type": one_of(*CLIENT_TOOLS, "allowed_tools")}, mode=TEXT, tools=many(record(**_NAMED))
    ),
)
_FORMAT = record(type=TEXT, name=TEXT, schema=FREE, strict=FLAG, description=TEXT)

NAMED = {
    "model": TEXT, "input": either(TEXT, many(_ITEM)), "instructions": TEXT, "stream": FLAG,
    "max_output_tokens": WHOLE, "temperature": NUMBER, "top_p": NUMBER, "tools": many(_TOOL), "tool_choice": _CHOICE,
    "parallel_tool_calls": FLAG, "text": record(format=_FORMAT, verbosity=TEXT),
    "reasoning": record(effort=TEXT, summary=TEXT, generate_summary=TEXT), "user": TEXT,
    "include": many(one_of("reasoning.encrypted_content", "message.output_text.logprobs")),
}  # fmt: skip
OPTIONS = {
    "prompt_cache_key": TEXT, "safety_identifier": TEXT, "top_logprobs": WHOLE, "service_tier": one_of("default"),
    "truncation": TEXT, "previous_response_id": NOTHING, "conversation": NOTHING, "background": NOTHING, "prompt": NOTHING,
}  # fmt: skip

VOCABULARY = Vocabulary(NAMED, OPTIONS, content=r"input\[\d+\]\.")

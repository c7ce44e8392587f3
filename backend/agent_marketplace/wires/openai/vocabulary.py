"""What a chat completion's request may hold on the operator's key (OpenAI's API reference, "Create chat completion"; the
additions of compatible providers as their own references have them)."""

from agent_marketplace.wires.shared.vocabulary import (
    FLAG,
    FREE,
    NOTHING,
    NUMBER,
    TEXT,
    WHOLE,
    Vocabulary,
    by_name,
    either,
    many,
    one_of,
    record,
)

CLIENT_TOOLS = ("function", "custom")
"""Types of tools that the caller runs."""

_MARK = record(
    type=one_of("ephemeral"), ttl=one_of("5m", "1h")
)  # Anthropic's, which its models take on this wire too
_FUNCTION = record(name=TEXT, description=TEXT, parameters=FREE, strict=FLAG, cache_control=_MARK)
_PARTS = either(
    record("text", text=TEXT, cache_control=_MARK),
    record("refusal", refusal=TEXT),
    record("image_url", image_url=either(TEXT, record(url=TEXT, detail=TEXT)), cache_control=_MARK),
    record("input_audio", input_audio=record(data=TEXT, format=TEXT)),
    record("video_url", video_url=either(TEXT, record(url=TEXT))),
    record("file", file=record(filename=TEXT, file_data=TEXT)),
)
_REASONING_DETAIL = record(
    type=TEXT, text=TEXT, summary=TEXT, data=TEXT, signature=TEXT, id=TEXT, format=TEXT, index=WHOLE
)
_MESSAGE = record(
    role=TEXT, content=either(TEXT, many(_PARTS)), name=TEXT, tool_call_id=TEXT, prefix=FLAG, partial=FLAG, refusal=TEXT,
    function_call=record(name=TEXT, arguments=TEXT), audio=NOTHING, annotations=NOTHING,
    tool_calls=many(
        record(
            id=TEXT, type=one_of("function", "custom"), index=WHOLE, function=record(name=TEXT, arguments=TEXT),
            custom=record(name=TEXT, input=TEXT),
            extra_content=record(google=record(thought_signature=TEXT)),
        )
    ),
    reasoning_content=TEXT, reasoning=TEXT, reasoning_details=many(_REASONING_DETAIL),
)  # fmt: skip
_CUSTOM = record(
    name=TEXT, description=TEXT,
    format=record(type=TEXT, grammar=record(syntax=TEXT, definition=TEXT)),
)  # fmt: skip
_TOOL = record(type=one_of(*CLIENT_TOOLS), function=_FUNCTION, custom=_CUSTOM, cache_control=_MARK)
_NAMED = {"function": record(name=TEXT), "custom": record(name=TEXT)}
_AMONG = record(mode=TEXT, tools=many(record(type=one_of(*CLIENT_TOOLS), **_NAMED)))
_CHOICE = either(TEXT, record(type=one_of(*CLIENT_TOOLS, "allowed_tools"), **_NAMED, allowed_tools=_AMONG))
_FORMAT = record(type=TEXT, json_schema=record(name=TEXT, schema=FREE, strict=FLAG))

NAMED = {
    "model": TEXT, "messages": many(_MESSAGE), "stream": FLAG, "stream_options": record(include_usage=FLAG),
    "max_tokens": WHOLE, "max_completion_tokens": WHOLE, "temperature": NUMBER, "top_p": NUMBER, "top_k": WHOLE,
    "stop": either(TEXT, many(TEXT)), "seed": WHOLE, "frequency_penalty": NUMBER, "presence_penalty": NUMBER,
    "n": WHOLE, "tools": many(_TOOL), "tool_choice": _CHOICE,
    "parallel_tool_calls": FLAG, "response_format": _FORMAT, "reasoning_effort": TEXT, "user": TEXT,
    "reasoning": record(effort=TEXT, max_tokens=WHOLE, enabled=FLAG, exclude=FLAG),
}  # fmt: skip
"""Fields that the codec reads."""

COMMON = {
    "logit_bias": by_name(NUMBER), "logprobs": FLAG, "top_logprobs": WHOLE, "min_p": NUMBER, "top_a": NUMBER,
    "repetition_penalty": NUMBER, "verbosity": TEXT, "prompt_cache_key": TEXT, "safety_identifier": TEXT,
    "thinking": record(type=TEXT, budget_tokens=WHOLE, clear_thinking=FLAG),
    "enable_thinking": FLAG, "thinking_budget": WHOLE, "include_reasoning": FLAG, "reasoning_format": TEXT,
    "reasoning_split": FLAG, "random_seed": WHOLE,
}  # fmt: skip
"""Fields without a canonical name that steer the sampling or the form of an answer, and cost nothing beside its tokens."""

OPENAI = {
    "functions": many(_FUNCTION), "function_call": either(TEXT, record(name=TEXT)), "modalities": many(TEXT),
    "audio": record(format=TEXT, voice=TEXT), "service_tier": one_of("default"),
}  # fmt: skip
OPENROUTER = {
    "modalities": many(TEXT), "cache_control": _MARK, "image_config": record(aspect_ratio=TEXT, image_size=TEXT),
}  # fmt: skip
MISTRAL = {"safe_prompt": FLAG, "prompt_mode": TEXT}
OWN_SERVER = {
    "chat_template_kwargs": by_name(either(FLAG, NUMBER, TEXT)), "guided_json": FREE, "guided_regex": TEXT,
    "guided_choice": many(TEXT), "guided_grammar": TEXT, "structured_outputs": FREE, "grammar": TEXT, "json_schema": FREE,
    "min_tokens": WHOLE, "ignore_eos": FLAG, "stop_token_ids": many(WHOLE), "skip_special_tokens": FLAG,
    "cache_prompt": FLAG, "typical_p": NUMBER, "mirostat": WHOLE, "mirostat_tau": NUMBER, "mirostat_eta": NUMBER,
    "dynatemp_range": NUMBER, "dynatemp_exponent": NUMBER, "dry_multiplier": NUMBER, "dry_base": NUMBER,
    "dry_allowed_length": WHOLE, "dry_penalty_last_n": WHOLE, "xtc_probability": NUMBER, "xtc_threshold": NUMBER,
    "repeat_penalty": NUMBER, "repeat_last_n": WHOLE, "samplers": many(TEXT),
    "length_penalty": NUMBER, "bad_words": many(TEXT),
}  # fmt: skip
"""vLLM's, SGLang's and llama.cpp's own: on a machine of the operator's no option is billed apart."""

VOCABULARY = Vocabulary(
    NAMED, {**COMMON, **OPENAI, **OPENROUTER, **MISTRAL, **OWN_SERVER}, content="messages"
)

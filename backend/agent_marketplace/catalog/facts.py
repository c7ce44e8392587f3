"""Written rules that turn facts into words: capabilities, display names, one-line descriptions. Pure.

| capability   | rule |
| ------------ | ---- |
| text         | a chat model that writes text |
| code         | a chat model whose name says so (coder, codestral, devstral, codex, swe, ...) or that calls tools |
| vision       | takes images as input |
| image        | makes images |
| audio        | takes or makes sound |
| video, pdf   | takes them as input |
| tools        | the provider lists tool calls among its parameters |
| json         | the provider lists structured outputs |
| reasoning    | the provider lists a reasoning parameter, or the name says thinking or reasoning |
| long_context | at least 200,000 tokens of context |
| embeddings   | answers with vectors |
| fim          | fills in the middle at one of its providers, by the rulebook's `fim` |
"""

import re
from collections.abc import Collection, Sequence

LONG_CONTEXT = 200_000
CAPABILITIES = (
    "text", "code", "vision", "image", "audio", "video", "pdf", "tools", "json", "reasoning", "long_context", "embeddings", "fim",
)  # fmt: skip
_CODE_NAME = re.compile(r"code|coder|codestral|devstral|codex|starcoder|(^|-)swe(-|$)|(^|-)morph")
_REASONING_NAME = re.compile(r"think|reason|(^|-)r1|(^|-)o[134](-|$)|magistral|qwq")
_MODALITY_WORDS = {"image": "images", "audio": "audio", "video": "video", "pdf": "PDF files"}
_CAPABILITY_WORDS = {"tools": "tool calls", "json": "structured output", "reasoning": "reasoning"}
_CASED = {
    "gpt": "GPT", "oss": "OSS", "glm": "GLM", "ai": "AI", "vl": "VL", "deepseek": "DeepSeek", "minimax": "MiniMax",
    "mimo": "MiMo", "qwq": "QwQ", "qvq": "QVQ", "lfm": "LFM", "olmo": "OLMo", "it": "", "instruct": "Instruct",
    "wizardlm": "WizardLM", "hf": "", "tts": "TTS", "dbrx": "DBRX", "ernie": "ERNIE", "longcat": "LongCat",
    "moe": "MoE", "mai": "MAI", "codellama": "Code Llama", "bge": "BGE", "internvl": "InternVL", "hunyuan": "Hunyuan",
    "swe": "SWE", "ui": "UI", "rl": "RL", "dall": "DALL", "xl": "XL", "md": "MD", "lg": "LG",
}  # fmt: skip


def capabilities(
    name: str,
    kind: str,
    inputs: Collection[str],
    outputs: Collection[str],
    parameters: Collection[str],
    context: int,
) -> tuple[str, ...]:
    """What a model can do by the rules above, in the table's order."""
    low = name.lower()
    chat = kind == "chat"
    found = {
        "text": chat and "text" in outputs,
        "code": chat and ("tools" in parameters or _CODE_NAME.search(low) is not None),
        "vision": chat and "image" in inputs,
        "image": kind == "image" or "image" in outputs,
        "audio": "audio" in inputs or "audio" in outputs,
        "video": "video" in inputs,
        "pdf": "pdf" in inputs or "file" in inputs,
        "tools": "tools" in parameters,
        "json": "structured_outputs" in parameters,
        "reasoning": chat and ("reasoning" in parameters or _REASONING_NAME.search(low) is not None),
        "long_context": chat and context >= LONG_CONTEXT,
        "embeddings": kind == "embedding",
    }
    return tuple(c for c in CAPABILITIES if found.get(c))


def tokens_text(count: int) -> str:
    """A token count for people: 128000 -> 128K, 1048576 -> 1M."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}".rstrip("0").rstrip(".") + "M"
    return f"{round(count / 1000)}K" if count >= 1000 else str(count)


def describe(
    kind: str, maker: str, inputs: Sequence[str], caps: Collection[str], context: int, max_output: int | None
) -> str:
    """One line of plain facts about a model."""
    noun = {"embedding": "Embedding model", "image": "Image model"}.get(
        kind, "Reasoning model" if "reasoning" in caps else "Chat model"
    )
    if "code" in caps and "tools" not in caps and kind == "chat":
        noun = "Code model"
    words = [f"{noun} by {maker}." if maker else f"{noun}."]
    extra = [_MODALITY_WORDS[m] for m in inputs if m in _MODALITY_WORDS]
    if kind == "chat" and extra:
        words.append(f"Reads text, {_and(extra)}." if len(extra) > 1 else f"Reads text and {extra[0]}.")
    if context:
        reach = f"{tokens_text(context)} tokens of context"
        words.append(
            f"{reach}, answers of up to {tokens_text(max_output)}."
            if max_output and kind == "chat"
            else f"{reach}."
        )
    skills = [word for cap, word in _CAPABILITY_WORDS.items() if cap in caps and cap != "reasoning"]
    if skills and kind == "chat":
        words.append(f"{_and(skills).capitalize()}.")
    return " ".join(words)


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def display_name(model_id: str) -> str:
    """A readable name from an id: `qwen3-coder-30b-a3b-instruct` -> `Qwen3 Coder 30B A3B Instruct`."""
    parts: list[str] = []
    for part in re.split(r"[-_ ]+", model_id):
        if (
            part.isdigit()
            and len(part) <= 2
            and parts
            and re.fullmatch(r"\d{1,2}", parts[-1])
            and model_id.startswith("claude")
        ):
            parts[-1] = f"{parts[-1]}.{part}"
        elif (word := _word(part)) != "":
            parts.append(word)
    name = " ".join(parts)
    return re.sub(r"\bGPT (\d|OSS)", r"GPT-\1", name)


def _word(part: str) -> str:
    if part in _CASED:
        return _CASED[part]
    if re.fullmatch(r"a?\d+(\.\d+)?[bmk]|\d+x\d+b|e\d+b", part):
        return part.upper()
    if re.fullmatch(r"[vrmk]\d[\d.]*b?", part):
        return part.upper()
    if re.fullmatch(r"o\d", part) or re.fullmatch(r"\d+o", part):
        return part
    return part[:1].upper() + part[1:]

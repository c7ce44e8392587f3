"""What a request on Ollama's wire may hold on a server of the operator's (Ollama's API reference, "Generate a chat
completion" and "Generate a completion")."""

from agent_marketplace.wires.shared.vocabulary import (
    FLAG,
    FREE,
    NUMBER,
    TEXT,
    WHOLE,
    Vocabulary,
    either,
    many,
    record,
)

_CALL = record(
    id=TEXT,
    type=TEXT,
    function=record(index=WHOLE, name=TEXT, arguments=FREE, description=TEXT, parameters=FREE),
)
_MESSAGE = record(
    role=TEXT, content=TEXT, thinking=TEXT, images=many(TEXT), tool_calls=many(_CALL), tool_name=TEXT,
    tool_call_id=TEXT,
)  # fmt: skip
MORE_OPTIONS = {
    "num_ctx": WHOLE, "num_keep": WHOLE, "num_batch": WHOLE, "num_gpu": WHOLE, "main_gpu": WHOLE, "num_thread": WHOLE,
    "min_p": NUMBER, "typical_p": NUMBER, "tfs_z": NUMBER, "repeat_last_n": WHOLE, "repeat_penalty": NUMBER,
    "penalize_newline": FLAG, "mirostat": WHOLE, "mirostat_tau": NUMBER, "mirostat_eta": NUMBER, "numa": FLAG,
    "low_vram": FLAG, "vocab_only": FLAG, "use_mmap": FLAG, "use_mlock": FLAG,
}  # fmt: skip
"""Of the runner alone (Ollama's API reference, "Generate request (With options)", older releases included): no other provider
can be told them, and at the operator's Ollama nothing is billed by them."""
_OPTIONS = record(
    num_predict=WHOLE, temperature=NUMBER, top_p=NUMBER, top_k=WHOLE, seed=WHOLE, stop=either(TEXT, many(TEXT)),
    frequency_penalty=NUMBER, presence_penalty=NUMBER, **MORE_OPTIONS,
)  # fmt: skip

NAMED = {
    "model": TEXT, "messages": many(_MESSAGE), "prompt": TEXT, "system": TEXT, "images": many(TEXT), "stream": FLAG,
    "tools": many(_CALL), "format": FREE, "options": _OPTIONS, "think": either(FLAG, TEXT),
}  # fmt: skip
OPTIONS = {"keep_alive": either(NUMBER, TEXT), "truncate": FLAG, "shift": FLAG}

VOCABULARY = Vocabulary(NAMED, OPTIONS)

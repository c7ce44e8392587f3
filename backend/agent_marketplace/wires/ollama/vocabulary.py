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
_OPTIONS = record(
    num_predict=WHOLE, temperature=NUMBER, top_p=NUMBER, top_k=WHOLE, seed=WHOLE, stop=either(TEXT, many(TEXT)),
    frequency_penalty=NUMBER, presence_penalty=NUMBER,
)  # fmt: skip

NAMED = {
    "model": TEXT, "messages": many(_MESSAGE), "prompt": TEXT, "system": TEXT, "images": many(TEXT), "stream": FLAG,
    "tools": many(_CALL), "format": FREE, "options": _OPTIONS, "think": either(FLAG, TEXT),
}  # fmt: skip
OPTIONS = {"keep_alive": either(NUMBER, TEXT), "truncate": FLAG, "shift": FLAG}

VOCABULARY = Vocabulary(NAMED, OPTIONS)

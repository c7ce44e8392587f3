"""What a request of the text-generation task may hold (Hugging Face, "Text generation", API specification)."""

from agent_marketplace.wires.shared.vocabulary import FLAG, NUMBER, TEXT, WHOLE, Vocabulary, many, record

_PARAMETERS = record(
    max_new_tokens=WHOLE, temperature=NUMBER, top_p=NUMBER, top_k=WHOLE, stop=many(TEXT), seed=WHOLE,
    frequency_penalty=NUMBER, return_full_text=FLAG, details=FLAG,
)  # fmt: skip

VOCABULARY = Vocabulary(
    {"inputs": TEXT, "model": TEXT, "parameters": _PARAMETERS, "stream": FLAG}, content="inputs"
)

"""As `test_gateway_worst_clients`, where no chat is spoken: completions for editors, Ollama's generate, Hugging Face's text generation,
and vectors. Whoever is asked bills the most that what reached it allows."""

from typing import Any

import msgspec

from agent_marketplace.net.http import Timeouts
from tests.fakes.biller import WORD, bills_the_worst, bills_the_worst_text, bills_the_worst_vectors
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

PATIENT = Timeouts(connect_s=30, first_byte_s=60, idle_s=60, total_s=120)
LONG = WORD * 700
DOLLAR = 10**9
FILLERS = {
    "codestral-2508": "mistral", "deepseek-flash": "deepseek", "qwen2.5-coder-1.5b": "llamacpp", "starcoder2-3b": "vllm",
    "gpt-4o-mini": "openai", "claude-sonnet-4-5": "anthropic",
}  # fmt: skip
FILLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("a prompt", "/v1/completions", {"prompt": LONG}),
    ("a gap", "/v1/completions", {"prompt": LONG, "suffix": LONG}),
    ("no length", "/v1/completions", {"prompt": LONG, "suffix": LONG, "max_tokens": None}),
    (
        "essays for names",
        "/v1/completions",
        {"prompt": "hi", "user": LONG, "unknown": {"deep": LONG}},
    ),
    (
        "what is unread",
        "/v1/completions",
        {"prompt": "hi", "input_extra": [{"filename": "a", "text": LONG}]},
    ),
    ("Mistral's", "/v1/fim/completions", {"prompt": LONG, "suffix": LONG}),
    ("Ollama's", "/api/generate", {"prompt": LONG, "system": LONG, "suffix": None, "stream": False}),
)


async def no_more_than_was_held(rig: Rig, asked: dict[str, str], forms: set[str], answered: set[str]) -> None:
    rows = await rig.rows()
    assert rows
    for row in rows:
        what = asked.get(row.request_id)
        assert row.absorbed_nano == 0, (what, row)
        assert row.charge_nano <= row.hold_nano, (what, row)
    assert not forms - answered, "a form that nobody takes is no trial of anything"
    assert rig.market.router.parts.bounds.count == 0


@on_rig(
    Behaviour(), balance=10**13, timeouts=PATIENT,
    others={p: (Behaviour(),) for p in FILLERS.values() if p != "openai"},
)  # fmt: skip
async def test_no_completion_of_an_editor_costs_more_than_was_held(rig: Rig) -> None:
    for provider, model in (("llamacpp", "qwen2.5-coder-1.5b"), ("vllm", "starcoder2-3b")):
        await rig.declare(provider, model, input_=DOLLAR, output=3 * DOLLAR, context=32_768)
    asked: dict[str, str] = {}
    answered: set[str] = set()
    for fake in rig.at.values():
        fake.judged = False
    for model, provider in FILLERS.items():
        rig.at[provider].script[:] = [bills_the_worst(model)]
        for name, path, body in FILLS:
            answer = await rig.call(
                path,
                {"model": model, **body}
                if "max_tokens" in body
                else {"max_tokens": 50, "model": model, **body},
            )
            assert answer.status in (200, 400), (model, name, answer.body[:300])
            if answer.status == 200:
                answered.add(name)
                asked[answer.headers["x-generation-id"]] = f"{model}: {name}"
    await no_more_than_was_held(rig, asked, {name for name, _, _ in FILLS}, answered)


TEXTS: dict[str, dict[str, Any]] = {
    "text": {"messages": [{"role": "system", "content": LONG}, {"role": "user", "content": "hi"}]},
    "turns": {"messages": [{"role": r, "content": LONG} for r in ("user", "assistant", "user")]},
    "options": {
        "messages": [{"role": "user", "content": "hi"}],
        "stop": [LONG],
        "user": LONG,
        "seed": 1,
        "top_k": 4,
    },
    "unlimited": {"messages": [{"role": "user", "content": LONG}], "max_tokens": None},
}


@on_rig(
    Behaviour(),
    others={"huggingface": (bills_the_worst_text(),)},
    balance=10**13,
    timeouts=PATIENT,
)
async def test_no_text_generation_at_hugging_face_costs_more_than_was_held(rig: Rig) -> None:
    endpoints = rig.market.endpoints
    endpoints.put(msgspec.structs.replace(endpoints.get("huggingface"), wire="huggingface"))
    await rig.declare("huggingface", "bloom-of-ours", input_=DOLLAR, output=3 * DOLLAR, context=32_768)
    asked: dict[str, str] = {}
    for name, body in TEXTS.items():
        answer = await rig.call("/v1/chat/completions", {"model": "bloom-of-ours", "max_tokens": 50, **body})
        assert answer.status == 200, (name, answer.body[:300])
        assert "max_new_tokens" in rig.at["huggingface"].requests[-1].json["parameters"]
        asked[answer.headers["x-generation-id"]] = name
    await no_more_than_was_held(rig, asked, set(TEXTS), set(asked.values()))


VECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "a text": ("/v1/embeddings", {"input": LONG}),
    "texts": ("/v1/embeddings", {"input": [LONG, "hi", LONG]}),
    "tokens": ("/v1/embeddings", {"input": [64] * 700}),
    "lists of tokens": ("/v1/embeddings", {"input": [[64] * 300] * 3}),
    "options": ("/v1/embeddings", {"input": "hi", "dimensions": 2, "encoding_format": "float"}),
    "Gemini's": (
        "/v1beta/models/{}:embedContent",
        {"content": {"parts": [{"text": LONG}]}, "title": LONG, "taskType": "RETRIEVAL_DOCUMENT"},
    ),
    "Gemini's many": (
        "/v1beta/models/{}:batchEmbedContents",
        {"requests": [{"content": {"parts": [{"text": LONG}]}}] * 3},
    ),
    "Ollama's": ("/api/embed", {"input": [LONG, LONG]}),
}
READERS = {"text-embedding-3-small": "openai", "gemini-embedding-001": "google"}


@on_rig(
    bills_the_worst_vectors(),
    others={"google": (bills_the_worst_vectors(),)},
    balance=10**13,
    timeouts=PATIENT,
)
async def test_no_vectors_cost_more_than_was_held(rig: Rig) -> None:
    asked: dict[str, str] = {}
    answered: set[str] = set()
    for fake in rig.at.values():
        fake.judged = False
    for model in READERS:
        for name, (path, body) in VECTORS.items():
            answer = await rig.call(
                path.format(model), {"model": model, **body} if "{}" not in path else body
            )
            assert answer.status in (200, 400), (model, name, answer.body[:300])
            if answer.status == 200:
                answered.add(name)
                asked[answer.headers["x-generation-id"]] = f"{model}: {name}"
    await no_more_than_was_held(rig, asked, set(VECTORS), answered)

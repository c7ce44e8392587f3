"""The known providers as data: where they are, which wire they speak, how they authenticate and what an abort costs there.

Base URLs: each provider's API reference. An abort's effect: OpenRouter's documentation, "Streaming", "Stream
cancellation" (where closing the connection stops model processing and billing, and where it does not); a provider that
it does not list is `unknown`. What runs on the operator's own machines stops and costs nothing.
"""

from typing import Literal, NamedTuple

from agent_marketplace.wires.base import WireName
from agent_marketplace.wires.openai import vocabulary
from agent_marketplace.wires.openai.dialect import Dialect

AuthStyle = Literal["bearer", "x-api-key", "x-goog-api-key", "none"]
AbortRule = Literal["stops", "continues", "unknown"]


class Row(NamedTuple):
    """One provider. `abort`: does closing the connection stop the provider's work and its bill? `probe`: a path that
    answers 401 or 403 to a wrong key, "" where there is none. `options`: fields without a canonical name that it takes on the
    operator's key, besides the wire's common ones; `unstored`: it keeps what it is asked unless told `store: false`; `counts_thinking`: its
    limit of output is documented to contain the thinking (matters on the `openai` and `huggingface` wires only)."""

    name: str
    base_url: str
    abort: AbortRule = "unknown"
    wire: WireName = "openai"
    auth: AuthStyle = "bearer"
    probe: str = "models"
    dialect: Dialect = Dialect()
    headers: tuple[tuple[str, str], ...] = ()
    own_host: bool = False  # runs at the operator's: no key needed, served once its base URL is set
    options: frozenset[str] = frozenset()
    unstored: bool = False
    counts_thinking: bool = False


# OpenAI rejects fields it does not know (400); its own, besides the canonical ones.
_OPENAI = Dialect(
    freeform=True,
    max_tokens_field="max_completion_tokens",
    refuses=frozenset({"top_k"}),
    accepts=frozenset(
        {
            "audio", "function_call", "functions", "logit_bias", "logprobs", "metadata", "modalities", "moderation",
            "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier",
            "service_tier", "store", "tool_choice", "top_logprobs", "verbosity", "web_search_options",
        }
    ),
)  # fmt: skip
# Mistral rejects unknown fields (422), reports usage unasked and calls the seed `random_seed`.
_MISTRAL = Dialect(
    stream_usage=False,
    refuses=frozenset({"top_k", "user"}),
    accepts=frozenset({"metadata", "prediction", "prompt_mode", "safe_prompt", "tool_choice"}),
    renames={"seed": "random_seed"},
)
# Groq answers 400 to these (console.groq.com/docs/openai).
_GROQ = Dialect(
    max_tokens_field="max_completion_tokens",
    refuses=frozenset(
        {"top_k", "logit_bias", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty"}
    ),
)
_NO_TOP_K = Dialect(refuses=frozenset({"top_k"}))
_NO_PROBE = ""  # its list of models is public, so it says nothing of a key

ROWS: tuple[Row, ...] = (
    Row("openai", "https://api.openai.com/v1", "stops", dialect=_OPENAI, options=frozenset(vocabulary.OPENAI), unstored=True,
        counts_thinking=True),
    Row("anthropic", "https://api.anthropic.com", "stops", "anthropic", "x-api-key", "v1/models",
        headers=(("anthropic-version", "2023-06-01"),)),
    Row("google", "https://generativelanguage.googleapis.com", "continues", "gemini", "x-goog-api-key", "v1beta/models"),
    Row("huggingface", "https://router.huggingface.co/v1", "continues", probe="https://huggingface.co/api/whoami-v2"),
    Row("mistral", "https://api.mistral.ai/v1", "continues", dialect=_MISTRAL, options=frozenset(vocabulary.MISTRAL)),
    Row("deepseek", "https://api.deepseek.com/v1", "stops", dialect=_NO_TOP_K, counts_thinking=True),
    Row("xai", "https://api.x.ai/v1", "stops", dialect=_NO_TOP_K),
    Row("groq", "https://api.groq.com/openai/v1", "continues", dialect=_GROQ),
    Row("together", "https://api.together.xyz/v1", "stops"),
    Row("fireworks", "https://api.fireworks.ai/inference/v1", "stops"),
    Row("openrouter", "https://openrouter.ai/api/v1", "unknown", probe="key", options=frozenset(vocabulary.OPENROUTER)),
    Row("cerebras", "https://api.cerebras.ai/v1", dialect=_NO_TOP_K),
    Row("deepinfra", "https://api.deepinfra.com/v1/openai", "stops", probe=_NO_PROBE),
    Row("novita", "https://api.novita.ai/v3/openai", "stops", probe=_NO_PROBE),
    Row("nebius", "https://api.studio.nebius.com/v1", "continues"),
    Row("siliconflow", "https://api.siliconflow.com/v1"),
    Row("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "continues"),
    Row("moonshotai", "https://api.moonshot.ai/v1", dialect=_NO_TOP_K),
    Row("zai", "https://api.z.ai/api/paas/v4", dialect=_NO_TOP_K),
    Row("minimax", "https://api.minimax.io/v1", "continues"),
    Row("perplexity", "https://api.perplexity.ai", "continues", probe=_NO_PROBE),
    Row("cohere", "https://api.cohere.ai/compatibility/v1", "stops"),
    Row("ai21", "https://api.ai21.com/studio/v1", "continues"),
    Row("sambanova", "https://api.sambanova.ai/v1", "continues", probe=_NO_PROBE),
    Row("hyperbolic", "https://api.hyperbolic.xyz/v1", "stops"),
    Row("baseten", "https://inference.baseten.co/v1"),
    Row("scaleway", "https://api.scaleway.ai/v1"),
    Row("vercel", "https://ai-gateway.vercel.sh/v1", probe=_NO_PROBE),
    Row("chutes", "https://llm.chutes.ai/v1", "stops", probe=_NO_PROBE),
    Row("venice", "https://api.venice.ai/api/v1", probe=_NO_PROBE),
    Row("friendli", "https://api.friendli.ai/serverless/v1", "stops", probe=_NO_PROBE),
    Row("nscale", "https://inference.api.nscale.com/v1"),
    Row("wandb", "https://api.inference.wandb.ai/v1"),
    Row("requesty", "https://router.requesty.ai/v1", probe=_NO_PROBE),
    Row("inception", "https://api.inceptionlabs.ai/v1"),
    Row("upstage", "https://api.upstage.ai/v1"),
    Row("lambda", "https://api.lambda.ai/v1", "continues"),
    Row("ollama", "http://127.0.0.1:11434", "stops", "ollama", "none", "", own_host=True),
    Row("vllm", "http://127.0.0.1:8001/v1", "stops", own_host=True, counts_thinking=True),
    Row("llamacpp", "http://127.0.0.1:8080/v1", "stops", own_host=True, counts_thinking=True),
    Row("lmstudio", "http://127.0.0.1:1234/v1", "stops", own_host=True, counts_thinking=True),
)  # fmt: skip

NAMES = frozenset(row.name for row in ROWS if not row.own_host)
"""Providers out in the world, which take keys."""

LOCAL = Row("local", "http://127.0.0.1:0/v1", "stops", own_host=True, counts_thinking=True)

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
    """One provider. `title`: as people read it. `abort`: does closing the connection stop its work and its bill? `probe`: a path that
    answers 401 or 403 to a wrong key, "" where there is none. `options`: fields without a canonical name that it takes on the
    operator's key, besides the wire's common ones. `unstored`: it keeps what it is asked unless told `store: false`. `resells`: it passes
    calls on to others, at their prices, none above those that it is told (`provider.max_price`). `env`: the
    variables of the operator's key and base URL, None = its name in capitals with `_API_KEY` and `_BASE_URL`. `counts_thinking`: its
    limit of output is documented to contain the thinking (matters on the `openai` and `huggingface` wires only)."""

    name: str
    title: str
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
    resells: bool = False
    counts_thinking: bool = False
    env: tuple[str, str] | None = None

    @property
    def variables(self) -> tuple[str, str]:
        """Names of the environment variables: of the key, of the base URL."""
        return self.env or (f"{self.name.upper()}_API_KEY", f"{self.name.upper()}_BASE_URL")


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
    strict=True,
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
    Row("openai", "OpenAI", "https://api.openai.com/v1", "stops", dialect=_OPENAI, options=frozenset(vocabulary.OPENAI), unstored=True,
        counts_thinking=True),
    Row("anthropic", "Anthropic", "https://api.anthropic.com", "stops", "anthropic", "x-api-key", "v1/models",
        headers=(("anthropic-version", "2023-06-01"),)),
    Row("google", "Google", "https://generativelanguage.googleapis.com", "continues", "gemini", "x-goog-api-key", "v1beta/models",
        env=("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL")),
    Row("huggingface", "Hugging Face", "https://router.huggingface.co/v1", "continues", probe="https://huggingface.co/api/whoami-v2",
        env=("HF_TOKEN", "HF_BASE_URL")),
    Row("mistral", "Mistral AI", "https://api.mistral.ai/v1", "continues", dialect=_MISTRAL, options=frozenset(vocabulary.MISTRAL)),
    Row("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "stops", dialect=_NO_TOP_K, counts_thinking=True),
    Row("xai", "xAI", "https://api.x.ai/v1", "stops", dialect=_NO_TOP_K),
    Row("groq", "Groq", "https://api.groq.com/openai/v1", "continues", dialect=_GROQ),
    Row("together", "Together AI", "https://api.together.xyz/v1", "stops"),
    Row("fireworks", "Fireworks AI", "https://api.fireworks.ai/inference/v1", "stops"),
    Row("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "unknown", probe="key", options=frozenset(vocabulary.OPENROUTER),
        resells=True),
    Row("cerebras", "Cerebras", "https://api.cerebras.ai/v1", dialect=_NO_TOP_K),
    Row("deepinfra", "DeepInfra", "https://api.deepinfra.com/v1/openai", "stops", probe=_NO_PROBE),
    Row("novita", "Novita AI", "https://api.novita.ai/v3/openai", "stops", probe=_NO_PROBE),
    Row("nebius", "Nebius", "https://api.studio.nebius.com/v1", "continues"),
    Row("siliconflow", "SiliconFlow", "https://api.siliconflow.com/v1"),
    Row("alibaba", "Alibaba Cloud", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "continues"),
    Row("moonshotai", "Moonshot AI", "https://api.moonshot.ai/v1", dialect=_NO_TOP_K),
    Row("zai", "Z.ai", "https://api.z.ai/api/paas/v4", dialect=_NO_TOP_K),
    Row("minimax", "MiniMax", "https://api.minimax.io/v1", "continues"),
    Row("perplexity", "Perplexity", "https://api.perplexity.ai", "continues", probe=_NO_PROBE),
    Row("cohere", "Cohere", "https://api.cohere.ai/compatibility/v1", "stops"),
    Row("ai21", "AI21 Labs", "https://api.ai21.com/studio/v1", "continues"),
    Row("sambanova", "SambaNova", "https://api.sambanova.ai/v1", "continues", probe=_NO_PROBE),
    Row("hyperbolic", "Hyperbolic", "https://api.hyperbolic.xyz/v1", "stops"),
    Row("baseten", "Baseten", "https://inference.baseten.co/v1"),
    Row("scaleway", "Scaleway", "https://api.scaleway.ai/v1"),
    Row("vercel", "Vercel AI Gateway", "https://ai-gateway.vercel.sh/v1", probe=_NO_PROBE),
    Row("chutes", "Chutes", "https://llm.chutes.ai/v1", "stops", probe=_NO_PROBE),
    Row("venice", "Venice", "https://api.venice.ai/api/v1", probe=_NO_PROBE),
    Row("friendli", "FriendliAI", "https://api.friendli.ai/serverless/v1", "stops", probe=_NO_PROBE),
    Row("nscale", "Nscale", "https://inference.api.nscale.com/v1"),
    Row("wandb", "Weights & Biases", "https://api.inference.wandb.ai/v1"),
    Row("requesty", "Requesty", "https://router.requesty.ai/v1", probe=_NO_PROBE),
    Row("inception", "Inception", "https://api.inceptionlabs.ai/v1"),
    Row("upstage", "Upstage", "https://api.upstage.ai/v1"),
    Row("lambda", "Lambda", "https://api.lambda.ai/v1", "continues"),
    Row("ollama", "Ollama", "http://127.0.0.1:11434", "stops", "ollama", "none", "", own_host=True),
    Row("vllm", "vLLM", "http://127.0.0.1:8001/v1", "stops", own_host=True, counts_thinking=True),
    Row("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1", "stops", own_host=True, counts_thinking=True),
    Row("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", "stops", own_host=True, counts_thinking=True),
)  # fmt: skip

NAMES = frozenset(row.name for row in ROWS if not row.own_host)
"""Providers out in the world, which take keys."""

TITLES = {row.name: row.title for row in ROWS}

LOCAL = Row("local", "This server", "http://127.0.0.1:0/v1", "stops", own_host=True, counts_thinking=True)

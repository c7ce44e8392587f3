"""Which provider names of the public lists are which of ours. A provider that is not here is not in the catalogue."""

from typing import NamedTuple

from agent_marketplace.providers.table import TITLES

HERE = frozenset({"local", "ollama"})
"""Providers whose models run on this machine."""


class Host(NamedTuple):
    """One provider: our name, its names in models.dev (and `rates`), LiteLLM and genai-prices; title: its display name where it is
    none that is served here (`providers.table` has those)."""

    name: str
    models_dev: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()
    genai: tuple[str, ...] = ()
    title: str = ""


_VERTEX = (
    "vertex_ai", "vertex_ai-language-models", "vertex_ai-anthropic_models", "vertex_ai-mistral_models",
    "vertex_ai-llama_models", "vertex_ai-deepseek_models", "vertex_ai-qwen_models", "vertex_ai-zai_models",
    "vertex_ai-openai_models", "vertex_ai-ai21_models", "vertex_ai-minimax_models", "vertex_ai-moonshot_models",
    "vertex_ai-xai_models", "vertex_ai-embedding-models",
)  # fmt: skip

_HF_ROUTES = tuple(
    f"huggingface_{route}"
    for route in (
        "novita",
        "together",
        "nebius",
        "nscale",
        "fireworks-ai",
        "hyperbolic",
        "cerebras",
        "groq",
        "sambanova",
        "publicai",
    )
)

HOSTS: tuple[Host, ...] = (
    Host("openai", ("openai",), ("openai",), ("openai",)),
    Host("anthropic", ("anthropic",), ("anthropic",), ("anthropic",)),
    Host("google", ("google",), ("gemini",), ("google",)),
    Host("mistral", ("mistral",), ("mistral", "codestral"), ("mistral",)),
    Host("huggingface", ("huggingface",), (), _HF_ROUTES),
    Host("openrouter", ("openrouter",), ("openrouter",), ("openrouter",)),
    Host("deepseek", ("deepseek",), ("deepseek",), ("deepseek",)),
    Host("xai", ("xai",), ("xai",), ("x-ai",)),
    Host("cohere", ("cohere",), ("cohere", "cohere_chat"), ("cohere",)),
    Host("groq", ("groq",), ("groq",), ("groq",)),
    Host("cerebras", ("cerebras",), ("cerebras",), ("cerebras",)),
    Host("together", ("togetherai",), ("together_ai",), ("together",)),
    Host("fireworks", ("fireworks-ai",), ("fireworks_ai", "fireworks_ai-embedding-models"), ("fireworks",)),
    Host("deepinfra", ("deepinfra",), ("deepinfra",)),
    Host("novita", ("novita-ai", "novita"), ("novita",), ("novita",)),
    Host("nebius", ("nebius",), ("nebius",)),
    Host("siliconflow", ("siliconflow",)),
    Host("alibaba", ("alibaba",), ("dashscope",)),
    Host("moonshotai", ("moonshotai",), ("moonshot",), ("moonshotai",)),
    Host("zai", ("zai",), ("zai",), ("zai",)),
    Host("minimax", ("minimax",), ("minimax",), ("minimax",)),
    Host("perplexity", ("perplexity",), ("perplexity",), ("perplexity",)),
    Host("ai21", ("ai21",), ("ai21",)),
    Host("meta", ("meta", "llama"), ("meta", "meta_llama"), ("meta",), title="Meta"),
    Host("azure", ("azure", "azure-cognitive-services"), ("azure", "azure_ai"), ("azure",), title="Azure"),
    Host(
        "amazon-bedrock",
        ("amazon-bedrock",),
        ("bedrock_converse", "bedrock", "bedrock_mantle"),
        ("aws",),
        title="Amazon Bedrock",
    ),
    Host("google-vertex", ("google-vertex", "google-vertex-anthropic"), _VERTEX, title="Google Vertex AI"),
    Host(
        "cloudflare",
        ("cloudflare-workers-ai",),
        ("cloudflare",),
        ("cloudflare",),
        title="Cloudflare Workers AI",
    ),
    Host("databricks", ("databricks",), ("databricks",), ("databricks",), title="Databricks"),
    Host("baseten", ("baseten",), ("baseten",), ("baseten",)),
    Host("sambanova", (), ("sambanova",)),
    Host("hyperbolic", (), ("hyperbolic",)),
    Host("scaleway", ("scaleway",), ("scaleway",)),
    Host("ovhcloud", ("ovhcloud",), ("ovhcloud",), ("ovhcloud",), title="OVHcloud"),
    Host("watsonx", ("watsonx",), ("watsonx",), title="IBM watsonx"),
    Host("wandb", ("wandb",), ("wandb",)),
    Host("vercel", ("vercel",), ("vercel_ai_gateway",)),
    Host("digitalocean", ("digitalocean",), ("gradient_ai",), title="DigitalOcean"),
    Host("venice", ("venice",)),
    Host("chutes", ("chutes",)),
    Host("crusoe", ("crusoe",), ("crusoe",), title="Crusoe"),
    Host("gmicloud", ("gmicloud",), ("gmi",), title="GMI Cloud"),
    Host("friendli", ("friendli",), ("friendliai",)),
    Host("lambda", (), ("lambda_ai",)),
    Host("nscale", (), ("nscale",)),
    Host("io-net", ("io-net",), title="io.net"),
    Host("nearai", ("nearai",), title="NEAR AI"),
    Host("requesty", ("requesty",)),
    Host("tencent", ("tencent-tokenhub",), ("tencent",), title="Tencent Cloud"),
    Host("xiaomi", ("xiaomi",), ("xiaomi_mimo",), title="Xiaomi"),
    Host("stepfun", ("stepfun-ai",), title="StepFun"),
    Host("inception", ("inception",)),
    Host("upstage", ("upstage",)),
    Host("arcee", ("arcee",), (), ("arcee",), title="Arcee AI"),
    Host("morph", ("morph",), ("morph",), title="Morph"),
    Host("v0", ("v0",), ("v0",), title="Vercel v0"),
    Host("amazon", ("nova",), ("amazon_nova",), title="Amazon Nova"),
    Host("volcengine", ("volcengine",), ("volcengine",), title="Volcengine"),
    Host("cognition", (), ("cognition",), title="Cognition"),
    Host("poolside", ("poolside",), title="Poolside"),
    Host("sakana", ("sakana",), title="Sakana AI"),
    Host("thinkingmachines", ("thinkingmachines",), title="Thinking Machines"),
    Host("voyage", (), ("voyage",), ("voyageai",), title="Voyage AI"),
    Host("stability", (), ("stability",), title="Stability AI"),
    Host("black-forest-labs", (), ("black_forest_labs",), title="Black Forest Labs"),
    Host("fal", (), ("fal_ai",), title="fal"),
)

MAKER_TITLES = {
    "microsoft": "Microsoft", "ibm": "IBM", "nvidia": "NVIDIA", "baidu": "Baidu", "bytedance": "ByteDance",
    "inclusionai": "inclusionAI", "meituan": "Meituan", "writer": "Writer", "nousresearch": "Nous Research",
    "ai2": "Ai2", "liquid": "Liquid AI", "reka": "Reka", "01-ai": "01.AI", "kwaipilot": "Kwaipilot", "sarvam": "Sarvam",
    "swiss-ai": "Swiss AI", "tii": "TII", "bigcode": "BigCode", "baai": "BAAI", "opengvlab": "OpenGVLab",
    "shanghai-ai-lab": "Shanghai AI Lab", "nomic": "Nomic", "tencent": "Tencent", "alibaba": "Alibaba",
    "amazon": "Amazon", "vercel": "Vercel", "databricks": "Databricks", "local": "this server",
}  # fmt: skip

_TITLES = {**{h.name: h.title for h in HOSTS}, **TITLES, **MAKER_TITLES}


def title(name: str) -> str:
    """A provider's or maker's display name."""
    return _TITLES.get(name) or name.replace("-", " ").title()


def host_names(source: str) -> dict[str, str]:
    """{a source's provider name: ours} for `models.dev`, `rates`, `litellm`, `genai-prices` or `openrouter`."""
    field = {"litellm": 2, "genai-prices": 3}.get(source, 1)
    return {theirs: host.name for host in HOSTS for theirs in host[field]}

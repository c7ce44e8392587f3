"""Which provider names of the public lists are which of ours. A provider that is not here is not in the catalogue."""

from typing import NamedTuple


class Host(NamedTuple):
    """One provider: our name, its display name, and its names in models.dev (and `rates`), LiteLLM and genai-prices."""

    name: str
    title: str
    models_dev: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()
    genai: tuple[str, ...] = ()


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
    Host("openai", "OpenAI", ("openai",), ("openai",), ("openai",)),
    Host("anthropic", "Anthropic", ("anthropic",), ("anthropic",), ("anthropic",)),
    Host("google", "Google", ("google",), ("gemini",), ("google",)),
    Host("mistral", "Mistral AI", ("mistral",), ("mistral", "codestral"), ("mistral",)),
    Host("huggingface", "Hugging Face", ("huggingface",), (), _HF_ROUTES),
    Host("openrouter", "OpenRouter", ("openrouter",), ("openrouter",), ("openrouter",)),
    Host("deepseek", "DeepSeek", ("deepseek",), ("deepseek",), ("deepseek",)),
    Host("xai", "xAI", ("xai",), ("xai",), ("x-ai",)),
    Host("cohere", "Cohere", ("cohere",), ("cohere", "cohere_chat"), ("cohere",)),
    Host("groq", "Groq", ("groq",), ("groq",), ("groq",)),
    Host("cerebras", "Cerebras", ("cerebras",), ("cerebras",), ("cerebras",)),
    Host("together", "Together AI", ("togetherai",), ("together_ai",), ("together",)),
    Host(
        "fireworks",
        "Fireworks AI",
        ("fireworks-ai",),
        ("fireworks_ai", "fireworks_ai-embedding-models"),
        ("fireworks",),
    ),
    Host("deepinfra", "DeepInfra", ("deepinfra",), ("deepinfra",)),
    Host("novita", "Novita AI", ("novita-ai", "novita"), ("novita",), ("novita",)),
    Host("nebius", "Nebius", ("nebius",), ("nebius",)),
    Host("siliconflow", "SiliconFlow", ("siliconflow",)),
    Host("alibaba", "Alibaba Cloud", ("alibaba",), ("dashscope",)),
    Host("moonshotai", "Moonshot AI", ("moonshotai",), ("moonshot",), ("moonshotai",)),
    Host("zai", "Z.ai", ("zai",), ("zai",), ("zai",)),
    Host("minimax", "MiniMax", ("minimax",), ("minimax",), ("minimax",)),
    Host("perplexity", "Perplexity", ("perplexity",), ("perplexity",), ("perplexity",)),
    Host("ai21", "AI21 Labs", ("ai21",), ("ai21",)),
    Host("meta", "Meta", ("meta", "llama"), ("meta", "meta_llama"), ("meta",)),
    Host("azure", "Azure", ("azure", "azure-cognitive-services"), ("azure", "azure_ai"), ("azure",)),
    Host(
        "amazon-bedrock",
        "Amazon Bedrock",
        ("amazon-bedrock",),
        ("bedrock_converse", "bedrock", "bedrock_mantle"),
        ("aws",),
    ),
    Host("google-vertex", "Google Vertex AI", ("google-vertex", "google-vertex-anthropic"), _VERTEX),
    Host("cloudflare", "Cloudflare Workers AI", ("cloudflare-workers-ai",), ("cloudflare",), ("cloudflare",)),
    Host("databricks", "Databricks", ("databricks",), ("databricks",), ("databricks",)),
    Host("baseten", "Baseten", ("baseten",), ("baseten",), ("baseten",)),
    Host("sambanova", "SambaNova", (), ("sambanova",)),
    Host("hyperbolic", "Hyperbolic", (), ("hyperbolic",)),
    Host("scaleway", "Scaleway", ("scaleway",), ("scaleway",)),
    Host("ovhcloud", "OVHcloud", ("ovhcloud",), ("ovhcloud",), ("ovhcloud",)),
    Host("watsonx", "IBM watsonx", ("watsonx",), ("watsonx",)),
    Host("wandb", "Weights & Biases", ("wandb",), ("wandb",)),
    Host("vercel", "Vercel AI Gateway", ("vercel",), ("vercel_ai_gateway",)),
    Host("digitalocean", "DigitalOcean", ("digitalocean",), ("gradient_ai",)),
    Host("venice", "Venice", ("venice",)),
    Host("chutes", "Chutes", ("chutes",)),
    Host("crusoe", "Crusoe", ("crusoe",), ("crusoe",)),
    Host("gmicloud", "GMI Cloud", ("gmicloud",), ("gmi",)),
    Host("friendli", "FriendliAI", ("friendli",), ("friendliai",)),
    Host("lambda", "Lambda", (), ("lambda_ai",)),
    Host("nscale", "Nscale", (), ("nscale",)),
    Host("io-net", "io.net", ("io-net",)),
    Host("nearai", "NEAR AI", ("nearai",)),
    Host("requesty", "Requesty", ("requesty",)),
    Host("tencent", "Tencent Cloud", ("tencent-tokenhub",), ("tencent",)),
    Host("xiaomi", "Xiaomi", ("xiaomi",), ("xiaomi_mimo",)),
    Host("stepfun", "StepFun", ("stepfun-ai",)),
    Host("inception", "Inception", ("inception",)),
    Host("upstage", "Upstage", ("upstage",)),
    Host("arcee", "Arcee AI", ("arcee",), (), ("arcee",)),
    Host("morph", "Morph", ("morph",), ("morph",)),
    Host("v0", "Vercel v0", ("v0",), ("v0",)),
    Host("amazon", "Amazon Nova", ("nova",), ("amazon_nova",)),
    Host("volcengine", "Volcengine", ("volcengine",), ("volcengine",)),
    Host("cognition", "Cognition", (), ("cognition",)),
    Host("poolside", "Poolside", ("poolside",)),
    Host("sakana", "Sakana AI", ("sakana",)),
    Host("thinkingmachines", "Thinking Machines", ("thinkingmachines",)),
    Host("voyage", "Voyage AI", (), ("voyage",), ("voyageai",)),
    Host("stability", "Stability AI", (), ("stability",)),
    Host("black-forest-labs", "Black Forest Labs", (), ("black_forest_labs",)),
    Host("fal", "fal", (), ("fal_ai",)),
)

MAKER_TITLES = {
    "microsoft": "Microsoft", "ibm": "IBM", "nvidia": "NVIDIA", "baidu": "Baidu", "bytedance": "ByteDance",
    "inclusionai": "inclusionAI", "meituan": "Meituan", "writer": "Writer", "nousresearch": "Nous Research",
    "ai2": "Ai2", "liquid": "Liquid AI", "reka": "Reka", "01-ai": "01.AI", "kwaipilot": "Kwaipilot", "sarvam": "Sarvam",
    "swiss-ai": "Swiss AI", "tii": "TII", "bigcode": "BigCode", "baai": "BAAI", "opengvlab": "OpenGVLab",
    "shanghai-ai-lab": "Shanghai AI Lab", "nomic": "Nomic", "tencent": "Tencent", "alibaba": "Alibaba",
    "amazon": "Amazon", "vercel": "Vercel", "databricks": "Databricks", "local": "this server", "ollama": "Ollama",
}  # fmt: skip


def title(name: str) -> str:
    """A provider's or maker's display name."""
    if name in MAKER_TITLES:
        return MAKER_TITLES[name]
    return next((h.title for h in HOSTS if h.name == name), name.replace("-", " ").title())


def host_names(source: str) -> dict[str, str]:
    """{a source's provider name: ours} for `models.dev`, `rates`, `litellm`, `genai-prices` or `openrouter`."""
    field = {"litellm": 3, "genai-prices": 4}.get(source, 2)
    return {theirs: host.name for host in HOSTS for theirs in host[field]}

"""How the many spellings of one model's name become one key, who made it and what family it is of. Pure."""

import re

RESERVED_IDS = frozenset({
    "auto", "search", "popular", "trending", "new", "compare", "facets", "feed", "rating", "endpoints", "models",
    "sync", "offers", "feed.rss",
})  # fmt: skip
"""Words that are routes under /models, or mean something else as a model's name."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
_REGION = re.compile(r"^(us-gov|us|eu|apac|global|jp|au|ca|sa|uk|in|kr|mx)\.")
_CLOUD_VENDOR = re.compile(
    r"^(anthropic|meta|mistral|amazon|cohere|ai21|deepseek|openai|qwen|google|moonshotai|moonshot|minimax|nvidia|writer|zai|xai"
    r"|stability|twelvelabs|luma)\.(?=[a-z])"
)
_CLOUD_VERSION = re.compile(r"(-v\d+)?:\d+(:\w+)?$|@[\w.]+$")
_DATE = re.compile(r"[-@]?(20[2-3]\d[01]\d[0-3]\d|20[2-3]\d-[01]\d-[0-3]\d)(?!\d)")
_LEADING_VENDOR = (
    "meta-llama-", "meta-", "nvidia-", "ibm-", "amazon-", "mistralai-", "deepseek-ai-", "moonshotai-", "zai-org-",
    "zai-", "databricks-", "anthropic-", "alibaba-", "xai-", "google-", "openai-", "cohere-", "aws-", "microsoft-",
    "qwen-qwen",
)  # fmt: skip
_SERVING_SUFFIXES = (
    "instruct", "it", "hf", "versatile", "instant", "fp8", "fp4", "nvfp4", "bf16", "int8", "int4", "awq", "gptq",
    "maas", "tee", "lora", "latest", "default", "dynamic", "dedicated", "gguf", "tput", "free",
)  # fmt: skip
_TOKEN = re.compile(r"[a-z]+|\d+")

MAKERS: tuple[tuple[str, str, str], ...] = (
    ("gpt-oss", "openai", "gpt-oss"), ("claude", "anthropic", "claude"), ("gemini", "google", "gemini"),
    ("gemma", "google", "gemma"), ("imagen", "google", "imagen"), ("gpt-image", "openai", "gpt-image"),
    ("dall-e", "openai", "dall-e"), ("chatgpt", "openai", "gpt"), ("text-embedding", "openai", "embedding"),
    ("gpt", "openai", "gpt"), ("codex", "openai", "codex"), ("o1", "openai", "o-series"), ("o3", "openai", "o-series"),
    ("o4", "openai", "o-series"), ("codellama", "meta", "llama"), ("llama", "meta", "llama"), ("muse", "meta", "muse"),
    ("mixtral", "mistral", "mixtral"), ("codestral", "mistral", "codestral"), ("devstral", "mistral", "devstral"),
    ("magistral", "mistral", "magistral"), ("ministral", "mistral", "ministral"), ("pixtral", "mistral", "pixtral"),
    ("voxtral", "mistral", "voxtral"), ("open-mi", "mistral", "mistral"), ("mistral", "mistral", "mistral"),
    ("qwen", "alibaba", "qwen"), ("qwq", "alibaba", "qwen"), ("qvq", "alibaba", "qwen"), ("tongyi", "alibaba", "qwen"),
    ("deepseek", "deepseek", "deepseek"), ("grok", "xai", "grok"), ("command", "cohere", "command"),
    ("c4ai", "cohere", "aya"), ("aya", "cohere", "aya"), ("embed-", "cohere", "embed"), ("north", "cohere", "north"),
    ("glm", "zai", "glm"), ("kimi", "moonshotai", "kimi"), ("moonshot", "moonshotai", "kimi"),
    ("minimax", "minimax", "minimax"), ("mimo", "xiaomi", "mimo"), ("nemotron", "nvidia", "nemotron"),
    ("phi", "microsoft", "phi"), ("mai-", "microsoft", "mai"), ("wizardlm", "microsoft", "wizardlm"),
    ("granite", "ibm", "granite"), ("nova", "amazon", "nova"), ("titan", "amazon", "titan"), ("jamba", "ai21", "jamba"),
    ("sonar", "perplexity", "sonar"), ("ernie", "baidu", "ernie"), ("hunyuan", "tencent", "hunyuan"),
    ("hy3", "tencent", "hunyuan"), ("hy4", "tencent", "hunyuan"), ("doubao", "bytedance", "seed"),
    ("seed", "bytedance", "seed"), ("step", "stepfun", "step"), ("ling", "inclusionai", "ling"),
    ("ring", "inclusionai", "ring"), ("longcat", "meituan", "longcat"), ("mercury", "inception", "mercury"),
    ("solar", "upstage", "solar"), ("palmyra", "writer", "palmyra"), ("trinity", "arcee", "trinity"),
    ("laguna", "poolside", "laguna"), ("hermes", "nousresearch", "hermes"), ("olmo", "ai2", "olmo"),
    ("lfm", "liquid", "lfm"), ("liquid", "liquid", "lfm"), ("reka", "reka", "reka"), ("yi-", "01-ai", "yi"),
    ("morph", "morph", "morph"), ("v0", "vercel", "v0"), ("smollm", "huggingface", "smollm"),
    ("voyage", "voyage", "voyage"), ("flux", "black-forest-labs", "flux"), ("stable-", "stability", "stable-diffusion"),
    ("sd3", "stability", "stable-diffusion"), ("dbrx", "databricks", "dbrx"),
    ("inkling", "thinkingmachines", "inkling"), ("fugu", "sakana", "fugu"), ("swe-", "cognition", "swe"),
    ("starcoder", "bigcode", "starcoder"), ("bge", "baai", "bge"), ("internvl", "opengvlab", "intern"),
    ("intern", "shanghai-ai-lab", "intern"), ("nomic", "nomic", "nomic"), ("kat-", "kwaipilot", "kat"),
    ("sarvam", "sarvam", "sarvam"), ("apertus", "swiss-ai", "apertus"), ("falcon", "tii", "falcon"),
)  # fmt: skip
"""Prefix of a bare name -> (maker, family); the first that fits."""


def slug(text: str) -> str:
    """A model id of ours from any name: `[a-z0-9._-]`, never a reserved word."""
    out = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:96] or "model"
    return f"{out}-model" if out in RESERVED_IDS else out


def is_slug(text: str) -> bool:
    """Whether this can be a model id of ours."""
    return _SLUG.fullmatch(text) is not None and text not in RESERVED_IDS


def bare(upstream_id: str) -> str:
    """A provider's model name without path, region, vendor prefix and cloud version: lower case."""
    name = upstream_id.lower().lstrip("~").split("/")[-1]
    name = _REGION.sub("", name)
    name = _CLOUD_VENDOR.sub("", name)
    name = re.sub(r":(free|thinking|extended|beta|nitro|floor|exacto)$", "", name)
    name = _CLOUD_VERSION.sub("", name)
    if "accounts/fireworks" in upstream_id.lower() or "fireworks" in upstream_id.lower():
        name = re.sub(r"(\d)p(\d)", r"\1.\2", name)
    for prefix in _LEADING_VENDOR:
        if name.startswith(prefix) and len(name) > len(prefix) + 2:
            kept = "llama-" if prefix == "meta-llama-" else "qwen" if prefix == "qwen-qwen" else ""
            return kept + name[len(prefix) :]
    return name


def undated(name: str) -> str:
    """The name without a full calendar date (`gpt-4o-2024-08-06` -> `gpt-4o`); short versions (`-2507`, `-0731`) stay."""
    return _DATE.sub("", name)


def key(upstream_id: str) -> str:
    """What is equal for two spellings of the same model: `claude-opus-4.5`, `anthropic.claude-opus-4-5-20251101-v1:0`."""
    name = undated(bare(upstream_id))
    parts = name.replace("_", "-").split("-")
    while (
        len(parts) > 1
        and parts[0] != "gpt"
        and (parts[-1] in _SERVING_SUFFIXES or (parts[-1] == "turbo" and "instruct" in parts))
    ):
        parts.pop()
    if parts[0] not in ("gpt", "davinci"):
        parts = [p for i, p in enumerate(parts) if i == 0 or p not in ("instruct", "it", "hf")]
    tokens = _TOKEN.findall("-".join(parts))
    if tokens and tokens[0] == "claude":
        words, numbers = [t for t in tokens if not t.isdigit()], [t for t in tokens if t.isdigit()]
        if len(numbers) == 2 and numbers[1] == "0":
            numbers.pop()
        tokens = words + numbers
    return "-".join(tokens)


def plain(name: str) -> str:
    """The name without how it is served (`-fp8`, `-maas`, `-free`); `-instruct` stays."""
    parts = name.split("-")
    while (
        len(parts) > 1 and parts[-1] in _SERVING_SUFFIXES and parts[-1] not in ("instruct", "it", "instant")
    ):
        parts.pop()
    return "-".join(parts)


def is_dated(upstream_id: str) -> bool:
    """Whether the name pins a full calendar date."""
    return _DATE.search(bare(upstream_id)) is not None


def maker_and_family(upstream_id: str) -> tuple[str, str]:
    """Who made a model and its family; ("", "") if the name does not say."""
    name = bare(upstream_id)
    for prefix, maker, family in MAKERS:
        if name.startswith(prefix):
            return maker, family
    for prefix, maker, family in MAKERS:
        if f"-{prefix}" in name[:24]:
            return maker, family
    return "", ""

"""PURE: base URLs as operators write them. Clients differ in whether a base URL ends in `/v1`, and so do the people who set one:
`http://host:8000`, `http://host:8000/v1` and a `/v1` too many are the same server.
"""

import re
from urllib.parse import urlsplit

from agent_marketplace.wires.base import WireName

AS_IT_IS = "#"
"""At the end of a base URL: not a word is added or taken away."""

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d*)?")
_ENDS: dict[WireName, tuple[tuple[str, ...], ...]] = {
    "openai": (("chat", "completions"), ("completions",), ("responses",), ("embeddings",)),
    "responses": (("responses",), ("chat", "completions")),
    "anthropic": (("messages",), ("v1",)),
    "gemini": (("models",), ("v1beta",), ("v1",)),
    "ollama": (("chat",), ("generate",), ("api",), ("v1",)),
    "huggingface": (),
}
"""What the wire's own paths say; of more than one, the outer first."""
_UNVERSIONED = frozenset({"inference", "models", "serving-endpoints"})
"""Last words of bases that are known to have no version: GitHub Models, Azure AI Foundry, Databricks."""


def based(url: str, wire: WireName, own: str = "") -> str:
    """The base URL below which the wire's paths stand, without a slash at its end. own: the provider's public one, if it has one."""
    text = url.strip()
    if text.endswith(AS_IT_IS):
        return text.removesuffix(AS_IT_IS).rstrip("/")
    parts = urlsplit(text)
    if not parts.netloc:
        return text.rstrip("/")
    segments = _once([s for s in parts.path.split("/") if s])
    for end in _ENDS[wire]:
        while segments and tuple(segments[-len(end) :]) == end:
            del segments[-len(end) :]
    if wire in ("openai", "responses"):
        segments = _versioned(segments, parts.hostname or "", own)
    return "/".join((f"{parts.scheme}://{parts.netloc}", *segments))


def _once(segments: list[str]) -> list[str]:
    """Without a version that stands twice in a row."""
    return [s for i, s in enumerate(segments) if not (i and s == segments[i - 1] and _VERSION.fullmatch(s))]


def _versioned(segments: list[str], host: str, own: str) -> list[str]:
    public = urlsplit(own)
    usual = [s for s in public.path.split("/") if s]
    if not segments and host == public.hostname:
        return usual
    if any(_VERSION.fullmatch(s) for s in segments) or (segments and segments[-1] in _UNVERSIONED):
        return segments
    if own and not any(_VERSION.fullmatch(s) for s in usual):
        return segments  # a provider whose API has none (Perplexity)
    return [*segments, "v1"]

"""What is publicly known of where providers process data and whether they train on it. What nobody states is unknown.

Read on 2026-11-30, for calls that are paid for: OpenAI, "By default, models are not trained using data from the API"
(openai.com/index/introducing-data-residency-in-asia, 2025-05-07); Anthropic, Commercial Terms of Service of 2025-06-17 and
Google, Gemini API Additional Terms ("Paid Services"), both as quoted by others (conductatlas.com, simonwillison.net of
2024-10-17); Vertex AI and Bedrock, as listed by anteroom.so/commitments. Mistral processes in the USA too since 2025-02-10
(Open Terms Archive), so its region is not known. No region of any other provider was verified. Terms change and may depend
on the account: what is said here is a reason to look, no promise.
"""

from collections.abc import Mapping

import msgspec

from agent_marketplace.catalog.hosts import HERE

__all__ = ["HERE", "Hosting", "hosting", "in_region"]


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """regions: where calls are processed, () if it is not known or depends on the account; trains: None = not known."""

    regions: tuple[str, ...] = ()
    trains: bool | None = None


_KNOWN: Mapping[str, Hosting] = {
    "local": Hosting(regions=("here",), trains=False),
    "ollama": Hosting(regions=("here",), trains=False),
    "openai": Hosting(trains=False),
    "anthropic": Hosting(trains=False),
    "google": Hosting(trains=False),
    "google-vertex": Hosting(trains=False),
    "amazon-bedrock": Hosting(trains=False),
}


def hosting(provider: str) -> Hosting:
    """What is known of a provider."""
    return _KNOWN.get(provider, Hosting())


def in_region(provider: str, region: str) -> bool | None:
    """Whether a provider processes calls in a region; this machine is in every region; None: not known."""
    regions = hosting(provider).regions
    return None if not regions else region in regions or "here" in regions

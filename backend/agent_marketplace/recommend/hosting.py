"""What is publicly known of where providers process data and whether they train on it. Facts that nobody states are unknown.

Sources, read as of November 2026 (documents of the providers): OpenAI "Enterprise privacy" and "Data residency", Anthropic
"Commercial terms of service" (customer content), Google "Gemini API additional terms" (paid services), Microsoft "Data, privacy and
security for Azure OpenAI", AWS "Bedrock data protection", Mistral "Where do you store my data". A provider's terms may change
and may depend on the account: what is said here is a reason to look, no promise.
"""

from collections.abc import Mapping

import msgspec

HERE = frozenset({"local", "ollama"})
"""Providers whose models run on this machine."""


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
    "azure": Hosting(trains=False),
    "amazon-bedrock": Hosting(trains=False),
    "mistral": Hosting(regions=("eu",)),
    "scaleway": Hosting(regions=("eu",)),
    "ovhcloud": Hosting(regions=("eu",)),
}


def hosting(provider: str) -> Hosting:
    """What is known of a provider."""
    return _KNOWN.get(provider, Hosting())


def in_region(provider: str, region: str) -> bool | None:
    """Whether a provider processes calls in a region; this machine is in every region; None: not known."""
    regions = hosting(provider).regions
    return None if not regions else region in regions or "here" in regions

"""Thought signatures: opaque texts that only the family of endpoints that minted them accepts. They travel through clients tagged."""

from agent_marketplace.wires.base import WireName


def tagged(family: WireName, signature: str) -> str:
    """A provider's signature as our clients carry it."""
    return f"{family}#{signature}" if signature else ""


def own(family: WireName, signature: str, wire: WireName | None) -> str:
    """The signature if `family` minted it, else "". An untagged one came straight from the provider of the client's own wire."""
    minted_by, mark, text = signature.partition("#")
    if not mark:
        return signature if wire == family else ""
    return text if minted_by == family else ""

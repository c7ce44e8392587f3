"""Agents that are offered: immutable versions, who may run which, at what price."""

from agent_marketplace.listings.resolving import Resolver, is_agent, parse
from agent_marketplace.listings.spec import FREE, AgentPrice, Limits, Spec, SubAgent, Tool
from agent_marketplace.listings.types import Consent, Head, Pinned, Publisher, Version

__all__ = [
    "FREE",
    "AgentPrice",
    "Consent",
    "Head",
    "Limits",
    "Pinned",
    "Publisher",
    "Resolver",
    "Spec",
    "SubAgent",
    "Tool",
    "Version",
    "is_agent",
    "parse",
]

"""Catalogue: models, their offers at providers, prices with sources, search."""

from agent_marketplace.catalog.ai_marketplace_registry import Availability, MarketplaceRegistry
from agent_marketplace.catalog.models import AIModel, Evidence, Offer, Stats
from agent_marketplace.catalog.query import Page
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot, Source, bundled

__all__ = [
    "AIModel",
    "Availability",
    "Evidence",
    "MarketplaceRegistry",
    "ModelRecord",
    "Offer",
    "Page",
    "Snapshot",
    "Source",
    "Stats",
    "bundled",
]

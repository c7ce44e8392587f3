"""Catalogue: models, their offers at providers, prices with sources and dates, search, refresh, ratings, own traffic."""

from agent_marketplace.catalog.ai_marketplace_registry import Availability, MarketplaceRegistry
from agent_marketplace.catalog.feed import rss
from agent_marketplace.catalog.models import AIModel, Evidence, Offer, Stats
from agent_marketplace.catalog.query import Page
from agent_marketplace.catalog.service import Catalog
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot, Source, bundled
from agent_marketplace.catalog.sync import FEEDS, Feed, FeedReport, Fetched

__all__ = [
    "FEEDS",
    "AIModel",
    "Availability",
    "Catalog",
    "Evidence",
    "Feed",
    "FeedReport",
    "Fetched",
    "MarketplaceRegistry",
    "ModelRecord",
    "Offer",
    "Page",
    "Snapshot",
    "Source",
    "Stats",
    "bundled",
    "rss",
]

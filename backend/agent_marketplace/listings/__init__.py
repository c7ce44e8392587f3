"""Agents that are offered: immutable versions, who may run which, at what price."""

from dataclasses import dataclass

import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger
from agent_marketplace.listings import store
from agent_marketplace.listings.finding import Finding
from agent_marketplace.listings.outcomes import Begun, Fees, Trust
from agent_marketplace.listings.outcomes import store as outcomes
from agent_marketplace.listings.publishing import Publishing
from agent_marketplace.listings.resolving import Resolver, is_agent, parse
from agent_marketplace.listings.shipping import ship
from agent_marketplace.listings.spec import FREE, AgentPrice, Limits, Spec, SubAgent, Tool
from agent_marketplace.listings.types import Consent, Head, Pinned, Publisher, Version
from agent_marketplace.vault import Vault

__all__ = [
    "FREE",
    "AgentPrice",
    "Begun",
    "Consent",
    "Fees",
    "Finding",
    "Head",
    "Limits",
    "Listings",
    "Pinned",
    "Publisher",
    "Publishing",
    "Resolver",
    "Spec",
    "SubAgent",
    "Tool",
    "Trust",
    "Version",
    "erase_user_in",
    "is_agent",
    "parse",
    "ship",
]


@dataclass(frozen=True, slots=True)
class Listings:
    """The parts of this room."""

    resolver: Resolver
    publishing: Publishing
    finding: Finding
    fees: Fees
    trust: Trust

    @classmethod
    def on(
        cls, db: Database, vault: Vault, ledger: Ledger, clock: Clock, *, author_bp: int = 8_000
    ) -> "Listings":
        """Over a database. author_bp: the author's share of a fee, basis points."""
        resolver = Resolver(db, vault, clock)
        return cls(
            resolver,
            Publishing(db, vault, clock, resolver),
            Finding(db, clock),
            Fees(db, ledger, clock, author_bp=author_bp),
            Trust(db, clock),
        )


def erase_user_in(connection: sa.Connection, user_id: str) -> None:
    """Everything of a user here: what they agreed to, said and offered; not what the books need."""
    store.erase_user(connection, user_id)
    outcomes.erase_user(connection, user_id)

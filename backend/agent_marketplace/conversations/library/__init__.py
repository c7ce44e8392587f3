"""What people do with their chats besides talking: folders and tags, links that others can read, prompts kept, chats brought along."""

from dataclasses import dataclass
from typing import Self

from agent_marketplace.clock import Clock
from agent_marketplace.conversations.library.bringing import Bringing, Brought, Catalogue
from agent_marketplace.conversations.library.folders import Folders
from agent_marketplace.conversations.library.prompts import Prompt, Prompts
from agent_marketplace.conversations.library.shares import Share, SharedChat, Shares
from agent_marketplace.db.engine import Database
from agent_marketplace.vault import Vault

__all__ = ["Bringing", "Brought", "Folders", "Library", "Prompt", "Prompts", "Share", "SharedChat", "Shares"]


@dataclass(frozen=True, slots=True)
class Library:
    """The room's four parts."""

    folders: Folders
    prompts: Prompts
    shares: Shares
    bringing: Bringing

    @classmethod
    def on(cls, db: Database, vault: Vault, clock: Clock, catalogue: Catalogue, *, quota: int) -> Self:
        """catalogue: says our id for a model's name; quota: bytes that a user may store; 0 = any."""
        return cls(
            folders=Folders(db, vault),
            prompts=Prompts(db, vault, clock, quota=quota),
            shares=Shares(db, vault, clock),
            bringing=Bringing(db, vault, clock, catalogue, quota=quota),
        )

"""Chat history, agents (named presets) and favourite models."""

from agent_marketplace.conversations.agents import Agents, Favourites
from agent_marketplace.conversations.conversations import Conversations
from agent_marketplace.conversations.export import as_data, export
from agent_marketplace.conversations.types import (
    Agent,
    Conversation,
    ConversationPage,
    Message,
    MessagePage,
    NewMessage,
)

__all__ = [
    "Agent",
    "Agents",
    "Conversation",
    "ConversationPage",
    "Conversations",
    "Favourites",
    "Message",
    "MessagePage",
    "NewMessage",
    "as_data",
    "export",
]

"""Thinking kept for an hour between the steps of a tool loop, sealed, and put back where a client dropped it."""

from agent_marketplace.reasoning.kept import KeptReasoning, Thought

__all__ = ["KeptReasoning", "Thought"]

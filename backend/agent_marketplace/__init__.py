"""AI Agent Marketplace: find, compare, pay for and use AI models and agents."""

__version__ = "0.1.0"

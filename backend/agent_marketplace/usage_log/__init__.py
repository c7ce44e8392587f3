"""What was used: sums by quarter of an hour, questions about them, and every call by itself. Reads the ledger's usage rows only."""

from agent_marketplace.usage_log.usage_log import UsageLog

__all__ = ["UsageLog"]

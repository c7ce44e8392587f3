"""Tools of MCP servers, revisions 2026-07-28 and 2025-11-25, over our own guarded client; what they say is data."""

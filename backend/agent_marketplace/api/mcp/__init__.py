"""The marketplace as a Model Context Protocol server: `POST /mcp`, stateless, for every editor and coding agent at once."""

"""OpenAI chat completions, and every provider that is compatible with them."""

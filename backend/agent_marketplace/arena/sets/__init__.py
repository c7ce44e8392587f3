"""Sets of prompts put to models."""

"""Hugging Face's text generation."""

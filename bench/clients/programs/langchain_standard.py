"""LangChain's standard tests for chat models, unmodified, each class of its own against models of other makers.

Run by `standard.py`. BASE and KEY: our server. What has to come from the network (a picture, a PDF) is switched off.
"""

import os
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

BASE, KEY = os.environ["BASE"], os.environ["KEY"]


class _Standard(ChatModelIntegrationTests):
    NAME = ""
    supports_json_mode = False
    supports_image_inputs = False
    supports_image_urls = False
    supports_image_tool_message = False
    returns_usage_metadata = True
    supports_anthropic_inputs = False
    enable_vcr_tests = False


class _OpenAI(_Standard):
    responses = False

    @property
    def chat_model_class(self) -> type:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        asked = {"model": self.NAME, "base_url": f"{BASE}/v1", "api_key": KEY, "max_retries": 0}
        return asked | (
            {"use_responses_api": True, "store": False} if self.responses else {"stream_usage": True}
        )


class _Anthropic(_Standard):
    supports_anthropic_inputs = True

    @property
    def chat_model_class(self) -> type:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.NAME, "base_url": BASE, "api_key": KEY, "max_retries": 0, "max_tokens": 1000}


class _Ollama(_Standard):
    has_tool_choice = False

    @property
    def chat_model_class(self) -> type:
        return ChatOllama

    @property
    def chat_model_params(self) -> dict[str, Any]:
        headers = {"headers": {"Authorization": f"Bearer {KEY}"}}
        return {"model": self.NAME, "base_url": BASE, "client_kwargs": headers}


class TestChatGpt(_OpenAI):
    NAME = "gpt-5.4"


class TestChatClaude(_OpenAI):
    NAME = "claude-sonnet-4-6"


class TestChatGemini(_OpenAI):
    NAME = "gemini-2.5-flash"


class TestResponsesGpt(_OpenAI):
    NAME, responses = "gpt-5.4", True


class TestResponsesClaude(_OpenAI):
    NAME, responses = "claude-sonnet-4-6", True


class TestAnthropicClaude(_Anthropic):
    NAME = "claude-sonnet-4-6"


class TestAnthropicGpt(_Anthropic):
    NAME = "gpt-5.4"


class TestAnthropicGemini(_Anthropic):
    NAME = "gemini-2.5-flash"


class TestOllamaQwen(_Ollama):
    NAME = "qwen3-8b"


class TestOllamaClaude(_Ollama):
    NAME = "claude-sonnet-4-6"

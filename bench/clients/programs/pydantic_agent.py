"""The task with pydantic-ai: `pydantic_agent.py ORIGIN KEY MODEL PROMPT`."""

import sys

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from tools import ALL

origin, key, name, prompt = sys.argv[1:5]
model = OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{origin}/v1", api_key=key))
print(Agent(model, tools=list(ALL)).run_sync(prompt).output)

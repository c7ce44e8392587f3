"""The task with openai-agents, over the Responses wire, streamed: `openai_agents.py ORIGIN KEY MODEL PROMPT`."""

import asyncio
import sys

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from tools import ALL


async def main(origin: str, key: str, model: str, prompt: str) -> None:
    set_tracing_disabled(disabled=True)
    client = AsyncOpenAI(base_url=f"{origin}/v1", api_key=key)
    agent = Agent(
        name="trial",
        model=OpenAIResponsesModel(model=model, openai_client=client),
        tools=[function_tool(f) for f in ALL],
    )
    running = Runner.run_streamed(agent, prompt)
    async for _ in running.stream_events():
        pass
    print(running.final_output)


asyncio.run(main(*sys.argv[1:5]))

"""The task with LangChain's chat model and its tools: `langchain_agent.py ORIGIN KEY MODEL PROMPT`."""

import sys

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from tools import ALL

origin, key, name, prompt = sys.argv[1:5]
tools = {f.__name__: tool(f) for f in ALL}
model = ChatOpenAI(model=name, base_url=f"{origin}/v1", api_key=key).bind_tools(list(tools.values()))
messages = [HumanMessage(prompt)]
for _ in range(8):
    answer = model.invoke(messages)
    messages.append(answer)
    if not answer.tool_calls:
        break
    messages += [tools[call["name"]].invoke(call) for call in answer.tool_calls]
print(messages[-1].text)

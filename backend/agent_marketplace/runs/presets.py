"""A user's own presets (`agt_…`) as versions that runs can be pinned to; any model's name as an agent of no instructions.

A preset's parameters may hold `agent: {tools, subagents, limits, description}` beside what its model is told.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.conversations.agents import Agents as Presets
from agent_marketplace.conversations.types import Agent
from agent_marketplace.errors import BadRequest
from agent_marketplace.runs.types import MOST, Limits, Spec, ToolRef

FIELD = "agent"
_NAME = re.compile(r"(agt_[0-9a-z]+)(?:@([1-9][0-9]{0,8}))?")
_MOST_TOOLS, _MOST_BELOW = 128, 10


class _Given(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    tools: list[str | ToolRef] = []
    subagents: list[str] = []
    limits: Limits = Limits()
    description: str = ""


def names_agent(name: str) -> bool:
    """Whether a model's name on any wire means an agent."""
    return name.startswith(("agt_", "agent/"))


class PresetAgents:
    """Finds the version of a name. model_exists: whether a model can be called by a name."""

    def __init__(self, presets: Presets) -> None:
        self._presets = presets

    async def spec(self, user_id: str, name: str) -> Spec:
        """Raises NotFound, BadRequest."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise BadRequest("An agent is named agt_… or agt_…@version")
        version = int(found[2]) if found[2] else None
        return spec_of(await self._presets.get(user_id, found[1], version=version))

    async def listed(self, user_id: str) -> list[Spec]:
        """The user's presets; one whose settings are none is left out."""
        found = []
        for agent in await self._presets.list(user_id):
            try:
                found.append(spec_of(agent))
            except BadRequest:
                continue
        return found


def spec_of(agent: Agent) -> Spec:
    """A preset as a version. Raises BadRequest in words that name the field."""
    given = read(agent.parameters.get(FIELD))
    return Spec(
        agent_id=agent.agent_id, version=agent.version, name=agent.name, model=agent.model,
        instructions=agent.instructions, parameters={k: v for k, v in agent.parameters.items() if k != FIELD},
        tools=given["tools"], subagents=given["subagents"], limits=given["limits"], description=given["description"],
    )  # fmt: skip


def read(value: Any) -> Mapping[str, Any]:
    """`{tools, subagents, limits, description}` as a version holds them. Raises BadRequest."""
    try:
        given = msgspec.convert(value if value is not None else {}, _Given)
    except msgspec.ValidationError as e:
        raise BadRequest(f"agent: {e}") from None
    tools = tuple(ToolRef(name=t) if isinstance(t, str) else t for t in given.tools)
    if len(tools) > _MOST_TOOLS or len(given.subagents) > _MOST_BELOW:
        raise BadRequest(f"agent: at most {_MOST_TOOLS} tools and {_MOST_BELOW} agents below it")
    for name in MOST.__struct_fields__:
        if not 1 <= getattr(given.limits, name) <= getattr(MOST, name):
            raise BadRequest(f"agent.limits.{name} must be from 1 to {getattr(MOST, name)}")
    if not all(isinstance(name, str) and len(name) <= 200 for name in given.subagents):
        raise BadRequest("agent.subagents must be names of agents")
    return {
        "tools": tools, "subagents": tuple(given.subagents), "limits": given.limits,
        "description": given.description[:1000],
    }  # fmt: skip


def of_a_model(model: str, value: Any, instructions: str, parameters: Mapping[str, Any]) -> Spec:
    """A run without an agent: a model with tools, pinned all the same. Raises BadRequest."""
    given = read(value)
    return Spec(
        agent_id=model,
        version=1,
        name=model,
        model=model,
        instructions=instructions,
        parameters=dict(parameters),
        **given,
    )

"""Which tools a version's names mean here and now."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.runs.kit import Agents
from agent_marketplace.runs.tools.base import SubAgent, Tool
from agent_marketplace.runs.types import Spec

_WORD = re.compile(r"[^a-z0-9]+")
DEEPEST = 2


class Others(Protocol):
    """Where tools of servers are found."""

    async def of(self, user_id: str, spec: Spec, *, midway: bool = False) -> Mapping[str, Tool]: ...


class Toolbox:
    """Built-in tools, tool servers' tools, and agents below an agent. others: where tools of servers are found."""

    def __init__(self, built_in: Iterable[Tool], agents: Agents, others: Others | None = None) -> None:
        self.built_in = {tool.name: tool for tool in built_in}
        self._agents = agents
        self.others = others

    async def of(
        self,
        user_id: str,
        spec: Spec,
        ancestors: tuple[str, ...] = (),
        depth: int = 0,
        *,
        midway: bool = False,
    ) -> Mapping[str, Tool]:
        """By the name that the model sees. What is gone, or has changed since it was approved, is absent. midway: in a
        run that has its tools already."""
        found: dict[str, Tool] = {
            r.name: self.built_in[r.name] for r in spec.tools if not r.server and r.name in self.built_in
        }
        if self.others is not None and any(r.server for r in spec.tools):
            found |= await self.others.of(user_id, spec, midway=midway)
        if depth < DEEPEST:
            for name in spec.subagents:
                below = await self._below(user_id, name, (*ancestors, spec.agent_id))
                if below is not None:
                    found[_called(below.name, found)] = SubAgent(_called(below.name, found), below)
        return found

    async def _below(self, user_id: str, name: str, ancestors: tuple[str, ...]) -> Spec | None:
        """None where it is gone, or would be an agent below itself."""
        try:
            below = await self._agents.spec(user_id, name)
        except MarketplaceError:
            return None
        return None if below.agent_id in ancestors else below


def _called(name: str, taken: Mapping[str, object]) -> str:
    word = "ask_" + (_WORD.sub("_", name.lower()).strip("_")[:40] or "agent")
    made, number = word, 2
    while made in taken:
        made, number = f"{word}_{number}", number + 1
    return made

"""Every agent that a run can be of: a user's own presets, and those that are offered."""

import msgspec

from agent_marketplace.listings import Listings, Pinned, is_agent
from agent_marketplace.runs.presets import PresetAgents
from agent_marketplace.runs.types import MOST, Limits, Spec, ToolRef


class AllAgents:
    """By `agt_…` or `agent/<publisher>/<slug>`, each also `@n`."""

    def __init__(self, presets: PresetAgents, listings: Listings) -> None:
        self._presets = presets
        self._resolver = listings.resolver
        self._finding = listings.finding

    async def spec(self, user_id: str, name: str) -> Spec:
        """Raises NotFound, BadRequest, Forbidden (consent, suspended, withdrawn), Unavailable."""
        if is_agent(name):
            return spec_of(await self._resolver.resolve(name, user_id))
        return await self._presets.spec(user_id, name)

    async def whole(self, user_id: str, spec: Spec) -> Spec:
        """A version as it was pinned, with the instructions that no row of a run holds. Raises NotFound, Unavailable."""
        if not spec.offered or spec.instructions:
            return spec
        pinned = await self._resolver.pinned(spec.agent_id, spec.version, user_id)
        return msgspec.structs.replace(spec, instructions=pinned.spec.instructions)

    async def stopped(self, spec: Spec) -> bool:
        """The kill switch."""
        return spec.offered and await self._resolver.stopped(spec.agent_id, spec.version)

    async def listed(self, user_id: str) -> list[Spec]:
        """What the user has: presets, and offered agents that they agreed to, without instructions."""
        return [*await self._presets.listed(user_id), *await self.installed(user_id)]

    async def installed(self, user_id: str) -> list[Spec]:
        """Offered agents that the user agreed to, by their path; for lists."""
        return [
            Spec(
                agent_id=f"agent/{head.path}", version=version.version, name=version.spec.name, model=version.spec.model,
                description=version.spec.summary, content_hash=version.content_hash, offered=True,
            )
            for head, version, _ in await self._finding.installed(user_id)
        ]  # fmt: skip


def spec_of(pinned: Pinned) -> Spec:
    """An offered version as a run is pinned to it."""
    said, limits = pinned.spec, pinned.spec.limits
    tools = tuple(
        ToolRef(
            name=t.tool, server="" if t.server == "builtin" else t.server, pin=t.pin, policy=t.policy,
            idempotent=t.idempotent, timeout_s=t.timeout_s,
        )
        for t in said.tools
    )  # fmt: skip
    return Spec(
        agent_id=pinned.agent_id, version=pinned.version, name=pinned.name, model=said.model,
        instructions=said.instructions, parameters=said.parameters, tools=tools,
        subagents=tuple(f"agent/{s.agent}@{s.version}" for s in said.subagents), description=said.summary,
        limits=Limits(
            steps=min(limits.steps, MOST.steps), tool_calls=min(limits.tool_calls, MOST.tool_calls),
            seconds=min(limits.seconds, MOST.seconds),
        ),
        content_hash=pinned.content_hash, offered=True, author_id=pinned.author_id, own=pinned.own, price=pinned.price,
        cap_nano=limits.cap_default_nano, cap_max_nano=limits.cap_max_nano, hosts=tuple(said.hosts),
    )  # fmt: skip

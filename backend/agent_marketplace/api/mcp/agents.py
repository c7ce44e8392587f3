"""The caller's agents as MCP tools: a task in, a run's answer out, within a cap; a hang-up ends the run."""

import re
from collections.abc import Mapping
from typing import Any

from agent_marketplace.api.asgi import ClientGone, Ear
from agent_marketplace.api.mcp.tools import Asker
from agent_marketplace.errors import BadRequest, ProviderFailure
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.types import Spec
from agent_marketplace.wires.base import Message, TextPart

_WORD = re.compile(r"[^a-z0-9]+")
_INPUT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "task": {"type": "string", "minLength": 1, "maxLength": 200_000, "description": "All that the agent needs to know"},
        "cap": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000, "description": "Dollars the run may cost at most"},
    },
    "required": ["task"],
    "additionalProperties": False,
}  # fmt: skip
_OUTPUT: Mapping[str, Any] = {
    "type": "object",
    "properties": {"result": {"type": "string"}, "run_id": {"type": "string"}, "state": {"type": "string"}, "cost": {"type": "number"}},
    "required": ["result", "run_id", "state", "cost"],
}  # fmt: skip


def tool_name(spec: Spec) -> str:
    """`agent_…`: of the offered path or the preset's id, which stay what they are when an agent is renamed."""
    return (
        "agent_"
        + _WORD.sub("_", spec.agent_id.removeprefix("agent/").removeprefix("agt_").lower()).strip("_")[:56]
    )


async def listed(asker: Asker) -> list[dict[str, Any]]:
    """Tools of the caller's agents, in a stable order."""
    if "inference" not in asker.principal.scopes:
        return []
    found = {
        tool_name(spec): spec for spec in await asker.market.runs.kit.agents.listed(asker.principal.user_id)
    }
    return [
        {
            "name": name, "title": found[name].name,
            "description": f"Runs the agent {found[name].name}. {found[name].description}".strip(), "inputSchema": _INPUT,
            "outputSchema": _OUTPUT,
            "annotations": {
                "title": found[name].name, "readOnlyHint": False, "destructiveHint": False, "idempotentHint": False,
                "openWorldHint": True,
            },
        }
        for name in sorted(found)
    ]  # fmt: skip


async def call(asker: Asker, name: str, arguments: Any) -> dict[str, Any]:
    """A run's answer. Raises MarketplaceError, ClientGone."""
    market, user = asker.market, asker.principal
    user.require("inference")
    known = {tool_name(spec): spec.agent_id for spec in await market.runs.kit.agents.listed(user.user_id)}
    given = arguments if isinstance(arguments, dict) else {}
    task, cap = given.get("task"), given.get("cap")
    if name not in known or set(given) - {"task", "cap"}:
        raise BadRequest("No such agent, or an argument that is not task or cap")
    if not isinstance(task, str) or not 0 < len(task) <= 200_000:
        raise BadRequest("task must be a text")
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int | float) or not 0 < cap <= 1000):
        raise BadRequest("cap must be an amount of dollars")
    spec = await market.runs.kit.agents.spec(user.user_id, known[name])
    wanted = Wanted(
        spec=spec, messages=(Message("user", (TextPart(task),)),), user_id=user.user_id, key_id=user.key_id, wire="mcp",
        cap_nano=None if cap is None else nano(cap), attended=False,
    )  # fmt: skip
    head, live = await market.runs.start(wanted)
    if live is not None:
        ear = Ear(asker.scope, live)
        try:
            await live.over()
        finally:
            ear.close()
        if ear.heard:
            raise ClientGone
    ended = await market.runs.kit.records.head(head.run_id)
    if ended.state == "failed":
        raise ProviderFailure(f"The agent's run failed: {ended.stop_reason}", extra={"run_id": head.run_id})
    result = await market.runs.kit.records.result(ended) or ""
    return {"result": result, "run_id": head.run_id, "state": ended.state, "cost": dollars(ended.spent_nano)}

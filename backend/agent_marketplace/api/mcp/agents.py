"""The caller's agents as MCP tools: a task in, a run's answer out, within a cap; a hang-up ends the run.

A client that asks its user (elicitation) is asked for leave and for a higher cap, and answers by its call again (2026-07-28) or by a
message of its own (`conversing`); for others calls that need leave are refused at once.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace.api.asgi import ClientGone, Ear
from agent_marketplace.api.mcp.protocol import Request, answered, elicits, input_required
from agent_marketplace.api.mcp.tools import Asker
from agent_marketplace.errors import BadRequest, Conflict, ProviderFailure
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.runs import questions
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.service import Taken, Wanted
from agent_marketplace.runs.types import Approval, Head, Spec, digest
from agent_marketplace.wires.base import Message, TextPart

WIRE, LEAVE, CAP = "mcp", "leave", "cap"
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


def names_of(specs: Sequence[Spec]) -> dict[str, Spec]:
    """By `agent_…`: of the offered path or the preset's id, which stay what they are when an agent is renamed. Where two would have
    one name, all of them end in digits of a hash: none stands for another."""
    plain = [
        "agent_" + _WORD.sub("_", s.agent_id.removeprefix("agent/").removeprefix("agt_").lower()).strip("_")
        for s in specs
    ]
    found = {}
    for spec, name in zip(specs, plain, strict=True):
        alone = len(name) <= 62 and plain.count(name) == 1
        found[name if alone else f"{name[:53]}_{digest(spec.agent_id)[:8]}"] = spec
    return found


async def listed(asker: Asker) -> list[dict[str, Any]]:
    """Tools of the caller's agents, in a stable order."""
    if "inference" not in asker.principal.scopes:
        return []
    found = names_of(await asker.market.runs.kit.agents.listed(asker.principal.user_id))
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


async def call(asker: Asker, name: str, asked: Request) -> dict[str, Any]:
    """A run's answer, or what its client is to ask its user first. Raises MarketplaceError, ClientGone."""
    asker.principal.require("inference")
    state = asked.params.get("requestState")
    if state is not None:
        return await _again(asker, str(state), asked)
    head, live = await asker.market.runs.start(await wanted(asker, name, asked))
    return await _ended(asker, head.run_id, live, asked)


async def wanted(asker: Asker, name: str, asked: Request) -> Wanted:
    """The run that a call begins. Raises BadRequest, NotFound, Forbidden."""
    market, user, arguments = asker.market, asker.principal, asked.params.get("arguments")
    known = names_of(await market.runs.kit.agents.listed(user.user_id))
    given = arguments if isinstance(arguments, dict) else {}
    task = given.get("task")
    if name not in known or set(given) - {"task", "cap"}:
        raise BadRequest("No such agent, or an argument that is not task or cap")
    if not isinstance(task, str) or not 0 < len(task) <= 200_000:
        raise BadRequest("task must be a text")
    spec = await market.runs.kit.agents.spec(user.user_id, known[name].agent_id)
    return Wanted(
        spec=spec, messages=(Message("user", (TextPart(task),)),), user_id=user.user_id, key_id=user.key_id, wire=WIRE,
        cap_nano=_cap(given.get("cap")), attended=elicits(asked),
    )  # fmt: skip


def _cap(cap: Any) -> int | None:
    """Nano-dollars. Raises BadRequest."""
    if cap is None:
        return None
    if isinstance(cap, bool) or not isinstance(cap, int | float) or not 0 < cap <= 1000:
        raise BadRequest("cap must be an amount of dollars")
    return nano(cap)


async def _again(asker: Asker, state: str, asked: Request) -> dict[str, Any]:
    """The call once more, with its user's answer. `state` is the client's word: it opens nothing that its key might not steer, and a
    code in it is held against what the run asks now. Raises NotFound, Forbidden, Conflict, BadRequest."""
    runs, user = asker.market.runs, asker.principal
    run_id, _, code = state.partition(" ")
    await runs.may_steer(run_id, user.user_id, user.key_id)
    head = await runs.kit.records.head(run_id, user.user_id)
    lives: list[Live] = []
    if head.wire != WIRE:
        raise BadRequest("requestState: not of a call like this")
    if head.state == "waiting":
        await leave(asker, run_id, code, answered(asked.params, LEAVE), lives.append)
    elif head.state == "paused" and (given := answered(asked.params, CAP)) is not None:
        await raise_cap(asker, run_id, given, lives.append)
    else:  # over, or its user wants no more of it: what it has is the answer
        return await result(asker, run_id)
    return await _ended(asker, run_id, lives[0] if lives else None, asked)


async def leave(
    asker: Asker, run_id: str, code: str, given: Mapping[str, Any] | None, taken: Taken | None = None
) -> None:
    """A user's word on the very calls that `code` is about. Raises Conflict where others are asked about now."""
    pending = await _pending(asker, run_id)
    if code != questions.code_of(pending):
        raise Conflict("The run asks about another call now", code="approval_stale")
    answers = {a.approval_id: (a.subject_hash, (given or {}).get("allow") is True) for a in pending}
    await asker.market.runs.decide(run_id, asker.principal.user_id, answers, taken=taken)


async def raise_cap(asker: Asker, run_id: str, given: Mapping[str, Any], taken: Taken | None = None) -> None:
    """A user's higher cap. Raises BadRequest, Conflict."""
    cap = _cap(given.get("cap")) or 0
    await asker.market.runs.raise_cap(run_id, asker.principal.user_id, cap, taken=taken)


async def _pending(asker: Asker, run_id: str) -> list[Approval]:
    found = await asker.market.runs.kit.records.approvals(run_id)
    return [a for a in found if a.state == "pending"]


async def _ended(asker: Asker, run_id: str, live: Live | None, asked: Request) -> dict[str, Any]:
    if live is not None:
        ear = Ear(asker.scope, live)
        try:
            await live.over()
        finally:
            ear.close()
        if ear.heard:
            raise ClientGone
    head = await asker.market.runs.kit.records.head(run_id)
    return await question(asker, head, asked) or await result(asker, run_id)


async def question(asker: Asker, head: Head, asked: Request) -> dict[str, Any] | None:
    """What the client's user is to be asked about a run, as `input_required`; None where there is nothing."""
    records, run_id = asker.market.runs.kit.records, head.run_id
    if head.state == "waiting":
        pending = await _pending(asker, run_id)
        words = questions.question(pending, await records.steps(head))
        form = {
            "allow": {"type": "boolean", "title": "Allow", "description": "Whether the run may make the call"}
        }
        return input_required(LEAVE, words, form, f"{run_id} {questions.code_of(pending)}")
    if head.state == "paused" and head.stop_reason == "cap_reached" and elicits(asked):
        words = (
            f"The run has reached its cap of ${dollars(head.cap_nano or 0):f}. With a higher one it goes on."
        )
        form = {
            "cap": {"type": "number", "title": "New cap", "description": "Dollars the run may cost in all"}
        }
        return input_required(CAP, words, form, run_id)
    return None


async def result(asker: Asker, run_id: str) -> dict[str, Any]:
    """A run's answer. Raises ProviderFailure where it failed."""
    records = asker.market.runs.kit.records
    ended = await records.head(run_id)
    if ended.state == "failed":
        raise ProviderFailure(f"The agent's run failed: {ended.stop_reason}", extra={"run_id": run_id})
    text = await records.result(ended) or ""
    return {"result": text, "run_id": run_id, "state": ended.state, "cost": dollars(ended.spent_nano)}

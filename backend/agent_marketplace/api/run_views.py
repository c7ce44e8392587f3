"""Runs as our API shows them, and bodies that ask for one."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.present import iso
from agent_marketplace.api.v1.agent_body import call_of, parameters, text
from agent_marketplace.app import Market
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.runs.presets import FIELD, names_agent, of_a_model
from agent_marketplace.runs.sanity import visible
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.types import OF_MODELS, Approval, Head, Spec, Step
from agent_marketplace.vault import CannotOpen

_OURS = frozenset(
    {"input", "messages", "cap", "wait", "agent", "instructions", "attended", "model", "agent_id"}
)
_SHOWN = 4_000  # characters of arguments and results


async def wanted_of(
    market: Market, principal: Principal, body: Mapping[str, Any], idem_key: str | None
) -> Wanted:
    """The run that a body of `POST /runs` asks for. Raises BadRequest, NotFound."""
    spec = await _spec(market, principal, body)
    messages = body.get("messages")
    if messages is None:
        messages = [{"role": "user", "content": text(body, "input", limit=1_000_000, required=True)}]
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages must be a list with at least one message")
    call = call_of(market.codecs["openai"], spec.model, messages, {}, stream=True)
    if idem_key is not None and not 0 < len(idem_key) <= 255:
        raise BadRequest("Idempotency-Key must be 1 to 255 characters")
    return Wanted(
        spec=spec, messages=call.messages, user_id=principal.user_id, key_id=principal.key_id, wire="runs",
        cap_nano=cap_of(body.get("cap")), attended=body.get("attended") is not False, idem_key=idem_key,
        run_id=await _run_id(market, body),
    )  # fmt: skip


async def _run_id(market: Market, body: Mapping[str, Any]) -> str:
    given = text(body, "run_id", limit=80)
    if given:
        await market.runs.chats.check(given, "")
    return given or ""


async def _spec(market: Market, principal: Principal, body: Mapping[str, Any]) -> Spec:
    name = text(body, "agent_id", limit=200) or text(body, "model", limit=200)
    if not name:
        raise BadRequest("model or agent_id is required")
    if names_agent(name):
        if body.get(FIELD) is not None:
            raise BadRequest("agent is part of the agent's version: change it there")
        return await market.runs.kit.agents.spec(principal.user_id, name)
    given = {k: v for k, v in parameters(body).items() if k not in _OURS}
    return of_a_model(name, body.get(FIELD), text(body, "instructions") or "", given)


def cap_of(value: Any) -> int | None:
    """An amount of dollars as nano-dollars; None where none is given. Raises BadRequest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadRequest("cap must be an amount of dollars")
    try:
        return nano(value)
    except ValueError:
        raise BadRequest("cap must be an amount of dollars") from None


def line(head: Head) -> dict[str, Any]:
    """A run without its steps."""
    return {
        "run_id": head.run_id, "parent_run_id": head.parent_run_id, "agent_id": head.agent_id, "version": head.agent_version,
        "pin": head.pin, "state": head.state, "stop_reason": head.stop_reason,
        "cap": None if head.cap_nano is None else dollars(head.cap_nano), "spent": dollars(head.spent_nano),
        "reserved": dollars(head.reserved_nano), "attended": bool(head.attended), "created_at": iso(head.created_at),
        "expires_at": iso(head.expires_at), "ended_at": iso(head.ended_at),
    }  # fmt: skip


async def whole(market: Market, head: Head) -> dict[str, Any]:
    """A run with its steps, its answer and what it asks."""
    records = market.runs.kit.records
    steps = await records.steps(head)
    asked = [a for a in await records.approvals(head.run_id) if a.state == "pending"]
    try:
        name = (await records.context(head)).spec.name
    except CannotOpen:
        name = head.agent_id
    return {
        **line(head), "name": name, "result": await records.result(head), "steps": [step_of(s) for s in steps],
        "approvals": [question(a, steps) for a in asked],
    }  # fmt: skip


async def exported(market: Market, head: Head) -> dict[str, Any]:
    """A run with all that it holds of its user's: what was asked, every step uncut, the answer."""
    records = market.runs.kit.records
    try:
        asked = msgspec.to_builtins((await records.context(head)).messages)
    except CannotOpen:
        asked = None
    steps = [{**step_of(s), "arguments": s.args, "result": s.result} for s in await records.steps(head)]
    return {**line(head), "asked": asked, "steps": steps, "result": await records.result(head)}


def step_of(step: Step) -> dict[str, Any]:
    """A step; its texts are cut."""
    result = None
    if step.result is not None:
        result = step.said.text if step.kind in OF_MODELS else step.got.text
    return {
        "step": step.n, "kind": step.kind, "name": step.name, "state": step.state, "asked_by": step.asked_by,
        "cost": dollars(step.cost_nano), "reserved": dollars(step.reserved_nano if step.state == "started" else 0),
        "arguments": None if step.args is None else visible(step.args[:_SHOWN]), "result": None if result is None else result[:_SHOWN],
        "request_id": step.request_id, "error": step.error_class, "payee": step.payee,
        "started_at": iso(step.started_at), "ended_at": iso(step.ended_at),
    }  # fmt: skip


def question(asked: Approval, steps: Sequence[Step]) -> dict[str, Any]:
    """What one approval asks; an answer names its `subject`."""
    step = next((s for s in steps if s.n == asked.n), None)
    return {
        "approval_id": asked.approval_id, "run_id": asked.run_id, "step": asked.n, "name": step.name if step else "",
        "arguments": visible((step.args or "")[:_SHOWN]) if step else "", "subject": asked.subject_hash,
        "most": dollars(asked.most_nano), "expires_at": iso(asked.expires_at),
    }  # fmt: skip


async def questions(market: Market, user_id: str, asked: Sequence[Approval]) -> list[dict[str, Any]]:
    """The inbox."""
    records, found = market.runs.kit.records, []
    for approval in asked[:200]:
        head = await records.head(approval.run_id, user_id)
        shown = question(approval, await records.steps(head))
        found.append({**shown, "agent_id": head.agent_id})
    return found

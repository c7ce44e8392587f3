"""What a run came to, step by step: who was paid how much for what, and that it is what the ledger says."""

from typing import Any

from agent_marketplace.errors import NotFound
from agent_marketplace.ledger import Ledger, dollars, fee_request
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.store import tree
from agent_marketplace.runs.types import OF_MODELS, Head, Step


async def receipt(records: Records, ledger: Ledger, head: Head) -> dict[str, Any]:
    """The receipt of a run with the runs below it. `agrees`: every model step's cost is what the ledger posted for it."""
    heads = await records.read(lambda c: tree(c, head.run_id)) if not head.depth else [head]
    agrees, posted, shown = True, 0, []
    for run in heads:
        steps = []
        for step in await records.steps(run):
            charged = await _posted(ledger, run, step)
            if charged is not None:
                posted += charged
                agrees = agrees and charged == step.cost_nano
            steps.append(_line(step))
        fee = run.fee_nano if run.ended_at is not None else 0
        if fee:
            charged = (await ledger.receipt(fee_request(run.run_id), run.user_id)).charge_nano
            posted, agrees = posted + charged, agrees and charged == fee
        shown.append(
            {
                "run_id": run.run_id, "agent_id": run.agent_id, "version": run.agent_version, "pin": run.pin,
                "parent_run_id": run.parent_run_id, "state": run.state, "stop_reason": run.stop_reason,
                "cost": dollars(run.own_nano), "fee": dollars(fee), "steps": steps,
            }
        )  # fmt: skip
    return {
        "run_id": head.run_id, "cap": None if head.cap_nano is None else dollars(head.cap_nano),
        "spent": dollars(head.spent_nano), "reserved": dollars(head.reserved_nano), "posted": dollars(posted),
        "agrees": agrees, "runs": shown, "final": head.ended_at is not None,
    }  # fmt: skip


async def _posted(ledger: Ledger, run: Head, step: Step) -> int | None:
    """What the ledger charged for a model step; None for other steps, and for calls that were never admitted."""
    if step.kind not in OF_MODELS or step.request_id is None or step.state == "started":
        return None
    try:
        return (await ledger.receipt(step.request_id, run.user_id)).charge_nano
    except NotFound:
        return 0


def _line(step: Step) -> dict[str, Any]:
    return {
        "step": step.n, "kind": step.kind, "name": step.name, "state": step.state, "cost": dollars(step.cost_nano),
        "payee": step.payee, "arguments_sha256": step.args_hash, "request_id": step.request_id, "error": step.error_class,
        "started_at": step.started_at, "ended_at": step.ended_at,
    }  # fmt: skip

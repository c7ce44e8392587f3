"""An agent's side of a comparison: a run of it, within a cap, with nobody there to give leave for its calls.

A run outlives the process that began it, so nobody waits here for its end: whoever reads the comparison finds it.
"""

from typing import Any

import msgspec

from agent_marketplace.app import Market
from agent_marketplace.arena import Comparison, Outcome
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.gateway import preferences
from agent_marketplace.ledger import dollars
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.types import OF_MODELS, OVER, Head, Spec
from agent_marketplace.wires.base import Call, Message, TextPart

WIRE = "compare"


async def begin(
    market: Market, user_id: str, key_id: str | None, run_id: str, spec: Spec, call: Call
) -> Live:
    """The run of a side. Raises what `Runs.start` raises."""
    wanted = Wanted(
        spec=spec, messages=call.messages, user_id=user_id, key_id=key_id, wire=WIRE, attended=False, run_id=run_id,
        cap_nano=preferences.parse(call.routing).max_cost,
    )  # fmt: skip
    _, live = await market.runs.start(wanted)
    if live is None:
        raise AssertionError("only an idempotency key finds a run that is not driven here")
    return live


async def estimate(market: Market, user_id: str, spec: Spec, call: Call) -> dict[str, Any]:
    """As the router's estimate of a call: usual and long are of the first step with the fee, the most is the run's cap."""
    told = Message("system", (TextPart(spec.instructions),))
    whole = msgspec.structs.replace(
        call,
        messages=(told, *call.messages) if spec.instructions else call.messages,
        max_tokens=call.max_tokens or spec.limits.step_tokens,
    )
    found = await market.router.estimate(user_id, whole)
    fee = 0 if spec.own else spec.price.max_fee_nano
    cap = preferences.parse(call.routing).max_cost
    most = dollars(spec.cap_nano if cap is None else cap)
    before = found["estimate"]
    sums = {name: min(before[name] + dollars(fee), most) for name in ("p50", "p95")}
    return {**found, "estimate": {**before, **sums, "maximum": most}}


async def settled(market: Market, user_id: str, found: Comparison) -> Comparison:
    """The comparison with the answers of runs that have ended meanwhile."""
    records, ended = market.runs.kit.records, False
    for answer in found.answers:
        if answer.status != "running" or answer.request_id:
            continue
        try:
            head = await records.head(answer.run_id, user_id)
        except NotFound:  # deleted before anybody had read its answer here
            gone = {"error": {"code": "not_found", "error": "The run was deleted"}}
            outcome = Outcome(content="", status="failed", cost_nano=0, extra=gone)
        else:
            if head.state not in (*OVER, "paused"):
                continue
            outcome = await _outcome(market, head)
        await market.comparisons.finish(user_id, found.comparison_id, answer.side, answer.run_id, outcome)
        ended = True
    return await market.comparisons.get(user_id, found.comparison_id) if ended else found


async def _outcome(market: Market, head: Head) -> Outcome:
    records = market.runs.kit.records
    text, steps = await records.result(head) or "", await records.steps(head)
    spoke = [s.said for s in steps if s.kind in OF_MODELS]
    whole = head.state == "done" and head.stop_reason == "stop" and bool(text)
    used = {"input_tokens": sum(s.input for s in spoke), "output_tokens": sum(s.output for s in spoke)}
    extra: dict[str, Any] = {
        "finish_reason": head.stop_reason, "usage": {**used, "estimated": False}, "timings": {"total_ms": head.active_ms},
    }  # fmt: skip
    if not whole and not text:
        words = f"The agent's run ended without an answer: {head.stop_reason or head.state}"
        extra["error"] = {"code": head.stop_reason or head.state, "error": words}
    return Outcome(
        content=text, status="ok" if whole else "partial" if text else "failed", cost_nano=head.spent_nano, extra=extra
    )  # fmt: skip


def refuse_blind() -> None:
    """Raises BadRequest."""
    raise BadRequest(
        "An agent that is run can't be compared blind: its steps say who it is", code="agent_needs_run"
    )

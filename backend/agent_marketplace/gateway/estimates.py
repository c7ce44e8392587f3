"""What a call will cost before it is made: p50 to p95 of the usual answer, and the most it can cost."""

import logging
from typing import Any

import msgspec

from agent_marketplace.gateway import needs, sizing
from agent_marketplace.gateway.parts import OutputRange, Parts
from agent_marketplace.gateway.plan import Plan, Target
from agent_marketplace.gateway.preferences import parse
from agent_marketplace.gateway.preparing import measured
from agent_marketplace.gateway.sizing import Asked
from agent_marketplace.ledger import dollars
from agent_marketplace.recommend.question import Expected
from agent_marketplace.wires.base import Call

log = logging.getLogger(__name__)
_DEFAULT_MOST = 8192


def with_effort(call: Call, plan: Plan) -> Call:
    """The call at the effort that `auto` chose; what the caller set itself stands."""
    effort = plan.chosen.effort if plan.chosen is not None else None
    if effort is None or call.reasoning_effort is not None or call.reasoning_max_tokens is not None:
        return call
    return msgspec.structs.replace(call, reasoning_effort=effort)


async def estimate(parts: Parts, user_id: str, call: Call) -> dict[str, Any]:
    """Raises what planning raises (unknown model, nothing that could answer); a short wallet is `affordable: false`, no error."""
    tokens, forms = await measured(call, None)
    asked = Asked(call=call, needs=needs.read(call, tokens), input_tokens=tokens, forms=forms)
    plan = await parts.planner.plan(user_id, call, asked.needs, parse(call.routing))
    target = plan.attempts[0].target
    call = with_effort(call, plan)
    p50, p95, most = _capped(parts.output_range(target.model, call, user_id), call, target)
    wallet = await parts.ledger.balance(user_id)
    p95_cost = sizing.estimate(asked, target, p95)
    return {
        "estimate": {
            "p50": dollars(sizing.estimate(asked, target, p50)),
            "p95": dollars(p95_cost),
            "maximum": dollars(sizing.bound(asked, target, most)),
            "input_tokens": tokens,
            "output_tokens": {"p50": p50, "p95": p95, "maximum": most},
        },
        "model": target.model,
        "auto": None if plan.chosen is None else plan.chosen._asdict(),
        "provider": target.provider,
        "own_key": target.credential == "byok",
        "affordable": target.free or p95_cost <= wallet.available,
        "max_affordable_tokens": (
            most
            if target.free or target.price is None
            else sizing.affordable_tokens(asked, target, wallet.available)
        ),
        "balance": dollars(wallet.balance),
    }


async def most(parts: Parts, user_id: str, call: Call) -> int:
    """The most a call can cost at the cheapest way it may take, nano-dollars. Raises what planning raises."""
    tokens, forms = await measured(call, None)
    asked = Asked(
        call=call, needs=needs.read(call, tokens), input_tokens=tokens, forms=forms,
        broken=parts.bounds.broken_for(call),
    )  # fmt: skip
    plan = await parts.planner.plan(user_id, call, asked.needs, parse(call.routing))
    return sizing.least(asked, plan)


def _capped(expected: Expected, call: Call, target: Target) -> tuple[int, int, int]:
    """Output tokens of all choices together: usual, long (p95), and the most that may come."""
    most = call.max_tokens or target.max_output or _DEFAULT_MOST
    choices = max(1, call.n or 1)
    return choices * min(expected.p50, most), choices * min(expected.p95, most), choices * most


def note(usual: OutputRange, asked: Asked, target: Target, user_id: str) -> dict[str, Any] | None:
    """The estimate that goes on the receipt, to be compared with what was charged, and what it was read from."""
    try:
        expected = usual(target.model, asked.call, user_id)
        p50, p95, most = _capped(expected, asked.call, target)
        return {
            "p50": dollars(sizing.estimate(asked, target, p50)),
            "p95": dollars(sizing.estimate(asked, target, p95)),
            "maximum": dollars(sizing.bound(asked, target, most)),
            "task": expected.task,
            "effort": expected.effort,
        }
    except Exception:  # it is a courtesy: whatever fails in making it, the call goes on without
        log.exception("no estimate for a call of %s", target.model)
        return None

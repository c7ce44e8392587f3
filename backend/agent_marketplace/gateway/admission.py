"""Before a call is sent: what it asks for, which attempts it gets, and the money that is held for them. Writes no record: what a
step returns is what the flight notes."""

from typing import Any, NamedTuple

import msgspec

from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway import betas, estimates
from agent_marketplace.gateway.holding import Holding
from agent_marketplace.gateway.parts import Job, Parts
from agent_marketplace.gateway.plan import Plan
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.gateway.record import GatewayRequest
from agent_marketplace.gateway.sizing import Asked, Held
from agent_marketplace.wires.base import Call

_MOVED = "the balance does not cover the model that was asked for"


class Planned(NamedTuple):
    """asked.call: the call as it goes on, with the effort that `auto` chose. detail: what the receipt says of it."""

    asked: Asked
    plan: Plan
    detail: dict[str, Any]

    @property
    def call(self) -> Call:
        """The call as it goes on."""
        return self.asked.call


class Taken(NamedTuple):
    """moved_because: why the plan is another one than was asked for, "" where it is not."""

    asked: Asked
    plan: Plan
    hold: Held
    moved_because: str = ""


async def planned(parts: Parts, request: GatewayRequest, wishes: Preferences, job: Job) -> Planned:
    """The measured call and its attempts. Raises what planning raises; no money is held yet."""
    wants, tokens, forms = await job.measure(parts, request)
    parts.bounds.check(request.user_id, unsized=bool(forms.unsized))
    asked = Asked(
        call=request.call, needs=wants, input_tokens=tokens, forms=forms, max_cost=wishes.max_cost,
        broken=parts.bounds.broken_for(request.call), lowers=_may_be_lowered(parts, request, wishes),
        long_context=betas.long_context(request.betas),
    )  # fmt: skip
    plan = await parts.planner.plan(
        request.user_id, request.call, wants, wishes, free_fallback=request.agents
    )
    detail: dict[str, Any] = {}
    if plan.chosen is not None:
        detail["auto"] = plan.chosen._asdict()
        asked = msgspec.structs.replace(asked, call=estimates.with_effort(request.call, plan))
    target = plan.attempts[0].target
    teaches = bool(asked.call.messages) and parts.sampling.due(request.user_id, target.model)
    # Before the hold: whatever making it costs or breaks, no money is held yet.
    if (request.agents or teaches) and (
        noted := estimates.note(parts.output_range, asked, target, request.user_id)
    ) is not None:
        detail["estimate"] = noted
    return Planned(asked, plan, detail)


async def held(parts: Parts, holding: Holding, asked: Asked, plan: Plan, wishes: Preferences) -> Taken:
    """The hold for the plan, or for the free one that the caller takes instead. Raises PaymentRequired, RateLimited."""
    try:
        return await _taken(parts, holding, asked, plan)
    except PaymentRequired as refused:
        free = parts.planner.free_plan(asked.call, asked.needs, wishes) if wishes.on_empty_free else None
        if free is None or refused.code == "max_cost_exceeded":
            raise
        return (await _taken(parts, holding, asked, free))._replace(moved_because=_MOVED)


async def _taken(parts: Parts, holding: Holding, asked: Asked, plan: Plan) -> Taken:
    if asked.needs.output_tokens is None:
        models = {a.target.model for a in plan.attempts}
        asked = msgspec.structs.replace(asked, usual={m: parts.usual_output(m) for m in models})
    call = asked.call
    kept, hold = await holding.take(asked, plan, lambda: parts.planner.free_alternative(call))
    return Taken(asked, kept, hold)


def _may_be_lowered(parts: Parts, request: GatewayRequest, wishes: Preferences) -> bool:
    """Whether a length that can't be held becomes what can: agents ask for 32,000 tokens by habit. Not on our own API, and not
    where the caller has said what is to happen instead."""
    wished = wishes.max_cost is not None or wishes.on_empty_free
    return parts.lowers_length and not request.agents and not wished

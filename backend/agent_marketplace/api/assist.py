"""POST /recommendations: the engine's picks in the guide's shape."""

from typing import Any

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.schemas import Attachment, Recommend
from agent_marketplace.app import Market


async def recommend(market: Market, principal: Principal, body: Recommend) -> dict[str, Any]:
    """Analysis and picks, within what the caller's wallet and keys allow."""
    attachments = tuple(a.kind if isinstance(a, Attachment) else a for a in body.attachments)
    advice = await market.engine.recommend(
        principal.user_id,
        body.task,
        body.limit,
        priority=body.priority,
        max_cost=body.max_cost,
        input_tokens=body.input_tokens,
        attachments=attachments,
        require=tuple(body.require),
        available_nano=(await market.ledger.balance(principal.user_id)).available,
    )
    return {
        "analysis": advice.analysis,
        "recommendations": [{**pick, "model": pick["model"].to_dict()} for pick in advice.recommendations],
        "blocked": [{**pick, "model": pick["model"].to_dict()} for pick in advice.blocked],
    }

"""POST /recommendations: the engine's picks in the guide's shape."""

from typing import Any

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import listing_views, second_opinion
from agent_marketplace.api.schemas import Attachment, Recommend
from agent_marketplace.app import Market
from agent_marketplace.listings import Head, Version

_CONDITIONS = (
    "budget", "calls", "output_tokens", "context", "deadline_s", "offline", "no_training", "region", "open_weights", "free", "model",
    "language", "output",
)  # fmt: skip
_LISTS = ("makers", "exclude_makers", "exclude_models")


async def recommend(market: Market, principal: Principal, body: Recommend) -> dict[str, Any]:
    """Analysis and picks, within what the caller's wallet and keys allow."""
    attachments = tuple(a.kind if isinstance(a, Attachment) else a for a in body.attachments)
    said: dict[str, Any] = {name: getattr(body, name) for name in _CONDITIONS}
    said |= {name: tuple(v.strip().lower() for v in getattr(body, name)) for name in _LISTS}
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
        effort=body.effort,
        said=said,
        ignore=tuple(body.ignore),
        settle=second_opinion.asker(market, principal, wanted=body.settle),
    )
    return {
        "analysis": advice.analysis,
        "recommendations": _with_cards(advice.recommendations),
        "blocked": _with_cards(advice.blocked),
        "understood": advice.understood,
        "conditions": advice.conditions,
        "notes": advice.notes,
        "nearest": _with_cards(advice.nearest),
        "what_if": advice.what_if,
        "settled": advice.settled,
        "agents": [
            _agent(*found, market.clock.now_ms())
            for found in await market.listings.finding.suggest(body.task)
        ],
    }


def _agent(head: Head, version: Version, now: int) -> dict[str, Any]:
    """An agent that fits the task."""
    return {
        "model": f"agent/{head.path}",
        "name": version.spec.name,
        "summary": version.spec.summary,
        "price": listing_views.price(version.price_at(now)),
    }


def _with_cards(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "model": entry["model"].to_dict()} for entry in found]

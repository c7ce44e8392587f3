"""What OpenRouter's clients ask for beside completions: the key, the credit, one generation, in OpenRouter's shapes. They look for
it under `/api/v1`, where our own API has no such names (`manners` sends them on to `/v1`)."""

from typing import Any

from fastapi import Query, Response

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api import present
from agent_marketplace.api.deps import Caller, Reader, Router, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.app import Market
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.ledger import UsageRecord, dollars
from agent_marketplace.usage_log.query import MOST_DAYS, ask

router = Router(tags=["wires"])


@router.get(
    "/v1/key", summary="The key that asks: what it has spent, and what it still may; OpenRouter's shape"
)
@router.get("/v1/auth/key", summary="The key that asks, at OpenRouter's older path")
async def get_key(market: The, principal: Caller) -> Response:
    spent = await _spent(market, principal.user_id, principal.key_id)
    data: dict[str, Any] = {
        "label": "session",
        "usage": spent,
        "limit": None,
        "limit_remaining": None,
        "is_free_tier": principal.tier == "free",
        "is_provisioning_key": False,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "see the headers of an answer"},
    }
    keys = await market.accounts.keys.list(principal.user_id) if principal.key_id else []
    for key in (k for k in keys if k.key_id == principal.key_id):
        data["label"] = key.name
        if (spend := key.spend) is not None and spend.limit_nano is not None:
            left = max(0, spend.limit_nano - spend.spent_nano - spend.held_nano)
            data |= {"limit": dollars(spend.limit_nano), "limit_remaining": dollars(left)}
            data["limit_reset"] = None if spend.period == "total" else spend.period
    return ExactJSON({"data": data})


@router.get(
    "/v1/credits", summary="Credit and use of the account, whose difference is left; OpenRouter's shape"
)
async def get_credits(market: The, principal: Reader) -> Response:
    wallet = await market.ledger.balance(principal.user_id)
    used = await _spent(market, principal.user_id, None)
    return ExactJSON({"data": {"total_credits": used + dollars(wallet.balance), "total_usage": used}})


async def _spent(market: Market, user_id: str, key_id: str | None) -> Any:
    """Dollars that were charged to a user, or by one of the keys."""
    now = market.clock.now_ms()
    filters = {"key": [key_id]} if key_id is not None else {}
    asked = ask(
        user_id=user_id, metrics=["spend"], by=[], filters=filters, tz="UTC", granularity="day", since=None, until=None,
        days=MOST_DAYS - 1, now=now, limit=1,
    )  # fmt: skip
    return (await market.usage_log.query(asked)).totals["spend"]


@router.get("/v1/generation", summary="What one call was and cost; OpenRouter's shape")
async def get_generation(
    market: The,
    principal: Caller,
    request_id: str = Query(alias="id", max_length=200, description="the answer's id (`gen_...`)"),
) -> Response:
    record = await market.ledger.receipt(request_id, principal.user_id)
    if not _may_read(record, principal):
        raise NotFound("No such generation")
    if request_id in await market.comparisons.veiled(principal.user_id):
        raise Conflict("This answer is one of a blind comparison: it is told after the vote", code="veiled")
    return ExactJSON({"data": _generation(record)})


def _may_read(record: UsageRecord, principal: Principal) -> bool:
    """A key without leave to read the account knows its own calls only."""
    return "account:read" in principal.scopes or (
        principal.key_id is not None and record.key_id == principal.key_id
    )


def _generation(record: UsageRecord) -> dict[str, Any]:
    usage, detail = record.usage, record.detail
    timings = detail.get("timings") or {}
    cost = dollars(record.charge_nano)
    return {
        "id": record.request_id,
        "model": record.model,
        "provider_name": record.provider,
        "created_at": present.iso(record.created_at),
        "total_cost": cost,
        "usage": cost,
        "is_byok": detail.get("credential") == "byok",
        "streamed": bool(detail.get("stream", False)),
        "cancelled": record.status == "cancelled",
        "finish_reason": detail.get("finish_reason"),
        "native_finish_reason": detail.get("finish_reason"),
        "latency": timings.get("first_token_ms"),
        "generation_time": timings.get("total_ms"),
        "tokens_prompt": usage.prompt_tokens,
        "tokens_completion": usage.completion_tokens,
        "native_tokens_prompt": usage.prompt_tokens,
        "native_tokens_completion": usage.completion_tokens,
        "native_tokens_reasoning": usage.reasoning,
        "native_tokens_cached": usage.cache_read,
        "upstream_id": None,
        "app_id": None,
        "origin": "",
    }

"""From domain values to what our API shows: ISO times, exact money, no internals."""

from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

from agent_marketplace.api.account_views import iso as iso
from agent_marketplace.api.account_views import iso_of as iso_of
from agent_marketplace.arena import Answer, Comparison
from agent_marketplace.connect import Client
from agent_marketplace.conversations.library import Prompt, Share, SharedChat
from agent_marketplace.conversations.types import Agent, Conversation, Message
from agent_marketplace.gateway.agent_wire import usage_fields
from agent_marketplace.gateway.blind_wire import FAILED
from agent_marketplace.ledger import NEVER, Lot, Plan, StatementEntry, UsageRecord, dollars
from agent_marketplace.providers.endpoints import Endpoint


def statement_entry(entry: StatementEntry, veiled: Container[str] = ()) -> dict[str, Any]:
    """One line of the statement; amounts are decimal strings. veiled: requests whose model is not told before a vote."""
    return {
        "id": entry.id,
        "at": iso(entry.at),
        "kind": entry.kind,
        "amount": format(dollars(entry.amount_nano), "f"),
        "balance_after": format(dollars(entry.balance_after_nano), "f"),
        "request_id": entry.request_id,
        "memo": "a blind comparison" if entry.request_id in veiled else entry.memo,
    }


def comparison(found: Comparison) -> dict[str, Any]:
    """A comparison; while it is veiled, nothing by which one would know whose answer is whose, or what one of them cost."""
    asked = [a.asked for a in found.answers]
    return {
        "id": found.comparison_id,
        "blind": found.blind,
        "revealed": not found.veiled,
        "task": found.task,
        "after": found.after_id,
        "models": sorted(asked) if found.veiled else asked,
        "messages": found.messages,
        "parameters": found.parameters,
        "vote": found.vote,
        "criteria": list(found.criteria),
        "reason": found.reason,
        "cost": None if found.veiled else dollars(sum(a.cost_nano for a in found.answers)),
        "created_at": iso(found.created_at),
        "voted_at": iso(found.voted_at),
        "readable": found.readable,
        "answers": [(_veiled_answer if found.veiled else _compared)(a) for a in found.answers],
    }


def _veiled_answer(answer: Answer) -> dict[str, Any]:
    failed = {"code": "answer_failed", "error": FAILED} if answer.status == "failed" else None
    return {
        "side": answer.side,
        "run_id": answer.run_id,
        "status": answer.status,
        "content": answer.content,
        "error": failed,
    }


def _compared(answer: Answer) -> dict[str, Any]:
    return {
        **_veiled_answer(answer),
        "error": answer.extra.get("error"),
        "asked": answer.asked,
        "model": answer.model,
        "provider": answer.provider,
        "request_id": answer.request_id or None,
        "cost": dollars(answer.cost_nano),
        "usage": answer.extra.get("usage"),
        "timings": answer.extra.get("timings"),
        "finish_reason": answer.extra.get("finish_reason"),
    }


def lot(found: Lot) -> dict[str, Any]:
    """One credit, and what is left of it."""
    kind = "paid" if found.paid else "granted" if found.source == "grant" else "promotional"
    return {
        "kind": kind,
        "source": found.source,
        "amount": dollars(found.nano),
        "left": dollars(found.left),
        "priority": found.priority,
        "expires_at": None if found.expires_at == NEVER else iso(found.expires_at),
        "frozen": bool(found.frozen),
        "created_at": iso(found.created_at),
        "reference": found.reference,
    }


def usage_sum(by: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Usage of one model or day."""
    return {
        by: row["time" if by == "day" else by],
        "requests": row["requests"],
        "tokens": row["tokens"],
        "input_tokens": row["input_tokens"],
        "output_tokens": row["output_tokens"],
        "cost": row["spend"],
    }


def generation(record: UsageRecord, prices: Mapping[str, Any] | None) -> dict[str, Any]:
    """The receipt: what happened, in order, and what it cost."""
    detail = record.detail
    return {
        "id": record.request_id,
        "request_id": record.request_id,
        "model": record.model,
        "provider": record.provider,
        "status": record.status,
        "created_at": iso(record.created_at),
        "usage": usage_fields(record.usage),
        "cost": dollars(record.charge_nano),
        "absorbed": dollars(record.absorbed_nano),
        "list_cost": None if record.list_cost_nano is None else dollars(record.list_cost_nano),
        "hold": dollars(record.hold_nano),
        "price": dict(prices) if prices else None,
        "price_version": record.price_version,
        "key_id": record.key_id,
        "attempts": [_attempt(a) for a in detail.get("attempts", [])],
        "skipped": detail.get("skipped", []),
        "requested_model": detail.get("requested_model"),
        "is_byok": detail.get("credential") == "byok",
        "streamed": detail.get("stream", False),
        "finish_reason": detail.get("finish_reason"),
        "fallback": detail.get("fallback"),
        "auto": detail.get("auto"),
        "estimate": detail.get("estimate"),
        "timings": detail.get("timings"),
        "dropped_parameters": detail.get("dropped_parameters", []),
        "notes": detail.get("notes", []),
        "malformed_events": detail.get("malformed_events", 0),
        "conversation_id": detail.get("conversation_id"),
        "error": detail.get("error"),
    }


def _attempt(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": entry.get("provider"),
        "model": entry.get("model"),
        "why": entry.get("why"),
        "credential": entry.get("credential"),
        "status": entry.get("status"),
        "reason": entry.get("error") or None,
        "code": entry.get("code") or None,
        "started_ms": entry.get("started"),
        "duration_ms": max(0, entry.get("ended", 0) - entry.get("started", 0)),
        "may_be_billed": entry.get("may_be_billed", False),
    }


def conversation(head: Conversation) -> dict[str, Any]:
    """A conversation's line in the list."""
    return {
        "id": head.conversation_id,
        "title": head.title,
        "model": head.model,
        "agent_id": head.agent_id,
        "pinned": head.pinned,
        "folder": head.folder,
        "tags": head.tags,
        "messages": head.messages,
        "cost": dollars(head.cost_nano),
        "created_at": iso(head.created_at),
        "updated_at": iso(head.updated_at),
    }


def prompt(kept: Prompt) -> dict[str, Any]:
    """A prompt of one's library."""
    return {
        "id": kept.prompt_id,
        "name": kept.name,
        "text": kept.text,
        "created_at": iso(kept.created_at),
        "updated_at": iso(kept.updated_at),
    }


def share(made: Share) -> dict[str, Any]:
    """A link to a chat, for its owner."""
    return {
        "conversation_id": made.conversation_id,
        "title": made.title,
        "path": f"/shared/{made.token}",
        "leaf_id": made.leaf_id,
        "shared_at": iso(made.created_at),
    }


def shared_chat(found: SharedChat) -> dict[str, Any]:
    """A chat as the reader of a link sees it."""
    messages = [
        {
            "role": m.role,
            "content": m.content,
            "model": m.model or None,
            "images": m.images,
            "created_at": iso(m.created_at),
        }
        for m in found.messages
    ]
    return {"title": found.title, "shared_at": iso(found.shared_at), "messages": messages}


_STATUS = {"ok": "complete", "partial": "partial", "running": "running", "failed": "error"}


def message(kept: Message) -> dict[str, Any]:
    """One message of a conversation's tree."""
    running = kept.status == "running"
    return {
        **history_message(kept),
        "parent_id": kept.parent_id,
        "agent_id": kept.agent_id or None,
        "images": kept.extra.get("images", []),
        "created_at": iso(kept.created_at),
        "provider": kept.provider or None,
        "request_id": kept.request_id,
        "status": _STATUS[kept.status],
        "run_id": kept.extra.get("run_id") if running else None,
        "finish_reason": kept.extra.get("finish_reason"),
        "usage": kept.usage,
        "timings": kept.extra.get("timings"),
        "fallback": kept.extra.get("fallback"),
        "error": kept.extra.get("error"),
        "readable": kept.readable,
    }


def history_message(kept: Message) -> dict[str, Any]:
    """The guide's message fields, and ours."""
    return {
        "id": kept.message_id,
        "role": kept.role,
        "content": kept.content,
        "timestamp": iso(kept.created_at),
        "model": kept.model or None,
        "cost": dollars(kept.cost_nano),
        "conversation_id": kept.conversation_id,
    }


def agent(preset: Agent) -> dict[str, Any]:
    """A named preset."""
    return {
        "id": preset.agent_id,
        "version": preset.version,
        "name": preset.name,
        "model": preset.model,
        "instructions": preset.instructions,
        "parameters": preset.parameters,
        "created_at": iso(preset.created_at),
        "updated_at": iso(preset.updated_at),
    }


def plan(offered: Plan) -> dict[str, Any]:
    """A plan and what it costs."""
    return {
        "name": offered.name,
        "price": dollars(offered.price_nano),
        "days": offered.days,
        "model_tiers": list(offered.model_tiers),
        "byok_fee_percent": str(Decimal(offered.byok_fee_ppm) / 10_000),
        "description": offered.description,
    }


def client(row: Client) -> dict[str, Any]:
    """A program's settings, the places in its texts left open."""
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "wires": list(row.wires),
        "version": row.version,
        "documented": row.documented,
        "note": row.note,
        "steps": [{"where": step.where, "text": step.template()} for step in row.steps],
    }


def provider(endpoint: Endpoint) -> dict[str, Any]:
    """Who is configured here, and who takes a user's own key."""
    return {
        "name": endpoint.name,
        "wire": endpoint.wire,
        "configured": endpoint.configured,
        "byok": endpoint.byok,
        "base_url_set": endpoint.allow_private,
        "stops_billing_on_abort": endpoint.abort_rule,
    }

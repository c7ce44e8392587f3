"""Offered agents as replies say them."""

from typing import Any

from agent_marketplace.api.present import iso
from agent_marketplace.ledger import Earned, dollars
from agent_marketplace.listings import AgentPrice, Consent, Head, Spec, Version


def price(value: AgentPrice) -> dict[str, Any]:
    """An author's fee, in dollars."""
    return {
        "fee_run": dollars(value.fee_run_nano),
        "fee_step": dollars(value.fee_step_nano),
        "model_cost_bp": value.model_cost_bp,
        "max_fee": dollars(value.max_fee_nano),
    }


def spec(value: Spec, *, instructions: bool) -> dict[str, Any]:
    """A version's content; instructions: whether its reader may see them."""
    limits = value.limits
    return {
        "name": value.name,
        "model": value.model,
        "instructions": value.instructions if instructions else None,
        "summary": value.summary,
        "description": value.description,
        "parameters": value.parameters,
        "tools": [{name: getattr(tool, name) for name in tool.__struct_fields__} for tool in value.tools],
        "subagents": [{"agent": s.agent, "version": s.version} for s in value.subagents],
        "scopes": value.scopes,
        "limits": {
            "steps": limits.steps,
            "tool_calls": limits.tool_calls,
            "seconds": limits.seconds,
            "cap_default": dollars(limits.cap_default_nano),
            "cap_max": dollars(limits.cap_max_nano),
        },
        "hosts": value.hosts,
        "price": price(value.price),
        "output_schema": value.output_schema,
        "licence": value.licence,
        "category": value.category,
        "starters": value.starters,
        "examples": [{"input": e.input, "expects": e.expects} for e in value.examples],
    }


def version(value: Version, now: int, *, instructions: bool = False) -> dict[str, Any]:
    """One version and what was decided about it. now: ms."""
    return {
        "version": value.version,
        "spec": spec(value.spec, instructions=instructions),
        "fingerprint": value.content_hash,
        "state": value.state,
        "asked": value.asked,
        "findings": value.findings,
        "created_at": iso(value.created_at),
        "decided_at": None if value.decided_at is None else iso(value.decided_at),
        "price_now": price(value.price_at(now)),
        "price_from": iso(value.price_from),
    }


def head(value: Head, forked_from: str | None = None) -> dict[str, Any]:
    """An agent, whichever version."""
    return {
        "id": value.agent_id,
        "publisher": value.publisher,
        "slug": value.slug,
        "model": f"agent/{value.path}",
        "visibility": value.visibility,
        "live": value.live,
        "newest": value.newest,
        "forked_from": forked_from,
        "updated_at": iso(value.updated_at),
    }


def listing(found: tuple[Head, Version], now: int) -> dict[str, Any]:
    """A listed agent with its live version."""
    return {"agent": head(found[0]), "version": version(found[1], now)}


def installed(found: tuple[Head, Version, Consent], now: int) -> dict[str, Any]:
    """An agent that the caller agreed to."""
    agent, current, given = found
    return listing((agent, current), now) | {
        "agreed_version": given.version,
        "pinned": given.pinned,
        "asked_again": given.consent_hash != current.consent_hash,
    }


def earned(value: Earned) -> dict[str, Any]:
    """An author's earnings, in dollars."""
    return {
        "pending": dollars(value.pending_nano),
        "payable": dollars(value.payable_nano),
        "paid_out": dollars(value.paid_out_nano),
    }

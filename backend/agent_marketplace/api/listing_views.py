"""Offered agents as replies say them."""

from typing import Any

from agent_marketplace.api.present import iso
from agent_marketplace.ledger import Earned, Payout, dollars
from agent_marketplace.listings import AgentPrice, Consent, Head, Spec, Version
from agent_marketplace.listings.outcomes.types import Figures, OwnFigures, Quote, Rating, Report, Review

NEW_MS = 14 * 86_400_000
NEW_PAYERS = 5


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


def changes(old: Version, new: Version) -> dict[str, list[Any]]:
    """{field: [before, after]} of what differs, as specs are shown."""
    a, b = spec(old.spec, instructions=True), spec(new.spec, instructions=True)
    return {name: [a[name], b[name]] for name in a if a[name] != b[name]}


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


def payout(value: Payout, email: str | None) -> dict[str, Any]:
    """Earnings that were paid out."""
    return {
        "author": value.author_id,
        "email": email,
        "amount": dollars(value.amount_nano),
        "reference": value.reference,
        "by": value.by,
        "at": iso(value.at),
    }


def rating(value: Rating) -> dict[str, Any]:
    """Stars with how sure they are."""
    return {name: getattr(value, name) for name in value.__struct_fields__}


def figures(value: Figures) -> dict[str, Any]:
    """What an agent's card says of 30 days."""
    return {
        "runs": value.runs,
        "payers": value.payers,
        "success": value.success,
        "refunded": value.refunded,
        "cost_p50": None if value.cost_p50_nano is None else dollars(value.cost_p50_nano),
        "took_p50_ms": value.took_p50_ms,
        "rating": rating(value.rating),
    }


def found(one: tuple[Head, Version], measured: Figures, now: int) -> dict[str, Any]:
    """A listed agent among others."""
    fresh = now - one[0].created_at < NEW_MS and measured.payers < NEW_PAYERS
    return listing(one, now) | {"figures": figures(measured), "new": fresh}


def review(value: Review) -> dict[str, Any]:
    """A rating with its words."""
    return {"stars": value.stars, "words": value.words, "version": value.version, "at": iso(value.at)}


def quote(of: Version, measured: Quote, computed: tuple[int | None, int | None], now: int) -> dict[str, Any]:
    """What a run will cost. computed: (p50, p90) nano-dollars, said where too little was measured."""
    known = measured.p50_nano is not None
    low, high = (measured.p50_nano, measured.p90_nano) if known else computed
    charged, limits = of.price_at(now), of.spec.limits
    return {
        "version": of.version,
        "basis": "measured" if known else "computed",
        "n": measured.n,
        "p50": None if low is None else dollars(low),
        "p90": None if high is None else dollars(high),
        "price": price(charged),
        "fee_most": dollars(charged.max_fee_nano),
        "cap_default": dollars(limits.cap_default_nano),
        "cap_max": dollars(limits.cap_max_nano),
    }


def own_figures(value: OwnFigures) -> dict[str, Any]:
    """What an author sees."""
    return {
        "since": iso(value.since),
        "runs": value.runs,
        "revenue": dollars(value.revenue_nano),
        "enough": value.enough,
        "users": value.users,
        "delivered": value.delivered,
        "took_p50_ms": value.took_p50_ms,
        "took_p90_ms": value.took_p90_ms,
        "errors": value.errors,
        "days": {day: list(counts) for day, counts in value.days.items()},
        "rating": None if value.rating is None else rating(value.rating),
    }


def report(value: Report) -> dict[str, Any]:
    """What somebody reported, without who."""
    return {"id": value.report_id, "agent_id": value.agent_id, "version": value.version, "why": value.why,
            "words": value.words, "at": iso(value.at)}  # fmt: skip

"""PURE: agent cards. Prices, tools and who sees data stand in an extension of our own, since A2A has no field for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_marketplace import __version__
from agent_marketplace.api.a2a.protocol import LEGACY, MODERN
from agent_marketplace.ledger import dollars
from agent_marketplace.listings.types import Head, Version
from agent_marketplace.runs.types import Spec

TERMS = "urn:ai-agent-marketplace:terms:1"
_TEXT = ["text/plain"]
_KEY = "marketplaceKey"
_SCHEME = {"scheme": "bearer", "description": "A key of this marketplace with the scope `inference`"}


def offered(head: Head, version: Version, now: int, base: str, *, legacy: bool) -> dict[str, Any]:
    """An offered agent's card. base: the marketplace's own address."""
    spec, price = version.spec, version.price_at(now)
    terms = {
        "fee_run": dollars(price.fee_run_nano), "fee_step": dollars(price.fee_step_nano),
        "fee_of_model_cost_basis_points": price.model_cost_bp, "fee_most": dollars(price.max_fee_nano), "currency": "USD",
        "cap_default": dollars(spec.limits.cap_default_nano), "cap_most": dollars(spec.limits.cap_max_nano), "model": spec.model,
        "tools": [f"{t.server}/{t.tool}" for t in spec.tools], "hosts": spec.hosts, "scopes": spec.scopes, "licence": spec.licence,
        "version": version.version, "content_hash": version.content_hash,
    }  # fmt: skip
    skill = _skill(head.slug, spec.name, spec.summary or spec.name, [spec.category], spec.starters)
    return _card(
        name=spec.name, description=spec.description or spec.summary or spec.name, version=str(version.version),
        publisher=head.publisher, url=f"{base}/a2a/{head.path}", skills=[skill], terms=terms, legacy=legacy, base=base,
    )  # fmt: skip


def own(spec: Spec, base: str, *, legacy: bool) -> dict[str, Any]:
    """The card of one's own preset, for its owner alone."""
    about = spec.description or spec.name
    terms = {
        "cap_default": dollars(spec.cap_nano),
        "currency": "USD",
        "model": spec.model,
        "tools": [t.name for t in spec.tools],
    }
    return _card(
        name=spec.name, description=about, version=str(spec.version), publisher="own", url=f"{base}/a2a/own/{spec.agent_id}",
        skills=[_skill(spec.agent_id, spec.name, about, [], [])], terms=terms, legacy=legacy, base=base,
    )  # fmt: skip


def market(found: Sequence[tuple[Head, Version]], base: str, *, legacy: bool) -> dict[str, Any]:
    """The installation's card: each listed agent is a skill, and is named by `tenant`."""
    skills = [
        _skill(
            head.path, v.spec.name, v.spec.summary or v.spec.name, [v.spec.category, "agent"], v.spec.starters
        )
        for head, v in found
    ]
    return _card(
        name="AI Agent Marketplace",
        description="Agents of many publishers. Name one in `tenant` (publisher/slug: a skill's id); each has a card of its own at "
        f"{base}/a2a/<publisher>/<slug>/.well-known/agent-card.json",
        version=__version__, publisher="operator", url=f"{base}/a2a", skills=skills, terms={}, legacy=legacy, base=base,
    )  # fmt: skip


def _card(
    *, name: str, description: str, version: str, publisher: str, url: str, skills: list[dict[str, Any]],
    terms: Mapping[str, Any], legacy: bool, base: str,
) -> dict[str, Any]:  # fmt: skip
    faces = [("JSONRPC", MODERN), ("HTTP+JSON", MODERN)] + ([("JSONRPC", LEGACY)] if legacy else [])
    extensions = (
        [{"uri": TERMS, "description": "Price, tools and who sees data", "params": dict(terms)}]
        if terms
        else []
    )
    scheme: dict[str, Any] = {"httpAuthSecurityScheme": _SCHEME}
    card: dict[str, Any] = {
        "name": name, "description": description, "version": version, "provider": {"organization": publisher, "url": base},
        "supportedInterfaces": [{"url": url, "protocolBinding": b, "protocolVersion": v} for b, v in faces],
        "capabilities": {
            "streaming": True, "pushNotifications": False, "extendedAgentCard": False, "extensions": extensions,
        },
        "defaultInputModes": _TEXT, "defaultOutputModes": _TEXT, "skills": skills,
        "securitySchemes": {_KEY: scheme}, "securityRequirements": [{"schemes": {_KEY: {"list": ["inference"]}}}],
    }  # fmt: skip
    if legacy:
        scheme |= {"type": "http", **_SCHEME}
        card |= {
            "url": url, "preferredTransport": "JSONRPC", "protocolVersion": f"{LEGACY}.0", "security": [{_KEY: []}],
        }  # fmt: skip
    return card


def _skill(name: str, title: str, about: str, tags: Sequence[str], examples: Sequence[str]) -> dict[str, Any]:
    return {"id": name, "name": title, "description": about, "tags": list(tags), "examples": list(examples)}

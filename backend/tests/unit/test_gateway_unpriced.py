"""What no price list here covers is not sold on the operator's key: it would be billed to the operator, not to the caller."""

import pytest

from agent_marketplace import json
from agent_marketplace.gateway import needs
from agent_marketplace.gateway.plan import Group, Target, compile_plan
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.ledger import Price
from agent_marketplace.wires import codecs

MESSAGES = [{"role": "user", "content": "hi"}]
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def unpriced(wire: str, **fields: object) -> tuple[str, ...]:
    said = (
        {"contents": [{"parts": [{"text": "hi"}]}]}
        if wire == "gemini"
        else {"max_tokens": 9, "messages": MESSAGES}
    )
    body = {"model": "m", **said, **fields}
    return needs.read(codecs()[wire].parse_request(json.encode(body)), 5).unpriced


@pytest.mark.parametrize(
    ("wire", "fields", "found"),
    [
        ("openai", {"service_tier": "priority"}, ("service_tier",)),
        ("openai", {"service_tier": "auto"}, ()),
        ("openai", {"web_search_options": {}}, ("web_search_options",)),
        ("openai", {"tools": [FUNCTION]}, ()),
        ("openai", {"plugins": [{"id": "web"}]}, ("plugins",)),
        ("openai", {"search_parameters": {"mode": "on"}}, ("search_parameters",)),
        ("openai", {"enable_search": False}, ()),
        ("openai", {"enable_search": True}, ("enable_search",)),
        ("anthropic", {"speed": "fast"}, ("speed",)),
        ("anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, ("web_search",)),
        ("anthropic", {"tools": [{"type": "bash_20250124", "name": "bash"}]}, ()),
        ("anthropic", {"tools": [{"type": "advisor_20260301", "name": "advisor"}]}, ("advisor",)),
        ("gemini", {"tools": [{"googleSearch": {}}]}, ("googleSearch",)),
        ("gemini", {"tools": [{"google_maps": {}}]}, ("googleMaps",)),
        ("gemini", {"tools": [{"codeExecution": {}}]}, ()),
    ],
)
def test_options_that_are_billed_apart_are_seen(
    wire: str, fields: dict[str, object], found: tuple[str, ...]
) -> None:
    assert unpriced(wire, **fields) == found


@pytest.mark.parametrize(("credential", "served"), [("operator", False), ("byok", True)])
def test_they_are_served_on_the_callers_own_key_only(credential: str, served: bool) -> None:
    price = Price(input=10**9, output=10**9)
    target = Target(model="m", provider="p", upstream_id="m", credential=credential, price=price)
    wants = needs.Needs(input_tokens=5, unpriced=("service_tier",))
    plan = compile_plan(
        [Group(model="m", why="requested", targets=(target,))],
        wants,
        Preferences(),
        open_breaker=lambda _t: False,
        measured=lambda _t: (0.0, 0.0),
    )
    assert bool(plan.attempts) is served
    assert [s.code for s in plan.skipped] == ([] if served else ["unpriced_option"])

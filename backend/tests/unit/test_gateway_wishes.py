"""What a caller asks of the routing is kept or refused in words, never dropped in silence; and so is a plan with nothing left."""

from typing import Any

import pytest

from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, PaymentRequired, Unavailable
from agent_marketplace.gateway.plan import Skipped
from agent_marketplace.gateway.preferences import FIELDS, parse
from agent_marketplace.gateway.refusals import nothing_left
from agent_marketplace.wires.shared.fields import ROUTING_FIELDS


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"provider": "openai"}, "provider must be an object"),
        ({"provider": {"onyl": ["openai"]}}, "provider.onyl is not known"),
        ({"provider": {"data_collection": "deny"}}, "can't be promised"),
        ({"provider": {"zdr": True}}, "can't be promised"),
        ({"provider": {"only": "openai"}}, "provider.only must be a list"),
        ({"provider": {"only": [""]}}, "provider.only must be a list"),
        ({"models": ["m"] * 1000}, "models must be a list"),
        ({"provider": {"allow_fallbacks": "false"}}, "allow_fallbacks must be true or false"),
        ({"provider": {"sort": {"by": "luck"}}}, "provider.sort must be one of"),
        ({"provider": {"max_price": 3}}, "max_price must be an object"),
        ({"byok": "always"}, "byok must be one of"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": "x" * 129}, "session_id"),
        ({"session_id": 7}, "session_id"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_not_ignored(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        parse(raw)


@pytest.mark.parametrize(
    "amount", [True, [], {}, "a dollar", "NaN", float("inf"), -1, "-0.01", "1e400", 1_000_001]
)
def test_a_ceiling_that_is_no_amount_never_means_no_ceiling(amount: object) -> None:
    for raw in ({"max_cost": amount}, {"provider": {"max_price": {"prompt": amount or "x"}}}):
        with pytest.raises(BadRequest, match="dollars"):
            parse(raw)


def test_a_ceiling_is_exact_and_never_rounded_up() -> None:
    wishes = parse(
        {"max_cost": 0.1, "provider": {"max_price": {"completion": "0.0000000019"}, "sort": {"by": "price"}}}
    )
    assert (wishes.max_cost, wishes.max_price_output, wishes.sort) == (100_000_000, 1, "price")


def left_out(*codes: str, model: str = "m", reason: str = "because") -> tuple[Skipped, ...]:
    return tuple(
        Skipped(model=model, provider=f"p{i}", code=code, reason=reason) for i, code in enumerate(codes)
    )


@pytest.mark.parametrize(
    ("skipped", "kind", "code"),
    [
        ((), NotFound, "no_endpoints"),
        (left_out("unpriced_model", "unavailable"), PaymentRequired, "unpriced_model"),
        (left_out("unpriced_option", "unpriced_model"), BadRequest, "unpriced_option"),
        (left_out("unavailable", "context_length_exceeded"), BadRequest, "context_length_exceeded"),
        (left_out("provider_only", "unsupported"), BadRequest, "unprocessable"),
        (left_out("provider_ignore", "unavailable"), NotFound, "constraint_filtered"),
        (left_out("unavailable"), NotFound, "no_endpoints"),
        (left_out("unavailable", reason="it is starting"), Unavailable, "temporarily_unavailable"),
        (left_out("no_credential"), NotFound, "no_endpoints"),
    ],
)
def test_the_caller_is_told_what_he_can_change_and_to_retry_only_where_that_helps(
    skipped: tuple[Skipped, ...], kind: type[MarketplaceError], code: str
) -> None:
    error = nothing_left("m", skipped)
    assert (type(error), error.code) == (kind, code)
    assert error.extra["availability"]["retryable"] == (kind is Unavailable)
    assert error.extra["availability"]["affected_providers"] == [s.provider for s in skipped]


def test_the_reason_given_is_that_of_the_model_asked_for_not_of_a_fallback() -> None:
    skipped = left_out("unpriced_model", model="fallback") + left_out("unsupported", reason="no images")
    assert "no images" in str(nothing_left("m", skipped))


def test_no_wish_is_lost_on_the_way_from_a_wire() -> None:
    """`auto: {allow, exclude, cost_tier}` was read on one route and passed on unread on all others."""
    assert FIELDS <= ROUTING_FIELDS

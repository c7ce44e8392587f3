"""PURE: the caller's error when a plan has no attempt left, from what was left out and why."""

from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, PaymentRequired, Unavailable
from agent_marketplace.gateway.plan import Skipped

_BAD = frozenset(
    {"unsupported", "context_length_exceeded", "require_parameters", "byok_only", "unpriced_option"}
)
_NAMED = frozenset({"context_length_exceeded", "unpriced_option"})
_FILTERS = frozenset({"provider_only", "provider_ignore", "max_price", "fallbacks_off"})


def nothing_left(
    requested: str, skipped: tuple[Skipped, ...], successor: str | None = None
) -> MarketplaceError:
    """Peers' `availability` object goes with it: what was asked for, who was left out, by what. successor: of a retired model."""
    own = [s for s in skipped if s.model == requested] or list(skipped)
    codes = {s.code for s in own}
    availability = {
        "requested_models": [requested],
        "affected_providers": sorted({s.provider for s in own}),
        "excluded_by": sorted(codes),
        "retryable": codes == {"unavailable"}
        and any("not running" in s.reason or "starting" in s.reason for s in own),
    }
    extra: dict[str, object] = {"availability": availability}
    if not own:
        return NotFound(f"{requested} is offered by no provider here", code="no_endpoints", extra=extra)
    # What the caller can change is said first: a filter or a need beats a missing key.
    for code in (*sorted(_NAMED), "unpriced_model", *sorted(_BAD - _NAMED), *sorted(_FILTERS), "unavailable"):
        first = next((s for s in own if s.code == code), None)
        if first is None:
            continue
        if code == "unpriced_model":
            return PaymentRequired(
                first.reason + "; it is served on your own key only", code="unpriced_model", extra=extra
            )
        if code in _BAD:
            named = code if code in _NAMED else "unprocessable"
            return BadRequest(first.reason, code=named, extra=extra)
        if code in _FILTERS and codes <= _FILTERS | {"unavailable"}:
            return NotFound(f"{requested}: {first.reason}", code="constraint_filtered", extra=extra)
        if code == "unavailable":
            return _unavailable(
                requested, first.reason, extra, successor, retryable=bool(availability["retryable"])
            )
    return NotFound(f"{requested}: {own[0].reason}", code="no_endpoints", extra=extra)


def _unavailable(
    requested: str, reason: str, extra: dict[str, object], successor: str | None, *, retryable: bool
) -> MarketplaceError:
    if retryable:
        return Unavailable(f"{requested}: {reason}", retry_after=5, extra=extra)
    if successor is not None:
        reason, extra = f"{reason}; its successor is {successor}", extra | {"nearest": [successor]}
    return NotFound(f"{requested}: {reason}", code="no_endpoints", extra=extra)

"""PURE: calls as their caller sees them: filters, pages, and what went wrong with the page that mends it."""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.errors import BadRequest
from agent_marketplace.usage import Usage

MOST_ON_A_PAGE = 200


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends: the moment (ms) and id of its last call."""

    at: int
    request_id: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """user_id None: everybody's. since, until: ms; after: the page begins behind this call (newest first); without: requests
    that are not told of yet."""

    user_id: str | None
    filters: Mapping[str, tuple[str, ...]] = {}
    since: int | None = None
    until: int | None = None
    after: Place | None = None
    limit: int = 50
    without: frozenset[str] = frozenset()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A finished call. Money in nano-dollars, times in ms. own_key: the caller's own provider key paid; list_cost_nano None: unknown."""

    request_id: str
    user_id: str
    at: int
    model: str
    requested_model: str | None
    provider: str
    key_id: str | None
    agent_id: str | None
    conversation_id: str | None
    status: str
    usage: Usage
    charge_nano: int
    list_cost_nano: int | None
    own_key: bool
    streamed: bool
    first_token_ms: int | None
    total_ms: int | None
    tries: int
    fallback: bool
    error: "Cause | None"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. after: where the next page begins; None = this is the end."""

    calls: list[Call]
    after: Place | None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call did not end well. fix: the page that mends it, and the words of the link; None = nothing to do but try again."""

    code: str
    words: str
    fix: "Fix | None"


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A path of the web UI, and what to do there."""

    page: str
    words: str


_MONEY = Fix(page="/account", words="See the balance and the plan")
_KEYS = Fix(page="/account", words="Save or test the provider's key")
_CONTEXT = Fix(page="/marketplace", words="Choose a model with a longer context")
_MODELS = Fix(page="/marketplace", words="Choose another model")
_FIXES = {
    "payment_required": _MONEY,
    "unaffordable": _MONEY,
    "no_provider_key": _KEYS,
    "needs_reentry": _KEYS,
    "provider_key_refused": _KEYS,
    "provider_quota_exhausted": _KEYS,
    "context_length_exceeded": _CONTEXT,
    "request_too_large": _CONTEXT,
    "rate_limit_exceeded": _MODELS,
    "provider_overloaded": _MODELS,
    "provider_unavailable": _MODELS,
    "timeout": _MODELS,
    "model_unavailable_upstream": _MODELS,
    "unprocessable": _MODELS,
    "no_endpoints": _MODELS,
}
_WORDS = {
    "lost": "The server ended before the call did",
    "cancelled": "Stopped by its caller",
    "partial": "The answer broke off",
    "failed": "Nobody answered",
}


def cause_of(status: str, detail: Mapping[str, Any]) -> Cause | None:
    """From the receipt: its error, or the last try's."""
    if status == "ok":
        return None
    error = detail.get("error") or {}
    tries = [entry for entry in detail.get("attempts") or [] if entry.get("status") not in ("ok", "running")]
    last = tries[-1] if tries else {}
    code = str(error.get("code") or last.get("code") or status)
    words = str(error.get("words") or last.get("error") or detail.get("reason") or _WORDS.get(status, status))
    fix = None if status == "cancelled" else _FIXES.get(code)
    return Cause(code=code, words=words[:300], fix=fix)


def write_place(place: Place) -> str:
    """A cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(cursor: str | None) -> Place | None:
    """Raises BadRequest."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise BadRequest("This cursor is not one of ours", extra={"field": "cursor"}) from None
    if not 0 <= place.at < 1 << 53 or len(place.request_id) > 80 or "\0" in place.request_id:
        raise BadRequest("This cursor is not one of ours", extra={"field": "cursor"})
    return place

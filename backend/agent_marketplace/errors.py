"""Typed errors. Each carries what every wire needs to answer: an HTTP status, a stable code, words for a person.

`code` is the field's own vocabulary (OpenRouter's `error_type` values where one fits) and never changes;
`extra` holds the machine-readable fields that go beside it in the reply (for example `required` on a 402).
Messages are shown to callers: they never hold a secret, a path or another user's data.
"""

from collections.abc import Mapping
from typing import Any


class MarketplaceError(Exception):
    """Base of all expected failures. status: HTTP status; retry_after: seconds, or None."""

    status = 500
    code = "server"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        self.extra: dict[str, Any] = dict(extra or {})
        self.retry_after = retry_after


class BadRequest(MarketplaceError):
    """Malformed or impossible input (400)."""

    status = 400
    code = "invalid_request"


class Unauthorized(MarketplaceError):
    """No valid session or key (401)."""

    status = 401
    code = "authentication"


class PaymentRequired(MarketplaceError):
    """The wallet, a key's cap or a missing price stops this call (402)."""

    status = 402
    code = "payment_required"


class Forbidden(MarketplaceError):
    """Known caller, not allowed (403)."""

    status = 403
    code = "permission_denied"


class NotFound(MarketplaceError):
    """No such object, or not the caller's (404: the two are not told apart)."""

    status = 404
    code = "not_found"


class Conflict(MarketplaceError):
    """The same idempotency key is still running (409)."""

    status = 409
    code = "conflict"


class PayloadTooLarge(MarketplaceError):
    """Body over the limit (413)."""

    status = 413
    code = "payload_too_large"


class IdempotencyMismatch(MarketplaceError):
    """An idempotency key reused with another body (422)."""

    status = 422
    code = "idempotency_mismatch"


class RateLimited(MarketplaceError):
    """The caller's own limit (429); retry_after is always set."""

    status = 429
    code = "rate_limit_exceeded"


class ProviderFailure(MarketplaceError):
    """A provider failed and no attempt is left (502, 503, 504 or 429; never 500)."""

    status = 502
    code = "provider_unavailable"


class Unavailable(MarketplaceError):
    """This server can't serve now: draining, overloaded or its database is away (503)."""

    status = 503
    code = "temporarily_unavailable"

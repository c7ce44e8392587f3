"""The table of failure classes: what a provider's failure means for the plan, and what the caller is told (docs/routing.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent_marketplace.errors import BadRequest, MarketplaceError, ProviderFailure
from agent_marketplace.wires.base import FailureClass as F
from agent_marketplace.wires.base import UpstreamFailure

_USUAL_WAIT_S = 5.0
_MOST_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """same: retries at the same endpoint; other: may another endpoint of the model, or a fallback, be tried;
    larger: only a target with a larger context may; status, code: what the caller gets when nothing is left."""

    same: int
    other: bool
    status: int
    code: str
    larger: bool = False


TABLE: Mapping[F, Policy] = MappingProxyType(
    {
        F.RATE_LIMITED: Policy(same=1, other=True, status=429, code="rate_limit_exceeded"),
        F.OVERLOADED: Policy(same=1, other=True, status=503, code="provider_overloaded"),
        F.SERVER: Policy(same=1, other=True, status=502, code="provider_unavailable"),
        F.TIMEOUT: Policy(same=0, other=True, status=504, code="timeout"),
        F.AUTH: Policy(same=0, other=True, status=502, code="provider_key_refused"),
        F.OWN_KEY: Policy(same=0, other=True, status=400, code="needs_reentry"),
        F.QUOTA: Policy(same=0, other=True, status=503, code="provider_quota_exhausted"),
        F.NOT_FOUND: Policy(same=0, other=True, status=502, code="model_unavailable_upstream"),
        F.UNSUPPORTED: Policy(same=0, other=True, status=400, code="unprocessable"),
        F.BAD_REQUEST: Policy(same=0, other=False, status=400, code="invalid_request"),
        F.CONTEXT: Policy(same=0, other=True, larger=True, status=400, code="context_length_exceeded"),
        F.BUSY: Policy(same=0, other=True, status=429, code="rate_limit_exceeded"),
        F.OVERSIZED: Policy(same=0, other=True, status=413, code="request_too_large"),
        F.CONTENT: Policy(same=0, other=False, status=400, code="content_policy_violation"),
    }
)


SUMMARY: Mapping[F, str] = MappingProxyType(
    {
        F.RATE_LIMITED: "asked for fewer calls",
        F.OVERLOADED: "is overloaded",
        F.SERVER: "failed or can't be reached",
        F.TIMEOUT: "did not answer in time",
        F.AUTH: "refused the key",
        F.OWN_KEY: "was not asked: the saved key can't be read",
        F.QUOTA: "has no credit left for this key",
        F.NOT_FOUND: "does not serve this model",
        F.UNSUPPORTED: "can't do what was asked",
        F.BAD_REQUEST: "refused the request as malformed",
        F.CONTEXT: "takes no input of this length",
        F.BUSY: "was not asked: all connections to it are in use",
        F.OVERSIZED: "takes fewer tokens a minute than this one request has",
        F.CONTENT: "refused the content",
    }
)
"""What a receipt says of a failed attempt: our words. A provider's own may repeat the prompt, and receipts are kept."""


def told(failure: UpstreamFailure, provider: str, *, own_key: bool) -> MarketplaceError:
    """The caller's error for the last failure. A provider's failure is never our 500."""
    policy = TABLE[failure.kind]
    if policy.status == 400:
        return BadRequest(failure.words, code=policy.code, extra={"provider": provider})
    words = failure.words
    if failure.kind is F.AUTH:
        whose = "your" if own_key else "this server's"
        words = f"{provider} refused {whose} key"
    return ProviderFailure(
        words,
        status=policy.status,
        code=policy.code,
        extra={"provider": provider, "retryable": policy.other},
        retry_after=_wait(failure.retry_after, policy.status),
    )


def _wait(asked: float | None, status: int) -> float | None:
    """Seconds for the caller's Retry-After: the provider's, at most an hour; 429 and 503 always carry one."""
    if asked is not None:
        return min(asked, _MOST_WAIT_S)
    return _USUAL_WAIT_S if status in (429, 503) else None

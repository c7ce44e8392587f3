"""Signing in to the demo without a password: a route that exists only where `demo` serves."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

import msgspec
from fastapi import Request, Response

from agent_marketplace.accounts.errors import InvalidCredentials
from agent_marketplace.accounts.user import User
from agent_marketplace.api.deps import Address, Router, The
from agent_marketplace.api.envelope import success
from agent_marketplace.clock import Clock
from agent_marketplace.errors import BadRequest

LIFETIME_S = 600
_BYTES = 32
_LARGEST = 1024  # bytes of a body


class _Body(msgspec.Struct):
    code: str


@dataclass(slots=True)
class Doorman:
    """One code that opens one session within ten minutes. `code` is shown to whoever started the server, nobody else."""

    user: User
    clock: Clock
    code: str = field(default_factory=lambda: secrets.token_urlsafe(_BYTES), repr=False)
    _expires_at: int = 0
    _used: bool = False

    def __post_init__(self) -> None:
        self._expires_at = self.clock.now_ms() + LIFETIME_S * 1000

    def admit(self, code: str) -> bool:
        """True once, for the right code in time; compares in constant time."""
        given, wanted = (hashlib.sha256(text.encode()).digest() for text in (code, self.code))
        if self._used or self.clock.now_ms() >= self._expires_at or not hmac.compare_digest(given, wanted):
            return False
        self._used = True
        return True


def router_of(doorman: Doorman) -> Router:
    """`POST /api/v1/demo/session {code}` -> `{token}`; 401 for a wrong, used or old code."""
    router = Router(prefix="/api/v1/demo", include_in_schema=False)

    @router.post("/session")
    async def session(request: Request, market: The, address: Address) -> Response:
        raw = await request.body()
        try:
            body = msgspec.json.decode(raw, type=_Body) if len(raw) <= _LARGEST else None
        except msgspec.DecodeError:
            body = None
        if body is None:
            raise BadRequest("code is required")
        if not doorman.admit(body.code):
            raise InvalidCredentials
        return success(token=await market.accounts.auth.open_session(doorman.user, address=address))

    return router
